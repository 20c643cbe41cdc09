"""Tariffs with lines as they are read: prices in minor units, times of day as texts, minutes instead of seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import Conditions, Dimension, Period, PriceLine, Tax, Terms, Unit, Usage
from appliance.domain.pricing.reckoning import Priced, price

MINUTES = {"from_minutes": "from_s", "to_minutes": "to_s", "from_idle_minutes": "from_idle_s"}
TIMES = {"from_time": "from_minute", "to_time": "to_minute"}
SETS = ("weekdays", "methods", "groups")


def line(dimension: str, minor: str | int, *taxes: str, unit: str = "", **conditions: Any) -> PriceLine:
    """`line("energy", 25, "vat", from_time="17:00")`; the unit is that of the dimension, or a minute."""
    kind = Dimension(dimension)
    of = Unit(unit) if unit else {Dimension.ENERGY: Unit.KWH, Dimension.FLAT: Unit.ONCE}.get(kind, Unit.MINUTE)
    values: dict[str, Any] = {}
    for name, value in conditions.items():
        if name in MINUTES:
            values[MINUTES[name]] = value * 60
        elif name in TIMES:
            hours, minutes = value.split(":")
            values[TIMES[name]] = int(hours) * 60 + int(minutes)
        else:
            values[name] = frozenset(value) if name in SETS else value
    return PriceLine(kind, int(Decimal(minor) * 1000), of, taxes, Conditions(**values))


def terms(*lines: PriceLine, taxes: Mapping[str, str | int] | None = None, **more: Any) -> Terms:
    """With percentages: `taxes={"vat": "5.2"}`."""
    shares = tuple(Tax(code, int(Decimal(percent) * 100)) for code, percent in (taxes or {}).items())
    return Terms(lines, shares, **more)


def moment(text: str, zone: ZoneInfo) -> int:
    """UTC milliseconds of the wall clock; of an hour that comes twice the first, the second with `~`."""
    at = datetime.fromisoformat(text.rstrip("~")).replace(tzinfo=zone, fold=int(text.endswith("~")))
    return int(at.timestamp() * 1000)


def session(
    start: str, zone: ZoneInfo, *periods: tuple[float, float, bool | None] | Sequence[Any], **more: Any
) -> Usage:
    """Periods are (minutes, kWh, charging), with the Watt if it matters."""
    at_ms = start_ms = moment(start, zone)
    found = []
    for minutes, kwh, charging, *power in periods:
        at_ms += round(minutes * 60_000)
        found.append(Period(at_ms, round(kwh * 1000), charging, *power))
    return Usage(start_ms, tuple(found), **more)


def amounts(bill: Priced) -> list[tuple[str, int]]:
    """What its lines say."""
    return [(str(charged.kind), charged.amount_minor) for charged in bill.lines]


def cost(tariff: Terms, usage: Usage, zone: ZoneInfo) -> tuple[int, int]:
    """Net and total."""
    bill = price(usage, tariff, zone)
    return bill.net_minor, bill.total_minor
