"""What a tariff with lines is, and what a session is to whom it is priced.

The first line of a dimension whose conditions all hold prices a piece of a session; a piece for which none holds is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

WEEK = frozenset(range(1, 8))
"""The days of ISO 8601: 1 is Monday."""
DAY_MINUTES = 1440


class Dimension(StrEnum):
    """What a line charges for; these words are stored."""

    ENERGY = "energy"
    CHARGING_TIME = "charging_time"
    """While energy flows."""
    IDLE_TIME = "idle_time"
    """While the car is full and still connected."""
    DURATION = "duration"
    """All the time of a session: charging, idle and paused."""
    FLAT = "flat"
    """Once for a session, by what holds at its start."""
    RESERVATION = "reservation"
    """The time for which the place is kept before a session, or once for keeping it."""


class Unit(StrEnum):
    """What a price is for; these words are stored."""

    KWH = "kwh"
    MINUTE = "minute"
    HOUR = "hour"
    ONCE = "once"


BY_TIME = (Unit.MINUTE, Unit.HOUR)
UNITS: Mapping[Dimension, tuple[Unit, ...]] = MappingProxyType(
    {
        Dimension.ENERGY: (Unit.KWH,),
        Dimension.CHARGING_TIME: BY_TIME,
        Dimension.IDLE_TIME: BY_TIME,
        Dimension.DURATION: BY_TIME,
        Dimension.FLAT: (Unit.ONCE,),
        Dimension.RESERVATION: (*BY_TIME, Unit.ONCE),
    }
)
"""What the lines of a dimension can be priced by."""

PER_MINOR: Mapping[Unit, int] = MappingProxyType(
    {Unit.KWH: 1_000_000, Unit.MINUTE: 60_000_000, Unit.HOUR: 3_600_000_000, Unit.ONCE: 1000}
)
"""How many thousandths of a minor unit × Wh, milliseconds or times are one minor unit."""


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax by its code, in hundredths of a percent."""

    code: str
    basis_points: int


@dataclass(frozen=True, slots=True)
class Conditions:
    """When a line holds: all that is given must be so. `from` is included, `to` is not.

    A window may run over midnight; its weekday, date and holiday are those of its start, by the wall clock of the site. None
    of a pair leaves that side open.
    """

    from_minute: int = 0
    """Of the day, whose end is 1440; a window that ends at a smaller minute ends on the next day."""
    to_minute: int = DAY_MINUTES
    weekdays: frozenset[int] = WEEK
    from_date: str | None = None
    to_date: str | None = None
    holidays: bool | None = None
    """True: only on the site's holidays; False: only on other days."""
    from_wh: int = 0
    """Of the session's energy so far."""
    to_wh: int | None = None
    from_s: int = 0
    """Since the session's start."""
    to_s: int | None = None
    from_idle_s: int = 0
    """Of the time that the car was idle so far: a grace is used up once in a session."""
    from_w: int = 0
    to_w: int | None = None
    methods: frozenset[str] = frozenset()
    """Ways of paying; empty: any."""
    groups: frozenset[int] = frozenset()
    """Numbers of groups; empty: any."""

    @property
    def over_midnight(self) -> bool:
        """Whether its window ends on the day after the one on which it begins."""
        return self.to_minute < self.from_minute

    @property
    def by_calendar(self) -> bool:
        """Whether the wall clock decides, too."""
        return (
            self.from_minute,
            self.to_minute,
            self.weekdays,
            self.from_date,
            self.to_date,
            self.holidays,
        ) != CALENDAR

    @property
    def by_measure(self) -> bool:
        """Whether what was measured decides, too."""
        return (self.from_wh, self.to_wh, self.from_s, self.to_s, self.from_idle_s, self.from_w, self.to_w) != MEASURE


CALENDAR = (0, DAY_MINUTES, WEEK, None, None, None)
MEASURE = (0, None, 0, None, 0, 0, None)
ALWAYS = Conditions()


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line: thousandths of a minor unit for each unit, with the codes of its taxes."""

    dimension: Dimension
    price_milli: int
    unit: Unit
    taxes: tuple[str, ...] = ()
    conditions: Conditions = ALWAYS


@dataclass(frozen=True, slots=True)
class Terms:
    """The lines of a tariff in the order of their priority, and what holds for all of them."""

    lines: tuple[PriceLine, ...]
    taxes: tuple[Tax, ...] = ()
    tax_included: bool = False
    """Whether the taxes are in the prices, or come on top."""
    minimum_minor: int | None = None
    """With tax."""
    maximum_minor: int | None = None
    gaps_are_free: bool = False
    """Energy that no line prices is meant to be free."""
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        # Its timetable is looked up for each bill, and a tariff of many lines takes longer to hash than to price.
        object.__setattr__(self, "_hash", hash((self.lines, self.taxes, self.minimum_minor, self.maximum_minor)))

    def __hash__(self) -> int:
        return self._hash

    def rate(self, line: PriceLine) -> int:
        """All taxes of a line, in hundredths of a percent."""
        return sum(tax.basis_points for tax in self.taxes if tax.code in line.taxes)


@dataclass(frozen=True, slots=True)
class Period:
    """What was measured from the period before (or the start) until a moment; energy is spread evenly over its time."""

    until_ms: int
    energy_wh: int = 0
    charging: bool | None = True
    """False: the car is idle. None: the station or the car has paused, which costs by duration alone."""
    power_w: int | None = None
    """None: as the energy and the time of the period tell."""
    parked: bool = False
    """The transaction is over, and the car stays: idle time alone."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A session as it is priced: its periods follow one another from its start.

    Raises ValueError where they do not, and for negative energy.
    """

    started_at_ms: int
    periods: Sequence[Period] = ()
    reserved_from_ms: int | None = None
    """The place was kept from then until the start; without any period: until `reserved_until_ms`."""
    reserved_until_ms: int | None = None
    method: str | None = None
    group: int | None = None
    holidays: frozenset[str] = field(default=frozenset())
    """Days of the site, `2026-12-16`."""

    def __post_init__(self) -> None:
        before_ms = self.started_at_ms
        for period in self.periods:
            if period.until_ms < before_ms or period.energy_wh < 0:
                raise ValueError(f"a period goes on from the one before, and its energy is not negative: {period}")
            before_ms = period.until_ms


class Course(NamedTuple):
    """A session, and whose wall clock counts."""

    session: Usage
    zone: ZoneInfo


class Charged(NamedTuple):
    """One line of a bill. The amount is with tax where the tariff's prices are, else without."""

    line: int | None
    """Its place among the tariff's lines, from 0; None: the difference to the minimum or the maximum."""
    kind: str
    """A dimension, `minimum` or `maximum`."""
    quantity: tuple[int, int]
    """Wh, milliseconds or times, as a fraction in lowest terms: numerator and denominator."""
    amount_minor: int
