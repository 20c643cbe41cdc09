"""Sessions as rows: their end, its correction, the days they are rolled up into, and the place taken afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, Rows
from appliance.db.sessions import neighbours, used
from appliance.db.sessions.sessions import OPEN_SESSIONS, Running, ended_on_evse
from appliance.domain.identifiers import CardId, PersonId, SessionId, StationId
from appliance.domain.session import SessionState
from appliance.domain.tariff import Bill, Usage

NO_CARD, NO_POOL = 0, 0
"""Stand in the sums for a card where staff or a program let somebody charge, and for a pool where they pay for themselves."""
DAY = Rows(
    "session_day(day, station_id, session_id, working_s, energy_wh, fee_minor, first_day)",
    width=7,
    on_conflict="""ON CONFLICT (day, session_id) DO UPDATE SET
        working_s = session_day.working_s + excluded.working_s, energy_wh = session_day.energy_wh + excluded.energy_wh,
        fee_minor = session_day.fee_minor + excluded.fee_minor""",
)
STATION_DAY, STATION_MONTH, HOLDER_SUM, HOLDER_MONTH = (
    Rows(
        f"{table}({', '.join(key)}, working_s, energy_wh, fee_minor, sessions)",
        width=len(key) + 4,
        on_conflict=f"""ON CONFLICT ({", ".join(key)}) DO UPDATE SET
            working_s = {table}.working_s + excluded.working_s, energy_wh = {table}.energy_wh + excluded.energy_wh,
            fee_minor = {table}.fee_minor + excluded.fee_minor, sessions = {table}.sessions + excluded.sessions""",
    )
    for table, *key in (
        ("station_day", "day", "station_id"),
        ("station_month", "month", "station_id"),
        ("holder_sum", "person_id", "card_id"),
        ("holder_month", "month", "person_id", "card_id", "pool_id"),
    )
)

ONLY_CONNECTOR = Slots[tuple[StationId, int], int]()
"""The connector of an EVSE that has no other."""
NOBODY_PARKED = Slots[tuple[StationId, int], bool]()
"""EVSEs of which no car takes the place after its session."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over, as far as a late message needs it."""

    id: SessionId
    state: SessionState
    station: StationId
    evse: int
    id_token: str
    estimated: bool
    started_at_ms: int
    ended_at_ms: int
    meter_stop_wh: int | None
    reason: str
    """Of the stop; "" until its station has told of it."""
    note: str


@dataclass(frozen=True, slots=True)
class Figure:
    """What a session in review may be billed for."""

    usage: Usage
    ended_at_ms: int
    meter_stop_wh: int | None
    bill: Bill | None = None
    """What it would cost by a tariff with lines, without the lines of the bill."""


def find_closed(db: Database, session: SessionId) -> Ended | None:
    """The session, if it is over."""
    row = db.execute(
        """SELECT id, state, station_id, evse, id_token, estimated, coalesce(started_at_ms, 0), coalesce(ended_at_ms, 0),
            meter_stop_wh, stop_reason, note FROM session
        WHERE id = ? AND state IN ('ended', 'review', 'failed')""",
        (session,),
    ).fetchone()
    return Ended(row[0], SessionState(row[1]), row[2], row[3], row[4], bool(row[5]), *row[6:]) if row else None


def end(
    db: Database,
    running: Running,
    *,
    state: SessionState,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    reason: str,
    usage: Usage,
    bill: Bill,
    estimated: bool,
    parked_since_ms: int | None,
    note: str,
    stood_still: bool = False,
) -> None:
    """Write the bill into the row and forget that it was open."""
    if parked_since_ms is not None:
        NOBODY_PARKED.drop(db, (running.station, running.evse))
    db.execute(
        """UPDATE session SET state = ?, ended_at_ms = ?, meter_stop_wh = ?, stop_reason = ?, energy_wh = ?,
            duration_s = ?, idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ?, estimated = ?, parked_since_ms = ?,
            stood_still = ?, note = CASE WHEN ? = '' THEN note ELSE ? END WHERE id = ?""",
        (
            str(state), ended_at_ms, meter_stop_wh, reason, usage.energy_wh, usage.duration_s, usage.idle_s,
            bill.net_minor, bill.tax_minor, bill.total_minor, estimated, parked_since_ms, stood_still, note, note, running.id,
        ),
    )  # fmt: skip
    OPEN_SESSIONS.drop(db, running.id)
    ended_on_evse(db, running)
    neighbours.ended(db, running, ended_at_ms, meter_stop_wh, note)


def add_day(
    db: Database, running: Running, day: str, working_s: int, energy_wh: int, fee_minor: int, *, first: bool
) -> None:
    """What a session was on one day; added to what is there when the session is billed again. The sums grow with it."""
    db.append(DAY, (day, running.station, running.id, working_s, energy_wh, fee_minor, first))
    _add_sums(db, running, day, working_s, energy_wh, fee_minor, int(first))


def forget_days(db: Database, running: Running) -> None:
    """Before a corrected bill is rolled up anew."""
    db.flush()
    for day, working_s, energy_wh, fee_minor, first in db.execute(
        "DELETE FROM session_day WHERE session_id = ? RETURNING day, working_s, energy_wh, fee_minor, first_day",
        (running.id,),
    ).fetchall():
        _add_sums(db, running, day, -working_s, -energy_wh, -fee_minor, -first)


def _add_sums(
    db: Database, running: Running, day: str, working_s: int, energy_wh: int, fee_minor: int, sessions: int
) -> None:
    """The same for all sessions of a station together, by day and by month, and for all of a person on a card, by month, too."""
    sums = (working_s, energy_wh, fee_minor, sessions)
    db.append(STATION_DAY, (day, running.station, *sums))
    db.append(STATION_MONTH, (day[:7], running.station, *sums))
    if running.person is not None:
        _add_to_holder(db, running.person, running.card, running.pool, day, sums)


def add_to_holder(
    db: Database, session: SessionId, person: PersonId, card: CardId | None, pool: PersonId | None
) -> None:
    """A session that is over turns out to be somebody's: so far it was in nobody's sums."""
    db.flush()
    for day, *sums in db.execute(
        "SELECT day, working_s, energy_wh, fee_minor, first_day FROM session_day WHERE session_id = ?", (session,)
    ).fetchall():
        _add_to_holder(db, person, card, pool, day, tuple(sums))


def _add_to_holder(
    db: Database, person: PersonId, card: CardId | None, pool: PersonId | None, day: str, sums: tuple[int, ...]
) -> None:
    db.append(HOLDER_SUM, (person, card or NO_CARD, *sums))
    db.append(HOLDER_MONTH, (day[:7], person, card or NO_CARD, pool or NO_POOL, *sums))
    used.forget(db, person, card, pool)


def correct(
    db: Database,
    running: Running,
    state: SessionState,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    reason: str,
    *,
    usage: Usage,
    bill: Bill,
    estimated: bool,
    note: str,
) -> None:
    """A bill gives way to one by more that is known, as an estimate and its note to the station's own stop."""
    neighbours.forget_ended(db, running)
    db.execute(
        """UPDATE session SET state = ?, ended_at_ms = ?, meter_stop_wh = ?, stop_reason = ?, energy_wh = ?, duration_s = ?,
            idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ?, estimated = ?,
            note = CASE WHEN ? = 0 THEN ? ELSE note END WHERE id = ?""",
        (
            str(state), ended_at_ms, meter_stop_wh, reason, usage.energy_wh, usage.duration_s, usage.idle_s,
            bill.net_minor, bill.tax_minor, bill.total_minor, estimated, estimated, note, running.id,
        ),
    )  # fmt: skip


def doubt(
    db: Database, running: Running, state: SessionState, meter_stop_wh: int | None, reason: str, note: str
) -> None:
    """What was to correct a bill cannot be right: somebody must look, and the bill stays."""
    neighbours.forget_ended(db, running)
    db.execute(
        "UPDATE session SET state = ?, meter_stop_wh = ?, stop_reason = ?, note = ? WHERE id = ?",
        (str(state), meter_stop_wh, reason, note, running.id),
    )


def set_figures(db: Database, session: SessionId, figures: Iterable[Figure]) -> None:
    """What it may be billed for while it is in doubt, in the order in which that is offered; of two with one energy the first."""
    db.execute("DELETE FROM session_figure WHERE session_id = ?", (session,))
    for position, one in enumerate(figures):
        db.execute(
            """INSERT INTO session_figure
            (session_id, energy_wh, position, duration_s, idle_s, ended_at_ms, meter_stop_wh, net_minor, tax_minor)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING""",
            (
                session, one.usage.energy_wh, position, one.usage.duration_s, one.usage.idle_s, one.ended_at_ms,
                one.meter_stop_wh, one.bill and one.bill.net_minor, one.bill and one.bill.tax_minor,
            ),
        )  # fmt: skip


def figures(db: Readable, session: SessionId) -> list[Figure]:
    """What it may be billed for, in order."""
    rows = db.execute(
        """SELECT energy_wh, duration_s, idle_s, ended_at_ms, meter_stop_wh, net_minor, tax_minor FROM session_figure
        WHERE session_id = ? ORDER BY position""",
        (session,),
    )
    return [
        Figure(Usage(*row[:3]), row[3], row[4], None if row[5] is None else Bill((), row[5], row[6], row[5] + row[6]))
        for row in rows
    ]


def decide(db: Database, running: Running, state: SessionState, chosen: Figure, bill: Bill) -> None:
    """Somebody has looked: it is billed for this."""
    neighbours.forget_ended(db, running)
    usage = chosen.usage
    db.execute(
        """UPDATE session SET state = ?, energy_wh = ?, duration_s = ?, idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ?,
            ended_at_ms = ?, meter_stop_wh = ?, estimated = 0 WHERE id = ?""",
        (
            str(state), usage.energy_wh, usage.duration_s, usage.idle_s, bill.net_minor, bill.tax_minor,
            bill.total_minor, chosen.ended_at_ms, chosen.meter_stop_wh, running.id,
        ),
    )  # fmt: skip


# --- the place after the transaction ---------------------------------------------------------------------------------------


def connector_state(db: Database, station: StationId, evse: int) -> tuple[str, str] | None:
    """Status and charging state of the EVSE's connector, the busiest one if it has several."""
    db.flush()
    row: tuple[str, str] | None = db.execute(
        """SELECT status, charging_state FROM connector WHERE station_id = ? AND evse = ?
        ORDER BY status <> 'Occupied', status = 'Available', changed_at_ms DESC""",
        (station, evse),
    ).fetchone()
    return row


def is_occupied_beside(db: Database, station: StationId, evse: int, connector: int) -> bool:
    """Whether a car hangs at another connector of the EVSE."""
    if ONLY_CONNECTOR.get(db, (station, evse)) == connector:
        return False
    db.flush()
    others = db.execute(
        "SELECT status FROM connector WHERE station_id = ? AND evse = ? AND connector <> ?", (station, evse, connector)
    ).fetchall()
    if others:
        ONLY_CONNECTOR.drop(db, (station, evse))
    else:
        ONLY_CONNECTOR.keep(db, (station, evse), connector)
    return ("Occupied",) in others


def free_since(db: Database, station: StationId, evse: int) -> int | None:
    """Since when all of an EVSE's connectors are free; None if one of them is not, or none was ever told of."""
    db.flush()
    row = db.execute(
        """SELECT max(changed_at_ms), min(CASE WHEN status = 'Available' THEN 1 ELSE 0 END) FROM connector
        WHERE station_id = ? AND evse = ?""",
        (station, evse),
    ).fetchone()
    return int(row[0]) if row[1] else None


def find_parked(db: Database, station: StationId, evse: int) -> SessionId | None:
    """The session whose car still takes the place of this EVSE."""
    if NOBODY_PARKED.get(db, (station, evse)):
        return None
    row = db.execute(
        "SELECT id FROM session WHERE station_id = ? AND evse = ? AND parked_since_ms IS NOT NULL ORDER BY id DESC LIMIT 1",
        (station, evse),
    ).fetchone()
    if row is None:
        NOBODY_PARKED.keep(db, (station, evse), True)
        return None
    return SessionId(row[0])


def parked_at(db: Database, session: SessionId) -> int:
    """Since when it takes the place without charging."""
    return int(db.execute("SELECT parked_since_ms FROM session WHERE id = ?", (session,)).fetchone()[0])


def ended_at(db: Database, session: SessionId) -> int:
    """When a session ended that has."""
    return int(db.execute("SELECT ended_at_ms FROM session WHERE id = ?", (session,)).fetchone()[0])


def add_idle(db: Database, session: SessionId, begin_at_ms: int, end_at_ms: int) -> None:
    """A closed idle span."""
    db.execute(
        """INSERT INTO idle_span (session_id, begin_at_ms, end_at_ms) VALUES (?, ?, ?)
        ON CONFLICT (session_id, begin_at_ms) DO UPDATE SET end_at_ms = max(idle_span.end_at_ms, excluded.end_at_ms)""",
        (session, begin_at_ms, max(begin_at_ms, end_at_ms)),
    )


def unpark(db: Database, session: SessionId) -> None:
    """The place is free again."""
    db.execute("UPDATE session SET parked_since_ms = NULL WHERE id = ?", (session,))


def bill_of(db: Database, session: SessionId) -> tuple[Usage, Bill]:
    """What a session was billed for, and the sums of its bill, without the lines."""
    row = db.execute(
        "SELECT energy_wh, duration_s, idle_s, net_minor, tax_minor, fee_minor FROM session WHERE id = ?", (session,)
    ).fetchone()
    return Usage(*row[:3]), Bill((), *row[3:])


def end_of(db: Database, session: SessionId) -> tuple[int, int | None]:
    """When a session ended, and with which register."""
    row = db.execute("SELECT ended_at_ms, meter_stop_wh FROM session WHERE id = ?", (session,)).fetchone()
    return int(row[0]), row[1]


def rebill(db: Database, session: SessionId, state: SessionState, usage: Usage, bill: Bill) -> None:
    """A bill that was not booked yet, or has grown by the place that the car took after its transaction."""
    db.execute(
        "UPDATE session SET state = ?, idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ? WHERE id = ?",
        (str(state), usage.idle_s, bill.net_minor, bill.tax_minor, bill.total_minor, session),
    )


def acknowledge(db: Database, session: SessionId, state: SessionState) -> None:
    """A session that was looked at counts with the bill it has, and is no longer an estimate that a late stop corrects."""
    db.execute("UPDATE session SET state = ?, estimated = 0 WHERE id = ?", (str(state), session))
