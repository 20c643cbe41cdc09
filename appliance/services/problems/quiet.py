"""What has happened and does not happen any more goes by itself, where its rule says after how long."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.problem import RULES, ProblemKind, rule_of
from appliance.services.problems.check import Ending, Facts


def is_over(_db: Database, problem: Problem, facts: Facts) -> bool:
    """The last time is long ago."""
    return facts.now_ms - problem.last_at_ms > rule_of(problem.kind).quiet_s * 1000


CHECK = Ending(tuple(ProblemKind(kind) for kind, rule in RULES.items() if rule.quiet_s), is_over)
