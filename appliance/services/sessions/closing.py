"""How a session ends: by the station's stop, by an estimate when the stop never came, and corrected when it comes after all.

Also the parking fee of a car that stays plugged in after its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, sessions
from appliance.db.sessions.sessions import Running
from appliance.domain import registers
from appliance.domain import session as rules
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.events import TransactionEnded
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.problem import ProblemKind
from appliance.domain.registers import Doubt, Energies
from appliance.domain.session import SessionEvent, SessionState, after, bill_for, usage_until
from appliance.domain.tariff import Usage
from appliance.services import audit, problems, settings
from appliance.services.announce import SessionChanged, StationChanged
from appliance.services.sessions import billing, days, guard, idle

LOST_AFTER_MS = 24 * 3_600_000
"""A station's queue may be long: so much time has a stop to come."""


def close(db: Database, running: Running, event: TransactionEnded) -> None:
    """The station says that the transaction is over: bill it, or keep it for review if the figures cannot be right."""
    ended_at_ms = max(event.at_ms, running.started_at_ms)
    finish(
        db,
        running,
        SessionEvent.STOPPED,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=event.meter_stop_wh,
        energies=days.energies_of(running, (ended_at_ms, event.meter_stop_wh)),
        reason=event.reason,
        now_ms=event.received_at_ms,
    )


def close_estimated(db: Database, running: Running, before_ms: int, now_ms: int, why: str) -> None:
    """End a session whose stop was lost, at its last reading; if the stop comes later, the bill is corrected."""
    last = closing.last_register(db, running.id)
    ended_at_ms = min(max(running.measured_at_ms, running.started_at_ms), max(before_ms, running.started_at_ms))
    finish(
        db,
        running,
        SessionEvent.ESTIMATED,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=last[0] if last else None,
        energies=days.energies_of(running, None),
        reason="",
        now_ms=now_ms,
        note=why,
    )


def close_by_hand(db: Database, session: SessionId, by: By) -> None:
    """Staff or a program end a session without its station, which is gone or knows nothing of it any more.

    It is billed up to its last reading; if the station tells of the stop later, the bill is corrected.

    Raises:
        NotFound: No such session runs.
    """
    running = sessions.find_open(db, session)
    if running is None or running.state is not SessionState.RUNNING:
        raise NotFound("There is no such session running.")
    audit.record(db, by, "session.close", f"session:{session}", station=int(running.station))
    problems.clear_subject(db, f"session:{session}", by.at_ms)
    close_estimated(db, running, by.at_ms, by.at_ms, "by_hand")


def close_all(db: Database, station: StationId, by: By) -> None:
    """End all that runs on a station that will not be heard of again."""
    for session in sessions.open_on_station(db, station):
        close_by_hand(db, session, by)


def close_left(db: Database, station: StationId, evse: int, now_ms: int) -> None:
    """End what runs on this EVSE (0: on the station) although its connector has said since that it is free: its stop was lost."""
    there = sessions.all_on_evse(db, station, evse) if evse else sessions.open_on_station(db, station)
    for number in there:
        running = sessions.find_open(db, number)
        if running is not None and running.evse and has_left(db, running):
            problems.clear_subject(db, f"session:{number}", now_ms)
            close_estimated(db, running, now_ms, now_ms, "left")


def has_left(db: Database, running: Running) -> bool:
    """Whether its connector is free since: by the order in which we heard, and after a restart by its station's own times."""
    if running.has_left is not None:
        return running.has_left
    free_since_ms = closing.free_since(db, running.station, running.evse)
    return free_since_ms is not None and free_since_ms > max(running.started_at_ms, running.measured_at_ms)


def close_lost(db: Database, now_ms: int) -> None:
    """End the sessions of which nothing was heard for a day while their connector is free: their stop was lost."""
    for session, station, heard_at_ms in sessions.heard_of(db):
        running = sessions.find_open(db, session)
        if now_ms - heard_at_ms <= LOST_AFTER_MS or running is None:
            continue
        if not running.evse:
            # It could not be read where it began, so no connector tells that it is over.
            close_estimated(db, running, now_ms, now_ms, "unheard")
            continue
        free_since_ms = closing.free_since(db, station, running.evse)
        if free_since_ms is not None and heard_at_ms < free_since_ms <= now_ms - LOST_AFTER_MS:
            close_estimated(db, running, now_ms, now_ms, "unheard")


def finish(
    db: Database,
    running: Running,
    event: SessionEvent,
    *,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    energies: Energies,
    reason: str,
    now_ms: int,
    note: str = "",
) -> None:
    """Price, settle, write down."""
    if running.is_idle:
        sessions.close_idle(db, running, ended_at_ms)
    if rules.begun_ms(running.started_at_ms, running.heard_at_ms, ended_at_ms) != running.started_at_ms:
        note = note or "clock"
    running.energy_wh = energies.energy_wh
    usage = usage_until(running, ended_at_ms)
    in_doubt = doubt_about(db, running, energies, usage)
    bill = bill_for(usage, None if in_doubt else running.tariff)
    state = after(running.state, SessionEvent.DOUBTED if in_doubt else event)
    estimated = event is SessionEvent.ESTIMATED
    if in_doubt:
        ask_for_review(db, running, in_doubt, now_ms)
    else:
        billing.settle(db, running, bill, By(f"station:{running.station}", now_ms))
    if running.refused:
        guard.refused_ended(db, running, now_ms)
    closing.end(
        db,
        running,
        state=state,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=meter_stop_wh,
        reason=reason,
        usage=usage,
        bill=bill,
        estimated=estimated,
        parked_since_ms=None if in_doubt or estimated else idle.parked_since(db, running, min(ended_at_ms, now_ms)),
        note=in_doubt or note,
    )
    days.add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))
    db.announce(StationChanged(running.station, running.evse))


def doubt_about(db: Database, running: Running, energies: Energies, usage: Usage) -> str:
    """Why what its registers say is not billed before somebody has looked; "" if it can be."""
    found = rules.doubts(energies, usage.duration_s, settings.of(db).session_energy_max_wh)
    if running.refused and running.wallet is None and usage.energy_wh:
        found += (Doubt.NOBODY,)
    return next(iter(found), "")


def ask_for_review(db: Database, running: Running, why: str, now_ms: int) -> None:
    """Show the session to the staff; what was held stays so until they have decided (`review`)."""
    station, session = int(running.station), int(running.id)
    problems.raise_problem(
        db, ProblemKind.REVIEW, f"session:{session}", now_ms, station=station, session=session, why=why
    )


def correct_estimate(db: Database, station: StationId, event: TransactionEnded) -> bool:
    """The stop of a session that was closed by an estimate has come: bill the difference. Whether there was one."""
    if not isinstance(event.ref, int) or event.ref <= 0:
        return False
    closed = closing.find_closed(db, SessionId(event.ref))
    if closed is None or closed.station != station or not closed.estimated or closed.state is not SessionState.ENDED:
        return False
    running = sessions.load(db, closed.id)
    assert running is not None
    keep_readings(db, running, event.readings)
    ended_at_ms = max(event.at_ms, running.started_at_ms)
    set_right(
        db,
        running,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=event.meter_stop_wh,
        reason=event.reason,
        estimated=False,
        times=1,
        now_ms=event.received_at_ms,
    )
    return True


def set_right(
    db: Database,
    running: Running,
    *,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    reason: str,
    estimated: bool,
    times: int,
    now_ms: int,
) -> None:
    """Bill a session that is over once more, by what is known of it now: the difference in money, its row, its days.

    `times` counts the corrections. If the figures cannot be right, the bill stays as it is, and somebody is to look.
    """
    energies = days.energies_of(running, None if estimated else (ended_at_ms, meter_stop_wh))
    running.energy_wh = energies.energy_wh
    usage = usage_until(running, ended_at_ms)
    if in_doubt := doubt_about(db, running, energies, usage):
        state = after(running.state, SessionEvent.DOUBTED)
        closing.doubt(db, running.id, state, meter_stop_wh, reason, in_doubt)
        ask_for_review(db, running, in_doubt, now_ms)
        db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))
        return
    _, before = closing.bill_of(db, running.id)
    bill = bill_for(usage, running.tariff)
    billing.adjust(db, running, before, bill, times=times, now_ms=now_ms)
    state = after(running.state, SessionEvent.CORRECTED)
    closing.correct(db, running, state, ended_at_ms, meter_stop_wh, reason, usage=usage, bill=bill, estimated=estimated)
    closing.forget_days(db, running)
    days.add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))


def keep_readings(db: Database, running: Running, readings: Sequence[Reading]) -> None:
    """Readings that came with a late stop."""
    for reading in readings:
        sessions.add_reading(db, running.id, reading)
        if reading.energy_wh is not None:
            running.energy_wh = registers.further(running.energy_wh, running.meter_start_wh, reading.energy_wh)
