"""The sessions before and after one on its EVSE, as rows: where the register stood, and when somebody else began."""

from __future__ import annotations

from typing import NamedTuple

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions.sessions import LATEST_START, STAMPED, Running, is_told_late
from appliance.domain.energies import Doubt
from appliance.domain.identifiers import SessionId, StationId
from appliance.domain.moments import SET_MS_MIN
from appliance.domain.registers import JITTER_WH, ROUNDING_WH
from appliance.domain.scale import Other

NEIGHBOURS_MAX = 50
"""Among so many sessions of its station the one before or after it on its EVSE is looked for."""
BY_ITSELF_WH_MAX = 150_000
"""A register beyond it is no count of one session alone: no car takes so much."""


class Neighbour(NamedTuple):
    """A session that is over and tells where the register of its EVSE stands, as far as the next one needs it."""

    id: int
    started_at_ms: int
    meter_start_wh: int | None
    register_wh: int | None
    """Of its stop; where that says nothing, its last reading."""
    is_apart: bool
    """Whether its register did not go on from its start, so that it was not counted from there."""
    ended_at_ms: int


NO_NEIGHBOUR = Neighbour(0, 0, None, None, False, 0)
LAST_ENDED = Slots[tuple[StationId, int], Neighbour]()
"""The session of the highest number that is over on an EVSE, of those whose start was told and whose register moved."""

TOLD_AGAIN = Slots[SessionId, int]()
"""When the start of a session came once more, where another might look the same."""


def last_stop(db: Database, station: StationId, evse: int) -> int | None:
    """The register at which the last session of an EVSE stopped that told it."""
    row = db.execute(
        """SELECT meter_stop_wh FROM session WHERE station_id = ? AND evse = ? AND meter_stop_wh IS NOT NULL
        ORDER BY id DESC LIMIT 1""",
        (station, evse),
    ).fetchone()
    return int(row[0]) if row else None


def register_before(db: Database, running: Running) -> int | None:
    """The last register of the EVSE before a session; None where it may count each session by itself, from zero."""
    found = before(db, running)
    return None if _by_itself(found, running.meter_start_wh) else found.register_wh


def stop_before(db: Database, running: Running) -> int | None:
    """The register at which the session before one stopped, where it may, and is not known to, count each session by itself."""
    found = before(db, running)
    if not _by_itself(found, running.meter_start_wh) or _is_shown_by_itself(db, running):
        return None
    return found.register_wh


def before(db: Database, running: Running) -> Neighbour:
    """The session before one on its EVSE."""
    place = running.station, running.evse
    found = last_ended(db, *place)
    if found.id >= running.id or found.started_at_ms > running.started_at_ms:
        found = _last_ended(db, *place, running.id, running.started_at_ms)
    return found


def last_ended(db: Database, station: StationId, evse: int) -> Neighbour:
    """The session of the highest number that is over on an EVSE."""
    found = LAST_ENDED.get(db, (station, evse))
    if found is None:
        found = _last_ended(db, station, evse)
        LAST_ENDED.keep(db, (station, evse), found)
    return found


def _is_shown_by_itself(db: Database, running: Running) -> bool:
    """Whether the meter of its EVSE was seen to count each session by itself: one that began with nothing had a lower register than the
    one before it, or was billed by staff for all that it told.
    """
    db.flush()
    rows = db.execute(
        """SELECT meter_stop_wh, note = :apart AND state = 'ended' AND energy_wh = meter_stop_wh - meter_start_wh,
            (SELECT min(energy_wh) FROM sample WHERE session_id = earlier.id AND energy_wh > :jitter)
        FROM (SELECT * FROM session WHERE station_id = :station AND id < :below ORDER BY id DESC LIMIT :most) AS earlier
        WHERE evse = :evse AND state IN ('ended', 'review') AND meter_start_wh <= :jitter AND meter_stop_wh > :jitter
        ORDER BY id DESC""",
        {
            "station": running.station, "evse": running.evse, "below": running.id, "most": NEIGHBOURS_MAX,
            "jitter": JITTER_WH, "apart": str(Doubt.START_APART),
        },
    ).fetchall()  # fmt: skip
    stops_before = [row[0] for row in rows[1:]]
    return any(row[1] for row in rows) or any(
        min(stop_wh, stop_wh if lowest_wh is None else lowest_wh) < before_wh - ROUNDING_WH
        for (stop_wh, _, lowest_wh), before_wh in zip(rows, stops_before, strict=False)
    )


def billed_before(db: Database, running: Running) -> list[Other]:
    """The sessions of its station before it that are billed, the latest first."""
    rows = db.execute(
        """SELECT meter_stop_wh - meter_start_wh, energy_wh, note = ? FROM (
            SELECT meter_start_wh, meter_stop_wh, energy_wh, state, note FROM session
            WHERE station_id = ? AND id < ? ORDER BY id DESC LIMIT ?) AS earlier
        WHERE state = 'ended' AND meter_stop_wh > meter_start_wh AND energy_wh > 0""",
        (Doubt.UNIT, running.station, running.id, NEIGHBOURS_MAX),
    )
    return [Other(register_wh, energy_wh, bool(was_asked)) for register_wh, energy_wh, was_asked in rows]


def _by_itself(before: Neighbour, start_wh: int) -> bool:
    """Whether two sessions that follow each other may both be counted from zero."""
    before_wh = before.meter_start_wh
    if start_wh > JITTER_WH or before_wh is None or before_wh > JITTER_WH:
        return False
    return not before.is_apart and (before.register_wh or 0) <= BY_ITSELF_WH_MAX


def _last_ended(
    db: Database, station: StationId, evse: int, below: int = 2**62, started_by_ms: int = 2**62
) -> Neighbour:
    """The last one that moved: an empty session, as that of a card that was refused, says nothing of the register. Nor does what is
    read under its number after its end: another may charge by then.
    """
    db.flush()
    row = db.execute(
        """SELECT id, started_at_ms, meter_start_wh, register_wh,
            note = :apart AND (state = 'review' OR energy_wh <> coalesce(meter_stop_wh - meter_start_wh, -1)),
            coalesce(ended_at_ms, 0) FROM (
            SELECT id, evse, state, started_at_ms, ended_at_ms, meter_start_wh, meter_stop_wh, note, energy_wh,
              CASE WHEN meter_stop_wh > 0 AND meter_stop_wh <> coalesce(meter_start_wh, -1) THEN meter_stop_wh ELSE coalesce(
                (SELECT energy_wh FROM sample WHERE session_id = session.id AND energy_wh IS NOT NULL AND sampled_at_ms <= ended_at_ms
                ORDER BY sampled_at_ms DESC, energy_wh DESC LIMIT 1), meter_start_wh) END AS register_wh
            FROM session WHERE station_id = :station AND id < :below ORDER BY id DESC LIMIT :most) AS earlier
        WHERE evse = :evse AND started_at_ms <= :started_by AND state IN ('ended', 'review')
          AND (coalesce(meter_stop_wh, -1) <> coalesce(meter_start_wh, -1) OR register_wh <> coalesce(meter_start_wh, -1))
          AND NOT EXISTS (SELECT 1 FROM station_transaction WHERE session_id = earlier.id AND start_known = 0)
        ORDER BY id DESC LIMIT 1""",
        {
            "station": station, "evse": evse, "below": below, "started_by": started_by_ms, "most": NEIGHBOURS_MAX,
            "apart": str(Doubt.START_APART),
        },
    ).fetchone()  # fmt: skip
    return NO_NEIGHBOUR if row is None else Neighbour(*row)


def ended(db: Database, running: Running, ended_at_ms: int, meter_stop_wh: int | None, note: str) -> None:
    """A session is over: from now on it may be the one before the next."""
    place = running.station, running.evse
    last = LAST_ENDED.get(db, place)
    if last is not None and last.id < running.id and running.start_known:
        if meter_stop_wh is None or meter_stop_wh <= 0 or meter_stop_wh == running.meter_start_wh:
            # Its stop says nothing of the register: what does is looked for.
            LAST_ENDED.drop(db, place)
        else:
            is_apart = note == Doubt.START_APART
            kept = Neighbour(
                running.id, running.started_at_ms, running.meter_start_wh, meter_stop_wh, is_apart, ended_at_ms
            )
            LAST_ENDED.keep(db, place, kept)


def forget_ended(db: Database, running: Running) -> None:
    """What it was is no longer so."""
    LAST_ENDED.drop(db, (running.station, running.evse))


def may_come_again(db: Readable, session: SessionId) -> bool:
    """Whether another session may begin as this one did: it is over, its station's clock stood still or was never set, and its register is
    where it was: it counts each session by itself, or this one took nothing.
    """
    row = db.execute(
        f"""SELECT 1 FROM session WHERE id = :session AND state IN ('ended', 'review') AND estimated = 0
          AND (((energy_wh > 0 OR state = 'review') AND coalesce(meter_start_wh, 0) <= :jitter
              AND (stood_still = 1 OR ended_at_ms <= started_at_ms OR {STAMPED} < :set))
            OR (energy_wh = 0 AND meter_stop_wh = meter_start_wh AND (stood_still = 1 OR {STAMPED} < :set)))""",
        {"session": session, "jitter": JITTER_WH, "set": SET_MS_MIN},
    ).fetchone()
    return row is not None


def last_told(db: Database, session: SessionId) -> int:
    """When its start was last heard."""
    told_ms = TOLD_AGAIN.get(db, session)
    if told_ms is None:
        told_ms = db.execute("SELECT coalesce(received_at_ms, 0) FROM session WHERE id = ?", (session,)).fetchone()[0]
    return int(told_ms)


def told_again(db: Database, session: SessionId, now_ms: int) -> None:
    """Its start has come once more."""
    TOLD_AGAIN.keep(db, session, now_ms)


def next_start(db: Database, running: Running) -> tuple[int, int] | None:
    """When and with which register the next session of its EVSE began: (at_ms, wh).

    One that was told late, out of its station's queue, may have a higher number than those which followed it. Those whose start was
    not told bound nothing.
    """
    place, told_late = (running.station, running.evse), is_told_late(running)
    begun = running.started_at_ms, running.id
    if not told_late and LATEST_START.get(db, place) == begun:
        return None
    beyond, found = "id > ? ORDER BY id", []
    for which in (beyond, "id < ? ORDER BY id DESC")[: 1 + told_late]:
        found += db.execute(
            f"""SELECT started_at_ms, id, meter_start_wh, evse FROM session
            WHERE station_id = ? AND state IN ('running', 'ended', 'review')
              AND NOT EXISTS (SELECT 1 FROM station_transaction WHERE session_id = session.id AND start_known = 0)
              AND {which} LIMIT {NEIGHBOURS_MAX}""",
            (running.station, running.id),
        ).fetchall()
    after = [
        (at_ms, wh)
        for at_ms, session, wh, evse in found
        if evse == running.evse and wh is not None and (at_ms, session) > begun
    ]
    if not after:
        LATEST_START.keep(db, place, begun)
    return min(after, default=None)
