"""The rows of the audit list: appended in a chain, read in pages, checked from the first to the last.

What is worth a row is decided by whoever calls; that rows never change is in the schema's triggers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

import orjson

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.engine.unit import Database, Rows, flush
from appliance.domain.by import By
from appliance.domain.id_token import masked

AUDIT = Rows("audit(seq, at_ms, actor, action, subject, details, prev_hash, hash)", width=8)
FIRST_HASH = bytes(32)
NEWEST_ROW = Slot[tuple[int, bytes]]()
"""Number and hash of the last row."""
ROW = "SELECT seq, at_ms, actor, action, subject, details FROM audit"
NEWEST = "ORDER BY seq DESC LIMIT :limit"
OLDEST = "ORDER BY seq LIMIT :limit"


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to whom; `details` is JSON."""

    seq: int
    at_ms: int
    actor: str
    action: str
    subject: str
    details: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What a row tells of: what it is called, and by what its page is found."""

    name: str
    key: str


def append(db: Database, by: By, action: str, subject: str, details: str) -> None:
    """Add one row with the commit; its hash covers the row and the hash before it."""
    seq, previous = NEWEST_ROW.get(db) or newest(db)
    values = (seq + 1, by.at_ms, by.actor, action, subject, details)
    digest = fingerprint(previous, values)
    db.append(AUDIT, (*values, previous, digest))
    NEWEST_ROW.keep(db, (seq + 1, digest))


def newest(db: Database) -> tuple[int, bytes]:
    """Number and hash of the last row."""
    db.flush()
    row: tuple[int, bytes] | None = db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    return row or (0, FIRST_HASH)


def last_actor(db: Readable, action: str, subject: str) -> str:
    """Who did this to it last; "" if nobody has."""
    flush(db)
    row = db.execute(
        "SELECT actor FROM audit WHERE action = ? AND subject = ? ORDER BY seq DESC LIMIT 1", (action, subject)
    ).fetchone()
    return str(row[0]) if row else ""


def last_at_ms(db: Readable, actor: str, action: str) -> int | None:
    """When they did this last; None if never."""
    flush(db)
    row = db.execute(
        "SELECT at_ms FROM audit WHERE actor = ? AND action = ? ORDER BY seq DESC LIMIT 1", (actor, action)
    ).fetchone()
    return int(row[0]) if row else None


def page(
    db: Readable,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int = 50,
    actor: str = "",
    action: str = "",
) -> list[AuditRow]:
    """The newest first, older than row `before`; or the oldest first, newer than row `after`. `action` is the beginning of its name."""
    rises = after is not None
    beyond, order = ("seq > :after", OLDEST) if rises else ("seq < :before", NEWEST)
    values = {"before": before or 2**62, "after": after, "limit": limit, "actor": actor}
    if not actor and not action:
        return [AuditRow(*row) for row in db.execute(f"{ROW} WHERE {beyond} {order}", values)]
    # A kind of action may be rare, and its last row far back: each name has its rows in order, and these are merged.
    by = "WHERE actor = :actor AND action = :name" if actor else "WHERE action = :name"
    found = [
        AuditRow(*row)
        for name in _names(db, action)
        for row in db.execute(f"{ROW} {by} AND {beyond} {order}", {**values, "name": name})
    ]
    return sorted(found, key=lambda row: row.seq, reverse=not rises)[:limit]


def _names(db: Readable, begin: str) -> list[str]:
    """The actions there are whose names begin so: a few dozen, found by jumping from one to the next."""
    found: list[str] = []
    name = db.execute("SELECT min(action) FROM audit WHERE action >= ?", (begin,)).fetchone()[0]
    while name is not None and name.startswith(begin):
        found.append(name)
        name = db.execute("SELECT min(action) FROM audit WHERE action > ?", (name,)).fetchone()[0]
    return found


NAMES = {
    "station": "SELECT id, name, identity FROM station",
    "person": "SELECT id, name, id FROM person",
    "card": "SELECT id, uid, id FROM card",
    "group": "SELECT id, name, id FROM person_group",
    "tariff": "SELECT id, name, id FROM tariff",
    "operator": "SELECT id, name, id FROM operator",
    "token": "SELECT id, name, id FROM api_token",
}
"""By kind of subject: its number, its name and its key."""


def subjects(db: Readable, wanted: Collection[str]) -> dict[str, Subject]:
    """The names behind subjects such as `person:3`, as far as there is something; of cards the end of the number only."""
    found = {}
    for kind, select in NAMES.items():
        numbers = [int(rest) for one, _colon, rest in (text.partition(":") for text in wanted)
                   if one == kind and rest.isdecimal()]  # fmt: skip
        if not numbers:
            continue
        for number, name, key in db.execute(f"{select} WHERE id IN ({marks(numbers)})", numbers):
            found[f"{kind}:{number}"] = Subject(masked(name) if kind == "card" else str(name), str(key))
    return found


def broken_at(db: Readable) -> int | None:
    """The first row whose number or hash does not follow from the one before it; None when the chain holds."""
    previous = FIRST_HASH
    rows = db.execute("SELECT seq, at_ms, actor, action, subject, details, prev_hash, hash FROM audit ORDER BY seq")
    for seq, (number, *values, previous_written, written) in enumerate(rows, start=1):
        if number != seq or previous_written != previous or fingerprint(previous, (number, *values)) != written:
            return int(number)
        previous = written
    return None


def fingerprint(previous: bytes, values: tuple[object, ...]) -> bytes:
    """The hash of a row that follows one with hash `previous`."""
    return sha256(previous + orjson.dumps(values)).digest()
