"""How an amount came about: which readings, by which line of the tariff, rounded how, taxed how; of any tariff. Pure.

Nothing is priced here: a bill is taken apart. What it sums up to is the bill that it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from appliance.domain.pricing.flat import DIMENSION_OF, FIELDS, UNIT
from appliance.domain.pricing.lines import PER_MINOR, Charged, Terms, Unit
from appliance.domain.pricing.parts import Part
from appliance.domain.pricing.reckoning import bill_of
from appliance.domain.session import KINDS
from appliance.domain.tariff import BASIS_POINTS, Bill, LineKind, Tariff, Usage

MS = 1000


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line of a bill. The difference to a minimum or a maximum has neither price nor parts."""

    kind: LineKind
    line: int | None
    """Its place among the lines of the tariff, from 0; None: of flat prices, or of none."""
    quantity: Fraction
    """Wh, milliseconds or times."""
    unit: Unit | None
    price_milli: int
    amount_minor: int
    parts: tuple[Part, ...] = ()

    @property
    def exact_minor(self) -> Fraction:
        """Before it was rounded."""
        return Fraction(self.amount_minor) if self.unit is None else exactly(self.quantity, self.price_milli, self.unit)


@dataclass(frozen=True, slots=True)
class ExplainedTax:
    """One tax: on what, before and after it was rounded, and its share of a difference to a minimum or a maximum."""

    code: str
    """"" where the tariff has but one, and no name for it."""
    basis_points: int
    on_minor: int
    """The amounts that have it, with tax where prices are."""
    exact_minor: Fraction
    limit_share_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Explained:
    """A bill, taken apart."""

    lines: tuple[ExplainedLine, ...]
    taxes: tuple[ExplainedTax, ...]
    tax_included: bool
    net_minor: int
    tax_minor: int
    total_minor: int


NOTHING = Explained((), (), False, 0, 0, 0)


def exactly(quantity: Fraction, price_milli: int, unit: Unit) -> Fraction:
    """What so much costs, in minor units."""
    return quantity * price_milli / PER_MINOR[unit]


def by_flat_prices(tariff: Tariff, bill: Bill, parts: Mapping[LineKind, tuple[Part, ...]]) -> Explained:
    """A bill by flat prices; `parts` has when and out of which energies each of its kinds came."""
    lines = []
    for one in bill.lines:
        dimension = DIMENSION_OF[one.kind]
        unit = UNIT.get(dimension, Unit.MINUTE)
        quantity = Fraction(one.quantity * (MS if unit is Unit.MINUTE else 1))
        price_milli = getattr(tariff, FIELDS[dimension])
        lines.append(
            ExplainedLine(one.kind, None, quantity, unit, price_milli, one.amount_minor, parts.get(one.kind, ()))
        )
    taxes: tuple[ExplainedTax, ...] = ()
    if bill.tax_minor:
        exact = Fraction(bill.net_minor * tariff.tax_basis_points, BASIS_POINTS)
        taxes = (ExplainedTax("", tariff.tax_basis_points, bill.net_minor, exact, 0, bill.tax_minor),)
    return Explained(tuple(lines), taxes, False, bill.net_minor, bill.tax_minor, bill.total_minor)


def by_lines(
    terms: Terms, charged: Sequence[Charged], parts: Mapping[int, tuple[Part, ...]], *, with_energy: bool
) -> Explained:
    """A bill by the lines of a tariff, out of the exact quantities that each line had."""
    sums = {one.line: {one.quantity[1]: one.quantity[0]} for one in charged if one.line is not None}
    priced = bill_of(sums, terms, with_energy=with_energy)
    unlimited = bill_of(sums, replace(terms, minimum_minor=None, maximum_minor=None), with_energy=with_energy)
    before = {tax.code: tax.tax_minor for tax in unlimited.taxes}
    taxes = []
    for tax in priced.taxes:
        taxed = [one for one in unlimited.lines if one.line is not None and tax.code in terms.lines[one.line].taxes]
        exact = sum((_tax_of(one, tax.basis_points, terms) for one in taxed), Fraction(0))
        share_minor = tax.tax_minor - before.get(tax.code, 0)
        on_minor = sum(one.amount_minor for one in taxed)
        taxes.append(ExplainedTax(tax.code, tax.basis_points, on_minor, exact, share_minor, tax.tax_minor))
    return Explained(
        tuple(_line(one, terms, parts) for one in priced.lines),
        tuple(taxes),
        terms.tax_included,
        priced.net_minor,
        priced.tax_minor,
        priced.total_minor,
    )


def _line(one: Charged, terms: Terms, parts: Mapping[int, tuple[Part, ...]]) -> ExplainedLine:
    if one.line is None:
        return ExplainedLine(KINDS[one.kind], None, Fraction(1), None, 0, one.amount_minor)
    line = terms.lines[one.line]
    quantity = Fraction(*one.quantity)
    return ExplainedLine(
        KINDS[one.kind], one.line, quantity, line.unit, line.price_milli, one.amount_minor, parts.get(one.line, ())
    )


def _tax_of(one: Charged, basis_points: int, terms: Terms) -> Fraction:
    assert one.line is not None
    of = BASIS_POINTS + terms.rate(terms.lines[one.line]) if terms.tax_included else BASIS_POINTS
    return Fraction(one.amount_minor * basis_points, of)


def flat_parts(
    usage: Usage, begun_ms: int, ended_ms: int, idle: Sequence[tuple[int, int]]
) -> dict[LineKind, tuple[Part, ...]]:
    """When and out of which energies the lines of a bill by flat prices came. `idle` are the spans that are charged."""
    whole = Fraction(usage.energy_wh)
    return {
        "energy": (Part(begun_ms, ended_ms, 0, usage.energy_wh, whole),),
        "time": (Part(begun_ms, ended_ms, 0, usage.energy_wh, Fraction(usage.duration_s * MS)),),
        "idle": tuple(
            Part(from_ms, to_ms, usage.energy_wh, usage.energy_wh, Fraction(to_ms - from_ms)) for from_ms, to_ms in idle
        ),
        "flat": (Part(begun_ms, begun_ms, 0, 0, Fraction(1)),),
    }
