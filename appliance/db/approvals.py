"""What waits for a second person, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.approval import ApprovalKind, ApprovalState
from appliance.domain.identifiers import PersonId


@dataclass(frozen=True, slots=True)
class Approval:
    """One of them."""

    id: int
    kind: ApprovalKind
    person: PersonId
    name: str
    """Of the person."""
    amount_minor: int
    request: dict[str, Any]
    key: str
    asked_by: str
    asked_at_ms: int
    state: ApprovalState
    decided_by: str
    decided_at_ms: int | None


SELECT = """
SELECT id, kind, person_id, (SELECT name FROM person WHERE person.id = person_id), amount_minor, request, key, asked_by,
       asked_at_ms, state, decided_by, decided_at_ms
FROM approval
"""


def add(
    db: Database,
    kind: str,
    person: PersonId,
    amount_minor: int,
    request: dict[str, Any],
    key: str,
    by: str,
    now_ms: int,
) -> int:
    """A new one that waits."""
    row = db.execute(
        """INSERT INTO approval (kind, person_id, amount_minor, request, key, asked_by, asked_at_ms)
        VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (kind, person, amount_minor, orjson.dumps(request).decode(), key, by, now_ms),
    ).fetchone()
    return int(row[0])


def find(db: Readable, number: int) -> Approval | None:
    """One."""
    row = db.execute(SELECT + "WHERE id = ?", (number,)).fetchone()
    return _approval(row) if row else None


def by_key(db: Readable, key: str) -> Approval | None:
    """The one that was asked for by this form."""
    row = db.execute(SELECT + "WHERE key = ?", (key,)).fetchone()
    return _approval(row) if row else None


def pending(db: Readable) -> list[Approval]:
    """All that wait, the first one first."""
    return [_approval(row) for row in db.execute(SELECT + "WHERE state = 'pending' ORDER BY id")]


def page(db: Readable, before: int | None, limit: int) -> list[Approval]:
    """All, the newest first, older than `before`."""
    rows = db.execute(SELECT + "WHERE id < ? ORDER BY id DESC LIMIT ?", (before or 2**62, limit))
    return [_approval(row) for row in rows]


def of_person(db: Readable, person: PersonId) -> list[Approval]:
    """Those that wait for a person."""
    rows = db.execute(SELECT + "WHERE person_id = ? AND state = 'pending' ORDER BY id", (person,))
    return [_approval(row) for row in rows]


def decide(db: Database, number: int, state: ApprovalState, by: str, now_ms: int) -> None:
    """It waits no more."""
    db.execute(
        "UPDATE approval SET state = ?, decided_by = ?, decided_at_ms = ? WHERE id = ?", (state, by, now_ms, number)
    )


def _approval(row: tuple[Any, ...]) -> Approval:
    return Approval(
        id=row[0],
        kind=ApprovalKind(row[1]),
        person=PersonId(row[2]),
        name=row[3],
        amount_minor=row[4],
        request=orjson.loads(row[5]),
        key=row[6],
        asked_by=row[7],
        asked_at_ms=row[8],
        state=ApprovalState(row[9]),
        decided_by=row[10],
        decided_at_ms=row[11],
    )
