"""How a charging station proves who it is: its security profile, and its password, which is kept as a fast keyed hash.

Passwords are made by machines and long, so a slow hash would protect nothing more, and two hundred stations that come back
after a power cut would have to wait for it.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from appliance.db.engine.unit import Database
from appliance.db.stations import newcomers, stations
from appliance.db.stations.stations import KnownStation
from appliance.domain.by import By
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.domain.station import WITH_CERTIFICATE, WITH_PASSWORD
from appliance.services import audit, problems
from appliance.services.announce import AdmissionChanged, StationChanged


def hash_password(site_key: bytes, password: bytes) -> bytes:
    """HMAC-SHA-256 of a password under the site's key; of no use without the key."""
    return hmac.digest(site_key, password, "sha256")


PASSWORD_CHARS_MIN = 8


PASSWORD_CHARS_MAX = 40


class Asked(NamedTuple):
    """What is to change in how a station proves who it is; what is left out stays."""

    profile: int | None = None
    password_hash: bytes | None = None
    """Of a new password."""
    drops_password: bool = False


def changed(profile: int, password_hash: bytes | None, asked: Asked) -> tuple[int, bytes | None]:
    """Profile and password afterwards. A password alone makes profile 1 of 0, and lowers none.

    Raises:
        Invalid: Profile 0 is asked for, and the password that there is not taken away in the same words.
    """
    if asked.profile == 0 and password_hash is not None and not asked.drops_password and asked.password_hash is None:
        raise Invalid(
            "security_profile",
            "This charger has a password, which profile 0 would not ask for. Say that the password is to go, too.",
        )
    kept = None if asked.drops_password else asked.password_hash or password_hash
    if asked.profile is not None:
        return asked.profile, kept
    return (max(profile, 1) if asked.password_hash is not None else profile), kept


def change(db: Database, station: StationId, asked: Asked, by: By) -> None:
    """Change how it proves who it is.

    Raises:
        Invalid: So it could not prove itself.
    """
    known = stations.find_known(db, station)
    assert known is not None, "stations are never deleted once they are approved"
    secure(db, station, *changed(known.security_profile, known.password_hash, asked), by)


def secure(db: Database, station: StationId, profile: int, password_hash: bytes | None, by: By) -> None:
    """Set how it proves who it is."""
    check_profile(profile, password_hash)
    known = stations.find_known(db, station)
    before = known.security_profile if known is not None else None
    stations.secure(db, station, profile, password_hash)
    newcomers.forget(db, station)
    problems.clear_problem(db, ProblemKind.NEWCOMER, f"station:{station}", by.at_ms)
    audit.record(db, by, "station.secure", f"station:{station}", profile=profile, before=before)
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def offer_password(db: Database, station: StationId, password_hash: bytes | None, by: By) -> None:
    """It is sent a password (None: it did not take it): the one before, or none, holds until the new one was used."""
    stations.set_next_password(db, station, password_hash)
    if password_hash is not None:
        audit.record(db, by, "station.offer_password", f"station:{station}")
    else:
        audit.record(db, by, "station.withdraw_password", f"station:{station}")
    db.announce(StationChanged(station))
    db.announce(AdmissionChanged(station))


def use_next_password(db: Database, station: StationId, now_ms: int) -> KnownStation:
    """It has shown the password that it was sent: only that one holds from now on."""
    found = stations.find_known(db, station)
    assert found is not None, "it is connecting"
    if found.next_password_hash is not None:
        profile = max(found.security_profile, WITH_PASSWORD)
        secure(db, station, profile, found.next_password_hash, By(f"station:{station}", now_ms))
        found = stations.find_known(db, station)
        assert found is not None
    return found


def check_profile(profile: int, password_hash: bytes | None) -> None:
    """Whether stations can be let in by this security profile, with what they would prove themselves by."""
    if profile == WITH_CERTIFICATE:
        raise Invalid(
            "security_profile",
            "Security profile 3 asks for a certificate of the charger's own, which cannot be checked here yet. Choose profile 2.",
        )
    if profile and password_hash is None:
        raise Invalid("password", "A charger with this security profile needs a password.")


def check_password(password: str) -> None:
    """What 1.6 stations can keep: it is sent to them as at most 40 characters."""
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise Invalid(
            "password",
            "A charger's password has {least} to {most} characters.",
            least=PASSWORD_CHARS_MIN,
            most=PASSWORD_CHARS_MAX,
        )
