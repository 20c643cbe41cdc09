"""How much later the event loop gets its turn because a card reader works beside it. Prints one line for each thing it does.

A ticker wakes each 5 ms; what it is late by is the lag. Each round measures the loop alone, then with the reader looking for
cards, writing one over and over, and being pulled out and put back; only rounds of one run compare. The simulated chip is
another process, as a real one is another computer. Run by itself with `python -m benchmarks.reader_lag`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.domain.cards import content
from appliance.domain.cards.tag import Content, ReaderStatus, TagTrouble, Write
from appliance.rfid.events import CardLaid, ReaderEvent, StateChanged
from appliance.rfid.opening import opener
from appliance.rfid.reader import Reader
from appliance.simulator.nfc.ntag import NTAG213, PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader

TICK_S = 0.005
GOAL_P99_MS = 5.0
SITE_KEY = bytes(32)
UID = bytes.fromhex("04A1B2C3D4E580")
LINKS = ("http://192.168.100.100:8081/card/0123456789abcdef01234567", "https://site.example/card/89abcdef")
UNPLUGGED_S = 0.3

Activity = Callable[[], Awaitable[None]]


def main() -> None:
    """Measure, or be the chip of a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each activity in each round")
    parser.add_argument("--chip", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    # That the reader was lost is what is being done here, and no news between the figures.
    logging.disable(logging.WARNING)
    if arguments.chip:
        be_the_chip(arguments.chip)
    else:
        asyncio.run(measure(arguments.rounds, arguments.seconds))


async def measure(rounds: int, seconds: float) -> None:
    """All activities in turn."""
    lags: dict[str, list[float]] = {}
    counts: dict[str, int] = {}
    for _ in range(rounds):
        lags.setdefault("no reader", []).extend(await lag_of(nothing, seconds))
        with tempfile.TemporaryDirectory() as folder, chip(Path(folder) / "reader") as tell:
            bench = Bench(Path(folder) / "reader", tell)
            bench.reader.start()
            await bench.opened.wait()
            for name, activity in bench.activities().items():
                lags.setdefault(name, []).extend(await lag_of(activity, seconds))
            await bench.reader.close()
            for name, count in bench.counts.items():
                counts[name] = counts.get(name, 0) + count
    for name, late_s in lags.items():
        print(f"{name:22} {figures(late_s)}   {counts.get(name, '')}", flush=True)
    worst = max(percentile(late_s, 0.99) for name, late_s in lags.items() if name != "no reader") * 1000
    print(f"worst p99 with a reader {worst:.2f} ms (goal <= {GOAL_P99_MS:.0f} ms)")


class Bench:
    """The product's reader, and what is done with it."""

    def __init__(self, path: Path, tell: Callable[[str], None]) -> None:
        self.opened = asyncio.Event()
        self.laid = asyncio.Event()
        self.counts: dict[str, int] = {}
        self.reader = Reader(opener(str(path)), self._hear)
        self._tell = tell

    def activities(self) -> dict[str, Activity]:
        """What is measured, by name."""
        return {
            "looks for a card": nothing,
            "card lies there": self._lie,
            "writes": self._write,
            "pulled out, put back": self._replug,
        }

    def _hear(self, event: ReaderEvent) -> None:
        match event:
            case StateChanged(state) if state.status is ReaderStatus.READY:
                self.opened.set()
            case CardLaid():
                self.laid.set()

    async def _lie(self) -> None:
        self._tell("lay")
        await self.laid.wait()

    async def _write(self) -> None:
        """The card is written until it is called off, each time with the other link."""
        self._tell("lay")
        await self.laid.wait()
        uid = UID.hex().upper()
        record = content.sign(SITE_KEY, uid, 1, 1)
        while True:
            for link in LINKS:
                with suppress(TagTrouble):
                    await self.reader.work(Write(uid, Content(link, record), content.keys(SITE_KEY, uid)))
                    self.counts["writes"] = self.counts.get("writes", 0) + 1

    async def _replug(self) -> None:
        while True:
            self.opened.clear()
            self._tell("unplug")
            await asyncio.sleep(UNPLUGGED_S)
            self._tell("replug")
            await self.opened.wait()
            self.counts["pulled out, put back"] = self.counts.get("pulled out, put back", 0) + 1
            await asyncio.sleep(UNPLUGGED_S)


async def nothing() -> None:
    """Leave it alone."""


async def lag_of(activity: Activity, seconds: float) -> list[float]:
    """By how many seconds each tick came late while something was done."""
    doing = asyncio.ensure_future(activity())
    late_s = []
    until_s = time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < until_s:
        await asyncio.sleep(TICK_S)
        late_s.append(time.perf_counter() - began_s - TICK_S)
    doing.cancel()
    with suppress(asyncio.CancelledError):
        await doing
    return late_s


def figures(late_s: list[float]) -> str:
    """One line of numbers."""
    return (
        f"median {statistics.median(late_s) * 1000:6.2f}   p99 {percentile(late_s, 0.99) * 1000:6.2f}   "
        f"max {max(late_s) * 1000:6.2f} ms   n={len(late_s)}"
    )


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of them lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


@contextmanager
def chip(path: Path) -> Iterator[Callable[[str], None]]:
    """The simulated reader in a process of its own; what to call with what is done to it."""
    command = [sys.executable, "-m", "benchmarks.reader_lag", "--chip", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        words = process.stdin
        process.stdout.readline()
        try:
            yield lambda word: print(word, file=words, flush=True)
        finally:
            words.close()  # It ends with what it is told, and is waited for.


def be_the_chip(path: Path) -> None:
    """Do what standard input says, until it ends."""
    card = PasswordCard(NTAG213, UID)
    with SimulatedReader(link=path) as simulated:
        print("ready", flush=True)
        for line in sys.stdin:
            match line.strip():
                case "lay":
                    simulated.lay(card)
                case "unplug":
                    simulated.unplug()
                case "replug":
                    simulated.replug()


if __name__ == "__main__":
    main()
