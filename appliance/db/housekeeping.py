"""Rows that are kept for a while only. Each call removes a few, so that the writer is never busy for long."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.db.sessions.session_list import BEGAN
from appliance.db.stations import message_log_size

ROWS_AT_ONCE = 2_000


def forget_messages(db: Database, before_ms: int) -> int:
    """Remove some messages older than that; how many. Only the oldest rows are looked at: numbers grow with time."""
    gone = db.execute(
        f"""DELETE FROM message_log WHERE id IN (
            SELECT id FROM (SELECT id, at_ms FROM message_log ORDER BY id LIMIT ?) AS oldest WHERE at_ms < ?)
        RETURNING id, station_id, {message_log_size.SIZE}""",
        (ROWS_AT_ONCE, before_ms),
    ).fetchall()
    message_log_size.removed(db, gone)
    return len(gone)


def forget_samples(db: Database, before_ms: int) -> int:
    """Remove some readings of sessions that ended before that; how many. The bills keep their registers."""
    row = db.execute(
        f"SELECT id FROM session WHERE {BEGAN} < :before AND ended_at_ms < :before ORDER BY {BEGAN} DESC LIMIT 1",
        {"before": before_ms},
    ).fetchone()
    if row is None:
        return 0
    return db.execute(
        f"""DELETE FROM sample WHERE (session_id, sampled_at_ms, content) IN (
            SELECT session_id, sampled_at_ms, content FROM sample WHERE session_id <= ? AND sampled_at_ms < ?
              AND session_id NOT IN (SELECT id FROM session WHERE {IS_OPEN}) LIMIT ?)""",
        (row[0], before_ms, ROWS_AT_ONCE),
    ).rowcount


def forget_log_ins(db: Database, before_ms: int) -> int:
    """Remove log-ins that were last used before that; how many."""
    return db.execute("DELETE FROM operator_session WHERE seen_at_ms < ?", (before_ms,)).rowcount
