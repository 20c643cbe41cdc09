"""Which tariffs are refused, each for one reason that names the line, and where it is one of time, the hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from appliance.domain.errors import Invalid
from appliance.domain.money import AMOUNT_MINOR_MAX
from appliance.domain.pricing.coverage import TooManyCases, gaps, never_applies
from appliance.domain.pricing.lines import DAY_MINUTES, UNITS, WEEK, Conditions, Dimension, PriceLine, Tax, Terms, Unit
from appliance.domain.tariff import PRICE_MILLI_MAX, TAX_BASIS_POINTS_MAX
from appliance.domain.units import INTEGER_MAX

LINES_MAX = 50
TAXES_MAX = 10
AT_ONCE = (Dimension.FLAT, Dimension.RESERVATION)
"""What is decided before anything is measured."""
PAIRS = (
    ("from_wh", "to_wh", "to_wh"),
    ("from_s", "to_s", "to_minutes"),
    ("from_w", "to_w", "to_w"),
    ("from_date", "to_date", "to_date"),
)
"""Beginning and end, and what programs call the end."""


def check(terms: Terms) -> Terms:
    """The terms, if a site can have them.

    Raises:
        Invalid: It cannot; the field is `lines.2.conditions`, say, counted from 0, and the sentence counts from 1.
    """
    _check_taxes(terms.taxes)
    _check_limits(terms)
    if not 1 <= len(terms.lines) <= LINES_MAX:
        raise Invalid("lines", "A tariff has between 1 and {most} lines.", most=LINES_MAX)
    for place, line in enumerate(terms.lines):
        _check_line(place, line, terms)
    try:
        for dimension, once in {(line.dimension, line.unit is Unit.ONCE): None for line in terms.lines}:
            _check_order(terms.lines, dimension, once=once)
        _check_gaps(terms)
    except TooManyCases:
        raise Invalid(
            "lines",
            "So many conditions meet in these lines that nobody can tell what they leave without a price.",
            "Use fewer lines that depend on energy, time and power at once.",
        ) from None
    return terms


def _check_taxes(taxes: Sequence[Tax]) -> None:
    if len(taxes) > TAXES_MAX:
        raise Invalid("taxes", "A tariff has at most {most} taxes.", most=TAXES_MAX)
    seen: set[str] = set()
    for place, tax in enumerate(taxes):
        if not tax.code.strip():
            raise Invalid(f"taxes.{place}.code", "A tax needs a code.")
        if tax.code in seen:
            raise Invalid(f"taxes.{place}.code", "The tax {code} is there twice.", code=tax.code)
        if not 0 <= tax.basis_points <= TAX_BASIS_POINTS_MAX:
            raise Invalid(f"taxes.{place}.percent", "A tax is between 0 and 100 percent.")
        seen.add(tax.code)


def _check_limits(terms: Terms) -> None:
    for field, amount in (("minimum_minor", terms.minimum_minor), ("maximum_minor", terms.maximum_minor)):
        if amount is not None and not 0 <= amount <= AMOUNT_MINOR_MAX:
            raise Invalid(field, "This amount is negative or too large.")
    if (
        terms.minimum_minor is not None
        and terms.maximum_minor is not None
        and terms.maximum_minor < terms.minimum_minor
    ):
        raise Invalid("maximum_minor", "The maximum is below the minimum.")


def _check_line(place: int, line: PriceLine, terms: Terms) -> None:
    field, number = f"lines.{place}", place + 1
    if line.unit not in UNITS[line.dimension]:
        raise Invalid(field, "The price of line {line} does not fit what it charges for.", line=number)
    if not 0 <= line.price_milli <= PRICE_MILLI_MAX:
        raise Invalid(field, "The price of line {line} is negative or too large.", line=number)
    known = {tax.code for tax in terms.taxes}
    for code in line.taxes:
        if code not in known:
            raise Invalid(
                f"{field}.taxes",
                "Line {line} has the tax {code}, which the tariff does not know.",
                "Name it among the taxes of the tariff, with its percentage.",
                line=number,
                code=code,
            )
    if len(set(line.taxes)) < len(line.taxes):
        raise Invalid(f"{field}.taxes", "Line {line} has a tax twice.", line=number)
    if terms.rate(line) > TAX_BASIS_POINTS_MAX:
        raise Invalid(f"{field}.taxes", "The taxes of line {line} are more than 100 percent.", line=number)
    if line.dimension in AT_ONCE and line.conditions.by_measure:
        raise Invalid(
            f"{field}.conditions",
            "Line {line} is due before anything is measured, so neither energy nor time nor power can decide it.",
            "Leave it only conditions of hour, day, way of paying or group.",
            line=number,
        )
    _check_conditions(f"{field}.conditions", number, line.conditions)


def _check_conditions(field: str, number: int, one: Conditions) -> None:
    """Those that contradict themselves."""
    numbers = (one.from_wh, one.to_wh, one.from_s, one.to_s, one.from_idle_s, one.from_w, one.to_w)
    if any(value is not None and not 0 <= value <= INTEGER_MAX for value in numbers):
        raise Invalid(field, "A condition of line {line} is negative or too large.", line=number)
    if not (0 <= one.from_minute < DAY_MINUTES and 0 < one.to_minute <= DAY_MINUTES):
        raise Invalid(field, "A time of day in line {line} is not between 00:00 and 24:00.", line=number)
    if one.from_minute == one.to_minute:
        raise Invalid(
            f"{field}.to_time",
            "The window of line {line} ends when it begins.",
            "Leave both times out if it is meant for the whole day.",
            line=number,
        )
    if not one.weekdays or not one.weekdays <= WEEK:
        raise Invalid(f"{field}.weekdays", "The weekdays of line {line} are numbers from 1 (Monday) to 7.", line=number)
    for name in ("from_date", "to_date"):
        if getattr(one, name) is not None and not _is_day(getattr(one, name)):
            raise Invalid(f"{field}.{name}", "A day in line {line} is none; write it as 2026-11-23.", line=number)
    for first, last, name in PAIRS:
        start, end = getattr(one, first), getattr(one, last)
        if start is not None and end is not None and end <= start:
            raise Invalid(
                f"{field}.{name}",
                "Line {line} never applies: one of its conditions ends before it begins.",
                "The beginning is included and the end is not, so the end must be greater.",
                line=number,
            )


def _check_order(lines: Sequence[PriceLine], dimension: Dimension, *, once: bool) -> None:
    places = [
        place for place, line in enumerate(lines) if (line.dimension, line.unit is Unit.ONCE) == (dimension, once)
    ]
    found = never_applies([lines[place] for place in places])
    if found is not None:
        raise Invalid(
            f"lines.{places[found]}",
            "Line {line} never applies: the lines before it price all that it would.",
            "Move it up, or leave it out.",
            line=places[found] + 1,
        )


def _check_gaps(terms: Terms) -> None:
    energy = [line for line in terms.lines if line.dimension is Dimension.ENERGY]
    if not energy or terms.gaps_are_free:
        return
    found, never = gaps(energy)
    if found and never:
        raise Invalid(
            "lines",
            "No line prices energy at these hours: {hours}.",
            "Add a line for them, or say that gaps are free.",
            hours=found,
        )
    if found:
        raise Invalid(
            "lines",
            "At these hours no line prices energy in every case: {hours}.",
            "Add a line with no other condition at the end, or say that gaps are free.",
            hours=found,
        )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
