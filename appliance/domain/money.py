"""Money: the currencies there are, amounts in minor units, the one rounding function, and how an amount is read from a keyboard.

Amounts are integers in the currency's minor unit (ISO 4217), never floats. How an amount is shown in a reader's own
language is the pages' business; what a session costs is in `tariff`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.domain.digits import ZEROS
from appliance.domain.errors import Invalid

AMOUNT_MINOR_MAX = 2**53 - 1
"""The greatest amount that is read: every program that speaks JSON still holds it exactly."""
AMOUNT_CHARS_MAX = 40
PRICE_DECIMALS = 3
"""Prices per kWh and per minute are kept in thousandths of a minor unit."""

OTHER_EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""The currencies of ISO 4217 whose minor unit is not a hundredth."""
EXPONENTS = {code: exponent for exponent, codes in OTHER_EXPONENTS.items() for code in codes.split()}

ACTIVE = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
    CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA
    MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD
    RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
"""The active alphabetic codes of ISO 4217 that have a minor unit: without gold, test codes and the like."""
CODES = frozenset(ACTIVE.split())

SUCCESSORS = {"ANG": "XCG", "BGN": "EUR", "CUC": "CUP", "HRK": "EUR", "SLL": "SLE", "ZWL": "ZWG"}
"""Codes that were withdrawn in the last years, and what is used instead."""

N_ = str
"""Marks a sentence for the catalogs; whoever shows it looks it up."""


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and how many decimals its minor unit has: BDT 2, JPY 0, KWD 3."""

    code: str
    exponent: int


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, in minor units of its currency. May be negative."""

    minor: int
    currency: Currency

    def __str__(self) -> str:
        """For logs and exports: `12.50 BDT`."""
        return f"{format_amount(self.minor, self.currency)} {self.currency.code}"


class UnknownCurrency(Invalid):
    """No such code in ISO 4217, or one that is no longer in use."""


class AmountUnreadable(Invalid):
    """What was typed is not one amount beyond doubt; `key` names the reason for programs."""

    def __init__(self, field: str, key: str, **values: object) -> None:
        message, advice = UNREADABLE[key]
        super().__init__(field, message, advice, **values)
        self.key = key


UNREADABLE = {
    "empty": (N_("No amount was given."), N_("Write a number such as {example}.")),
    "too_long": (N_("This is too long for an amount."), N_("Write a number such as {example}.")),
    "sign": (N_("“{text}” has a sign."), N_("Write the amount without plus, minus or brackets, such as {example}.")),
    "character": (
        N_("“{character}” in “{text}” is not part of a number."),
        N_("Write digits only, without the currency, such as {example}."),
    ),
    "mixed_digits": (
        N_("“{text}” mixes digits of two scripts, which look alike but differ."),
        N_("Write all digits in the same script."),
    ),
    "ambiguous": (
        N_("“{text}” can be read in two ways: its comma may separate thousands or decimals."),
        N_("Write {with_point} or {without_comma}."),
    ),
    "grouping": (
        N_("The digits of “{text}” are grouped in a way that leaves the amount in doubt."),
        N_("Write it without separators between thousands, such as {example}."),
    ),
    "mark": (
        N_("“{text}” has no digit on one side of its decimal mark."),
        N_("Write a digit before and after it, such as {example}."),
    ),
    "no_decimals": (
        N_("“{text}” has decimals, but {currency} has none."),
        N_("Write a whole number such as {example}."),
    ),
    "too_many_decimals": (
        N_("“{text}” has more decimals than the {decimals} that can be kept."),
        N_("Write at most {decimals} decimals, such as {example}."),
    ),
    "too_large": (N_("“{text}” is too large."), N_("Check the number of digits.")),
}
"""Why an amount is not read: what happened, and what to do."""


def currency(code: str) -> Currency:
    """The currency of this ISO 4217 code, in capitals or not; UnknownCurrency when there is none with a minor unit."""
    known = code.strip().upper()
    if known not in CODES:
        if known in SUCCESSORS:
            raise UnknownCurrency(
                "currency",
                N_("The currency {code} is no longer in use."),
                N_("Use {successor} instead."),
                code=known,
                successor=SUCCESSORS[known],
            )
        raise UnknownCurrency(
            "currency",
            N_("There is no currency “{code}”."),
            N_("Give one of the three-letter codes of ISO 4217, such as BDT, EUR or USD."),
            code=code[:AMOUNT_CHARS_MAX],
        )
    return Currency(known, EXPONENTS.get(known, 2))


def round_half_even(numerator: int, denominator: int) -> int:
    """The whole number nearest to numerator / denominator (positive); of two equally near, the even one.

    The only rounding of money there is.
    """
    quotient, remainder = divmod(numerator, denominator)
    doubled = remainder + remainder
    if doubled > denominator or (doubled == denominator and quotient & 1):
        return quotient + 1
    return quotient


def allocate(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Shares of a total in proportion to the weights, by the largest remainder; they sum to the total exactly.

    No share is off its proportion by a whole unit; of equal remainders the earlier is served first. When all weights
    are zero the first takes everything. Raises ValueError without weights or with a negative one.
    """
    if not weights or min(weights) < 0:
        raise ValueError("a total is shared out by at least one weight, and none is negative")
    if total_minor < 0:
        return [-share for share in allocate(-total_minor, weights)]
    whole = sum(weights)
    if whole == 0:
        return [total_minor] + [0] * (len(weights) - 1)
    shares = []
    remainders = []
    for weight in weights:
        share, remainder = divmod(total_minor * weight, whole)
        shares.append(share)
        remainders.append(remainder)
    by_remainder = sorted(range(len(weights)), key=remainders.__getitem__, reverse=True)
    for index in by_remainder[: total_minor - sum(shares)]:
        shares[index] += 1
    return shares


def parse_amount(text: str, of: Currency, field: str = "amount") -> int:
    """The minor units of an amount as people type it, in the digits of any script that is read here.

    Thousands may be grouped (1,234.50 or 1.234,50 or 1 234,50 or 1,00,000.50). A lone point is the decimal mark. A lone
    comma before exactly three digits groups thousands where the currency has fewer decimals than that, and is refused
    where it may be either. Raises AmountUnreadable (with `field`) for all that leaves doubt, and for signs.
    """
    return _read(text, of.exponent, of, field)


def parse_price(text: str, of: Currency, field: str = "price") -> int:
    """Thousandths of a minor unit, from a price in the currency's major unit: `18.5` in BDT is 1_850_000."""
    return _read(text, of.exponent + PRICE_DECIMALS, of, field)


def format_amount(minor: int, of: Currency) -> str:
    """Western digits, a point, all decimals and no groups: `-1234.50`. `parse_amount` reads it back."""
    return _decimal_text(minor, of.exponent)


def format_price(milli: int, of: Currency) -> str:
    """A price as `parse_price` reads it, without zeros that say nothing beyond the minor unit: `18.50`, `18.505`."""
    text = _decimal_text(milli, of.exponent + PRICE_DECIMALS)
    whole, _, fraction = text.partition(".")
    fraction = fraction[: of.exponent] + fraction[of.exponent :].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _decimal_text(number: int, decimals: int) -> str:
    sign = "-" if number < 0 else ""
    if decimals == 0:
        return f"{sign}{abs(number)}"
    whole, fraction = divmod(abs(number), 10**decimals)
    return f"{sign}{whole}.{fraction:0{decimals}d}"


INVISIBLE = " \t\r\n\u00a0\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u202a\u202b\u202c"
"""Blanks and marks of writing direction, which come along when an amount is copied from a page."""
SIGNS = frozenset("+-\u2212\u2013()")
DIGITS = {chr(ord(zero) + digit): (str(digit), zero) for zero in ZEROS.values() for digit in range(10)}
GROUP, DECIMAL = "_", "d"
SEPARATORS = {
    ".": ".",
    ",": ",",
    "\u060c": ",",  # The Arabic comma is on the key of the comma.
    **dict.fromkeys(" \u00a0\u202f\u2009\u2007", GROUP),
    **dict.fromkeys("'\u2019\u066c", "'"),
    "\u066b": DECIMAL,
}


def _read(text: str, decimals: int, of: Currency, field: str) -> int:
    typed = text.strip(INVISIBLE)
    example = _decimal_text(12345 * 10**of.exponent // 10, of.exponent)
    values = {"text": typed, "example": example, "currency": of.code, "decimals": decimals}
    if not typed:
        raise AmountUnreadable(field, "empty", **values)
    if len(typed) > AMOUNT_CHARS_MAX:
        raise AmountUnreadable(field, "too_long", **values)
    plain, scripts = [], set()
    for character in typed:
        if character in DIGITS:
            digit, script = DIGITS[character]
            plain.append(digit)
            scripts.add(script)
        elif character in SEPARATORS:
            plain.append(SEPARATORS[character])
        else:
            raise AmountUnreadable(field, "sign" if character in SIGNS else "character", character=character, **values)
    if len(scripts) > 1:
        # A Bengali four looks like a Western eight, and a Bengali seven like a nine.
        raise AmountUnreadable(field, "mixed_digits", **values)
    whole, fraction, doubt = _split("".join(plain), decimals)
    if doubt == "ambiguous":
        thousands, _, rest = "".join(plain).partition(",")
        values |= {"with_point": f"{thousands}.{rest}", "without_comma": thousands + rest}
    if doubt:
        raise AmountUnreadable(field, doubt, **values)
    if len(fraction) > decimals:
        raise AmountUnreadable(field, "too_many_decimals" if decimals else "no_decimals", **values)
    number: int = int(whole) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if number > AMOUNT_MINOR_MAX:
        raise AmountUnreadable(field, "too_large", **values)
    return number


def _split(plain: str, decimals: int) -> tuple[str, str, str]:
    """Digits before and after the decimal mark, and what is in doubt ("" when nothing is)."""
    mark = _decimal_mark(plain, decimals)
    if mark == "?":
        return "", "", "ambiguous"
    whole, found, fraction = plain.rpartition(mark) if mark else (plain, "", "")
    if (found and not fraction) or not whole:
        return "", "", "mark"
    if (found and not fraction.isdecimal()) or not _is_grouped(whole):
        return "", "", "grouping"
    return "".join(filter(str.isdecimal, whole)), fraction, ""


def _decimal_mark(plain: str, decimals: int) -> str:
    """The sign that separates the decimals, "" when all others group, "?" when it may be either."""
    if DECIMAL in plain:
        return DECIMAL
    points, commas = plain.count("."), plain.count(",")
    if points and commas:
        return "." if plain.rindex(".") > plain.rindex(",") else ","
    if points + commas != 1:
        return ""
    grouped_otherwise = GROUP in plain or "'" in plain
    if points or grouped_otherwise:
        return "." if points else ","
    before, _, after = plain.partition(",")
    if len(after) != 3 or not 1 <= len(before) <= 3 or before.startswith("0"):
        return ","
    return "?" if decimals >= 3 else ""


def _is_grouped(whole: str) -> bool:
    """Whether these are digits alone, or in groups of three, or as in South Asia: the last three, the others two."""
    if whole.isdecimal():
        return True
    separators = {character for character in whole if not character.isdecimal()}
    if len(separators) > 1 or whole.startswith("0"):
        return False
    first, *middle, last = whole.split(separators.pop())
    if len(last) != 3:
        return False
    by_thousand = 1 <= len(first) <= 3 and all(len(group) == 3 for group in middle)
    by_lakh = 1 <= len(first) <= 2 and all(len(group) == 2 for group in middle)
    return by_thousand or by_lakh
