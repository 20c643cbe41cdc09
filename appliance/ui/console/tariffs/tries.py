"""What some sessions would cost by a tariff, and by the one before: priced by the function that makes the bill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from appliance.domain.pricing.flat import DIMENSION_OF, terms_of, usage_of
from appliance.domain.pricing.lines import DAY_MINUTES, Dimension, Period, Terms, Unit, Usage
from appliance.domain.pricing.reckoning import MAXIMUM, MINIMUM, price
from appliance.domain.pricing.week import NO_HOLIDAYS
from appliance.domain.session import bill_for
from appliance.domain.tariff import Tariff
from appliance.ui.forms.forms import Form, read_number
from appliance.ui.frame.language import N_, _, spoken
from appliance.ui.wording import price_lines
from appliance.ui.writing.formats import LOCALES, Formats

LIMITS = {MINIMUM: N_("up to the minimum"), MAXIMUM: N_("down to the maximum")}
HOURS_MAX = 72
OWN_W_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """A session in a few figures: on which day of the week (1 is Monday), from when, how long and how fast."""

    word: str
    weekday: int
    from_minute: int
    charging_min: int
    power_w: int
    idle_min: int = 0

    @property
    def energy_wh(self) -> int:
        """All that flows."""
        return self.power_w * self.charging_min // 60


EXAMPLES = (
    Example(N_("In the evening"), 2, 18 * 60, 240, 7_000),
    Example(N_("At noon"), 5, 12 * 60, 60, 22_000),
    Example(N_("A quick stop"), 3, 8 * 60 + 30, 30, 50_000),
    Example(N_("Over-staying"), 6, 15 * 60, 120, 7_000, 180),
)
OWN = Example(N_("Your own"), 1, 22 * 60, 450, 4_000)


@dataclass(frozen=True, slots=True)
class Try:
    """One of them, priced."""

    word: str
    what: str
    """`Tuesday 18:00–22:00, 28 kWh`."""
    parts: str
    """`28 kWh × ৳12.14 + VAT ৳17.00`."""
    total: str
    before: str
    """What it cost before the change; "" where it costs the same, or nothing was before."""


def own_of(form: Form) -> Example:
    """The session that somebody describes beside the tariff; what is not there, or is no such figure, is as in the example."""
    clock = form.text("try_from").partition(":")
    hour, minute = read_number(clock[0], most=23), read_number(clock[2] or "0", most=59)
    kilowatts = read_number(form.text("try_kw"), least=1, most=OWN_W_MAX // 1000)
    return replace(
        OWN,
        weekday=read_number(form.text("try_day"), least=1, most=7) or OWN.weekday,
        from_minute=OWN.from_minute if hour is None or minute is None else hour * 60 + minute,
        charging_min=_minutes(form, "try_charging", OWN.charging_min),
        idle_min=_minutes(form, "try_idle", OWN.idle_min),
        power_w=OWN.power_w if kilowatts is None else kilowatts * 1000,
    )


def own_values(own: Example) -> dict[str, str]:
    """As its fields show it."""
    return {
        "try_day": str(own.weekday),
        "try_from": f"{own.from_minute // 60:02}:{own.from_minute % 60:02}",
        "try_charging": str(own.charging_min),
        "try_idle": str(own.idle_min),
        "try_kw": str(own.power_w // 1000),
    }


def tried(
    examples: Sequence[Example],
    tariff: Tariff,
    before: Tariff | None,
    first: date,
    fmt: Formats,
    holidays: frozenset[str] = NO_HOLIDAYS,
) -> list[Try]:
    """Each of them in the week that begins on `first`."""
    return [_tried(example, usage_for(example, first, fmt, holidays), tariff, before, fmt) for example in examples]


def usage_for(example: Example, first: date, fmt: Formats, holidays: frozenset[str] = NO_HOLIDAYS) -> Usage:
    """The session as it is priced, by the clock of the site."""
    day = first + timedelta(days=(example.weekday - first.isoweekday()) % 7)
    begin = datetime.combine(day, time(example.from_minute // 60, example.from_minute % 60), fmt.zone)
    begin_ms = int(begin.timestamp()) * 1000
    full_ms = begin_ms + example.charging_min * 60_000
    periods = [Period(full_ms, example.energy_wh)]
    if example.idle_min:
        periods.append(Period(full_ms + example.idle_min * 60_000, charging=False))
    return Usage(begin_ms, tuple(periods), holidays=holidays)


def _minutes(form: Form, name: str, otherwise: int) -> int:
    found = read_number(form.text(name), most=HOURS_MAX * 60)
    return otherwise if found is None else found


def _tried(example: Example, usage: Usage, tariff: Tariff, before: Tariff | None, fmt: Formats) -> Try:
    total_minor, parts = _cost(usage, tariff, fmt)
    before_minor = _cost(usage, before, fmt)[0] if before is not None else total_minor
    until = (example.from_minute + example.charging_min + example.idle_min) % DAY_MINUTES
    what = _("{day} {hours}, {energy} kWh at {power} kW").format(
        day=LOCALES[spoken()].days["format"]["wide"][example.weekday - 1],
        hours=price_lines.hours(example.from_minute, until, fmt),
        energy=price_lines.trimmed(example.energy_wh, 3, fmt),
        power=price_lines.trimmed(example.power_w, 3, fmt),
    )
    if example.idle_min:
        what = _("{session}, then full for {time}").format(session=what, time=fmt.duration(example.idle_min * 60))
    return Try(
        _(example.word), what, " + ".join(parts), fmt.money(total_minor),
        fmt.money(before_minor) if before_minor != total_minor else "",
    )  # fmt: skip


def _cost(usage: Usage, tariff: Tariff, fmt: Formats) -> tuple[int, list[str]]:
    """The total, and what it is made of."""
    terms = terms_of(tariff)
    if tariff.terms is None:
        bill = bill_for(usage_of(usage, tariff), tariff)
        places = {line.dimension: place for place, line in enumerate(terms.lines)}
        found = [_part(terms, places[DIMENSION_OF[line.kind]], line.quantity, fmt) for line in bill.lines]
        total_minor, tax_minor = bill.total_minor, bill.tax_minor
    else:
        priced = price(usage, terms, fmt.zone)
        found = []
        for line in priced.lines:
            if line.line is None:
                found.append(f"{_(LIMITS[line.kind])} {fmt.money(line.amount_minor)}")
            else:
                parts, of = line.quantity
                found.append(
                    _part(terms, line.line, parts // (of if line.kind == Dimension.ENERGY else of * 1000), fmt)
                )
        total_minor, tax_minor = priced.total_minor, priced.tax_minor
    if tax_minor and not terms.tax_included:
        found.append(_("tax {amount}").format(amount=fmt.money(tax_minor)))
    return total_minor, found


def _part(terms: Terms, place: int, quantity: int, fmt: Formats) -> str:
    """Wh, or seconds, of a line."""
    line = terms.lines[place]
    if line.unit is Unit.ONCE:
        return fmt.price(line.price_milli)
    words = _("{energy} kWh").format(energy=fmt.energy(quantity)) if line.unit is Unit.KWH else fmt.duration(quantity)
    return f"{words} × {fmt.price(line.price_milli)}"
