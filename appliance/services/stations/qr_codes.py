"""The code on a charger's sticker, and the EVSE it stands for.

The code follows from the site's key, so a sticker needs no row of its own and cannot be guessed from another one.
"""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from appliance.db import site as sites
from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.sessions import session_list
from appliance.db.stations import stations
from appliance.domain.identifiers import StationId
from appliance.domain.station import connector_in_use
from appliance.domain.tariff import Tariff


@dataclass(frozen=True, slots=True)
class QrPlace:
    """An EVSE as its sticker leads to it; of several connectors it has the state of the one in use."""

    code: str
    station: StationId
    name: str
    evse: int
    evses: int
    """How many the station has: with one, its number need not be said."""
    status: str
    charging_state: str
    finer_status: str
    taken: bool
    tariff: Tariff | None


def code_of(secret: bytes, station: StationId, evse: int) -> str:
    """The code of an EVSE: eight letters and digits that nobody mistakes (base32 without padding)."""
    digest = hmac.digest(secret, f"place|{station}|{evse}".encode(), "sha256")
    return base64.b32encode(digest[:5]).decode().lower()


def codes(db: Readable, station: StationId) -> dict[int, str]:
    """The codes of a station's EVSEs; a read query. The secret they follow from stays here."""
    secret = sites.secret(db)
    return {connector.evse: code_of(secret, station, connector.evse) for connector in stations.connectors(db, station)}


def find(db: Readable, code: str) -> QrPlace | None:
    """The EVSE of a code; a read query."""
    secret = sites.secret(db)
    wanted = code.strip().lower()
    for station in stations.all_stations(db):
        evses = dict.fromkeys(connector.evse for connector in station.connectors)
        for evse in evses:
            if hmac.compare_digest(code_of(secret, station.id, evse), wanted):
                taken = any(one.station_id == station.id and one.evse == evse for one in session_list.open_sessions(db))
                connector = connector_in_use([one for one in station.connectors if one.evse == evse])
                return QrPlace(
                    wanted,
                    station.id,
                    station.name,
                    evse,
                    len(evses),
                    connector.status,
                    connector.charging_state,
                    connector.finer_status,
                    taken,
                    tariffs.default(db),
                )
    return None
