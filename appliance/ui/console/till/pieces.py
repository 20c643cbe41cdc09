"""Notes and coins in a form: a field for each that the currency has, or one for the amount where they are not known."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.domain.cash import COUNT_MAX, Cash, counted, denominations, plain
from appliance.domain.errors import Invalid
from appliance.domain.money import parse_amount
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.forms import Form, read_number
from appliance.ui.frame.language import N_
from appliance.ui.frame.render import formats_of

AMOUNT = "amount_minor"


@dataclass(frozen=True, slots=True)
class Piece:
    """One note or coin."""

    field: str
    value_minor: int
    word: str


@dataclass(frozen=True, slots=True)
class Pieces:
    """What the fields are called; no notes and coins: the amount is typed."""

    columns: list[list[Piece]]
    form: Form
    exponent: int
    zero: str
    """Nothing, as money is written: the script fills in its figures."""


def pieces_of(request: web.Request, form: Form) -> Pieces:
    """The fields for the site's currency, in two columns."""
    currency, fmt = currency_of(request), formats_of(request)
    found = [
        Piece(f"n{value}", value, fmt.money(value) if value % 10**currency.exponent else fmt.money_short(value))
        for value in denominations(currency)
    ]
    half = (len(found) + 1) // 2
    return Pieces([found[:half], found[half:]] if found else [], form, currency.exponent, fmt.money(0))


def read_cash(request: web.Request, form: Form) -> Cash:
    """What was counted; an empty field is none of that note, and at least one field says something.

    Raises:
        Invalid: A field cannot be read.
    """
    currency = currency_of(request)
    values = denominations(currency)
    if not values:
        return plain(parse_amount(form.text(AMOUNT), currency, field=AMOUNT), AMOUNT)
    found = []
    for value in values:
        typed = form.text(f"n{value}")
        count = read_number(typed, most=COUNT_MAX) if typed else 0
        if count is None:
            raise Invalid(
                f"n{value}", N_("“{text}” is not how many there can be of a note or coin."), N_("Write a whole number."),
                text=typed[:40],
            )  # fmt: skip
        found.append((value, count))
    if not any(form.text(f"n{value}") for value in values):
        raise Invalid("", N_("Nothing was counted."), N_("Where there is nothing, write 0 in one of the fields."))
    return counted(found, currency, "")
