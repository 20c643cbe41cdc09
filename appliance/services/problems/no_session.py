"""Chargers that charge for minutes without a session."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Facts, Finding, Found
from appliance.services.stations import unasked


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """By the states of connectors and the sessions that run."""
    for subject, details in unasked.charging(db, facts.online, facts.now_ms).items():
        yield Found(subject, dict(details))


CHECK = Finding(ProblemKind.NO_SESSION, find)
