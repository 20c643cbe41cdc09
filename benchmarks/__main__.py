"""`make bench`: the product against the limit of this machine, in turn, in one run, with its books checked at the end.

`python -m benchmarks [--rounds 9] [--seconds 2] [--stations 100] [--only mix,storm,board,report,pricing,reader_lag]`
"""

from __future__ import annotations

import argparse
import itertools
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.cli.init import create
from appliance.db import ledger
from appliance.db import site as sites
from appliance.db.engine.open import open_to_write
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.tariff import Tariff
from appliance.host.data_directory import DataDirectory
from appliance.services import tariffs
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.stations import admission
from appliance.services.wallets import wallets
from benchmarks.servers import addresses, forecourt, serving

ACTOR = "console"
LIMIT_PORT = 20_900
FUNDS_MINOR = 100_000_000
STORM = 2_000
STORMS = 3
SETTLE_S = 3
"""A server that has just been started prepares statements and looks for a card reader."""
PARTS = ("mix", "storm", "board", "report", "pricing", "reader_lag")
Figures = dict[str, Any]


def main() -> None:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--only", default=",".join(PARTS))
    arguments = parser.parse_args()
    wanted = arguments.only.split(",")
    if "mix" in wanted:
        compare_mix(arguments.rounds, arguments.stations, arguments.seconds)
    if "storm" in wanted:
        compare_storm(STORMS)
    for part in ("board", "report", "pricing", "reader_lag"):
        if part in wanted:
            subprocess.run([sys.executable, "-m", f"benchmarks.{part}"], check=True)


def compare_mix(rounds: int, number: int, seconds: float) -> None:
    """The OCPP mix: both servers are up, and each run of the product lies between two of the limit, because a machine's speed drifts."""
    words = ("--n", number, "--seconds", seconds)
    with limit_server() as (limit_url, limit_process), product(number) as (url, process, folder):
        load(limit_url, limit_process, *words, "--warmup", SETTLE_S)
        load(url, process, *words, "--warmup", SETTLE_S)
        limits, ours = [load(limit_url, limit_process, *words)], []
        say("limit", limits[0])
        for _ in range(rounds):
            ours.append(load(url, process, *words))
            say("forecourt", ours[-1])
            limits.append(load(limit_url, limit_process, *words))
            say("limit", limits[-1])
        report_books(folder)
    ratios = compared(ours, limits, "messages_per_s")
    print(f"mix: ratios {[round(ratio, 3) for ratio in ratios]}, median {statistics.median(ratios):.3f} (goal >= 0.35)")


def compare_storm(rounds: int) -> None:
    """Two thousand stations come back after a power cut, again and again, to the product and to the limit in turn."""
    words = ("--n", STORM, "--storm", "--hold", 3)
    with limit_server() as (limit_url, limit_process), product(STORM) as (url, process, _):
        time.sleep(SETTLE_S)
        limits, ours = [load(limit_url, limit_process, *words)], []
        say_storm("limit", limits[0])
        for _ in range(rounds):
            ours.append(load(url, process, *words))
            say_storm("forecourt", ours[-1])
            limits.append(load(limit_url, limit_process, *words))
            say_storm("limit", limits[-1])
    ratios = compared(ours, limits, "all_booted_s")
    rss = max(figures["server_rss_mib"] for figures in ours)
    print(
        f"storm: {[round(ratio, 2) for ratio in ratios]} times the limit's time, median {statistics.median(ratios):.2f} "
        f"(goal <= 2), RSS at most {rss} MiB (goal <= 150)"
    )


def compared(ours: list[Figures], limits: list[Figures], name: str) -> list[float]:
    """Each figure of the product by the mean of the limit's before and after it."""
    around = itertools.pairwise(figures[name] for figures in limits)
    return [2 * figures[name] / (before + after) for figures, (before, after) in zip(ours, around, strict=True)]


def say_storm(name: str, figures: Figures) -> None:
    """One line."""
    print(
        f"storm of {STORM}: {name:10} booted in {figures['all_booted_s']:.2f} s, boots {figures['boot_ms']} ms, "
        f"RSS {figures['server_rss_mib']} MiB, errors {figures['errors']}",
        flush=True,
    )


def say(name: str, figures: Figures) -> None:
    """One line."""
    p50, p95, p99 = (figures["ms"][key] for key in ("p50", "p95", "p99"))
    print(
        f"{name:10} {figures['messages_per_s']:9,.0f} msg/s   p50 {p50:6.2f}  p95 {p95:6.2f}  p99 {p99:6.2f} ms   "
        f"{figures['server_cpu_us_per_message']:6.1f} CPU us/msg   RSS {figures['server_rss_mib']:6.1f} MiB   "
        f"errors {figures['errors']}  refused {figures['refused']}  load's CPU {figures['client_cpu_share']:.2f}",
        flush=True,
    )


def load(url: str, server: subprocess.Popen[str], *words: object) -> Figures:
    """Run the load client; its figures."""
    client = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", "--url", url, "--pid", str(server.pid), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    if client.returncode:
        raise SystemExit(client.stderr)
    figures: Figures = json.loads(client.stdout.splitlines()[-1])
    return figures


@contextmanager
def limit_server() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The limit on a new file."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as folder:
        words = ["--port", str(LIMIT_PORT), "--database", f"{folder}/limit.db"]
        with serving(["-m", "benchmarks.limit_server", *words]) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"ws://127.0.0.1:{LIMIT_PORT}/ocpp/", process


@contextmanager
def product(number: int) -> Iterator[tuple[str, subprocess.Popen[str], Path]]:
    """Forecourt as it is installed, on a new site with `number` stations, people and cards."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-") as name:
        folder = Path(name)
        make_site(folder, number)
        with serving(forecourt(folder)) as process:
            yield addresses(process)["stations"], process, folder


def make_site(folder: Path, number: int) -> None:
    """Stations CP00000…, each with a prepaid person whose card is TAG00000…; nothing is switched off but the rate limit."""
    now_ms = system_clock()
    data = DataDirectory(folder)
    create(data, name="Bench", currency_code="EUR", timezone="Europe/Berlin", language="en", demo=False, now_ms=now_ms)
    db = open_to_write(data.database)
    db.execute("BEGIN IMMEDIATE")
    by = By(ACTOR, now_ms)
    tariffs.add(db, Tariff(0, "Bench", energy_milli_per_kwh=40_000, tax_basis_points=1_900), by)
    group = groups.add(db, "Customers", "prepaid", by)
    for count in range(number):
        person = people.add(db, f"Person {count}", group, by)
        cards.add(db, f"TAG{count:05}", person, by)
        wallets.top_up(db, person, FUNDS_MINOR, "cash", f"bench-{count}", by)
        admission.register(db, f"CP{count:05}", "", 0, None, by)
    sites.set_setting(db, "messages_per_s", "0")
    db.flush()
    db.execute("COMMIT")
    db.close()


def report_books(folder: Path) -> None:
    """What the run has written, computed anew from the rows."""
    db = sqlite3.connect(f"file:{folder / 'forecourt.db'}?mode=ro", uri=True)
    wrong = ledger.verify(db)
    counts = {
        table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("session", "transfer", "sample", "message_log")
    }
    priced, taken = db.execute(
        """SELECT (SELECT coalesce(sum(fee_minor), 0) FROM session WHERE state = 'ended'),
                  (SELECT coalesce(sum(amount_minor), 0) FROM transfer
                   WHERE op IN ('post', 'capture') AND code IN ('charge', 'overrun'))"""
    ).fetchone()
    if priced != taken:
        wrong.append(f"sessions cost {priced}, the ledger took {taken}")
    print("          books:", wrong or "balanced, chain intact, fees = captures", counts)
    db.close()


if __name__ == "__main__":
    main()
