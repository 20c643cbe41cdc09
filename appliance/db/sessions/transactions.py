"""Transactions that stations have named themselves, as rows: which session each is, and which of its messages have come."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.payers import PAYS, Payer
from appliance.db.sessions import closing, neighbours
from appliance.db.sessions.sessions import LATEST_START, ON_EVSE, OPEN_SESSIONS, Running, ended_on_evse
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.session import CLOSED
from appliance.domain.transaction import Order, TransactionRef

NUMBER_MAX = 2**63 - 1
"""No column holds a greater one, so no session has it."""


@dataclass(frozen=True, slots=True)
class Named:
    """A transaction with a name of its station's own."""

    session: SessionId
    order: Order
    start_known: bool
    """Whether the station has told the register at its start; else the lowest that was seen stands for it."""


@dataclass(frozen=True, slots=True)
class End:
    """What is known of the end of a session that is over."""

    ended_at_ms: int
    meter_stop_wh: int | None
    reason: str
    estimated: bool
    note: str


def find(db: Database, station: StationId, name: str) -> Named | None:
    """The transaction of this name, if it has been heard of."""
    row = db.execute(
        "SELECT session_id, next_seq, last_seq, start_known FROM station_transaction WHERE station_id = ? AND name = ?",
        (station, name),
    ).fetchone()
    if row is None:
        return None
    session, next_seq, last_seq, start_known = row
    beyond = frozenset(seq for (seq,) in db.execute("SELECT seq FROM received_seq WHERE session_id = ?", (session,)))
    return Named(SessionId(session), Order(next_seq, beyond, last_seq), bool(start_known))


def session_of(db: Readable, station: StationId, ref: TransactionRef | None) -> SessionId | None:
    """The session that a station means by a name: a text that it gave, or our own number."""
    if isinstance(ref, int):
        return SessionId(ref) if 0 < ref <= NUMBER_MAX else None
    row = db.execute(
        "SELECT session_id FROM station_transaction WHERE station_id = ? AND name = ?", (station, ref)
    ).fetchone()
    return SessionId(row[0]) if row else None


def running_called(db: Readable, station: StationId, name: str) -> SessionId | None:
    """The transaction that runs on a station and is called so there: by a name that it gave, or by our number."""
    session = session_of(db, station, name)
    if session is None and name.isascii() and name.isdecimal():
        session = session_of(db, station, int(name))
    found = db.execute(
        "SELECT id FROM session WHERE id = ? AND station_id = ? AND state = 'running'", (session, station)
    ).fetchone()
    return SessionId(found[0]) if found else None


def ref_of(db: Readable, session: SessionId) -> TransactionRef:
    """What its station calls a session."""
    row = db.execute("SELECT name FROM station_transaction WHERE session_id = ?", (session,)).fetchone()
    return str(row[0]) if row else int(session)


def add(db: Database, station: StationId, name: str, session: SessionId, *, start_known: bool) -> None:
    """A transaction is heard of for the first time."""
    db.execute(
        "INSERT INTO station_transaction (station_id, name, session_id, start_known) VALUES (?, ?, ?, ?)",
        (station, name, session, start_known),
    )
    if not start_known:
        OPEN_SESSIONS.drop(db, session)


def set_order(db: Database, session: SessionId, before: Order, order: Order) -> None:
    """One more message has come."""
    db.execute(
        "UPDATE station_transaction SET next_seq = ?, last_seq = ? WHERE session_id = ?",
        (order.next_seq, order.last_seq, session),
    )
    gone, new = before.beyond - order.beyond, order.beyond - before.beyond
    db.executemany("DELETE FROM received_seq WHERE session_id = ? AND seq = ?", [(session, seq) for seq in gone])
    db.executemany("INSERT INTO received_seq (session_id, seq) VALUES (?, ?)", [(session, seq) for seq in new])


def set_start(db: Database, running: Running, evse: int, started_at_ms: int, meter_start_wh: int | None) -> None:
    """The message with which it began comes late; what is not told there (`evse` 0, no register) stays."""
    db.execute(
        """UPDATE session SET started_at_ms = ?, evse = CASE WHEN ? = 0 THEN evse ELSE ? END,
            meter_start_wh = coalesce(?, meter_start_wh), read_wh = NULL WHERE id = ?""",
        (started_at_ms, evse, evse, meter_start_wh, running.id),
    )
    if meter_start_wh is not None:
        db.execute("UPDATE station_transaction SET start_known = 1 WHERE session_id = ?", (running.id,))
    forget(db, running)
    ON_EVSE.drop(db, (running.station, evse))
    LATEST_START.drop(db, (running.station, evse))


def set_meter_start(db: Database, running: Running, meter_start_wh: int) -> None:
    """The lowest register that was seen stands for that of the start. What was read out of them before went by another start."""
    db.execute("UPDATE session SET meter_start_wh = ?, read_wh = NULL WHERE id = ?", (meter_start_wh, running.id))
    forget(db, running)


def set_payer(
    db: Database,
    running: Running,
    id_token: IdToken,
    payer: Payer | None,
    status: AuthorizationStatus,
    held_minor: int,
    limited_by: str = "",
) -> None:
    """Somebody has shown a card for it."""
    pays = payer if payer is not None and status in PAYS else None
    db.execute(
        """UPDATE session SET id_token = ?, id_token_type = ?, person_id = ?, card_id = ?, wallet_id = ?, policy = ?, tariff_id = ?,
            "authorization" = ?, held_minor = ?, slices = ?, pool_id = ?, limited_by = ? WHERE id = ?""",
        (
            id_token.value, id_token.type, payer.person if payer else None, payer.card if payer else None,
            pays.wallet if pays else None,
            str(pays.holder.policy) if pays else "", pays.tariff.id if pays and pays.tariff else None, str(status),
            held_minor, 1 if held_minor else 0, pays.pool if pays else None, limited_by, running.id,
        ),
    )  # fmt: skip
    if payer is not None and running.state in CLOSED:
        closing.add_to_holder(db, running.id, payer.person, payer.card, pays.pool if pays else None)
    forget(db, running)


def move(db: Database, running: Running, to: SessionId) -> None:
    """A transaction that nobody had asked for turns out to be one that was: all that is known of it goes there, and its row goes."""
    db.flush()
    for table in ("sample", "signed_value", "idle_span", "pause_span", "station_transaction", "received_seq"):
        db.execute(f"UPDATE {table} SET session_id = ? WHERE session_id = ?", (to, running.id))
    ended_on_evse(db, running)
    forget(db, running)
    db.execute("DELETE FROM session WHERE id = ?", (running.id,))


def lowest_register(db: Database, session: SessionId) -> int | None:
    """The least that any reading of its main register says."""
    db.flush()
    row = db.execute("SELECT min(energy_wh) FROM sample WHERE session_id = ?", (session,)).fetchone()
    return None if row[0] is None else int(row[0])


def end_of(db: Database, session: SessionId) -> End:
    """How a session ended."""
    row = db.execute(
        "SELECT ended_at_ms, meter_stop_wh, stop_reason, estimated, note FROM session WHERE id = ?", (session,)
    ).fetchone()
    return End(row[0], row[1], row[2], bool(row[3]), row[4])


def count_correction(db: Database, session: SessionId) -> int:
    """Its bill is set right once more; how often now."""
    row = db.execute(
        "UPDATE station_transaction SET corrections = corrections + 1 WHERE session_id = ? RETURNING corrections",
        (session,),
    ).fetchone()
    return int(row[0])


def forget(db: Database, running: Running) -> None:
    """What is remembered of it is no longer so."""
    neighbours.forget_ended(db, running)
    OPEN_SESSIONS.drop(db, running.id)
    ON_EVSE.drop(db, (running.station, running.evse))
    LATEST_START.drop(db, (running.station, running.evse))
