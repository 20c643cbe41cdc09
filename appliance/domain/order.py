"""The order in which people look for names."""

from __future__ import annotations

import re

PARTS = re.compile(r"\d+|\D+")


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort by: Gate 2 before Gate 10, whatever the case."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in PARTS.findall(name.casefold())]
