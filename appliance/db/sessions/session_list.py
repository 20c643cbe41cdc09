"""Sessions as lists and pages show them: what happened, when, whose, for how much. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import flush
from appliance.db.lists import Listed, Part, Window
from appliance.db.sessions.closing import Figure, figures
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_OPEN, IS_REQUESTED, IS_RUNNING
from appliance.db.sessions.sessions import idle_spans
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.session import CLOSED, OPEN, OVER, SessionState
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
    """Of an open one and of one in review, what is held now; else the sum of what was."""
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
    so_far_minor: int | None = None
    """Of an open one: what it costs by a tariff with lines, as of its last reading."""
    figures: Sequence[Figure] = ()
    """Of one in review: what it may be billed for."""
    pool_id: PersonId | None = None
    """Which pool pays for it."""
    pool: str = ""
    limited_by: str = ""
    """Whose limit refused or stopped it, and which: `card:day_minor`, `pool:month_energy_wh`."""

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
    pool: PersonId | None = None
    card: CardId | None = None
    state: str = ""
    from_ms: int | None = None
    to_ms: int | None = None
    id_token: str = ""
    """In normal form; also that of a card nobody knows."""
    evse: int | None = None
    group: int | None = None
    """In which whoever charged is now."""
    tariff: int | None = None
    requested_by: str = ""
    """Who of the staff, or which program, asked for the start."""


READ_WH = """coalesce(read_wh, (SELECT max(sample.energy_wh) FROM sample WHERE session_id = session.id) - coalesce(meter_start_wh, 0))"""
SELECT = f"""
SELECT session.id, session.state, session.station_id, station.name, station.identity, evse, session.person_id,
       coalesce(person.name, ''), card_id, id_token, policy, "authorization", requested_at_ms, started_at_ms, ended_at_ms,
       received_at_ms, meter_start_wh, meter_stop_wh, energy_wh, duration_s, idle_s, net_minor, tax_minor, fee_minor,
       CASE WHEN session.state = 'review' AND EXISTS (SELECT 1 FROM transfer WHERE key = 'end|' || session.id || '|1')
            THEN 0 ELSE held_minor END,
       stop_wanted, stop_reason, estimated, session.tariff_id, session.note, requested_by,
       CASE WHEN session.state = 'running' THEN {READ_WH} END,
       so_far_minor, session.pool_id, coalesce((SELECT pool.name FROM person AS pool WHERE pool.id = session.pool_id), ''), limited_by
FROM session LEFT JOIN station ON station.id = session.station_id LEFT JOIN person ON person.id = session.person_id
"""
"""Every session has its station; as a left join it is looked up for each row of a page, and never gone out from."""
BEGAN = "coalesce(session.started_at_ms, session.requested_at_ms)"
IS_CLOSED = "session.state IN ('ended', 'review')"
CONDITIONS = {
    "station": "session.station_id = :station",
    "person": "session.person_id = :person",
    "pool": "session.pool_id = :pool",
    "card": "session.id_token = (SELECT uid FROM card WHERE card.id = :card) AND session.card_id = :card",
    "id_token": "session.id_token = :id_token",
    "evse": "session.evse = :evse",
    "group": "session.person_id IN (SELECT id FROM person WHERE group_id = :group)",
    "tariff": "session.tariff_id = :tariff",
    "requested_by": "session.requested_by = :requested_by",
    "from_ms": f"{BEGAN} >= :from_ms",
    "to_ms": f"{BEGAN} < :to_ms",
}
"""What a filter asks for, by its field; only what is asked for stands in a query, or it would find no index."""
STATES = {
    "requested": IS_REQUESTED,
    "running": IS_RUNNING,
    "ended": "session.state = 'ended'",
    "failed": "session.state = 'failed'",
    "review": "session.state = 'review'",
}
"""Of these some have an index of their own, for which the word must stand in the query."""
LIST = Listed(
    "session",
    "session.id",
    {
        "number": ("session.id",),
        "open": (BY_NUMBER,),
        "began": (BEGAN, "session.id"),
        "duration": (
            "CASE WHEN session.state = 'running' THEN (:now_ms - started_at_ms) / 1000 ELSE duration_s END",
            "session.id",
        ),
        "energy": (f"CASE WHEN session.state = 'running' THEN coalesce({READ_WH}, 0) ELSE energy_wh END", "session.id"),
        "fee": ("fee_minor", "session.id"),
    },
)
"""The last three are for those of which all are looked at, see `sorts_by_figures`."""
SORTED_MAX = 20_000
"""So many sessions of one holder can be sorted while somebody waits: in a few hundredths of a second."""
SUMMED_MS_MAX = 63 * 86_400_000
"""So long a span is summed session by session; what a longer one came to is in the report."""


def page(db: Readable, wanted: Filter, *, before: int = 0, limit: int = 50) -> list[Session]:
    """Sessions, the newest first; the next page begins `before` the last one's number."""
    return part(db, wanted, Window("began", falls=True, mark=before, rows=min(limit, ROWS_MAX))).rows


def part(db: Readable, wanted: Filter, window: Window, now_ms: int = 0) -> Part[Session]:
    """A page of them in another order. Raises KeyError for an order there is not.

    What runs stands with what it came to by now. Where days are asked for, the newest are those that began last; else those that we heard of last.
    """
    conditions, values = _conditions(wanted)
    if window.sort == "began" and wanted.from_ms is None and wanted.to_ms is None:
        window = replace(window, sort="open" if wanted.state in OPEN else "number")
    elif window.sort == "began" and window.mark:
        # An index is entered by one bound on each side: by where the page begins, which is the nearer one.
        far = "to_ms" if window.falls is not window.backwards else "from_ms"
        looked_at = CONDITIONS[far].replace(BEGAN, f"{BEGAN} + 0")
        conditions = [looked_at if one == CONDITIONS[far] else one for one in conditions]
    return LIST.part(db, SELECT, conditions, {**values, "now_ms": now_ms}, window).of(lambda rows: _sessions(db, rows))


def sorts_by_figures(db: Readable, wanted: Filter, now_ms: int) -> bool:
    """Whether they can be had by what they came to: then all of them are looked at, so it is for what waits, for some days, which are
    summed up session by session anyway, and for holders who are no fleet.

    An index of all would have to be kept by every session that ends.
    """
    if wanted.state in (*OPEN, SessionState.REVIEW):
        return True
    if wanted.from_ms is not None and (wanted.to_ms or now_ms) - wanted.from_ms <= SUMMED_MS_MAX:
        return True
    if wanted.person is None and wanted.card is None and wanted.pool is None:
        return False
    of_holder = Filter(person=wanted.person, card=wanted.card, pool=wanted.pool)
    return _sums_kept(db, _sums_of_holder(wanted), of_holder)[0] <= SORTED_MAX


def totals(db: Readable, wanted: Filter, now_ms: int) -> tuple[int, int, int] | None:
    """How many sessions that are over, their energy (Wh) and their fees (minor units); None for more days than are summed here."""
    if wanted.state not in ("", *CLOSED):
        return (0, 0, 0)  # None of them is over.
    of_holder = wanted.person is not None or wanted.card is not None or wanted.pool is not None
    if wanted.from_ms is None and wanted.to_ms is None and wanted.state != SessionState.REVIEW and not wanted.id_token:
        if not of_holder:
            return _sums_kept(db, "station_month", wanted)
        if wanted.station is None:
            return _sums_kept(db, _sums_of_holder(wanted), wanted)
    if of_holder or wanted.id_token or wanted.state == SessionState.REVIEW:
        return _sums(db, wanted)
    if wanted.from_ms is None or (wanted.to_ms or now_ms) - wanted.from_ms > SUMMED_MS_MAX:
        return None
    return _sums(db, wanted)


def _sums(db: Readable, wanted: Filter) -> tuple[int, int, int]:
    """Session by session."""
    conditions, values = _conditions(wanted)
    row: tuple[int, int, int] = db.execute(
        f"""SELECT count(*), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0) FROM session
        {_where([*conditions, IS_CLOSED])}""",
        values,
    ).fetchone()
    return row


def _sums_of_holder(wanted: Filter) -> str:
    """Which roll-up has them: what pools paid for stands in that of months."""
    return "holder_sum" if wanted.pool is None else "holder_month"


def _sums_kept(db: Readable, table: str, wanted: Filter) -> tuple[int, int, int]:
    """Of all that there ever was, of a station, a person, a card or everywhere: out of a roll-up, which also holds what somebody is
    to look at.
    """
    asked = {
        name: value for name in ("station", "person", "card", "pool") if (value := getattr(wanted, name)) is not None
    }
    count, energy_wh, fee_minor = db.execute(
        f"""SELECT coalesce(sum(sessions), 0), coalesce(sum(energy_wh), 0), coalesce(sum(fee_minor), 0)
        FROM {table} {_where([f"{name}_id = :{name}" for name in asked])}""",
        asked,
    ).fetchone()
    if not wanted.state:
        return (count, energy_wh, fee_minor)
    others = _sums(db, replace(wanted, state=SessionState.REVIEW))
    return (count - others[0], energy_wh - others[1], fee_minor - others[2])


def show(db: Readable, session: int) -> Session | None:
    """One session."""
    flush(db)
    found = _sessions(db, db.execute(SELECT + "WHERE session.id = ?", (session,)))
    return found[0] if found else None


def open_sessions(db: Readable) -> list[Session]:
    """All that run or were asked for, by number."""
    return _sessions(db, db.execute(f"{SELECT} WHERE {IS_OPEN} ORDER BY {BY_NUMBER}"))


def count_open(db: Readable) -> int:
    """How many run or were asked for."""
    return int(db.execute(f"SELECT count(*) FROM session WHERE {IS_OPEN}").fetchone()[0])


def count_by_tariff(db: Readable, tariff: int) -> int:
    """How many charge by a tariff now."""
    row = db.execute(f"SELECT count(*) FROM session WHERE {IS_RUNNING} AND session.tariff_id = ?", (tariff,)).fetchone()
    return int(row[0])


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


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, object]]:
    """What a filter asks for, and the values for it."""
    asked = {name: getattr(wanted, name) for name in CONDITIONS}
    values = {name: value for name, value in asked.items() if value is not None and value != ""}
    return [CONDITIONS[name] for name in values] + ([STATES[wanted.state]] if wanted.state else []), values


def _where(conditions: list[str]) -> str:
    return f"WHERE {' AND '.join(conditions)}" if conditions else ""


def _sessions(db: Readable, rows: Iterable[tuple[Any, ...]]) -> list[Session]:
    known: dict[int | None, Tariff | None] = {None: None}
    return [_session(db, row, known) for row in rows]


def _session(db: Readable, row: tuple[Any, ...], known: dict[int | None, Tariff | None]) -> Session:
    *values, read_wh, so_far_minor, pool_id, pool, limited_by = row
    number, state, tariff_id = values[0], values[1], values[28]
    spans: Sequence[tuple[int, int | None]] = ()
    if state == SessionState.RUNNING:
        spans = idle_spans(db, number)
        values[18] = max(0, read_wh or 0)
    if tariff_id not in known:
        known[tariff_id] = tariffs.find(db, tariff_id)
    values[27] = bool(values[27])
    doubted = figures(db, number) if state == SessionState.REVIEW else ()
    return Session(*(*values, known[tariff_id], spans, so_far_minor, doubted, pool_id, pool, limited_by))
