"""The writing connection as a unit of work sees it: SQL, rows that go in with the commit, memory, announcements."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

from appliance.db.engine.protocols import Readable

ROWS_AT_ONCE = (32, 16, 8, 4, 2, 1)
"""How many rows one INSERT takes. A statement costs as much as two or three rows, and more where triggers stand guard."""


class Rows:
    """An INSERT whose rows can wait for the end of the commit, where one statement takes many of them."""

    def __init__(self, into: str, width: int, on_conflict: str = "") -> None:
        row = "(" + ",".join("?" * width) + ")"
        self.inserts = [
            (count, f"INSERT INTO {into} VALUES {','.join([row] * count)} {on_conflict}") for count in ROWS_AT_ONCE
        ]
        """How many rows, and the statement for so many; the largest first."""


class Database(sqlite3.Connection):
    """The writing connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting_rows: defaultdict[Rows, list[Sequence[Any]]] = defaultdict(list)
        self.touched: set[int] = set()
        """Accounts whose transfers wait: their balances are not what a SELECT says."""
        self.remembered: defaultdict[object, dict[Any, Any]] = defaultdict(dict)
        """What units know of the database's state, by its slot (memory.py); forgotten at every rollback."""
        self.announcements: list[Any] = []
        """What the rest of the program hears of once it is committed (services/announce.py)."""

    def insert(self, statement: str, values: Sequence[Any]) -> int | None:
        """Insert one row; its number, or None if `ON CONFLICT DO NOTHING` left it out.

        SQLite knows the number anyway. To say it by RETURNING, a statement keeps a journal of its own, which is a fifth of its time.
        """
        inserted = self.execute(statement, values)
        return inserted.lastrowid if inserted.rowcount else None

    def append(self, rows: Rows, row: Sequence[Any]) -> None:
        """Insert `row` with the commit. Until then no SELECT sees it; a query that must read it calls `flush` first."""
        self.waiting_rows[rows].append(row)

    def flush(self) -> None:
        """Insert the rows that wait."""
        if not self.waiting_rows:
            return
        for rows, waiting in self.waiting_rows.items():
            begin, end = 0, len(waiting)
            for count, insert in rows.inserts:
                while end - begin >= count:
                    self.execute(insert, list(chain.from_iterable(waiting[begin : begin + count])))
                    begin += count
        self.waiting_rows.clear()
        self.touched.clear()

    def announce(self, announcement: Any) -> None:
        """Tell the rest of the program, once this is committed."""
        self.announcements.append(announcement)

    def forget(self) -> None:
        """Drop what was known only because of statements that were rolled back."""
        self.waiting_rows.clear()
        self.touched.clear()
        self.remembered.clear()


def flush(db: Readable) -> None:
    """Let a query that pages ask, too, see the rows that wait; whoever cannot write has none."""
    if isinstance(db, Database):
        db.flush()


def as_writer_sees(db: Readable) -> Database:
    """A reader's connection for what is written for units of work and only reads: it remembers for its snapshot, and cannot write."""
    assert isinstance(db, Database), "all connections of a store are"
    return db
