"""The lines of a bill in words: what for, how much, at which price; wherever a bill is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.domain.bill import PaperLine, PaperTax
from appliance.domain.tariff import PRICES, LineKind, Tariff
from appliance.ui.frame.language import _
from appliance.ui.wording import price_lines
from appliance.ui.wording.sessions import LINES
from appliance.ui.writing.formats import Formats

PricesSaid = dict[tuple[int, LineKind, int | None], str]
"""Prices in words, by tariff, kind and line: they are long to say, and a thousand bills have few."""


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill in words."""

    word: str
    quantity: str
    price: str
    amount_minor: int


def bill_lines(
    lines: Iterable[PaperLine], tariff: Tariff, fmt: Formats, prices: PricesSaid | None = None
) -> list[BillLine]:
    """Each of them, with the price that its tariff had and has."""
    said = {} if prices is None else prices
    found = []
    for one in lines:
        name = (tariff.id, one.kind, one.line)
        if name not in said:
            said[name] = _price(one, tariff, fmt)
        found.append(BillLine(_(LINES[one.kind]), _quantity(one, fmt), said[name], one.amount_minor))
    return found


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
