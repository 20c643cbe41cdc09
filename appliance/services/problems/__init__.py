"""Problems: what an operator should see or do, reported and cleared. The rest of this folder are the checks that find them.

What becomes of a kind is in `domain/problem.py`; its sentence and its advice are in the console's tables.
"""

from __future__ import annotations

from typing import Any

from appliance.db import problems
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.problem import ProblemKind, Rule, rule_of
from appliance.services import audit
from appliance.services.announce import ProblemsChanged

SAME_AGAIN_MS = 60_000
"""The very same within a minute counts once: who knocks every second must not write every second."""
NAMED_MAX = 5


def raise_problem(db: Database, /, kind: ProblemKind, subject: str, now_ms: int, **details: object) -> None:
    """Open a problem, or bring the one of this kind and subject up to date: another time, or other numbers."""
    rule, found = rule_of(kind), problems.find_open(db, kind, subject)
    if found is None:
        problems.add(db, kind, subject, details, now_ms)
    elif rule.happened and not is_same_again(rule, found, details, now_ms):
        problems.count_again(db, found.id, with_names(rule, found.details, details), now_ms)
    elif not rule.happened and found.details != details:
        problems.update(db, found.id, details)
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
    """Somebody has looked at it: what has happened is over; what lasts is put aside until it was over and comes anew."""
    found = problems.show(db, problem)
    if found is None or found.cleared_at_ms is not None or found.dismissed_at_ms is not None:
        raise NotFound("There is no such problem, or it is over already.")
    if rule_of(found.kind).stays:
        raise Refusal("This cannot be put aside.", "It goes when what it tells of is settled.")
    if rule_of(found.kind).happened:
        problems.clear_one(db, problem, by.at_ms)
    else:
        problems.dismiss(db, problem, by.at_ms)
    audit.record(db, by, "problem.acknowledge", f"problem:{problem}")
    db.announce(ProblemsChanged())


def is_same_again(rule: Rule, found: Problem, details: dict[str, object], now_ms: int) -> bool:
    """Whether this is what was counted a moment ago."""
    known = found.details
    if rule.names and rule.names in details:
        known = known | {rule.names: listed(known.get(rule.names))[-1:]}
        details = details | {rule.names: listed(details[rule.names])}
    return now_ms - found.last_at_ms < SAME_AGAIN_MS and all(known.get(name) == details[name] for name in details)


def with_names(rule: Rule, known: dict[str, Any], details: dict[str, object]) -> dict[str, object]:
    """The details of the last time, with the names of those before, and with what only some times tell."""
    kept = {name: known[name] for name in rule.keeps if name in known}
    if not rule.names or rule.names not in details:
        return kept | details
    again = listed(details[rule.names])
    before = [name for name in listed(known.get(rule.names)) if name not in again]
    return kept | details | {rule.names: (before + again)[-NAMED_MAX:]}


def listed(value: object) -> list[object]:
    """One name, or several, or none."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]
