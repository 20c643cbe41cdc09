"""What a card may do at most: pure decisions from its limits, the time and what it has used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from appliance.domain.authorization import AuthorizationStatus

MINUTES_PER_DAY = 1440
EVERY_DAY = 127


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one card; None: no limit. Amounts include tax."""

    session_energy_wh: int | None = None
    session_minor: int | None = None
    day_energy_wh: int | None = None
    day_minor: int | None = None
    weekdays: int = EVERY_DAY
    """Bit 0 is Monday."""
    from_minute: int = 0
    until_minute: int = MINUTES_PER_DAY
    """Of the site's day. Not after `from_minute`: the span goes over midnight, and its day is the one it began on."""
    stations: frozenset[int] = frozenset()
    """Our numbers of the stations; empty: all."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a card has used: in its sessions of the site's day that are over, and in the one that runs."""

    day_energy_wh: int = 0
    day_minor: int = 0
    session_energy_wh: int = 0
    session_minor: int = 0
    earlier_energy_wh: int = 0
    """Of the session that runs, what belongs to days before this one: it began before midnight."""
    earlier_minor: int = 0


NO_LIMITS = Limits()


def decide(limits: Limits, station: int, local: datetime, used: Used) -> AuthorizationStatus:
    """Whether a session may begin at `station`, at `local` time of the site."""
    if limits.stations and station not in limits.stations:
        return AuthorizationStatus.NOT_AT_THIS_LOCATION
    if not within_hours(limits, local):
        return AuthorizationStatus.NOT_AT_THIS_TIME
    if exceeded(limits, used):
        return AuthorizationStatus.LIMIT_REACHED
    return AuthorizationStatus.ACCEPTED


def within_hours(limits: Limits, local: datetime) -> bool:
    """Whether the card may charge at this local time."""
    minute = local.hour * 60 + local.minute
    over_midnight = limits.until_minute <= limits.from_minute
    if over_midnight and minute < limits.until_minute:
        return bool(limits.weekdays >> (local.weekday() - 1) % 7 & 1)
    if not limits.weekdays >> local.weekday() & 1:
        return False
    return minute >= limits.from_minute and (over_midnight or minute < limits.until_minute)


def exceeded(limits: Limits, used: Used) -> bool:
    """Whether something is used up, so that a session must end, or cannot begin."""
    return (
        reached(limits.session_energy_wh, used.session_energy_wh)
        or reached(limits.session_minor, used.session_minor)
        or reached(limits.day_energy_wh, used.day_energy_wh + used.session_energy_wh - used.earlier_energy_wh)
        or reached(limits.day_minor, used.day_minor + used.session_minor - used.earlier_minor)
    )


def reached(most: int | None, used: int) -> bool:
    """Whether a limit is there and used up."""
    return most is not None and used >= most
