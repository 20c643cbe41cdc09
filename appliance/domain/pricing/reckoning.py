"""What a session costs by the lines of a tariff: the bill, and the most that it can become in the time ahead.

Each line is rounded once, half to even, and each tax once over the rounded lines that have it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import gcd, lcm
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.domain.money import allocate, round_half_even
from appliance.domain.pricing.lines import PER_MINOR, Charged, Dimension, PriceLine, Terms, Usage
from appliance.domain.pricing.rules import TIMETABLES_KEPT
from appliance.domain.pricing.tally import Tally
from appliance.domain.tariff import BASIS_POINTS

MINIMUM, MAXIMUM = "minimum", "maximum"


class TaxCharged(NamedTuple):
    """What a tax is in all lines that have it."""

    code: str
    basis_points: int
    tax_minor: int


class Priced(NamedTuple):
    """The bill: net and tax sum to the total; the lines sum to the total where prices are with tax, else to the net."""

    lines: tuple[Charged, ...]
    taxes: tuple[TaxCharged, ...]
    net_minor: int
    tax_minor: int
    total_minor: int


def price(usage: Usage, terms: Terms, zone: ZoneInfo) -> Priced:
    """The bill of a session. Without energy it costs nothing but its reservation."""
    return bill(Tally(usage, terms, zone))


def bill(tally: Tally) -> Priced:
    """The bill for what a tally has by now."""
    return bill_of(tally.sums, tally.terms, with_energy=tally.energy_wh > 0)


def bill_of(sums: Mapping[int, Mapping[int, int]], terms: Terms, *, with_energy: bool) -> Priced:
    """The bill for what each line has: parts by their denominator."""
    due = [place for place in sorted(sums) if with_energy or _is_reservation(terms.lines[place])]
    lines = [_charged(place, terms.lines[place], sums[place]) for place in due]
    taxes = _taxes([(terms.lines[place], line.amount_minor) for place, line in zip(due, lines, strict=True)], terms)
    amount_minor, tax_minor = sum(line.amount_minor for line in lines), sum(tax.tax_minor for tax in taxes)
    total_minor = amount_minor if terms.tax_included else amount_minor + tax_minor
    plain = Priced(tuple(lines), taxes, total_minor - tax_minor, tax_minor, total_minor)
    if with_energy and terms.minimum_minor is not None and total_minor < terms.minimum_minor:
        return _limited(plain, terms, MINIMUM, terms.minimum_minor)
    if terms.maximum_minor is not None and total_minor > terms.maximum_minor:
        return _limited(plain, terms, MAXIMUM, terms.maximum_minor)
    return plain


def total_minor(tally: Tally) -> int:
    """The total of `bill`, which a running session is asked for with each of its readings: nothing of it is written down."""
    terms, with_energy = tally.terms, tally.energy_wh > 0
    priced = [
        (line, round_half_even(*_exact(line, sums)))
        for line, sums in ((terms.lines[place], sums) for place, sums in tally.sums.items())
        if with_energy or _is_reservation(line)
    ]
    total = sum(amount_minor for _, amount_minor in priced)
    if not terms.tax_included:
        total += sum(tax.tax_minor for tax in _taxes(priced, terms))
    if with_energy and terms.minimum_minor is not None:
        total = max(total, terms.minimum_minor)
    return total if terms.maximum_minor is None else min(total, terms.maximum_minor)


def projected_minor(tally: Tally, power_w: int, ahead_s: int, *, may_idle: bool = True, unseen_wh: int = 0) -> int:
    """The most that the session can cost, tax included, after `ahead_s` more seconds at up to `power_w`, and `unseen_wh` besides.

    Never below `bill` of what is used by then, whatever it is and whichever lines price it: each of them may be rounded up, and all
    of the time ahead may turn out to be idle as well, unless the caller knows better.
    """
    terms, outlook = tally.terms, _outlook(tally.terms)
    # In ten thousandths of a minor unit, in which taxes are whole: what is so far, half a unit for the rounding of each line and tax,
    # and for what comes the dearest line of its dimension.
    total = outlook.rounding
    for place, sums in tally.sums.items():
        total += _ceil(*_exact(terms.lines[place], sums, outlook.gross[place]))
    for dimension, (rate, per) in outlook.dearest.items():
        if dimension is Dimension.ENERGY:
            total += _ceil((max(power_w, 0) * ahead_s + unseen_wh * 3600) * rate, 3600 * per)
        elif may_idle or dimension is not Dimension.IDLE_TIME:
            total += _ceil(ahead_s * 1000 * rate, per)
    most_minor = max(_ceil(total, BASIS_POINTS), terms.minimum_minor or 0)
    return most_minor if terms.maximum_minor is None else min(most_minor, terms.maximum_minor)


class _Outlook(NamedTuple):
    """What the lines of a tariff come to at most, as each reading asks."""

    gross: tuple[int, ...]
    """What is paid for ten thousand of each line's price."""
    rounding: int
    """What their rounding may add."""
    dearest: Mapping[Dimension, tuple[int, int]]
    """The dearest line of what goes on while a session runs: a rate, and for how many Wh or milliseconds it is."""


@lru_cache(maxsize=TIMETABLES_KEPT)
def _outlook(terms: Terms) -> _Outlook:
    gross = tuple(BASIS_POINTS if terms.tax_included else BASIS_POINTS + terms.rate(line) for line in terms.lines)
    dearest: dict[Dimension, tuple[int, int]] = {}
    for line, paid in zip(terms.lines, gross, strict=True):
        if line.dimension not in (Dimension.FLAT, Dimension.RESERVATION):
            rate = line.price_milli * paid, PER_MINOR[line.unit]
            before = dearest.get(line.dimension, (0, 1))
            dearest[line.dimension] = max(before, rate, key=lambda one: Fraction(*one))
    return _Outlook(gross, sum(gross) // 2 + BASIS_POINTS * len(terms.taxes) // 2 + 1, MappingProxyType(dearest))


def _is_reservation(line: PriceLine) -> bool:
    return line.dimension is Dimension.RESERVATION


def _charged(place: int, line: PriceLine, sums: Mapping[int, int]) -> Charged:
    """One rounding, of what the whole session has of this line."""
    parts, of = _sum_of(sums)
    common = gcd(parts, of)
    return Charged(place, line.dimension, (parts // common, of // common), round_half_even(*_exact(line, sums)))


def _sum_of(sums: Mapping[int, int]) -> tuple[int, int]:
    """Fractions by their denominator, as one."""
    if len(sums) == 1:
        ((of, parts),) = sums.items()
        return parts, of  # As nearly always: no need of the least common multiple.
    of = lcm(*sums)
    return sum(parts * (of // each) for each, parts in sums.items()), of


def _exact(line: PriceLine, sums: Mapping[int, int], factor: int = 1) -> tuple[int, int]:
    """What a line costs, in minor units, as a fraction."""
    parts, of = _sum_of(sums)
    return parts * line.price_milli * factor, of * PER_MINOR[line.unit]


def _ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _taxes(priced: Sequence[tuple[PriceLine, int]], terms: Terms) -> tuple[TaxCharged, ...]:
    """Each tax, rounded once over the rounded lines that have it; of a price with tax its part of that price."""
    found = []
    for tax in terms.taxes:
        sums: dict[int, int] = {}
        for line, amount_minor in priced:
            if tax.code in line.taxes:
                of = BASIS_POINTS + terms.rate(line) if terms.tax_included else BASIS_POINTS
                sums[of] = sums.get(of, 0) + amount_minor * tax.basis_points
        if sums:
            found.append(TaxCharged(tax.code, tax.basis_points, round_half_even(*_sum_of(sums))))
    return tuple(found)


def _limited(plain: Priced, terms: Terms, kind: str, limit_minor: int) -> Priced:
    """The difference to the minimum or the maximum as a line of its own; the taxes have their share of it."""
    more_minor = limit_minor - plain.total_minor
    taxes, weights = plain.taxes, [tax.tax_minor for tax in plain.taxes]
    if plain.total_minor:
        more_tax_minor = round_half_even(more_minor * plain.tax_minor, plain.total_minor)
    else:
        # Nothing cost anything, so that there is no proportion: the first line's taxes are in the minimum.
        taxes = tuple(
            TaxCharged(tax.code, tax.basis_points, 0) for tax in terms.taxes if tax.code in terms.lines[0].taxes
        )
        weights = [tax.basis_points for tax in taxes]
        more_tax_minor = round_half_even(more_minor * sum(weights), BASIS_POINTS + sum(weights))
    shares = allocate(more_tax_minor, weights) if weights else []
    tax_minor = plain.tax_minor + more_tax_minor
    amount_minor = more_minor if terms.tax_included else more_minor - more_tax_minor
    return Priced(
        (*plain.lines, Charged(None, kind, (1, 1), amount_minor)),
        tuple(tax._replace(tax_minor=tax.tax_minor + share) for tax, share in zip(taxes, shares, strict=True)),
        limit_minor - tax_minor,
        tax_minor,
        limit_minor,
    )
