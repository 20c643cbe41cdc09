"""What stations tell of transactions that they name themselves (OCPP 2.x), made into sessions. What they do not name is in `sessions`.

Every message is numbered, and tells what it knows: the start, a card, readings, the end. They come in any order, twice, or
days late, and the money ends up the same; so the first that is heard of makes the session, and what comes later completes it.
A cable may be plugged in first: until somebody shows a card the session is nobody's, and it may end so.
"""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import neighbours, samples, sessions, start_requests
from appliance.db.sessions import transactions as rows
from appliance.db.sessions.sessions import Running
from appliance.db.sessions.transactions import Named
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.by import By
from appliance.domain.energies import Doubt
from appliance.domain.events import Stage, TransactionEnded, TransactionEvent, TransactionStarted
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.session import OVER, SessionEvent, SessionState, after
from appliance.domain.transaction import Arrival, Order, receive
from appliance.services import audit
from appliance.services.cards import misuse
from appliance.services.place_tariffs import placed
from appliance.services.sessions import billing, closing, courses, guard, metering, stopping, unbilled
from appliance.services.sessions import start_requests as asked
from appliance.services.sessions import starting as service
from appliance.services.sessions.authorization import announce_refused, decide, group_token, unless_stopped
from appliance.services.sessions.billing import Pace


def transaction_event(db: Database, station: StationId, event: TransactionEvent) -> Authorization | None:
    """A message of a transaction. The answer is about the card that it tells of, None without one."""
    known = rows.find(db, station, event.ref)
    before = known.order if known is not None else Order()
    order, arrival = receive(before, event.seq_no, ends=event.stage is Stage.ENDED)
    if known is not None and arrival is Arrival.REPEATED:
        return answer(db, station, load(db, known), event)
    if known is None:
        known = begin(db, station, event)
    elif event.stage is Stage.STARTED and arrival is Arrival.NEW:
        told_late(db, load(db, known), event)
        rows.set_start(db, load(db, known), event.evse, free_start_ms(db, station, event), event.register_wh)
        if event.register_wh is not None:
            unbilled.at_start(db, load(db, known))
    rows.set_order(db, known.session, before, order)
    if arrival is Arrival.AFTER_END:
        keep_readings(db, known, event)
        return answer(db, station, load(db, known), event)
    authorization = authorize(db, station, load(db, known), event) if event.id_token else None
    known = rows.find(db, station, event.ref)
    assert known is not None, "it was just written"
    running = load(db, known)
    if running.state in OVER:
        complete(db, known, running, event)
    elif event.stage is Stage.ENDED:
        guard.stop_agrees(db, running, event.register_wh, event.received_at_ms)
        running, _ = measure(db, known, running, event)
        closing.close(db, running, end_of(event))
    else:
        running, pace = measure(db, known, running, event)
        readings = metering.dated(event.readings, event.received_at_ms)
        at_ms = readings[-1].at_ms if readings else min(event.at_ms, event.received_at_ms)
        guard.look_after(db, running, readings, pace, at_ms, event.received_at_ms)
        metering.announce(db, running, "measured")
    return authorization


def load(db: Database, known: Named) -> Running:
    """The session, open or not."""
    running = sessions.find_open(db, known.session) or sessions.load(db, known.session)
    assert running is not None, "a transaction has a session"
    return running


# --- the start -------------------------------------------------------------------------------------------------------------


def begin(db: Database, station: StationId, event: TransactionEvent) -> Named:
    """A transaction is heard of for the first time, not always by the message with which it began. It is nobody's yet."""
    service.close_forgotten(db, station, start_of(event))
    starts = event.stage is Stage.STARTED
    running = sessions.insert_started(
        db,
        state=after(None, SessionEvent.BEGAN),
        started_at_ms=free_start_ms(db, station, event),
        station=station,
        evse=event.evse,
        id_token="",
        meter_start_wh=event.register_wh if starts else None,
        payer=None,
        authorization=None,
        received_at_ms=event.received_at_ms,
    )
    assert running is not None, "its start is no other's"
    start_known = starts and event.register_wh is not None
    rows.add(db, station, event.ref, running.id, start_known=start_known)
    if start_known:
        unbilled.at_start(db, running)
    metering.announce(db, running, "started")
    known = rows.find(db, station, event.ref)
    assert known is not None, "it was just written"
    return known


def start_of(event: TransactionEvent) -> TransactionStarted:
    """The message as that of a start."""
    return TransactionStarted(
        event.evse, event.id_token, event.register_wh or 0, event.at_ms, event.received_at_ms, event.id_token_type
    )


def free_start_ms(db: Database, station: StationId, event: TransactionEvent) -> int:
    """When it began: the station's word, moved by milliseconds where another session began just so (clocks that start anew)."""
    at_ms = event.at_ms
    while True:
        found = sessions.find_like(db, at_ms, station, event.evse, event.register_wh)
        if all(rows.ref_of(db, one) == event.ref for one in found):
            return at_ms
        at_ms += 1


# --- the card --------------------------------------------------------------------------------------------------------------


def authorize(db: Database, station: StationId, running: Running, event: TransactionEvent) -> Authorization:
    """A card was shown for it. The first one pays; another, later, is whoever stops it."""
    if running.id_token:
        return answer(db, station, running, event) or Authorization(AuthorizationStatus.INVALID)
    payer = payers.by_token(db, event.id_token, event.id_token_type)
    if running.state is SessionState.RUNNING:
        start_request = start_requests.find(db, station, running.evse, event.id_token)
        if start_request is None and payer is not None:
            start_request = start_requests.find(db, station, running.evse, payer.uid)
        if start_request is None:
            start_request = asked.under_another_name(db, station, running.evse, payer, event.at_ms)
        if start_request is not None:
            return join(db, start_request, running, event)
    payer = service.payer_of_start(db, station, start_of(event), payer)
    status = AuthorizationStatus.INVALID
    authorization = Authorization(status)
    if payer is not None:
        payer = closing.close_left_by(db, payer, station, running.evse, event.received_at_ms)
        payer = placed(db, payer, station, running.evse)
        authorization = decide(db, payer, station, event.received_at_ms, starting=True)
        authorization = unless_stopped(db, payer, authorization)
        status = authorization.status
    holds = payer is not None and authorization.accepted and running.state is SessionState.RUNNING
    held_minor = billing.first_slice_minor(db, payer) if payer is not None and holds else 0
    uid = payer.uid if payer is not None else ""
    told_late(db, running, event)
    id_token = IdToken(uid or event.id_token, event.id_token_type)
    rows.set_payer(db, running, id_token, payer, status, held_minor, authorization.limited_by)
    paid_for = sessions.load(db, running.id)
    assert paid_for is not None
    courses.remember_start(db, paid_for, payer)
    billing.hold_first(db, paid_for, By(f"station:{station}", event.received_at_ms))
    metering.announce(db, paid_for, "started")
    if payer is not None and payer.card is not None:
        misuse.check_start(db, payer, station, status, start_of(event))
    return announce_refused(db, station, event.id_token, authorization)


def told_late(db: Database, running: Running, event: TransactionEvent) -> None:
    """How a session began is told when it is over: what is sealed of it changes (db/integrity/session_seals.py)."""
    if running.state in OVER:
        audit.record(
            db, By(f"station:{running.station}", event.received_at_ms), "session.late", f"session:{running.id}"
        )


def join(db: Database, start_request: Running, running: Running, event: TransactionEvent) -> Authorization:
    """The cable was in before, and this is the start that was asked for: its money is held already."""
    audit.record(
        db, By(f"station:{running.station}", event.received_at_ms), "session.join", f"session:{start_request.id}", gone=running.id
    )  # fmt: skip
    rows.move(db, running, start_request.id)
    start_requests.fulfil(
        db,
        start_request,
        after(start_request.state, SessionEvent.BEGAN),
        evse=running.evse,
        started_at_ms=running.started_at_ms,
        meter_start_wh=running.meter_start_wh,
        received_at_ms=running.heard_at_ms,
    )
    rows.forget(db, start_request)  # Its readings came before it.
    metering.announce(db, start_request, "started")
    payer = payers.by_token(db, event.id_token, event.id_token_type)
    return Authorization(AuthorizationStatus.ACCEPTED, group_token(payer) if payer is not None else None)


def answer(db: Database, station: StationId, running: Running, event: TransactionEvent) -> Authorization | None:
    """What a card is told that was shown before, or by which a session is stopped."""
    if not event.id_token:
        return None
    payer = payers.by_token(db, event.id_token, event.id_token_type)
    if running.id_token in {event.id_token, payer.uid if payer is not None else ""}:
        status = sessions.authorization_of(db, running.id)
        return Authorization(status, group_token(payer) if payer is not None else None)
    return stopping.authorization_of_stopper(db, station, running, event.id_token, end_of(event))


# --- readings, and what comes late -----------------------------------------------------------------------------------------


def measure(db: Database, known: Named, running: Running, event: TransactionEvent) -> tuple[Running, Pace]:
    """Keep the readings and what they say of the energy, also of the register at the start where that was not told."""
    if known.start_known:
        return running, metering.take_in(db, running, metering.dated(event.readings, event.received_at_ms))
    keep_readings(db, known, event)
    lowest_wh = rows.lowest_register(db, known.session)
    if lowest_wh is None and event.stage is Stage.ENDED:
        lowest_wh = event.register_wh
    if lowest_wh is not None:
        rows.set_meter_start(db, running, lowest_wh)
    return load(db, known), Pace(0, 0, 0)


def keep_readings(db: Database, known: Named, event: TransactionEvent) -> None:
    """Readings are kept with it, whatever they mean."""
    for reading in metering.dated(event.readings, event.received_at_ms):
        samples.add_reading(db, known.session, reading)


def complete(db: Database, known: Named, running: Running, event: TransactionEvent) -> None:
    """It is over, and something more is known of it: its bill is set right, unless somebody has looked, or is to look, at it."""
    end = rows.end_of(db, known.session)
    is_awaited = running.state is SessionState.REVIEW and end.estimated and not end.reason
    if not is_awaited and (running.state is not SessionState.ENDED or end.note in set(Doubt)):
        keep_readings(db, known, event)
        return
    running, _ = measure(db, known, running, event)
    ended_at_ms, meter_stop_wh, reason, estimated = end.ended_at_ms, end.meter_stop_wh, end.reason, end.estimated
    if event.stage is Stage.ENDED:
        ended_at_ms = closing.end_of(db, running, end_of(event), neighbours.next_start(db, running))
        meter_stop_wh, reason, estimated = event.register_wh, event.reason, False
    closing.set_right(
        db,
        running,
        ended_at_ms=max(ended_at_ms, min(running.started_at_ms, running.heard_at_ms)),
        meter_stop_wh=meter_stop_wh,
        reason=reason,
        estimated=estimated,
        times=1 + rows.count_correction(db, known.session),
        now_ms=event.received_at_ms,
    )


def end_of(event: TransactionEvent) -> TransactionEnded:
    """The message as that of an end; its readings have been taken already."""
    return TransactionEnded(
        event.ref, event.id_token or None, event.register_wh, event.at_ms, event.reason, (), event.received_at_ms,
        event.id_token_type,
    )  # fmt: skip
