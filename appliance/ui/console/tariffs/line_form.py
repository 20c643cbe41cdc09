"""A tariff line by line as a form: there and back without loss, and each field that cannot be read with its sentence.

The fields of a line are `l3-price` and so on, counted from 0, those of a tax `t0-code`. Lines are added, moved and left out here,
too, so that it works without scripts: a button sends the form, and it comes back with one line more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, TypeVar

from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid
from appliance.domain.money import Currency, format_amount, format_price, parse_amount, parse_price
from appliance.domain.pricing.checks import LINES_MAX, TAXES_MAX
from appliance.domain.pricing.lines import (
    DAY_MINUTES,
    UNITS,
    WEEK,
    Conditions,
    Dimension,
    PriceLine,
    Tax,
    Terms,
    Unit,
)
from appliance.domain.tariff import PRICE_MILLI_MAX
from appliance.services import tariffs
from appliance.ui.console.tariffs.flat_form import percent_text, read_percent
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_
from appliance.ui.writing.days import read_day
from appliance.ui.writing.formats import sentences

T = TypeVar("T")
Values = Mapping[str, str]

NAME = re.compile(r"(?P<of>[lt])(?P<place>[0-9]{1,3})-(?P<field>.+)")
CLOCK = re.compile(r"([0-9]{1,2})(?:[:.]([0-9]{2}))?|([0-9]{2})([0-9]{2})")
TIME = re.compile(r"([0-9]{1,7})(?::([0-5][0-9]))?")
THOUSANDTHS = Currency("", 3)
"""Energy in kWh and power in kW are read like amounts with three decimals."""
KINDS = {f"{dimension}:{unit}": (dimension, unit) for dimension, units in UNITS.items() for unit in units}
METHODS = tuple(sorted(tariffs.METHODS, reverse=True))
HOLIDAYS = {"only": True, "not": False}
MEASURES = {
    "from_kwh": "from_wh", "to_kwh": "to_wh", "from_min": "from_s", "to_min": "to_s", "from_idle": "from_idle_s", "from_kw": "from_w",
    "to_kw": "to_w",
}  # fmt: skip
"""By the field of the form, the one of the conditions: in thousands, and in minutes."""
ASKED = (*MEASURES, "from_date", "to_date", "holidays", *(f"m-{method}" for method in METHODS))
"""Fields that ask for more than hours and days, beside the groups."""
IN_MINUTES = ("from_min", "to_min", "from_idle")
REFUSED_AT = {
    "to_time": "to",
    "weekdays": "days",
    "to_wh": "to_kwh",
    "to_minutes": "to_min",
    "to_w": "to_kw",
    "taxes": "price",
}
"""Where what the domain refuses stands in the form, if it is not called so."""


@dataclass(frozen=True, slots=True)
class Read:
    """What a form says, as far as it can be read."""

    lines: dict[int, PriceLine]
    """By their place in the form; those that cannot be read are missing."""
    rest: Terms
    """All but the lines."""
    errors: dict[str, str]

    @property
    def terms(self) -> Terms:
        """The lines that can be read, with all else."""
        return terms_with(self.rest, self.lines.values())


def terms_with(rest: Terms, lines: Iterable[PriceLine]) -> Terms:
    """These lines in the place of its own."""
    return Terms(
        tuple(lines), rest.taxes, rest.tax_included, rest.minimum_minor, rest.maximum_minor, rest.gaps_are_free
    )


def count_of(form: Form, of: str) -> int:
    """How many lines (`l`) or taxes (`t`) a form has."""
    places = [int(found["place"]) for name in form.values if (found := NAME.fullmatch(name)) and found["of"] == of]
    return min(max(places, default=-1) + 1, LINES_MAX if of == "l" else TAXES_MAX)


def read(form: Form, currency: Currency) -> Read:
    """All that a form says; nothing is refused but field by field."""
    reader = _Reader(form, currency)
    taxes = reader.taxes()
    lines = {place: line for place in range(count_of(form, "l")) if (line := reader.line(place, taxes)) is not None}
    rest = Terms(
        (),
        tuple(taxes.values()),
        form.value("tax_included") == "1",
        reader.take("minimum", lambda text: parse_amount(text, currency, "minimum"), None),
        reader.take("maximum", lambda text: parse_amount(text, currency, "maximum"), None),
        form.on("gaps_are_free"),
    )
    return Read(lines, rest, reader.errors)


def refused_at(path: str) -> str:
    """The field of the form where something is refused: `lines.2.conditions.to_wh` is `l2-to_kwh`."""
    first, *rest = path.split(".")
    if first == "lines" and rest:
        place, *of = rest
        name = of[-1] if of and of[-1] != "conditions" else "what"
        return f"l{place}-{REFUSED_AT.get(name, name)}"
    if first == "taxes" and rest:
        return f"t{rest[0]}-{rest[-1]}"
    return {"minimum_minor": "minimum", "maximum_minor": "maximum", "lines": ""}.get(path, path)


def form_of(name: str, terms: Terms, currency: Currency) -> Form:
    """The form that these lines would come from."""
    values = {
        "name": name,
        "tax_included": "1" if terms.tax_included else "",
        "minimum": "" if terms.minimum_minor is None else format_amount(terms.minimum_minor, currency),
        "maximum": "" if terms.maximum_minor is None else format_amount(terms.maximum_minor, currency),
        "gaps_are_free": "1" if terms.gaps_are_free else "",
    }
    for place, tax in enumerate(terms.taxes):
        values |= {f"t{place}-code": tax.code, f"t{place}-percent": percent_text(tax.basis_points)}
    for place, line in enumerate(terms.lines):
        values |= {f"l{place}-{name}": value for name, value in line_values(line, terms.taxes, currency).items()}
    return Form(values)


def line_values(line: PriceLine, taxes: Iterable[Tax], currency: Currency) -> dict[str, str]:
    """The fields of a line; those that ask for nothing are left out."""
    one = line.conditions
    values = {"what": f"{line.dimension}:{line.unit}", "price": format_price(line.price_milli, currency)}
    if (one.from_minute, one.to_minute) != (0, DAY_MINUTES):
        values |= {"from": _clock_text(one.from_minute), "to": _clock_text(one.to_minute)}
    values |= {f"d{day}": "1" for day in one.weekdays}
    values |= {"from_date": one.from_date} if one.from_date else {}
    values |= {"to_date": _moved(one.to_date, -1)} if one.to_date else {}
    values |= {} if one.holidays is None else {"holidays": "only" if one.holidays else "not"}
    for name, of in MEASURES.items():
        value = getattr(one, of)
        if value or (value == 0 and of.startswith("to_")):
            values[name] = _time_text(value) if name in IN_MINUTES else _decimal_text(value)
    values |= {f"m-{method}": "1" for method in one.methods} | {f"g-{group}": "1" for group in one.groups}
    return values | {f"tax{place}": "1" for place, tax in enumerate(taxes) if tax.code in line.taxes}


# --- what buttons do ----------------------------------------------------------------------------------------------------------


def done(form: Form, action: str) -> Form:
    """The form after one of its buttons, `up:2` say; one that is not there does nothing."""
    kind, _colon, what = action.partition(":")
    if kind == "line" and what in KINDS:
        return _with_line(form, {"what": what})
    if kind == "rest":
        return _with_line(form, {"what": f"{Dimension.ENERGY}:{Unit.KWH}"})
    if kind == "free":
        return Form({**form.values, "gaps_are_free": "1"})
    if kind == "tax":
        return _with_tax(form)
    if what.isdecimal() and len(what) <= 3:
        place = int(what)
        if kind == "untax":
            return _without_tax(form, place)
        if kind in MOVES:
            return _moved_lines(form, MOVES[kind](place, count_of(form, "l")))
    return form


def _swapped(place: int, count: int, other: int) -> list[int]:
    order = list(range(count))
    if 0 <= place < count and 0 <= other < count:
        order[place], order[other] = order[other], order[place]
    return order


MOVES: dict[str, Callable[[int, int], list[int]]] = {
    "up": lambda place, count: _swapped(place, count, place - 1),
    "down": lambda place, count: _swapped(place, count, place + 1),
    "first": lambda place, count: [place, *(one for one in range(count) if one != place)] if place < count else list(range(count)),
    "remove": lambda place, count: [one for one in range(count) if one != place],
}  # fmt: skip
"""Which line stands where afterwards."""


def _moved_lines(form: Form, order: list[int]) -> Form:
    fields = _fields(form, "l")
    values = {name: value for name, value in form.values.items() if not _is_of(name, "l")}
    for place, before in enumerate(order):
        values |= {f"l{place}-{name}": value for name, value in fields.get(before, {}).items()}
    return Form(values)


def _with_line(form: Form, values: dict[str, str]) -> Form:
    """Every day, with all the taxes there are."""
    place = count_of(form, "l")
    if place >= LINES_MAX:
        return form
    usual = {f"d{day}": "1" for day in WEEK} | {f"tax{tax}": "1" for tax in range(count_of(form, "t"))}
    return Form({**form.values, **{f"l{place}-{name}": value for name, value in (usual | values).items()}})


def _with_tax(form: Form) -> Form:
    """The first one is of all lines."""
    place, lines = count_of(form, "t"), range(count_of(form, "l"))
    if place >= TAXES_MAX:
        return form
    named = {f"t{place}-code": "VAT" if place == 0 else "", f"t{place}-percent": ""}
    return Form({**form.values, **named, **({f"l{line}-tax0": "1" for line in lines} if place == 0 else {})})


def _without_tax(form: Form, gone: int) -> Form:
    ticks = re.compile(r"l[0-9]+-tax[0-9]+")
    values = {name: value for name, value in form.values.items() if not (_is_of(name, "t") or ticks.fullmatch(name))}
    left = [place for place in range(count_of(form, "t")) if place != gone]
    taxes, lines = _fields(form, "t"), _fields(form, "l")
    for place, before in enumerate(left):
        values |= {f"t{place}-{name}": value for name, value in taxes.get(before, {}).items()}
        values |= {f"l{line}-tax{place}": "1" for line, of in lines.items() if of.get(f"tax{before}")}
    return Form(values)


def _fields(form: Form, of: str) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for name, value in form.values.items():
        match = NAME.fullmatch(name)
        if match and match["of"] == of:
            found.setdefault(int(match["place"]), {})[match["field"]] = value
    return found


def _is_of(name: str, of: str) -> bool:
    match = NAME.fullmatch(name)
    return match is not None and match["of"] == of


# --- reading ------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Reader:
    """Reads field by field, and notes what cannot be read."""

    form: Form
    currency: Currency
    errors: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, as_value: Callable[[str], T], otherwise: T) -> T:
        """The value of a field; what nobody typed, or nobody can read, is the other one."""
        text = self.form.text(name)
        try:
            return as_value(text) if text else otherwise
        except Invalid as refusal:
            self.refuse(name, refusal)
            return otherwise

    def refuse(self, name: str, refusal: Invalid) -> None:
        self.errors.setdefault(name, " ".join(filter(None, sentences(refusal))))

    def taxes(self) -> dict[int, Tax]:
        """By their place in the form; a row of which nothing is filled in is none."""
        found = {}
        for place in range(count_of(self.form, "t")):
            code, percent = " ".join(self.form.text(f"t{place}-code").split()), f"t{place}-percent"
            share = self.take(percent, lambda _text, percent=percent: read_percent(self.form, percent), 0)  # type: ignore[misc]
            if code and not self.form.text(percent):
                self.refuse(percent, Invalid("", N_("Enter a percentage; 0 for none.")))
            if code or self.form.text(percent):
                found[place] = Tax(code[:40], share)
        return found

    def line(self, place: int, taxes: Mapping[int, Tax]) -> PriceLine | None:
        """None: something of it cannot be read, and has its sentence."""
        prefix, before = f"l{place}-", len(self.errors)
        kind = KINDS.get(self.form.text(f"{prefix}what"))
        if kind is None:
            self.refuse(f"{prefix}what", Invalid("", N_("Choose what this line charges for.")))
            return None
        dimension, unit = kind
        price_milli = self.take(f"{prefix}price", lambda text: self._price(f"{prefix}price", text), -1)
        if not self.form.text(f"{prefix}price"):
            self.refuse(f"{prefix}price", Invalid("", N_("Enter a price; 0 for what is free.")))
        conditions = self._conditions(prefix)
        if len(self.errors) > before:
            return None
        codes = tuple(tax.code for at, tax in taxes.items() if self.form.on(f"{prefix}tax{at}"))
        return PriceLine(dimension, price_milli, unit, codes, conditions)

    def _price(self, name: str, text: str) -> int:
        milli = parse_price(text, self.currency, name)
        if milli > PRICE_MILLI_MAX:
            raise Invalid(name, N_("Enter a price of zero or more. This one is negative or too large."))
        return milli

    def _conditions(self, prefix: str) -> Conditions:
        days = frozenset(day for day in WEEK if self.form.on(f"{prefix}d{day}"))
        if not days:
            self.refuse(f"{prefix}days", Invalid("", N_("Choose at least one day of the week.")))
        values: dict[str, Any] = {
            "from_minute": self.take(f"{prefix}from", clock_minute, 0) % DAY_MINUTES,
            "to_minute": self.take(f"{prefix}to", clock_minute, DAY_MINUTES) or DAY_MINUTES,
            "weekdays": days or WEEK,
            "from_date": self.take(f"{prefix}from_date", _day, None),
            "to_date": self.take(f"{prefix}to_date", lambda text: _moved(_day(text), 1), None),
            "holidays": HOLIDAYS.get(self.form.text(f"{prefix}holidays")),
            "methods": _ticked(self.form, f"{prefix}m-", METHODS),
            "groups": frozenset(map(int, filter(str.isdecimal, _after(self.form, f"{prefix}g-")))),
        }
        for name, of in MEASURES.items():
            read_one = _seconds if name in IN_MINUTES else _thousandths
            values[of] = self.take(f"{prefix}{name}", read_one, None if of.startswith("to_") else 0)
        return Conditions(**values)


def _ticked(form: Form, prefix: str, known: Collection[str]) -> frozenset[str]:
    return frozenset(one for one in known if form.on(f"{prefix}{one}"))


def _after(form: Form, prefix: str) -> list[str]:
    """What ticked boxes with such a name stand for; no number is longer than one of a row."""
    return [name[len(prefix) :] for name in form.values if name.startswith(prefix) and len(name) < 30 and form.on(name)]


def clock_minute(text: str, name: str = "") -> int:
    """Of the day: `17:00`, `17.00`, `1700` or `17`, in any digits.

    Raises:
        Invalid: It is no time of day.
    """
    found = CLOCK.fullmatch(text.translate(WESTERN))
    hours, minutes = (int(found[1] or found[3]), int(found[2] or found[4] or 0)) if found else (99, 0)
    if minutes > 59 or hours * 60 + minutes > DAY_MINUTES:
        raise Invalid(name, N_("Enter a time of day such as 17:30."))
    return hours * 60 + minutes


def _day(text: str) -> str:
    found = read_day(text)
    if found is None or not "1971-01-01" <= found <= "9998-12-31":
        raise Invalid("", N_("This is no day of the calendar."))
    return found


def _moved(day: str, by: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=by)).isoformat()


def _seconds(text: str) -> int:
    """Of minutes: `90`, or `1:30` with seconds."""
    found = TIME.fullmatch(text.translate(WESTERN))
    if not found:
        raise Invalid("", N_("Enter a number of minutes, such as 90."))
    return int(found[1]) * 60 + int(found[2] or 0)


def _thousandths(text: str) -> int:
    return parse_amount(text, THOUSANDTHS, "")


def _clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _time_text(seconds: int) -> str:
    return str(seconds // 60) if seconds % 60 == 0 else f"{seconds // 60}:{seconds % 60:02}"


def _decimal_text(value: int) -> str:
    return format_price(value, Currency("", 0))
