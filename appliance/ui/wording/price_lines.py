"""The lines of a tariff in words: what costs how much, and when."""

from __future__ import annotations

from appliance.domain.money import round_half_even
from appliance.domain.pricing.coverage import day_range
from appliance.domain.pricing.lines import WEEK, Conditions, Dimension, PriceLine, Terms, Unit
from appliance.domain.tariff import BASIS_POINTS
from appliance.ui.frame.language import N_, _, spoken
from appliance.ui.writing.formats import Formats, day_names

WHAT = {
    (Dimension.ENERGY, Unit.KWH): N_("per kWh"),
    (Dimension.CHARGING_TIME, Unit.MINUTE): N_("a minute of charging"),
    (Dimension.CHARGING_TIME, Unit.HOUR): N_("an hour of charging"),
    (Dimension.IDLE_TIME, Unit.MINUTE): N_("a minute when the car is full"),
    (Dimension.IDLE_TIME, Unit.HOUR): N_("an hour when the car is full"),
    (Dimension.DURATION, Unit.MINUTE): N_("a minute"),
    (Dimension.DURATION, Unit.HOUR): N_("an hour"),
    (Dimension.FLAT, Unit.ONCE): N_("for each session"),
    (Dimension.RESERVATION, Unit.MINUTE): N_("a minute of keeping the place"),
    (Dimension.RESERVATION, Unit.HOUR): N_("an hour of keeping the place"),
    (Dimension.RESERVATION, Unit.ONCE): N_("for keeping the place"),
}
METHODS = {"prepaid": N_("who pays beforehand"), "postpaid": N_("who pays later")}


def what_for(line: PriceLine, fmt: Formats) -> str:
    """What the price is for, and when it holds: `per kWh, 17:00–23:00, Mon–Fri`."""
    return ", ".join([_(WHAT[line.dimension, line.unit]), *conditions_in_words(line.conditions, fmt)])


def with_tax_milli(line: PriceLine, terms: Terms) -> int:
    """The price as a driver pays it."""
    rate = 0 if terms.tax_included else terms.rate(line)
    return round_half_even(line.price_milli * (BASIS_POINTS + rate), BASIS_POINTS)


def taxes_in_words(terms: Terms, fmt: Formats) -> str:
    """`vat 5 %, city 1.5 %`; "" without any."""
    shares = (
        (tax.code, fmt.number(tax.basis_points, 2) if tax.basis_points % 100 else fmt.number(tax.basis_points // 100))
        for tax in terms.taxes
    )
    return ", ".join(f"{code} {percent} %" for code, percent in shares)


def under_prices(terms: Terms, fmt: Formats) -> str:
    """What a driver is told beneath them: `vat 5 % included · at least ৳5.00`."""
    taxes = taxes_in_words(terms, fmt)
    found = [_("{taxes} included").format(taxes=taxes)] if taxes else []
    return " · ".join([*found, *limits_in_words(terms, fmt)])


def limits_in_words(terms: Terms, fmt: Formats) -> list[str]:
    """The minimum and the maximum, which are with tax."""
    found = []
    if terms.minimum_minor is not None:
        found.append(_("at least {amount}").format(amount=fmt.money(terms.minimum_minor)))
    if terms.maximum_minor is not None:
        found.append(_("at most {amount}").format(amount=fmt.money(terms.maximum_minor)))
    return found


def conditions_in_words(one: Conditions, fmt: Formats) -> list[str]:
    """Each of them, in the order in which people ask."""
    found = []
    if (one.from_minute, one.to_minute) != (0, 1440):
        found.append(f"{_clock(one.from_minute, fmt)}–{_clock(one.to_minute, fmt)}")
    if one.weekdays != WEEK:
        found.append(day_range(sorted(one.weekdays), day_names(spoken())))
    if one.from_date or one.to_date:
        found.append(_range(one.from_date, one.to_date, N_("from {first}"), N_("until before {last}")))
    for first, last, as_text in (
        (one.from_wh or None, one.to_wh, lambda wh: _("{energy} kWh").format(energy=fmt.energy(wh, 3))),
        (one.from_s or None, one.to_s, fmt.duration),
        (one.from_w or None, one.to_w, lambda w: _("{power} kW").format(power=fmt.energy(w, 3))),
    ):
        if first is not None or last is not None:
            words = (None if first is None else as_text(first), None if last is None else as_text(last))
            found.append(_range(*words, N_("from {first} on"), N_("up to {last}")))
    if one.from_idle_s:
        found.append(_("after {time} of standing").format(time=fmt.duration(one.from_idle_s)))
    if one.methods:
        found += [_(METHODS.get(method, method)) for method in sorted(one.methods)]
    if one.groups:
        found.append(_("for some groups"))
    return found


def _range(first: str | None, last: str | None, since: str, until: str) -> str:
    if first is None:
        return _(until).format(last=last)
    if last is None:
        return _(since).format(first=first)
    return f"{first}–{last}"


def _clock(minute: int, fmt: Formats) -> str:
    return f"{minute // 60:02}:{minute % 60:02}".translate(fmt.digits)
