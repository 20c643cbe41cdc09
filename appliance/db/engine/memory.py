"""What the writing connection knows without asking the database again.

Nobody else writes, so what a unit of work has read or written stays true until another unit changes it (and says so here) or a
rollback undoes it: then all is forgotten. What may be remembered is declared once, beside the queries that it spares:

    LIMITS = Slots[CardId, Limits]()

None is no value: it stands for what is not known.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from appliance.db.engine.unit import Database

KEYS_MAX = 50_000
"""How much one kind of thing may be remembered by; beyond it all of that kind is forgotten."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class Slot(Generic[Value]):
    """Room for the one thing of its kind."""

    def get(self, db: Database) -> Value | None:
        """What is known."""
        return db.remembered[self].get(None)

    def keep(self, db: Database, value: Value) -> None:
        """Know this from now on."""
        db.remembered[self][None] = value

    def drop(self, db: Database) -> None:
        """It is no longer so."""
        db.remembered[self].clear()


class Slots(Generic[Key, Value]):
    """Room for many things of one kind, each with its key."""

    def get(self, db: Database, key: Key) -> Value | None:
        """What is known of `key`."""
        return db.remembered[self].get(key)

    def keep(self, db: Database, key: Key, value: Value) -> None:
        """Know this of `key` from now on."""
        known = db.remembered[self]
        if len(known) >= KEYS_MAX:
            known.clear()
        known[key] = value

    def keys(self, db: Database) -> list[Key]:
        """Of what something is known."""
        known: dict[Key, Value] | None = db.remembered.get(self)
        return list(known) if known else []

    def drop(self, db: Database, key: Key) -> None:
        """It is no longer so of `key`."""
        db.remembered[self].pop(key, None)
