"""Charging stations and their connectors as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from appliance.db.engine.memory import Slots
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, Rows, flush
from appliance.domain.events import ChargingStateChanged, StationBooted, StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.order import natural
from appliance.domain.rivals import Boot, Device
from appliance.domain.station import StationState, status_word

CONNECTOR = Rows(
    "connector(station_id, evse, connector, status, charging_state, finer_status, error_code, info, changed_at_ms)",
    width=9,
    on_conflict="""ON CONFLICT (station_id, evse, connector) DO UPDATE SET status = excluded.status,
        charging_state = CASE WHEN excluded.status = 'Occupied' AND excluded.finer_status = ''
            THEN connector.charging_state ELSE excluded.charging_state END,
        finer_status = excluded.finer_status, error_code = excluded.error_code, info = excluded.info,
        changed_at_ms = excluded.changed_at_ms
        WHERE excluded.changed_at_ms >= connector.changed_at_ms""",
)


class Powers(NamedTuple):
    """The greatest power (W) of an EVSE; 0: not known."""

    said_w: int
    """By staff."""
    told_w: int
    """By its station."""
    seen_w: int
    """As it was ever measured."""


MESSAGES_LOOKED_AT = 20_000
"""Of so many last messages of all stations it is looked who was there when the server ended without a word."""
POWERS = Slots[tuple[StationId, int], Powers]()


@dataclass(frozen=True, slots=True)
class KnownStation:
    """What the endpoint needs to let a station in."""

    id: StationId
    identity: str
    state: StationState
    security_profile: int
    password_hash: bytes | None
    ocpp_version: str
    bound_to: str
    """The device that it came from (domain/peer.py), as long as it has no password; "" before it came."""
    next_password_hash: bytes | None
    """Of a password that it was sent and has not used yet."""


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector."""

    evse: int
    connector: int
    status: str
    charging_state: str
    finer_status: str
    error_code: str
    info: str
    changed_at_ms: int
    power_max_w: int
    """Its greatest power in the words of the staff, and of its station, and as it was measured; 0: nothing is known."""
    power_told_w: int
    power_seen_w: int


@dataclass(frozen=True, slots=True)
class Station:
    """All that is kept of a station."""

    id: StationId
    identity: str
    name: str
    state: str
    security_profile: int
    has_password: bool
    vendor: str
    model: str
    serial: str
    firmware: str
    ocpp_version: str
    remote_address: str
    status: str
    error_code: str
    clock_skew_ms: int
    booted_at_ms: int | None
    seen_at_ms: int | None
    created_at_ms: int
    bound_to: str
    has_next_password: bool
    place: str
    """Where it stands, in the words of the staff; "" if they say nothing."""
    connectors: tuple[Connector, ...]


@dataclass(frozen=True, slots=True)
class Knock:
    """One that knocks."""

    id: StationId
    address: str
    bound_to: str
    """The device it came from (domain/peer.py)."""
    since_ms: int
    heard_at_ms: int
    """When it last came, went or booted."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a station is called, and how many EVSEs it has."""

    identity: str
    name: str
    evses: int


SELECT = """
SELECT id, identity, name, state, security_profile, password_hash IS NOT NULL, vendor, model, serial, firmware,
       ocpp_version, remote_address, status, error_code, clock_skew_ms, booted_at_ms, seen_at_ms, created_at_ms,
       bound_to, next_password_hash IS NOT NULL, place
FROM station WHERE dismissed_at_ms IS NULL
"""

KNOWN = """
SELECT id, identity, state, security_profile, password_hash, ocpp_version, bound_to, next_password_hash FROM station
WHERE dismissed_at_ms IS NULL
"""


def known(db: Readable) -> list[KnownStation]:
    """All that may connect."""
    return [_known(row) for row in db.execute(KNOWN + "AND state <> 'retired'")]


def find_known(db: Readable, station: StationId) -> KnownStation | None:
    """One of them, also when retired."""
    row = db.execute(KNOWN + "AND id = ?", (station,)).fetchone()
    return _known(row) if row else None


def show(db: Readable, station: StationId) -> Station | None:
    """One station with its connectors."""
    row = db.execute(SELECT + "AND id = ?", (station,)).fetchone()
    return _station(row, connectors(db, station)) if row else None


def by_identity(db: Readable, identity: str) -> Station | None:
    """One station by the name it gives itself."""
    row = db.execute(SELECT + "AND identity = ?", (identity,)).fetchone()
    return _station(row, connectors(db, row[0])) if row else None


def evses(db: Readable) -> tuple[tuple[StationId, int], ...]:
    """All that have been heard of, also those of chargers that are gone."""
    return tuple(db.execute("SELECT DISTINCT station_id, evse FROM connector ORDER BY station_id, evse"))


def all_stations(db: Readable, state: StationState = StationState.APPROVED) -> list[Station]:
    """All in a state, by name."""
    connectors: dict[int, list[Connector]] = {}
    for station, *row in db.execute(
        """SELECT station_id, evse, connector, connector.status, charging_state, finer_status, connector.error_code, info,
            changed_at_ms, power_max_w, power_told_w, power_seen_w
        FROM connector JOIN station ON station.id = station_id WHERE state = ? ORDER BY station_id, evse, connector""",
        (state,),
    ):
        connectors.setdefault(station, []).append(Connector(*row))
    rows = db.execute(SELECT + "AND state = ? ORDER BY id", (state,))
    found = [_station(row, tuple(connectors.get(row[0], ()))) for row in rows]
    return sorted(found, key=lambda one: natural(one.name or one.identity))


def names(db: Readable) -> dict[int, Named]:
    """What every station is called, by its number."""
    rows = db.execute(
        """SELECT id, identity, name, (SELECT count(DISTINCT evse) FROM connector WHERE station_id = station.id) FROM station"""
    )
    return {row[0]: Named(row[1], row[2], row[3]) for row in rows}


def page(db: Readable, *, state: str = "", after: int = 0, limit: int = 100) -> list[Station]:
    """Stations by number, of one state or all; the next page begins `after` the last."""
    rows = db.execute(
        SELECT + "AND id > :after AND (:state = '' OR state = :state) ORDER BY id LIMIT :limit",
        {"after": after, "state": state, "limit": limit},
    ).fetchall()
    connectors: dict[int, list[Connector]] = {}
    if rows:
        for station, *row in db.execute(
            """SELECT station_id, evse, connector, status, charging_state, finer_status, error_code, info, changed_at_ms,
                power_max_w, power_told_w, power_seen_w FROM connector
            WHERE station_id BETWEEN ? AND ? ORDER BY station_id, evse, connector""",
            (rows[0][0], rows[-1][0]),
        ):
            connectors.setdefault(station, []).append(Connector(*row))
    return [_station(row, tuple(connectors.get(row[0], ()))) for row in rows]


def connectors(db: Readable, station: StationId) -> tuple[Connector, ...]:
    """The connectors of a station."""
    flush(db)
    rows = db.execute(
        """SELECT evse, connector, status, charging_state, finer_status, error_code, info, changed_at_ms, power_max_w,
            power_told_w, power_seen_w FROM connector
        WHERE station_id = ? ORDER BY evse, connector""",
        (station,),
    )
    return tuple(Connector(*row) for row in rows)


def powers(db: Database, station: StationId, evse: int) -> Powers:
    """What is known of an EVSE's greatest power."""
    found = POWERS.get(db, (station, evse))
    if found is None:
        db.flush()
        row = db.execute(
            """SELECT coalesce(max(power_max_w), 0), coalesce(max(power_told_w), 0), coalesce(max(power_seen_w), 0) FROM connector
            WHERE station_id = ? AND evse = ?""",
            (station, evse),
        ).fetchone()
        found = Powers(*row)
        POWERS.keep(db, (station, evse), found)
    return found


def set_powers(db: Database, station: StationId, evse: int, known: Powers) -> None:
    """More is known of it. Of an EVSE of which no connector was told yet it is remembered only."""
    db.flush()
    db.execute(
        "UPDATE connector SET power_max_w = ?, power_told_w = ?, power_seen_w = ? WHERE station_id = ? AND evse = ?",
        (*known, station, evse),
    )
    POWERS.keep(db, (station, evse), known)


def charging(db: Readable) -> list[tuple[StationId, int]]:
    """The EVSEs of stations that were let in where energy flows, by what they say: (station, evse)."""
    flush(db)
    return db.execute(
        """SELECT DISTINCT station_id, evse FROM connector JOIN station ON station.id = station_id
        WHERE charging_state = 'Charging' AND connector.status = 'Occupied' AND state = 'approved'
        ORDER BY station_id, evse"""
    ).fetchall()


def without_connectors(db: Readable) -> list[StationId]:
    """Stations that were let in and of which no connector is known."""
    flush(db)
    rows = db.execute(
        """SELECT id FROM station WHERE state = 'approved'
        AND NOT EXISTS (SELECT 1 FROM connector WHERE station_id = station.id) ORDER BY id"""
    )
    return [StationId(row[0]) for row in rows]


def has_told(db: Readable, station: StationId) -> bool:
    """Whether it has ever told a status: of a connector, or of itself as a whole."""
    flush(db)
    row = db.execute(
        """SELECT status <> '' OR EXISTS (SELECT 1 FROM connector WHERE station_id = station.id
            AND (connector.status <> '' OR finer_status <> '')) FROM station WHERE id = ?""",
        (station,),
    ).fetchone()
    return bool(row[0])


def add_untold(db: Database, station: StationId, evses: int) -> None:
    """The connectors that a station must have, although it has told of none: of unknown status, until it tells one."""
    db.executemany(
        """INSERT INTO connector (station_id, evse, connector, status, changed_at_ms) VALUES (?, ?, 1, '', 0)
        ON CONFLICT DO NOTHING""",
        [(station, evse) for evse in range(1, evses + 1)],
    )


def knocks(db: Readable) -> list[Knock]:
    """All that knock, the longest unheard of first."""
    rows = db.execute(
        """SELECT id, remote_address, bound_to, created_at_ms, max(created_at_ms, coalesce(seen_at_ms, 0), coalesce(booted_at_ms, 0)) AS heard_at_ms
        FROM station WHERE state = 'knocking' AND dismissed_at_ms IS NULL ORDER BY heard_at_ms, id"""
    )
    return [Knock(*row) for row in rows]


def add_knocking(db: Database, identity: str, address: str, now_ms: int) -> StationId:
    """One that nobody knows, in the row of one that was dismissed, if there is any."""
    row = db.execute(
        """UPDATE station SET identity = :identity, name = :identity, remote_address = :address, created_at_ms = :now, log_since_ms = :now,
            vendor = '', model = '', serial = '', firmware = '', ocpp_version = '', status = '', error_code = '', clock_skew_ms = 0,
            booted_at_ms = NULL, seen_at_ms = NULL, bound_to = '', dismissed_at_ms = NULL
        WHERE id = (SELECT min(id) FROM station WHERE dismissed_at_ms IS NOT NULL) RETURNING id""",
        {"identity": identity, "address": address, "now": now_ms},
    ).fetchone()
    if row is None:
        row = db.execute(
            """INSERT INTO station (identity, name, state, remote_address, created_at_ms) VALUES (?, ?, 'knocking', ?, ?)
            RETURNING id""",
            (identity, identity, address, now_ms),
        ).fetchone()
    return StationId(row[0])


def add(
    db: Database,
    identity: str,
    name: str,
    state: StationState,
    now_ms: int,
    *,
    profile: int = 0,
    password_hash: bytes | None = None,
) -> StationId:
    """A new station; IntegrityError if the identity is taken."""
    row = db.execute(
        """INSERT INTO station (identity, name, state, security_profile, password_hash, created_at_ms)
        VALUES (?, ?, ?, ?, ?, ?) RETURNING id""",
        (identity, name, state, profile, password_hash, now_ms),
    ).fetchone()
    return StationId(row[0])


def connected(db: Database, station: StationId, version: str, address: str, now_ms: int) -> None:
    """It has a connection."""
    db.execute(
        "UPDATE station SET ocpp_version = ?, remote_address = ?, seen_at_ms = ? WHERE id = ?",
        (version, address, now_ms, station),
    )


def connected_since_ms(db: Readable, station: StationId) -> int:
    """When the connection began of a station that has one."""
    row = db.execute("SELECT coalesce(seen_at_ms, created_at_ms) FROM station WHERE id = ?", (station,)).fetchone()
    return int(row[0])


def seen(db: Database, station: StationId, now_ms: int) -> None:
    """Its connection has ended."""
    db.execute("UPDATE station SET seen_at_ms = ? WHERE id = ?", (now_ms, station))


def heard_since(db: Readable) -> dict[StationId, int]:
    """When stations have told something after they were last seen, as far as the young part of the message log says."""
    rows = db.execute(
        """SELECT station_id, told.at_ms FROM (
            SELECT station_id, max(at_ms) AS at_ms FROM message_log
            WHERE id > (SELECT max(id) FROM message_log) - ? AND direction = 'in' GROUP BY station_id) AS told
        JOIN station ON station.id = station_id WHERE seen_at_ms < told.at_ms""",
        (MESSAGES_LOOKED_AT,),
    )
    return dict(rows.fetchall())


def booted(db: Database, station: StationId, event: StationBooted) -> None:
    """Who it says it is."""
    db.execute(
        "UPDATE station SET vendor = ?, model = ?, serial = ?, firmware = ?, booted_at_ms = ? WHERE id = ?",
        (event.vendor, event.model, event.serial, event.firmware, event.received_at_ms, station),
    )


def skew_ms(db: Readable, station: StationId) -> int:
    """How far its clock is ahead of ours, as far as it was noticed."""
    return int(db.execute("SELECT clock_skew_ms FROM station WHERE id = ?", (station,)).fetchone()[0])


def last_boot(db: Readable, station: StationId) -> tuple[str, str, Boot | None] | None:
    """What it calls itself, where it is connected from, and what booted last under its name."""
    row = db.execute(
        "SELECT identity, remote_address, vendor, model, serial, booted_at_ms FROM station WHERE id = ?", (station,)
    ).fetchone()
    if row is None:
        return None
    identity, address, vendor, model, serial, booted_at_ms = row
    before = Boot(Device(vendor, model, serial), address, booted_at_ms) if booted_at_ms is not None else None
    return identity, address, before


def set_skew(db: Database, station: StationId, skew_ms: int) -> None:
    """How far its clock is ahead of ours."""
    db.execute("UPDATE station SET clock_skew_ms = ? WHERE id = ?", (skew_ms, station))


def set_status(db: Database, station: StationId, event: StatusChanged) -> None:
    """The state of the station as a whole, or of a connector (with the commit; a late older one changes nothing).

    A status of the future comes from a wrong clock: it is dated now, or no other would count until then.
    """
    if event.evse == 0:
        db.execute(
            "UPDATE station SET status = ?, error_code = ? WHERE id = ?",
            (status_word(event.status, event.finer), event.error_code, station),
        )
        return
    db.append(
        CONNECTOR,
        (
            station, event.evse, event.connector, event.status, event.charging_state, event.finer, event.error_code,
            event.info, min(event.at_ms, event.received_at_ms),
        ),
    )  # fmt: skip


def set_charging_state(db: Database, station: StationId, event: ChargingStateChanged) -> None:
    """What a transaction does at the connectors of its EVSE that are occupied."""
    db.flush()
    db.execute(
        "UPDATE connector SET charging_state = ? WHERE station_id = ? AND evse = ? AND status = 'Occupied'",
        (event.charging_state, station, event.evse),
    )


def change(db: Database, station: StationId, *, name: str, state: StationState) -> None:
    """Name and standing."""
    db.execute("UPDATE station SET name = ?, state = ? WHERE id = ?", (name, state, station))


def set_place(db: Database, station: StationId, place: str) -> None:
    """Where it stands."""
    db.execute("UPDATE station SET place = ? WHERE id = ?", (place, station))


def secure(db: Database, station: StationId, profile: int, password_hash: bytes | None) -> None:
    """How it proves who it is."""
    db.execute(
        "UPDATE station SET security_profile = ?, password_hash = ?, next_password_hash = NULL WHERE id = ?",
        (profile, password_hash, station),
    )


def bind(db: Database, station: StationId, peer: str) -> None:
    """Which device may speak for it without a password; "": the next that comes."""
    db.execute("UPDATE station SET bound_to = ? WHERE id = ?", (peer, station))


def set_next_password(db: Database, station: StationId, password_hash: bytes | None) -> None:
    """A password beside the one that holds."""
    db.execute("UPDATE station SET next_password_hash = ? WHERE id = ?", (password_hash, station))


def dismiss(db: Database, station: StationId, now_ms: int) -> None:
    """Forget one that nobody approved. Its row is kept for the next that knocks: to delete it, SQLite would look through the whole
    message log for what refers to it. Its name is free, and is no station's.
    """
    db.execute("DELETE FROM station_newcomer WHERE station_id = ?", (station,))
    db.execute("DELETE FROM connector WHERE station_id = ?", (station,))
    db.execute(
        "UPDATE station SET identity = 'dismissed:' || id, dismissed_at_ms = ? WHERE id = ? AND state = 'knocking'",
        (now_ms, station),
    )


def _station(row: tuple[object, ...], connectors: tuple[Connector, ...]) -> Station:
    values = list(row)
    values[5], values[-2] = bool(values[5]), bool(values[-2])
    return Station(*values, connectors)  # type: ignore[arg-type,call-arg]


def _known(row: tuple[Any, ...]) -> KnownStation:
    return KnownStation(row[0], row[1], StationState(row[2]), *row[3:])
