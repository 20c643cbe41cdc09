"""What all connections share."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.domain.clock import Clock
from appliance.domain.problem import ProblemKind
from appliance.ocpp.connection.station import Station
from appliance.ocpp.settings import Settings
from appliance.services import problems
from appliance.services.counters import Counters
from appliance.services.problems.well_connected import violation_subject


@dataclass(frozen=True, slots=True)
class Context:
    """Handed round by the endpoint."""

    store: Store
    settings: Settings
    clock: Clock
    counters: Counters = field(default_factory=Counters)

    def report(self, kind: ProblemKind, subject: str, **details: object) -> None:
        """Open a problem, with the next commit."""
        self.store.write_unheard(raise_problem, kind, subject, self.clock(), details)

    def report_station(self, station: Station, kind: ProblemKind, **details: object) -> None:
        """Open a problem of a station."""
        self.report(kind, f"station:{station.id}", station=int(station.id), **details)

    def report_violation(self, station: Station, what: str, found: str = "", **more: str) -> None:
        """Say that a station does not keep to the protocol; each way is a problem of its own."""
        subject = violation_subject(station.id, what)
        details = {"found": found, **more} if found else more
        self.report(ProblemKind.VIOLATION, subject, station=int(station.id), what=what, **details)


def raise_problem(db: Database, kind: ProblemKind, subject: str, now_ms: int, details: dict[str, object]) -> None:
    """A unit, for the store hands on no names."""
    problems.raise_problem(db, kind, subject, now_ms, **details)
