"""The flat tariff of `domain/tariff.py` as lines, and lines as a flat tariff: it is the case without conditions."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.domain import tariff as flat
from appliance.domain.errors import Invalid
from appliance.domain.pricing.lines import ALWAYS, Conditions, Dimension, PriceLine, Tax, Terms, Unit, Usage
from appliance.domain.tariff import Tariff, idle_after_grace

TAX = "tax"
"""The code of its one tax, which has no name of its own."""
FIELDS = {
    Dimension.ENERGY: "energy_milli_per_kwh",
    Dimension.DURATION: "time_milli_per_minute",
    Dimension.IDLE_TIME: "idle_milli_per_minute",
    Dimension.FLAT: "flat_milli",
}
"""Where each of its prices stands, in the order of a bill."""
UNIT = {Dimension.ENERGY: Unit.KWH, Dimension.FLAT: Unit.ONCE}
N_ = str
"""Marks a sentence for the catalogs; whoever shows it looks it up."""
DIMENSION_OF: dict[flat.Kind, Dimension] = {
    "energy": Dimension.ENERGY,
    "time": Dimension.DURATION,
    "idle": Dimension.IDLE_TIME,
    "flat": Dimension.FLAT,
}
"""What the lines of its bills charge for."""


def terms_of(tariff: Tariff) -> Terms:
    """A flat tariff as lines: one for each price that it has."""
    codes = (TAX,) if tariff.tax_basis_points else ()
    lines = []
    for dimension, field in FIELDS.items():
        price_milli = getattr(tariff, field)
        grace_s = tariff.idle_grace_s if dimension is Dimension.IDLE_TIME else 0
        if price_milli:
            unit, conditions = UNIT.get(dimension, Unit.MINUTE), Conditions(from_idle_s=grace_s)
            lines.append(PriceLine(dimension, price_milli, unit, codes, conditions))
    return Terms(tuple(lines), (Tax(TAX, tariff.tax_basis_points),) if codes else ())


def tariff_of(terms: Terms, name: str) -> Tariff:
    """Lines as a flat tariff, without a number.

    Raises:
        Invalid: They say more than it can; the sentence names the line.
    """
    values: dict[str, int] = {}
    for place, line in enumerate(terms.lines):
        why = _obstacle(line, terms, values)
        if why:
            raise Invalid(f"lines.{place}", why, line=place + 1)
        values[FIELDS[line.dimension]] = _per_minute(line)[0]
        if line.dimension is Dimension.IDLE_TIME:
            values["idle_grace_s"] = line.conditions.from_idle_s
    for field, limit in (("minimum_minor", terms.minimum_minor), ("maximum_minor", terms.maximum_minor)):
        if limit is not None:
            raise Invalid(field, "A tariff here has neither a minimum nor a maximum.")
    return Tariff(0, name, **values, tax_basis_points=terms.rate(terms.lines[0]))


def usage_of(session: Usage, tariff: Tariff) -> flat.Usage:
    """What a flat tariff charges of a session."""
    spans = idle_after_grace(_idle_spans(session), tariff.idle_grace_s)
    ended_ms = session.periods[-1].until_ms if session.periods else session.started_at_ms
    return flat.Usage(
        sum(period.energy_wh for period in session.periods),
        (ended_ms - session.started_at_ms) // 1000,
        sum(end_ms - begin_ms for begin_ms, end_ms in spans) // 1000,
    )


def _obstacle(line: PriceLine, terms: Terms, seen: Iterable[str]) -> str:
    """Why a flat tariff cannot have a line; "" if it can."""
    conditions = (
        Conditions(from_idle_s=line.conditions.from_idle_s) if line.dimension is Dimension.IDLE_TIME else ALWAYS
    )
    if line.conditions != conditions:
        return N_("A tariff here has no conditions, and line {line} has some.")
    if line.dimension not in FIELDS:
        return N_("A tariff here has no price for what line {line} charges for.")
    if FIELDS[line.dimension] in seen:
        return N_("A tariff here has one price of each kind, and line {line} is another.")
    if terms.tax_included and line.taxes:
        return N_("A tariff here has prices without tax, and that of line {line} is with it.")
    if sorted(line.taxes) != sorted(terms.lines[0].taxes) or len(line.taxes) > 1:
        return N_("A tariff here has one tax for all its prices, and line {line} has another.")
    if _per_minute(line)[1]:
        return N_("The price of line {line} for a minute has more than three decimals.")
    return ""


def _per_minute(line: PriceLine) -> tuple[int, int]:
    """A price by time, for a minute, and what is left over; every other as it is."""
    return divmod(line.price_milli, 60 if line.unit is Unit.HOUR else 1)


def _idle_spans(session: Usage) -> Iterable[tuple[int, int]]:
    begin_ms = session.started_at_ms
    for period in session.periods:
        if period.charging is False:
            yield begin_ms, period.until_ms
        begin_ms = period.until_ms
