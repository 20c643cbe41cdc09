"""Charging stations: knocking, approving, booting, their status and their clock."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.db.stations.stations import KnownStation
from appliance.domain import station as domain
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.events import ChargingStateChanged, StationBooted, StatusChanged
from appliance.domain.identifiers import IDENTITY_CHARS_MAX, StationId
from appliance.domain.station import WITH_CERTIFICATE, StationState, is_faulted
from appliance.services import audit, problems, settings
from appliance.services.announce import AdmissionChanged, StationChanged
from appliance.services.sessions import closing, start_requests, starting

KNOCKING_MAX = 50
PASSWORD_CHARS_MIN = 8
PASSWORD_CHARS_MAX = 40


def known(db: Readable) -> list[KnownStation]:
    """All stations that may connect, the knocking ones included."""
    return stations.known(db)


def knock(db: Database, identity: str, address: str, now_ms: int) -> KnownStation | None:
    """A station nobody knows wants in; None when the site takes none, or too many knock already."""
    if not settings.of(db).accept_unknown:
        return None
    found = stations.by_identity(db, identity)
    if found is None:
        if stations.count(db, StationState.KNOCKING) >= KNOCKING_MAX:
            return None
        station = stations.add(db, identity, identity, StationState.KNOCKING, now_ms)
        problems.raise_problem(db, "knocking", f"station:{station}", now_ms, identity=identity, address=address)
        db.announce(StationChanged(station))
        db.announce(AdmissionChanged(station))
        return stations.find_known(db, station)
    known_station = stations.find_known(db, found.id)
    return known_station if known_station and known_station.state is not StationState.RETIRED else None


def connected(db: Database, station: StationId, version: str, address: str, now_ms: int) -> None:
    """It has a connection."""
    stations.connected(db, station, version, address, now_ms)
    problems.clear_problem(db, "offline", f"station:{station}", now_ms)
    db.announce(StationChanged(station))


def disconnected(db: Database, station: StationId, now_ms: int) -> None:
    """It has none any more."""
    stations.seen(db, station, now_ms)
    db.announce(StationChanged(station))


def booted(db: Database, station: StationId, event: StationBooted) -> None:
    """It says who it is."""
    stations.booted(db, station, event)
    db.announce(StationChanged(station))


def status_changed(db: Database, station: StationId, event: StatusChanged) -> None:
    """A connector, or the station as a whole, is in another state."""
    stations.set_status(db, station, event)
    if event.evse:
        starting.status_of_evse_changed(db, station, event)
    faulted = is_faulted(event.status)
    if faulted != db.remembered.get(("faulted", station, event.evse, event.connector)):
        subject = f"station:{station}" if event.evse == 0 else f"station:{station}:{event.evse}"
        if event.connector > 1:
            subject += f":{event.connector}"
        if faulted:
            details = {"station": int(station), "evse": event.evse, "error": event.error_code, "info": event.info}
            problems.raise_problem(db, "faulted", subject, event.received_at_ms, **details)
        else:
            problems.clear_problem(db, "faulted", subject, event.received_at_ms)
        db.remember(("faulted", station, event.evse, event.connector), faulted)
    db.announce(StationChanged(station, event.evse))


def connector_in_use(db: Readable, station: StationId, evse: int) -> int:
    """Of an EVSE's connectors the one at which the car hangs, or else a free one; 1 for an EVSE we have not heard of."""
    there = [one for one in stations.connectors(db, station) if one.evse == evse]
    return domain.connector_in_use(there).connector if there else 1


def charging_state_changed(db: Database, station: StationId, event: ChargingStateChanged) -> None:
    """A transaction tells whether energy flows."""
    stations.set_charging_state(db, station, event)
    starting.charging_state_changed(db, station, event)
    db.announce(StationChanged(station, event.evse))


def clock_skew(db: Database, station: StationId, skew_ms: int, now_ms: int) -> None:
    """How far its clock is from ours; only a marked change is worth a write (the caller sees to that)."""
    stations.set_skew(db, station, skew_ms)
    subject = f"station:{station}"
    if abs(skew_ms) > settings.of(db).clock_skew_s * 1000:
        problems.raise_problem(db, "clock_skew", subject, now_ms, station=int(station), skew_s=skew_ms // 1000)
    else:
        problems.clear_problem(db, "clock_skew", subject, now_ms)


def register(
    db: Database, identity: str, name: str, profile: int, password_hash: bytes | None, actor: str, now_ms: int
) -> StationId:
    """Enter a station before it has ever connected.

    Raises:
        Invalid: The identity cannot be part of a URL, or the profile asks for a password that is not there.
        Conflict: It is registered already.
    """
    check_identity(identity)
    check_profile(profile, password_hash)
    found = stations.by_identity(db, identity)
    if found is not None and found.state == StationState.APPROVED:
        raise Conflict("There is a station {identity} already.", identity=identity)
    if found is not None:
        station = found.id
        stations.change(db, station, name=name or found.name, state=StationState.APPROVED)
        stations.secure(db, station, profile, password_hash)
        problems.clear_problem(db, "knocking", f"station:{station}", now_ms)
    else:
        station = stations.add(
            db, identity, name or identity, StationState.APPROVED, now_ms, profile=profile, password_hash=password_hash
        )
    audit.record(db, actor, "station.register", f"station:{station}", now_ms, identity=identity, name=name)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))
    return station


def approve(db: Database, station: StationId, name: str, actor: str, now_ms: int) -> None:
    """Let a knocking station in, under a name."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such station.")
    stations.change(db, station, name=name.strip() or found.identity, state=StationState.APPROVED)
    problems.clear_problem(db, "knocking", f"station:{station}", now_ms)
    audit.record(db, actor, "station.approve", f"station:{station}", now_ms, identity=found.identity, name=name)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def dismiss(db: Database, station: StationId, actor: str, now_ms: int) -> None:
    """Turn a knocking station away; it may knock again."""
    found = stations.show(db, station)
    if found is None or found.state != StationState.KNOCKING:
        raise NotFound("There is no such station knocking.")
    problems.clear_problem(db, "knocking", f"station:{station}", now_ms)
    stations.remove_knocking(db, station)
    audit.record(db, actor, "station.dismiss", f"station:{station}", now_ms, identity=found.identity)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def rename(db: Database, station: StationId, name: str, actor: str, now_ms: int) -> None:
    """Give it another name."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such station.")
    if not name.strip():
        raise Invalid("name", "A station needs a name.")
    stations.change(db, station, name=name.strip()[:100], state=StationState(found.state))
    audit.record(db, actor, "station.rename", f"station:{station}", now_ms, name=name, before=found.name)
    db.announce(StationChanged(station))


def retire(db: Database, station: StationId, actor: str, now_ms: int) -> None:
    """Take it off the board for good; its sessions stay, and end here if they are open. It is refused when it connects."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such station.")
    closing.close_all(db, station, actor, now_ms)
    start_requests.give_up_all(db, station, now_ms)
    stations.change(db, station, name=found.name, state=StationState.RETIRED)
    problems.clear_subject(db, f"station:{station}", now_ms)
    audit.record(db, actor, "station.retire", f"station:{station}", now_ms, identity=found.identity)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def secure(
    db: Database, station: StationId, profile: int, password_hash: bytes | None, actor: str, now_ms: int
) -> None:
    """Set how it proves who it is."""
    check_profile(profile, password_hash)
    stations.secure(db, station, profile, password_hash)
    audit.record(db, actor, "station.secure", f"station:{station}", now_ms, profile=profile)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def check_identity(identity: str) -> None:
    """An identity is the last part of a URL: no slash, no colon, no space, no control characters."""
    if not 1 <= len(identity) <= IDENTITY_CHARS_MAX:
        raise Invalid("id", "The identity has 1 to {most} characters.", most=IDENTITY_CHARS_MAX)
    if not identity.isprintable() or set(identity) & set("/:? #%"):
        raise Invalid(
            "id",
            "The identity is made of letters, digits and signs such as - _ . but no space, slash, colon, question mark, # or percent sign.",
        )


def check_profile(profile: int, password_hash: bytes | None) -> None:
    """Whether stations can be let in by this security profile, with what they would prove themselves by."""
    if profile == WITH_CERTIFICATE:
        raise Invalid(
            "security_profile",
            "Security profile 3 asks for a certificate of the charger's own, which cannot be checked here yet. Choose profile 2.",
        )
    if profile and password_hash is None:
        raise Invalid("password", "A station with this security profile needs a password.")


def check_password(password: str) -> None:
    """What 1.6 stations can keep: it is sent to them as at most 40 characters."""
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise Invalid(
            "password",
            "A station's password has {least} to {most} characters.",
            least=PASSWORD_CHARS_MIN,
            most=PASSWORD_CHARS_MAX,
        )
