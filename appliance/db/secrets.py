"""Sealed secrets and the owner's key, as rows: nothing here can be read without a key that is kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database


@dataclass(frozen=True, slots=True)
class OwnerKey:
    """The half of the owner's key that opens nothing, and the sealing key enclosed to it."""

    public: bytes
    enclosed: bytes


def store(db: Database, name: str, sealed: bytes, now_ms: int) -> None:
    """Keep one, in the place of the one of this name."""
    db.execute(
        """INSERT INTO sealed_secret (name, sealed, changed_at_ms) VALUES (?, ?, ?)
        ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, changed_at_ms = excluded.changed_at_ms""",
        (name, sealed, now_ms),
    )


def find(db: Readable, name: str) -> bytes | None:
    """One, sealed."""
    row = db.execute("SELECT sealed FROM sealed_secret WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def others_than(db: Readable, name: str) -> bool:
    """Whether any is kept besides this one."""
    return db.execute("SELECT 1 FROM sealed_secret WHERE name <> ?", (name,)).fetchone() is not None


def forget_all(db: Database) -> None:
    """Keep none."""
    db.execute("DELETE FROM sealed_secret")


def set_owner_key(db: Database, key: OwnerKey, now_ms: int) -> None:
    """The owner's key, in the place of the one before."""
    db.execute(
        """INSERT INTO owner_key (id, public_key, enclosed, made_at_ms) VALUES (1, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET public_key = excluded.public_key, enclosed = excluded.enclosed, made_at_ms = excluded.made_at_ms""",
        (key.public, key.enclosed, now_ms),
    )


def owner_key(db: Readable) -> OwnerKey | None:
    """The owner's key, if one was made."""
    row = db.execute("SELECT public_key, enclosed FROM owner_key").fetchone()
    return OwnerKey(bytes(row[0]), bytes(row[1])) if row else None
