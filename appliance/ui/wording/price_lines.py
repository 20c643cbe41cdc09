"""The lines of a tariff as sentences: `17:00–23:00 on weekdays: ৳12.14 a kWh`. All who show a line say it in these words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from babel.dates import format_date

from appliance.domain.money import round_half_even
from appliance.domain.pricing.coverage import day_range
from appliance.domain.pricing.lines import ALWAYS, DAY_MINUTES, WEEK, Conditions, Dimension, PriceLine, Terms, Unit
from appliance.domain.pricing.week import NO_HOLIDAYS, usual_at
from appliance.domain.tariff import BASIS_POINTS
from appliance.ui.frame.language import N_, _, spoken
from appliance.ui.wording import site_week
from appliance.ui.writing.formats import Formats, day_names

PER = {
    (Dimension.ENERGY, Unit.KWH): N_("a kWh"),
    (Dimension.CHARGING_TIME, Unit.MINUTE): N_("a minute of charging"),
    (Dimension.CHARGING_TIME, Unit.HOUR): N_("an hour of charging"),
    (Dimension.IDLE_TIME, Unit.MINUTE): N_("a minute"),
    (Dimension.IDLE_TIME, Unit.HOUR): N_("an hour"),
    (Dimension.DURATION, Unit.MINUTE): N_("a minute at the charger"),
    (Dimension.DURATION, Unit.HOUR): N_("an hour at the charger"),
    (Dimension.FLAT, Unit.ONCE): N_("for each session"),
    (Dimension.RESERVATION, Unit.MINUTE): N_("a minute of keeping the place"),
    (Dimension.RESERVATION, Unit.HOUR): N_("an hour of keeping the place"),
    (Dimension.RESERVATION, Unit.ONCE): N_("for keeping the place"),
}
METHODS = {"prepaid": N_("who pays beforehand"), "postpaid": N_("who pays later")}
IN_PUBLIC = (
    Dimension.ENERGY,
    Dimension.CHARGING_TIME,
    Dimension.DURATION,
    Dimension.IDLE_TIME,
    Dimension.FLAT,
    Dimension.RESERVATION,
)
"""The order in which drivers are told prices: by kWh, by minute, by session, all others (Regulation (EU) 2023/1804, article 5)."""

Names = Mapping[int, str]
"""Of groups, by their numbers."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line in words, in parts that a page can set apart."""

    place: int
    """Of the line in its tariff, from 0."""
    when: str
    """When it holds; "" for always."""
    amount: str
    per: str
    is_now: bool = False
    """Whether a driver is told that it is the price of this hour, among several."""

    @property
    def price(self) -> str:
        """`৳12.14 a kWh`."""
        return f"{self.amount} {self.per}"

    @property
    def price_and_when(self) -> str:
        """`৳12.14 a kWh, 17:00–23:00`: behind what was charged for."""
        return f"{self.price}, {self.when}" if self.when else self.price

    def __str__(self) -> str:
        return f"{self.when}: {self.price}" if self.when else self.price


def sentence(terms: Terms, place: int, fmt: Formats, names: Names | None = None, *, with_tax: bool = False) -> Said:
    """One line of a tariff; the names are those of groups, for whoever may know them."""
    line = terms.lines[place]
    when = conditions_in_words(line.conditions, fmt, names, idle=line.dimension is Dimension.IDLE_TIME)
    if not when and any(_same_price(line, other) for other in terms.lines[:place]):
        when = [_("at all other times")]
    milli = with_tax_milli(line, terms) if with_tax else line.price_milli
    return Said(place, _begun(", ".join(when)), fmt.price(milli), _(PER[line.dimension, line.unit]))


def sentences(terms: Terms, fmt: Formats, names: Names | None = None) -> list[Said]:
    """All lines, in the order in which they count."""
    return [sentence(terms, place, fmt, names) for place in range(len(terms.lines))]


def in_public(terms: Terms, fmt: Formats, now_ms: int, holidays: frozenset[str] = NO_HOLIDAYS) -> list[Said]:
    """All lines as drivers are told them: with tax, what is charged for in the order of the law, and the kWh of this hour first."""
    local = datetime.fromtimestamp(now_ms / 1000, fmt.zone)
    now = usual_at(terms.lines, local.date(), local.hour * 60 + local.minute, holidays)
    kinds = [IN_PUBLIC.index(line.dimension) for line in terms.lines]
    places = sorted(range(len(kinds)), key=lambda place: (kinds[place], place != now))
    several = kinds.count(0) > 1
    found = [sentence(terms, place, fmt, with_tax=True) for place in places]
    return [replace(one, is_now=several and one.place == now) for one in found]


def with_tax_milli(line: PriceLine, terms: Terms) -> int:
    """The price as a driver pays it."""
    rate = 0 if terms.tax_included else terms.rate(line)
    return round_half_even(line.price_milli * (BASIS_POINTS + rate), BASIS_POINTS)


def taxes_in_words(terms: Terms, fmt: Formats) -> str:
    """`vat 5 %, city 1.5 %`; "" without any."""
    return ", ".join(f"{tax.code} {trimmed(tax.basis_points, 2, fmt)} %" for tax in terms.taxes)


def under_prices(terms: Terms, fmt: Formats) -> str:
    """What a driver is told beneath them: `vat 5 % included · at least ৳5.00`."""
    taxes = taxes_in_words(terms, fmt)
    found = [_("{taxes} included").format(taxes=taxes)] if taxes else []
    return " · ".join([*found, *limits_in_words(terms, fmt)])


def taxes_and_limits(terms: Terms, fmt: Formats) -> str:
    """What staff are told beneath them: `plus vat 5 % · at least ৳5.00`."""
    taxes = taxes_in_words(terms, fmt)
    words = _("{taxes} included") if terms.tax_included else _("plus {taxes}")
    return " · ".join([words.format(taxes=taxes) if taxes else _("no tax"), *limits_in_words(terms, fmt)])


def limits_in_words(terms: Terms, fmt: Formats) -> list[str]:
    """The minimum and the maximum, which are with tax."""
    found = []
    if terms.minimum_minor is not None:
        found.append(_("at least {amount}").format(amount=fmt.money(terms.minimum_minor)))
    if terms.maximum_minor is not None:
        found.append(_("at most {amount}").format(amount=fmt.money(terms.maximum_minor)))
    return found


def conditions_in_words(one: Conditions, fmt: Formats, names: Names | None = None, *, idle: bool = False) -> list[str]:
    """Each of them, in the order in which people ask. `idle`: it is the time after charging that is charged for."""
    found = [*_hours_and_days(one, fmt), *_dates(one, fmt)]
    if one.holidays is not None:
        found.append(_("on holidays") if one.holidays else _("not on holidays"))
    found += _range(
        one.from_wh, one.to_wh, lambda wh: _("{energy} kWh").format(energy=trimmed(wh, 3, fmt)),
        (N_("for the first {last}"), N_("beyond {first}"), N_("from {first} to {last}")),
    )  # fmt: skip
    found += _range(
        one.from_s, one.to_s, fmt.duration,
        (N_("in the first {last}"), N_("after the first {first}"), N_("from {first} to {last} after the start")),
    )  # fmt: skip
    if one.from_idle_s:
        found.append(_("{time} after charging has ended").format(time=fmt.duration(one.from_idle_s)))
    elif idle:
        found.append(_("after charging has ended"))
    found += _range(
        one.from_w, one.to_w, lambda w: _("{power} kW").format(power=trimmed(w, 3, fmt)),
        (N_("at less than {last}"), N_("at {first} or more"), N_("at {first} to {last}")),
    )  # fmt: skip
    found += [_(METHODS.get(method, method)) for method in sorted(one.methods)]
    if one.groups:
        known = [names[group] for group in sorted(one.groups) if group in names] if names else []
        found.append(_("for {groups}").format(groups=", ".join(known)) if known else _("for some groups"))
    return found


def days_in_words(days: frozenset[int], fmt: Formats) -> str:
    """`on weekdays`, as they are where the site is."""
    if days == site_week.weekdays(fmt.zone):
        return _("on weekdays")
    if days == site_week.weekend(fmt.zone):
        return _("at weekends")
    return _("on {days}").format(days=day_range(sorted(days), day_names(spoken())))


def clock(minute: int, fmt: Formats) -> str:
    """`17:00`."""
    return f"{minute // 60:02}:{minute % 60:02}".translate(fmt.digits)


def hours(from_minute: int, to_minute: int, fmt: Formats) -> str:
    """`17:00–23:00`."""
    return f"{clock(from_minute, fmt)}–{clock(to_minute, fmt)}"


def trimmed(value: int, decimals: int, fmt: Formats) -> str:
    """With no more decimals than it needs."""
    while decimals and value % 10 == 0:
        value, decimals = value // 10, decimals - 1
    return fmt.number(value, decimals)


def _same_price(line: PriceLine, other: PriceLine) -> bool:
    """Whether the one is asked only where the other does not hold."""
    once = Unit.ONCE
    return (
        line.dimension is other.dimension and (line.unit is once) == (other.unit is once) and other.conditions != ALWAYS
    )


def _begun(words: str) -> str:
    """As the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def _hours_and_days(one: Conditions, fmt: Formats) -> list[str]:
    days = days_in_words(one.weekdays, fmt) if one.weekdays != WEEK else ""
    if (one.from_minute, one.to_minute) == (0, DAY_MINUTES):
        return [days] if days else []
    between = hours(one.from_minute, one.to_minute, fmt)
    return [_("{hours} {days}").format(hours=between, days=days or _("every day"))]


def _dates(one: Conditions, fmt: Formats) -> list[str]:
    """The last day is one of them, as people say it."""
    first = _day(date.fromisoformat(one.from_date), fmt) if one.from_date else None
    last = _day(date.fromisoformat(one.to_date) - timedelta(days=1), fmt) if one.to_date else None
    if first and last:
        return [first if first == last else f"{first} – {last}"]
    if first:
        return [_("from {day} on").format(day=first)]
    return [_("until {day}").format(day=last)] if last else []


def _day(day: date, fmt: Formats) -> str:
    return str(format_date(day, "medium", locale=fmt.locale)).translate(fmt.digits)


def _range(first: int, last: int | None, as_text: Callable[[int], str], words: Sequence[str]) -> list[str]:
    """In words for a range without a beginning, without an end, and with both."""
    up_to, since, between = words
    if not first and last is None:
        return []
    if last is None:
        return [_(since).format(first=as_text(first))]
    return [_(between if first else up_to).format(first=as_text(first), last=as_text(last))]
