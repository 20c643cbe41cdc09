"""How much of the message log is whose, and taking from those who have too much; the oldest goes first.

Counted from the rows that have come since the last time, in pieces: the log has no index by station (see `message_log`).
"""

from __future__ import annotations

from collections.abc import Iterable

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId

ROWS_AT_ONCE = 20_000
"""So many are looked at in one unit."""
SIZE = "64 + length(action) + length(request) + coalesce(length(answer), 0) + coalesce(length(violation), 0)"
"""About what a row takes."""


def count(db: Database, rows: int = ROWS_AT_ONCE) -> bool:
    """Count so many of the rows that have come; whether there are more."""
    counted = _counted_id(db)
    (oldest,) = db.execute("SELECT coalesce(min(id), 1) FROM message_log").fetchone()
    (newest,) = db.execute("SELECT coalesce(max(id), 0) FROM message_log").fetchone()
    if newest < counted:
        # The newest rows were removed, so their numbers come again.
        db.execute("DELETE FROM message_log_size")
        counted = 0
    begin = max(counted, oldest - 1)
    end = min(newest, begin + rows)
    if end <= counted:
        return False
    db.execute(
        f"""INSERT INTO message_log_size (station_id, bytes, counted_id, oldest_id)
        SELECT station_id, sum({SIZE}), ?, min(id) FROM message_log WHERE id > ? AND id <= ? GROUP BY station_id
        ON CONFLICT (station_id) DO UPDATE SET bytes = message_log_size.bytes + excluded.bytes""",
        (end, begin, end),
    )
    db.execute("UPDATE message_log_size SET counted_id = ?", (end,))
    return bool(end < newest)


def used_bytes(db: Readable) -> dict[int, int]:
    """By station."""
    return dict(db.execute("SELECT station_id, bytes FROM message_log_size"))


def trim(db: Database, station: StationId, bytes_max: int, rows: int = ROWS_AT_ONCE) -> bool:
    """Remove some of a station's oldest rows, of so many of the log; whether it still has more than it may."""
    row = db.execute(
        "SELECT bytes, oldest_id, counted_id FROM message_log_size WHERE station_id = ?", (station,)
    ).fetchone()
    if row is None or row[0] <= bytes_max:
        return False
    used, oldest, counted = row
    end = min(counted, oldest + rows)
    freed, last = 0, end
    for number, size in db.execute(
        f"SELECT id, {SIZE} FROM message_log WHERE id >= ? AND id <= ? AND station_id = ? ORDER BY id",
        (oldest, end, station),
    ):
        freed += size
        if used - freed <= bytes_max:
            last = number
            break
    db.execute("DELETE FROM message_log WHERE id >= ? AND id <= ? AND station_id = ?", (oldest, last, station))
    left = max(0, used - freed) if last < counted else 0
    db.execute("UPDATE message_log_size SET bytes = ?, oldest_id = ? WHERE station_id = ?", (left, last + 1, station))
    return bool(left > bytes_max)


def removed(db: Database, rows: Iterable[tuple[int, int, int]]) -> None:
    """Rows were removed for another reason: number, station and size of each."""
    counted = _counted_id(db)
    freed: dict[int, int] = {}
    for number, station, size in rows:
        if number <= counted:
            freed[station] = freed.get(station, 0) + size
    db.executemany(
        "UPDATE message_log_size SET bytes = CASE WHEN bytes > ? THEN bytes - ? ELSE 0 END WHERE station_id = ?",
        [(size, size, station) for station, size in freed.items()],
    )


def forget(db: Database, station: StationId) -> None:
    """All its rows are gone."""
    db.execute("DELETE FROM message_log_size WHERE station_id = ?", (station,))


def _counted_id(db: Readable) -> int:
    return int(db.execute("SELECT coalesce(max(counted_id), 0) FROM message_log_size").fetchone()[0])
