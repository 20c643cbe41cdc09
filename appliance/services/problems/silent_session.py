"""Sessions that run, and of which nothing has been heard for too long."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems.check import Facts, Finding, Found
from appliance.services.sessions import guard


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """By when each was heard of last. One that is missed already, or whose station is known to be silent, is told so."""
    patience_ms = settings.of(db).silent_session_s * 1000
    for session, station, heard_ms in sessions.heard_of(db):
        if facts.now_ms - heard_ms > patience_ms and not guard.is_told_unwatched(db, session, station):
            details = {"session": int(session), "station": int(station), "since_ms": heard_ms}
            yield Found(f"session:{session}", details)


CHECK = Finding(ProblemKind.SILENT_SESSION, find)
