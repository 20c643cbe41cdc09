"""Readings: kept with the session that they are of, which is found by its transaction's name, and the money looked after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import closing as closing_rows
from appliance.db.sessions import samples, sessions, signed_values, transactions
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain import registers, watch
from appliance.domain.events import (
    MeterRead,
    TransactionEnded,
)
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.moments import CLOCKS_APART_MS, LIVE, QUEUE_MS_MAX, SAME_DISTANCE_MS, Source, keeps_distance
from appliance.domain.session import RUNNING
from appliance.domain.transaction import TransactionRef
from appliance.domain.watch import Paced
from appliance.services.announce import SessionChanged
from appliance.services.sessions import courses, guard, unbilled
from appliance.services.sessions import reading as reading_of
from appliance.services.sessions.billing import Pace
from appliance.services.stations import power


def meter_read(db: Database, station: StationId, event: MeterRead) -> None:
    """Readings arrive: kept, and the money looked after. Without a transaction they are those of the EVSE's."""
    readings = dated(event.readings, event.received_at_ms)
    running = find(db, station, event.ref)
    if running is not None:
        running.is_numbered = running.is_numbered or bool(readings)
        readings = of_session(db, running, event, readings)
    elif event.evse:
        running = sessions.on_evse(db, station, event.evse)
        if running is not None:
            readings = of_session(db, running, event, readings)
        if running is not None and event.ref:
            readings = under_another_number(db, running, event.ref, readings)
        elif running is not None:
            readings = without_number(db, running, readings)
            if not readings:
                return
    if running is None:
        evse = keep_late(db, station, event.ref, readings) or event.evse
        if evse and not sessions.all_on_evse(db, station, evse):
            unbilled.look_at(db, station, evse, as_heard(event, readings), event.received_at_ms)
        return
    pace = take_in(db, running, readings)
    at_ms = event.received_at_ms if event.source is LIVE or not readings else readings[-1].at_ms
    guard.look_after(db, running, readings, pace, at_ms, event.received_at_ms)
    announce(db, running, "measured")


def dated(readings: Sequence[Reading], received_at_ms: int) -> Sequence[Reading]:
    """None is from the future: what its station's clock says is ahead of us was measured now."""
    for one in readings:
        if one.at_ms > received_at_ms:
            break
    else:
        return readings
    return [replace(one, at_ms=min(one.at_ms, received_at_ms)) for one in readings]


def of_session(db: Database, running: Running, event: MeterRead, readings: Sequence[Reading]) -> Sequence[Reading]:
    """Readings by the clock that the session goes by.

    They show whether its start was told live. What is told live was not measured before what came earlier.
    """
    if not readings:
        return readings
    told_ms, heard_ms = event.readings[-1].at_ms, event.received_at_ms
    if has_waited(db, running, told_ms, heard_ms, event.source):
        behind_ms = running.behind_ms
        return [replace(one, at_ms=one.at_ms + behind_ms) for one in event.readings]
    if event.source is LIVE:
        running.behind_then_ms = heard_ms - told_ms
    if running.heard_at_ms - running.started_at_ms > CLOCKS_APART_MS and keeps_distance(
        (running.start.stamp_ms, running.heard_at_ms), (told_ms, heard_ms)
    ):
        sessions.set_began(db, running, running.heard_at_ms, LIVE)
    later_ms = heard_ms - readings[-1].at_ms
    if event.source is not LIVE or later_ms <= CLOCKS_APART_MS:
        return readings
    if readings[0].at_ms >= running.measured_at_ms:
        # They may have been told in a bundle; but what keeps the distance of the start is by the same wrong clock.
        behind_ms = running.started_at_ms - running.start.stamp_ms
        if abs(later_ms - behind_ms) >= SAME_DISTANCE_MS:
            return readings
    return as_heard(event, readings)


def has_waited(db: Database, running: Running, stamp_ms: int, heard_ms: int, source: Source) -> bool:
    """Whether what a station tells of a session was measured while the station was away, by the clock that it showed in it before.

    Its start was told live, so how wrong that clock was is known; it may be so wrong that what waited looks live.
    """
    behind_ms = running.behind_ms
    if running.source is not LIVE or -CLOCKS_APART_MS <= behind_ms <= CLOCKS_APART_MS:
        return False
    at_ms = stamp_ms + behind_ms
    if abs(heard_ms - stamp_ms) <= CLOCKS_APART_MS or running.measured_at_ms < stamp_ms < at_ms:
        return False  # It may have been set right since.
    if not running.measured_at_ms <= at_ms < heard_ms - CLOCKS_APART_MS:
        return False
    connected_ms = stations.connected_since_ms(db, running.station)
    is_back = source is not LIVE or heard_ms - connected_ms <= QUEUE_MS_MAX
    return is_back and at_ms < connected_ms - CLOCKS_APART_MS


def as_heard(event: MeterRead, readings: Sequence[Reading]) -> Sequence[Reading]:
    """What is told live, by a clock that is behind, was measured when it was heard."""
    later_ms = event.received_at_ms - readings[-1].at_ms if readings else 0
    if event.source is not LIVE or later_ms <= CLOCKS_APART_MS:
        return readings
    return [replace(one, at_ms=one.at_ms + later_ms) for one in readings]


def keep_signed(db: Database, session: SessionId, event: TransactionEnded) -> bool:
    """What is signed is kept even where its moment is none that a session can have: its signature tells what it is worth. Whether
    anything was.
    """
    is_signed = False
    for one in event.readings:
        for value in one.signed:
            is_signed = True
            signed_values.add(db, session, value, min(one.at_ms, event.received_at_ms))
    return is_signed


def told_with_stop(running: Running, event: TransactionEnded) -> Sequence[Reading]:
    """What a station has kept until its stop, each by the clock of its moment, and has mostly told before.

    What does not lie in a session whose start was live is by the clock of that start, or it tells nothing.
    """
    readings, told_ms = event.readings, event.received_at_ms
    if not readings:
        return readings
    begun_ms, ended_ms = running.started_at_ms - CLOCKS_APART_MS, told_ms + CLOCKS_APART_MS
    behind_ms = running.started_at_ms - running.start.stamp_ms
    if running.source is not LIVE:
        return dated(readings, told_ms)
    found = []
    for one in readings:
        # Of several that are dated now, for their times cannot be read, the last one is.
        moments = (one.at_ms, one.at_ms + behind_ms) if one.at_ms != told_ms or one is readings[-1] else ()
        at_ms = next((at_ms for at_ms in moments if begun_ms <= at_ms <= ended_ms), None)
        if at_ms is not None:
            found.append(one if at_ms == one.at_ms else replace(one, at_ms=at_ms))
    is_measured = running.measured_at_ms > running.started_at_ms
    return dated(found if found or is_measured else readings, told_ms)


def without_number(db: Database, running: Running, readings: Sequence[Reading]) -> Sequence[Reading]:
    """Readings of no transaction. What was measured before this one began is not of it.

    If its station says of which its readings are, they are those of the EVSE's own meter, of which all but the energy counts. But
    one that was asked for (`guard`) may come without the number: then its register counts, if it goes on with those before.
    """
    begun_ms = min(running.started_at_ms, running.heard_at_ms) - CLOCKS_APART_MS
    readings = [one for one in readings if one.at_ms >= begun_ms]
    if not running.is_numbered or not readings:
        return readings
    progress = reading_of.progress_of(db, running)
    return [
        one
        if running.is_asked
        and (one.energy_wh is None or registers.fits(progress, progress.line, (one.at_ms, one.energy_wh)))
        else replace(one, energy_wh=None, interval_wh=None)
        for one in readings
    ]


def under_another_number(
    db: Database, running: Running, ref: TransactionRef, readings: Sequence[Reading]
) -> Sequence[Reading]:
    """Those that were measured since the transaction on this EVSE began, although they carry the name of another that is over,
    or of none: some stations do not take the new number. The rest is kept with the session that is over.
    """
    closed = transactions.session_of(db, running.station, ref)
    ended = closing_rows.find_closed(db, closed) if closed is not None else None
    is_mine = ended is None or ended.station == running.station
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    if ended is not None:
        # A session that began later than the one that runs was not before it, and one without a stop goes on until the next began.
        is_mine = is_mine and ended.started_at_ms < begun_ms
        begun_ms = begun_ms if ended.estimated else max(begun_ms, ended.ended_at_ms + 1)
    since = [one for one in readings if is_mine and one.at_ms >= begun_ms]
    keep_late(db, running.station, ref, [one for one in readings if one not in since])
    if since:
        sessions.set_note(db, running.id, "other_number")
    return since


def take_in(db: Database, running: Running, readings: Sequence[Reading]) -> Pace:
    """Keep the readings and what they say of the session's energy; how fast it goes."""
    power_w = step_wh = step_s = 0
    progress, late = running.progress or reading_of.progress_of(db, running), False
    before, points, by_lines = progress, [], courses.terms_of(running) is not None
    paced = running.paced or begin_pace(running)
    energy_wh = progress.energy_wh
    for told in readings:
        reading = told if told.interval_wh is None else one_kind(running, told)
        at_ms = reading.at_ms
        samples.add_reading(db, running.id, reading)
        told_w = reading.power_w
        if told_w is not None:
            power_w = min(told_w, progress.power_w)
            if told_w == power_w:
                believe_power(running, at_ms, told_w)
        if reading.offered_w is not None and power.offered(db, running.station, running.evse, reading.offered_w, at_ms):
            late = True  # What was read so far was bounded by another power.
        if reading.energy_wh is None and reading.interval_wh is None:
            continue
        running.tells_kwh = running.tells_kwh or reading.in_kwh
        then = None if late else registers.go_on(progress, (at_ms, reading.energy_wh, reading.interval_wh))
        late = then is None
        if then is not None:
            before_wh, progress, energy_wh = energy_wh, then, then.energy_wh
            if energy_wh > before_wh:
                step_wh, step_s = paced.step(at_ms, energy_wh)
                if told_w is not None and told_w > power_w and watch.shows_power(step_wh, step_s, told_w):
                    power_w = told_w
                    believe_power(running, at_ms, told_w)
            paced = paced.then(at_ms, energy_wh)
            if by_lines:
                points.append((then.newest[0], energy_wh))
        running.measured_at_ms = max(running.measured_at_ms, at_ms)
    running.paced = paced
    reading_of.keep(db, running, reading_of.anew(db, running) if late else progress)
    if by_lines:
        courses.read_on(db, running, None if late else before, points)
    return Pace(power_w, step_wh, watch.told_in_s(progress, step_s) if step_wh else 0)


def believe_power(running: Running, at_ms: int, power_w: int) -> None:
    """Its EVSE can give so much, or its register shows that it does, which is then more than anybody has said."""
    running.power_seen_w = max(running.power_seen_w, power_w)
    running.given = running.given.then(at_ms, power_w)


def one_kind(running: Running, reading: Reading) -> Reading:
    """Of intervals of the session and of the clock those count of which the first came."""
    if running.by_clock is None:
        running.by_clock = reading.by_clock
    return reading if reading.by_clock is running.by_clock else replace(reading, interval_wh=None)


def begin_pace(running: Running) -> Paced:
    """Before the first reading since it began, or was loaded."""
    known = running.measured_at_ms, running.energy_wh
    return Paced(known, known)


def keep_late(db: Database, station: StationId, ref: TransactionRef | None, readings: Sequence[Reading]) -> int | None:
    """Readings of a session that is over are kept with it; they change no bill. The EVSE of that session."""
    session = transactions.session_of(db, station, ref) if ref is not None else None
    closed = closing_rows.find_closed(db, session) if session is not None else None
    if closed is None or closed.station != station:
        return None
    for reading in readings:
        samples.add_reading(db, closed.id, reading)
    return closed.evse


def find(db: Database, station: StationId, ref: TransactionRef | None) -> Running | None:
    """The open transaction of this name, if it is this station's own."""
    session = transactions.session_of(db, station, ref) if ref is not None else None
    running = sessions.find_open(db, session) if session is not None else None
    if running is None or running.station != station or running.state is not RUNNING:
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
