"""What the writing connection remembers: each kind by itself, until it is dropped or undone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from appliance.db.engine import memory
from appliance.db.engine.memory import Slot, Slots
from appliance.db.engine.unit import Database

CAPITAL = Slot[str]()
RIVERS = Slots[int, str]()
LAKES = Slots[int, str]()


@pytest.fixture
def db() -> Iterator[Database]:
    with closing(sqlite3.connect(":memory:", factory=Database)) as connection:
        yield connection


def test_what_is_kept_is_known_until_it_is_dropped(db: Database) -> None:
    assert (CAPITAL.get(db), RIVERS.get(db, 1)) == (None, None)

    CAPITAL.keep(db, "Dhaka")
    RIVERS.keep(db, 1, "Padma")
    RIVERS.keep(db, 2, "Meghna")
    assert (CAPITAL.get(db), RIVERS.get(db, 1), RIVERS.get(db, 2)) == ("Dhaka", "Padma", "Meghna")

    CAPITAL.drop(db)
    RIVERS.drop(db, 1)
    assert (CAPITAL.get(db), RIVERS.get(db, 1), RIVERS.get(db, 2)) == (None, None, "Meghna")


def test_what_is_not_known_can_be_dropped(db: Database) -> None:
    CAPITAL.drop(db)
    RIVERS.drop(db, 1)

    assert (CAPITAL.get(db), RIVERS.get(db, 1)) == (None, None)


def test_the_same_key_is_another_thing_in_another_kind(db: Database) -> None:
    RIVERS.keep(db, 1, "Padma")

    assert LAKES.get(db, 1) is None


def test_each_connection_knows_its_own(db: Database) -> None:
    RIVERS.keep(db, 1, "Padma")

    with closing(sqlite3.connect(":memory:", factory=Database)) as other:
        assert RIVERS.get(other, 1) is None


def test_a_rollback_forgets_everything(db: Database) -> None:
    CAPITAL.keep(db, "Dhaka")
    RIVERS.keep(db, 1, "Padma")

    db.forget()

    assert (CAPITAL.get(db), RIVERS.get(db, 1)) == (None, None)


def test_a_kind_with_too_many_keys_begins_anew_and_the_others_stay(db: Database) -> None:
    LAKES.keep(db, 0, "Kaptai")
    for number in range(memory.KEYS_MAX + 1):
        RIVERS.keep(db, number, "one of many")

    assert [number for number in range(memory.KEYS_MAX + 1) if RIVERS.get(db, number)] == [memory.KEYS_MAX]
    assert LAKES.get(db, 0) == "Kaptai"
