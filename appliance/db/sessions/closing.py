"""Sessions as rows: their end, its correction, the days they are rolled up into, and the place taken afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.unit import Database, Rows
from appliance.db.sessions.sessions import Running, ended_on_evse
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.tariff import Bill, Usage

DAY = Rows(
    "session_day(day, station_id, session_id, working_s, energy_wh, fee_minor, first_day)",
    width=7,
    on_conflict="""ON CONFLICT (day, station_id, session_id) DO UPDATE SET
        working_s = session_day.working_s + excluded.working_s, energy_wh = session_day.energy_wh + excluded.energy_wh,
        fee_minor = session_day.fee_minor + excluded.fee_minor""",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over, as far as a late message needs it."""

    id: SessionId
    state: str
    station: StationId
    id_token: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Billed:
    """What a session used and what it was billed."""

    energy_wh: int
    duration_s: int
    idle_s: int
    net_minor: int
    tax_minor: int


def find_closed(db: Database, session: SessionId) -> Ended | None:
    """The session, if it is over."""
    row = db.execute(
        """SELECT id, state, station_id, id_token, estimated FROM session
        WHERE id = ? AND state IN ('ended', 'review', 'failed')""",
        (session,),
    ).fetchone()
    return Ended(row[0], row[1], row[2], row[3], bool(row[4])) if row else None


def last_register(db: Database, session: SessionId) -> tuple[int, int] | None:
    """The last reading of the main register of a session: (Wh, when)."""
    db.flush()
    row: tuple[int, int] | None = db.execute(
        """SELECT energy_wh, sampled_at_ms FROM sample WHERE session_id = ? AND energy_wh IS NOT NULL
        ORDER BY sampled_at_ms DESC, energy_wh DESC LIMIT 1""",
        (session,),
    ).fetchone()
    return row


def registers(db: Database, session: SessionId) -> list[tuple[int, int]]:
    """All readings of the main register, in order of time: (when, Wh)."""
    db.flush()
    return db.execute(
        """SELECT sampled_at_ms, energy_wh FROM sample WHERE session_id = ? AND energy_wh IS NOT NULL
        ORDER BY sampled_at_ms, energy_wh""",
        (session,),
    ).fetchall()


def end(
    db: Database,
    running: Running,
    *,
    state: str,
    ended_at_ms: int,
    meter_stop_wh: int | None,
    reason: str,
    energy_wh: int,
    duration_s: int,
    idle_s: int,
    net_minor: int,
    tax_minor: int,
    estimated: bool,
    parked_since_ms: int | None,
    note: str,
) -> None:
    """Write the bill into the row and forget that it was open."""
    if parked_since_ms is not None:
        db.remembered.pop(("not parked", running.station, running.evse), None)
    db.execute(
        """UPDATE session SET state = ?, ended_at_ms = ?, meter_stop_wh = ?, stop_reason = ?, energy_wh = ?,
            duration_s = ?, idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ?, estimated = ?, parked_since_ms = ?,
            note = CASE WHEN ? = '' THEN note ELSE ? END WHERE id = ?""",
        (
            state, ended_at_ms, meter_stop_wh, reason, energy_wh, duration_s, idle_s, net_minor, tax_minor,
            net_minor + tax_minor, estimated, parked_since_ms, note, note, running.id,
        ),
    )  # fmt: skip
    db.remembered.pop(("session", running.id), None)
    ended_on_evse(db, running)


def add_day(
    db: Database,
    day: str,
    station: StationId,
    session: SessionId,
    working_s: int,
    energy_wh: int,
    fee_minor: int,
    first: bool,
) -> None:
    """What a session was on one day; added to what is there when the session is billed again."""
    db.append(DAY, (day, station, session, working_s, energy_wh, fee_minor, first))


def forget_days(db: Database, session: SessionId) -> None:
    """Before a corrected bill is rolled up anew."""
    db.flush()
    db.execute("DELETE FROM session_day WHERE session_id = ?", (session,))


def correct(
    db: Database, running: Running, ended_at_ms: int, meter_stop_wh: int | None, reason: str, usage: Usage, bill: Bill
) -> None:
    """An estimate gives way to the station's own stop."""
    db.execute(
        """UPDATE session SET ended_at_ms = ?, meter_stop_wh = ?, stop_reason = ?, energy_wh = ?, duration_s = ?,
            idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ?, estimated = 0, note = '' WHERE id = ?""",
        (
            ended_at_ms, meter_stop_wh, reason, usage.energy_wh, usage.duration_s, usage.idle_s, bill.net_minor,
            bill.tax_minor, bill.total_minor, running.id,
        ),
    )  # fmt: skip


# --- the place after the transaction ---------------------------------------------------------------------------------------


def connector_status(db: Database, station: StationId, evse: int) -> str | None:
    """The status of the EVSE's connector, the busiest one if it has several."""
    db.flush()
    row = db.execute(
        "SELECT status FROM connector WHERE station_id = ? AND evse = ? ORDER BY status = 'Available', changed_at_ms DESC",
        (station, evse),
    ).fetchone()
    return str(row[0]) if row else None


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
    if db.remembered.get(("not parked", station, evse)):
        return None
    row = db.execute(
        "SELECT id FROM session WHERE station_id = ? AND evse = ? AND parked_since_ms IS NOT NULL ORDER BY id DESC LIMIT 1",
        (station, evse),
    ).fetchone()
    if row is None:
        db.remember(("not parked", station, evse), True)
        return None
    return SessionId(row[0])


def parked_at(db: Database, session: SessionId) -> int:
    """Since when it takes the place without charging."""
    return int(db.execute("SELECT parked_since_ms FROM session WHERE id = ?", (session,)).fetchone()[0])


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


def bill_of(db: Database, session: SessionId) -> Billed:
    """What a session was billed."""
    row = db.execute(
        "SELECT energy_wh, duration_s, idle_s, net_minor, tax_minor FROM session WHERE id = ?", (session,)
    ).fetchone()
    return Billed(*row)


def rebill(db: Database, session: SessionId, idle_s: int, net_minor: int, tax_minor: int) -> None:
    """The bill has grown by the place that the car took after its transaction."""
    db.execute(
        "UPDATE session SET idle_s = ?, net_minor = ?, tax_minor = ?, fee_minor = ? WHERE id = ?",
        (idle_s, net_minor, tax_minor, net_minor + tax_minor, session),
    )


def acknowledge(db: Database, session: SessionId) -> None:
    """A session in review counts as ended with the bill it has, and is no longer an estimate that a late stop corrects."""
    db.execute("UPDATE session SET state = 'ended', estimated = 0 WHERE id = ? AND state = 'review'", (session,))
