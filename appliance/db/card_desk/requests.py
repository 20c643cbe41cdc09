"""How the request of a job is stored: as a JSON object whose keys are the fields of its class (domain/desk_request.py). What is not
known yet, `blocked`, has no key; what a later release added has one only where it is not the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_type_hints

import orjson

from appliance.domain.desk_request import (
    Batch,
    Block,
    Decommission,
    DeskJobKind,
    Enrol,
    Issue,
    Learn,
    Read,
    Recharge,
    Replace,
    Request,
    Rewrite,
)
from appliance.domain.ledger import Method

Made = TypeVar("Made", bound=Request | Block)
ADDED = ("old", "old_minor")
"""What the first release did not write."""
CLASSES: Mapping[DeskJobKind, type[Request]] = MappingProxyType(
    {one.kind: one for one in (Issue, Recharge, Read, Replace, Decommission, Rewrite, Batch, Enrol, Learn)}
)


class DamagedRequest(ValueError):
    """What is stored is no request of its kind."""


def write_request(request: Request) -> str:
    """As it is stored."""
    stored = {field.name: getattr(request, field.name) for field in fields(request)}
    match stored:
        case {"blocked": Block(at_ms, why, replaced_by)}:
            stored["blocked"] = [at_ms, why, replaced_by]
        case {"blocked": None}:
            del stored["blocked"]
    for name in ADDED:
        if not stored.get(name):
            stored.pop(name, None)
    return orjson.dumps(stored).decode()


def read_request(kind: str, stored: str) -> Request:
    """What was asked for.

    Raises:
        DamagedRequest: There is no such kind, or this is none of it.
    """
    try:
        made, values = CLASSES[DeskJobKind(kind)], orjson.loads(stored)
        if not isinstance(values, dict):
            raise TypeError("no object")
        return _made(made, values)
    except (ValueError, TypeError) as error:
        raise DamagedRequest(f"{kind}: {error}") from error


def _made(made: type[Made], values: Mapping[str, Any]) -> Made:
    return made(**{name: _value(name, value, TYPES[made].get(name, ANY)) for name, value in values.items()})


def _value(name: str, value: Any, types: frozenset[type]) -> Any:
    """A value of just one of the types: True is no number here."""
    if Method in types:
        return Method(value)
    if Block in types and isinstance(value, list) and len(value) == len(TYPES[Block]):
        return _made(Block, dict(zip(TYPES[Block], value, strict=True)))
    if types is not ANY and type(value) not in types:
        raise TypeError(f"{name} is {value!r}")
    return value


def _types(made: type) -> Mapping[str, frozenset[type]]:
    """Which types the fields of a class may have; of a NewType, what it is made of."""
    hints = get_type_hints(made)
    return {
        field.name: frozenset(
            getattr(one, "__supertype__", one) for one in get_args(hints[field.name]) or (hints[field.name],)
        )
        for field in fields(made)
    }


ANY: frozenset[type] = frozenset()
"""Of a field that there is not: the class itself says so."""
TYPES: Mapping[type, Mapping[str, frozenset[type]]] = MappingProxyType(
    {made: _types(made) for made in (Block, *CLASSES.values())}
)
