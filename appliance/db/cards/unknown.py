"""Cards that nobody knows, as chargers showed them: rows that last, up to a number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from appliance.db.cards.cards import CARD, Card, from_rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId


@dataclass(frozen=True, slots=True)
class Tag:
    """A token at a station."""

    token: str
    station: StationId
    station_name: str
    identity: str
    first_at_ms: int
    last_at_ms: int
    times: int


def note(db: Database, token: str, id_token_type: str, station: StationId, now_ms: int) -> bool:
    """A station was shown this token; whether it is the first time."""
    row = db.execute(
        """INSERT INTO unknown_tag (token, id_token_type, station_id, first_at_ms, last_at_ms, times) VALUES (?, ?, ?, ?, ?, 1)
        ON CONFLICT (token, station_id) DO UPDATE SET id_token_type = excluded.id_token_type, last_at_ms = excluded.last_at_ms, times = unknown_tag.times + 1
        RETURNING times""",
        (token, id_token_type, station, now_ms, now_ms),
    ).fetchone()
    return bool(row[0] == 1)


def forget_oldest(db: Database, keep: int) -> None:
    """Keep only so many, those that were shown last."""
    db.execute(
        """DELETE FROM unknown_tag WHERE (token, station_id) IN
        (SELECT token, station_id FROM unknown_tag ORDER BY last_at_ms DESC, token LIMIT 1000000 OFFSET ?)""",
        (keep,),
    )


def forget(db: Database, token: str) -> None:
    """It is known now, or of no interest."""
    db.execute("DELETE FROM unknown_tag WHERE token = ?", (token,))


def dismiss(db: Database, token: str, station: StationId) -> bool:
    """It is of no interest at this station; whether there was one."""
    return db.execute("DELETE FROM unknown_tag WHERE token = ? AND station_id = ?", (token, station)).rowcount > 0


def page(db: Readable, station: StationId | None, limit: int, offset: int) -> list[Tag]:
    """The ones shown last first, of one station or of all."""
    rows = db.execute(
        """SELECT token, station_id, station.name, station.identity, first_at_ms, last_at_ms, times
        FROM unknown_tag JOIN station ON station.id = station_id
        WHERE (station_id = :station OR :station IS NULL)
        ORDER BY last_at_ms DESC, token LIMIT :limit OFFSET :offset""",
        {"station": station, "limit": limit, "offset": offset},
    )
    return [Tag(*row) for row in rows]


def count(db: Readable) -> int:
    """How many there are."""
    return int(db.execute("SELECT count(*) FROM unknown_tag").fetchone()[0])


def cards_like(db: Readable, stems: Collection[str]) -> list[Card]:
    """Cards whose UID begins or ends with one of these."""
    rows = db.execute(
        f"""{CARD} WHERE substr(uid, 1, 8) IN ({marks(stems)})
        OR substr(uid, length(uid) - 7) IN ({marks(stems)})""",
        (*stems, *stems),
    )
    return from_rows(rows)
