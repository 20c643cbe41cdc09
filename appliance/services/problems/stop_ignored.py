"""A stop that a station did not obey. Its session may end when nobody asks any more: while the charger is away, or by its queue."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.db.sessions import sessions
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Ending, Facts, number_in


def is_over(db: Database, problem: Problem, _facts: Facts) -> bool:
    """The session has ended, or nobody wants it to."""
    wanted = {int(session) for session, _station, _why in sessions.wanted_stops(db)}
    return number_in(problem.subject, "session") not in wanted


CHECK = Ending((ProblemKind.STOP_IGNORED,), is_over)
