"""Where stations stand: what the staff wrote, else the beginning of a name that several share, such as the Hall A of Hall A 12."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

NUMBERED = re.compile(r"^(.*?)[\s.:#/-]*\d+\s*$")
"""A name that ends in a number; its beginning without what stands between."""
SHARED_LEAST = 2


def places(stations: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """The place of each station by its number, out of its name and of what the staff wrote; "" for those that stand alone."""
    begin = {number: _beginning(name) for number, (name, written) in stations.items() if not written}
    shared = Counter(begin.values())
    return {
        number: written or (begin[number] if shared[begin[number]] >= SHARED_LEAST else "")
        for number, (_name, written) in stations.items()
    }


def within(place: str, name: str) -> str:
    """What a name says beyond its place; the whole name where it does not begin with it."""
    rest = name.removeprefix(place).lstrip(" .:#/-") if place else name
    return rest or name


def _beginning(name: str) -> str:
    found = NUMBERED.match(name)
    return found[1] if found else ""
