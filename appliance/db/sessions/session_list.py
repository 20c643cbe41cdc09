"""Sessions as lists and pages show them: what happened, when, whose, for how much. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.tariff import Tariff

ROWS_MAX = 1001
"""What the API gives at a time, and one more to see whether there are more."""
CURVE_POINTS_MAX = 400
ENDED = frozenset({"ended", "review"})
"""States of sessions that are over. One that never began (`failed`) has not ended."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session. Of an open one, energy is what was measured last, and there is no fee yet."""

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

    @property
    def has_ended(self) -> bool:
        """Whether its figures stand, and are in the sums: also while somebody has to look at it."""
        return self.state in ENDED


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
       coalesce(person.name, ''), card_id, id_token, policy, "authorization", requested_at_ms, started_at_ms, ended_at_ms,
       received_at_ms, meter_start_wh, meter_stop_wh,
       CASE WHEN session.state = 'running'
            THEN max(0, coalesce((SELECT max(energy_wh) FROM sample WHERE session_id = session.id), meter_start_wh) - meter_start_wh)
            ELSE energy_wh END,
       duration_s, idle_s, net_minor, tax_minor, fee_minor, held_minor, stop_wanted, stop_reason, estimated,
       session.tariff_id, session.note, requested_by
FROM session JOIN station ON station.id = session.station_id LEFT JOIN person ON person.id = session.person_id
"""
WHERE = """
WHERE (session.station_id = :station OR :station IS NULL) AND (session.person_id = :person OR :person IS NULL)
  AND (card_id = :card OR :card IS NULL) AND (:id_token = '' OR id_token = :id_token) AND (:state = '' OR session.state = :state)
  AND (coalesce(started_at_ms, requested_at_ms) >= :from_ms OR :from_ms IS NULL)
  AND (coalesce(started_at_ms, requested_at_ms) < :to_ms OR :to_ms IS NULL)
"""


def page(db: Readable, wanted: Filter, *, before: int = 0, limit: int = 50) -> list[Session]:
    """Sessions, the newest first; the next page begins `before` the last one's number."""
    rows = db.execute(
        SELECT + WHERE + "AND (:before = 0 OR session.id < :before) ORDER BY session.id DESC LIMIT :limit",
        {**_parameters(wanted), "before": before, "limit": min(limit, ROWS_MAX)},
    )
    return [_session(row) for row in rows]


def totals(db: Readable, wanted: Filter) -> tuple[int, int, int]:
    """How many sessions that are over, their energy (Wh) and their fees (minor units)."""
    row = db.execute(
        "SELECT count(*), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0) FROM session"
        + WHERE
        + "AND session.state IN ('ended', 'review')",
        _parameters(wanted),
    ).fetchone()
    return (row[0], row[1], row[2])


def show(db: Readable, session: int) -> Session | None:
    """One session."""
    row = db.execute(SELECT + "WHERE session.id = ?", (session,)).fetchone()
    return _session(row) if row else None


def tariff_of(db: Readable, session: Session) -> Tariff | None:
    """The prices it runs on; None: nothing to pay."""
    return tariffs.find(db, session.tariff_id)


def open_sessions(db: Readable) -> list[Session]:
    """All that run or were wished for, by number."""
    rows = db.execute(SELECT + "WHERE session.state IN ('requested', 'running') ORDER BY session.id")
    return [_session(row) for row in rows]


def count_open(db: Readable) -> int:
    """How many run or were wished for."""
    return int(db.execute("SELECT count(*) FROM session WHERE state IN ('requested', 'running')").fetchone()[0])


def curve(db: Readable, session: int) -> list[Sample]:
    """The readings of a session in order, thinned out to what a chart can show; first and last always."""
    total = db.execute("SELECT count(*) FROM sample WHERE session_id = ?", (session,)).fetchone()[0]
    step = max(1, total // CURVE_POINTS_MAX)
    rows = db.execute(
        """SELECT sampled_at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent FROM (
            SELECT *, row_number() OVER (ORDER BY sampled_at_ms) AS number FROM sample WHERE session_id = :session) AS numbered
        WHERE (number - 1) % :step = 0 OR number = :total ORDER BY sampled_at_ms""",
        {"session": session, "step": step, "total": total},
    )
    return [Sample(*row) for row in rows]


def idle_so_far(db: Readable, session: int) -> list[tuple[int, int | None]]:
    """The idle spans of a session; the last may be open."""
    return db.execute(
        "SELECT begin_at_ms, end_at_ms FROM idle_span WHERE session_id = ? ORDER BY begin_at_ms", (session,)
    ).fetchall()


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


def _session(row: tuple[object, ...]) -> Session:
    values = list(row)
    values[27] = bool(values[27])
    return Session(*values)  # type: ignore[arg-type]
