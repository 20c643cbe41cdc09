"""Which tariff holds at a charger or at one of its connectors, as rows."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId

WHOLE = 0
"""In the place of an EVSE: the charger, where its connectors have no tariff of their own."""
Places = Mapping[tuple[StationId, int], int]
"""Tariffs by charger and EVSE."""
PLACES = Slot[Places]()


def all_of(db: Readable) -> Places:
    """All of them; a site has few."""
    rows = db.execute("SELECT station_id, evse, tariff_id FROM place_tariff")
    return {(StationId(station), evse): tariff for station, evse, tariff in rows}


def remembered(db: Database) -> Places:
    """The same, which the writer knows."""
    known = PLACES.get(db)
    if known is None:
        known = all_of(db)
        PLACES.keep(db, known)
    return known


def holding(places: Places, station: StationId, evse: int) -> int | None:
    """The tariff that holds at an EVSE, most specific first; None: that of whoever pays."""
    own = places.get((station, evse))
    return places.get((station, WHOLE)) if own is None else own


def put(db: Database, station: StationId, evse: int, tariff_id: int | None) -> None:
    """From now on this one holds there; None: none of its own."""
    if tariff_id is None:
        db.execute("DELETE FROM place_tariff WHERE station_id = ? AND evse = ?", (station, evse))
    else:
        db.execute(
            """INSERT INTO place_tariff (station_id, evse, tariff_id) VALUES (?, ?, ?)
            ON CONFLICT (station_id, evse) DO UPDATE SET tariff_id = excluded.tariff_id""",
            (station, evse, tariff_id),
        )
    PLACES.drop(db)


def move(db: Database, tariff_id: int, number: int) -> None:
    """Where the one held, the other does."""
    db.execute("UPDATE place_tariff SET tariff_id = ? WHERE tariff_id = ?", (number, tariff_id))
    PLACES.drop(db)
