"""What a charger's messages cost in services and database alone: CPU for each message, without sockets and without waiting for a disk.

A hundred stations begin, measure, tell their status and end, over and over; sixty messages are one commit. It is the part of the mix
(`python -m benchmarks`) that a noisy machine blurs least. Prints one line for each length of a session, for most of what is kept of a
session is written at its beginning and its end. Run with `python -m benchmarks.units`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.support.books import Books, open_books

STATIONS = 100
MESSAGES_A_COMMIT = 60
READINGS = (3, 60)
"""How often a session measures: as in the mix, and once a minute for an hour."""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for readings in READINGS:
        rounds = [measure(readings, arguments.messages) for _ in range(arguments.rounds)]
        print(
            f"units: {readings:3} readings a session  {statistics.median(rounds):6.2f} CPU us/msg  (least {min(rounds):.2f})",
            flush=True,
        )


def measure(readings: int, messages: int) -> float:
    """CPU in microseconds for each of some `messages`."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(open_books(Path(folder) / "forecourt.db"))
        begin_s = time.process_time()
        while run.messages < messages:
            run.sessions(readings)
        return (time.process_time() - begin_s) * 1e6 / run.messages


class Run:
    """A site on which all stations charge at once."""

    def __init__(self, books: Books) -> None:
        books.tariff()
        self.books = books
        self.messages = 0
        self.meter_wh = 1_000
        self.stations = [books.station(f"CS-{number:03}", 1) for number in range(STATIONS)]
        self.uids = [f"04{number:06X}" for number in range(STATIONS)]
        for number, uid in enumerate(self.uids):
            books.card(uid, books.person(f"Driver {number}", paid_in=100_000_000))
        self.commit()

    def sessions(self, readings: int) -> None:
        """One on each station, from the swipe to the bill."""
        books = self.books
        refs = []
        for station, uid in zip(self.stations, self.uids, strict=True):
            refs.append(books.start(station, 1, uid, self.meter_wh).ref)
            self.count()
        for _ in range(readings):
            books.wait(60)
            self.meter_wh += 100
            for station, ref in zip(self.stations, refs, strict=True):
                books.read(station, ref, self.meter_wh, 6_000)
                self.count()
        for status in ("Charging", "Finishing"):
            for station in self.stations:
                books.status(station, 1, status)
                self.count()
        for station, ref in zip(self.stations, refs, strict=True):
            books.stop(station, ref, self.meter_wh)
            self.count()
        books.wait(60)

    def count(self) -> None:
        """One message more; so many are one commit."""
        self.messages += 1
        if self.messages % MESSAGES_A_COMMIT == 0:
            self.commit()

    def commit(self) -> None:
        """As the writer does it."""
        db = self.books.db
        db.flush()
        if db.in_transaction:
            db.execute("COMMIT")
        db.execute("BEGIN IMMEDIATE")


if __name__ == "__main__":
    main()
