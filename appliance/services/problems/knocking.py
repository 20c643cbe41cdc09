"""Stations that knock: let in, turned away or forgotten, they do so no more."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.db.stations import stations
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.station import StationState
from appliance.services.problems.check import Ending, Facts, number_in


def is_over(db: Database, problem: Problem, _facts: Facts) -> bool:
    """It is not kept as one that knocks."""
    known = stations.find_known(db, StationId(number_in(problem.subject, "station")))
    return known is None or known.state is not StationState.KNOCKING


CHECK = Ending((ProblemKind.KNOCKING,), is_over)
