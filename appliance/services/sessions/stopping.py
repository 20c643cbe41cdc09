"""The station's word that a transaction is over: billed, and always accepted. Also stops of what nobody knows."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import sessions, transactions
from appliance.db.sessions.sessions import Running
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.events import (
    TransactionEnded,
)
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.problem import ProblemKind
from appliance.services import problems
from appliance.services.sessions import closing, guard, metering
from appliance.services.sessions.authorization import announce_refused, decide


def transaction_ended(db: Database, station: StationId, event: TransactionEnded) -> Authorization | None:
    """A transaction is over: it is billed, and its stop is always accepted. The answer is about who stopped it, if that is a card that may."""
    running = metering.find(db, station, event.ref) or metering.guess(db, station, event)
    if running is not None:
        running = with_start(db, running, event)
        running.is_signed = metering.keep_signed(db, running.id, event)
        guard.stop_agrees(db, running, event.meter_stop_wh, event.received_at_ms)
        if readings := metering.told_with_stop(running, event):
            metering.take_in(db, running, readings)
        closing.close(db, running, event)
    elif not closing.stop_late(db, station, event):
        report_stray(db, station, event)
    if event.id_token is None:
        return None
    authorization = authorization_of_stopper(db, station, running, event.id_token, event)
    return authorization and announce_refused(db, station, event.id_token, authorization)


def with_start(db: Database, running: Running, event: TransactionEnded) -> Running:
    """A session whose start told no register (`in_part`) began with the lowest that was told since."""
    if running.meter_start_wh or not running.refused or sessions.has_start(db, running.id):
        return running
    told = (
        transactions.lowest_register(db, running.id),
        event.meter_stop_wh,
        *(one.energy_wh for one in event.readings),
    )
    transactions.set_meter_start(db, running, min((wh for wh in told if wh is not None), default=0))
    return sessions.find_open(db, running.id) or running


def report_stray(db: Database, station: StationId, event: TransactionEnded) -> None:
    """A stop of something we do not know, or of another station's session: never obeyed, shown to the staff."""
    kind = ProblemKind.STRAY_STOP
    if isinstance(event.ref, int) and event.ref > 0:
        closed = closing_rows.find_closed(db, SessionId(event.ref))
        if closed is not None and closed.station == station:
            return  # The same stop once more.
        if sessions.station_of(db, SessionId(event.ref)) not in (None, station):
            kind = ProblemKind.FOREIGN_TRANSACTION
    problems.raise_problem(
        db, kind, f"station:{station}", event.received_at_ms, station=int(station), ref=str(event.ref)
    )


def authorization_of_stopper(
    db: Database, station: StationId, running: Running | None, id_token: str, event: TransactionEnded
) -> Authorization | None:
    """Information only: the transaction is over, whoever ended it. Nothing about a card that could not have ended it, so that
    whoever makes up stops learns of no card.
    """
    began_with = running.id_token if running is not None else token_of_closed(db, station, event)
    if began_with == id_token:  # As nearly always: who pays need not be asked.
        return authorization_of_holder(db, id_token, event.received_at_ms)
    payer = payers.by_token(db, id_token, event.id_token_type)
    if payer is None:
        return None
    if began_with == payer.uid:
        return authorization_of_holder(db, id_token, event.received_at_ms)
    if running is None or payer.person != running.person:
        return None
    return decide(db, payer, station, event.received_at_ms, starting=False)


def token_of_closed(db: Database, station: StationId, event: TransactionEnded) -> str | None:
    """What began the session of a stop that comes once more, or late."""
    closed = closing_rows.find_closed(db, SessionId(event.ref)) if isinstance(event.ref, int) else None
    return closed.id_token if closed is not None and closed.station == station else None


def authorization_of_holder(db: Database, id_token: str, at_ms: int) -> Authorization:
    """The card that began it: whether it may begin another is asked then, so its standing is enough."""
    known = payers.standing(db, id_token)
    if known is not None and known[0]:
        return Authorization(AuthorizationStatus.BLOCKED)
    if known is not None and known[1] is not None and known[1] <= at_ms:
        return Authorization(AuthorizationStatus.EXPIRED)
    return Authorization(AuthorizationStatus.ACCEPTED)
