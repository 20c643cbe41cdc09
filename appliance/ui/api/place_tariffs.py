"""Where a tariff holds: at a connector, at a whole charger."""

from __future__ import annotations

from appliance.db import place_tariffs as rows
from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.place_tariffs import WHOLE
from appliance.db.stations import stations
from appliance.domain.errors import NotFound
from appliance.services import place_tariffs as units
from appliance.ui.api.operations import Answer, Body, Call, Operation
from appliance.ui.api.shapes import form, or_null, record, several, thing, whole, words
from appliance.ui.api.stations.stations import station_of

PLACE_TARIFFS = record(
    "PlaceTariffs",
    tariff_id=or_null(whole("Of the whole charger; null: none of its own.")),
    connectors=several(
        thing(
            evse=whole(),
            tariff_id=or_null(whole("Its own; null: none.")),
            holds=or_null(whole("The one that holds there; null: that of the group that pays, or the default.")),
        )
    ),
)
PLACE_TARIFF = form(
    "PlaceTariff",
    ("tariff_id",),
    evse=whole("0 or left out: the whole charger.", least=0),
    tariff_id=or_null(whole("For sessions that begin from now on; null: none of its own.", least=1)),
)
TARIFF_PLACES = record(
    "TariffPlaces",
    places=several(thing(station=words("What the station calls itself."), evse=whole("0: the whole charger."))),
)


async def show_place_tariffs(call: Call) -> Answer:
    """`GET /stations/{id}/tariffs`."""
    station = await station_of(call)
    return Answer(as_json(await call.console.store.read(rows.all_of), station))


async def put_place_tariff(call: Call) -> Answer:
    """`PUT /stations/{id}/tariffs`."""
    station = await station_of(call)
    evse, tariff_id = call.body.get("evse", WHOLE), call.body["tariff_id"]
    await call.console.store.write(units.put, station.id, evse, tariff_id, call.by)
    return Answer(as_json(await call.console.store.read(rows.all_of), station))


async def show_places(call: Call) -> Answer:
    """`GET /tariffs/{id}/places`."""
    return Answer({"places": await call.console.store.read(_places, call.number())})


def as_json(places: rows.Places, station: stations.Station) -> Body:
    """As JSON."""
    evses = sorted({one.evse for one in station.connectors})
    return {
        "tariff_id": places.get((station.id, WHOLE)),
        "connectors": [
            {
                "evse": evse,
                "tariff_id": places.get((station.id, evse)),
                "holds": rows.holding(places, station.id, evse),
            }
            for evse in evses
        ],
    }


def _places(db: Readable, tariff_id: int) -> list[Body]:
    found = sorted(place for place, tariff in rows.all_of(db).items() if tariff == tariff_id)
    named = stations.names(db)
    if not found and tariffs.find(db, tariff_id) is None:
        raise NotFound("There is no such tariff.")
    return [{"station": named[station].identity, "evse": evse} for station, evse in found]


OPERATIONS = (
    Operation(
        "GET", "/stations/{id}/tariffs", "The tariffs that hold at it and at its connectors", show_place_tariffs, PLACE_TARIFFS,
    ),
    Operation(
        "PUT", "/stations/{id}/tariffs", "Say which tariff holds at it, or at a connector", put_place_tariff, PLACE_TARIFFS,
        takes=PLACE_TARIFF,
    ),
    Operation("GET", "/tariffs/{id}/places", "Where it holds instead of those of the groups", show_places, TARIFF_PLACES),
)  # fmt: skip
