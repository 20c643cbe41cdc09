"""JSON that others wrote: what is nested so deep that it could not be walked through or written again is no JSON to us."""

from __future__ import annotations

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
    brackets = text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")
    if brackets > NESTED_MAX and is_deeper(found, NESTED_MAX):
        raise ValueError(f"nested deeper than {NESTED_MAX}")
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
