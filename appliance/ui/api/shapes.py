"""The vocabulary of JSON Schema in which the API says what comes in and what goes out: one declaration checks and describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.domain.tariff import PRICE_MILLI_MAX
from appliance.domain.units import INTEGER_MAX
from appliance.ui.forms.forms import NUMBER_MAX

Schema = dict[str, Any]

ONE_LINE = r"^[^\u0000-\u001f\u007f]*$"
SEVERAL_LINES = r"^[^\u0000-\u0008\u000b-\u001f\u007f]*$"


@dataclass(frozen=True)
class Shape:
    """A JSON object with a name in the document."""

    name: str
    schema: Schema

    @property
    def reference(self) -> Schema:
        """As others refer to it."""
        return {"$ref": f"#/components/schemas/{self.name}"}


def record(name: str, /, **fields: Schema) -> Shape:
    """What goes out: all fields are always there, and later releases may add more."""
    return Shape(name, thing(**fields))


def thing(**fields: Schema) -> Schema:
    """A JSON object in which all these fields are."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def form(name: str, required: tuple[str, ...] = (), /, **fields: Schema) -> Shape:
    """What comes in: no other fields than these, so that a slip of the pen is found."""
    schema: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    return Shape(name, schema | ({"required": list(required)} if required else {}))


def text(most: int = 200, description: str = "", *, least: int = 0, lines: bool = False) -> Schema:
    """Words that come in."""
    schema: Schema = {"type": "string", "maxLength": most, "pattern": SEVERAL_LINES if lines else ONE_LINE}
    return schema | ({"minLength": least} if least else {}) | described(description)


def words(description: str = "") -> Schema:
    """Words that go out."""
    return {"type": "string"} | described(description)


def choice(*values: str, description: str = "") -> Schema:
    """One of these."""
    return {"type": "string", "enum": list(values)} | described(description)


def whole(description: str = "", *, least: int | None = None, most: int | None = None) -> Schema:
    """A whole number."""
    bounds = {"minimum": least, "maximum": most}
    return (
        {"type": "integer"}
        | {name: bound for name, bound in bounds.items() if bound is not None}
        | described(description)
    )


def number_of(what: str) -> Schema:
    """The number under which we know a thing, as it comes in."""
    return whole(f"The number of {what}.", least=1, most=NUMBER_MAX)


def money(description: str = "Minor units of the currency.") -> Schema:
    """An amount, as it goes out."""
    return whole(description)


def amount(most: int, description: str, *, least: int = 1) -> Schema:
    """An amount, as it comes in."""
    return whole(description, least=least, most=most)


def price(description: str) -> Schema:
    """A price in minor units with up to three decimals."""
    return {"type": "number", "minimum": 0, "maximum": PRICE_MILLI_MAX // 1000} | described(description)


def number(description: str = "") -> Schema:
    """Any number, as it goes out."""
    return {"type": "number"} | described(description)


def percent(description: str) -> Schema:
    """With up to two decimals."""
    return {"type": "number", "minimum": 0, "maximum": 100} | described(description)


def flag(description: str = "") -> Schema:
    """True or false."""
    return {"type": "boolean"} | described(description)


def moment(description: str = "") -> Schema:
    """A time."""
    return {"type": "string", "format": "date-time", "maxLength": 64} | described(description)


def day(description: str = "") -> Schema:
    """A day in the site's time zone."""
    return {"type": "string", "format": "date", "maxLength": 10} | described(description)


def several(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def or_null(schema: Schema) -> Schema:
    """It may be absent."""
    options = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | options


def ref_or_null(shape: Shape) -> Schema:
    """An object of this shape, or nothing."""
    return {"anyOf": [shape.reference, {"type": "null"}]}


def with_example(shape: Shape, **values: Any) -> Shape:
    """The same shape, with an example of it in the document."""
    return Shape(shape.name, shape.schema | {"examples": [values]})


def anything(description: str = "") -> Schema:
    """Any JSON."""
    return described(description)


def described(description: str) -> Schema:
    """With a sentence about it, if there is one."""
    return {"description": description} if description else {}


CURRENCY = words("ISO 4217.")
CURRENCY_ASKED = {"type": "string", "pattern": "^[A-Z]{3}$", "description": "If given, it must be the site's."}
WATT_HOURS = whole("Wh.", least=-INTEGER_MAX)
