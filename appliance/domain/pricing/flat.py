"""The flat tariff of `domain/tariff.py` as lines, and lines as a flat tariff: it is the case without conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from appliance.domain import tariff as flat
from appliance.domain.pricing.lines import Conditions, Dimension, PriceLine, Tax, Terms, Unit, Usage
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
DIMENSION_OF: dict[str, Dimension] = {
    "energy": Dimension.ENERGY,
    "time": Dimension.DURATION,
    "idle": Dimension.IDLE_TIME,
    "flat": Dimension.FLAT,
}
"""What the lines of its bills charge for."""


def terms_of(tariff: Tariff) -> Terms:
    """The lines of a tariff; those of a flat one are its prices, as far as it has any."""
    if tariff.terms is not None:
        return tariff.terms
    codes = (TAX,) if tariff.tax_basis_points else ()
    lines = []
    for dimension, field in FIELDS.items():
        price_milli = getattr(tariff, field)
        grace_s = tariff.idle_grace_s if dimension is Dimension.IDLE_TIME else 0
        if price_milli:
            unit, conditions = UNIT.get(dimension, Unit.MINUTE), Conditions(from_idle_s=grace_s)
            lines.append(PriceLine(dimension, price_milli, unit, codes, conditions))
    return Terms(tuple(lines), (Tax(TAX, tariff.tax_basis_points),) if codes else ())


def flat_of(terms: Terms, name: str) -> Tariff | None:
    """Lines as a flat tariff, without a number; None: they say more than it can."""
    values: dict[str, Any] = {}
    limits = (terms.minimum_minor, terms.maximum_minor)
    for line in terms.lines:
        field, (price_milli, rest) = FIELDS.get(line.dimension), _per_minute(line)
        if field is None or field in values or rest or not _is_plain(line, terms):
            return None
        values[field] = price_milli
        if line.dimension is Dimension.IDLE_TIME:
            values["idle_grace_s"] = line.conditions.from_idle_s
    if limits != (None, None) or not terms.lines:
        return None
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


def _is_plain(line: PriceLine, terms: Terms) -> bool:
    """No condition but a grace of idle time, and one tax on top, the same for all."""
    grace_s = line.conditions.from_idle_s if line.dimension is Dimension.IDLE_TIME else 0
    taxes = line.taxes == terms.lines[0].taxes and len(line.taxes) <= 1
    return line.conditions == Conditions(from_idle_s=grace_s) and taxes and not (terms.tax_included and line.taxes)


def _per_minute(line: PriceLine) -> tuple[int, int]:
    """A price by time, for a minute, and what is left over; every other as it is."""
    return divmod(line.price_milli, 60 if line.unit is Unit.HOUR else 1)


def _idle_spans(session: Usage) -> Iterable[tuple[int, int]]:
    begin_ms = session.started_at_ms
    for period in session.periods:
        if period.charging is False:
            yield begin_ms, period.until_ms
        begin_ms = period.until_ms
