"""The order in which people look for names."""

from __future__ import annotations

import re

NUMBER = re.compile(r"\d+")


def natural(name: str) -> str:
    """A text to sort by, sign for sign: Gate 2 before Gate 10, whatever the case and whoever's digits.

    Before each number stands how long it is. The key of what is listed page by page is stored (`person.name_key`,
    `card.label_key`), because an index can be in no order that only we can tell.
    """
    return NUMBER.sub(lambda found: _by_length(int(found[0])), name.casefold())


def _by_length(number: int) -> str:
    digits = str(number)
    return f"{len(digits):03}{digits}"
