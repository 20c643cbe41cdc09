"""Wishes: sessions that were asked for by staff or a program, and that no station has begun yet.

A start request is a session's row from the first: it becomes the transaction (`fulfil`), or leads to nothing (`fail`).
"""

from __future__ import annotations

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.db.sessions.open_sessions import BY_NUMBER, IS_LET_IN, IS_REQUESTED
from appliance.db.sessions.sessions import OPEN_SESSIONS, STAMPED, Running, began_on_evse, find_open
from appliance.domain.by import By
from appliance.domain.id_token import IdToken, is_remote
from appliance.domain.identifiers import PersonId, SessionId, StationId
from appliance.domain.moments import Source
from appliance.domain.session import SessionState

NOTHING_ASKED = Slots[StationId, bool]()
"""Stations for which no start request waits."""


def insert(
    db: Database,
    *,
    state: SessionState,
    station: StationId,
    evse: int,
    id_token: IdToken,
    payer: Payer,
    held_minor: int,
    by: By,
) -> Running:
    """A start request for a session, before the station has heard of it."""
    NOTHING_ASKED.drop(db, station)
    tariff = payer.tariff
    row = db.execute(
        """INSERT INTO session (state, station_id, evse, id_token, id_token_type, person_id, card_id, wallet_id, policy, tariff_id,
            "authorization", requested_at_ms, requested_by, held_minor, slices, pool_id)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'Accepted', ?, ?, ?, ?, ?)
        RETURNING id""",
        (
            str(state), station, evse, id_token.value, id_token.type, payer.person, payer.card, payer.wallet, str(payer.holder.policy),
            tariff.id if tariff else None, by.at_ms, by.actor, held_minor, 1 if held_minor else 0, payer.pool,
        ),
    ).fetchone()  # fmt: skip
    return Running(
        SessionId(row[0]), state, station, evse, by.at_ms, id_token.value, 0, payer.person, payer.wallet,
        str(payer.holder.policy), tariff, held_minor, 1 if held_minor else 0, "", 0, by.at_ms, (), by.at_ms,
        card=payer.card, id_token_type=id_token.type, pool=payer.pool,
    )  # fmt: skip


def fulfil(
    db: Database,
    running: Running,
    state: SessionState,
    *,
    evse: int,
    started_at_ms: int,
    meter_start_wh: int,
    received_at_ms: int,
    stamp_ms: int | None = None,
    source: Source = Source.QUEUE,
) -> None:
    """The start request has become a transaction."""
    stamped_at_ms = None if stamp_ms == started_at_ms else stamp_ms
    db.execute(
        """UPDATE session SET state = ?, evse = ?, started_at_ms = ?, meter_start_wh = ?, received_at_ms = ?, stamped_at_ms = ?,
            start_source = ? WHERE id = ?""",
        (str(state), evse, started_at_ms, meter_start_wh, received_at_ms, stamped_at_ms, source, running.id),
    )
    running.stamp_ms, running.source = stamp_ms, source
    running.state, running.evse = state, evse
    running.started_at_ms, running.meter_start_wh = started_at_ms, meter_start_wh
    running.measured_at_ms = started_at_ms
    running.heard_at_ms = running.read_at_ms = received_at_ms
    OPEN_SESSIONS.keep(db, running.id, running)
    began_on_evse(db, running)


def fail(db: Database, running: Running, state: SessionState, note: str, now_ms: int) -> None:
    """The start request led to nothing."""
    db.execute(
        "UPDATE session SET state = ?, ended_at_ms = ?, note = ?, held_minor = 0, slices = 0 WHERE id = ?",
        (str(state), now_ms, note, running.id),
    )


def find(db: Database, station: StationId, evse: int, id_token: str) -> Running | None:
    """The start request that a start of this token on this EVSE fulfils."""
    if NOTHING_ASKED.get(db, station):
        return None
    if not db.execute(
        f"SELECT 1 FROM session WHERE station_id = ? AND {IS_REQUESTED}",
        (station,),
    ).fetchone():
        NOTHING_ASKED.keep(db, station, True)
        return None
    row = db.execute(
        f"""SELECT id FROM session WHERE station_id = ? AND {IS_REQUESTED} AND id_token = ? AND evse IN (0, ?)
        ORDER BY id LIMIT 1""",
        (station, id_token, evse),
    ).fetchone()
    return find_open(db, SessionId(row[0])) if row else None


def waiting_at(db: Database, station: StationId, evse: int) -> list[Running]:
    """The starts that were asked for on this EVSE, then those that left the choice to the station; the oldest first."""
    if NOTHING_ASKED.get(db, station):
        return []
    rows = db.execute(
        f"""SELECT id FROM session WHERE station_id = ? AND {IS_REQUESTED} AND evse IN (0, ?)
        ORDER BY evse DESC, id""",
        (station, evse),
    ).fetchall()
    found = (find_open(db, SessionId(row[0])) for row in rows)
    return [one for one in found if one is not None]


def find_fulfilled(
    db: Database, stamp_ms: int, station: StationId, evse: int, meter_start_wh: int
) -> tuple[SessionId, PersonId | None] | None:
    """The session that was asked for and that this very start began, whatever its station called the driver."""
    # Asked for in order, or for one, they would be looked for among all sessions of the station.
    rows = db.execute(
        f"""SELECT id, person_id FROM session WHERE {STAMPED} = ? AND station_id = ? AND evse = ? AND meter_start_wh = ?
        AND requested_at_ms IS NOT NULL""",
        (stamp_ms, station, evse, meter_start_wh),
    ).fetchall()
    return min(((SessionId(row[0]), row[1]) for row in rows), default=None)


def find_failed(db: Database, station: StationId, id_token: str) -> PersonId | None:
    """Who asked for a start with this one-time token, after the start request was cancelled."""
    if not is_remote(id_token):
        return None
    row = db.execute(
        """SELECT person_id FROM session WHERE station_id = ? AND state = 'failed' AND id_token = ?
        ORDER BY id DESC LIMIT 1""",
        (station, id_token),
    ).fetchone()
    return PersonId(row[0]) if row else None


def is_open(db: Database, station: StationId, id_token: str) -> bool:
    """Whether a session of this token was asked for or runs, and may: its driver has no card of their own."""
    row = db.execute(
        f"SELECT 1 FROM session WHERE id_token = ? AND station_id = ? AND {IS_LET_IN} LIMIT 1",
        (id_token, station),
    ).fetchone()
    return row is not None


def on_evse(db: Readable, station: StationId, evse: int) -> SessionId | None:
    """A start that was asked for on this EVSE and has not come yet."""
    row = db.execute(
        f"SELECT id FROM session WHERE station_id = ? AND evse = ? AND {IS_REQUESTED} ORDER BY id LIMIT 1",
        (station, evse),
    ).fetchone()
    return SessionId(row[0]) if row else None


def open_on(db: Readable, station: StationId, evse: int) -> SessionId | None:
    """What a stop on this EVSE means: what runs there, the newest if the station forgot to end others; else the start that was
    asked for there; else one that left the choice to the station.
    """
    row = db.execute(
        """SELECT id FROM session WHERE station_id = ? AND evse IN (0, ?) AND state IN ('requested', 'running')
        ORDER BY CASE state WHEN 'running' THEN 0 ELSE 1 END, evse DESC, id DESC LIMIT 1""",
        (station, evse),
    ).fetchone()
    return SessionId(row[0]) if row else None


def on_station(db: Readable, station: StationId) -> list[SessionId]:
    """All starts that were asked for on a station and have not come yet."""
    rows = db.execute(
        f"SELECT id FROM session WHERE station_id = ? AND {IS_REQUESTED} ORDER BY id",
        (station,),
    )
    return [SessionId(row[0]) for row in rows]


def older_than(db: Readable, before_ms: int) -> list[tuple[SessionId, StationId]]:
    """Wishes older than that."""
    return db.execute(
        f"SELECT id, station_id FROM session WHERE {IS_REQUESTED} AND requested_at_ms <= ? ORDER BY {BY_NUMBER}",
        (before_ms,),
    ).fetchall()
