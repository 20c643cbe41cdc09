"""The code on a charger's sticker, and the EVSE it stands for.

The code follows from the site's key, so a sticker needs no row of its own and cannot be guessed from another one.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from appliance.db import board, holidays
from appliance.db import site as sites
from appliance.db.engine.protocols import Readable
from appliance.db.sessions import session_list
from appliance.db.stations import stations
from appliance.db.stations.stations import Connector, Station
from appliance.domain.digits import WESTERN
from appliance.domain.identifiers import StationId
from appliance.domain.station import StationState, connector_in_use
from appliance.domain.tariff import Tariff
from appliance.services import place_tariffs

MISREAD = str.maketrans("018", "olb")
"""Digits that stand in no code, and the letters they are taken for."""


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
    parked: bool
    """Whether the car of the session before still hangs there."""
    tariff: Tariff | None
    holidays: frozenset[str]
    """Of the site: which price is that of this hour."""


def code_of(secret: bytes, station: StationId, evse: int) -> str:
    """The code of an EVSE: eight letters and digits that nobody mistakes (base32 without padding)."""
    digest = hmac.digest(secret, f"place|{station}|{evse}".encode(), "sha256")
    return base64.b32encode(digest[:5]).decode().lower()


def codes(db: Readable, station: StationId) -> dict[int, str]:
    """The codes of a station's EVSEs; a read query. The secret they follow from stays here."""
    return _codes(sites.secret(db), station, stations.connectors(db, station))


def all_codes(db: Readable) -> list[tuple[Station, dict[int, str]]]:
    """Those of every station that is let in, by name; a read query."""
    secret = sites.secret(db)
    return [(station, _codes(secret, station.id, station.connectors)) for station in stations.all_stations(db)]


def typed(text: str) -> str:
    """The code that somebody means who types what is printed: with blanks and capitals, digits that are letters, or the whole address."""
    last = text.strip().rstrip("/").rpartition("/")[2]
    return re.sub(r"[\s-]", "", last).translate(WESTERN).lower().translate(MISREAD)


def _codes(secret: bytes, station: StationId, connectors: Iterable[Connector]) -> dict[int, str]:
    return {connector.evse: code_of(secret, station, connector.evse) for connector in connectors}


def find(db: Readable, code: str) -> QrPlace | None:
    """The EVSE of a code; a read query."""
    wanted = code.lower()
    meant = _all_known(sites.secret(db), stations.evses(db)).get(wanted)
    station = stations.show(db, meant[0]) if meant is not None else None
    if meant is None or station is None or station.state != StationState.APPROVED:
        return None
    evse = meant[1]
    parked = (station.id, evse) in board.parked(db, station.id)
    taken = any(one.station_id == station.id and one.evse == evse for one in session_list.open_sessions(db))
    connector = connector_in_use([one for one in station.connectors if one.evse == evse])
    return QrPlace(
        wanted,
        station.id,
        station.name,
        evse,
        len({one.evse for one in station.connectors}),
        connector.status,
        connector.charging_state,
        connector.finer_status,
        taken,
        parked,
        place_tariffs.usual_at(db, station.id, evse),
        holidays.days_now(db),
    )


@lru_cache(maxsize=1)
def _all_known(secret: bytes, evses: tuple[tuple[StationId, int], ...]) -> dict[str, tuple[StationId, int]]:
    """Each by its code, reckoned once for all who ask: anybody may ask, and as often as they like."""
    return {code_of(secret, station, evse): (station, evse) for station, evse in evses}
