"""What a session costs: the price components of a tariff, the bill, and how far a sum of money goes.

Everything is plain integers, and each line of a bill is one multiplication and one rounding. Who pays, what is held
and what is booked belongs to the ledger; which tariff applies to whom is decided by the services.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal, NamedTuple

from appliance.domain.money import allocate, round_half_even
from appliance.domain.pricing.lines import Charged, Course, Terms

Kind = Literal["energy", "time", "idle", "flat"]
"""What a flat tariff charges for."""
LineKind = Kind | Literal["charging", "reservation", "minimum", "maximum"]
"""What a line of a bill charges for."""

PRICES: dict[str, str] = {
    "energy": "energy_milli_per_kwh",
    "time": "time_milli_per_minute",
    "idle": "idle_milli_per_minute",
    "flat": "flat_milli",
}
"""The components of a price, and in which field of a tariff each stands."""
IN_MINOR = {field: field.replace("_milli", "_minor") for field in PRICES.values()}
"""What forms and programs call these fields, which tell prices in minor units."""
PRICE_MILLI_MAX = 10**9
IDLE_GRACE_S_MAX = 86_400
TAX_BASIS_POINTS_MAX = 10_000

MILLI_WH = 1_000_000
"""Wh × thousandths of a minor unit per kWh, in one minor unit."""
MILLI_SECONDS = 60_000
"""Seconds × thousandths of a minor unit per minute, in one minor unit."""
MILLI = 1000
BASIS_POINTS = 10_000
ENERGY_WH_MAX = 2**53


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in thousandths of a minor unit, without tax; the tax, in hundredths of a percent, is added on top.

    Time is charged from the beginning of the transaction to its end; idle time, once `idle_grace_s` of it is used up, is
    charged in addition. A tariff never changes: another price is another tariff, and sessions keep theirs.
    """

    id: int
    name: str
    energy_milli_per_kwh: int = 0
    time_milli_per_minute: int = 0
    idle_milli_per_minute: int = 0
    idle_grace_s: int = 0
    flat_milli: int = 0
    tax_basis_points: int = 0
    terms: Terms | None = None
    """Lines in the place of all these prices, which are 0 then (domain/pricing/)."""

    def __post_init__(self) -> None:
        """Raise ValueError for a number that nobody can mean; forms and programs are told before."""
        prices = tuple(getattr(self, field) for field in PRICES.values())
        if min(prices) < 0 or max(prices) > PRICE_MILLI_MAX:
            raise ValueError(f"a price is between 0 and {PRICE_MILLI_MAX} thousandths, not one of {prices}")
        if not 0 <= self.idle_grace_s <= IDLE_GRACE_S_MAX:
            raise ValueError(f"the idle grace is between 0 and {IDLE_GRACE_S_MAX} s, not {self.idle_grace_s}")
        if not 0 <= self.tax_basis_points <= TAX_BASIS_POINTS_MAX:
            raise ValueError(
                f"the tax is between 0 and {TAX_BASIS_POINTS_MAX} basis points, not {self.tax_basis_points}"
            )


TARIFF_FIELDS = tuple(field.name for field in fields(Tariff))
"""As they are stored, too, under the same names."""
FREE = Tariff(id=0, name="Free")
"""Nothing costs anything. It has no row in the database."""


def is_cheaper(one: Tariff, other: Tariff) -> bool:
    """Whether anything can cost less by one tariff than by the other; of lines nobody can say that it cannot, but of the same."""
    if one.terms is not None or other.terms is not None:
        return one.terms != other.terms
    asked = (*PRICES.values(), "tax_basis_points")
    return one.idle_grace_s > other.idle_grace_s or any(getattr(one, name) < getattr(other, name) for name in asked)


@dataclass(slots=True)
class Usage:
    """What is charged for: energy, the seconds of the whole transaction, and those of them that count as idle.

    Nothing changes it. It is not frozen only because every meter reading makes one, and that would take twice the time.
    """

    energy_wh: int
    duration_s: int
    idle_s: int = 0
    course: Course | None = None
    """When what of it was used; only a tariff with lines asks for it."""

    def __post_init__(self) -> None:
        """Raise ValueError for a negative quantity: what a wrong meter says is put right before it is priced."""
        if self.energy_wh < 0 or self.duration_s < 0 or self.idle_s < 0:
            raise ValueError(f"a usage is never negative: {self}")


class Line(NamedTuple):
    """One line of a bill, without tax. `quantity` is Wh for energy, seconds for time and idle, 1 for flat.

    A tuple and no dataclass, because every meter reading makes a bill and a tuple is made in half the time.
    """

    kind: LineKind
    quantity: int
    amount_minor: int
    priced: Charged | None = None
    """The line of a tariff that has lines, and its exact quantity."""


class Bill(NamedTuple):
    """Lines whose amounts sum to `net_minor`; net and tax sum to `total_minor`."""

    lines: tuple[Line, ...]
    net_minor: int
    tax_minor: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class DayShare:
    """What of a session falls on one day; `fee_minor` is with tax."""

    day: str
    working_s: int
    energy_wh: int
    fee_minor: int


def with_tax_milli(milli: int, tariff: Tariff) -> int:
    """One of the tariff's prices as a driver pays it (thousandths of a minor unit)."""
    return round_half_even(milli * (BASIS_POINTS + tariff.tax_basis_points), BASIS_POINTS)


def price(usage: Usage, tariff: Tariff) -> Bill:
    """The bill for a usage. Lines that cost nothing by tariff, or of which nothing was used, are left out."""
    lines: list[Line] = []
    net_minor = 0
    if tariff.energy_milli_per_kwh and usage.energy_wh:
        amount_minor = round_half_even(usage.energy_wh * tariff.energy_milli_per_kwh, MILLI_WH)
        lines.append(Line("energy", usage.energy_wh, amount_minor))
        net_minor += amount_minor
    if tariff.time_milli_per_minute and usage.duration_s:
        amount_minor = round_half_even(usage.duration_s * tariff.time_milli_per_minute, MILLI_SECONDS)
        lines.append(Line("time", usage.duration_s, amount_minor))
        net_minor += amount_minor
    if tariff.idle_milli_per_minute and usage.idle_s:
        amount_minor = round_half_even(usage.idle_s * tariff.idle_milli_per_minute, MILLI_SECONDS)
        lines.append(Line("idle", usage.idle_s, amount_minor))
        net_minor += amount_minor
    if tariff.flat_milli:
        amount_minor = round_half_even(tariff.flat_milli, MILLI)
        lines.append(Line("flat", 1, amount_minor))
        net_minor += amount_minor
    tax_minor = round_half_even(net_minor * tariff.tax_basis_points, BASIS_POINTS)
    return Bill(tuple(lines), net_minor, tax_minor, net_minor + tax_minor)


def projected_minor(usage: Usage, tariff: Tariff, power_w: int, ahead_s: int, *, may_idle: bool = True) -> int:
    """The most that the session can cost, tax included, after `ahead_s` more seconds at up to `power_w`.

    Each line is rounded up, so that this is never below `price` of what is used by then. All of the time ahead may turn
    out to be idle as well, unless the caller knows better (`may_idle=False`, within the grace for instance).
    """
    # Rounding up is -(-a // b), written out because each meter reading comes by here.
    energy_wh = usage.energy_wh - (-max(power_w, 0) * ahead_s // 3600)
    net_minor = -(-energy_wh * tariff.energy_milli_per_kwh // MILLI_WH)
    if tariff.time_milli_per_minute:
        net_minor -= -(usage.duration_s + ahead_s) * tariff.time_milli_per_minute // MILLI_SECONDS
    if tariff.idle_milli_per_minute:
        idle_s = usage.idle_s + ahead_s if may_idle else usage.idle_s
        net_minor -= -idle_s * tariff.idle_milli_per_minute // MILLI_SECONDS
    if tariff.flat_milli:
        net_minor -= -tariff.flat_milli // MILLI
    return net_minor - (-net_minor * tariff.tax_basis_points // BASIS_POINTS)


def affordable_wh(tariff: Tariff, amount_minor: int) -> int | None:
    """The most energy whose price, with the flat fee and tax but without time and idle, stays within an amount.

    0 when not even the flat fee does; None when energy costs nothing, or so little that the amount sets no limit.
    """
    if _energy_total(tariff, 0) > amount_minor:
        return 0
    if _energy_total(tariff, ENERGY_WH_MAX) <= amount_minor:
        return None
    within_wh, beyond_wh = 0, ENERGY_WH_MAX
    while beyond_wh - within_wh > 1:
        middle_wh = (within_wh + beyond_wh) // 2
        if _energy_total(tariff, middle_wh) <= amount_minor:
            within_wh = middle_wh
        else:
            beyond_wh = middle_wh
    return within_wh


def idle_after_grace(spans_ms: Iterable[tuple[int, int]], grace_s: int) -> list[tuple[int, int]]:
    """The idle spans, (begin_ms, end_ms), that are charged: in order, merged, without the session's first `grace_s` of idling.

    The grace is used up once, not once for each span. Spans that end before they begin count for nothing.
    """
    grace_ms = grace_s * 1000
    charged: list[tuple[int, int]] = []
    reached_ms: int | None = None
    for begin_ms, end_ms in sorted(spans_ms):
        fresh_ms = begin_ms if reached_ms is None else max(begin_ms, reached_ms)
        if end_ms <= fresh_ms:
            continue
        reached_ms = end_ms
        forgiven_ms = min(grace_ms, end_ms - fresh_ms)
        grace_ms -= forgiven_ms
        fresh_ms += forgiven_ms
        if charged and charged[-1][1] == fresh_ms:
            charged[-1] = (charged[-1][0], end_ms)
        elif fresh_ms < end_ms:
            charged.append((fresh_ms, end_ms))
    return charged


def split(bill: Bill, parts: Sequence[tuple[str, Usage]]) -> list[DayShare]:
    """The bill of a session on the days it lasted: `parts` are (day, what was used on that day), in order.

    Each line goes by its quantity, the flat fee to the first day, the tax by what the lines gave. The fees sum to the
    bill exactly. Raises ValueError without parts.
    """
    net_minor = [0] * len(parts)
    for line in bill.lines:
        shares = allocate(line.amount_minor, _weights(line.kind, parts))
        net_minor = [before + share for before, share in zip(net_minor, shares, strict=True)]
    tax_minor = allocate(bill.tax_minor, net_minor)
    return [
        DayShare(day, usage.duration_s, usage.energy_wh, net + tax)
        for (day, usage), net, tax in zip(parts, net_minor, tax_minor, strict=True)
    ]


def _weights(kind: LineKind, parts: Sequence[tuple[str, Usage]]) -> list[int]:
    if kind == "energy":
        return [usage.energy_wh for _, usage in parts]
    if kind == "time":
        return [usage.duration_s for _, usage in parts]
    if kind == "idle":
        return [usage.idle_s for _, usage in parts]
    if kind == "flat":
        return [1] + [0] * (len(parts) - 1)
    raise ValueError(f"a flat tariff has no line for {kind}")


def _energy_total(tariff: Tariff, energy_wh: int) -> int:
    net_minor = round_half_even(energy_wh * tariff.energy_milli_per_kwh, MILLI_WH)
    net_minor += round_half_even(tariff.flat_milli, MILLI)
    return net_minor + round_half_even(net_minor * tariff.tax_basis_points, BASIS_POINTS)
