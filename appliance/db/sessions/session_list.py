"""Sessions as lists and pages show them: what happened, when, whose, for how much. Nothing here writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.db import tariffs
from appliance.db.sessions.sessions import idle_spans
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.registers import further
from appliance.domain.session import CLOSED, OVER, SessionState
from appliance.domain.tariff import Tariff, Usage

ROWS_MAX = 1001
"""What the API gives at a time, and one more to see whether there are more."""
CURVE_POINTS_MAX = 400


@dataclass(frozen=True, slots=True)
class Session:
    """One session, with the Facts of domain/session.py. What an open one used and costs is reckoned from them; its columns of
    the bill are 0.
    """

    id: SessionId
    state: str
    station_id: StationId
    station: str
    """What the staff call it."""
    identity: str
    evse: int
    person_id: PersonId | None
    person: str
    card_id: CardId | None
    id_token: str
    policy: str
    authorization: str
    requested_at_ms: int | None
    started_at_ms: int | None
    ended_at_ms: int | None
    received_at_ms: int | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    energy_wh: int
    """Of an open one: what its registers say so far."""
    duration_s: int
    idle_s: int
    net_minor: int
    tax_minor: int
    fee_minor: int
    held_minor: int
    stop_wanted: str
    stop_reason: str
    estimated: bool
    tariff_id: int | None
    note: str
    requested_by: str
    tariff: Tariff | None
    """The prices it runs on; None: nothing to pay."""
    idle_spans: Sequence[tuple[int, int | None]]
    """Of an open one."""

    @property
    def has_ended(self) -> bool:
        """Whether its figures stand, and are in the sums: also while somebody has to look at it."""
        return self.state in CLOSED

    @property
    def heard_at_ms(self) -> int:
        """When we heard of it."""
        return self.received_at_ms or self.started_at_ms or 0

    @property
    def billed(self) -> Usage | None:
        """What it was billed for; None while it is open."""
        return Usage(self.energy_wh, self.duration_s, self.idle_s) if self.state in OVER else None


@dataclass(frozen=True, slots=True)
class Sample:
    """One moment of a session."""

    at_ms: int
    energy_wh: int | None
    power_w: int | None
    current_ma: int | None
    voltage_mv: int | None
    soc_percent: int | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions: what is None or empty does not matter. Times are of the start, the end of the span excluded."""

    station: StationId | None = None
    person: PersonId | None = None
    card: CardId | None = None
    state: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    id_token: str = ""
    """In normal form; also that of a card nobody knows."""


SELECT = """
SELECT session.id, session.state, session.station_id, station.name, station.identity, evse, session.person_id,
       coalesce(person.name, ''), card_id, id_token, policy, authorization, requested_at_ms, started_at_ms, ended_at_ms,
       received_at_ms, meter_start_wh, meter_stop_wh, energy_wh, duration_s, idle_s, net_minor, tax_minor, fee_minor, held_minor, stop_wanted, stop_reason, estimated,
       session.tariff_id, session.note, requested_by,
       CASE WHEN session.state = 'running' THEN (SELECT max(energy_wh) FROM sample WHERE session_id = session.id) END
FROM session JOIN station ON station.id = session.station_id LEFT JOIN person ON person.id = session.person_id
"""
WHERE = """
WHERE (:station IS NULL OR session.station_id = :station) AND (:person IS NULL OR session.person_id = :person)
  AND (:card IS NULL OR card_id = :card) AND (:id_token = '' OR id_token = :id_token) AND (:state = '' OR session.state = :state)
  AND (:from_ms IS NULL OR coalesce(started_at_ms, requested_at_ms) >= :from_ms)
  AND (:to_ms IS NULL OR coalesce(started_at_ms, requested_at_ms) < :to_ms)
"""


def page(db: sqlite3.Connection, wanted: Filter, *, before: int = 0, limit: int = 50) -> list[Session]:
    """Sessions, the newest first; the next page begins `before` the last one's number."""
    rows = db.execute(
        SELECT + WHERE + "AND (:before = 0 OR session.id < :before) ORDER BY session.id DESC LIMIT :limit",
        {**_parameters(wanted), "before": before, "limit": min(limit, ROWS_MAX)},
    )
    return _sessions(db, rows)


def totals(db: sqlite3.Connection, wanted: Filter) -> tuple[int, int, int]:
    """How many sessions that are over, their energy (Wh) and their fees (minor units)."""
    row = db.execute(
        "SELECT count(*), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0) FROM session"
        + WHERE
        + "AND session.state IN ('ended', 'review')",
        _parameters(wanted),
    ).fetchone()
    return (row[0], row[1], row[2])


def show(db: sqlite3.Connection, session: int) -> Session | None:
    """One session."""
    found = _sessions(db, db.execute(SELECT + "WHERE session.id = ?", (session,)))
    return found[0] if found else None


def open_sessions(db: sqlite3.Connection) -> list[Session]:
    """All that run or were wished for, by number."""
    rows = db.execute(SELECT + "WHERE session.state IN ('requested', 'running') ORDER BY session.id")
    return _sessions(db, rows)


def count_open(db: sqlite3.Connection) -> int:
    """How many run or were wished for."""
    return int(db.execute("SELECT count(*) FROM session WHERE state IN ('requested', 'running')").fetchone()[0])


def curve(db: sqlite3.Connection, session: int) -> list[Sample]:
    """The readings of a session in order, thinned out to what a chart can show; first and last always."""
    total = db.execute("SELECT count(*) FROM sample WHERE session_id = ?", (session,)).fetchone()[0]
    step = max(1, total // CURVE_POINTS_MAX)
    rows = db.execute(
        """SELECT sampled_at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent FROM (
            SELECT *, row_number() OVER (ORDER BY sampled_at_ms) AS number FROM sample WHERE session_id = :session)
        WHERE (number - 1) % :step = 0 OR number = :total ORDER BY sampled_at_ms""",
        {"session": session, "step": step, "total": total},
    )
    return [Sample(*row) for row in rows]


def _parameters(wanted: Filter) -> dict[str, object]:
    return {
        "station": wanted.station,
        "person": wanted.person,
        "card": wanted.card,
        "id_token": wanted.id_token,
        "state": wanted.state,
        "from_ms": wanted.from_ms,
        "to_ms": wanted.to_ms,
    }


def _sessions(db: sqlite3.Connection, rows: Iterable[tuple[Any, ...]]) -> list[Session]:
    known: dict[int | None, Tariff | None] = {None: None}
    return [_session(db, row, known) for row in rows]


def _session(db: sqlite3.Connection, row: tuple[Any, ...], known: dict[int | None, Tariff | None]) -> Session:
    *values, highest_wh = row
    number, state, meter_start_wh, tariff_id = values[0], values[1], values[16], values[28]
    spans: Sequence[tuple[int, int | None]] = ()
    if state == SessionState.RUNNING:
        spans = idle_spans(db, number)
        if highest_wh is not None:
            values[18] = further(0, meter_start_wh, highest_wh)
    if tariff_id not in known:
        known[tariff_id] = tariffs.find(db, tariff_id)
    values[27] = bool(values[27])
    return Session(*(*values, known[tariff_id], spans))
