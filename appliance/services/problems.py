"""Problems: what an operator should see or do. A kind has its sentence and its advice in the console's tables."""

from __future__ import annotations

import orjson

from appliance.db import problems
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.problem import ProblemKind
from appliance.services import audit
from appliance.services.announce import ProblemsChanged


def raise_problem(db: Database, /, kind: ProblemKind, subject: str, now_ms: int, **details: object) -> None:
    """Open a problem, or bring the open one of this kind and subject up to date."""
    found = problems.find_open(db, kind, subject)
    if found is None:
        problems.add(db, kind, subject, details, now_ms)
    elif orjson.loads(found[1]) != details:
        problems.update(db, found[0], details)
    else:
        return
    db.announce(ProblemsChanged())


def clear_problem(db: Database, kind: ProblemKind, subject: str, now_ms: int) -> None:
    """It is over."""
    if problems.clear(db, kind, subject, now_ms):
        db.announce(ProblemsChanged())


def clear_subject(db: Database, subject: str, now_ms: int) -> None:
    """All that concerns a subject is over."""
    if problems.clear_subject(db, subject, now_ms):
        db.announce(ProblemsChanged())


def acknowledge(db: Database, problem: int, by: By) -> None:
    """Somebody has looked at it."""
    if not problems.clear_one(db, problem, by.at_ms):
        raise NotFound("There is no such problem, or it is over already.")
    audit.record(db, by, "problem.acknowledge", f"problem:{problem}")
    db.announce(ProblemsChanged())
