"""Where a tariff holds. The most specific one counts: that of the connector, else that of its charger, else that of the group that pays, else the
usual one. Who pays nothing pays nothing anywhere.
"""

from __future__ import annotations

from appliance.db import place_tariffs as rows
from appliance.db import tariffs as tariff_rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer, remembered_tariff
from appliance.db.stations import stations
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import StationId
from appliance.domain.tariff import Tariff
from appliance.services import audit, tariffs
from appliance.services.announce import SettingsChanged, StationChanged


def placed(db: Database, payer: Payer, station: StationId, evse: int) -> Payer:
    """Who pays, by the tariff of the place where they charge."""
    places = rows.remembered(db)
    if not places or payer.holder.policy is Policy.FREE:
        return payer
    number = rows.holding(places, station, evse)
    return payer if number is None else payer._replace(tariff=remembered_tariff(db, number))


def usual_at(db: Readable, station: StationId, evse: int) -> Tariff | None:
    """By which somebody pays at a place whose group has no tariff of its own; a read query."""
    number = rows.holding(rows.all_of(db), station, evse)
    return tariff_rows.default(db) if number is None else tariff_rows.find(db, number)


def put(db: Database, station: StationId, evse: int, tariff_id: int | None, by: By) -> None:
    """This tariff holds at a connector, or at the whole charger (`evse` 0), for sessions that begin from now on; None: none of its own.

    Raises:
        NotFound, Conflict: There is no such connector or tariff, or the tariff does not hold yet.
    """
    found = stations.show(db, station)
    if found is None or (evse and evse not in {one.evse for one in found.connectors}):
        raise NotFound("There is no such connector.")
    before = rows.all_of(db).get((station, evse))
    if before == tariff_id:
        return
    if tariff_id is not None and tariffs.need(db, tariff_id).waits(by.at_ms):
        raise Conflict("This tariff does not hold yet.", "Wait until it does, or let it follow the one that holds.")
    rows.put(db, station, evse, tariff_id)
    audit.record(
        db, by, "station.tariff", f"station:{station}", name=found.name, evse=evse, tariff=tariff_id, before=before
    )
    db.announce(SettingsChanged())
    db.announce(StationChanged(station))
