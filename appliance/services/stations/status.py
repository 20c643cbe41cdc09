"""What stations tell of themselves: their connection, what they are, their connectors, their clock."""

from __future__ import annotations

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain import station as domain
from appliance.domain.events import ChargingStateChanged, StationBooted, StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.station import is_faulted
from appliance.services import problems, settings
from appliance.services.announce import BootHeard, StationChanged
from appliance.services.problems import well_connected
from appliance.services.sessions import idle
from appliance.services.stations import rivals

FAULTED = Slots[tuple[StationId, int, int], bool]()
"""By station, EVSE and connector, whether a problem says so."""


def connected(db: Database, station: StationId, version: str, address: str, now_ms: int) -> None:
    """It has a connection."""
    stations.connected(db, station, version, address, now_ms)
    problems.clear_problem(db, ProblemKind.OFFLINE, f"station:{station}", now_ms)
    well_connected.comes_in_well(db, station, address, now_ms)
    db.announce(StationChanged(station))


def begun(db: Database) -> None:
    """The server has begun. If it ended without a word, nobody wrote down that its stations were there until then."""
    for station, at_ms in stations.heard_since(db).items():
        stations.seen(db, station, at_ms)


def disconnected(db: Database, station: StationId, now_ms: int) -> None:
    """It has none any more."""
    stations.seen(db, station, now_ms)
    db.announce(StationChanged(station))


def booted(db: Database, station: StationId, event: StationBooted) -> None:
    """It says who it is."""
    rivals.booted(db, station, event)
    stations.booted(db, station, event)
    db.announce(StationChanged(station))
    db.announce(BootHeard(station))


def status_changed(db: Database, station: StationId, event: StatusChanged) -> None:
    """A connector, or the station as a whole, is in another state; what is superseded changes only what was so then."""
    if event.superseded:
        if event.evse:
            idle.status_of_evse_changed(db, station, event)
        return
    stations.set_status(db, station, event)
    if event.evse:
        idle.status_of_evse_changed(db, station, event)
    faulted = is_faulted(event.status)
    connector = station, event.evse, event.connector
    if faulted != FAULTED.get(db, connector):
        subject = f"station:{station}" if event.evse == 0 else f"station:{station}:{event.evse}"
        if event.connector > 1:
            subject += f":{event.connector}"
        if faulted:
            details = {"station": int(station), "evse": event.evse, "error": event.error_code, "info": event.info}
            problems.raise_problem(db, ProblemKind.FAULTED, subject, event.received_at_ms, **details)
        else:
            problems.clear_problem(db, ProblemKind.FAULTED, subject, event.received_at_ms)
        FAULTED.keep(db, connector, faulted)
    db.announce(StationChanged(station, event.evse))


def connector_in_use(db: Readable, station: StationId, evse: int) -> int:
    """Of an EVSE's connectors the one at which the car hangs, or else a free one; 1 for an EVSE we have not heard of."""
    there = [one for one in stations.connectors(db, station) if one.evse == evse]
    return domain.connector_in_use(there).connector if there else 1


def charging_state_changed(db: Database, station: StationId, event: ChargingStateChanged) -> None:
    """A transaction tells whether energy flows."""
    stations.set_charging_state(db, station, event)
    idle.charging_state_changed(db, station, event)
    db.announce(StationChanged(station, event.evse))


def clock_skew(db: Database, station: StationId, skew_ms: int, now_ms: int) -> None:
    """How far its clock is from ours; only a marked change is worth a write (the caller sees to that)."""
    stations.set_skew(db, station, skew_ms)
    subject = f"station:{station}"
    if abs(skew_ms) > settings.of(db).clock_skew_s * 1000:
        problems.raise_problem(
            db, ProblemKind.CLOCK_SKEW, subject, now_ms, station=int(station), skew_s=skew_ms // 1000
        )
    else:
        problems.clear_problem(db, ProblemKind.CLOCK_SKEW, subject, now_ms)
