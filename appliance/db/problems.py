"""Problems as rows: at most one open one for each kind and subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an operator should see or do. `details` are the numbers and names of its sentence."""

    id: int
    kind: str
    """A `ProblemKind`, or one of an older release."""
    subject: str
    details: dict[str, Any]
    since_ms: int
    cleared_at_ms: int | None


def find_open(db: Readable, kind: ProblemKind, subject: str) -> tuple[int, str] | None:
    """Number and details of the open one."""
    row: tuple[int, str] | None = db.execute(
        "SELECT id, details FROM problem WHERE kind = ? AND subject = ? AND cleared_at_ms IS NULL", (kind, subject)
    ).fetchone()
    return row


def add(db: Database, kind: ProblemKind, subject: str, details: dict[str, Any], now_ms: int) -> None:
    """A new one."""
    db.execute(
        "INSERT INTO problem (kind, subject, details, since_ms) VALUES (?, ?, ?, ?)",
        (kind, subject, orjson.dumps(details).decode(), now_ms),
    )


def update(db: Database, problem: int, details: dict[str, Any]) -> None:
    """The same problem, with other numbers."""
    db.execute("UPDATE problem SET details = ? WHERE id = ?", (orjson.dumps(details).decode(), problem))


def clear(db: Database, kind: ProblemKind, subject: str, now_ms: int) -> bool:
    """It is over; whether there was one."""
    cursor = db.execute(
        "UPDATE problem SET cleared_at_ms = ? WHERE kind = ? AND subject = ? AND cleared_at_ms IS NULL",
        (now_ms, kind, subject),
    )
    return cursor.rowcount > 0


def clear_subject(db: Database, subject: str, now_ms: int) -> bool:
    """All of a subject, and of its parts, are over."""
    cursor = db.execute(
        "UPDATE problem SET cleared_at_ms = ? WHERE (subject = ? OR subject LIKE ? || ':%') AND cleared_at_ms IS NULL",
        (now_ms, subject, subject),
    )
    return cursor.rowcount > 0


def clear_one(db: Database, problem: int, now_ms: int) -> bool:
    """Somebody has looked at it."""
    cursor = db.execute(
        "UPDATE problem SET cleared_at_ms = ? WHERE id = ? AND cleared_at_ms IS NULL", (now_ms, problem)
    )
    return cursor.rowcount > 0


def open_problems(db: Readable) -> list[Problem]:
    """All that are open, the newest first."""
    return _problems(
        db, "SELECT id, kind, subject, details, since_ms, cleared_at_ms FROM problem WHERE cleared_at_ms IS NULL "
        "ORDER BY since_ms DESC, id DESC", ()
    )  # fmt: skip


def of_subject(db: Readable, subject: str) -> list[Problem]:
    """The open ones of one subject and its parts."""
    return _problems(
        db,
        """SELECT id, kind, subject, details, since_ms, cleared_at_ms FROM problem
        WHERE cleared_at_ms IS NULL AND (subject = ? OR subject LIKE ? || ':%') ORDER BY since_ms DESC""",
        (subject, subject),
    )


def history(db: Readable, before_id: int | None, limit: int) -> list[Problem]:
    """The ones that are over, the newest first."""
    return _problems(
        db,
        """SELECT id, kind, subject, details, since_ms, cleared_at_ms FROM problem
        WHERE cleared_at_ms IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?""",
        (before_id or 2**62, limit),
    )


def count_open(db: Readable) -> int:
    """How many there are."""
    return int(db.execute("SELECT count(*) FROM problem WHERE cleared_at_ms IS NULL").fetchone()[0])


def _problems(db: Readable, sql: str, parameters: tuple[object, ...]) -> list[Problem]:
    return [
        Problem(number, kind, subject, orjson.loads(details), since, cleared)
        for number, kind, subject, details, since, cleared in db.execute(sql, parameters)
    ]
