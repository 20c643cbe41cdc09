"""Numbers as stations write them that format them for people: with a comma for the point, with the unit behind them.

None of these forms can mean two numbers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from appliance.domain.units import to_integer

FIGURE = re.compile(r"([+-]?)(\d{1,18})(?:([.,])(\d{1,9}))? ?([a-z.% ]{0,8})", re.ASCII | re.IGNORECASE)
GROUP_DIGITS = 3
"""So many digits behind a comma may be thousands."""
ENERGY_FACTORS = {"": 1, "wh": 1, "kwh": 1_000}


class Rounded(int):
    """A whole number that stands for one with a fraction, which it remembers in thousandths."""

    thousandths: int


def rounded(text: str) -> Rounded | None:
    """A number that is written with a fraction, as `to_integer` rounds it; None: it has none."""
    whole, thousandths = to_integer(text), to_integer(text, 1_000)
    if whole is None or thousandths is None or thousandths == 1_000 * whole:
        return None
    found = Rounded(whole)
    found.thousandths = thousandths
    return found


class Figure(NamedTuple):
    """A number in a form that `to_integer` reads, and what stands behind it."""

    number: str
    unit: str


def figure(text: str) -> Figure | None:
    """None if it cannot be read, or may mean two numbers: 10,500 is ten and a half or ten thousand."""
    found = FIGURE.fullmatch(text.strip())
    if found is None:
        return None
    sign, whole, point, fraction, unit = found.groups(default="")
    if point == "," and len(fraction) == GROUP_DIGITS and len(whole) <= GROUP_DIGITS and not whole.startswith("0"):
        return None
    return Figure(f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}", unit.strip())


def energy_wh(text: str) -> int | None:
    """The watt-hours of a register that is told as a text; without a unit it is in watt-hours."""
    found = figure(text)
    factor = ENERGY_FACTORS.get(found.unit.casefold()) if found is not None else None
    return to_integer(found.number, factor) if found is not None and factor is not None else None
