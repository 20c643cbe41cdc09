"""Which charging stations are let in: knocking, approved under a name, retired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.stations import newcomers, stations
from appliance.db.stations.newcomers import Newcomer
from appliance.db.stations.stations import Knock, KnownStation
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.identifiers import IDENTITY_CHARS_MAX, StationId
from appliance.domain.peer import Peer, home_of_peer
from appliance.domain.problem import ProblemKind
from appliance.domain.station import StationState
from appliance.services import audit, problems, settings
from appliance.services.announce import AdmissionChanged, StationChanged
from appliance.services.sessions import closing, start_requests
from appliance.services.stations import credentials
from appliance.services.stations.credentials import Asked
from appliance.services.texts import optional

KNOCKING_MAX = 50
KNOCKING_OF_ADDRESS_MAX = 5
KNOCK_SEEN_MS = 60_000
"""Who has been told to staff for so long makes room for a newcomer, where all places are taken by others that stay connected."""
NO_ROOM_EVERY_MS = 1_000
"""Of those for whom there is no place no more are told."""
NO_ROOM_AT = Slot[int]()
"""When the last one was told."""
KNOCKS_KEPT_MS = 24 * 3_600_000
"""After the last sign of life."""
NEWCOMERS_MAX = 5
"""Devices that wait for the place of one station; the oldest makes room."""
PLACE_CHARS_MAX = 100


def known(db: Readable) -> list[KnownStation]:
    """All stations that may connect, the knocking ones included."""
    return stations.known(db)


def knock(
    db: Database, identity: str, address: str, now_ms: int, connected: Collection[StationId] = (), *, mac: str = ""
) -> KnownStation | None:
    """A station nobody knows wants in; None when the site takes none, or too many knock already.

    Of those that are not `connected` the one that is longest unheard of makes room, of its own device or of all; where all are,
    one of the device that takes the most, or else the one that staff have seen for longest. Who finds no room is told to staff all the same.
    """
    if not settings.of(db).accept_unknown:
        return None
    found = stations.by_identity(db, identity)
    if found is None:
        if not _make_room(db, Peer(address, mac).home, connected, now_ms):
            _tell_no_room(db, identity, address, now_ms)
            return None
        station = stations.add_knocking(db, identity, address, now_ms)
        problems.raise_problem(
            db, ProblemKind.KNOCKING, f"station:{station}", now_ms, identity=identity, address=address
        )
        db.announce(StationChanged(station))
        db.announce(AdmissionChanged(station))
        return stations.find_known(db, station)
    known_station = stations.find_known(db, found.id)
    return known_station if known_station and known_station.state is not StationState.RETIRED else None


def register(
    db: Database, identity: str, name: str, profile: int | None, password_hash: bytes | None, by: By
) -> StationId:
    """Enter a station before it has ever connected, or again after it was retired: what is not said (None) stays then.

    Raises:
        Invalid: The identity cannot be part of a URL, or the profile asks for a password that is not there.
        Conflict: It is registered already.
    """
    check_identity(identity)
    asked = Asked(profile, password_hash)
    found = stations.by_identity(db, identity)
    before = stations.find_known(db, found.id) if found is not None else None
    security = (before.security_profile, before.password_hash) if before is not None else (0, None)
    wanted_profile, wanted_hash = credentials.changed(*security, asked)
    credentials.check_profile(wanted_profile, wanted_hash)
    if found is not None and found.state == StationState.APPROVED:
        raise Conflict("There is a charger {identity} already.", identity=identity)
    if found is not None:
        station = found.id
        stations.change(db, station, name=name or found.name, state=StationState.APPROVED)
        stations.secure(db, station, wanted_profile, wanted_hash)
        if found.state == StationState.RETIRED:
            stations.bind(db, station, "")
        problems.clear_problem(db, ProblemKind.KNOCKING, f"station:{station}", by.at_ms)
    else:
        station = stations.add(
            db,
            identity,
            name or identity,
            StationState.APPROVED,
            by.at_ms,
            profile=wanted_profile,
            password_hash=wanted_hash,
        )
    audit.record(db, by, "station.register", f"station:{station}", identity=identity, name=name)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))
    return station


def approve(db: Database, station: StationId, name: str, by: By, *, peer: str = "") -> None:
    """Let a knocking station in, under a name. `peer` is the device that was looked at, if one was.

    Raises:
        Conflict: Another device says this name by now.
    """
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such charger.")
    if peer not in ("", found.bound_to):
        raise Conflict("Another device calls itself {identity} by now.", "Look again.", identity=found.identity)
    stations.change(db, station, name=name.strip() or found.identity, state=StationState.APPROVED)
    problems.clear_problem(db, ProblemKind.KNOCKING, f"station:{station}", by.at_ms)
    audit.record(db, by, "station.approve", f"station:{station}", identity=found.identity, name=name)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def dismiss(db: Database, station: StationId, by: By) -> None:
    """Turn a knocking station away; it may knock again."""
    found = stations.show(db, station)
    if found is None or found.state != StationState.KNOCKING:
        raise NotFound("No such charger waits for approval.")
    _forget(db, station, by.at_ms)
    audit.record(db, by, "station.dismiss", f"station:{station}", identity=found.identity)


def dismiss_address(db: Database, address: str, by: By) -> int:
    """Turn away all that knock from one address; how many.

    Raises:
        NotFound: None does.
    """
    knocks = [one for one in stations.knocks(db) if one.address == address]
    if not knocks:
        raise NotFound("No charger knocks from {address} any more.", address=address)
    for one in knocks:
        _forget(db, one.id, by.at_ms)
    audit.record(db, by, "station.dismiss_address", "site", address=address, stations=len(knocks))
    return len(knocks)


def expire_knocks(db: Database, now_ms: int) -> None:
    """Forget those that have not been heard of for a day."""
    for one in stations.knocks(db):
        if now_ms - one.heard_at_ms > KNOCKS_KEPT_MS:
            _forget(db, one.id, now_ms)


def _make_room(db: Database, home: str, connected: Collection[StationId], now_ms: int) -> bool:
    """Whether one more may knock from there, once another was forgotten for it if need be."""
    knocks = stations.knocks(db)
    here = [one for one in knocks if _home(one) == home]
    if len(here) >= KNOCKING_OF_ADDRESS_MAX:
        gone = _gone(here, connected) or _seen(here, now_ms)
    elif len(knocks) >= KNOCKING_MAX:
        gone = _gone(knocks, connected) or _of_the_greediest(knocks, len(here)) or _seen(knocks, now_ms)
    else:
        return True
    if gone is None:
        return False
    _forget(db, gone.id, now_ms)
    return True


def _gone(knocks: Sequence[Knock], connected: Collection[StationId]) -> Knock | None:
    """The one without a connection that is longest unheard of."""
    return next((one for one in knocks if one.id not in connected), None)


def _of_the_greediest(knocks: Sequence[Knock], places: int) -> Knock | None:
    """The one that is longest unheard of, of the device with the most; None if it has no more than who comes will have."""
    of_home = Counter(map(_home, knocks))
    home, most = of_home.most_common(1)[0]
    if most <= places + 1:
        return None
    return next(one for one in knocks if _home(one) == home)


def _seen(knocks: Sequence[Knock], now_ms: int) -> Knock | None:
    """The one that waits longest, if staff have had time to see it."""
    longest = min(knocks, key=lambda one: one.since_ms)
    return longest if now_ms - longest.since_ms >= KNOCK_SEEN_MS else None


def _home(knock: Knock) -> str:
    return home_of_peer(knock.bound_to, knock.address)


def _tell_no_room(db: Database, identity: str, address: str, now_ms: int) -> None:
    told_ms = NO_ROOM_AT.get(db)
    if told_ms is not None and 0 <= now_ms - told_ms < NO_ROOM_EVERY_MS:
        return
    NO_ROOM_AT.keep(db, now_ms)
    who = f"{identity} ({address})"
    problems.raise_problem(db, ProblemKind.NO_ROOM_TO_KNOCK, "site", now_ms, who=who, places=len(stations.knocks(db)))


def _forget(db: Database, station: StationId, now_ms: int) -> None:
    problems.clear_subject(db, f"station:{station}", now_ms)
    stations.dismiss(db, station, now_ms)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def bind(db: Database, station: StationId, peer: Peer, now_ms: int) -> KnownStation | None:
    """A station without a password came from this device (domain/peer.py): from now on another one waits for staff.

    None: it does itself, for another one was let in by now, or none is to be any more.
    """
    found = stations.find_known(db, station)
    if found is None or found.state is StationState.RETIRED:
        return None
    if found.state is StationState.APPROVED and not peer.fits(found.bound_to):
        return None
    if found.state is StationState.APPROVED and found.bound_to != peer.word:
        audit.record(db, By(f"station:{station}", now_ms), "station.bind", f"station:{station}", peer=peer.word)
    stations.bind(db, station, peer.word)
    db.announce(AdmissionChanged(station))  # What was read of it before this holds no longer.
    return stations.find_known(db, station)


def newcomer(db: Database, station: StationId, peer: Peer, now_ms: int, *, waits: bool) -> None:
    """Another device says the name of a station; `waits`: staff may let it take the place."""
    if waits:
        newcomers.note(db, station, Newcomer(peer.word, peer.address, now_ms), NEWCOMERS_MAX)
    problems.raise_problem(
        db,
        ProblemKind.NEWCOMER,
        f"station:{station}",
        now_ms,
        station=int(station),
        address=peer.address,
        mac=peer.mac,
        waits=waits,
    )
    db.announce(StationChanged(station))


def admit(db: Database, station: StationId, peer: str, by: By) -> None:
    """The device that waits is the station from now on, and the one before is not.

    Raises:
        NotFound: It does not wait.
    """
    if all(one.peer != peer for one in newcomers.of_station(db, station)):
        raise NotFound("This device does not wait any more.", "Look at the charger's page who waits now.")
    found = stations.find_known(db, station)
    assert found is not None, "somebody waits for it"
    stations.bind(db, station, peer)
    newcomers.forget(db, station)
    problems.clear_problem(db, ProblemKind.NEWCOMER, f"station:{station}", by.at_ms)
    audit.record(db, by, "station.admit", f"station:{station}", peer=peer, before=found.bound_to)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def rename(db: Database, station: StationId, name: str, by: By) -> None:
    """Give it another name. Nothing is recorded where nothing changes."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such charger.")
    if not name.strip():
        raise Invalid("name", "A charger needs a name.")
    name = name.strip()[:100]
    if name == found.name:
        return
    stations.change(db, station, name=name, state=StationState(found.state))
    audit.record(db, by, "station.rename", f"station:{station}", name=name, before=found.name)
    db.announce(StationChanged(station))


def place(db: Database, station: StationId, where: str, by: By) -> None:
    """Say where it stands; "": by its name. Nothing is recorded where nothing changes."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such charger.")
    where = optional("place", where)[:PLACE_CHARS_MAX]
    if where == found.place:
        return
    stations.set_place(db, station, where)
    audit.record(db, by, "station.place", f"station:{station}", name=found.name, place=where, before=found.place)
    db.announce(StationChanged(station))


def retire(db: Database, station: StationId, by: By) -> None:
    """Take it off the board for good; its sessions stay, and end here if they are open. It is refused when it connects."""
    found = stations.show(db, station)
    if found is None:
        raise NotFound("There is no such charger.")
    closing.close_all(db, station, by)
    start_requests.cancel_all(db, station, by.at_ms)
    stations.change(db, station, name=found.name, state=StationState.RETIRED)
    newcomers.forget(db, station)
    problems.clear_subject(db, f"station:{station}", by.at_ms)
    audit.record(db, by, "station.retire", f"station:{station}", identity=found.identity)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def check_identity(identity: str) -> None:
    """An identity is the last part of a URL, percent-encoded there, and the user name of Basic authentication, which has no colon."""
    if not 1 <= len(identity) <= IDENTITY_CHARS_MAX:
        raise Invalid("id", "The identity has 1 to {most} characters.", most=IDENTITY_CHARS_MAX)
    if not identity.isprintable() or ":" in identity or identity != identity.strip() or not identity.strip("./"):
        raise Invalid(
            "id",
            "The identity is made of letters, digits and signs, but no colon, no control characters, and no space at either end.",
        )
