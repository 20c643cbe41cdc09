"""Stations that were let in and do not tell of their connectors: what was tried, what staff are told, and what the board shows."""

from __future__ import annotations

from enum import StrEnum

from appliance.db import problems as problem_rows
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.services import problems
from appliance.services.announce import StationChanged
from appliance.services.problems.check import number_in


class Step(StrEnum):
    """What a station is asked for, in this order."""

    BOOT = "boot"
    """To say who it is, as after a start."""
    STATUS = "status"
    """To tell the status of all its connectors."""
    COUNT = "count"
    """How many it has, and then the status of each."""


def silent(db: Database, now_ms: int) -> list[StationId]:
    """The stations of which no connector is known; who has told of one is no problem any more."""
    for problem in problem_rows.lasting(db, ProblemKind.NO_CONNECTORS):
        if stations.has_told(db, StationId(number_in(problem.subject, "station"))):
            problems.clear_problem(db, ProblemKind.NO_CONNECTORS, problem.subject, now_ms)
    return stations.without_connectors(db)


def without_word(db: Database, station: StationId, evses: int, tried: tuple[Step, ...], now_ms: int) -> None:
    """All was tried: it has so many connectors by its own settings, whose status nobody knows.

    One that tells its status as a whole has told all that there is to it.
    """
    stations.add_untold(db, station, evses)
    db.announce(StationChanged(station))
    if stations.has_told(db, station):
        return
    problems.raise_problem(
        db,
        ProblemKind.NO_CONNECTORS,
        f"station:{station}",
        now_ms,
        station=int(station),
        tried=[str(step) for step in tried],
        evses=evses,
    )
