"""A start that a station accepted and nothing followed: the next one that works shows that all is well."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.db.sessions import sessions
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Ending, Facts, number_in


def is_over(db: Database, problem: Problem, _facts: Facts) -> bool:
    """A later session has begun at that station."""
    station, session = problem.details.get("station"), number_in(problem.subject, "session")
    return isinstance(station, int) and sessions.began_after(db, StationId(station), SessionId(session))


CHECK = Ending((ProblemKind.START_LOST,), is_over)
