"""The lines of a tariff, put in order for pricing: which can hold in which hours, and where their other conditions change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import count
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import Conditions, Dimension, PriceLine, Terms, Unit
from appliance.domain.pricing.wall_clock import DAY_MS, calendar_of, stretches

NO_END = 2**62
"""In the place of an end that is not given; no Wh, no millisecond and no Watt is as many."""
TIMETABLES_KEPT = 256
DAYS_KEPT = 64
KEPT_ONCE = "reservation, once"
"""Beside the dimensions: what keeping the place costs once."""


class Now(NamedTuple):
    """Where a session is at a moment, each as a fraction (numerator, denominator): its measures are hardly ever whole there."""

    energy: tuple[int, int]
    """Wh."""
    elapsed: tuple[int, int]
    """Milliseconds since the start."""
    idle: tuple[int, int]
    """Milliseconds of idling."""
    power: tuple[int, int]
    """Watt."""


ENERGY, ELAPSED, IDLE, POWER = range(len(Now._fields))
Measure = tuple[tuple[int, int, int], ...]
"""The part of the conditions that measures decide: which of `Now`, from, to."""


Rule = tuple[int, Measure | None]
"""A line by its place, and what else must hold for it."""
Holding = dict[str, tuple[Rule, ...]]
"""What can hold in a stretch of time, by dimension, in order; nothing follows a line for which nothing else must hold."""


class Timetable:
    """Which lines of a tariff hold when, for a session of one group and one way of paying, by the wall clock of a site."""

    def __init__(
        self, terms: Terms, method: str | None, group: int | None, zone: ZoneInfo, holidays: frozenset[str]
    ) -> None:
        lines = [(place, line) for place, line in enumerate(terms.lines) if _is_for(line.conditions, method, group)]
        self._rules = [
            (_dimension(line), place, calendar_of(line.conditions), _measure_of(line)) for place, line in lines
        ]
        self._calendars = tuple({calendar: None for _, _, calendar, _ in self._rules if calendar is not None})
        self._zone, self._holidays = zone, holidays
        self._days: dict[int, list[tuple[int, Holding]]] = {}
        bounds = [bound for *_, measure in self._rules for bound in measure or ()]
        self.amounts_wh = _edges(bounds, ENERGY)
        """Where conditions change: at these energies, so long after the start, after so much idle time."""
        self.elapsed_ms = _edges(bounds, ELAPSED)
        self.idle_ms = _edges(bounds, IDLE)
        self.measured = bool(bounds)

    def since(self, from_ms: int) -> Iterator[tuple[int, Holding]]:
        """All stretches from a moment on: until when, and what can hold until then. There is no last one."""
        if not self._calendars:
            yield NO_END, self._holding(())
        for number in count(from_ms // DAY_MS):
            for until_ms, holding in self._day(number):
                if until_ms > from_ms:
                    yield until_ms, holding

    def _day(self, number: int) -> list[tuple[int, Holding]]:
        """One day of UTC, by its number since 1970."""
        day = self._days.get(number)
        if day is None:
            if len(self._days) >= DAYS_KEPT:
                self._days.clear()
            cut = stretches(self._calendars, number, self._zone, self._holidays)
            day = self._days[number] = [(until_ms, self._holding(hold)) for until_ms, hold in cut]
        return day

    def _holding(self, hold: tuple[bool, ...]) -> Holding:
        now = {calendar for calendar, holds in zip(self._calendars, hold, strict=True) if holds}
        found: Holding = {}
        for dimension, place, calendar, measure in self._rules:
            before = found.get(dimension, ())
            if (calendar is None or calendar in now) and not (before and before[-1][1] is None):
                found[dimension] = (*before, (place, measure))
        return found


@lru_cache(maxsize=TIMETABLES_KEPT)
def timetable(
    terms: Terms, method: str | None, group: int | None, zone: ZoneInfo, holidays: frozenset[str]
) -> Timetable:
    """As the constructor makes it; a site has few, and asks for them all the time."""
    return Timetable(terms, method, group, zone, holidays)


def first(holding: Holding, dimension: str, now: Now) -> int | None:
    """The line that prices a dimension at a moment."""
    for line, measure in holding.get(dimension, ()):
        if measure is None:
            return line
        for axis, start, end in measure:
            value, of = now[axis]
            if not start * of <= value < end * of:
                break
        else:
            return line
    return None


def _measure_of(line: PriceLine) -> Measure | None:
    """None: no measure matters."""
    one = line.conditions
    bounds = (
        (ENERGY, one.from_wh, one.to_wh, 1),
        (ELAPSED, one.from_s, one.to_s, 1000),
        (IDLE, one.from_idle_s, None, 1000),
        (POWER, one.from_w, one.to_w, 1),
    )
    found = (
        (axis, start * by, NO_END if end is None else end * by)
        for axis, start, end, by in bounds
        if start or end is not None
    )
    return tuple(found) or None


def _dimension(line: PriceLine) -> str:
    once = line.dimension is Dimension.RESERVATION and line.unit is Unit.ONCE
    return KEPT_ONCE if once else line.dimension


def _is_for(conditions: Conditions, method: str | None, group: int | None) -> bool:
    return (not conditions.methods or method in conditions.methods) and (
        not conditions.groups or group in conditions.groups
    )


def _edges(bounds: Iterable[tuple[int, int, int]], axis: int) -> tuple[int, ...]:
    return tuple(sorted({edge for on, start, end in bounds if on == axis for edge in (start, end)} - {0, NO_END}))
