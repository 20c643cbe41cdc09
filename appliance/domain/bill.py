"""A bill as a paper: what stands on it is what was so when it was made, and no other name, price or reading changes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from appliance.domain.pricing.reckoning import bill_of
from appliance.domain.tariff import Bill, LineKind, Tariff


class BillKind(StrEnum):
    """What kind of paper; these words are stored."""

    BILL = "bill"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys, as the law asks for it; "" is what nobody has said."""

    name: str = ""
    address: str = ""
    tax_number: str = ""
    """BIN, GSTIN, USt-IdNr. …"""


class PaperLine(NamedTuple):
    """One line of a bill. Its price is that of the tariff, which never changes."""

    kind: LineKind
    quantity: int
    """Wh, seconds or times."""
    amount_minor: int
    """With tax where the tariff's prices are."""
    line: int | None
    """Its place in a tariff with lines; None: of flat prices, or the difference to a minimum or maximum."""


class PaperTax(NamedTuple):
    """What a tax is in all lines that have it."""

    code: str
    """Empty for the tax of a tariff with flat prices, which has no name."""
    basis_points: int
    tax_minor: int


def paper_lines(bill: Bill) -> tuple[PaperLine, ...]:
    """The lines of a bill as they are kept."""
    return tuple(
        PaperLine(one.kind, one.quantity, one.amount_minor, one.priced.line if one.priced is not None else None)
        for one in bill.lines
    )


def paper_taxes(bill: Bill, tariff: Tariff) -> tuple[PaperTax, ...]:
    """The tax of a bill by its codes; they sum to its tax."""
    if tariff.terms is None:
        return (PaperTax("", tariff.tax_basis_points, bill.tax_minor),) if tariff.tax_basis_points else ()
    charged = [one.priced for one in bill.lines if one.priced is not None and one.priced.line is not None]
    sums = {one.line: {one.quantity[1]: one.quantity[0]} for one in charged if one.line is not None}
    return tuple(PaperTax(*one) for one in bill_of(sums, tariff.terms, with_energy=True).taxes)
