"""How a session ends: by the station's stop, by an estimate when the stop never came, and corrected when it comes after all.

Also the parking fee of a car that stays plugged in after its transaction.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections.abc import Sequence

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, sessions
from appliance.db.sessions.sessions import Running
from appliance.domain.calendar import day_of, midnights
from appliance.domain.clock import begun_ms
from appliance.domain.errors import NotFound
from appliance.domain.events import TransactionEnded
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.station import cable_is_in
from appliance.domain.tariff import FREE, Bill, Usage, chargeable_idle, idle_after_grace, price, split
from appliance.services import audit, problems, settings
from appliance.services.announce import SessionChanged, StationChanged
from appliance.services.sessions import billing

LOST_AFTER_MS = 24 * 3_600_000
"""A station's queue may be long: so much time has a stop to come."""


def close(db: Database, running: Running, event: TransactionEnded) -> None:
    """The station says that the transaction is over: bill it, or keep it for review if the figures cannot be right."""
    ended_at_ms = max(event.at_ms, running.started_at_ms)
    energy_wh = energy_of(running, event.meter_stop_wh)
    finish(
        db,
        running,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=event.meter_stop_wh,
        energy_wh=energy_wh,
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
        ended_at_ms=ended_at_ms,
        meter_stop_wh=last[0] if last else None,
        energy_wh=running.energy_wh,
        reason="",
        now_ms=now_ms,
        estimated=True,
        note=why,
    )


def energy_of(running: Running, meter_stop_wh: int | None) -> int | None:
    """The energy of a session by its registers; None if they contradict each other.

    A stop below the start comes from a meter that was reset, or from a station that has lost it (-1 on some): then the
    highest reading in between counts, if there is one.
    """
    if meter_stop_wh is not None and meter_stop_wh >= running.meter_start_wh:
        return meter_stop_wh - running.meter_start_wh
    return running.energy_wh or None


def close_by_hand(db: Database, session: SessionId, actor: str, now_ms: int) -> None:
    """Staff or a program end a session without its station, which is gone or knows nothing of it any more.

    It is billed up to its last reading; if the station tells of the stop later, the bill is corrected.

    Raises:
        NotFound: No such session runs.
    """
    running = sessions.find_open(db, session)
    if running is None or running.state != "running":
        raise NotFound("There is no such session running.")
    audit.record(db, actor, "session.close", f"session:{session}", now_ms, station=int(running.station))
    close_estimated(db, running, now_ms, now_ms, "by_hand")
    problems.clear_subject(db, f"session:{session}", now_ms)


def close_all(db: Database, station: StationId, actor: str, now_ms: int) -> None:
    """End all that runs on a station that will not be heard of again."""
    for session in sessions.open_on_station(db, station):
        close_by_hand(db, session, actor, now_ms)


def close_lost(db: Database, now_ms: int) -> None:
    """End the sessions of which nothing was heard for a day while their connector is free: their stop was lost."""
    for session, station, heard_at_ms in sessions.heard_of(db):
        running = sessions.find_open(db, session)
        if now_ms - heard_at_ms <= LOST_AFTER_MS or running is None:
            continue
        free_since_ms = closing.free_since(db, station, running.evse)
        if free_since_ms is not None and heard_at_ms < free_since_ms <= now_ms - LOST_AFTER_MS:
            close_estimated(db, running, now_ms, now_ms, "unheard")


def finish(
    db: Database,
    running: Running,
    *,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    energy_wh: int | None,
    reason: str,
    now_ms: int,
    estimated: bool = False,
    note: str = "",
) -> None:
    """Price, settle, write down."""
    if running.idle_since_ms is not None:
        sessions.close_idle(db, running.id, ended_at_ms)
    in_doubt = doubt_about(db, energy_wh)
    began_ms = begun_ms(running.started_at_ms, running.heard_at_ms, ended_at_ms)
    if began_ms != running.started_at_ms:
        running, note = dataclasses.replace(running, started_at_ms=began_ms), note or "clock"
    usage = usage_of(db, running, energy_wh or 0, ended_at_ms)
    bill = price(usage, FREE) if in_doubt else billing.bill_for(running, usage)
    state = "review" if in_doubt else "ended"
    if in_doubt:
        give_back_for_review(db, running, in_doubt, now_ms)
    else:
        billing.settle(db, running, bill, f"station:{running.station}", now_ms)
    closing.end(
        db,
        running,
        state=state,
        ended_at_ms=ended_at_ms,
        meter_stop_wh=meter_stop_wh,
        reason=reason,
        energy_wh=usage.energy_wh,
        duration_s=usage.duration_s,
        idle_s=usage.idle_s,
        net_minor=bill.net_minor,
        tax_minor=bill.tax_minor,
        estimated=estimated,
        parked_since_ms=None if in_doubt or estimated else parked_since(db, running, min(ended_at_ms, now_ms)),
        note=in_doubt or note,
    )
    add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, state))
    db.announce(StationChanged(running.station, running.evse))


def doubt_about(db: Database, energy_wh: int | None) -> str:
    """Why this energy is not billed before somebody has looked; "" if it can be."""
    if energy_wh is None:
        return "registers"
    return "too_much" if energy_wh > settings.of(db).session_energy_max_wh else ""


def give_back_for_review(db: Database, running: Running, why: str, now_ms: int) -> None:
    """Let go of what was held, and show the session to the staff."""
    billing.release(db, running, f"station:{running.station}", now_ms)
    station, session = int(running.station), int(running.id)
    problems.raise_problem(db, "review", f"session:{session}", now_ms, station=station, session=session, why=why)


def usage_of(db: Database, running: Running, energy_wh: int, ended_at_ms: int) -> Usage:
    """What a session used until its end."""
    duration_s = max(0, ended_at_ms - running.started_at_ms) // 1000
    if not running.idle_s and running.idle_since_ms is None:
        return Usage(energy_wh, duration_s, 0)
    spans = sessions.idle_spans(db, running.id)
    grace_s = running.tariff.idle_grace_s if running.tariff else 0
    return Usage(energy_wh, duration_s, min(chargeable_idle(spans, grace_s), duration_s))


def parked_since(db: Database, running: Running, ended_at_ms: int) -> int | None:
    """From when the place is taken without charging, if the tariff minds and the cable is still in."""
    if running.tariff is None or not running.tariff.idle_milli_per_minute or running.wallet is None:
        return None
    state = closing.connector_state(db, running.station, running.evse)
    return ended_at_ms if state is not None and cable_is_in(*state) else None


def end_parking(db: Database, station: StationId, evse: int, at_ms: int, now_ms: int) -> None:
    """The cable is out, or the next transaction begins: what the place cost since the last one ended is charged."""
    session = closing.find_parked(db, station, evse)
    if session is None:
        return
    parked = sessions.load(db, session)
    assert parked is not None
    since_ms = closing.parked_at(db, session)
    closing.add_idle(db, session, since_ms, min(at_ms, since_ms + settings.of(db).parking_max_s * 1000))
    before = closing.bill_of(db, session)
    spans = sessions.idle_spans(db, session)
    assert parked.tariff is not None
    usage = Usage(before.energy_wh, before.duration_s, chargeable_idle(spans, parked.tariff.idle_grace_s))
    after = billing.bill_for(parked, usage)
    was = Bill((), before.net_minor, before.tax_minor, before.net_minor + before.tax_minor)
    if after.total_minor > was.total_minor:
        billing.adjust(db, parked, was, after, times=0, now_ms=now_ms)
        closing.rebill(db, session, usage.idle_s, after.net_minor, after.tax_minor)
        day = day_of(at_ms, sites.of(db).zone)
        closing.add_day(db, day, station, session, 0, 0, after.total_minor - was.total_minor, first=False)
    closing.unpark(db, session)
    db.announce(SessionChanged(session, station, evse, parked.person, "ended"))


def end_parking_before(db: Database, station: StationId, evse: int, at_ms: int, now_ms: int) -> bool:
    """A transaction begins at a place where a car parks; one that began before that is a late message and ends nothing.

    Whether a car has parked there.
    """
    session = closing.find_parked(db, station, evse)
    if session is None or closing.parked_at(db, session) > at_ms:
        return False
    end_parking(db, station, evse, at_ms, now_ms)
    return True


def correct_estimate(db: Database, station: StationId, event: TransactionEnded) -> bool:
    """The stop of a session that was closed by an estimate has come: bill the difference. Whether there was one."""
    if not isinstance(event.ref, int) or event.ref <= 0:
        return False
    closed = closing.find_closed(db, SessionId(event.ref))
    if closed is None or closed.station != station or not closed.estimated or closed.state != "ended":
        return False
    running = sessions.load(db, closed.id)
    assert running is not None
    keep_readings(db, running, event.readings)
    energy_wh = energy_of(running, event.meter_stop_wh)
    if energy_wh is None or energy_wh > settings.of(db).session_energy_max_wh:
        return True  # The estimate is the better figure.
    before = closing.bill_of(db, closed.id)
    was = Bill((), before.net_minor, before.tax_minor, before.net_minor + before.tax_minor)
    ended_at_ms = max(event.at_ms, running.started_at_ms)
    running.started_at_ms = begun_ms(running.started_at_ms, running.heard_at_ms, ended_at_ms)
    usage = usage_of(db, running, energy_wh, ended_at_ms)
    bill = billing.bill_for(running, usage)
    billing.adjust(db, running, was, bill, times=1, now_ms=event.received_at_ms)
    closing.correct(db, running, ended_at_ms, event.meter_stop_wh, event.reason, usage, bill)
    closing.forget_days(db, closed.id)
    add_days(db, running, usage, bill, ended_at_ms)
    db.announce(SessionChanged(running.id, running.station, running.evse, running.person, "ended"))
    return True


def keep_readings(db: Database, running: Running, readings: Sequence[Reading]) -> None:
    """Readings that came with a late stop."""
    for reading in readings:
        sessions.add_reading(db, running.id, reading)
        if reading.energy_wh is not None:
            running.energy_wh = max(running.energy_wh, reading.energy_wh - running.meter_start_wh)


def add_days(db: Database, running: Running, usage: Usage, bill: Bill, ended_at_ms: int) -> None:
    """Roll the session up into its days, split at midnight in the site's time zone."""
    spans = midnights(running.started_at_ms, max(ended_at_ms, running.started_at_ms + 1), sites.of(db).zone)
    if len(spans) == 1:
        closing.add_day(
            db,
            spans[0][0],
            running.station,
            running.id,
            usage.duration_s,
            usage.energy_wh,
            bill.total_minor,
            first=True,
        )
        return
    parts = parts_by_day(db, running, usage, spans, ended_at_ms)
    for number, share in enumerate(split(bill, parts)):
        closing.add_day(
            db,
            share.day,
            running.station,
            running.id,
            share.working_s,
            share.energy_wh,
            share.fee_minor,
            first=number == 0,
        )


def parts_by_day(
    db: Database, running: Running, usage: Usage, spans: list[tuple[str, int, int]], ended_at_ms: int
) -> list[tuple[str, Usage]]:
    """What was used on each day; the parts sum to `usage` exactly.

    The register at midnight lies on the line between the readings before and after it.
    """
    readings = [(running.started_at_ms, 0)]
    for at_ms, register_wh in closing.registers(db, running.id):
        if running.started_at_ms < at_ms < ended_at_ms:
            energy_wh = register_wh - running.meter_start_wh
            readings.append((at_ms, min(max(energy_wh, readings[-1][1]), usage.energy_wh)))
    readings.append((ended_at_ms, usage.energy_wh))
    grace_s = running.tariff.idle_grace_s if running.tariff else 0
    idle = idle_after_grace(sessions.idle_spans(db, running.id), grace_s) if usage.idle_s else []
    parts, energy_before, seconds_before, idle_before = [], 0, 0, 0
    for number, (day, _, end_ms) in enumerate(spans):
        last = number == len(spans) - 1
        energy = usage.energy_wh if last else energy_at(readings, end_ms)
        seconds = usage.duration_s if last else (end_ms - running.started_at_ms) // 1000
        idled = usage.idle_s if last else min(idle_until(idle, end_ms), usage.idle_s)
        parts.append((day, Usage(energy - energy_before, seconds - seconds_before, idled - idle_before)))
        energy_before, seconds_before, idle_before = energy, seconds, idled
    return parts


def energy_at(readings: list[tuple[int, int]], at_ms: int) -> int:
    """The energy at a moment, between two readings on the straight line."""
    after = bisect_right(readings, (at_ms, 2**62))
    if after >= len(readings):
        return readings[-1][1]
    (left_ms, left_wh), (right_ms, right_wh) = readings[after - 1], readings[after]
    return left_wh + (right_wh - left_wh) * (at_ms - left_ms) // max(1, right_ms - left_ms)


def idle_until(idle: list[tuple[int, int]], at_ms: int) -> int:
    """Charged idle seconds up to a moment."""
    return sum(max(0, min(end_ms, at_ms) - begin_ms) for begin_ms, end_ms in idle) // 1000
