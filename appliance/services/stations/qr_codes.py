"""The code on a charger's sticker, and the connector it stands for.

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
from appliance.domain.tariff import Tariff

CODE_CHARS = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A connector as its sticker leads to it."""

    code: str
    station: StationId
    name: str
    evse: int
    plugs: int
    """How many the station has: with one, its number need not be said."""
    status: str
    taken: bool
    tariff: Tariff | None


def code_of(secret: bytes, station: StationId, evse: int) -> str:
    """The code of a connector: eight letters and digits that nobody mistakes (base32 without padding)."""
    digest = hmac.digest(secret, f"place|{station}|{evse}".encode(), "sha256")
    return base64.b32encode(digest[:5]).decode().lower()


def codes(db: Readable, station: StationId) -> dict[int, str]:
    """The codes of a station's connectors, by EVSE; a read query. The secret they follow from stays here."""
    secret = sites.secret(db)
    return {plug.evse: code_of(secret, station, plug.evse) for plug in stations.connectors(db, station)}


def find(db: Readable, code: str) -> Place | None:
    """The connector of a code; a read query."""
    secret = sites.secret(db)
    wanted = code.strip().lower()
    for station in stations.all_stations(db):
        for plug in station.connectors:
            if hmac.compare_digest(code_of(secret, station.id, plug.evse), wanted):
                taken = any(
                    one.station_id == station.id and one.evse == plug.evse for one in session_list.open_sessions(db)
                )
                return Place(
                    wanted,
                    station.id,
                    station.name,
                    plug.evse,
                    len(station.connectors),
                    plug.status,
                    taken,
                    tariffs.default(db),
                )
    return None
