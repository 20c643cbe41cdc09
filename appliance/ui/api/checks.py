"""What comes in, compared with its shape: a refusal names the field and says in a sentence what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from aiohttp import web
from jsonschema_rs import Draft202012Validator, ValidationError

from appliance.domain.calendar import day_bounds
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.site import Site
from appliance.domain.units import parse_rfc3339
from appliance.services.foreign_json import read_json_once
from appliance.ui.api.shapes import Schema
from appliance.ui.forms.bodies import read_body
from appliance.ui.forms.forms import read_number
from appliance.ui.frame.language import N_

BODY_BYTES_MAX = 64 * 1024
FIELD_CHARS_MAX = 64
KINDS = {
    "integer": N_("The field {name} must be a whole number."),
    "number": N_("The field {name} must be a number."),
    "string": N_("The field {name} must be text."),
    "boolean": N_("The field {name} must be true or false."),
    "object": N_("The field {name} must be an object."),
    "array": N_("The field {name} must be a list."),
}


class Unreadable(Refusal):
    """The body is not JSON."""

    status = 400


class NotJson(Refusal):
    """The content type is another."""

    status = 415


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of a call's query parameters."""

    name: str
    schema: Schema
    required: bool = False


async def body_of(
    request: web.Request, schema: Schema, check: Callable[[Any], Iterable[ValidationError]]
) -> dict[str, Any]:
    """The request's JSON object. Nothing at all is an empty object, where every field is optional.

    Raises:
        Unreadable, TooLarge, TooSlow, Broken, NotJson, Invalid: It is not what the call takes.
    """
    content = await read_body(request, BODY_BYTES_MAX)
    if not content and not schema.get("required"):
        return {}
    if request.content_type != "application/json":
        raise NotJson(N_("A request is JSON."), N_("Send it with Content-Type: application/json."))
    return object_of(content, schema, check)


def object_of(content: bytes, schema: Schema, check: Callable[[Any], Iterable[ValidationError]]) -> dict[str, Any]:
    """The JSON object that these bytes are.

    Raises:
        Unreadable, Invalid: They are none, or not what the schema asks for.
    """
    try:
        body = read_json_once(content)
    except ValueError as error:
        raise Unreadable(N_("The body is not JSON: {error}."), error=str(error)[:200]) from None
    found = list(check(body))
    if found:
        raise _refusal(found)
    whole: dict[str, Any] = _whole(body, schema)
    return whole


def query_of(request: web.Request, parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The query parameters, converted; absent ones are not in it.

    Raises:
        Invalid: One is not known, comes twice, is missing or cannot be read.
    """
    known = {parameter.name: parameter for parameter in parameters}
    unknown = [name for name in request.query if name not in known]
    if unknown:
        raise Invalid(_short(unknown[0]), "There is no parameter {names} here.", names=_names(unknown))
    found: dict[str, Any] = {}
    for name, parameter in known.items():
        values = request.query.getall(name, [])
        if parameter.schema["type"] == "array":
            if values:
                found[name] = [_parameter(name, value, parameter.schema["items"]) for value in values]
        elif len(values) > 1:
            raise Invalid(name, "The parameter {name} is there twice.", name=name)
        elif values:
            found[name] = _parameter(name, values[0], parameter.schema)
        elif parameter.required:
            raise Invalid(name, "The parameter {name} is missing.", name=name)
    return found


def thousandths(name: str, value: float) -> int:
    """A price or a percentage as an exact number of thousandths: `35.5` is 35500.

    Raises:
        Invalid: It has more than three decimals.
    """
    scaled = Decimal(str(value)) * 1000
    if scaled != int(scaled):
        raise Invalid(name, "The field {name} has at most {most} decimals.", name=name, most=3)
    return int(scaled)


def hundredths(name: str, value: float) -> int:
    """The same with two decimals."""
    scaled = Decimal(str(value)) * 100
    if scaled != int(scaled):
        raise Invalid(name, "The field {name} has at most {most} decimals.", name=name, most=2)
    return int(scaled)


def moment_of(name: str, text: str) -> int:
    """UTC milliseconds of an RFC 3339 time.

    Raises:
        Invalid: It is none.
    """
    at_ms = parse_rfc3339(text)
    if at_ms is None:
        raise Invalid(name, "The field {name} must be a time such as 2026-11-23T05:00:00Z.", name=name)
    return at_ms


def span_of(name: str, text: str, site: Site) -> tuple[int, int]:
    """From when until before when: of a day all of it, of a time that moment.

    Raises:
        Invalid: It is neither.
    """
    at_ms = parse_rfc3339(text)
    if at_ms is not None:
        return at_ms, at_ms
    return day_bounds(day_of(name, text), site.zone)


def day_of(name: str, text: str) -> str:
    """A day, as it is written everywhere.

    Raises:
        Invalid: It is none.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text or not 1970 < found.year < 9999:
        raise Invalid(name, "The field {name} must be a day such as 2026-11-23.", name=name)
    return text


def validator(schema: Schema) -> Callable[[Any], Iterable[ValidationError]]:
    """Compiled once for each call."""
    return Draft202012Validator(schema).iter_errors


def _refusal(found: list[ValidationError]) -> Invalid:
    """Unknown fields first: they explain the missing ones."""
    error = next((one for one in found if one.kind.name == "additionalProperties"), found[0])
    kind: Any = error.kind
    if kind.name == "additionalProperties":
        return Invalid(_short(kind.unexpected[0]), "There is no field {names} here.", names=_names(kind.unexpected))
    if kind.name == "required":
        return Invalid(kind.property, "The field {name} is missing.", name=kind.property)
    if not error.instance_path:
        return Invalid("", "The body must be a JSON object.")
    return _mismatch(".".join(map(str, error.instance_path)), kind.name, kind.as_dict())


def _mismatch(name: str, kind: str, facts: Mapping[str, Any]) -> Invalid:
    match kind:
        case "type":
            wanted = next((one for one in facts["types"] if one != "null"), "object")
            return Invalid(name, KINDS[wanted], name=name)
        case "enum":
            values = ", ".join(map(str, facts["options"]))
            return Invalid(name, "The field {name} must be one of {values}.", name=name, values=values)
        case "minimum":
            return Invalid(name, "The field {name} must be at least {least}.", name=name, least=facts["limit"])
        case "maximum":
            return Invalid(name, "The field {name} must be at most {most}.", name=name, most=facts["limit"])
        case "maxLength":
            return Invalid(name, "The field {name} has at most {most} characters.", name=name, most=facts["limit"])
        case "minLength":
            return Invalid(name, "The field {name} must not be empty.", name=name)
        case _:
            return Invalid(name, "The field {name} has characters in it that do not belong there.", name=name)


def _parameter(name: str, value: str, schema: Schema) -> Any:
    kind = schema["type"]
    converted: Any = value
    if kind == "integer":
        converted = read_number(value)
        if converted is None:
            raise Invalid(name, KINDS[kind], name=name)
    elif kind == "boolean":
        if value not in {"true", "false"}:
            raise Invalid(name, KINDS[kind], name=name)
        converted = value == "true"
    errors = list(Draft202012Validator(schema).iter_errors(converted))
    if errors:
        raise _mismatch(name, errors[0].kind.name, errors[0].kind.as_dict())
    return converted


def _whole(value: Any, schema: Schema) -> Any:
    """JSON knows no whole numbers: 5.0 is 5, wherever in the body it stands."""
    kinds = schema.get("type", ())
    if type(value) is float and "integer" in ([kinds] if isinstance(kinds, str) else kinds):
        return int(value)
    if isinstance(value, list) and "items" in schema:
        return [_whole(one, schema["items"]) for one in value]
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        return {name: _whole(one, known.get(name, {})) for name, one in value.items()}
    return value


def _names(names: list[str]) -> str:
    return ", ".join(map(_short, sorted(names)[:5]))


def _short(name: str) -> str:
    return name[:FIELD_CHARS_MAX]
