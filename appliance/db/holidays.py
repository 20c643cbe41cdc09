"""The holidays of the site, as rows: lists that never change, of which the newest holds."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By


class Holiday(NamedTuple):
    """One day, `2026-12-16`, and what it is called."""

    day: str
    name: str


LISTS = Slots[int, frozenset[str]]()
"""The days of a list, by its number."""


def newest(db: Readable) -> int | None:
    """The list that holds; None: there is none yet."""
    number: int | None = db.execute("SELECT max(id) FROM holiday_list").fetchone()[0]
    return number


def current(db: Readable) -> list[Holiday]:
    """The days of the list that holds, in order."""
    row = db.execute("SELECT days FROM holiday_list ORDER BY id DESC LIMIT 1").fetchone()
    return [Holiday(*one) for one in orjson.loads(row[0])] if row else []


def days_now(db: Readable) -> frozenset[str]:
    """The same without names."""
    return frozenset(one.day for one in current(db))


def days_of(db: Database, number: int | None) -> frozenset[str]:
    """The days of a list; none of no list."""
    if number is None:
        return frozenset()
    days = LISTS.get(db, number)
    if days is None:
        text = db.execute("SELECT days FROM holiday_list WHERE id = ?", (number,)).fetchone()[0]
        days = frozenset(day for day, _ in orjson.loads(text))
        LISTS.keep(db, number, days)
    return days


def add(db: Database, days: list[Holiday], by: By) -> None:
    """From now on this list holds."""
    text = orjson.dumps([list(one) for one in days]).decode()
    db.execute("INSERT INTO holiday_list (made_at_ms, actor, days) VALUES (?, ?, ?)", (by.at_ms, by.actor, text))
