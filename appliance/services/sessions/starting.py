"""A card is shown, a transaction begins: made into a session. Every function here is a unit of work, and may be repeated:
the same message again changes nothing and is answered the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from appliance.db import disk
from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.people.payers import Payer
from appliance.db.place_tariffs import WHOLE
from appliance.db.sessions import neighbours, sessions, start_requests
from appliance.db.sessions.sessions import Running
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.by import By
from appliance.domain.events import (
    TransactionStarted,
)
from appliance.domain.id_token import IdTokenType
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.moments import QUEUE_MS_MAX, Source
from appliance.domain.session import SessionEvent, after
from appliance.services.cards import misuse, unknown
from appliance.services.place_tariffs import placed
from appliance.services.sessions import billing, closing, courses, idle, metering, reading, unbilled
from appliance.services.sessions import start_requests as asked
from appliance.services.sessions.authorization import announce_refused, decide, group_token, unless_stopped


class Started(NamedTuple):
    """The answer to a start."""

    ref: SessionId
    authorization: Authorization


def transaction_started(db: Database, station: StationId, event: TransactionStarted) -> Started:
    """A transaction begins, as 1.6 tells it: it always gets a number, even one that may not charge (1.6, 4.8)."""
    start_request = start_requests.find(db, station, event.evse, event.id_token)
    payer = payers.by_token(db, event.id_token, event.id_token_type) if start_request is None else None
    if start_request is None:
        if (known := known_before(db, station, event, payer)) is not None:
            return known
        if payer is not None:
            start_request = start_requests.find(db, station, event.evse, payer.uid)
    if start_request is None:
        if (known := fulfilled_before(db, station, event, payer)) is not None:
            return known
        start_request = asked.under_another_name(db, station, event.evse, payer, began_at_latest(event))
    if start_request is not None:
        if (known := known_start(db, station, event, start_request.id_token, payer)) is not None:
            return known
        close_forgotten(db, station, event)
        return fulfil(db, start_request, event)

    if close_forgotten(db, station, event) and payer is not None:
        # What was held for it is free, and it runs no more.
        payer = payers.by_token(db, event.id_token, event.id_token_type)
    payer = payer_of_start(db, station, event, payer)
    id_token = payer.uid or event.id_token if payer is not None else event.id_token
    authorization = Authorization(AuthorizationStatus.INVALID)
    if payer is not None:
        payer = closing.close_left_by(db, payer, station, event.evse, event.received_at_ms)
        payer = placed(db, payer, station, event.evse)
        authorization = decide(db, payer, station, event.received_at_ms, starting=True)
        authorization = unless_stopped(db, payer, authorization, has_begun=event.source is Source.QUEUE)
    running = sessions.insert_started(
        db,
        state=after(None, SessionEvent.BEGAN),
        started_at_ms=event.at_ms,
        stamp_ms=event.stamp_ms,
        source=event.source,
        station=station,
        evse=event.evse,
        id_token=id_token,
        meter_start_wh=event.meter_start_wh,
        payer=payer,
        authorization=authorization.status,
        received_at_ms=event.received_at_ms,
        held_minor=billing.first_slice_minor(db, payer) if payer is not None and authorization.accepted else 0,
        id_token_type=event.id_token_type,
        limited_by=authorization.limited_by,
    )
    if running is None:
        known = known_start(db, station, event, id_token, payer)
        # Else another of its kind began in this very millisecond, by another word of its station's.
        return known or transaction_started(
            db, station, replace(event, at_ms=event.at_ms + 1, stamp_ms=stamp_of(event))
        )
    keep_fraction(db, running, event)
    reading.begin(db, running)
    courses.remember_start(db, running, payer)
    unbilled.at_start(db, running)
    billing.hold_first(db, running, By(f"station:{station}", event.received_at_ms))
    metering.announce(db, running, "started")
    if payer is not None and payer.card is not None:
        misuse.check_start(db, payer, station, authorization.status, event)
    return Started(running.id, announce_refused(db, station, event.id_token, authorization))


def known_before(db: Database, station: StationId, event: TransactionStarted, payer: Payer | None) -> Started | None:
    """What this very start, told under this token, was answered with, where that must be known before anything is ended for it.

    A card may have been learned, or become known, since it was told first; and what is there goes on if this is its own start.
    """
    is_own = payer is not None and payer.uid == event.id_token
    if is_own and not sessions.all_on_evse(db, station, event.evse):
        return None
    return known_start(db, station, event, event.id_token, payer if is_own else None)


def payer_of_start(db: Database, station: StationId, event: TransactionStarted, payer: Payer | None) -> Payer | None:
    """Who pays for a start: who the card stands for, who asked for it, or who is about to get this very card."""
    if payer is None and (person := start_requests.find_failed(db, station, event.id_token)) is not None:
        return payers.by_person(db, person)  # The station took its time, and the money was given back.
    return unknown.resolve(db, station, event.id_token, payer, event.at_ms, event.received_at_ms, event.id_token_type)


def known_start(
    db: Database, station: StationId, event: TransactionStarted, id_token: str, payer: Payer | None
) -> Started | None:
    """What this very start, kept under this token, was answered with before.

    By a clock that stands still, or begins anew, the same start may be another (`is_another`), which is dated by milliseconds later.
    """
    stamp_ms = stamp_of(event)
    known = sessions.find_started(db, stamp_ms, station, event.evse, id_token, event.meter_start_wh)
    while known is not None and is_another(db, event, known[0]):
        stamp_ms += 1
        known = sessions.find_started(db, stamp_ms, station, event.evse, id_token, event.meter_start_wh)
    if known is None:
        moved_ms = stamp_ms - stamp_of(event)
        if not moved_ms:
            return None
        another = replace(event, at_ms=event.at_ms + moved_ms, stamp_ms=stamp_ms)
        return transaction_started(db, station, another)
    return Started(known[0], Authorization(known[1], group_token(payer) if payer is not None else None))


def is_another(db: Database, event: TransactionStarted, known: SessionId) -> bool:
    """Whether a start is not the one that began a session, although all that it says is the same: that is over and took energy, and
    neither the clock nor the register tells one from the next.

    A station repeats nothing on the connection on which it was answered, and comes with what waited soon after it connected.
    """
    if not neighbours.may_come_again(db, known):
        return False
    told_ms = neighbours.last_told(db, known)
    is_new = told_ms >= event.connected_at_ms or event.received_at_ms - event.connected_at_ms > QUEUE_MS_MAX
    if not is_new:
        neighbours.told_again(db, known, event.received_at_ms)
    return is_new


def stamp_of(event: TransactionStarted) -> int:
    """What makes it this start."""
    return event.at_ms if event.stamp_ms is None else event.stamp_ms


def fulfilled_before(
    db: Database, station: StationId, event: TransactionStarted, payer: Payer | None
) -> Started | None:
    """What this very start was answered with, when it was the one that somebody had asked for under another token."""
    found = start_requests.find_fulfilled(db, stamp_of(event), station, event.evse, event.meter_start_wh)
    if found is None or (payer is not None and payer.person != found[1]) or is_another(db, event, found[0]):
        return None
    return Started(found[0], Authorization(AuthorizationStatus.ACCEPTED, group_token(payer) if payer else None))


def fulfil(db: Database, start_request: Running, event: TransactionStarted) -> Started:
    """The transaction that staff or a program asked for: its money is held already."""
    if start_request.evse != event.evse and start_request.person is not None:
        at_its_place(db, start_request, event.evse)
    start_requests.fulfil(
        db,
        start_request,
        after(start_request.state, SessionEvent.BEGAN),
        evse=event.evse,
        started_at_ms=event.at_ms,
        meter_start_wh=event.meter_start_wh,
        received_at_ms=event.received_at_ms,
        stamp_ms=event.stamp_ms,
        source=event.source,
    )
    keep_fraction(db, start_request, event)
    unbilled.at_start(db, start_request)
    metering.announce(db, start_request, "started")
    payer = payers.by_token(db, start_request.id_token) if start_request.card is not None else None
    group = group_token(payer) if payer is not None else None
    return Started(start_request.id, Authorization(AuthorizationStatus.ACCEPTED, group))


def keep_fraction(db: Database, running: Running, event: TransactionStarted) -> None:
    """A register with a fraction may be kilowatt-hours, of which the fraction is watt-hours."""
    if event.meter_start_mwh is not None:
        sessions.keep_fraction(db, running.id, event.meter_start_mwh)


def at_its_place(db: Database, start_request: Running, evse: int) -> None:
    """A start that left the choice to the station begins where another tariff may hold."""
    assert start_request.person is not None
    payer = payers.by_person(db, start_request.person)
    tariff = placed(db, payer, start_request.station, evse).tariff if payer is not None else None
    if start_request.tariff is not None and tariff is not None and tariff.id != start_request.tariff.id:
        sessions.set_tariff(db, start_request, tariff)
        courses.remember_start(db, start_request, payer)


def close_forgotten(db: Database, station: StationId, event: TransactionStarted) -> bool:
    """End what still runs on this EVSE, for a newer start means that the station lost the stop, and what parks there.

    What is told live is later than all that was told before. A start of a queue that is older than what runs is late and ends nothing, and
    of two at one moment the one with the lower register is older; one that runs since a time that is still to come was dated by a
    wrong clock. Whether there was anything to end.
    """
    ended = False
    for number in sessions.all_on_evse(db, station, event.evse) if event.evse else ():
        forgotten = sessions.find_open(db, number)
        assert forgotten is not None, "it was just found open"
        if is_later(event, forgotten):
            following = event.at_ms, event.meter_start_wh
            closing.close_estimated(db, forgotten, event.at_ms, event.received_at_ms, "superseded", following)
            ended = True
    if event.evse:
        ended |= idle.end_parking_before(
            db, station, event.evse, min(event.at_ms, event.received_at_ms), event.received_at_ms
        )
    return ended


def is_later(event: TransactionStarted, forgotten: Running) -> bool:
    """Whether a start is that of a session after one that still runs."""
    if event.source is Source.LIVE:
        return True
    began, begins = (forgotten.started_at_ms, forgotten.meter_start_wh), (event.at_ms, event.meter_start_wh)
    return began < begins or event.at_ms <= event.received_at_ms < forgotten.started_at_ms


def began_at_latest(event: TransactionStarted) -> int:
    """When it began at the latest that is possible: what is as old as the status before it may be live."""
    return event.at_ms if event.source is Source.QUEUE else event.received_at_ms


def authorize(
    db: Database,
    station: StationId,
    id_token: str,
    now_ms: int,
    id_token_type: IdTokenType = IdTokenType.UNKNOWN,
) -> Authorization:
    """What the station is told about a card that was only shown, `id_token` in normal form."""
    payer = payers.by_token(db, id_token, id_token_type)
    if payer is None and start_requests.is_open(db, station, id_token):
        return Authorization(AuthorizationStatus.ACCEPTED)
    if disk.is_short(db) and (payer is None or not payer.holder.running):
        # Whoever charges must be let in to stop. A start that comes all the same is recorded, as ever.
        return Authorization(AuthorizationStatus.NOT_AT_THIS_TIME)
    payer = unknown.resolve(db, station, id_token, payer, now_ms, now_ms, id_token_type)
    authorization = Authorization(AuthorizationStatus.INVALID)
    if payer is not None:
        authorization = decide(db, placed(db, payer, station, WHOLE), station, now_ms, starting=False)
        authorization = unless_stopped(db, payer, authorization, lets_stop=True)
    return announce_refused(db, station, id_token, authorization)
