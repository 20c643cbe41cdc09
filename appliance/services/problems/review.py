"""Sessions that wait for staff to say what is billed: however they decide, the problem is over with it."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.db.sessions import sessions
from appliance.domain.identifiers import SessionId
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionState
from appliance.services.problems.check import Ending, Facts, number_in


def is_over(db: Database, problem: Problem, _facts: Facts) -> bool:
    """It waits no longer."""
    return sessions.state_of(db, SessionId(number_in(problem.subject, "session"))) is not SessionState.REVIEW


CHECK = Ending((ProblemKind.REVIEW,), is_over)
