"""Readings as rows: what was measured in a session, up to a bound, and read back."""

from __future__ import annotations

from zlib import crc32

import orjson

from appliance.db import disk
from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database, Rows
from appliance.db.sessions import signed_values
from appliance.domain.identifiers import SessionId
from appliance.domain.meter import Reading
from appliance.domain.registers import Sampled

SAMPLE = Rows(
    """sample(session_id, sampled_at_ms, energy_wh, power_w, current_ma, voltage_mv, soc_percent, others, interval_wh,
        content)""",
    width=10,
    on_conflict="ON CONFLICT DO NOTHING",
)
SAMPLE_ROW_BYTES = 64
OTHERS_BYTES_MAX = 4 << 20
SAMPLE_BYTES_MAX = 8 << 20
"""Of one session: a reading each second for a day and a half."""
SAMPLE_BYTES = Slots[SessionId, int]()
"""About how much is kept of a session."""


def begin(db: Database, session: SessionId) -> None:
    """It has just begun, and has none."""
    SAMPLE_BYTES.keep(db, session, 0)


def add_reading(db: Database, session: SessionId, reading: Reading) -> None:
    """Keep a reading with the commit; the same reading again changes nothing.

    A session's readings have a bound: no charger fills the disk with them. What has no column of its own goes first.
    """
    for value in reading.signed:
        signed_values.add(db, session, value, reading.at_ms)
    used = SAMPLE_BYTES.get(db, session)
    if used is None:
        used = _sample_bytes(db, session)
    if used > SAMPLE_BYTES_MAX:
        return
    others = reading.others
    if others is not None and (used + len(others) > OTHERS_BYTES_MAX or disk.is_short(db)):
        others = None
    SAMPLE_BYTES.keep(db, session, used + SAMPLE_ROW_BYTES + (len(others) if others else 0))
    values = (
        session, reading.at_ms, reading.energy_wh, reading.power_w, reading.current_ma, reading.voltage_mv,
        reading.soc_percent, others, reading.interval_wh,
    )  # fmt: skip
    db.append(SAMPLE, (*values, checksum(values)))


def checksum(values: tuple[object, ...]) -> int:
    """The `content` of a row, of all that stands before it there."""
    return crc32(orjson.dumps(values))


def _sample_bytes(db: Database, session: SessionId) -> int:
    row = db.execute(
        "SELECT count(*), coalesce(sum(length(others)), 0) FROM sample WHERE session_id = ?", (session,)
    ).fetchone()
    return int(row[0]) * SAMPLE_ROW_BYTES + int(row[1])


def last_register(db: Database, session: SessionId) -> tuple[int, int] | None:
    """The last reading of the main register of a session: (Wh, when)."""
    db.flush()
    row: tuple[int, int] | None = db.execute(
        """SELECT energy_wh, sampled_at_ms FROM sample WHERE session_id = ? AND energy_wh IS NOT NULL
        ORDER BY sampled_at_ms DESC, energy_wh DESC LIMIT 1""",
        (session,),
    ).fetchone()
    return row


def rose_at(db: Database, session: SessionId) -> int:
    """When the register was first what it was told last; 0 without a reading."""
    last = last_register(db, session)
    if last is None:
        return 0
    row = db.execute(
        "SELECT min(sampled_at_ms) FROM sample WHERE session_id = ? AND energy_wh = ?", (session, last[0])
    ).fetchone()
    return int(row[0])


def first_register(db: Database, session: SessionId, above_wh: int) -> tuple[int, int] | None:
    """The first reading of the main register of a session that is above something: (when, Wh)."""
    db.flush()
    row: tuple[int, int] | None = db.execute(
        """SELECT sampled_at_ms, energy_wh FROM sample WHERE session_id = ? AND energy_wh > ?
        ORDER BY sampled_at_ms, energy_wh LIMIT 1""",
        (session, above_wh),
    ).fetchone()
    return row


def registers(db: Database, session: SessionId) -> list[Sampled]:
    """All readings of the main register, and of what was taken in intervals."""
    db.flush()
    return db.execute(
        """SELECT sampled_at_ms, energy_wh, interval_wh FROM sample
        WHERE session_id = ? AND (energy_wh IS NOT NULL OR interval_wh IS NOT NULL) ORDER BY sampled_at_ms""",
        (session,),
    ).fetchall()
