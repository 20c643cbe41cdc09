"""Charging stations: who they are, how they are let in, and what they have told. Commands to them are in `commands`."""

from __future__ import annotations

from typing import Any

from appliance.db.engine.unit import Database
from appliance.db.stations import newcomers, stations
from appliance.db.stations.newcomers import Newcomer
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import IDENTITY_CHARS_MAX, StationId
from appliance.domain.station import StationState, status_word
from appliance.services.stations import admission as units
from appliance.services.stations import credentials, power
from appliance.services.stations.admission import NEWCOMERS_MAX
from appliance.services.stations.credentials import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, Asked
from appliance.services.stations.power import SAID_W_MAX, SAID_W_MIN
from appliance.services.stations.private_messages import masked_words
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import choice, flag, form, moment, or_null, record, several, text, thing, whole, words
from appliance.ui.frame.roles import SEES_CARDS

CONNECTOR = thing(
    id=whole("What the station calls it, and what calls for it take as `evse`, or by its older name as `connector`."),
    evse=whole(),
    connector=whole("The plug or socket of its EVSE; most have one."),
    status=words("The station's own word for it, where that is finer than `connector_status`; else the same."),
    connector_status=words("Available, Occupied, Reserved, Unavailable, Faulted; empty for another."),
    charging_state=words(
        "Of a connector that is occupied: Charging, EVConnected, SuspendedEV, SuspendedEVSE, Idle; empty before a transaction."
    ),
    error_code=words(),
    info=words(),
    changed_at=moment(),
    power_max_w=or_null(whole("Its greatest power in the words of the staff; null if they say nothing.")),
    power_told_w=or_null(
        whole("The same as the station says, with a tenth more for its meter; null if it says nothing.")
    ),
    power_seen_w=or_null(whole("The greatest power that was measured; null if none was.")),
)
STATION = record(
    "Station",
    id=words("What the station calls itself."),
    name=words("What the staff call it."),
    place=words("Where it stands, in the words of the staff; empty if they say nothing."),
    state=choice(*StationState),
    online=flag(),
    version=words("The version of OCPP it spoke last."),
    vendor=words(),
    model=words(),
    serial=words(),
    firmware=words(),
    security_profile=whole(
        "0: none, 1: a password, 2: a password over TLS, 3: a certificate of its own, not to be had yet."
    ),
    has_password=flag(),
    status=words("Of the station as a whole."),
    error_code=words(),
    address=words("Where it came from last."),
    clock_skew_ms=whole("Its clock minus ours, when it was last compared."),
    booted_at=or_null(moment()),
    seen_at=or_null(moment("When its last connection began or ended.")),
    created_at=moment(),
    bound_to=words(
        "The device that it is known by while it has no password: `mac …` or `ip …`; empty before it came for the first time."
    ),
    password_pending=flag("It was sent a password that it has not used yet."),
    connectors=several(CONNECTOR),
)
PASSWORD = text(PASSWORD_CHARS_MAX, "Only its keyed hash is kept.", least=PASSWORD_CHARS_MIN)
PROFILE = whole(least=0, most=3)
PLACE = text(
    100, "Where it stands: the board of many connectors is grouped by it. Empty: by the beginning of its name."
)
NEW_STATION = form(
    "NewStation",
    ("id",),
    id=text(IDENTITY_CHARS_MAX, "What the station calls itself: the last part of its URL.", least=1),
    name=text(100, "What the staff call it; its identity if left out."),
    security_profile=PROFILE,
    password=PASSWORD,
)
STATION_CHANGE = form(
    "StationChange",
    name=text(100, least=1),
    place=PLACE,
    security_profile=whole("Left out, it stays; only a password makes 1 of 0.", least=0, most=3),
    password=or_null(
        text(
            PASSWORD_CHARS_MAX,
            "Left out, it stays. Null: it has none any more, which only profile 0 allows.",
            least=PASSWORD_CHARS_MIN,
        )
    ),
)
CONNECTOR_CHANGE = form(
    "ConnectorChange",
    ("power_max_w",),
    power_max_w=or_null(
        whole(
            "The greatest power that it can give: what rises faster is no reading, and whom nobody can watch is stopped by it. Null: nobody says.",
            least=SAID_W_MIN,
            most=SAID_W_MAX,
        )
    ),
)
NEWCOMER = record(
    "Newcomer",
    peer=words("`mac …` or `ip …`"),
    address=words("Where it came from."),
    seen_at=moment(),
)
ADMISSION = form("Admission", ("peer",), peer=text(100, "One of those that wait.", least=1))
APPROVAL = form(
    "Approval",
    name=text(100, "What the staff call it; its identity if left out."),
    peer=text(
        100,
        "Its `bound_to` as it was looked at: 409 if another device says this name by now. Left out, whichever is there is let in.",
    ),
    set_password=flag(
        "Send it a password, which holds from the first time that it uses it (`password_pending` until then)."
    ),
)


async def list_stations(call: Call) -> Answer:
    """`GET /stations`."""
    state = call.query.get("state", "")
    rows = await call.console.store.read(stations.page, state=state, after=call.after, limit=call.limit + 1)
    return listed(rows, call.limit, lambda row: as_json(call, row), lambda row: row.id)


async def show_station(call: Call) -> Answer:
    """`GET /stations/{id}`."""
    return Answer(as_json(call, await station_of(call)))


async def register(call: Call) -> Answer:
    """`POST /stations`."""
    body = call.body
    asked = security_of(call)
    station = await call.console.store.write(
        units.register, body["id"], body.get("name", "").strip(), asked.profile, asked.password_hash, call.by
    )
    return await _now(call, station, status=201)


async def change_station(call: Call) -> Answer:
    """`PATCH /stations/{id}`."""
    station = await station_of(call)
    asked = security_of(call)
    await call.console.store.write(
        _change,
        station.id,
        call.body.get("name"),
        call.body.get("place"),
        asked if asked != Asked() else None,
        call.by,
    )
    return await _now(call, station.id)


async def change_connector(call: Call) -> Answer:
    """`PATCH /stations/{id}/connectors/{evse}`."""
    station, evse = await station_of(call), call.number("evse")
    await call.console.store.write(power.say, station.id, evse, call.body["power_max_w"] or 0, call.by)
    return await _now(call, station.id)


async def approve(call: Call) -> Answer:
    """`POST /stations/{id}/approve`."""
    station = await station_of(call)
    hash_password = call.console.hash_station_password if call.body.get("set_password") else None
    name, peer = call.body.get("name", ""), call.body.get("peer", "")
    await call.console.control.approve(station.id, name, peer, hash_password, call.actor)
    return await _now(call, station.id)


async def list_newcomers(call: Call) -> Answer:
    """`GET /stations/{id}/newcomers`."""
    station = await station_of(call)
    waiting = await call.console.store.read(newcomers.of_station, station.id)
    return listed(waiting, NEWCOMERS_MAX, newcomer_as_json, lambda _: 0)


def newcomer_as_json(one: Newcomer) -> Body:
    """As JSON."""
    return {"peer": one.peer, "address": one.address, "seen_at": at(one.seen_at_ms)}


async def admit(call: Call) -> Answer:
    """`POST /stations/{id}/admit`."""
    station = await station_of(call)
    await call.console.store.write(units.admit, station.id, call.body["peer"], call.by)
    return await _now(call, station.id)


async def retire(call: Call) -> Answer:
    """`POST /stations/{id}/retire`."""
    station = await station_of(call)
    await call.console.store.write(units.retire, station.id, call.by)
    return await _now(call, station.id)


async def station_of(call: Call) -> Station:
    """The station in the path.

    Raises:
        NotFound: There is none of this identity.
    """
    return await station_named(call, call.request.match_info["id"])


async def station_named(call: Call, identity: str) -> Station:
    """A station by what it calls itself.

    Raises:
        NotFound: There is none.
    """
    found = await call.console.store.read(stations.by_identity, identity)
    if found is None:
        raise NotFound("There is no such charger.")
    return found


def security_of(call: Call) -> Asked:
    """How a station is to prove who it is, as far as the call says."""
    password: str | None = call.body.get("password")
    if password is not None:
        credentials.check_password(password)
    return Asked(
        profile=call.body.get("security_profile"),
        password_hash=None if password is None else call.console.hash_station_password(password.encode()),
        drops_password="password" in call.body and password is None,
    )


def as_json(call: Call, station: Station) -> Body:
    """As JSON."""
    return {
        "id": station.identity,
        "name": station.name,
        "place": station.place,
        "state": station.state,
        "online": call.console.stations.is_online(station.id),
        "version": station.ocpp_version,
        "vendor": station.vendor,
        "model": station.model,
        "serial": station.serial,
        "firmware": station.firmware,
        "security_profile": station.security_profile,
        "has_password": station.has_password,
        "status": station.status,
        "error_code": station.error_code,
        "address": station.remote_address,
        "clock_skew_ms": station.clock_skew_ms,
        "booted_at": at(station.booted_at_ms),
        "seen_at": at(station.seen_at_ms),
        "created_at": at(station.created_at_ms),
        "bound_to": station.bound_to,
        "password_pending": station.has_next_password,
        "connectors": [
            {
                "id": connector.evse,
                "evse": connector.evse,
                "connector": connector.connector,
                "status": status_word(connector.status, connector.finer_status),
                "connector_status": connector.status,
                "charging_state": connector.charging_state,
                "error_code": connector.error_code,
                "info": connector.info if call.principal.role in SEES_CARDS else masked_words(connector.info),
                "changed_at": at(connector.changed_at_ms),
                "power_max_w": connector.power_max_w or None,
                "power_told_w": connector.power_told_w or None,
                "power_seen_w": connector.power_seen_w or None,
            }
            for connector in station.connectors
        ],
    }


def _change(db: Database, station: StationId, name: str | None, place: str | None, asked: Asked | None, by: By) -> None:
    if name is not None:
        units.rename(db, station, name, by)
    if place is not None:
        units.place(db, station, place, by)
    if asked is not None:
        credentials.change(db, station, asked, by)


async def _now(call: Call, station: StationId, status: int = 200) -> Answer:
    found = await call.console.store.read(stations.show, station)
    assert found is not None, "stations are never deleted once they are approved"
    return Answer(as_json(call, found), status)


STATES: Any = choice(*StationState, description="Only those; all without it.")
OPERATIONS = (
    Operation(
        "GET",
        "/stations",
        "All charging stations, in the order in which they came",
        list_stations,
        STATION,
        query=(Parameter("state", STATES), *PAGING),
        listed=True,
    ),
    Operation("POST", "/stations", "Register a station", register, STATION, takes=NEW_STATION, status=201),
    Operation("GET", "/stations/{id}", "One station", show_station, STATION),
    Operation(
        "PATCH", "/stations/{id}", "Change its name or how it proves who it is", change_station, STATION,
        takes=STATION_CHANGE,
    ),
    Operation(
        "PATCH", "/stations/{id}/connectors/{evse}", "Say how much a connector can give", change_connector, STATION,
        takes=CONNECTOR_CHANGE,
    ),
    Operation("POST", "/stations/{id}/approve", "Let a knocking station in", approve, STATION, takes=APPROVAL),
    Operation(
        "GET", "/stations/{id}/newcomers", "Devices that say its name and wait to be let in", list_newcomers, NEWCOMER,
        listed=True,
    ),
    Operation(
        "POST", "/stations/{id}/admit", "Let a device that waits be this station", admit, STATION, takes=ADMISSION
    ),
    Operation("POST", "/stations/{id}/retire", "Take a station out of use", retire, STATION, takes=EMPTY),
)  # fmt: skip
