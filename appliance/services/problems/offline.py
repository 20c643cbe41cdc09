"""Approved stations that have been away for too long; time in which the server itself was away does not count."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db import problems
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems.check import Facts, Finding, Found


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """One that is said to be away stays so until it connects, also over a restart of the server."""
    patience_ms = settings.of(db).offline_after_s * 1000
    said = {problem.subject for problem in problems.lasting(db, ProblemKind.OFFLINE)}
    for station in stations.all_stations(db):
        away_since_ms = station.seen_at_ms or station.created_at_ms
        subject = f"station:{station.id}"
        too_long = facts.now_ms - max(away_since_ms, facts.serving_since_ms) > patience_ms
        if station.id not in facts.online and (too_long or subject in said):
            ever = station.seen_at_ms is not None
            yield Found(subject, {"station": int(station.id), "since_ms": away_since_ms, "ever": ever})


CHECK = Finding(ProblemKind.OFFLINE, find)
