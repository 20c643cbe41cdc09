"""What is looked after while a session runs: that nobody charges who may not, and that money and limits last until it is stopped.

With each reading, and by the clock. A charger that sends no usable readings cannot be watched: a session of whoever has an end to
their money, or a limit, is reckoned there by time and by the greatest power of its EVSE, and stopped when that could have used it up.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from appliance.db import ledger
from appliance.db import problems as problem_rows
from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database
from appliance.db.sessions import closing, neighbours, samples, sessions
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain import scale
from appliance.domain import watch as rules
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.moments import Source, was_live
from appliance.domain.problem import ProblemKind
from appliance.domain.station import ChargingState
from appliance.domain.watch import Moved
from appliance.services import problems, settings
from appliance.services.cards import limits
from appliance.services.sessions import billing
from appliance.services.sessions.billing import Pace
from appliance.services.sessions.reading import progress_of
from appliance.services.stations import power

WATCH_S = 15
"""How often sessions are looked at by the clock."""
OBEYS_WITHIN_MS = 30_000
"""A station that is told that a card may not charge ends the transaction by itself, if it does, within so much time; and so much
time has the stop of one that was over before it was told of here."""
REFUSED = "refused"
"""Why a session of a card that may not charge is to be stopped."""
UNWATCHED = Slots[StationId, bool]()
"""Of which stations a problem says that they cannot be watched."""


TELLS_WATT_HOURS = Slots[StationId, bool]()
"""Stations that are known not to tell kilowatt-hours for watt-hours, by sessions that are billed."""


RHYTHM_S_MIN, RHYTHM_S_MAX = 75, 900
RHYTHM = Slots[StationId, int]()
"""In how many seconds the last reading of a station came that came seldom; 0: the last one came soon."""


class Overdue(NamedTuple):
    """A reading that has not come."""

    session: SessionId
    station: StationId
    evse: int


def look_after(
    db: Database, running: Running, readings: Sequence[Reading], pace: Pace, at_ms: int, now_ms: int
) -> None:
    """Readings have come: stop what must not go on, hold what it will cost.

    `at_ms` is the moment of what was measured last, `now_ms` the moment of this decision.
    """
    for one in readings:
        if one.energy_wh is not None or one.interval_wh is not None:
            running.is_asked = False
            pace = believe(db, running, readings, pace, at_ms, now_ms)
            break
    if running.refused and is_live(db, running) and moves(running, pace):
        stop_refused(db, running, now_ms)
    billing.keep_covered(db, running, pace, at_ms, now_ms)
    limits.keep_within(db, running, pace, at_ms, now_ms)


def believe(db: Database, running: Running, readings: Sequence[Reading], pace: Pace, at_ms: int, now_ms: int) -> Pace:
    """Its register was told. It is watched by what moves it on, or stands still while nothing charges; else it is as unseen as
    without a reading, and a power that is told counts for what its register does not say. The pace with that.
    """
    moved = running.moved
    if moved is None:
        moved = running.moved = Moved(0, min(running.started_at_ms, running.heard_at_ms), running.heard_at_ms)
    goes_on = rules.goes_on(moved, running.energy_wh, now_ms)
    if goes_on or pace.power_w > rules.STANDBY_W_MAX:
        running.has_left = False  # Else it says nothing new: some tell their register for ever.
    if goes_on and not may_be_thousandth(db, running, now_ms):
        running.moved = Moved(running.energy_wh, at_ms, now_ms)
    else:
        since_ms = moved.since_ms(at_ms, now_ms)
        if pace.power_w > rules.STANDBY_W_MAX:
            pace = pace._replace(unseen_wh=rules.by_power_wh(pace.power_w, moved, running.energy_wh, since_ms))
        if not rests(db, running, readings, pace, since_ms):
            return pace
    if running.read_at_ms is not None:
        learn_rhythm(db, running.station, (now_ms - running.read_at_ms) // 1000)
    running.read_at_ms = now_ms
    if is_unwatched(db, running.station):
        can_be_watched(db, running.station, now_ms)
    return pace


def learn_rhythm(db: Database, station: StationId, passed_s: int) -> None:
    """So long after the one before it a reading came."""
    if passed_s > RHYTHM_S_MIN or RHYTHM.get(db, station):
        RHYTHM.keep(db, station, min(passed_s, RHYTHM_S_MAX) if passed_s > RHYTHM_S_MIN else 0)


def may_be_thousandth(db: Database, running: Running, now_ms: int) -> bool:
    """Whether its register may be one of kilowatt-hours that passes for watt-hours, and tells a thousandth of what it takes."""
    if running.tells_kwh:
        return False
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    progress = running.progress or progress_of(db, running)
    if not rules.may_be_thousandth(progress, running.energy_wh, running.power_seen_w, begun_ms, now_ms):
        return False
    known = TELLS_WATT_HOURS.get(db, running.station)
    if known is None:
        known = scale.by_others(neighbours.billed_before(db, running)) is False
        if known:
            TELLS_WATT_HOURS.keep(db, running.station, known)
    return not known


def rests(db: Database, running: Running, readings: Sequence[Reading], pace: Pace, since_ms: int) -> bool:
    """Whether its register stands still because nothing charges, or because it is a coarse one."""
    progress = progress_of(db, running)
    if not any(rules.stands_still(progress, one.energy_wh, one.interval_wh) for one in readings):
        return False
    if pace.power_w <= rules.STANDBY_W_MAX and (
        running.is_idle or tells_of_rest(running, readings) or not says_charging(db, running)
    ):
        return True
    return since_ms <= rules.stands_for_ms(progress, neighbours.register_before(db, running))


def tells_of_rest(running: Running, readings: Sequence[Reading]) -> bool:
    """Whether a power is told that is none, by a station that has told one while this car charged."""
    return running.power_seen_w > rules.STANDBY_W_MAX and any(one.power_w is not None for one in readings)


def says_charging(db: Database, running: Running) -> bool:
    """Whether its connector says that energy flows."""
    return any(
        one.evse == running.evse and one.charging_state == ChargingState.CHARGING
        for one in stations.connectors(db, running.station)
    )


def watch(db: Database, online: Collection[StationId], now_ms: int) -> None:
    """By the clock: what readings do not tell because they do not come."""
    for number in sessions.running_now(db):
        running = sessions.find_open(db, number)
        if running is None:
            continue
        if running.source is Source.AS_STATUS and was_live(running.start, now_ms):
            sessions.set_began(db, running, running.heard_at_ms, Source.LIVE)
        if running.stop_wanted:
            continue
        if running.refused:
            watch_refused(db, running, now_ms)
        if not is_unseen(db, running, now_ms) or not is_there(db, running, online, now_ms):
            continue
        if not has_left(db, running):  # Else its stop was lost, and it takes nothing.
            keep_bounded(db, running, now_ms)


# --- what nobody measures --------------------------------------------------------------------------------------------------


def overdue(db: Database, online: Collection[StationId], now_ms: int) -> list[Overdue]:
    """The readings that have not come, and are to be asked for; of a station that cannot be watched all."""
    interval_s = settings.of(db).sample_interval_s
    found = []
    for number in sessions.running_now(db):
        running = sessions.find_open(db, number)
        if running is None or running.station not in online:
            continue
        if is_unwatched(db, running.station) or rules.missed(unseen_s(db, running, now_ms), interval_s):
            running.is_asked = True
            found.append(Overdue(running.id, running.station, running.evse))
    return found


def missed_readings(db: Database, online: Collection[StationId], now_ms: int) -> dict[str, dict[str, object]]:
    """Sessions with an end to their money that nobody watches although their stations are there: by subject, with what is told.

    Staff hear of it when two readings are missed by the station's own rhythm, for some cannot be set to measure as often as they should; what
    may be taken meanwhile is reckoned all the same. A station that has sent nothing at all in such a session cannot be watched. That is told of the station, and not of each session besides.
    """
    interval_s = settings.of(db).sample_interval_s
    found: dict[str, dict[str, object]] = {}
    for number in sessions.running_now(db):
        running = sessions.find_open(db, number)
        if running is None:
            continue
        rhythm_s = max(interval_s, RHYTHM.get(db, running.station) or 0)
        if rules.missed(unseen_s(db, running, now_ms), rhythm_s) <= rules.MISSED_MAX:
            continue
        if not is_there(db, running, online, now_ms) or not is_bounded(db, running) or has_left(db, running):
            continue
        since_ms = running.read_at_ms
        if since_ms == running.heard_at_ms and not is_unwatched(db, running.station):
            cannot_be_watched(db, running.station, "nothing", now_ms)
        if is_unwatched(db, running.station):
            continue
        found[f"session:{number}"] = {
            "session": int(number),
            "station": int(running.station),
            "evse": running.evse,
            "since_ms": since_ms,
        }
    return found


def unseen_s(db: Database, running: Running, now_ms: int) -> int:
    """For how long it may have charged without being measured. After a restart the patience with its station begins anew."""
    if running.read_at_ms is None:
        running.read_at_ms = now_ms
    # Whose register was never read may say that the car is full, and charge.
    progress = progress_of(db, running)
    is_measured = progress.highest_wh is not None or progress.intervals is not None
    return rules.unseen_s(running.read_at_ms, running.idle_spans if is_measured else (), now_ms)


def is_unseen(db: Database, running: Running, now_ms: int) -> bool:
    """Whether its energy is to be reckoned instead of measured."""
    if is_unwatched(db, running.station):
        return True
    return rules.missed(unseen_s(db, running, now_ms), settings.of(db).sample_interval_s) > rules.MISSED_MAX


def is_there(db: Database, running: Running, online: Collection[StationId], now_ms: int) -> bool:
    """Whether its station has been connected for long enough to have sent what it kept meanwhile, and a reading."""
    if running.station not in online:
        return False
    connected_s = (now_ms - stations.connected_since_ms(db, running.station)) // 1000
    return connected_s > settings.of(db).sample_interval_s + rules.LATE_S or is_unwatched(db, running.station)


def has_left(db: Database, running: Running) -> bool:
    """Whether its connector is free since: by the order in which we heard, and after a restart by its station's own times."""
    if running.has_left is None:
        free_since_ms = closing.free_since(db, running.station, running.evse)
        running.has_left = free_since_ms is not None and free_since_ms > max(
            running.started_at_ms, samples.rose_at(db, running.id)
        )
    return running.has_left


def keep_bounded(db: Database, running: Running, now_ms: int) -> None:
    """Cover what it may have taken by now, and want it stopped where that could be more than there is."""
    power_w = power.greatest_w(db, running.station, running.evse)
    pace = Pace(power_w, 0, WATCH_S, rules.taken_wh(unseen_s(db, running, now_ms), power_w))
    begun_ms = min(running.started_at_ms, running.heard_at_ms)
    at_ms = max(running.measured_at_ms, begun_ms + max(0, now_ms - running.heard_at_ms))
    billing.keep_covered(db, running, pace, at_ms, now_ms, WATCH_S)
    limits.keep_within(db, running, pace, at_ms, now_ms)


def is_bounded(db: Database, running: Running) -> bool:
    """Whether there is an end to what it may cost or take."""
    behind = limits.limited(db, running.card, running.person, running.pool)
    if any(limits.is_counted(one) for _whose, _number, one in behind):
        return True
    if running.policy not in billing.HELD or running.wallet is None or running.tariff is None:
        return False
    return ledger.balance(db, running.wallet).available_minor is not None


# --- stations that cannot be watched ---------------------------------------------------------------------------------------


def is_unwatched(db: Database, station: StationId) -> bool:
    """Whether it is known to send nothing usable while it charges."""
    known = UNWATCHED.get(db, station)
    if known is None:
        known = problem_rows.find_open(db, ProblemKind.UNWATCHED, f"station:{station}") is not None
        UNWATCHED.keep(db, station, known)
    return known


def is_told_unwatched(db: Database, session: SessionId, station: StationId) -> bool:
    """Whether staff are told already that nobody measures it."""
    return is_unwatched(db, station) or (
        problem_rows.find_open(db, ProblemKind.MISSED_READINGS, f"session:{session}") is not None
    )


def sampling_told(
    db: Database, station: StationId, interval_s: int | None, tells_register: bool | None, now_ms: int
) -> None:
    """A station has said how it measures (services/ports/stations.py: Sampling)."""
    if interval_s == 0:
        cannot_be_watched(db, station, "interval", now_ms)
    elif tells_register is False:
        cannot_be_watched(db, station, "measurands", now_ms)
    elif interval_s is not None and tells_register and is_unwatched(db, station):
        can_be_watched(db, station, now_ms)


def cannot_be_watched(db: Database, station: StationId, why: str, now_ms: int) -> None:
    """It sends nothing usable: `interval`, `measurands` (it is set so), or `nothing` (it was seen to)."""
    problems.raise_problem(db, ProblemKind.UNWATCHED, f"station:{station}", now_ms, station=int(station), why=why)
    UNWATCHED.keep(db, station, True)


def stop_agrees(db: Database, running: Running, meter_stop_wh: int | None, now_ms: int) -> None:
    """It is over. Readings before its stop that stood still, as that says, too, were true: nothing was taken."""
    if is_unwatched(db, running.station) and meter_stop_wh is not None:
        progress = progress_of(db, running)
        if progress.highest_wh == meter_stop_wh:
            can_be_watched(db, running.station, now_ms)


def can_be_watched(db: Database, station: StationId, now_ms: int) -> None:
    """It sends readings, or is set so that it will."""
    problems.clear_problem(db, ProblemKind.UNWATCHED, f"station:{station}", now_ms)
    UNWATCHED.keep(db, station, False)


# --- who may not charge ----------------------------------------------------------------------------------------------------


def moves(running: Running, pace: Pace) -> bool:
    """Whether energy flows, by what was measured."""
    return running.energy_wh > 0 or pace.power_w > rules.STANDBY_W_MAX


def is_live(db: Database, running: Running) -> bool:
    """Whether its start was told when it began: one out of a station's queue may be over, and was not refused at the time."""
    return abs(running.heard_at_ms - running.started_at_ms) <= settings.of(db).clock_skew_s * 1000


def watch_refused(db: Database, running: Running, now_ms: int) -> None:
    """A refused session goes on although its station has been told, and its readings may never come."""
    if now_ms - running.heard_at_ms < OBEYS_WITHIN_MS:
        return
    if running.energy_wh > 0 or says_charging(db, running):
        stop_refused(db, running, now_ms)


def stop_refused(db: Database, running: Running, now_ms: int) -> None:
    """Somebody charges who may not: want it stopped, and say so."""
    if not running.stop_wanted:
        billing.want_stop(db, running, REFUSED)
        report_refused(db, running, now_ms)


def refused_ended(db: Database, running: Running, now_ms: int) -> None:
    """A refused session is over. Without energy its station did as it was told, and what was said of it before is over, too."""
    if not running.energy_wh:
        problems.clear_problem(db, ProblemKind.REFUSED_CHARGING, f"station:{running.station}", now_ms)
    elif is_live(db, running) and running.stop_wanted != REFUSED:  # Else it was told when the stop was asked for.
        report_refused(db, running, now_ms)


def report_refused(db: Database, running: Running, now_ms: int) -> None:
    """One row for each station, which names the last few sessions: it is its settings that are to be changed."""
    problems.raise_problem(
        db,
        ProblemKind.REFUSED_CHARGING,
        f"station:{running.station}",
        now_ms,
        station=int(running.station),
        evse=running.evse,
        session=int(running.id),
        status=str(sessions.authorization_of(db, running.id)),
    )
