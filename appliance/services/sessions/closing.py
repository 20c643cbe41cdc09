"""How a session ends: by the station's stop, by an estimate when the stop never came, and corrected when it comes after all.

Also the parking fee of a car that stays plugged in after its transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.people.payers import Payer
from appliance.db.sessions import closing, neighbours, samples, sessions
from appliance.db.sessions.closing import Ended, Figure
from appliance.db.sessions.sessions import Running
from appliance.domain import moments
from appliance.domain import session as rules
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.by import By
from appliance.domain.energies import Doubt, Energies
from appliance.domain.errors import NotFound
from appliance.domain.events import TransactionEnded
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.moments import CLOCKS_APART_MS, Source, Told
from appliance.domain.problem import ProblemKind
from appliance.domain.registers import JITTER_WH
from appliance.domain.session import SessionEvent, SessionState, after, bill_for, usage_until
from appliance.services import audit, problems, settings
from appliance.services.announce import SessionChanged, StationChanged
from appliance.services.sessions import billing, bills, courses, days, guard, idle, metering, reading, unbilled
from appliance.services.signed_meter import comparing
from appliance.services.stations import power

LOST_AFTER_MS = 24 * 3_600_000
"""A station's queue may be long: so much time has a stop to come."""
POWER_SEEN_W_MAX = 4_000_000
"""Nothing that charges a vehicle measures more: what says so is no lesson."""


def close(db: Database, running: Running, event: TransactionEnded) -> None:
    """The station says that the transaction is over: bill it, or keep it for review if the figures cannot be right."""
    following, start, stop = neighbours.next_start(db, running), running.start, stop_of(db, running, event)
    began_ms, ended_at_ms = span_of(running, start, stop, event.away, following)
    if began_ms != running.started_at_ms and running.start_known:
        sessions.set_began(db, running, began_ms, running.source)
    finish(
        db,
        running,
        SessionEvent.STOPPED,
        ended_at_ms=ended_at_ms,
        stood_still=stop.stamp_ms <= start.stamp_ms,
        meter_stop_wh=event.meter_stop_wh,
        energies=energies_at_end(
            db, running, (ended_at_ms, event.meter_stop_wh), following, times_of(event), event.meter_stop_mwh
        ),
        reason=event.reason,
        now_ms=event.received_at_ms,
    )


def span_of(
    running: Running, start: Told, stop: Told, away: tuple[int, int] | None, following: tuple[int, int] | None
) -> tuple[int, int]:
    """When it began and ended: not after we heard of its stop, and not after the next session of its EVSE began."""
    of_a_queue = None if away is None else moments.span_of_a_queue(start, stop, away)
    began_ms, ended_at_ms = of_a_queue or moments.span(start, stop, running.measured_at_ms)
    if following is not None:
        ended_at_ms = max(began_ms, min(ended_at_ms, following[0]))
    return began_ms, ended_at_ms


def end_of(db: Database, running: Running, event: TransactionEnded, following: tuple[int, int] | None) -> int:
    """When it ended of which the stop comes late: its beginning stays."""
    _, ended_at_ms = span_of(running, running.start, stop_of(db, running, event), event.away, following)
    return max(min(running.started_at_ms, running.heard_at_ms), ended_at_ms)


def stop_of(db: Database, running: Running, event: TransactionEnded) -> Told:
    """Its stop, as it was told."""
    stamp_ms = event.at_ms if event.stamp_ms is None else event.stamp_ms
    if metering.has_waited(db, running, stamp_ms, event.received_at_ms, event.source):
        return Told(stamp_ms, stamp_ms + running.behind_ms, event.received_at_ms, Source.QUEUE)
    return Told(stamp_ms, event.at_ms, event.received_at_ms, event.source)


def energies_at_end(
    db: Database,
    running: Running,
    stop: tuple[int, int | None] | None,
    following: tuple[int, int] | None,
    when: tuple[int, int] | None = None,
    stop_mwh: int | None = None,
) -> Energies:
    """What its registers say at its end; `following` is the next start of its EVSE, beyond which it does not go; `when` as `times_of` has it."""
    return reading.energies_at_end(db, running, stop, None if following is None else following[1], when, stop_mwh)


def times_of(event: TransactionEnded) -> tuple[int, int]:
    """When a stop was, by its station, and when we heard of it."""
    return min(event.at_ms, event.received_at_ms), event.received_at_ms


def close_estimated(
    db: Database, running: Running, before_ms: int, now_ms: int, why: str, following: tuple[int, int] | None = None
) -> None:
    """End a session whose stop was lost, at its last reading; if the stop comes later, the bill is corrected."""
    last = samples.last_register(db, running.id)
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    ended_at_ms = min(max(running.measured_at_ms, begun_ms), max(before_ms, begun_ms))
    finish(
        db,
        running,
        SessionEvent.ESTIMATED,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=last[0] if last else None,
        energies=energies_at_end(db, running, None, following),
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
        if running is not None:
            end_left(db, running, now_ms)


def close_left_by(db: Database, payer: Payer, station: StationId, evse: int, now_ms: int) -> Payer:
    """A card begins on this EVSE: end what it has left anywhere else. The payer as it stands then."""
    if not payer.holder.running:
        return payer
    for number in sessions.open_of_token(db, payer.uid):
        running = sessions.find_open(db, number)
        if running is not None and (running.station, running.evse) != (station, evse):
            end_left(db, running, now_ms)
    return payers.by_token(db, payer.uid) or payer


def end_left(db: Database, running: Running, now_ms: int) -> None:
    """End it, if its connector is free since."""
    if running.evse and guard.has_left(db, running):
        problems.clear_subject(db, f"session:{running.id}", now_ms)
        close_estimated(db, running, now_ms, now_ms, "left")


def close_lost(db: Database, now_ms: int) -> None:
    """End the sessions of which nothing was heard for a day while their connector is free: their stop was lost."""
    for session, station, heard_at_ms in sessions.heard_of(db):
        running = sessions.find_open(db, session)
        if running is None or now_ms - running.heard_at_ms <= LOST_AFTER_MS:
            continue
        if not running.evse:
            # It could not be read where it began, so no connector tells that it is over.
            if now_ms - heard_at_ms > LOST_AFTER_MS:
                close_estimated(db, running, now_ms, now_ms, "unheard")
            continue
        free_since_ms = closing.free_since(db, station, running.evse)
        if free_since_ms is not None and free_since_ms <= now_ms - LOST_AFTER_MS and guard.has_left(db, running):
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
    stood_still: bool = False,
) -> None:
    """Price, settle, write down."""
    if running.is_idle:
        sessions.close_idle(db, running, ended_at_ms)
    if running.is_paused:
        sessions.close_pause(db, running, ended_at_ms)
    if is_by_our_clock(db, running, ended_at_ms):
        note = note or "clock"
    running.energy_wh = energies.energy_wh
    usage = usage_until(running, ended_at_ms)
    in_doubt = doubt_about(db, running, energies)
    figures = []
    if contradicts(in_doubt):
        figures = [Figure(replace(usage, energy_wh=one), ended_at_ms, meter_stop_wh) for one in figures_of(energies)]
        # What nobody has believed yet is in no sum.
        usage = replace(usage, energy_wh=0)
    elif in_doubt and courses.terms_of(running) is not None:
        figures = [Figure(usage, ended_at_ms, meter_stop_wh)]  # What it would cost is kept with it.
    usage = usage if in_doubt else courses.with_course(db, running, usage, ended_at_ms)
    bill = bill_for(usage, None if in_doubt else running.tariff)
    state = after(running.state, SessionEvent.DOUBTED if in_doubt else event)
    estimated = event is SessionEvent.ESTIMATED
    if in_doubt:
        ask_for_review(db, running, in_doubt, courses.priced_figures(db, running, figures), now_ms)
    else:
        billing.settle(db, running, bill, By(f"station:{running.station}", now_ms))
        power.measured(
            db, running.station, running.evse, min(running.power_seen_w, POWER_SEEN_W_MAX), now_ms
        )  # That nobody doubts.
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
        parked_since_ms=None if in_doubt or estimated else idle.parked_since(db, running, ended_at_ms, now_ms),
        note=in_doubt or note,
        stood_still=stood_still,
    )
    courses.keep_lines(db, running, usage, bill)
    bills.issue(db, running, bill, now_ms, is_first=True)
    if running.is_signed and not in_doubt:
        comparing.compare(db, running, usage.energy_wh, now_ms)
    days.add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))
    db.announce(StationChanged(running.station, running.evse))


def is_by_our_clock(db: Database, running: Running, ended_at_ms: int) -> bool:
    """Whether its station's word for its beginning was so wrong that ours counts; a clock that is a little ahead is none of that."""
    begun_ms = rules.begun_ms(running.started_at_ms, running.heard_at_ms, ended_at_ms)
    if begun_ms < running.heard_at_ms - CLOCKS_APART_MS:
        return False
    return abs(begun_ms - running.start.stamp_ms) > settings.of(db).clock_skew_s * 1000


def doubt_about(db: Database, running: Running, energies: Energies) -> str:
    """Why what its registers say is not billed before somebody has looked; "" if it can be."""
    found = rules.doubts(energies, settings.of(db).session_energy_max_wh)
    if running.refused and energies.energy_wh:
        if running.wallet is None:
            found += (Doubt.NOBODY,)
        elif sessions.authorization_of(db, running.id) is AuthorizationStatus.INVALID:
            # The card may charge, and its payer is known: only its start could not be read (`in_part`).
            found += (Doubt.NO_START,)
    return next(iter(found), "")


def contradicts(in_doubt: str) -> bool:
    """Whether its energy is in doubt, and not only who pays for it."""
    return in_doubt not in ("", Doubt.NOBODY)


def figures_of(energies: Energies) -> tuple[int, ...]:
    """The energies of which one may be true, the one that is believed first."""
    return energies.figures or ((energies.energy_wh,) if energies.energy_wh else ())


def ask_for_review(db: Database, running: Running, why: str, figures: Sequence[Figure], now_ms: int) -> None:
    """Show the session to the staff, with what it may be billed for; what was held stays so until they have decided (`review`)."""
    closing.set_figures(db, running.id, figures)
    station, session = int(running.station), int(running.id)
    told = {"this_wh": figures[0].usage.energy_wh, "that_wh": figures[-1].usage.energy_wh} if figures else {}
    problems.raise_problem(
        db, ProblemKind.REVIEW, f"session:{session}", now_ms, station=station, session=session, why=why, **told
    )


def stop_late(db: Database, station: StationId, event: TransactionEnded) -> bool:
    """A stop of a session that is over: that of an estimate sets its bill right, and any other with another register than the one
    before has to be looked at. Whether there was such a session.
    """
    if not isinstance(event.ref, int) or event.ref <= 0:
        return False
    closed = closing.find_closed(db, SessionId(event.ref))
    if closed is None or closed.station != station or closed.state is SessionState.FAILED:
        return False
    running = sessions.load(db, closed.id)
    assert running is not None
    if closed.estimated and not closed.reason:
        metering.keep_signed(db, running.id, event)
        keep_readings(db, running, metering.told_with_stop(running, event))
        set_right(
            db,
            running,
            ended_at_ms=end_of(db, running, event, neighbours.next_start(db, running)),
            meter_stop_wh=event.meter_stop_wh,
            reason=event.reason,
            estimated=False,
            times=1,
            now_ms=event.received_at_ms,
            meter_stop_mwh=event.meter_stop_mwh,
        )
    elif is_another_stop(closed, event):
        doubt_second_stop(db, running, closed, event)
    return True


def is_another_stop(closed: Ended, event: TransactionEnded) -> bool:
    """Whether a stop contradicts the one that was told before; nothing is said against what staff have decided."""
    decided = closed.state is SessionState.ENDED and closed.note in set(Doubt)
    return not decided and event.meter_stop_wh is not None and event.meter_stop_wh != closed.meter_stop_wh


def doubt_second_stop(db: Database, running: Running, closed: Ended, event: TransactionEnded) -> None:
    """Its station tells of the stop once more, with another register: what was billed stays until somebody has looked.

    A meter that was read twice in one moment may differ by a little, and that is nobody's question.
    """
    following = neighbours.next_start(db, running)
    ended_at_ms = end_of(db, running, event, following)
    stop = ended_at_ms, event.meter_stop_wh
    found = energies_at_end(db, running, stop, following, times_of(event), event.meter_stop_mwh)
    figures = closing.figures(db, closed.id) if closed.state is SessionState.REVIEW else []
    if not figures:
        usage, _ = closing.bill_of(db, closed.id)
        figures = [Figure(usage, closed.ended_at_ms, closed.meter_stop_wh)]
    known = [one.usage.energy_wh for one in figures]
    more = [one for one in (found.energy_wh, *found.figures) if all(abs(one - wh) > JITTER_WH for wh in known)]
    if not more:
        return
    # What it says last is offered last.
    running.energy_wh = more[-1]
    figures.append(Figure(usage_until(running, ended_at_ms), ended_at_ms, event.meter_stop_wh))
    state = after(closed.state, SessionEvent.DOUBTED)
    closing.doubt(db, running, state, closed.meter_stop_wh, closed.reason, Doubt.SECOND_STOP)
    closing.unpark(db, closed.id)
    told_anew(db, running, event.received_at_ms)
    ask_for_review(db, running, Doubt.SECOND_STOP, courses.priced_figures(db, running, figures), event.received_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))


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
    meter_stop_mwh: int | None = None,
) -> None:
    """Bill a session that is over once more, by what is known of it now: the difference in money, its row, its days.

    `times` counts the corrections. If the figures cannot be right, the bill stays as it is, and somebody is to look.
    """
    stop = None if estimated else (ended_at_ms, meter_stop_wh)
    energies = energies_at_end(db, running, stop, neighbours.next_start(db, running), stop_mwh=meter_stop_mwh)
    running.energy_wh = energies.energy_wh
    usage = usage_until(running, ended_at_ms)
    billed, before = closing.bill_of(db, running.id)
    in_doubt = doubt_about(db, running, energies)
    state = after(running.state, SessionEvent.DOUBTED if in_doubt else SessionEvent.CORRECTED)
    if contradicts(in_doubt):
        figures = [Figure(replace(usage, energy_wh=one), ended_at_ms, meter_stop_wh) for one in figures_of(energies)]
        if running.state is SessionState.ENDED or billed.energy_wh:
            figures.insert(0, Figure(billed, *closing.end_of(db, running.id)))
        closing.doubt(db, running, state, meter_stop_wh, reason, in_doubt)
        told_anew(db, running, now_ms)
        ask_for_review(db, running, in_doubt, courses.priced_figures(db, running, figures), now_ms)
        db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))
        return
    usage, by = courses.with_course(db, running, usage, ended_at_ms), By(f"station:{running.station}", now_ms)
    bill = bill_for(usage, running.tariff)
    if running.state is SessionState.REVIEW and billing.holds(db, running):
        billing.settle(db, running, bill, by)
    else:
        billing.adjust(db, running, before, bill, times=times, by=by)
    if in_doubt:
        ask_for_review(db, running, in_doubt, (), now_ms)
    elif running.state is SessionState.REVIEW:
        closing.set_figures(db, running.id, ())
        problems.clear_subject(db, f"session:{running.id}", now_ms)
    unbilled.billed(db, running, meter_stop_wh)
    closing.correct(
        db,
        running,
        state,
        ended_at_ms,
        meter_stop_wh,
        reason,
        usage=usage,
        bill=bill,
        estimated=estimated,
        note=in_doubt,
    )
    audit.record(
        db,
        by,
        "session.correct",
        f"session:{running.id}",
        before_minor=before.total_minor,
        after_minor=bill.total_minor,
    )
    courses.keep_lines(db, running, usage, bill)
    bills.issue(db, running, bill, now_ms)
    comparing.compare(db, running, usage.energy_wh, now_ms)
    closing.forget_days(db, running)
    days.add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))


def told_anew(db: Database, running: Running, now_ms: int) -> None:
    """What its station tells of a session that is over changes its row: that is on record."""
    audit.record(db, By(f"station:{running.station}", now_ms), "session.doubt", f"session:{running.id}")


def keep_readings(db: Database, running: Running, readings: Sequence[Reading]) -> None:
    """Readings that came with a late stop."""
    for one in readings:
        samples.add_reading(db, running.id, one)
