"""Devices that say the name of a station that is bound to another one, and wait for staff."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One of them."""

    peer: str
    """`mac 02:1a:…` or `ip 192.168.1.9`."""
    address: str
    seen_at_ms: int


def of_station(db: Readable, station: StationId) -> list[Newcomer]:
    """All that wait, the last one first."""
    rows = db.execute(
        "SELECT peer, address, seen_at_ms FROM station_newcomer WHERE station_id = ? ORDER BY seen_at_ms DESC, peer",
        (station,),
    )
    return [Newcomer(*row) for row in rows]


def note(db: Database, station: StationId, newcomer: Newcomer, most: int) -> None:
    """It came, perhaps again; of more than `most` the oldest are forgotten."""
    db.execute(
        """INSERT INTO station_newcomer (station_id, peer, address, seen_at_ms) VALUES (?, ?, ?, ?)
        ON CONFLICT (station_id, peer) DO UPDATE SET address = excluded.address, seen_at_ms = excluded.seen_at_ms""",
        (station, newcomer.peer, newcomer.address, newcomer.seen_at_ms),
    )
    for one in of_station(db, station)[most:]:
        db.execute("DELETE FROM station_newcomer WHERE station_id = ? AND peer = ?", (station, one.peer))


def forget(db: Database, station: StationId) -> None:
    """None waits any more."""
    db.execute("DELETE FROM station_newcomer WHERE station_id = ?", (station,))
