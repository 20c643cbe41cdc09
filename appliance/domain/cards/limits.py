"""What a card, a person or a pool may do at most: pure decisions from its limits, the time and what it has used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from appliance.domain.authorization import AuthorizationStatus

MINUTES_PER_DAY = 1440
EVERY_DAY = 127
PLACE, HOURS = "stations", "hours"
"""What stands in the place of an amount where a card may not charge there, or not then."""


class Whose(StrEnum):
    """Whose limits they are. Those of a person are of all their cards together, those of a pool of all that it pays for."""

    CARD = "card"
    PERSON = "person"
    POOL = "pool"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one card; None: no limit. Amounts include tax. A person and a pool have those of days and months only."""

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
    month_energy_wh: int | None = None
    month_minor: int | None = None
    """Of the site's calendar month."""


@dataclass(frozen=True, slots=True)
class Used:
    """What was used: in the sessions of the site's day and month that are over or run beside, and in the one that runs."""

    day_energy_wh: int = 0
    day_minor: int = 0
    session_energy_wh: int = 0
    session_minor: int = 0
    earlier_energy_wh: int = 0
    """Of the session that runs, what belongs to days before this one: it began before midnight."""
    earlier_minor: int = 0
    month_energy_wh: int = 0
    month_minor: int = 0
    before_month_energy_wh: int = 0
    """Of the session that runs, what belongs to months before this one."""
    before_month_minor: int = 0


class Decision(NamedTuple):
    """Whether a session may begin or go on, and by what it may not: the name of a limit, PLACE or HOURS; "" where it may."""

    status: AuthorizationStatus
    limit: str = ""


NO_LIMITS = Limits()
WITHIN = Decision(AuthorizationStatus.ACCEPTED)


def decide(limits: Limits, station: int, local: datetime, used: Used) -> Decision:
    """Whether a session may begin at `station`, at `local` time of the site."""
    if limits.stations and station not in limits.stations:
        return Decision(AuthorizationStatus.NOT_AT_THIS_LOCATION, PLACE)
    if not within_hours(limits, local):
        return Decision(AuthorizationStatus.NOT_AT_THIS_TIME, HOURS)
    if limit := exceeded(limits, used):
        return Decision(AuthorizationStatus.LIMIT_REACHED, limit)
    return WITHIN


def within_hours(limits: Limits, local: datetime) -> bool:
    """Whether the card may charge at this local time."""
    minute = local.hour * 60 + local.minute
    over_midnight = limits.until_minute <= limits.from_minute
    if over_midnight and minute < limits.until_minute:
        return bool(limits.weekdays >> (local.weekday() - 1) % 7 & 1)
    if not limits.weekdays >> local.weekday() & 1:
        return False
    return minute >= limits.from_minute and (over_midnight or minute < limits.until_minute)


def exceeded(limits: Limits, used: Used) -> str:
    """The first limit that is used up, so that a session must end, or cannot begin; "" if none is."""
    by_name = {
        "session_energy_wh": used.session_energy_wh,
        "session_minor": used.session_minor,
        "day_energy_wh": used.day_energy_wh + used.session_energy_wh - used.earlier_energy_wh,
        "day_minor": used.day_minor + used.session_minor - used.earlier_minor,
        "month_energy_wh": used.month_energy_wh + used.session_energy_wh - used.before_month_energy_wh,
        "month_minor": used.month_minor + used.session_minor - used.before_month_minor,
    }
    return next((name for name, so_far in by_name.items() if reached(getattr(limits, name), so_far)), "")


def reached(most: int | None, used: int) -> bool:
    """Whether a limit is there and used up."""
    return most is not None and used >= most
