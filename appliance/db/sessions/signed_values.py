"""Signed values of sessions as rows, and the public keys of meters."""

from __future__ import annotations

from hashlib import sha256

from appliance.db import disk
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.signed import DATA_CHARS_MAX, SignedValue, has_room, is_needed


def add(db: Database, session: SessionId, value: SignedValue, at_ms: int) -> None:
    """Keep one, if there is room; the same again changes nothing, and what is no text that can be kept is in the message log alone.

    On a disk that is nearly full only a short one of the beginning or the end is kept: the reserve is for money.
    """
    if disk.is_short(db) and not is_needed(value):
        return
    (kept,) = db.execute(
        "SELECT coalesce(max(position), 0) FROM signed_value WHERE session_id = ?", (session,)
    ).fetchone()
    # SQLite counts the letters of a text up to the first NUL.
    if value.data and "\0" not in value.data and len(value.data) <= DATA_CHARS_MAX and has_room(kept, value.context):
        db.execute(
            """INSERT INTO signed_value (session_id, position, at_ms, context, data, digest) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT DO NOTHING""",
            (session, kept + 1, at_ms, value.context[:100], value.data, sha256(value.data.encode("utf-8", "replace")).digest()),
        )  # fmt: skip


def of_session(db: Readable, session: int) -> list[SignedValue]:
    """In the order in which they came."""
    rows = db.execute("SELECT data, context FROM signed_value WHERE session_id = ? ORDER BY position", (session,))
    return [SignedValue(*row) for row in rows]


def key_of(db: Readable, station: StationId, evse: int) -> str:
    """The public key of a meter, as it was entered; "" if nobody has."""
    row = db.execute("SELECT public_key FROM meter_key WHERE station_id = ? AND evse = ?", (station, evse)).fetchone()
    return str(row[0]) if row else ""


def keys_of(db: Readable, station: StationId) -> dict[int, str]:
    """Of all meters of a station, by EVSE."""
    return dict(db.execute("SELECT evse, public_key FROM meter_key WHERE station_id = ? ORDER BY evse", (station,)))


def set_key(db: Database, station: StationId, evse: int, text: str) -> None:
    """From now on what this meter has signed is checked by it; "": by none."""
    if text:
        db.execute(
            """INSERT INTO meter_key (station_id, evse, public_key) VALUES (?, ?, ?)
            ON CONFLICT (station_id, evse) DO UPDATE SET public_key = excluded.public_key""",
            (station, evse, text),
        )
    else:
        db.execute("DELETE FROM meter_key WHERE station_id = ? AND evse = ?", (station, evse))
