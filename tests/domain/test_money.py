"""Currencies, rounding, sharing out, and amounts as people type them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.errors import Invalid
from appliance.domain.money import (
    ACTIVE,
    AMOUNT_MINOR_MAX,
    CODES,
    EXPONENTS,
    SUCCESSORS,
    AmountUnreadable,
    Currency,
    Money,
    UnknownCurrency,
    allocate,
    currency,
    format_amount,
    format_price,
    parse_amount,
    parse_price,
    round_half_even,
)

BDT, JPY, KWD, CLF = currency("BDT"), currency("JPY"), currency("KWD"), currency("CLF")
CURRENCIES = st.sampled_from([BDT, JPY, KWD, CLF])
AMOUNTS = st.integers(0, AMOUNT_MINOR_MAX)
BENGALI = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@pytest.mark.parametrize(("code", "exponent"), [("BDT", 2), ("EUR", 2), ("JPY", 0), ("UGX", 0), ("KWD", 3), ("CLF", 4)])
def test_currency_knows_the_exponent_of_its_minor_unit(code: str, exponent: int) -> None:
    assert currency(code) == Currency(code, exponent)


def test_currency_is_found_in_small_letters() -> None:
    assert currency(" bdt ") == BDT


def test_table_of_currencies_is_well_formed_and_in_order() -> None:
    codes = ACTIVE.split()
    assert all(first < second for first, second in pairwise(codes))
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in codes)
    assert set(EXPONENTS) <= CODES
    assert set(SUCCESSORS.values()) <= CODES
    assert not set(SUCCESSORS) & CODES


@pytest.mark.parametrize("code", ["", "BDX", "XXX", "XAU", "TAKA", "৳", "BD"])
def test_code_that_is_no_currency_is_refused_with_advice(code: str) -> None:
    with pytest.raises(UnknownCurrency, match="There is no currency") as refused:
        currency(code)
    assert "ISO 4217" in refused.value.advice


@pytest.mark.parametrize(("code", "successor"), SUCCESSORS.items())
def test_withdrawn_currency_is_refused_with_its_successor(code: str, successor: str) -> None:
    with pytest.raises(UnknownCurrency, match="no longer in use") as refused:
        currency(code)
    assert refused.value.advice.format(**refused.value.values) == f"Use {successor} instead."


def test_money_reads_as_amount_and_code() -> None:
    assert str(Money(1250, BDT)) == "12.50 BDT"
    assert str(Money(-5, KWD)) == "-0.005 KWD"


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (0, 7, 0),
        (5, 10, 0),
        (15, 10, 2),
        (25, 10, 2),
        (26, 10, 3),
        (-5, 10, 0),
        (-15, 10, -2),
        (-16, 10, -2),
        (1, 3, 0),
    ],
)
def test_half_is_rounded_to_even(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_even(numerator, denominator) == rounded


@given(st.integers(), st.integers(1))
def test_rounding_agrees_with_exact_fractions(numerator: int, denominator: int) -> None:
    assert round_half_even(numerator, denominator) == round(Fraction(numerator, denominator))


WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)


@given(st.integers(-(10**12), 10**12), WEIGHTS)
def test_shares_sum_to_the_total_and_none_is_off_by_a_unit(total_minor: int, weights: list[int]) -> None:
    shares = allocate(total_minor, weights)
    assert sum(shares) == total_minor
    whole = sum(weights)
    if whole:
        assert all(
            abs(share - Fraction(total_minor * weight, whole)) < 1
            for share, weight in zip(shares, weights, strict=True)
        )
        assert all(share == 0 for share, weight in zip(shares, weights, strict=True) if weight == 0)


@given(st.integers(0, 10**12), WEIGHTS)
def test_greater_weight_never_gets_the_smaller_share(total_minor: int, weights: list[int]) -> None:
    in_order = sorted(weights, reverse=True)
    shares = allocate(total_minor, in_order)
    assert shares == sorted(shares, reverse=True)


def test_equal_remainders_are_served_in_order() -> None:
    assert allocate(5, [1, 1, 1]) == [2, 2, 1]
    assert allocate(-5, [1, 1, 1]) == [-2, -2, -1]


def test_without_any_weight_the_first_takes_everything() -> None:
    assert allocate(7, [0, 0]) == [7, 0]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_total_is_not_shared_out_by_nothing_or_by_negative_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one weight"):
        allocate(7, weights)


@pytest.mark.parametrize(
    ("text", "of", "minor"),
    [
        ("0", BDT, 0),
        ("500", BDT, 50000),
        ("007", BDT, 700),
        ("12.5", BDT, 1250),
        ("12,5", BDT, 1250),
        ("12,50", BDT, 1250),
        ("0.05", BDT, 5),
        (" 12.50\u00a0", BDT, 1250),
        ("\u200f٥٠٠\u200f", BDT, 50000),
        ("১২৩৪.৫০", BDT, 123450),
        ("১,২৩,৪৫৬.৭৮", BDT, 12345678),
        ("٥٠٠٫٢٥", BDT, 50025),
        ("١٬٢٣٤٫٥٠", BDT, 123450),
        ("۱۲٫۵", BDT, 1250),
        ("12،5", BDT, 1250),
        ("1,234", BDT, 123400),
        ("1,234.50", BDT, 123450),
        ("1.234,50", BDT, 123450),
        ("1 234,50", BDT, 123450),
        ("1\u202f234.5", BDT, 123450),
        ("1'234.50", BDT, 123450),
        ("1,00,000", BDT, 10000000),
        ("12,34,567.89", BDT, 123456789),
        ("1,234,567", BDT, 123456700),
        ("1.234.567", BDT, 123456700),
        ("123,456", JPY, 123456),
        ("1,234", JPY, 1234),
        ("1.234", KWD, 1234),
        ("0,234", KWD, 234),
        ("1234,500", KWD, 1234500),
        ("1 234,567", KWD, 1234567),
        ("1,234.567", KWD, 1234567),
        ("1,5", KWD, 1500),
        ("1.2345", CLF, 12345),
    ],
)
def test_amount_is_read_as_people_write_it(text: str, of: Currency, minor: int) -> None:
    assert parse_amount(text, of) == minor


@pytest.mark.parametrize(
    ("text", "of", "key"),
    [
        ("", BDT, "empty"),
        (" \u200f ", BDT, "empty"),
        ("1" * 41, BDT, "too_long"),
        ("-5", BDT, "sign"),
        ("+5", BDT, "sign"),
        ("\u22125", BDT, "sign"),
        ("5-", BDT, "sign"),
        ("(5)", BDT, "sign"),
        ("৳5", BDT, "character"),
        ("5 BDT", BDT, "character"),
        ("1e3", BDT, "character"),
        ("1_000", BDT, "character"),
        ("٣²", BDT, "character"),
        ("1২", BDT, "mixed_digits"),
        ("٥۵", BDT, "mixed_digits"),
        ("1,234", KWD, "ambiguous"),
        ("12،345", KWD, "ambiguous"),
        ("123,456", CLF, "ambiguous"),
        ("1,2345,678", BDT, "grouping"),
        ("1,23,45", BDT, "grouping"),
        ("123,45,678", BDT, "grouping"),
        ("1,234 567", KWD, "grouping"),
        ("12 34", BDT, "grouping"),
        ("1.5.5", BDT, "grouping"),
        ("1,234,5.6", BDT, "grouping"),
        ("1.234,567.8", BDT, "grouping"),
        ("1 234'567", BDT, "grouping"),
        ("0,123,456", BDT, "grouping"),
        ("1,,234", BDT, "grouping"),
        ("1  234", BDT, "grouping"),
        ("1.2 3", BDT, "grouping"),
        ("1٫2٫3", BDT, "grouping"),
        (",234,567", BDT, "grouping"),
        (".5", BDT, "mark"),
        ("5.", BDT, "mark"),
        (",50", BDT, "mark"),
        ("5,", BDT, "mark"),
        (".", BDT, "mark"),
        ("1.5", JPY, "no_decimals"),
        ("1.234", JPY, "no_decimals"),
        ("12,5", JPY, "no_decimals"),
        ("1.234", BDT, "too_many_decimals"),
        ("12.500", BDT, "too_many_decimals"),
        ("0,123", BDT, "too_many_decimals"),
        ("1234,567", BDT, "too_many_decimals"),
        ("1 234,567", BDT, "too_many_decimals"),
        ("1.2345", KWD, "too_many_decimals"),
        ("90071992547409.92", BDT, "too_large"),
        ("9999999999999999999999", JPY, "too_large"),
    ],
)
def test_amount_in_doubt_is_refused_with_a_reason_and_advice(text: str, of: Currency, key: str) -> None:
    with pytest.raises(AmountUnreadable) as refused:
        parse_amount(text, of)
    error = refused.value
    assert error.key == key
    assert error.field == "amount"
    sentences = [str(error), error.advice.format(**error.values)]
    assert all(sentence and sentence.endswith(".") and "{" not in sentence for sentence in sentences)


def test_ambiguous_amount_is_answered_with_both_ways_to_write_it() -> None:
    with pytest.raises(AmountUnreadable) as refused:
        parse_amount("১,২৩৪", KWD)
    error = refused.value
    assert isinstance(error, Invalid)
    assert error.advice.format(**error.values) == "Write 1.234 or 1234."
    assert parse_amount("1.234", KWD) != parse_amount("1234", KWD)


@pytest.mark.parametrize(("of", "example"), [(BDT, "1234.50"), (JPY, "1234"), (KWD, "1234.500"), (CLF, "1234.5000")])
def test_example_in_an_advice_can_be_read_itself(of: Currency, example: str) -> None:
    with pytest.raises(AmountUnreadable) as refused:
        parse_amount("", of)
    assert refused.value.values["example"] == example
    assert format_amount(parse_amount(example, of), of) == example


def test_field_of_the_form_is_named_in_the_refusal() -> None:
    with pytest.raises(AmountUnreadable) as refused:
        parse_amount("", BDT, "topup")
    assert refused.value.field == "topup"


@given(AMOUNTS, CURRENCIES, st.sampled_from([{}, BENGALI, ARABIC, PERSIAN]))
def test_what_is_formatted_is_read_back_in_every_script(minor: int, of: Currency, digits: dict[int, int]) -> None:
    assert parse_amount(format_amount(minor, of).translate(digits), of) == minor


@given(AMOUNTS, CURRENCIES, st.sampled_from([",", " ", "'", "\u202f", "\u066c"]))
def test_grouped_amount_with_a_point_is_read_back(minor: int, of: Currency, separator: str) -> None:
    whole, point, fraction = format_amount(minor, of).partition(".")
    grouped = f"{int(whole):,}".replace(",", separator) + point + fraction
    assert parse_amount(grouped, of) == minor


@given(st.text(alphabet="0159২٥۵.,' \u066b-+e৳\u200f", max_size=12), CURRENCIES)
def test_any_text_is_either_an_amount_or_refused(text: str, of: Currency) -> None:
    try:
        minor = parse_amount(text, of)
    except AmountUnreadable:
        return
    assert 0 <= minor <= AMOUNT_MINOR_MAX
    assert parse_amount(format_amount(minor, of), of) == minor


@pytest.mark.parametrize(
    ("text", "of", "milli"),
    [
        ("18.5", BDT, 1_850_000),
        ("18", BDT, 1_800_000),
        ("0.00125", BDT, 125),
        ("12.345", JPY, 12_345),
        ("৮.৫", BDT, 850_000),
    ],
)
def test_price_is_read_to_a_thousandth_of_the_minor_unit(text: str, of: Currency, milli: int) -> None:
    assert parse_price(text, of) == milli


def test_price_with_a_comma_before_three_digits_is_refused() -> None:
    with pytest.raises(AmountUnreadable) as refused:
        parse_price("1,234", BDT)
    assert (refused.value.key, refused.value.field) == ("ambiguous", "price")


@pytest.mark.parametrize(
    ("milli", "of", "text"),
    [
        (1_850_000, BDT, "18.50"),
        (1_850_500, BDT, "18.505"),
        (0, BDT, "0.00"),
        (12_000, JPY, "12"),
        (12_500, JPY, "12.5"),
    ],
)
def test_price_is_shown_with_the_decimals_that_say_something(milli: int, of: Currency, text: str) -> None:
    assert format_price(milli, of) == text


@given(st.integers(0, 10**12), CURRENCIES)
def test_formatted_price_is_read_back(milli: int, of: Currency) -> None:
    assert parse_price(format_price(milli, of), of) == milli
