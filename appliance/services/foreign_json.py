"""JSON that others wrote: what is nested so deep that it could not be walked through or written again is no JSON to us."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import orjson

NESTED_MAX = 250
"""orjson writes 254 deep, and something is always put around what was read; nothing that means anything has ten."""


def read_json(text: str | bytes) -> Any:
    """What it says.

    Raises:
        ValueError: It is no JSON, or nested too deep.
    """
    found = orjson.loads(text)
    # Each level opens and closes; of what is too short for so many, as nearly every message is, nothing needs to be counted.
    if len(text) > 2 * NESTED_MAX and brackets_in(text) > NESTED_MAX and is_deeper(found, NESTED_MAX):
        raise ValueError(f"nested deeper than {NESTED_MAX}")
    return found


def brackets_in(text: str | bytes) -> int:
    """How many lists and objects begin in it, at most."""
    return text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")


def read_json_once(text: str | bytes) -> Any:
    """As `read_json`, where whoever wrote it can be told: what gives a name twice may mean either, and is refused.

    Raises:
        ValueError: It is no JSON, nested too deep, or says a name twice within one object.
    """
    found = read_json(text)
    # What numbers mean is known already; as texts they cost nothing and have no bounds.
    json.loads(text, object_pairs_hook=_refuse_repeated, parse_int=str, parse_float=str)
    return found


def _refuse_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {repeated[:50]!r} is there twice")
    return found


def is_deeper(value: Any, most: int) -> bool:
    """Whether there are more than `most` lists and objects one in another; walked level by level, for recursion has an end."""
    level = [value]
    for _ in range(most):
        level = [part for one in level for part in parts_of(one)]
    return any(isinstance(one, dict | list) for one in level)


def parts_of(value: Any) -> Iterable[Any]:
    """What a list or an object holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
