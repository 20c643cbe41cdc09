"""Problems: what an operator should see or do. A kind has its sentence and its advice in the console's tables."""

from __future__ import annotations

import orjson

from appliance.db import problems
from appliance.db.engine.unit import Database
from appliance.domain.errors import NotFound
from appliance.services import audit
from appliance.services.announce import ProblemsChanged

KINDS = (
    "knocking",
    "offline",
    "faulted",
    "clock_skew",
    "silent_session",
    "review",
    "unreadable",
    "stray_stop",
    "foreign_transaction",
    "violation",
    "wrong_url",
    "foreign_page",
    "duplicate_identity",
    "station_error",
    "disk_space",
    "backup_age",
    "secrets",
    "owner_key_missing",
    "unread_setting",
    "no_tariff",
    "stop_ignored",
    "start_lost",
    "books",
    "job_failed",
    "reader",
    "torn_card",
    "card_copy",
    "card_twice",
    "card_hop",
)
"""All kinds there are."""

ACKNOWLEDGED_BY_HAND = frozenset(
    {
        "review", "unreadable", "stray_stop", "foreign_transaction", "violation", "wrong_url", "foreign_page",
        "duplicate_identity", "station_error", "start_lost", "card_copy", "card_twice", "card_hop",
    }
)  # fmt: skip
"""Things that happened and do not go away by themselves; somebody says that they have looked."""


def raise_problem(db: Database, kind: str, subject: str, now_ms: int, **details: object) -> None:
    """Open a problem, or bring the open one of this kind and subject up to date."""
    assert kind in KINDS, kind
    found = problems.find_open(db, kind, subject)
    if found is None:
        problems.add(db, kind, subject, details, now_ms)
    elif orjson.loads(found[1]) != details:
        problems.update(db, found[0], details)
    else:
        return
    db.announce(ProblemsChanged())


def clear_problem(db: Database, kind: str, subject: str, now_ms: int) -> None:
    """It is over."""
    if problems.clear(db, kind, subject, now_ms):
        db.announce(ProblemsChanged())


def clear_subject(db: Database, subject: str, now_ms: int) -> None:
    """All that concerns a subject is over."""
    if problems.clear_subject(db, subject, now_ms):
        db.announce(ProblemsChanged())


def acknowledge(db: Database, problem: int, actor: str, now_ms: int) -> None:
    """Somebody has looked at it."""
    if not problems.clear_one(db, problem, now_ms):
        raise NotFound("There is no such problem, or it is over already.")
    audit.record(db, actor, "problem.acknowledge", f"problem:{problem}", now_ms)
    db.announce(ProblemsChanged())
