"""What is looked after while a session runs: that nobody charges who may not, and that money and limits last until it is stopped.

With each reading, and by the clock: what a station does not tell is looked after all the same.
"""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.sessions.sessions import Running
from appliance.db.stations import stations
from appliance.domain.problem import ProblemKind
from appliance.domain.station import ChargingState
from appliance.services import problems, settings
from appliance.services.cards import limits
from appliance.services.sessions import billing
from appliance.services.sessions.billing import Pace

STANDBY_W_MAX = 100
"""What a meter may say although nothing charges: the station itself takes some."""
OBEYS_WITHIN_MS = 30_000
"""A station that is told that a card may not charge ends the transaction by itself, if it does, within so much time; and so much
time has the stop of one that was over before it was told of here."""


def look_after(db: Database, running: Running, pace: Pace, at_ms: int, now_ms: int) -> None:
    """A reading has come: stop what must not go on, hold what it will cost.

    `at_ms` is the moment of what was measured last, `now_ms` the moment of this decision.
    """
    if running.refused and is_live(db, running) and moves(running, pace):
        stop_refused(db, running, now_ms)
    billing.keep_covered(db, running, pace, at_ms, now_ms)
    limits.keep_within(db, running, pace, at_ms, now_ms)


def moves(running: Running, pace: Pace) -> bool:
    """Whether energy flows, by what was measured."""
    return running.energy_wh > 0 or pace.power_w > STANDBY_W_MAX


def is_live(db: Database, running: Running) -> bool:
    """Whether its start was told when it began: one out of a station's queue may be over, and was not refused at the time."""
    return abs(running.heard_at_ms - running.started_at_ms) <= settings.of(db).clock_skew_s * 1000


def watch_refused(db: Database, now_ms: int) -> None:
    """By the clock: refused sessions that go on although their stations have been told, and whose readings may never come."""
    for session in sessions.refused(db):
        running = sessions.find_open(db, session)
        if running is None or running.stop_wanted or now_ms - running.heard_at_ms < OBEYS_WITHIN_MS:
            continue
        charging = any(
            one.evse == running.evse and one.charging_state == ChargingState.CHARGING
            for one in stations.connectors(db, running.station)
        )
        if charging or running.energy_wh > 0:
            stop_refused(db, running, now_ms)


def stop_refused(db: Database, running: Running, now_ms: int) -> None:
    """Somebody charges who may not: want it stopped, and say so."""
    if not running.stop_wanted:
        billing.want_stop(db, running, "refused")
        report_refused(db, running, now_ms)


def refused_ended(db: Database, running: Running, now_ms: int) -> None:
    """A refused session is over. Without energy its station did as it was told, and what was said of it before is over, too."""
    if not running.energy_wh:
        problems.clear_problem(db, ProblemKind.REFUSED_CHARGING, f"station:{running.station}", now_ms)
    elif is_live(db, running):
        report_refused(db, running, now_ms)


def report_refused(db: Database, running: Running, now_ms: int) -> None:
    """One row for each station: it is its settings that are to be changed."""
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
