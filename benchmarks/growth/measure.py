"""What the grown site costs, beside the young one: the same questions to both servers in turn, so that only pairs are compared."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from appliance.db import ledger
from appliance.db.engine import backup
from benchmarks import servers
from benchmarks.growth import site
from benchmarks.growth.site import Size
from benchmarks.load import rss_mib

ROUNDS = 15
LOADS = 5
LOAD_S = 2.0
CHANGES = 20
SAME = 1.3
"""A page of the grown site may cost so many times what it costs on the young one."""
QUIET_S = 0.35
"""After so long a live view shows a change at once."""
STATION = "CP00151"
"""Where something runs; its tile is changed."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running server on one of the two sites."""

    name: str
    folder: Path
    size: Size
    process: subprocess.Popen[str]
    stations: str
    console: str
    token: str
    listening_s: float
    """From the start of the process to the first connection that a station gets."""
    serving_s: float
    """To the last listener."""

    def client(self) -> aiohttp.ClientSession:
        """The owner's browser."""
        return aiohttp.ClientSession(
            self.console, cookies={"sid": self.token}, cookie_jar=aiohttp.CookieJar(unsafe=True)
        )


@contextmanager
def serving(name: str, folder: Path, size: Size) -> Iterator[Served]:
    """The product on the site in `folder`, ended with the block."""
    token = site.log_in(folder, time.time_ns() // 1_000_000)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["--stations", f"127.0.0.1:{port}", "--console", "127.0.0.1:0", "--drivers", "127.0.0.1:0"]
    began = time.perf_counter()
    with servers.serving(servers.forecourt(folder, words)) as process:
        while not connects(port):
            if process.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.005)
        listening_s = time.perf_counter() - began
        found = servers.addresses(process)
        yield Served(
            name, folder, size, process, found["stations"], found["console"], token, listening_s, time.perf_counter() - began
        )  # fmt: skip


def connects(port: int) -> bool:
    """Whether somebody listens there."""
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


# --- start, pages, tiles, files -------------------------------------------------------------------------------------------


def starts(folders: Sequence[tuple[str, Path, Size]]) -> None:
    """How soon chargers are served."""
    took: dict[str, list[float]] = {name: [] for name, _, _ in folders}
    for _ in range(4):
        for name, folder, size in folders:
            with serving(name, folder, size) as served:
                took[name].append(served.listening_s)
    for name, each in took.items():
        print(f"start: {name:6} stations listening after {statistics.median(each[1:]):.2f} s (goal <= 1.0)", flush=True)


def pages(size: Size) -> dict[str, str]:
    """What is asked for, by its name."""
    today = date.fromisoformat(site.day_of(time.time_ns() // 1_000_000))
    month = f"from={today - timedelta(days=29)}&to={today}"
    return {
        "board": "/",
        "sessions": "/sessions",
        "sessions of a week": f"/sessions?from={today - timedelta(days=6)}&to={today}",
        "sessions of a station": f"/sessions?station={STATION}",
        "sessions to look at": "/sessions?state=review",
        "sessions that failed": "/sessions?state=failed",
        "sessions of a person": "/sessions?person=3",
        "sessions of the busiest": f"/sessions?person={size.busiest}",
        "sessions of a busy card": f"/sessions?card={size.busiest}",
        "a session": f"/sessions/{size.sessions - 500}",
        "a running session": f"/sessions/{size.sessions + int(STATION[2:]) + 1}",
        "stations": "/stations",
        "a station": f"/stations/{STATION}",
        "start a session": f"/stations/{STATION}/1/start",
        "messages": f"/stations/{STATION}/messages",
        "people": "/people",
        "people by balance": "/people?order=balance",
        "people of a group": "/people?group=1",
        "people called so": "/people?q=a",
        "a person": "/people/3",
        "the busiest person": f"/people/{size.busiest}",
        "cards": "/cards",
        "cards by holder": "/cards?order=holder",
        "cards by label": "/cards?order=label",
        "a card": "/cards/3",
        "groups": "/groups",
        "receipts": "/receipts",
        "receipts of a person": "/receipts?person=3",
        "problems": "/problems",
        "audit": "/audit",
        "audit of cards": "/audit?action=card.",
        "desk": "/desk",
        "search for a number": "/search?q=77",
        "search for a name": "/search?q=Farida",
        "search for a telephone": "/search?q=01000000077",
        "search for nobody": "/search?q=Xyzzy",
        "report of a day": f"/reports?from={today}&to={today}",
        "report of a month": f"/reports?{month}",
        "api: sessions": "/api/v1/sessions",
        "api: people": "/api/v1/people",
        "api: transfers": "/api/v1/ledger/transfers",
        "api: accounts": "/api/v1/ledger/accounts",
        "api: report of a month": f"/api/v1/reports/stations?{month}",
        "metrics": "/metrics",
    }


LOOKED_THROUGH = (
    "people of a group", "search for a number", "search for a telephone", "search for nobody", "api: accounts",
)  # fmt: skip
"""What a piece of a number or a name fits is looked for among all people and cards; what a group has, and what is held, is summed up wallet
by wallet, because a sum that is kept would cost each start and stop. That goes by how many people there are, of whom the grown site has
twenty-five times as many, and not by the years.
"""


def two_years() -> str:
    """The longest report there is of the grown site."""
    today = date.fromisoformat(site.day_of(time.time_ns() // 1_000_000))
    return f"from={today - timedelta(days=729)}&to={today}"


async def ask(client: aiohttp.ClientSession, path: str) -> tuple[float, int, str]:
    """Milliseconds until the last byte, bytes, and where it ended."""
    began = time.perf_counter()
    async with client.get(path) as answer:
        body = await answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status != 200 or answer.url.path == "/login":
            raise SystemExit(f"{path}: {answer.status} at {answer.url}")
        return took_ms, len(body), answer.url.path


async def compare_pages(young: Served, grown: Served) -> None:
    """Every page of both, in turn."""
    slow = []
    async with young.client() as of_young, grown.client() as of_grown:
        paths = pages(young.size), pages(grown.size)
        for name in paths[0]:
            took: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS):
                for number, client in enumerate((of_young, of_grown)):
                    took_ms, _size, _path = await ask(client, paths[number][name])
                    took[number].append(took_ms)
            # The least is what it costs; the rest is what else the machine had to do.
            young_ms, grown_ms = sorted(took[0])[2], sorted(took[1])[2]
            ratio = grown_ms / young_ms
            mark = ""
            if ratio > SAME:
                mark = "  all are looked through" if name in LOOKED_THROUGH else "  <<<"
            if "<" in mark:
                slow.append(name)
            print(
                f"page: {name:24} young {young_ms:7.1f} ms  grown {grown_ms:7.1f} ms  x {ratio:.2f}{mark}", flush=True
            )
        for path in (f"/reports?{two_years()}", f"/reports?{two_years()}&station={STATION}"):
            took_ms, size, _path = min([await ask(of_grown, path) for _ in range(3)])
            print(
                f"page: report of two years{' of a station' * ('station' in path)}: {took_ms:.0f} ms, {size:,} bytes (goal <= 500 ms, 500,000 bytes)",
                flush=True,
            )
    print(f"pages: {len(slow)} cost more than {SAME} x (goal 0): {', '.join(slow) or 'none'}")
    print(
        f"RSS after all pages: young {rss_mib(young.process.pid)[0]} MiB, grown {rss_mib(grown.process.pid)[0]} MiB (goal <= 150)",
        flush=True,
    )


async def compare_tiles(young: Served, grown: Served) -> None:
    """From a status that a station tells to the fragment that a browser gets."""
    for view in ("board", f"station:{STATION}"):
        took: dict[str, list[float]] = {}
        async with watching(young, view) as of_young, watching(grown, view) as of_grown:
            for number in range(CHANGES):
                for served, watched in ((young, of_young), (grown, of_grown)):
                    took.setdefault(served.name, []).append(await watched.change(number))
        young_ms, grown_ms = (sorted(each)[2] for each in took.values())
        print(
            f"live: {view:16} young {young_ms:6.1f} ms  grown {grown_ms:6.1f} ms  x {grown_ms / young_ms:.2f} (goal <= {SAME})",
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """A browser that shows a live view, and the charger that changes it."""

    events: aiohttp.StreamReader
    charger: aiohttp.ClientWebSocketResponse

    async def change(self, number: int) -> float:
        """Milliseconds from the charger's word to the browser's fragments."""
        await drained(self.events)
        payload = {"connectorId": 1, "status": ("SuspendedEV", "Charging")[number % 2], "errorCode": "NoError"}
        began = time.perf_counter()
        await self.charger.send_json([2, f"s{number}", "StatusNotification", payload])
        await told(self.events)
        return (time.perf_counter() - began) * 1000


@asynccontextmanager
async def watching(served: Served, view: str) -> AsyncIterator[Watched]:
    """Both, connected."""
    async with (
        served.client() as browser,
        aiohttp.ClientSession() as station,
        browser.get("/live", params={"view": view}) as stream,
        station.ws_connect(served.stations + STATION, protocols=("ocpp1.6",)) as charger,
    ):
        await charger.send_json([2, "boot", "BootNotification", {"chargePointVendor": "B", "chargePointModel": "1"}])
        await asyncio.sleep(1.0)
        yield Watched(stream.content, charger)


async def told(events: aiohttp.StreamReader) -> None:
    """Wait for fragments."""
    while not (await events.readline()).startswith(b"event: fragments"):
        pass


async def drained(events: aiohttp.StreamReader) -> None:
    """Take in all that has come so far."""
    while True:
        try:
            async with asyncio.timeout(QUIET_S):
                await events.readany()
        except TimeoutError:
            return


async def files(grown: Served) -> None:
    """The largest files that can be had, and what memory they take."""
    async with grown.client() as client:
        for path in (
            f"/reports.csv?{two_years()}",
            f"/reports.xlsx?{two_years()}",
            "/sessions.csv",
            "/sessions.xlsx",
            "/cards.csv",
        ):
            before, _ = rss_mib(grown.process.pid)
            forget_peak(grown.process.pid)
            began, size = time.perf_counter(), 0
            async with client.get(path, timeout=aiohttp.ClientTimeout(total=600)) as answer:
                async for chunk in answer.content.iter_any():
                    size += len(chunk)
            took_s = time.perf_counter() - began
            after, peak = rss_mib(grown.process.pid)
            print(
                f"file: {path.partition('?')[0]:14} {took_s:6.1f} s  {size:12,} bytes  RSS {before} -> {after} MiB, at most {peak}",
                flush=True,
            )


def forget_peak(pid: int) -> None:
    """Let the highest resident memory be measured anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


# --- the message path -----------------------------------------------------------------------------------------------------


def compare_load(young: Served, grown: Served) -> None:
    """The OCPP mix of `benchmarks.load`, on both in turn."""
    for served in (young, grown):
        load(served, warmup=3.0)
    rates, costs = [], []
    for _ in range(LOADS):
        one, other = load(young), load(grown)
        rates.append(other["messages_per_s"] / one["messages_per_s"])
        costs.append(other["server_cpu_us_per_message"] / one["server_cpu_us_per_message"])
        print(
            f"load: young {one['messages_per_s']:8,.0f} msg/s {one['server_cpu_us_per_message']:6.1f} us   "
            f"grown {other['messages_per_s']:8,.0f} msg/s {other['server_cpu_us_per_message']:6.1f} us   errors {one['errors'] + other['errors']}",
            flush=True,
        )
    print(
        f"load: throughput x {statistics.median(rates):.2f}, CPU x {statistics.median(costs):.2f} (goals >= 0.95, <= 1.05)",
        flush=True,
    )


def load(served: Served, warmup: float = 0.5) -> dict[str, Any]:
    """Run the load client; its figures."""
    words = [
        "--url",
        served.stations,
        "--pid",
        str(served.process.pid),
        "--n",
        str(site.LOADED),
        "--seconds",
        str(LOAD_S),
    ]
    client = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *words, "--warmup", str(warmup)],
        capture_output=True,
        text=True,
        check=False,
    )
    if client.returncode:
        raise SystemExit(client.stderr)
    figures: dict[str, Any] = json.loads(client.stdout.splitlines()[-1])
    return figures


# --- what is done at night ------------------------------------------------------------------------------------------------


def nightly(folder: Path) -> None:
    """The books computed anew, and a backup."""
    database = folder / "forecourt.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        transfers = db.execute("SELECT count(*) FROM transfer").fetchone()[0]
        began = time.perf_counter()
        wrong = ledger.verify(db)
        took_s = time.perf_counter() - began
    print(f"reconcile: {transfers:,} transfers in {took_s:.1f} s, {wrong or 'nothing wrong'}", flush=True)
    target = folder / "backup.db"
    target.unlink(missing_ok=True)
    began = time.perf_counter()
    backup.make(database, target)
    print(f"backup: {target.stat().st_size / 1e6:,.0f} MB in {time.perf_counter() - began:.1f} s", flush=True)
    target.unlink()


# --- all of it ------------------------------------------------------------------------------------------------------------

PARTS = ("start", "pages", "tiles", "files", "night", "load")


def measure(folder: Path, sizes: dict[str, Size], parts: Sequence[str], *, analyzed: bool) -> None:
    """Everything that was asked for, on copies: what is measured leaves nothing behind in the sites themselves."""
    with ExitStack() as stack:
        copies = {name: stack.enter_context(copy(folder / name)) for name in sizes}
        folders = [(name, copies[name], size) for name, size in sizes.items()]
        if analyzed:
            for copied in copies.values():
                site.analyze(copied)
        if "start" in parts:
            starts(folders)
        if {"pages", "tiles", "files"} & set(parts):
            with serving(*folders[0]) as young, serving(*folders[1]) as grown:
                if "pages" in parts:
                    asyncio.run(compare_pages(young, grown))
                if "tiles" in parts:
                    asyncio.run(compare_tiles(young, grown))
                if "files" in parts:
                    asyncio.run(files(grown))
        if "night" in parts:
            nightly(copies["grown"])
        if "load" in parts:
            with serving(*folders[0]) as young, serving(*folders[1]) as grown:
                compare_load(young, grown)


@contextmanager
def copy(folder: Path) -> Iterator[Path]:
    """The site in a folder beside its own, gone afterwards."""
    beside = folder.with_name(f"{folder.name}-measured-{os.getpid()}")
    try:
        beside.mkdir()
        shutil.copy(folder / "forecourt.db", beside)
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)
