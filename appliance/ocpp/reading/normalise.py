"""The tolerant reader: mends what stations commonly get wrong, by the schema of the message, and names every fix.

It is asked only when a message does not fit its schema. After it every field that is left has the JSON type of the
schema; what is missing, unknown words and unreadable times are left to the translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import orjson

from appliance.domain.id_token import normal_form
from appliance.domain.units import INTEGER_MAX, rfc3339, to_integer
from appliance.ocpp.reading.cleaning import plain_name
from appliance.ocpp.reading.figures import Rounded, energy_wh, rounded
from appliance.ocpp.reading.schemas import Payload, Schema, shortened
from appliance.ocpp.reading.times import is_rfc3339, parse_time

VIOLATION_CHARS_MAX = 500
DROP = object()
"""What a field becomes that cannot be mended."""


@dataclass(frozen=True, slots=True)
class Leniency:
    """What stations of one version of OCPP get wrong beyond the form."""

    missing: Mapping[str, str]
    """Required fields that they leave out, with what they mean then."""
    aliases: Mapping[tuple[str, str], str]
    """Words of stations for words of the schema, by field."""
    id_tokens: frozenset[str]
    """Fields that hold a card's number: never written out of something else, and shortened in normal form only."""
    not_empty: Mapping[str, str]
    """Lists whose elements are nothing when a list within is empty: the name of that, by theirs."""
    telling: tuple[str, ...] = ()
    """Fields that a session begins or ends by, and whose names are no others': they are looked for in what is no JSON."""
    numbers: frozenset[str] = frozenset()
    """Fields whose number is a name, and not an amount: half of one more is another's, so they are never rounded."""
    energies: frozenset[str] = frozenset()
    """Fields of watt-hours: they are read also where they are written for people."""


@dataclass(slots=True)
class Fixes:
    """What was mended: each kind of fix once, with the place where it was needed first; and what is forgiven."""

    leniency: Leniency
    found: dict[tuple[str, str], str] = field(default_factory=dict)
    rounded: dict[str, Rounded] = field(default_factory=dict)
    """Registers that were told with a fraction, which no schema lets through."""

    def add(self, where: str, what: str) -> None:
        """Note one fix."""
        self.found.setdefault((where.rpartition(".")[2], what), f"{where}: {what}")

    def __str__(self) -> str:
        return shortened("; ".join(self.found.values()), VIOLATION_CHARS_MAX)


def normalise(payload: Payload, schema: Schema, leniency: Leniency) -> tuple[Payload, Fixes]:
    """A mended copy of `payload`, and what was mended."""
    fixes = Fixes(leniency)
    return mended_object(payload, schema, "", fixes), fixes


def mended_object(found: Mapping[str, Any], schema: Schema, where: str, fixes: Fixes) -> Payload:
    """The known fields, each mended; fields that are missing but have an obvious value get it."""
    properties, required = schema.get("properties", {}), schema.get("required", ())
    mended: Payload = {}
    for written, value in found.items():
        path = f"{where}.{written}" if where else written
        name = written if written in properties else field_meant(written, found, properties)
        if name != written:
            fixes.add(path[:100], f"read as {name}")
        rule = properties.get(name)
        if rule is None:
            if properties:
                fixes.add(path[:100], "unknown field ignored")
            continue
        if value is None:
            fixes.add(path, "null is nothing")
            continue
        better = mended_value(value, rule, name, path, fixes)
        if better is not DROP:
            mended[name] = better
    for name in required:
        if name not in mended and name in fixes.leniency.missing:
            fixes.add(f"{where}.{name}" if where else name, "missing")
            mended[name] = fixes.leniency.missing[name]
    return mended


def field_meant(name: str, found: Mapping[str, Any], properties: Schema) -> str:
    """The field of the schema that is written nearly so, of one as of several, and is not there under its own name; else the name as it is."""
    plain = plain_name(name)
    missing = {plain_name(known): known for known in properties if known not in found}
    return next((missing[one] for one in (plain, plain.removesuffix("s"), f"{plain}s") if one in missing), name)


def mended_value(value: Any, rule: Schema, name: str, path: str, fixes: Fixes) -> Any:
    """One value in the type that `rule` wants, or DROP."""
    kind = rule.get("type")
    if kind != "array" and isinstance(value, list) and len(value) == 1 and name not in fixes.leniency.id_tokens:
        fixes.add(path, "a list of one")
        value = value[0]
    if kind == "string":
        return mended_string(value, rule, name, path, fixes)
    if kind == "integer":
        return mended_integer(value, name, path, fixes)
    if kind == "number":
        return mended_number(value, path, fixes)
    if kind == "boolean":
        return mended_boolean(value, path, fixes)
    if kind == "array":
        return mended_array(value, rule, name, path, fixes)
    if kind == "object":
        if isinstance(value, dict):
            return mended_object(value, rule, path, fixes)
        fixes.add(path, "not an object, ignored")
        return DROP
    return value


def mended_string(value: Any, rule: Schema, name: str, path: str, fixes: Fixes) -> Any:
    """Text; numbers and objects are written out, times brought into one form, words into their spelling."""
    if not isinstance(value, str):
        if name in fixes.leniency.id_tokens and isinstance(value, dict | list):
            fixes.add(path, "not a text, ignored")
            return DROP
        fixes.add(path, "not written as text")
        value = orjson.dumps(value).decode()
    if "enum" in rule:
        return mended_word(value, rule["enum"], name, path, fixes)
    if rule.get("format") == "date-time":
        at_ms = parse_time(value)
        if at_ms is None:
            return value
        if not is_rfc3339(value):
            fixes.add(path, "time not as RFC 3339 wants it")
        return rfc3339(at_ms)
    longest = rule.get("maxLength")
    if longest is not None and len(value) > longest:
        fixes.add(path, f"longer than {longest}")
        # A card's number in a wordy form is no longer too long in its normal form.
        return (normal_form(value) if name in fixes.leniency.id_tokens else value)[:longest]
    return value


def mended_word(value: str, words: list[str], name: str, path: str, fixes: Fixes) -> str:
    """A word of the list; one that is not there is left as the station wrote it."""
    if value in words:
        return value
    plain = value.strip().casefold()
    for word in words:
        if word.casefold() == plain:
            fixes.add(path, "spelling")
            return word
    alias = fixes.leniency.aliases.get((name, plain))
    if alias is not None:
        fixes.add(path, f"{shortened(value, 30)} read as {alias}")
        return alias
    return value


def mended_integer(value: Any, name: str, path: str, fixes: Fixes) -> Any:
    """A whole number; of an amount half a unit is rounded away from zero."""
    if type(value) is int:
        return value
    whole, written = None, value.strip() if isinstance(value, str) else ""
    if isinstance(value, float) and abs(value) <= INTEGER_MAX:
        written = repr(value)
        whole = to_integer(written)
    elif isinstance(value, str):
        whole = to_integer(written)
        if whole is None and name in fixes.leniency.energies and (whole := energy_wh(value)) is not None:
            fixes.add(path, f"{shortened(value, 30)} read as {whole} Wh")
            return whole
    if whole is None:
        fixes.add(path, "not a number, ignored")
        return DROP
    if name in fixes.leniency.numbers and float(value) != whole:
        fixes.add(path, "not a whole number, ignored")
        return DROP
    fixes.add(path, "not a whole number")
    if name in fixes.leniency.energies and (exact := rounded(written)) is not None:
        fixes.rounded[name] = exact
    return whole


def mended_number(value: Any, path: str, fixes: Fixes) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        number = float(value) if isinstance(value, str) and len(value) < 32 else None
    except ValueError:
        number = None
    if number is None or not isfinite(number) or abs(number) > INTEGER_MAX:
        fixes.add(path, "not a number, ignored")
        return DROP
    fixes.add(path, "number written as text")
    return number


def mended_boolean(value: Any, path: str, fixes: Fixes) -> Any:
    if isinstance(value, bool):
        return value
    plain = str(value).strip().casefold()
    if plain in ("true", "1", "false", "0"):
        fixes.add(path, "not written as true or false")
        return plain in ("true", "1")
    fixes.add(path, "not true or false, ignored")
    return DROP


def mended_array(value: Any, rule: Schema, name: str, path: str, fixes: Fixes) -> Any:
    """A list; one thing alone becomes a list of it, and a bad element goes without its siblings."""
    items = rule.get("items", {})
    if isinstance(value, dict) and items.get("type") == "object":
        fixes.add(path, "one object instead of a list")
        value = [value]
    if not isinstance(value, list):
        fixes.add(path, "not a list, ignored")
        return DROP
    not_empty = fixes.leniency.not_empty
    mended: list[Any] = []
    ignored = 0
    for element in value:
        better: Any = DROP if element is None else mended_value(element, items, name, path, fixes)
        if better is DROP or lacks(better, items):
            fixes.add(path, "an element ignored")
            ignored += element is not None
        elif name in not_empty and not better[not_empty[name]]:
            fixes.add(path, "no values")
        else:
            mended.append(better)
    # What holds something, and nothing that can be read, is not the same as nothing.
    return DROP if name in not_empty and ignored and ignored == len(value) else mended


def lacks(element: Any, rule: Schema) -> bool:
    """Whether an object in a list has not got what the others need."""
    return isinstance(element, dict) and any(name not in element for name in rule.get("required", ()))
