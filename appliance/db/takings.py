"""What was taken and given back at desks, by day, cashier and way of paying: read from the receipts of those days."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from appliance.db.engine.protocols import Readable
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.ledger import WITHOUT_MONEY

ROWS = """
SELECT at_ms, actor, method, amount_minor FROM receipt WHERE number >= ? AND number < ? AND at_ms >= ? AND at_ms < ?
ORDER BY number
"""
SLACK_MS = 3_600_000
"""Numbers and times rise together, but a clock that was set may have gone back by so much."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Of receipts: what came in, what went out, and how many they were. Vouchers and old cards that paid brought no money."""

    taken_minor: int = 0
    given_back_minor: int = 0
    receipts: int = 0

    def plus(self, amount_minor: int) -> Taken:
        """With one more receipt."""
        return Taken(
            self.taken_minor + max(0, amount_minor), self.given_back_minor + max(0, -amount_minor), self.receipts + 1
        )

    def with_all_of(self, other: Taken) -> Taken:
        """Both together."""
        return Taken(
            self.taken_minor + other.taken_minor,
            self.given_back_minor + other.given_back_minor,
            self.receipts + other.receipts,
        )


Key = tuple[str, str, str]
"""Day, actor, way of paying."""


def takings(db: Readable, first: str, last: str, zone: ZoneInfo) -> dict[Key, Taken]:
    """Of the days from `first` to `last` (2026-11-23, both included), in their order."""
    from_ms, until_ms = day_bounds(first, zone)[0], day_bounds(last, zone)[1]
    found: dict[Key, Taken] = {}
    numbers = (number_at(db, from_ms - SLACK_MS), number_at(db, until_ms + SLACK_MS))
    for at_ms, actor, method, amount_minor in db.execute(ROWS, (*numbers, from_ms, until_ms)):
        if method in WITHOUT_MONEY:
            continue
        key = (day_of(at_ms, zone), actor, method)
        found[key] = found.get(key, Taken()).plus(amount_minor)
    return dict(sorted(found.items()))


def number_at(db: Readable, at_ms: int) -> int:
    """The first number of a receipt that was written at a moment or later: found by halves, for no index goes by time."""
    return _first(
        db,
        "SELECT (SELECT min(number) FROM receipt), (SELECT max(number) FROM receipt)",
        "SELECT number, at_ms FROM receipt WHERE number >= ? ORDER BY number LIMIT 1",
        at_ms,
    )


def seq_at(db: Readable, table: str, at_ms: int) -> int:
    """The same of a row of the ledger or of the audit list."""
    return _first(
        db,
        f"SELECT (SELECT min(seq) FROM {table}), (SELECT max(seq) FROM {table})",
        f"SELECT seq, at_ms FROM {table} WHERE seq >= ? ORDER BY seq LIMIT 1",
        at_ms,
    )


def _first(db: Readable, bounds: str, at: str, at_ms: int) -> int:
    low, high = db.execute(bounds).fetchone()
    if low is None:
        return 1
    low, high = int(low), int(high) + 1
    while low < high:
        middle = (low + high) // 2
        number, there_ms = db.execute(at, (middle,)).fetchone()
        if there_ms < at_ms:
            low = int(number) + 1
        else:
            high = middle
    return low
