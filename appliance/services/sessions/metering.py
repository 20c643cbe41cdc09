"""Readings: kept with the session that they are of, which is found by its transaction's name, and the money looked after."""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import sessions, transactions
from appliance.db.sessions.sessions import Running
from appliance.domain.events import (
    MeterRead,
    TransactionEnded,
)
from appliance.domain.identifiers import StationId
from appliance.domain.meter import Reading
from appliance.domain.registers import further
from appliance.domain.session import SessionState
from appliance.domain.transaction import TransactionRef
from appliance.services.announce import SessionChanged
from appliance.services.sessions import guard
from appliance.services.sessions.billing import Pace


def meter_read(db: Database, station: StationId, event: MeterRead) -> None:
    """Readings arrive: kept, and the money looked after. Without a transaction they are those of the EVSE's."""
    running = find(db, station, event.ref)
    if running is None and not event.ref and event.evse:
        running = sessions.on_evse(db, station, event.evse)
    if running is None:
        keep_late(db, station, event.ref, event.readings)
        return
    pace = take_in(db, running, event.readings)
    at_ms = event.readings[-1].at_ms if event.readings else event.received_at_ms
    guard.look_after(db, running, event.readings, pace, at_ms, event.received_at_ms)
    announce(db, running, "measured")


def take_in(db: Database, running: Running, readings: Sequence[Reading]) -> Pace:
    """Keep the readings and what they say of the session's energy; how fast it goes."""
    power_w = step_wh = step_s = 0
    for reading in readings:
        sessions.add_reading(db, running.id, reading)
        if reading.power_w is not None:
            power_w = reading.power_w
        if reading.energy_wh is None:
            continue
        energy_wh = further(running.energy_wh, running.meter_start_wh, reading.energy_wh)
        if energy_wh > running.energy_wh:
            step_wh = energy_wh - running.energy_wh
            step_s = max(0, reading.at_ms - running.measured_at_ms) // 1000
            running.energy_wh = energy_wh
        running.measured_at_ms = max(running.measured_at_ms, reading.at_ms)
    return Pace(power_w, step_wh, step_s)


def keep_late(db: Database, station: StationId, ref: TransactionRef | None, readings: Sequence[Reading]) -> None:
    """Readings of a session that is over are kept with it; they change no bill."""
    session = transactions.session_of(db, station, ref) if ref is not None else None
    closed = closing_rows.find_closed(db, session) if session is not None else None
    if closed is None or closed.station != station:
        return
    for reading in readings:
        sessions.add_reading(db, closed.id, reading)


def find(db: Database, station: StationId, ref: TransactionRef | None) -> Running | None:
    """The open transaction of this name, if it is this station's own."""
    session = transactions.session_of(db, station, ref) if ref is not None else None
    running = sessions.find_open(db, session) if session is not None else None
    if running is None or running.station != station or running.state is not SessionState.RUNNING:
        return None
    return running


def guess(db: Database, station: StationId, event: TransactionEnded) -> Running | None:
    """The transaction that is meant by a name that stations send when they never learned it: -1 or 0 (1.6 errata 3.18)."""
    if not isinstance(event.ref, int) or event.ref > 0:
        return None
    found = [sessions.find_open(db, number) for number in sessions.open_on_station(db, station)]
    names = (None,) if event.id_token is None else (event.id_token, payers.uid_behind(db, event.id_token))
    fits = [
        one
        for one in found
        if one is not None and (names[0] is None or one.id_token in names) and one.started_at_ms <= event.at_ms
    ]
    return fits[0] if len(fits) == 1 else None


def announce(db: Database, running: Running, what: str) -> None:
    """Tell the live pages."""
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, what))
