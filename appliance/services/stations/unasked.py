"""Chargers that charge although nobody has asked: energy that nobody pays for and that is in no report."""

from __future__ import annotations

from collections.abc import Collection

from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database
from appliance.db.sessions import sessions
from appliance.db.stations import stations
from appliance.domain.identifiers import StationId

TELLS_WITHIN_MS = 180_000
"""So long may the start of a session be under way: in a queue, or repeated."""
FIRST_SEEN = Slots[tuple[StationId, int], int]()
"""Since when an EVSE was seen to charge without a session, by our clock. After a restart the patience begins anew."""


def charging(db: Database, online: Collection[StationId], now_ms: int) -> dict[str, dict[str, object]]:
    """The EVSEs that say so for minutes, as problems: by subject, with what is told. Who is offline may know of more than we do."""
    saying = [place for place in stations.charging(db) if place[0] in online]
    for place in FIRST_SEEN.keys(db):
        if place not in saying or sessions.all_on_evse(db, *place):
            FIRST_SEEN.drop(db, place)
    found: dict[str, dict[str, object]] = {}
    for station, evse in saying:
        if sessions.all_on_evse(db, station, evse):
            continue
        since_ms = FIRST_SEEN.get(db, (station, evse))
        if since_ms is None:
            FIRST_SEEN.keep(db, (station, evse), now_ms)
        elif now_ms - since_ms >= TELLS_WITHIN_MS:
            found[f"station:{station}:{evse}"] = {"station": int(station), "evse": evse, "since_ms": since_ms}
    return found
