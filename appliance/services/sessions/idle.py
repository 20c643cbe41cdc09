"""The place that a car takes without charging, while its transaction runs and after it: kept, and charged where the tariff minds."""

from __future__ import annotations

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, sessions
from appliance.db.sessions.sessions import Running
from appliance.domain import session as rules
from appliance.domain.by import By
from appliance.domain.calendar import day_of
from appliance.domain.events import ChargingStateChanged, StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.session import SessionEvent, after, bill_for
from appliance.domain.station import AVAILABLE, OCCUPIED, ChargingState, cable_is_in, is_paused, takes_the_place
from appliance.services import settings
from appliance.services.announce import SessionChanged
from appliance.services.sessions import billing, bills, courses

STOP_IS_LATE_MS = 5 * 60_000
"""A stop that comes so long after its time waited in its station."""


def status_of_evse_changed(db: Database, station: StationId, event: StatusChanged) -> None:
    """The connector of a session tells whether the car takes energy, only takes the place, or is gone."""
    occupied = event.status == OCCUPIED
    if closing.is_occupied_beside(db, station, event.evse, event.connector) and not occupied:
        return  # It is the other connector at which the car hangs.
    running = sessions.on_evse(db, station, event.evse)
    if running is not None:
        running.has_left = event.status == AVAILABLE
    if occupied and not event.finer:
        return  # Its transaction tells the rest.
    if running is not None:
        idle, paused = takes_the_place(event.charging_state), is_paused(event.charging_state)
        set_still(db, running, event.at_ms, event.received_at_ms, idle=idle, paused=paused)
    elif not occupied:
        until_ms = min(event.at_ms, event.received_at_ms)
        end_parking(db, station, event.evse, until_ms, event.received_at_ms)


def charging_state_changed(db: Database, station: StationId, event: ChargingStateChanged) -> None:
    """A transaction tells whether the car takes energy, only takes the place, or is gone."""
    running = sessions.on_evse(db, station, event.evse)
    if running is not None:
        # A car that was connected and has got nothing yet waits for its driver's card.
        waits = event.charging_state == ChargingState.EV_CONNECTED and not running.energy_wh
        idle, paused = takes_the_place(event.charging_state) and not waits, waits or is_paused(event.charging_state)
        set_still(db, running, event.at_ms, event.received_at_ms, idle=idle, paused=paused)
    elif event.charging_state == ChargingState.IDLE:
        until_ms = min(event.at_ms, event.received_at_ms)
        end_parking(db, station, event.evse, until_ms, event.received_at_ms)


def set_still(db: Database, running: Running, at_ms: int, received_at_ms: int, *, idle: bool, paused: bool) -> None:
    """From now on the car takes the place without charging, or does so no more; it is full, or its charger has paused it."""
    if at_ms < running.status_at_ms <= received_at_ms:
        return  # It comes late, and another has taken its place.
    if (idle or paused) and at_ms < min(running.started_at_ms, running.heard_at_ms):
        return  # It tells of the time before this session.
    running.status_at_ms = at_ms
    if idle and not running.is_idle:
        sessions.open_idle(db, running, at_ms)
    elif not idle and running.is_idle:
        sessions.close_idle(db, running, at_ms)
    if paused and not running.is_paused and running.minds_pauses:
        sessions.open_pause(db, running, at_ms)
    elif not paused and running.is_paused:
        sessions.close_pause(db, running, at_ms)
    if at_ms < running.measured_at_ms and courses.terms_of(running) is not None:
        courses.keep_so_far(db, running)  # It was otherwise when its last reading was priced.


def parked_since(db: Database, running: Running, ended_at_ms: int, now_ms: int) -> int | None:
    """From when the place is taken without charging, if the tariff minds and the cable is still in.

    A stop that comes late waited in a station that was away: nobody saw whether the car stayed, so it counts from when we hear of it.
    """
    if running.tariff is None or not courses.minds_idling(running.tariff) or running.wallet is None:
        return None
    state = closing.connector_state(db, running.station, running.evse)
    if state is None or not cable_is_in(*state):
        return None
    return now_ms if now_ms - ended_at_ms > STOP_IS_LATE_MS else min(ended_at_ms, now_ms)


def end_parking(db: Database, station: StationId, evse: int, at_ms: int, now_ms: int) -> None:
    """The cable is out, or the next transaction begins: what the place cost since the last one ended is charged."""
    session = closing.find_parked(db, station, evse)
    if session is None:
        return
    since_ms = closing.parked_at(db, session)
    until_ms = max(since_ms, min(at_ms, since_ms + settings.of(db).parking_max_s * 1000))
    closing.add_idle(db, session, since_ms, until_ms)
    parked = sessions.load(db, session)
    assert parked is not None
    usage_before, before = closing.bill_of(db, session)
    usage = rules.with_parking(parked, usage_before, since_ms, until_ms)
    usage, by = courses.with_course(db, parked, usage, since_ms, until_ms), By(f"station:{station}", now_ms)
    bill = bill_for(usage, parked.tariff)
    if bill.total_minor > before.total_minor:
        billing.adjust(db, parked, before, bill, times=0, by=by)
        closing.rebill(db, session, after(parked.state, SessionEvent.UNPLUGGED), usage, bill)
        courses.keep_lines(db, parked, usage, bill)
        bills.issue(db, parked, bill, now_ms)
        day = day_of(at_ms, sites.of(db).zone)
        closing.add_day(db, parked, day, 0, 0, bill.total_minor - before.total_minor, first=False)
    closing.unpark(db, session)
    db.announce(SessionChanged(session, station, evse, parked.person, "ended"))


def end_parking_before(db: Database, station: StationId, evse: int, at_ms: int, now_ms: int) -> bool:
    """A transaction begins at a place where a car parks; one that began before that is a late message and ends nothing.

    Whether a car has parked there.
    """
    session = closing.find_parked(db, station, evse)
    if session is None or min(closing.parked_at(db, session), closing.ended_at(db, session)) > at_ms:
        return False
    end_parking(db, station, evse, at_ms, now_ms)
    return True
