"""Tariffs with lines and sessions as nobody would write them: everything that the model can say, by chance, out of a seed."""

from __future__ import annotations

from random import Random
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import UNITS, WEEK, Conditions, Dimension, Period, PriceLine, Tax, Terms, Usage

MINUTE_MS = 60_000
DAY_MS = 86_400_000
ZONES = [
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Asia/Dhaka", "Asia/Kathmandu", "Pacific/Apia")
]
MOMENTS_MS = [
    1_774_746_000_000,  # 2026-03-29 02:00 in Berlin, which is 03:00 at once
    1_792_890_000_000,  # 2026-10-25 02:00 in Berlin, which comes twice
    1_772_953_200_000,  # 2026-03-08, the same in New York
    1_793_512_800_000,  # 2026-11-01
    1_798_740_000_000,  # around New Year
    1_797_357_600_000,  # 2026-12-16 in Dhaka
]
HOLIDAYS = frozenset({"2026-12-16", "2026-12-31", "2027-01-01", "2026-10-25"})
METHODS = ("prepaid", "postpaid", "cash")


def random_conditions(chance: Random, *, once: bool) -> Conditions:
    """Few or many at a time."""

    def some(likely: float) -> bool:
        return chance.random() < likely

    window = (0, 1440)
    if some(0.4):
        window = (chance.randrange(0, 1440, 15), chance.randrange(15, 1441, 15))
        window = window if window[0] != window[1] else (0, 1440)
    dates: list[str | None] = [None, None]
    if some(0.1):
        dates = sorted(chance.sample(["2026-03-29", "2026-10-25", "2026-11-01", "2026-12-16", "2027-01-01"], 2))  # type: ignore[assignment]
    amount, time = chance.randrange(1, 15_000), chance.randrange(1, 120) * 60
    return Conditions(
        window[0],
        window[1],
        frozenset(chance.sample(range(1, 8), chance.randrange(1, 7))) if some(0.12) else WEEK,
        dates[0] if some(0.8) else None,
        dates[1] if some(0.8) else None,
        chance.choice((True, False)) if some(0.05) else None,
        from_wh=0 if once or some(0.8) else amount,
        to_wh=None if once or some(0.8) else amount + chance.randrange(1, 30_000),
        from_s=0 if once or some(0.8) else time,
        to_s=None if once or some(0.8) else time + chance.randrange(1, 200) * 60,
        from_idle_s=0 if once or some(0.8) else time,
        from_w=0 if once or some(0.85) else chance.randrange(1, 22_000),
        to_w=None if once or some(0.85) else 22_000 + chance.randrange(1, 50_000),
        methods=frozenset(chance.sample(METHODS, 2)) if some(0.05) else frozenset(),
        groups=frozenset({chance.randrange(3)}) if some(0.05) else frozenset(),
    )


def random_terms(chance: Random) -> Terms:
    """Up to a dozen lines."""
    taxes = tuple(Tax(f"t{number}", chance.choice((0, 500, 520, 1500, 1900))) for number in range(chance.randrange(3)))
    lines = []
    for _ in range(chance.randrange(1, 12)):
        dimension = chance.choice([*Dimension, *[Dimension.ENERGY] * 4])
        unit = chance.choice(UNITS[dimension])
        once = dimension in {Dimension.FLAT, Dimension.RESERVATION}
        codes = tuple(tax.code for tax in taxes if chance.random() < 0.6)
        price = chance.choice((0, chance.randrange(1, 3_000), chance.randrange(1, 3_000_000)))
        lines.append(PriceLine(dimension, price, unit, codes, random_conditions(chance, once=once)))
    low = chance.choice((None, None, chance.randrange(1, 5_000)))
    high = chance.choice((None, None, (low or 0) + chance.randrange(0, 20_000)))
    return Terms(tuple(lines), taxes, chance.random() < 0.5, low, high)


def random_usage(chance: Random, periods_max: int = 8) -> Usage:
    """At whole minutes; mostly where the clocks change or the year does."""
    at_ms = start_ms = chance.choice(MOMENTS_MS) + chance.randrange(-300, 300) * MINUTE_MS
    periods = []
    for _ in range(chance.randrange(periods_max)):
        minutes = chance.choice((1, 7, 60, chance.randrange(1, 120)))
        at_ms += minutes * MINUTE_MS
        charging = chance.choice((True, True, False, None))
        energy_wh = chance.choice((0, chance.randrange(1, 40_000))) if charging else chance.choice((0, 0, 0, 9))
        power_w = chance.choice((None, None, chance.randrange(80_000)))
        periods.append(Period(at_ms, energy_wh, charging, power_w))
    reserved_ms = start_ms - chance.randrange(0, 90) * MINUTE_MS if chance.random() < 0.3 else None
    return Usage(
        start_ms,
        tuple(periods),
        reserved_ms,
        method=chance.choice((None, *METHODS)),
        group=chance.choice((None, 0, 1, 2)),
        holidays=HOLIDAYS,
    )
