"""What a session costs by the lines of a tariff, reckoned once more and otherwise: minute by minute, in fractions.

It shares no code with `appliance.domain.pricing` and reads only the data of a tariff and a session, so that both are right or
somebody sees it. Its sessions begin and end at whole minutes, as do their periods; energy is cut wherever a line asks for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000
PER_UNIT = {"kwh": 1000, "minute": 1, "hour": 60, "once": 1}
"""Wh, minutes or times in one unit."""
GOING_ON = {True: ("charging_time",), False: ("idle_time",), None: ()}


@dataclass
class Repriced:
    """Amounts by the place of their line, the difference to a limit, taxes by code."""

    lines: dict[int, int] = field(default_factory=dict)
    limit_minor: int = 0
    tax_minor: int = 0
    total_minor: int = 0


def reprice(usage: Any, terms: Any, zone: ZoneInfo) -> Repriced:
    """The bill."""
    used: dict[int, Fraction] = defaultdict(Fraction)

    def charge(dimension: str, amount: Fraction, **now: Any) -> None:
        for place, line in enumerate(terms.lines):
            once = line.unit == "once"
            if (line.dimension, once) == (dimension, now["once"]) and fits(line.conditions, usage, zone, **now):
                used[place] += amount
                return

    def at(moment_ms: int, **more: Any) -> dict[str, Any]:
        start = {"wh": Fraction(0), "minutes": Fraction(0), "idle": Fraction(0), "watt": Fraction(0), "once": False}
        return {**start, "moment_ms": moment_ms, **more}

    charge("flat", Fraction(1), **at(usage.started_at_ms, once=True))
    if usage.reserved_from_ms is not None:
        charge("reservation", Fraction(1), **at(usage.reserved_from_ms, once=True))
        until_ms = usage.reserved_until_ms if usage.reserved_until_ms is not None else usage.started_at_ms
        for moment_ms in range(usage.reserved_from_ms, until_ms, MINUTE_MS):
            charge("reservation", Fraction(1), **at(moment_ms))
    wh, idle = Fraction(0), Fraction(0)
    amounts = {limit for line in terms.lines for limit in (line.conditions.from_wh, line.conditions.to_wh) if limit}
    for moment_ms, period, taken, watt in minutes_of(usage):
        inner = {(limit - wh) / taken for limit in amounts if wh < limit < wh + taken} if taken else set()
        for first, last in pairwise([Fraction(0), *sorted(inner), Fraction(1)]):
            minutes = Fraction(moment_ms - usage.started_at_ms, MINUTE_MS) + first
            idled = idle + first if period.charging is False else idle
            now = at(moment_ms, wh=wh + taken * first, minutes=minutes, idle=idled, watt=watt)
            if taken:
                charge("energy", taken * (last - first), **now)
            for dimension in ("duration", *GOING_ON[period.charging]):
                charge(dimension, last - first, **now)
        wh += taken
        idle += 1 if period.charging is False else 0
    return total(used, terms, bool(wh))


def minutes_of(usage: Any) -> Iterator[tuple[int, Any, Fraction, Fraction]]:
    """Each minute: its beginning, its period, its Wh, its Watt."""
    begin_ms = usage.started_at_ms
    for period in usage.periods:
        length = (period.until_ms - begin_ms) // MINUTE_MS
        for moment_ms in range(begin_ms, period.until_ms, MINUTE_MS):
            taken = Fraction(period.energy_wh, length)
            yield moment_ms, period, taken, taken * 60 if period.power_w is None else Fraction(period.power_w)
        begin_ms = period.until_ms


def fits(one: Any, usage: Any, zone: ZoneInfo, **now: Any) -> bool:
    """Whether all conditions of a line hold at a moment."""
    wall = datetime.fromtimestamp(now["moment_ms"] // 1000, zone)
    minute, day = wall.hour * 60 + wall.minute, wall.date()
    if one.to_minute > one.from_minute:
        inside = one.from_minute <= minute < one.to_minute
    else:
        inside = minute >= one.from_minute or minute < one.to_minute
        if minute < one.to_minute:
            day -= timedelta(days=1)
    return (
        inside
        and day.isoweekday() in one.weekdays
        and (not one.from_date or str(day) >= one.from_date)
        and (not one.to_date or str(day) < one.to_date)
        and (one.holidays is None or one.holidays is (str(day) in usage.holidays))
        and now["wh"] >= one.from_wh
        and (one.to_wh is None or now["wh"] < one.to_wh)
        and now["minutes"] * 60 >= one.from_s
        and (one.to_s is None or now["minutes"] * 60 < one.to_s)
        and now["idle"] * 60 >= one.from_idle_s
        and now["watt"] >= one.from_w
        and (one.to_w is None or now["watt"] < one.to_w)
        and (not one.methods or usage.method in one.methods)
        and (not one.groups or usage.group in one.groups)
    )


def total(used: dict[int, Fraction], terms: Any, energy: bool) -> Repriced:
    """Rounded lines, taxes, limits. Python's `round` of a fraction goes half to even."""
    found = Repriced()
    for place, amount in used.items():
        line = terms.lines[place]
        if energy or line.dimension == "reservation":
            found.lines[place] = round(amount / PER_UNIT[line.unit] * line.price_milli / 1000)
    rates = {tax.code: Fraction(tax.basis_points, 10_000) for tax in terms.taxes}
    taxes = []
    for code, rate in rates.items():
        share = Fraction(0)
        for place, minor in found.lines.items():
            codes = terms.lines[place].taxes
            if code in codes:
                share += minor * rate / (1 + sum(rates[one] for one in codes)) if terms.tax_included else minor * rate
        taxes.append(round(share))
    found.tax_minor = sum(taxes)
    found.total_minor = sum(found.lines.values()) + (0 if terms.tax_included else found.tax_minor)
    limit = found.total_minor
    if energy and terms.minimum_minor is not None:
        limit = max(limit, terms.minimum_minor)
    if terms.maximum_minor is not None:
        limit = min(limit, terms.maximum_minor)
    if limit != found.total_minor:
        found.limit_minor = limit - found.total_minor
        if found.total_minor:
            more = round(Fraction(found.limit_minor * found.tax_minor, found.total_minor))
        else:
            rate = sum((rates[code] for code in terms.lines[0].taxes), Fraction(0))
            more = round(found.limit_minor * rate / (1 + rate))
        found.tax_minor += more
        found.total_minor = limit
    return found
