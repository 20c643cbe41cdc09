"""Every frame of every station: a CALL and its answer are one row. Written with the commit of its effect, read by page."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.engine.unit import Database, Rows
from appliance.domain.identifiers import StationId

MESSAGE = Rows("message_log(station_id, at_ms, direction, action, request, answer, violation)", width=7)
ROWS_SCANNED_MAX = 300_000
"""The log has no index by station, because it is written at every message and seldom read; a page looks so far back at a time."""


@dataclass(frozen=True, slots=True)
class Message:
    """One exchange, as it was on the wire, less its secrets."""

    id: int
    station: StationId
    at_ms: int
    direction: str
    """in: the station called; out: we did."""
    action: str
    """"" for what could not be read."""
    request: str
    answer: str | None
    violation: str | None
    """What was wrong with its form."""


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first."""

    messages: list[Message]
    before_id: int | None
    """Ask for older ones with this; None: there are none."""


def record(db: Database, row: tuple[object, ...]) -> None:
    """A unit that only logs: station, at, direction, action, request, answer, violation."""
    db.append(MESSAGE, row)


def page(
    db: Readable,
    station: StationId,
    before_id: int | None = None,
    limit: int = 50,
    *,
    action: str | None = None,
    direction: str | None = None,
    violations_only: bool = False,
) -> Page:
    """Messages of a station, newest first, older than `before_id`.

    A page may be short, or even empty, and yet have a `before_id`: then the search goes on from there.
    """
    newest = db.execute("SELECT coalesce(max(id), 0) FROM message_log").fetchone()[0] + 1
    begin = min(before_id, newest) if before_id is not None else newest
    end = begin - ROWS_SCANNED_MAX
    rows = db.execute(
        """SELECT id, station_id, at_ms, direction, action, request, answer, violation FROM message_log
        WHERE id < :begin AND id >= :end AND station_id = :station
          AND at_ms >= (SELECT log_since_ms FROM station WHERE id = :station)
          AND (action = :action OR :action IS NULL) AND (direction = :direction OR :direction IS NULL)
          AND (:violations = 0 OR violation IS NOT NULL)
        ORDER BY id DESC LIMIT :limit""",
        {
            "begin": begin,
            "end": end,
            "station": station,
            "action": action,
            "direction": direction,
            "violations": violations_only,
            "limit": limit,
        },
    ).fetchall()
    messages = [Message(*row) for row in rows]
    if len(messages) == limit:
        return Page(messages, messages[-1].id)
    oldest = db.execute("SELECT coalesce(min(id), 0) FROM message_log").fetchone()[0]
    return Page(messages, end if end > oldest else None)


def recent_answers(db: Readable, actions: frozenset[str], limit: int) -> list[tuple[StationId, str, str]]:
    """Station, request and answer of the last calls of stations with one of these actions, oldest first."""
    newest = db.execute("SELECT coalesce(max(id), 0) FROM message_log").fetchone()[0]
    rows = db.execute(
        f"""SELECT station_id, request, answer FROM message_log
        WHERE id > ? AND direction = 'in' AND answer IS NOT NULL AND action IN ({marks(actions)})
        ORDER BY id DESC LIMIT ?""",
        (newest - 4 * limit, *sorted(actions), limit),
    ).fetchall()
    return rows[::-1]
