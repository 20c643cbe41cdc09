"""Sessions with an end to their money of which readings do not come."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Facts, Finding, Found
from appliance.services.sessions import guard


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """By how many readings are missed."""
    for subject, details in guard.missed_readings(db, facts.online, facts.now_ms).items():
        yield Found(subject, dict(details))


CHECK = Finding(ProblemKind.MISSED_READINGS, find)
