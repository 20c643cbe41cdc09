"""Tariffs in the words of OCPI 2.2.1 (module Tariffs), there and back: without loss, or with a refusal that names what cannot be said.

What OCPI 2.3 writes otherwise (`tax_included`, limits before and after taxes) is read as well. A `step_size` that could change a
total is refused, and so is a limit before tax that could bind when the one with tax does not; nothing is rounded up here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, TypeVar

from appliance.domain.errors import Invalid
from appliance.domain.money import PRICE_DECIMALS
from appliance.domain.pricing.checks import check
from appliance.domain.pricing.coverage import gaps
from appliance.domain.pricing.lines import (
    DAY_MINUTES,
    WEEK,
    Conditions,
    Dimension,
    PriceLine,
    Tax,
    Terms,
    Unit,
)
from appliance.domain.tariff import BASIS_POINTS
from appliance.ui.api.shapes import Schema, anything, choice, form, moment, several, text, whole
from appliance.ui.frame.language import N_

Json = dict[str, Any]
T = TypeVar("T")

DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
DIMENSIONS = {
    ("ENERGY", False): (Dimension.ENERGY, Unit.KWH),
    ("FLAT", False): (Dimension.FLAT, Unit.ONCE),
    ("TIME", False): (Dimension.CHARGING_TIME, Unit.HOUR),
    ("PARKING_TIME", False): (Dimension.IDLE_TIME, Unit.HOUR),
    ("FLAT", True): (Dimension.RESERVATION, Unit.ONCE),
    ("TIME", True): (Dimension.RESERVATION, Unit.HOUR),
}
"""By the type of a price component, and whether it is for a reservation."""
TYPES = {(dimension, unit is Unit.ONCE): (kind, reserved) for (kind, reserved), (dimension, unit) in DIMENSIONS.items()}
UNSAYABLE = ("min_current", "max_current")
"""Restrictions that the lines of a tariff cannot have."""
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
NOT_KEPT = ("country_code", "party_id", "type", "tariff_alt_url", "energy_mix", "last_updated")
"""What says nothing about a price; the answer names those that were there."""
FREE_OF_CHARGE = PriceLine(Dimension.FLAT, 0, Unit.ONCE)
"""How OCPI says that nothing costs anything."""
NUMBER: Schema = {"type": "number", "minimum": 0}
RESTRICTIONS = form(
    "OcpiRestrictions", (), start_time=text(5), end_time=text(5), start_date=text(10), end_date=text(10), min_kwh=NUMBER, max_kwh=NUMBER,
    min_current=NUMBER, max_current=NUMBER, min_power=NUMBER, max_power=NUMBER, min_duration=whole(least=0), max_duration=whole(least=0),
    day_of_week=several(choice(*DAYS)), reservation=choice("RESERVATION", "RESERVATION_EXPIRES"),
)  # fmt: skip
COMPONENT = form(
    "OcpiPriceComponent", ("type", "price", "step_size"), type=choice("ENERGY", "FLAT", "PARKING_TIME", "TIME"), price=NUMBER, vat=NUMBER,
    step_size=whole(least=0),
)  # fmt: skip
ELEMENT = form(
    "OcpiTariffElement",
    ("price_components",),
    price_components=several(COMPONENT.schema),
    restrictions=RESTRICTIONS.schema,
)
LIMIT = form("OcpiPrice", (), excl_vat=NUMBER, incl_vat=NUMBER, before_taxes=NUMBER, after_taxes=NUMBER)
ALT_TEXT = form("OcpiDisplayText", ("language", "text"), language=text(2), text=text(512))
OCPI_TARIFF = form(
    "OcpiTariff", ("id", "currency", "elements"), country_code=text(2), party_id=text(3), id=text(36), currency=text(3), type=text(40),
    tariff_alt_text=several(ALT_TEXT.schema), tariff_alt_url=text(255), min_price=LIMIT.schema, max_price=LIMIT.schema,
    elements=several(ELEMENT.schema), start_date_time=moment(), end_date_time=moment(), energy_mix=anything(), last_updated=moment(),
    tax_included=choice("YES", "NO", "N/A"),
)  # fmt: skip


class Component(NamedTuple):
    """One price component: its path in the object, itself, and the restrictions of its element."""

    path: str
    component: Json
    restrictions: Json


def read_from_ocpi(tariff: Json, exponent: int) -> Terms:
    """The lines of an OCPI tariff; `exponent` is that of the site's currency. What is not restricted in energy is free there by definition.

    Raises:
        Invalid: Something cannot be said by lines, or could change a total; the field is its path.
    """
    if "end_date_time" in tariff:
        raise Invalid(
            "end_date_time",
            "A tariff here has no end.",
            "Leave the end out, and give the tariff that follows its own beginning.",
        )
    components = _components(tariff)
    if not components:
        raise Invalid("elements", "This tariff has no price component.")
    shares = {_basis_points(one) for one in components if "vat" in one.component}
    terms = Terms(
        tuple(_line(one, exponent) for one in components),
        tuple(Tax(_code(share), share) for share in sorted(shares)),
        tariff.get("tax_included") == "YES",
    )
    rates = [terms.rate(line) for line in terms.lines]
    terms = replace(
        terms,
        minimum_minor=_minimum(tariff.get("min_price"), max(rates), exponent),
        maximum_minor=_maximum(tariff.get("max_price"), min(rates), exponent),
    )
    in_its_words(partial(check, replace(terms, gaps_are_free=True)), tariff)
    # OCPI: where no element matches there are no costs.
    energy = [line for line in terms.lines if line.dimension is Dimension.ENERGY]
    return replace(terms, gaps_are_free=bool(energy and gaps(energy)[0]))


def in_its_words(step: Callable[[], T], tariff: Json) -> T:
    """What a step gives that knows lines only. What it refuses is named by its path in the OCPI tariff.

    Raises:
        Invalid: As the step does.
    """
    try:
        return step()
    except Invalid as refusal:
        place = refusal.field.removeprefix("lines.").partition(".")[0]
        if place.isdecimal():
            refusal.field = _components(tariff)[int(place)].path
        raise


def name_of(tariff: Json) -> str:
    """What people call it: the first of its texts, or its id."""
    texts = [one["text"] for one in tariff.get("tariff_alt_text", ())]
    return str(texts[0] if texts else tariff["id"])


def left_out(tariff: Json) -> list[str]:
    """What says nothing about a price and is not kept."""
    more_texts = ["tariff_alt_text.1"] if len(tariff.get("tariff_alt_text", ())) > 1 else []
    return [name for name in NOT_KEPT if name in tariff] + more_texts


def write_in_ocpi(terms: Terms, exponent: int) -> Json:
    """The prices of an OCPI tariff: `elements`, and its limits.

    Raises:
        Invalid: A line cannot be said; the sentence names it.
    """
    if not terms.lines:
        terms = replace(terms, lines=(FREE_OF_CHARGE,))
    for place, line in enumerate(terms.lines):
        _check_sayable(place, line, terms)
    rates = [terms.rate(line) for line in terms.lines]
    limits: Json = {}
    if terms.minimum_minor is not None:
        # Before tax it must not bind: with any tax, nothing; without, the same.
        limits["min_price"] = _price(0 if max(rates) else terms.minimum_minor, terms.minimum_minor, exponent)
    if terms.maximum_minor is not None:
        limits["max_price"] = _price(terms.maximum_minor, terms.maximum_minor, exponent)
    return {**limits, "elements": [_element(line, terms, exponent) for line in terms.lines]}


# --- reading ------------------------------------------------------------------------------------------------------------------


def _components(tariff: Json) -> list[Component]:
    return [
        Component(f"elements.{place}.price_components.{number}", component, element.get("restrictions", {}))
        for place, element in enumerate(tariff["elements"])
        for number, component in enumerate(element["price_components"])
    ]


def _line(one: Component, exponent: int) -> PriceLine:
    _check_step(one)
    reservation = one.restrictions.get("reservation")
    if reservation == "RESERVATION_EXPIRES":
        raise Invalid(_element_path(one), "A line here cannot say what a reservation costs that nobody came for.")
    found = DIMENSIONS.get((one.component["type"], reservation is not None))
    if found is None:
        raise Invalid(f"{one.path}.type", "A reservation has no price by energy or parking time.")
    return PriceLine(
        *(found[0], _scaled(f"{one.path}.price", one.component["price"], exponent + PRICE_DECIMALS), found[1]),
        (_code(_basis_points(one)),) if "vat" in one.component else (),
        _conditions(one),
    )


def _check_step(one: Component) -> None:
    step = one.component["step_size"]
    if step > 1 and one.component["type"] != "FLAT" and one.component["price"]:
        raise Invalid(
            f"{one.path}.step_size",
            "The step_size of {component} can change a total: here nothing is rounded up.",
            "Send a step_size of 1.",
            component=one.path,
        )


def _conditions(one: Component) -> Conditions:
    found, path = one.restrictions, f"{_element_path(one)}.restrictions"
    for name in UNSAYABLE:
        if name in found:
            raise Invalid(f"{path}.{name}", "A line here cannot depend on the current, only on the power.")
    conditions = Conditions(
        from_minute=_minute(f"{path}.start_time", found.get("start_time", "00:00")),
        to_minute=_minute(f"{path}.end_time", found.get("end_time", "00:00")) or DAY_MINUTES,
        weekdays=frozenset(DAYS.index(day) + 1 for day in found["day_of_week"]) if found.get("day_of_week") else WEEK,
        from_date=found.get("start_date"),
        to_date=found.get("end_date"),
        from_wh=_scaled(f"{path}.min_kwh", found.get("min_kwh", 0), 3),
        to_wh=_scaled(f"{path}.max_kwh", found["max_kwh"], 3) if "max_kwh" in found else None,
        from_s=found.get("min_duration", 0),
        to_s=found.get("max_duration"),
        from_w=_scaled(f"{path}.min_power", found.get("min_power", 0), 3),
        to_w=_scaled(f"{path}.max_power", found["max_power"], 3) if "max_power" in found else None,
    )
    if _is_ambiguous(conditions):
        raise Invalid(
            f"{path}.day_of_week",
            "A window that runs over midnight does not say to which day its second half belongs.",
            "Send it as two elements, one until 00:00 and one from 00:00.",
        )
    return conditions


def _is_ambiguous(one: Conditions) -> bool:
    dated = one.weekdays != WEEK or one.from_date is not None or one.to_date is not None
    return one.over_midnight and dated


def _minimum(limit: Json | None, rate: int, exponent: int) -> int | None:
    """What the total with tax is at least. The limit before tax is refused unless it holds whenever this one does."""
    if limit is None:
        return None
    before, total = _limit("min_price", limit, rate, exponent)
    if before * (BASIS_POINTS + rate) > total * BASIS_POINTS:
        raise _before_tax("min_price")
    return total


def _maximum(limit: Json | None, rate: int, exponent: int) -> int | None:
    """What the total with tax is at most."""
    if limit is None:
        return None
    before, total = _limit("max_price", limit, rate, exponent)
    if before * (BASIS_POINTS + rate) < total * BASIS_POINTS:
        raise _before_tax("max_price")
    return total


def _limit(name: str, limit: Json, rate: int, exponent: int) -> tuple[int, int]:
    """Before and after tax, in minor units."""
    pairs = (("excl_vat", "incl_vat"), ("before_taxes", "after_taxes"))
    before, after = next((pair for pair in pairs if limit.keys() & set(pair)), pairs[0])
    if after not in limit and (rate or before not in limit):
        raise _before_tax(name)
    total = _scaled(f"{name}.{after}", limit.get(after, limit.get(before)), exponent)
    return _scaled(f"{name}.{before}", limit.get(before, limit.get(after)), exponent), total


def _before_tax(name: str) -> Invalid:
    return Invalid(
        f"{name}.excl_vat",
        "{limit} has a limit before tax that could bind by itself; here a minimum and a maximum are totals with tax.",
        "Send both, so that one is the other with its tax.",
        limit=name,
    )


def _basis_points(one: Component) -> int:
    return _scaled(f"{one.path}.vat", one.component["vat"], 2)


def _code(basis_points: int) -> str:
    return f"VAT {Decimal(basis_points) / 100:f}"


def _scaled(path: str, value: Any, decimals: int) -> int:
    """A JSON number as a whole number of so many decimals."""
    scaled = Decimal(str(value)).scaleb(decimals)
    if scaled != int(scaled):
        raise Invalid(path, "The field {name} has at most {most} decimals.", name=path, most=decimals)
    return int(scaled)


def _element_path(one: Component) -> str:
    return one.path.partition(".price_components")[0]


def _minute(path: str, time: str) -> int:
    """Of the day. An end at `00:00` is that of the day."""
    if not CLOCK.fullmatch(time):
        raise Invalid(path, "The field {name} must be a time of day such as 17:30.", name=path)
    return int(time[:2]) * 60 + int(time[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# --- writing ------------------------------------------------------------------------------------------------------------------


def _check_sayable(place: int, line: PriceLine, terms: Terms) -> None:
    why = next((sentence for sentence, holds in _obstacles(line, terms).items() if holds), None)
    if why is not None:
        raise Invalid(f"lines.{place}", why, line=place + 1)


def _obstacles(line: PriceLine, terms: Terms) -> Mapping[str, bool]:
    one = line.conditions
    shares = [tax.basis_points for tax in terms.taxes if any(tax.code in other.taxes for other in terms.lines)]
    return {
        N_("OCPI 2.2.1 cannot say line {line}: its prices are without tax."): terms.tax_included and bool(line.taxes),
        N_("OCPI 2.2.1 cannot say line {line}: it has one tax at most."): len(line.taxes) > 1,
        N_("OCPI 2.2.1 cannot say line {line}: two taxes with the same percentage would be one."): bool(line.taxes)
        and len(set(shares)) < len(shares),
        N_("OCPI 2.2.1 cannot say line {line}: it knows time while charging and while parked, not of both together."):
            line.dimension is Dimension.DURATION,
        N_("OCPI 2.2.1 cannot say line {line}: it does not know how long a car has been idle."): one.from_idle_s > 0,
        N_("OCPI 2.2.1 cannot say line {line}: it does not know holidays."): one.holidays is not None,
        N_("OCPI 2.2.1 cannot say line {line}: it does not know groups and ways of paying."): bool(one.methods or one.groups),
        N_("OCPI 2.2.1 cannot say line {line}: of a window over midnight it does not say to which day it belongs."):
            _is_ambiguous(one),
    }  # fmt: skip


def _element(line: PriceLine, terms: Terms, exponent: int) -> Json:
    kind, reserved = TYPES[line.dimension, line.unit is Unit.ONCE]
    per = 60 if line.unit is Unit.MINUTE else 1
    component: Json = {"type": kind, "price": _number(line.price_milli * per, exponent + PRICE_DECIMALS)}
    if line.taxes:
        component["vat"] = _number(terms.rate(line), 2)
    component["step_size"] = 1
    restrictions = _restrictions(line.conditions) | ({"reservation": "RESERVATION"} if reserved else {})
    return {"price_components": [component]} | ({"restrictions": restrictions} if restrictions else {})


def _restrictions(one: Conditions) -> Json:
    found: Json = {}
    if (one.from_minute, one.to_minute) != (0, DAY_MINUTES):
        found["start_time"], found["end_time"] = _clock(one.from_minute), _clock(one.to_minute % DAY_MINUTES)
    found |= {"start_date": one.from_date} if one.from_date else {}
    found |= {"end_date": one.to_date} if one.to_date else {}
    for name, value, decimals in (
        ("min_kwh", one.from_wh or None, 3),
        ("max_kwh", one.to_wh, 3),
        ("min_power", one.from_w or None, 3),
        ("max_power", one.to_w, 3),
        ("min_duration", one.from_s or None, 0),
        ("max_duration", one.to_s, 0),
    ):
        found |= {name: _number(value, decimals)} if value is not None else {}
    if one.weekdays != WEEK:
        found["day_of_week"] = [DAYS[day - 1] for day in sorted(one.weekdays)]
    return found


def _price(before_minor: int, total_minor: int, exponent: int) -> Json:
    return {"excl_vat": _number(before_minor, exponent), "incl_vat": _number(total_minor, exponent)}


def _number(scaled: int, decimals: int) -> int | float:
    """The decimal number as JSON has it; of this size and with so few decimals a float is written exactly."""
    whole_part, rest = divmod(scaled, 10**decimals)
    return whole_part if rest == 0 else float(Decimal(scaled).scaleb(-decimals))
