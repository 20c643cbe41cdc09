"""Starts, stops and readings that can be read in part only: what they do say counts, and staff are told which session it is about.

Every function here is a unit of work, and may be repeated.
"""

from __future__ import annotations

from appliance.db import problems as problem_rows
from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import neighbours, sessions
from appliance.db.stations import stations
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted, TransactionStartedInPart
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionEvent, after
from appliance.services import problems
from appliance.services.sessions import closing, metering, starting, stopping
from appliance.services.sessions.authorization import decide
from appliance.services.sessions.starting import Started

SESSIONS_NAMED_MAX = 10
"""Problems that one station has with sessions that were told of in part."""
NOBODY = (-1, 0)
"""What stands for a transaction whose number cannot be read, or was never learned."""


def started_in_part(
    db: Database, station: StationId, event: TransactionStartedInPart, note: str, text: str = ""
) -> Started:
    """A start that does not say all: a number to go on with, and a session of what it does say.

    Without a register there is no permission, for nobody could say what is to be paid.
    """
    evse = event.evse or only_evse(db, station)
    known = sessions.find_begun(db, event.at_ms, station, evse, event.id_token)
    if known is not None:
        return Started(known[0], Authorization(known[1]))
    if not evse:
        close_nameless(db, station, event)
    meter_wh = event.meter_start_wh
    start = TransactionStarted(evse, event.id_token, meter_wh or 0, event.at_ms, event.received_at_ms)
    if meter_wh is None:
        started = begin_without_register(db, station, start, note)
    else:
        started = starting.transaction_started(db, station, start)
    report(db, station, started.ref, note, text, event.received_at_ms)
    return started


def only_evse(db: Database, station: StationId) -> int:
    """The EVSE of a station that has no other; 0 where it may be any."""
    evses = {connector.evse for connector in stations.connectors(db, station) if connector.evse}
    return evses.pop() if len(evses) == 1 else 0


def close_nameless(db: Database, station: StationId, event: TransactionStartedInPart) -> None:
    """End what runs at no EVSE that is known and that nobody pays for, or the same card: after the next start nobody will stop it."""
    for number in sessions.all_on_evse(db, station, 0):
        forgotten = sessions.find_open(db, number)
        assert forgotten is not None, "it was just found open"
        if forgotten.person is None or forgotten.id_token == event.id_token:
            closing.close_estimated(db, forgotten, event.at_ms, event.received_at_ms, "superseded")
            problems.clear_subject(db, f"session:{number}", event.received_at_ms)


def begin_without_register(db: Database, station: StationId, event: TransactionStarted, note: str) -> Started:
    """It begins where the session before it at this EVSE ended, as meters do; else with the first register that is told (`stopping`).
    Whoever's card it is pays, once somebody has looked.
    """
    starting.close_forgotten(db, station, event)
    payer = payers.by_token(db, event.id_token) if event.id_token else None
    running = sessions.insert_started(
        db,
        state=after(None, SessionEvent.BEGAN),
        started_at_ms=event.at_ms,
        station=station,
        evse=event.evse,
        id_token=event.id_token,
        meter_start_wh=neighbours.last_stop(db, station, event.evse) if event.evse else None,
        payer=payer,
        authorization=AuthorizationStatus.INVALID,
        received_at_ms=event.received_at_ms,
        note=note,
        pays_as=decide(db, payer, station, event.received_at_ms, starting=True).status if payer is not None else None,
    )
    assert running is not None, "no session began so"
    metering.announce(db, running, "started")
    return Started(running.id, Authorization(AuthorizationStatus.INVALID))


def read_in_part(db: Database, station: StationId, event: MeterRead, note: str, text: str = "") -> None:
    """Readings of which those count that are whole; staff are told when none is."""
    metering.meter_read(db, station, event)
    if not event.readings:
        running = metering.find(db, station, event.ref) if event.ref is not None else None
        report(db, station, running.id if running is not None else None, note, text, event.received_at_ms)


def ended_in_part(
    db: Database, station: StationId, event: TransactionEnded, note: str, text: str = ""
) -> Authorization | None:
    """A stop that does not say all: it ends the session that it names, or that only can be meant; the bill is made of what is known."""
    if event.id_token is None and event.meter_stop_wh is None and event.ref in NOBODY:
        report(db, station, None, note, text, event.received_at_ms)
        return None
    running = metering.find(db, station, event.ref) or metering.guess(db, station, event)
    session = running.id if running is not None else ended_before(db, station, event)
    authorization = stopping.transaction_ended(db, station, event)
    report(db, station, session, note, text, event.received_at_ms)
    return authorization


def ended_before(db: Database, station: StationId, event: TransactionEnded) -> SessionId | None:
    """The session of a stop that comes once more, or late."""
    closed = closing_rows.find_closed(db, SessionId(event.ref)) if isinstance(event.ref, int) else None
    return closed.id if closed is not None and closed.station == station else None


def report(db: Database, station: StationId, session: SessionId | None, note: str, text: str, now_ms: int) -> None:
    """Staff compare the message with the session; of what names none they can only be told that it came, and of what follows the
    first `SESSIONS_NAMED_MAX` of a station that they still have to look at, how often.
    """
    subject, details = f"station:{station}", {"station": int(station), "note": note, "text": text}
    if session is not None and is_named(db, station, session):
        subject, details = f"session:{session}", details | {"session": int(session)}
    problems.raise_problem(db, ProblemKind.UNREADABLE, subject, now_ms, **details)


def is_named(db: Database, station: StationId, session: SessionId) -> bool:
    """Whether such a message is a problem of its session: there is one already, or there are not too many yet."""
    if problem_rows.find_open(db, ProblemKind.UNREADABLE, f"session:{session}") is not None:
        return True
    return problem_rows.count_open_at(db, ProblemKind.UNREADABLE, int(station)) < SESSIONS_NAMED_MAX
