"""Tariffs with lines as programs write them: `lines`, `taxes`, `tax_included`, a minimum and a maximum; there and back without loss."""

from __future__ import annotations

import re
from typing import Any

from appliance.domain.errors import Invalid
from appliance.domain.money import AMOUNT_MINOR_MAX
from appliance.domain.pricing.checks import LINES_MAX, TAXES_MAX, check
from appliance.domain.pricing.lines import DAY_MINUTES, WEEK, Conditions, Dimension, PriceLine, Tax, Terms, Unit
from appliance.domain.units import INTEGER_MAX
from appliance.ui.api.checks import hundredths, thousandths
from appliance.ui.api.operations import Body
from appliance.ui.api.shapes import (
    Schema,
    amount,
    choice,
    day,
    flag,
    form,
    money,
    or_null,
    percent,
    price,
    several,
    text,
    whole,
)

PRICES = {
    "price_minor_per_kwh": Unit.KWH,
    "price_minor_per_minute": Unit.MINUTE,
    "price_minor_per_hour": Unit.HOUR,
    "price_minor": Unit.ONCE,
}
"""Of which a line has one."""
OF_UNIT = {unit: name for name, unit in PRICES.items()}
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
MINUTES: Schema = {
    "type": "number",
    "minimum": 0,
    "maximum": INTEGER_MAX // 60,
    "description": "Whole seconds of them.",
}
MEASURE = whole(least=0, most=INTEGER_MAX)
CONDITION_FIELDS: dict[str, Schema] = {
    "from_time": text(5, "Included, by the wall clock of the site."), "to_time": text(5, "Not included; before `from_time` it is on the next day."),
    "weekdays": several(whole("1 is Monday.", least=1, most=7)), "from_date": day(), "to_date": day("Not included."), "holidays": flag("Only on the site's holidays, or only on others."),
    "from_wh": MEASURE, "to_wh": MEASURE, "from_minutes": MINUTES, "to_minutes": MINUTES, "from_idle_minutes": MINUTES, "from_w": MEASURE, "to_w": MEASURE,
    "methods": several(text(40, least=1)), "groups": several(whole(least=1)),
}  # fmt: skip
CONDITIONS = form("LineConditions", (), **{name: or_null(schema) for name, schema in CONDITION_FIELDS.items()})
LINE = form(
    "NewTariffLine", ("dimension",), dimension=choice(*Dimension), **{name: price("With up to three decimals.") for name in PRICES},
    taxes=several(text(40, "Codes.", least=1)), conditions=CONDITIONS.schema | {"description": "All that are given must hold."},
)  # fmt: skip
TAX = form("NewTariffTax", ("code", "percent"), code=text(40, least=1), percent=percent("With up to two decimals."))
FIELDS: dict[str, Schema] = {
    "lines": several(LINE.schema)
    | {"maxItems": LINES_MAX, "description": "The first of a dimension that holds prices a piece."},
    "taxes": several(TAX.schema) | {"maxItems": TAXES_MAX},
    "tax_included": flag("Whether taxes are in the prices, or on top."),
    "minimum_minor": or_null(amount(AMOUNT_MINOR_MAX, "What a session costs at least, with tax.", least=0)),
    "maximum_minor": or_null(amount(AMOUNT_MINOR_MAX, "What a session costs at most, with tax.", least=0)),
    "gaps_are_free": flag("Energy that no line prices is meant to be free."),
}
SHOWN: dict[str, Schema] = {
    "lines": several({"type": "object"}) | {"description": "As in a request; flat prices are lines, too."},
    "taxes": several({"type": "object"}),
    "tax_included": flag(),
    "minimum_minor": or_null(money("With tax.")),
    "maximum_minor": or_null(money("With tax.")),
    "gaps_are_free": flag(),
}
SECONDS = {"from_minutes": "from_s", "to_minutes": "to_s", "from_idle_minutes": "from_idle_s"}
SETS = ("weekdays", "methods", "groups")
AS_THEY_ARE = ("from_date", "to_date", "holidays", "from_wh", "to_wh", "from_w", "to_w")
NO_CONDITIONS = Conditions()


def read_terms(body: Body) -> Terms:
    """The lines of a request.

    Raises:
        Invalid: They cannot be, or contradict themselves; the field is a path such as `lines.0.conditions.to_wh`.
    """
    return check(
        Terms(
            tuple(_line(f"lines.{place}", line) for place, line in enumerate(body["lines"])),
            tuple(
                Tax(one["code"], hundredths(f"taxes.{place}.percent", one["percent"]))
                for place, one in enumerate(body.get("taxes", ()))
            ),
            body.get("tax_included", False),
            body.get("minimum_minor"),
            body.get("maximum_minor"),
            body.get("gaps_are_free", False),
        )
    )


def write_terms(terms: Terms) -> Body:
    """What `read_terms` reads."""
    return {
        "lines": [_line_as_json(line) for line in terms.lines],
        "taxes": [{"code": tax.code, "percent": _number(tax.basis_points, 100)} for tax in terms.taxes],
        "tax_included": terms.tax_included,
        "minimum_minor": terms.minimum_minor,
        "maximum_minor": terms.maximum_minor,
        "gaps_are_free": terms.gaps_are_free,
    }


def _line(path: str, line: Body) -> PriceLine:
    given = [name for name in PRICES if name in line]
    if len(given) != 1:
        raise Invalid(path, "A line has one price: {names}.", names=", ".join(PRICES))
    return PriceLine(
        Dimension(line["dimension"]),
        thousandths(f"{path}.{given[0]}", line[given[0]]),
        PRICES[given[0]],
        tuple(line.get("taxes", ())),
        _conditions(f"{path}.conditions", line.get("conditions", {})),
    )


def _conditions(path: str, conditions: Body) -> Conditions:
    given = {name: value for name, value in conditions.items() if value is not None}
    values: dict[str, Any] = {name: given[name] for name in AS_THEY_ARE if name in given}
    values |= {name: frozenset(given[name]) for name in SETS if name in given}
    for name, field in SECONDS.items():
        if name in given:
            values[field] = _seconds(f"{path}.{name}", given[name])
    if "from_time" in given:
        values["from_minute"] = _minute(f"{path}.from_time", given["from_time"]) % DAY_MINUTES
    if "to_time" in given:
        values["to_minute"] = _minute(f"{path}.to_time", given["to_time"]) or DAY_MINUTES
    return Conditions(**values)


def _seconds(name: str, minutes: float) -> int:
    seconds = thousandths(name, minutes) * 60
    if seconds % 1000:
        raise Invalid(name, "The field {name} must be whole seconds.", name=name)
    return seconds // 1000


def _minute(name: str, time: str) -> int:
    if not CLOCK.fullmatch(time):
        raise Invalid(name, "The field {name} must be a time of day such as 17:30.", name=name)
    return int(time[:2]) * 60 + int(time[3:])


def _line_as_json(line: PriceLine) -> Body:
    return {
        "dimension": line.dimension,
        OF_UNIT[line.unit]: _number(line.price_milli, 1000),
        "taxes": list(line.taxes),
        "conditions": _conditions_as_json(line.conditions),
    }


def _conditions_as_json(one: Conditions) -> Body:
    """Only those that are given."""
    body: Body = {}
    if (one.from_minute, one.to_minute) != (0, DAY_MINUTES):
        body |= {"from_time": _clock(one.from_minute), "to_time": _clock(one.to_minute)}
    body |= {"weekdays": sorted(one.weekdays)} if one.weekdays != WEEK else {}
    for name in AS_THEY_ARE:
        value = getattr(one, name)
        body |= {name: value} if value != getattr(NO_CONDITIONS, name) else {}
    for name, field in SECONDS.items():
        value = getattr(one, field)
        body |= {name: _number(value * 1000 // 60, 1000) if value % 60 else value // 60} if value else {}
    body |= {"methods": sorted(one.methods)} if one.methods else {}
    return body | ({"groups": sorted(one.groups)} if one.groups else {})


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _number(scaled: int, by: int) -> int | float:
    """The decimal number as JSON has it: of this size and with so few decimals a float is written exactly."""
    return scaled // by if scaled % by == 0 else scaled / by
