"""Which checks behind Problems run together, and the books; each check is a file in `services/problems/`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.services.problems import (
    backup_age,
    card_misuse,
    clear_problem,
    disk_space,
    knocking,
    missed_readings,
    no_session,
    no_tariff,
    offline,
    owner_key,
    quiet,
    raise_problem,
    review,
    silent_session,
    start_lost,
    stop_ignored,
    unread_setting,
)
from appliance.services.problems.check import Check, Facts
from appliance.services.sessions import billing, closing
from appliance.services.sessions.billing import Pace

STATION_CHECKS: tuple[Check, ...] = (knocking.CHECK, offline.CHECK)
SESSION_CHECKS: tuple[Check, ...] = (
    silent_session.CHECK,
    stop_ignored.CHECK,
    start_lost.CHECK,
    review.CHECK,
    card_misuse.CHECK,
)
WATCH_CHECKS: tuple[Check, ...] = (missed_readings.CHECK, no_session.CHECK)
BOX_CHECKS: tuple[Check, ...] = (
    disk_space.CHECK,
    backup_age.CHECK,
    owner_key.CHECK,
    unread_setting.CHECK,
    no_tariff.CHECK,
    quiet.CHECK,
)


def check_stations(db: Database, online: Collection[StationId], serving_since_ms: int, now_ms: int) -> None:
    """Stations; `online` are those with a connection, and what was before the server served is not theirs."""
    _run(db, STATION_CHECKS, Facts(now_ms, online, serving_since_ms))


def check_sessions(db: Database, now_ms: int) -> None:
    """Sessions and cards; those sessions whose stop was lost for certain are ended."""
    closing.close_lost(db, now_ms)
    _run(db, SESSION_CHECKS, Facts(now_ms))


def check_watch(db: Database, online: Collection[StationId], now_ms: int) -> None:
    """Sessions with an end to their money that nobody measures, and chargers that charge without a session."""
    _run(db, WATCH_CHECKS, Facts(now_ms, online))


def check_box(db: Database, free_mb: int, now_ms: int) -> None:
    """The box and the site, and what has not happened again."""
    _run(db, BOX_CHECKS, Facts(now_ms, free_mb=free_mb))


def watch_balances(db: Database, now_ms: int) -> None:
    """Sessions that cost by the minute need cover between their meter values too."""
    for session, heard_ms in sessions.held_by_time(db):
        running = sessions.find_open(db, session)
        if running is not None:
            at_ms = max(running.measured_at_ms, min(running.started_at_ms, heard_ms) + max(0, now_ms - heard_ms))
            billing.keep_covered(db, running, Pace(0, 0, 0), at_ms, now_ms)


def report_books(db: Database, wrong: list[str], now_ms: int) -> None:
    """Say it, and never repair it."""
    if wrong:
        raise_problem(db, ProblemKind.BOOKS, "ledger", now_ms, wrong=wrong[:5])
    else:
        clear_problem(db, ProblemKind.BOOKS, "ledger", now_ms)


def heartbeat_commit(db: Database, now_ms: int) -> None:
    """A real commit."""
    sites.heartbeat_commit(db, now_ms)


def _run(db: Database, checks: Iterable[Check], facts: Facts) -> None:
    for check in checks:
        check.run(db, facts)
