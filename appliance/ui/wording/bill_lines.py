"""The lines of a bill in words: what for, how much, at which price; wherever a bill is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.domain.bill import PaperLine, PaperTax
from appliance.domain.tariff import PRICES, Tariff
from appliance.ui.frame.language import _
from appliance.ui.wording import price_lines
from appliance.ui.wording.sessions import LINES
from appliance.ui.writing.formats import Formats


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill in words."""

    word: str
    quantity: str
    price: str
    amount_minor: int


def bill_lines(lines: Iterable[PaperLine], tariff: Tariff, fmt: Formats) -> list[BillLine]:
    """Each of them, with the price that its tariff had and has."""
    return [
        BillLine(_(LINES[one.kind]), _quantity(one, fmt), _price(one, tariff, fmt), one.amount_minor) for one in lines
    ]


def tax_word(tax: PaperTax, fmt: Formats) -> str:
    """`vat 7.5 %`."""
    points = tax.basis_points
    percent = fmt.number(points, 2) if points % 100 else fmt.number(points // 100)
    return f"{tax.code or _('Tax')} {percent} %"


def _quantity(line: PaperLine, fmt: Formats) -> str:
    if line.kind == "energy":
        return _("{energy} kWh").format(energy=fmt.energy(line.quantity, 3))
    return fmt.duration(line.quantity) if line.kind in ("time", "idle", "charging") else ""


def _price(line: PaperLine, tariff: Tariff, fmt: Formats) -> str:
    if tariff.terms is not None:
        if line.line is None:
            return ""  # The difference to a minimum or maximum.
        return price_lines.sentence(tariff.terms, line.line, fmt).price_and_when
    price = fmt.price(getattr(tariff, PRICES[line.kind]))
    if line.kind == "energy":
        return _("{price} a kWh").format(price=price)
    return price if line.kind == "flat" else _("{price} a minute").format(price=price)
