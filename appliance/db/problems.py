"""Problems as rows: at most one for each kind and subject that is not over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind, row_keys


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
    times: int = 1
    last_at_ms: int = 0
    dismissed_at_ms: int | None = None
    """When staff put it aside while it lasts; such a one is not open, and not over either."""


SELECT = """SELECT id, kind, subject, details, since_ms, cleared_at_ms, times, coalesce(last_at_ms, since_ms), dismissed_at_ms
FROM problem """


def find_open(db: Readable, kind: ProblemKind, subject: str) -> Problem | None:
    """The one that is not over, dismissed or not."""
    return next(
        iter(_problems(db, SELECT + "WHERE kind = ? AND subject = ? AND cleared_at_ms IS NULL", (kind, subject))), None
    )


def last_of(db: Readable, kind: ProblemKind, subject: str) -> Problem | None:
    """The newest of this kind and subject, over or not."""
    found = _problems(db, SELECT + "WHERE kind = ? AND subject = ? ORDER BY id DESC LIMIT 1", (kind, subject))
    return found[0] if found else None


def add(db: Database, kind: ProblemKind, subject: str, details: dict[str, Any], now_ms: int) -> None:
    """A new one."""
    db.execute(
        "INSERT INTO problem (kind, subject, details, since_ms) VALUES (?, ?, ?, ?)",
        (kind, subject, orjson.dumps(details).decode(), now_ms),
    )


def update(db: Database, problem: int, details: dict[str, Any]) -> None:
    """The same problem, with other numbers."""
    db.execute("UPDATE problem SET details = ? WHERE id = ?", (orjson.dumps(details).decode(), problem))


def count_again(db: Database, problem: int, details: dict[str, Any], now_ms: int) -> None:
    """It has happened once more."""
    db.execute(
        "UPDATE problem SET details = ?, times = times + 1, last_at_ms = ? WHERE id = ?",
        (orjson.dumps(details).decode(), now_ms, problem),
    )


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


def clear_one(db: Database, problem: int, now_ms: int) -> None:
    """It is over, because somebody says so."""
    db.execute("UPDATE problem SET cleared_at_ms = ? WHERE id = ? AND cleared_at_ms IS NULL", (now_ms, problem))


def dismiss(db: Database, problem: int, now_ms: int) -> None:
    """It lasts, and somebody has seen it."""
    db.execute("UPDATE problem SET dismissed_at_ms = ? WHERE id = ?", (now_ms, problem))


def show(db: Readable, problem: int) -> Problem | None:
    """One, open or not."""
    return next(iter(_problems(db, SELECT + "WHERE id = ?", (problem,))), None)


def open_problems(db: Readable) -> list[Problem]:
    """All that are open, the newest first."""
    return _problems(
        db, SELECT + "WHERE cleared_at_ms IS NULL AND dismissed_at_ms IS NULL ORDER BY since_ms DESC, id DESC", ()
    )


def lasting(db: Readable, kind: ProblemKind) -> list[Problem]:
    """All of a kind that are not over, dismissed or not."""
    return _problems(db, SELECT + "WHERE kind = ? AND cleared_at_ms IS NULL ORDER BY subject", (kind,))


def dismissed(db: Readable) -> list[Problem]:
    """Those that staff put aside while they last, the newest first."""
    return _problems(
        db,
        SELECT + "WHERE cleared_at_ms IS NULL AND dismissed_at_ms IS NOT NULL ORDER BY since_ms DESC, id DESC",
        (),
    )


def of_subject(db: Readable, subject: str) -> list[Problem]:
    """The open ones of one subject and its parts."""
    return _problems(
        db,
        SELECT
        + """WHERE cleared_at_ms IS NULL AND dismissed_at_ms IS NULL AND (subject = ? OR subject LIKE ? || ':%')
        ORDER BY since_ms DESC""",
        (subject, subject),
    )


def history(db: Readable, before_id: int | None, limit: int) -> list[Problem]:
    """The ones that are over, the newest first."""
    return _problems(
        db,
        SELECT + "WHERE cleared_at_ms IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?",
        (before_id or 2**62, limit),
    )


def count_open(db: Readable) -> int:
    """How many there are."""
    return int(
        db.execute("SELECT count(*) FROM problem WHERE cleared_at_ms IS NULL AND dismissed_at_ms IS NULL").fetchone()[0]
    )


def count_open_at(db: Readable, kind: ProblemKind, station: int) -> int:
    """How many of this kind there are at a station."""
    rows = db.execute("SELECT details FROM problem WHERE kind = ? AND cleared_at_ms IS NULL", (kind,))
    return sum(orjson.loads(details).get("station") == station for (details,) in rows)


def count_rows(db: Readable) -> int:
    """In how many rows they are told."""
    # Every page of the console asks for it, and a network that is down makes hundreds.
    found = db.execute("SELECT kind, details FROM problem WHERE cleared_at_ms IS NULL AND dismissed_at_ms IS NULL")
    return len(set(row_keys([(kind, orjson.loads(details)) for kind, details in found])))


def _problems(db: Readable, sql: str, parameters: tuple[object, ...]) -> list[Problem]:
    return [
        Problem(number, kind, subject, orjson.loads(details), *times)
        for number, kind, subject, details, *times in db.execute(sql, parameters)
    ]
