"""The checks behind Problems: each finds what is wrong now, and clears what is so no longer."""

from __future__ import annotations

from collections.abc import Collection

from appliance.db import audit, ledger, problems, reports, tariffs
from appliance.db import site as sites
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.stations import stations
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.services import secrets, settings
from appliance.services.problems import clear_problem, raise_problem
from appliance.services.sessions import billing, closing
from appliance.services.sessions.billing import Pace

DAY_MS = 86_400_000


def check_stations(db: Database, online: Collection[StationId], serving_since_ms: int, now_ms: int) -> None:
    """Approved stations that have been away for too long; time in which the server itself was away does not count."""
    patience_ms = settings.of(db).offline_after_s * 1000
    for station in stations.all_stations(db):
        away_since_ms = station.seen_at_ms or station.created_at_ms
        subject = f"station:{station.id}"
        if station.id in online:
            clear_problem(db, ProblemKind.OFFLINE, subject, now_ms)
        elif now_ms - max(away_since_ms, serving_since_ms) > patience_ms:
            raise_problem(
                db,
                ProblemKind.OFFLINE,
                subject,
                now_ms,
                station=int(station.id),
                since_ms=away_since_ms,
                ever=station.seen_at_ms is not None,
            )


def check_sessions(db: Database, now_ms: int) -> None:
    """Open sessions of which nothing has been heard for too long; those whose stop was lost for certain are ended."""
    closing.close_lost(db, now_ms)
    patience_ms = settings.of(db).silent_session_s * 1000
    silent = {
        f"session:{session}": (int(session), int(station), heard_ms)
        for session, station, heard_ms in sessions.heard_of(db)
        if now_ms - heard_ms > patience_ms
    }
    for problem in problems.open_problems(db):
        if problem.kind == ProblemKind.SILENT_SESSION and problem.subject not in silent:
            clear_problem(db, ProblemKind.SILENT_SESSION, problem.subject, now_ms)
    for subject, (session, station, heard_ms) in silent.items():
        raise_problem(
            db, ProblemKind.SILENT_SESSION, subject, now_ms, session=session, station=station, since_ms=heard_ms
        )


def check_box(db: Database, free_mb: int, now_ms: int) -> None:
    """Disk, backup, secrets, settings and tariff."""
    values = settings.of(db)
    _set(db, ProblemKind.DISK_SPACE, "disk", free_mb < values.disk_free_min_mb, now_ms, free_mb=free_mb)
    last_ms = sites.backup_at_ms(db)
    old = now_ms - (last_ms or sites.created_at_ms(db)) > values.backup_age_max_days * DAY_MS
    _set(db, ProblemKind.BACKUP_AGE, "backup", old and not sites.of(db).demo, now_ms, last_ms=last_ms)
    _set(db, ProblemKind.OWNER_KEY_MISSING, "site", secrets.needs_owner_key(db), now_ms)
    unread = settings.unread(db)
    _set(db, ProblemKind.UNREAD_SETTING, "settings", bool(unread), now_ms, names=unread)
    _set(db, ProblemKind.NO_TARIFF, "site", tariffs.default(db) is None, now_ms)


def watch_balances(db: Database, now_ms: int) -> None:
    """Sessions that cost by the minute need cover between their meter values too."""
    for session, heard_ms in sessions.held_by_time(db):
        running = sessions.find_open(db, session)
        if running is not None:
            at_ms = max(running.measured_at_ms, running.started_at_ms + max(0, now_ms - heard_ms))
            billing.keep_covered(db, running, Pace(0, 0, 0), at_ms, now_ms)


def verify_books(db: Readable) -> list[str]:
    """What is wrong in the ledger, the audit list and the sums of the reports; a read query, computed from the rows alone."""
    wrong = ledger.verify(db) + reports.unequal_sums(db)
    broken = audit.broken_at(db)
    if broken is not None:
        wrong.append(f"the chain of the audit list breaks at row {broken}")
    return wrong


def report_books(db: Database, wrong: list[str], now_ms: int) -> None:
    """Say it, and never repair it."""
    _set(db, ProblemKind.BOOKS, "ledger", bool(wrong), now_ms, wrong=wrong[:5])


def heartbeat_commit(db: Database, now_ms: int) -> None:
    """A real commit."""
    sites.heartbeat_commit(db, now_ms)


def _set(db: Database, kind: ProblemKind, subject: str, is_wrong: bool, now_ms: int, **details: object) -> None:
    if is_wrong:
        raise_problem(db, kind, subject, now_ms, **details)
    else:
        clear_problem(db, kind, subject, now_ms)
