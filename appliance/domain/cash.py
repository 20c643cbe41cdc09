"""Cash as it is counted: which notes and coins a currency has, and what so many of each come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.domain.errors import Invalid
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.money import Currency

COUNT_MAX = 99_999
"""Of one note or coin: more is a slip of the keyboard."""
NOTES_AND_COINS = {
    "AUD": "100 50 20 10 5 2 1 .50 .20 .10 .05",
    "BDT": "1000 500 200 100 50 20 10 5 2 1",
    "CAD": "100 50 20 10 5 2 1 .25 .10 .05",
    "CHF": "1000 200 100 50 20 10 5 2 1 .50 .20 .10 .05",
    "CNY": "100 50 20 10 5 1 .50 .10",
    "EUR": "500 200 100 50 20 10 5 2 1 .50 .20 .10 .05 .02 .01",
    "GBP": "50 20 10 5 2 1 .50 .20 .10 .05 .02 .01",
    "INR": "500 200 100 50 20 10 5 2 1",
    "KES": "1000 500 200 100 50 40 20 10 5 1",
    "LKR": "5000 1000 500 100 50 20 10 5 2 1",
    "MYR": "100 50 20 10 5 1 .50 .20 .10 .05",
    "NGN": "1000 500 200 100 50 20 10 5",
    "NPR": "1000 500 100 50 20 10 5 2 1",
    "PKR": "5000 1000 500 100 75 50 20 10 5 2 1",
    "SAR": "500 200 100 50 20 10 5 2 1 .50 .25",
    "THB": "1000 500 100 50 20 10 5 2 1 .50 .25",
    "TZS": "10000 5000 2000 1000 500 200 100 50",
    "UGX": "50000 20000 10000 5000 2000 1000 500 200 100 50",
    "USD": "100 50 20 10 5 2 1 .50 .25 .10 .05 .01",
    "ZAR": "200 100 50 20 10 5 2 1 .50 .20 .10",
}
"""Notes and coins of the common currencies in units of it. One value stands once, be it a note or a coin."""

FISCAL_ZONES = frozenset(
    [
        "Europe/Berlin",
        "Europe/Busingen",
        "Europe/Budapest",
        "Europe/Ljubljana",
        "Europe/Rome",
        "Europe/Stockholm",
        "Europe/Vienna",
        "Europe/Warsaw",
        "Europe/Zagreb",
    ]
)
"""Time zones of countries where the law may want a certified device in every till (Germany's TSE, Austria's RKSV, …)."""
FISCAL_COUNTRIES = frozenset(["AT", "BG", "DE", "FR", "GR", "HR", "HU", "IT", "NO", "PL", "PT", "RO", "SE", "SI", "SK"])
"""The countries themselves, and others where the law wants a certified device or program, by ISO 3166."""

Pieces = tuple[tuple[int, int], ...]
"""Value (minor units) and count of each note and coin that there is."""


def may_want_fiscal(country: str, timezone: str) -> bool:
    """Whether the law of a site may want in its till what this one has not. Where nobody has said the country, its clock tells."""
    return country.upper() in FISCAL_COUNTRIES if country else timezone in FISCAL_ZONES


@dataclass(frozen=True, slots=True)
class Cash:
    """Money that was counted. Without pieces only what it comes to is known."""

    minor: int
    pieces: Pieces = ()


NOTHING = Cash(0)


def denominations(of: Currency) -> tuple[int, ...]:
    """The notes and coins of a currency in minor units, the largest first; () where they are not known here."""
    return tuple(_minor(text, of.exponent) for text in NOTES_AND_COINS.get(of.code, "").split())


def counted(pieces: Iterable[tuple[int, int]], of: Currency, field: str) -> Cash:
    """So many of each come to this; what there is none of is left out.

    Raises:
        Invalid: There is no such note or coin, it is there twice, or it is more than any drawer holds.
    """
    known, seen = denominations(of), set()
    kept = []
    for value, count in pieces:
        if value <= 0 or (known and value not in known):
            raise Invalid(
                field, "There is no note or coin of {value} (minor units) in {currency}.", value=value, currency=of.code
            )
        if value in seen:
            raise Invalid(field, "The note or coin of {value} (minor units) is counted twice.", value=value)
        if not 0 <= count <= COUNT_MAX:
            raise Invalid(field, "Between {least} and {most} of each note and coin.", least=0, most=COUNT_MAX)
        seen.add(value)
        if count:
            kept.append((value, count))
    kept.sort(reverse=True)
    return checked(Cash(sum(value * count for value, count in kept), tuple(kept)), field)


def plain(minor: int, field: str) -> Cash:
    """An amount of which nobody says in which pieces it is."""
    return checked(Cash(minor), field)


def checked(cash: Cash, field: str) -> Cash:
    """The same, if a drawer can hold so much.

    Raises:
        Invalid: It is below zero, or more than the books can move.
    """
    if not 0 <= cash.minor <= AMOUNT_MINOR_MAX:
        raise Invalid(field, "This is more than a drawer can hold, or less than nothing.")
    return cash


def _minor(text: str, exponent: int) -> int:
    whole, _point, fraction = text.partition(".")
    return int(whole or 0) * int(10**exponent) + int(fraction.ljust(exponent, "0")[:exponent] or 0)
