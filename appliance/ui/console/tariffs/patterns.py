"""What a new tariff begins with: one price, a few prices and hours, or nothing but lines.

A preset is a form of a few fields that stand for fields of lines (`line_form`): so it is read, refused and gone on with line by line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from appliance.domain.pricing.lines import WEEK
from appliance.ui.forms.forms import Form
from appliance.ui.frame.language import N_

ONE, LINES = "one", "lines"
TAX_CODE = "VAT"


@dataclass(frozen=True, slots=True)
class Field:
    """One of the few: `price`, `time` (of day) or `minutes`."""

    name: str
    kind: str
    label: str
    value: str = ""
    """What it begins with."""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to begin."""

    key: str
    icon: str
    word: str
    under: str
    fields: Sequence[Field] = ()
    lines: Sequence[Mapping[str, str]] = ()
    """What its lines are made of: fields of the line, `=` before what is meant as it stands."""
    hint: str = ""


ENERGY = "=energy:kwh"
PATTERNS: Mapping[str, Pattern] = MappingProxyType({pattern.key: pattern for pattern in (
    Pattern(ONE, "tag", N_("One price"), N_("all day")),
    Pattern(
        "night", "moon", N_("Day and night"), N_("two prices"),
        (
            Field("night_price", "price", N_("At night, per kWh")),
            Field("night_from", "time", N_("Night from"), "22:00"),
            Field("night_to", "time", N_("until"), "06:00"),
            Field("day_price", "price", N_("By day, per kWh")),
        ),
        ({"what": ENERGY, "price": "night_price", "from": "night_from", "to": "night_to"}, {"what": ENERGY, "price": "day_price"}),
    ),
    Pattern(
        "bands", "chart-column", N_("Three bands"), N_("BERC LT-D3, an example"),
        (
            Field("peak_price", "price", N_("Peak, per kWh"), "12.14"),
            Field("peak_from", "time", N_("Peak from"), "17:00"),
            Field("peak_to", "time", N_("until"), "23:00"),
            Field("low_price", "price", N_("Super off-peak, per kWh"), "7.68"),
            Field("low_from", "time", N_("Super off-peak from"), "05:00"),
            Field("low_to", "time", N_("until"), "09:00"),
            Field("other_price", "price", N_("Off-peak (all other times), per kWh"), "8.66"),
        ),
        (
            {"what": ENERGY, "price": "peak_price", "from": "peak_from", "to": "peak_to"},
            {"what": ENERGY, "price": "low_price", "from": "low_from", "to": "low_to"},
            {"what": ENERGY, "price": "other_price"},
        ),
        N_("Example: check. These prices and hours are those of the Bangladeshi tariff class LT-D3 (battery charging) as others print them. Compare them with the commission's own order before anybody pays by them."),
    ),
    Pattern(
        "free", "hourglass", N_("Free hours"), N_("then an idle fee"),
        (
            Field("energy_price", "price", N_("Energy, per kWh; empty: always free"), required=False),
            Field("free_from", "time", N_("Energy is free from"), required=False),
            Field("free_to", "time", N_("until"), required=False),
            Field("grace", "minutes", N_("After charging, the place is free for"), "60"),
            Field("idle_price", "price", N_("then it costs per minute")),
        ),
        (
            {"what": ENERGY, "price": "=0", "from": "free_from", "to": "free_to", "needs": "energy_price free_from"},
            {"what": ENERGY, "price": "energy_price", "needs": "energy_price"},
            {"what": "=idle_time:minute", "price": "idle_price", "from_idle": "grace"},
        ),
    ),
    Pattern(LINES, "list", N_("Line by line"), N_("any conditions")),
)})  # fmt: skip


def begun(pattern: Pattern, name: str, *, with_prices: bool) -> Form:
    """The form of a pattern as nobody has filled it in yet; example prices only where their currency is the site's."""
    values = {field.name: field.value for field in pattern.fields if with_prices or field.kind != "price"}
    return Form({"name": name, "pattern": pattern.key, **values})


def as_lines(form: Form, pattern: Pattern) -> tuple[Form, dict[str, str]]:
    """The lines that a filled-in pattern stands for, as their form; and of each field of it the one that was filled in."""
    values = {name: form.value(name) for name in ("name", "tax_included", "from_day", "from_clock", "then", "key")}
    came_from: dict[str, str] = {}
    taxed = bool(form.text("tax_percent"))
    if taxed:
        values |= {"t0-code": TAX_CODE, "t0-percent": form.value("tax_percent")}
        came_from["t0-percent"] = "tax_percent"
    place = 0
    for line in pattern.lines:
        if not all(form.text(name) for name in line.get("needs", "").split()):
            continue
        values |= {f"l{place}-d{day}": "1" for day in WEEK} | ({f"l{place}-tax0": "1"} if taxed else {})
        for name, of in line.items():
            if of.startswith("="):
                values[f"l{place}-{name}"] = of[1:]
            elif name != "needs":
                values[f"l{place}-{name}"] = form.value(of)
                came_from[f"l{place}-{name}"] = of
        place += 1
    kept = {name: value for name, value in form.values.items() if name.startswith("try_")}
    return Form(values | kept), came_from
