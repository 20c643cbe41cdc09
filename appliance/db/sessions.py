"""Sessions as rows: finding, beginning, measuring, ending. What a session costs is decided in services/billing.py."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from zlib import crc32

from appliance.db.connection import Database, Rows
from appliance.db.payers import PAYS, Payer, remembered_tariff
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.identifiers import AccountId, PersonId, SessionId, StationId
from appliance.domain.meter import Reading
from appliance.domain.tariff import Bill, Tariff, Usage

SAMPLE = Rows(
    "sample(session_id, sampled_at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent, others, content)",
    width=9,
    on_conflict="ON CONFLICT DO NOTHING",
)
DAY = Rows(
    "session_day(day, station_id, session_id, working_s, energy_wh, fee_minor, first_day)",
    width=7,
    on_conflict="""ON CONFLICT (day, station_id, session_id) DO UPDATE SET
        working_s = working_s + excluded.working_s, energy_wh = energy_wh + excluded.energy_wh,
        fee_minor = fee_minor + excluded.fee_minor""",
)


@dataclass(slots=True)
class Running:
    """An open session as the writer remembers it. Changed in place; a rollback forgets it."""

    id: SessionId
    state: str
    station: StationId
    evse: int
    started_at_ms: int
    id_token: str
    meter_start_wh: int
    person: PersonId | None
    wallet: AccountId | None
    policy: str
    tariff: Tariff | None
    held_minor: int
    slices: int
    stop_wanted: str
    energy_wh: int
    """The most that was measured so far."""
    measured_at_ms: int
    """When the register was last read."""
    idle_s: int
    """Idle time of closed spans."""
    idle_since_ms: int | None
    status_at_ms: int = 0
    """When the connector's status was of which the idle time was last reckoned; not kept."""


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


# --- beginning -----------------------------------------------------------------------------------------------------------

INSERT_STARTED = """
INSERT INTO session (state, started_at_ms, station_id, evse, id_token, meter_start_wh, person_id, card_id, wallet_id,
                     policy, tariff_id, authorization, received_at_ms, held_minor, slices, note)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (started_at_ms, station_id, evse, id_token, meter_start_wh) DO NOTHING
RETURNING id
"""
FIND_STARTED = """
SELECT id, authorization FROM session
WHERE started_at_ms = ? AND station_id = ? AND evse = ? AND id_token = ? AND meter_start_wh = ?
"""


def find_started(
    db: Database, started_at_ms: int, station: StationId, evse: int, id_token: str, meter_start_wh: int
) -> tuple[SessionId, AuthorizationStatus] | None:
    """The session that this very start began, and what the station was told then."""
    row = db.execute(FIND_STARTED, (started_at_ms, station, evse, id_token, meter_start_wh)).fetchone()
    return (SessionId(row[0]), AuthorizationStatus(row[1])) if row else None


def insert_started(
    db: Database,
    *,
    state: str = "running",
    started_at_ms: int,
    station: StationId,
    evse: int,
    id_token: str,
    meter_start_wh: int,
    payer: Payer | None,
    authorization: AuthorizationStatus,
    received_at_ms: int,
    held_minor: int = 0,
    note: str = "",
) -> Running | None:
    """A session out of a start; None if this start is known (see `find_started`)."""
    person = payer.person if payer else None
    pays = payer if payer is not None and authorization in PAYS else None
    tariff = pays.tariff if pays else None
    wallet = pays.wallet if pays else None
    policy = str(pays.holder.policy) if pays else ""
    rows = db.execute(
        INSERT_STARTED,
        (
            state, started_at_ms, station, evse, id_token, meter_start_wh, person, payer.card if payer else None,
            wallet, policy, tariff.id if tariff else None, str(authorization), received_at_ms, held_minor,
            1 if held_minor else 0, note,
        ),
    ).fetchall()  # fmt: skip
    if not rows:
        return None
    running = Running(
        SessionId(rows[0][0]), state, station, evse, started_at_ms, id_token, meter_start_wh, person, wallet, policy,
        tariff, held_minor, 1 if held_minor else 0, "", 0, started_at_ms, 0, None,
    )  # fmt: skip
    if state == "running":
        db.remember(("session", running.id), running)
        db.remember(("evse", station, evse), running.id)
    return running


def insert_requested(
    db: Database,
    *,
    station: StationId,
    evse: int,
    id_token: str,
    payer: Payer,
    held_minor: int,
    now_ms: int,
    actor: str,
) -> Running:
    """A wish for a session, before the station has heard of it."""
    db.remembered.pop(("no wish", station), None)
    tariff = payer.tariff
    row = db.execute(
        """INSERT INTO session (state, station_id, evse, id_token, person_id, card_id, wallet_id, policy, tariff_id,
            authorization, requested_at_ms, requested_by, held_minor, slices)
        VALUES ('requested', ?, ?, ?, ?, ?, ?, ?, ?, 'Accepted', ?, ?, ?, ?)
        RETURNING id""",
        (
            station, evse, id_token, payer.person, payer.card, payer.wallet, str(payer.holder.policy),
            tariff.id if tariff else None, now_ms, actor, held_minor, 1 if held_minor else 0,
        ),
    ).fetchone()  # fmt: skip
    return Running(
        SessionId(row[0]), "requested", station, evse, now_ms, id_token, 0, payer.person, payer.wallet,
        str(payer.holder.policy), tariff, held_minor, 1 if held_minor else 0, "", 0, now_ms, 0, None,
    )  # fmt: skip


def find_requested(db: Database, station: StationId, evse: int, id_token: str) -> Running | None:
    """The wish that a start of this token on this EVSE fulfils."""
    if db.remembered.get(("no wish", station)):
        return None
    if not db.execute(
        "SELECT 1 FROM session WHERE station_id = ? AND state IN ('requested', 'running') AND state = 'requested'",
        (station,),
    ).fetchone():
        db.remember(("no wish", station), True)
        return None
    row = db.execute(
        """SELECT id FROM session WHERE station_id = ? AND state IN ('requested', 'running') AND state = 'requested' AND id_token = ? AND evse IN (0, ?)
        ORDER BY id LIMIT 1""",
        (station, id_token, evse),
    ).fetchone()
    return find_open(db, SessionId(row[0])) if row else None


def is_wished_for(db: Database, station: StationId, id_token: str) -> bool:
    """Whether a session of this token was wished for or runs: its driver has no card of their own."""
    row = db.execute(
        "SELECT 1 FROM session WHERE id_token = ? AND station_id = ? AND state IN ('requested', 'running') LIMIT 1",
        (id_token, station),
    ).fetchone()
    return row is not None


def find_failed_wish(db: Database, station: StationId, id_token: str) -> PersonId | None:
    """Who wished for a start with this one-time token, after the wish was given up."""
    row = db.execute(
        """SELECT person_id FROM session WHERE station_id = ? AND state = 'failed' AND id_token = ?
        ORDER BY id DESC LIMIT 1""",
        (station, id_token),
    ).fetchone()
    return PersonId(row[0]) if row else None


def fulfil(
    db: Database, running: Running, *, evse: int, started_at_ms: int, meter_start_wh: int, received_at_ms: int
) -> None:
    """The wish has become a transaction."""
    db.execute(
        """UPDATE session SET state = 'running', evse = ?, started_at_ms = ?, meter_start_wh = ?, received_at_ms = ?
        WHERE id = ?""",
        (evse, started_at_ms, meter_start_wh, received_at_ms, running.id),
    )
    running.state, running.evse, running.started_at_ms, running.meter_start_wh = (
        "running",
        evse,
        started_at_ms,
        meter_start_wh,
    )
    running.measured_at_ms = started_at_ms
    db.remember(("session", running.id), running)
    db.remember(("evse", running.station, evse), running.id)


def fail(db: Database, running: Running, note: str, now_ms: int) -> None:
    """The wish led to nothing."""
    db.execute(
        "UPDATE session SET state = 'failed', ended_at_ms = ?, note = ?, held_minor = 0, slices = 0 WHERE id = ?",
        (now_ms, note, running.id),
    )


# --- while it runs -------------------------------------------------------------------------------------------------------

FIND = """
SELECT session.id, state, station_id, evse, coalesce(started_at_ms, requested_at_ms), id_token,
       coalesce(meter_start_wh, 0), person_id, wallet_id, policy, tariff_id, held_minor, slices, stop_wanted,
       (SELECT max(energy_wh) FROM sample WHERE session_id = session.id),
       (SELECT max(sampled_at_ms) FROM sample WHERE session_id = session.id AND energy_wh IS NOT NULL),
       (SELECT coalesce(sum(end_at_ms - begin_at_ms), 0) FROM idle_span WHERE session_id = session.id AND end_at_ms IS NOT NULL),
       (SELECT max(begin_at_ms) FROM idle_span WHERE session_id = session.id AND end_at_ms IS NULL)
FROM session WHERE session.id = ?
"""


def find_open(db: Database, session: SessionId) -> Running | None:
    """The session, if it is open. It is remembered: nobody else writes, and a rollback forgets."""
    running: Running | None = db.remembered.get(("session", session))
    if running is not None:
        return running
    running = load(db, session)
    if running is None or running.state not in ("requested", "running"):
        return None
    if running.state == "running":
        db.remember(("session", session), running)
    return running


def load(db: Database, session: SessionId) -> Running | None:
    """The session as it stands, open or not."""
    db.flush()
    row = db.execute(FIND, (session,)).fetchone()
    if row is None:
        return None
    (
        id_, state, station, evse, started, token, meter, person, wallet, policy, tariff_id, held, slices, stop, top,
        measured, idle_ms, idle_since,
    ) = row  # fmt: skip
    tariff = None if tariff_id is None else remembered_tariff(db, tariff_id)
    energy_wh = max(0, top - meter) if top is not None else 0
    return Running(
        id_, state, station, evse, started, token, meter, person, wallet, policy, tariff, held, slices, stop,
        energy_wh, started if measured is None else measured, idle_ms // 1000, idle_since,
    )  # fmt: skip


def on_evse(db: Database, station: StationId, evse: int) -> Running | None:
    """The transaction that runs on an EVSE, the newest if the station forgot to end others."""
    key = ("evse", station, evse)
    if key in db.remembered:
        known = db.remembered[key]
        return find_open(db, known) if known is not None else None
    row = db.execute(
        "SELECT id FROM session WHERE station_id = ? AND evse = ? AND state IN ('requested', 'running') AND state = 'running' ORDER BY id DESC LIMIT 1",
        (station, evse),
    ).fetchone()
    db.remember(key, row[0] if row else None)
    return find_open(db, SessionId(row[0])) if row else None


def open_on_station(db: sqlite3.Connection, station: StationId) -> list[SessionId]:
    """All transactions that run on a station, oldest first."""
    rows = db.execute(
        "SELECT id FROM session WHERE station_id = ? AND state IN ('requested', 'running') AND state = 'running' ORDER BY id",
        (station,),
    )
    return [SessionId(row[0]) for row in rows]


def add_reading(db: Database, session: SessionId, reading: Reading) -> None:
    """Keep a reading with the commit; the same reading again changes nothing."""
    values = (
        session, reading.at_ms, reading.energy_wh, reading.power_w, reading.current_ma, reading.voltage_mv,
        reading.soc_percent, reading.others,
    )  # fmt: skip
    db.append(SAMPLE, (*values, crc32(repr(values).encode())))


def set_slices(db: Database, running: Running) -> None:
    """Keep how much is held, in how many slices."""
    db.execute(
        "UPDATE session SET held_minor = ?, slices = ? WHERE id = ?", (running.held_minor, running.slices, running.id)
    )


def set_stop_wanted(db: Database, running: Running, why: str) -> None:
    """The server wants this session stopped."""
    running.stop_wanted = why
    db.execute("UPDATE session SET stop_wanted = ? WHERE id = ?", (why, running.id))


def open_idle(db: Database, session: SessionId, at_ms: int) -> None:
    """The car is full."""
    db.execute("INSERT INTO idle_span (session_id, begin_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING", (session, at_ms))


def close_idle(db: Database, session: SessionId, at_ms: int) -> None:
    """It charges again, or is gone."""
    db.execute(
        "UPDATE idle_span SET end_at_ms = max(?, begin_at_ms) WHERE session_id = ? AND end_at_ms IS NULL",
        (at_ms, session),
    )


def idle_spans(db: Database, session: SessionId) -> list[tuple[int, int]]:
    """The closed idle spans of a session, in order."""
    return db.execute(
        """SELECT begin_at_ms, end_at_ms FROM idle_span WHERE session_id = ? AND end_at_ms IS NOT NULL
        ORDER BY begin_at_ms""",
        (session,),
    ).fetchall()


# --- ending --------------------------------------------------------------------------------------------------------------


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
    db.remembered.pop(("evse", running.station, running.evse), None)


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
        ON CONFLICT (session_id, begin_at_ms) DO UPDATE SET end_at_ms = max(end_at_ms, excluded.end_at_ms)""",
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


# --- wishes and wanted stops -----------------------------------------------------------------------------------------------


def wish_on_evse(db: sqlite3.Connection, station: StationId, evse: int) -> SessionId | None:
    """A start that was wished for on this EVSE and has not come yet."""
    row = db.execute(
        "SELECT id FROM session WHERE station_id = ? AND evse = ? AND state IN ('requested', 'running') AND state = 'requested' ORDER BY id LIMIT 1",
        (station, evse),
    ).fetchone()
    return SessionId(row[0]) if row else None


def requested_before(db: sqlite3.Connection, before_ms: int) -> list[tuple[SessionId, StationId]]:
    """Wishes older than that."""
    return db.execute(
        "SELECT id, station_id FROM session WHERE state IN ('requested', 'running') AND state = 'requested' AND requested_at_ms <= ? ORDER BY id",
        (before_ms,),
    ).fetchall()


def wanted_stops(db: sqlite3.Connection) -> list[tuple[SessionId, StationId, str]]:
    """Running sessions that the server wants stopped."""
    return db.execute(
        """SELECT id, station_id, stop_wanted FROM session
        WHERE state IN ('requested', 'running') AND state = 'running' AND stop_wanted <> '' ORDER BY id"""
    ).fetchall()


def prepaid_by_time(db: sqlite3.Connection) -> list[tuple[SessionId, int]]:
    """Running sessions for which money is held and whose price goes by time, with when we heard of their start."""
    return db.execute(
        """SELECT session.id, received_at_ms FROM session JOIN tariff ON tariff.id = tariff_id
        WHERE state IN ('requested', 'running') AND state = 'running' AND policy = 'prepaid' AND stop_wanted = ''
          AND (time_milli_per_minute > 0 OR idle_milli_per_minute > 0) ORDER BY session.id"""
    ).fetchall()


def heard_of(db: sqlite3.Connection) -> list[tuple[SessionId, StationId, int]]:
    """Running sessions with when something was last heard of them: session, station, when."""
    return db.execute(
        """SELECT id, station_id, max(received_at_ms,
            coalesce((SELECT max(sampled_at_ms) FROM sample WHERE session_id = session.id), 0))
        FROM session WHERE state IN ('requested', 'running') AND state = 'running'"""
    ).fetchall()
