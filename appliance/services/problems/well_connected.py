"""What kept a charger out is over once one comes in well from there."""

from __future__ import annotations

from appliance.db import problems as rows
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.services.problems import clear_problem

ABOUT_ITS_VERSION = ("subprotocol", "no_subprotocol")
ABOUT_AN_ADDRESS = ("password", "profile")


def comes_in_well(db: Database, station: StationId, address: str, now_ms: int) -> None:
    """A station has a connection: it speaks a version of ours, its address is right, and the device there has its password."""
    clear_problem(db, ProblemKind.WRONG_URL, f"address:{address}", now_ms)
    for what in ABOUT_ITS_VERSION:
        clear_problem(db, ProblemKind.VIOLATION, violation_subject(station, what), now_ms)
    for what in ABOUT_AN_ADDRESS:
        subject = violation_subject(station, what)
        found = rows.find_open(db, ProblemKind.VIOLATION, subject)
        if found is not None and found.details.get("found") == address:
            clear_problem(db, ProblemKind.VIOLATION, subject, now_ms)


def violation_subject(station: StationId, what: str) -> str:
    """Each way to violate is a problem of its own."""
    return f"station:{station}:{what}"
