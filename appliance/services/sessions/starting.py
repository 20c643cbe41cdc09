"""What stations tell of transactions, made into sessions. Every function here is a unit of work, and may be repeated:
the same message again changes nothing and is answered the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.people.payers import Payer
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import sessions, start_requests, transactions
from appliance.db.sessions.sessions import Running
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.events import (
    ChargingStateChanged,
    MeterRead,
    StatusChanged,
    TransactionEnded,
    TransactionStarted,
)
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.registers import further
from appliance.domain.session import SessionEvent, SessionState, after
from appliance.domain.station import ChargingState, ConnectorStatus, takes_the_place
from appliance.domain.transaction import TransactionRef
from appliance.services import problems
from appliance.services.announce import SessionChanged
from appliance.services.cards import limits, misuse, unknown
from appliance.services.sessions import billing, closing
from appliance.services.sessions.billing import Pace
from appliance.services.sessions.decision import group_token, judge


class Started(NamedTuple):
    """The answer to a start."""

    ref: SessionId
    authorization: Authorization


def transaction_started(db: Database, station: StationId, event: TransactionStarted) -> Started:
    """A transaction begins, as 1.6 tells it: it always gets a number, even one that may not charge (1.6, 4.8)."""
    wish = start_requests.find(db, station, event.evse, event.id_token)
    payer = payers.by_token(db, event.id_token, event.id_token_type) if wish is None else None
    if wish is None and (payer is None or payer.uid != event.id_token):
        # A card may have been learned, or become known, since this very start was told first.
        if (known := known_start(db, station, event, event.id_token, None)) is not None:
            return known
        if payer is not None:
            wish = start_requests.find(db, station, event.evse, payer.uid)
    if wish is not None:
        if (known := known_start(db, station, event, wish.id_token, payer)) is not None:
            return known
        close_forgotten(db, station, event)
        return fulfil(db, wish, event)

    if close_forgotten(db, station, event) and payer is not None:
        # What was held for it is free, and it runs no more.
        payer = payers.by_token(db, event.id_token, event.id_token_type)
    payer = who_starts(db, station, event, payer)
    id_token = payer.uid or event.id_token if payer is not None else event.id_token
    authorization = Authorization(AuthorizationStatus.INVALID)
    if payer is not None:
        authorization = judge(db, payer, station, event.received_at_ms, starting=True)
    running = sessions.insert_started(
        db,
        state=after(None, SessionEvent.BEGAN),
        started_at_ms=event.at_ms,
        station=station,
        evse=event.evse,
        id_token=id_token,
        meter_start_wh=event.meter_start_wh,
        payer=payer,
        authorization=authorization.status,
        received_at_ms=event.received_at_ms,
        held_minor=billing.first_slice_minor(db, payer) if payer is not None and authorization.accepted else 0,
        id_token_type=event.id_token_type,
    )
    if running is None:
        known = known_start(db, station, event, id_token, payer)
        assert known is not None, "the row was in the way of this very insert"
        return known
    billing.hold_first(db, running, f"station:{station}", event.received_at_ms)
    announce(db, running, "started")
    if payer is not None and payer.card is not None:
        misuse.started(db, payer, station, authorization.status, event)
    return Started(running.id, authorization)


def who_starts(db: Database, station: StationId, event: TransactionStarted, payer: Payer | None) -> Payer | None:
    """Who pays for a start: who the card stands for, who wished for it, or who is about to get this very card."""
    if payer is None and (person := start_requests.find_failed(db, station, event.id_token)) is not None:
        return payers.by_person(db, person)  # The station took its time, and the money was given back.
    return unknown.shown(db, station, event.id_token, payer, event.at_ms, event.received_at_ms, event.id_token_type)


def known_start(
    db: Database, station: StationId, event: TransactionStarted, id_token: str, payer: Payer | None
) -> Started | None:
    """What this very start, kept under this token, was answered with before."""
    known = sessions.find_started(db, event.at_ms, station, event.evse, id_token, event.meter_start_wh)
    if known is None:
        return None
    return Started(known[0], Authorization(known[1], group_token(payer) if payer is not None else None))


def fulfil(db: Database, wish: Running, event: TransactionStarted) -> Started:
    """The transaction that staff or a program wished for: its money is held already."""
    start_requests.fulfil(
        db,
        wish,
        after(wish.state, SessionEvent.BEGAN),
        evse=event.evse,
        started_at_ms=event.at_ms,
        meter_start_wh=event.meter_start_wh,
        received_at_ms=event.received_at_ms,
    )
    announce(db, wish, "started")
    payer = payers.by_token(db, wish.id_token) if wish.card is not None else None
    group = group_token(payer) if payer is not None else None
    return Started(wish.id, Authorization(AuthorizationStatus.ACCEPTED, group))


def close_forgotten(db: Database, station: StationId, event: TransactionStarted) -> bool:
    """End what still runs on this EVSE, for a newer start means that the station lost the stop, and what parks there.

    A start that is older than what runs is a late message of a queue and ends nothing; one that runs since a time that
    is still to come was dated by a wrong clock. Whether there was anything to end.
    """
    ended = False
    for number in sessions.all_on_evse(db, station, event.evse) if event.evse else ():
        forgotten = sessions.find_open(db, number)
        assert forgotten is not None, "it was just found open"
        if forgotten.started_at_ms < event.at_ms or event.at_ms <= event.received_at_ms < forgotten.started_at_ms:
            closing.close_estimated(db, forgotten, event.at_ms, event.received_at_ms, "superseded")
            ended = True
    if event.evse:
        ended |= closing.end_parking_before(
            db, station, event.evse, min(event.at_ms, event.received_at_ms), event.received_at_ms
        )
    return ended


def start_unreadable(db: Database, station: StationId, note: str, received_at_ms: int) -> Started:
    """A start whose payload cannot be read: a number to go on with, no permission, and a session for review."""
    key = (received_at_ms, station, 0, "", 0)
    known = sessions.find_started(db, *key)
    if known is None:
        running = sessions.insert_started(
            db,
            state=after(None, SessionEvent.BEGAN),
            started_at_ms=received_at_ms,
            station=station,
            evse=0,
            id_token="",
            meter_start_wh=0,
            payer=None,
            authorization=AuthorizationStatus.INVALID,
            received_at_ms=received_at_ms,
            note=note,
        )
        assert running is not None
        announce(db, running, "started")
        known = (running.id, AuthorizationStatus.INVALID)
    problems.raise_problem(db, "unreadable", f"session:{known[0]}", received_at_ms, station=int(station), note=note)
    return Started(known[0], Authorization(known[1]))


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
    billing.keep_covered(db, running, pace, at_ms, event.received_at_ms)
    limits.keep_within(db, running, pace, at_ms, event.received_at_ms)
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


def transaction_ended(db: Database, station: StationId, event: TransactionEnded) -> Authorization | None:
    """A transaction is over: it is billed, and its stop is always accepted. The answer is about who stopped it."""
    running = find(db, station, event.ref) or guess(db, station, event)
    if running is not None:
        take_in(db, running, event.readings)
        closing.close(db, running, event)
    elif not closing.correct_estimate(db, station, event):
        report_stray(db, station, event)
    if event.id_token is None:
        return None
    if running is not None and running.id_token == event.id_token:
        return authorization_of_holder(db, event)
    payer = payers.by_token(db, event.id_token, event.id_token_type)
    if payer is not None and running is not None and running.id_token == payer.uid:
        return authorization_of_holder(db, event)
    return authorization_of_stopper(db, station, payer, event)


def stop_unreadable(db: Database, station: StationId, note: str, received_at_ms: int) -> None:
    """A stop whose payload cannot be read, not even its transaction: staff must look at it."""
    problems.raise_problem(db, "unreadable", f"station:{station}", received_at_ms, station=int(station), note=note)


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


def report_stray(db: Database, station: StationId, event: TransactionEnded) -> None:
    """A stop of something we do not know, or of another station's session: never obeyed, shown to the staff."""
    if isinstance(event.ref, int) and event.ref > 0:
        closed = closing_rows.find_closed(db, SessionId(event.ref))
        if closed is not None and closed.station == station:
            return  # The same stop once more.
    problems.raise_problem(
        db, "stray_stop", f"station:{station}", event.received_at_ms, station=int(station), ref=str(event.ref)
    )


def authorization_of_holder(db: Database, event: TransactionEnded) -> Authorization:
    """The card that began it: whether it may begin another is asked then, so its standing is enough."""
    assert event.id_token is not None
    known = payers.standing(db, event.id_token)
    if known is not None and known[0]:
        return Authorization(AuthorizationStatus.BLOCKED)
    if known is not None and known[1] is not None and known[1] <= event.received_at_ms:
        return Authorization(AuthorizationStatus.EXPIRED)
    return Authorization(AuthorizationStatus.ACCEPTED)


def authorization_of_stopper(
    db: Database, station: StationId, payer: Payer | None, event: TransactionEnded
) -> Authorization:
    """Information only: the transaction is over, whoever ended it."""
    if payer is None:
        return Authorization(AuthorizationStatus.ACCEPTED)
    return judge(db, payer, station, event.received_at_ms, starting=False)


def status_of_evse_changed(db: Database, station: StationId, event: StatusChanged) -> None:
    """The connector of a session tells whether the car takes energy, only takes the place, or is gone."""
    occupied = event.status == ConnectorStatus.OCCUPIED
    if closing_rows.is_occupied_beside(db, station, event.evse, event.connector) and not occupied:
        return  # It is the other connector at which the car hangs.
    if occupied and not event.finer:
        return  # Its transaction tells the rest.
    running = sessions.on_evse(db, station, event.evse)
    if running is not None:
        set_idle(db, running, takes_the_place(event.charging_state), event.at_ms, event.received_at_ms)
    elif not occupied:
        until_ms = min(event.at_ms, event.received_at_ms)
        closing.end_parking(db, station, event.evse, until_ms, event.received_at_ms)


def charging_state_changed(db: Database, station: StationId, event: ChargingStateChanged) -> None:
    """A transaction tells whether the car takes energy, only takes the place, or is gone."""
    running = sessions.on_evse(db, station, event.evse)
    if running is not None:
        # A car that was connected and has got nothing yet waits for its driver's card.
        waits = event.charging_state == ChargingState.EV_CONNECTED and not running.energy_wh
        idle = takes_the_place(event.charging_state) and not waits
        set_idle(db, running, idle, event.at_ms, event.received_at_ms)
    elif event.charging_state == ChargingState.IDLE:
        until_ms = min(event.at_ms, event.received_at_ms)
        closing.end_parking(db, station, event.evse, until_ms, event.received_at_ms)


def set_idle(db: Database, running: Running, idle: bool, at_ms: int, received_at_ms: int) -> None:
    """From now on the car takes the place without charging, or does so no more."""
    if at_ms < running.status_at_ms <= received_at_ms:
        return  # It comes late, and another has taken its place.
    running.status_at_ms = at_ms
    if idle and not running.is_idle:
        sessions.open_idle(db, running, at_ms)
    elif not idle and running.is_idle:
        sessions.close_idle(db, running, at_ms)


def announce(db: Database, running: Running, what: str) -> None:
    """Tell the live pages."""
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, what))
