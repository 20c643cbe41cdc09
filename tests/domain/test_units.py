"""Numbers and times as stations write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.units import AT_MS_END, INTEGER_MAX, parse_rfc3339, rfc3339, to_integer

FIVE_O_CLOCK_MS = 1_795_410_000_000


@pytest.mark.parametrize(
    ("text", "factor", "number"),
    [
        ("0", 1, 0),
        ("1234567", 1, 1234567),
        ("7", 1000, 7000),
        ("7.2", 1000, 7200),
        ("230.10000000000002", 1000, 230100),
        ("0.1", 1000, 100),
        ("-3.5", 1000, -3500),
        ("+16.25", 1000, 16250),
        (" 12 ", 1, 12),
        ("12.5", 1, 13),
        ("12.4999999999999999999999999999999999999999", 1, 12),
        ("-12.5", 1, -13),
        (".5", 1000, 500),
        ("5.", 1, 5),
        ("1.5E3", 1, 1500),
        ("1e-9", 1, 0),
        ("1e-99999999999", 1, 0),
        ("৭.২", 1000, 7200),
        (str(2**53), 1, 2**53),
        (str(-(2**53)), 1, -(2**53)),
    ],
)
def test_decimal_string_becomes_an_exact_integer(text: str, factor: int, number: int) -> None:
    assert to_integer(text, factor) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1,5",
        "1_000",
        "1_000.5",
        "-1_000",
        "0x10",
        "1.2.3",
        "--1",
        "²",
        "1e999999999",
        "9" * 65,
        str(2**53 + 1),
        str(-(2**53) - 1),
        str(2**70),
        "9007199254740992.1",
        "1" * 5000,
        "null",
    ],
)
def test_what_is_no_number_within_bounds_is_none(text: str) -> None:
    assert to_integer(text) is None


def test_product_beyond_the_bound_is_none() -> None:
    assert to_integer(str(2**53), 1000) is None
    assert to_integer("9007199254740.993", 1000) is None
    assert to_integer("9007199254740.992", 1000) == 2**53


@given(st.decimals(-(10**12), 10**12, places=6), st.sampled_from([1, 1000]))
def test_conversion_agrees_with_exact_fractions(number: object, factor: int) -> None:
    exact = Fraction(str(number)) * factor
    nearest = int(abs(exact) + Fraction(1, 2))
    assert to_integer(str(number), factor) == (nearest if exact >= 0 else -nearest)


@given(st.from_regex(r"[0-9]{1,17}(\.[0-9]{1,8})?", fullmatch=True), st.sampled_from([1, 1000]))
def test_sign_and_exponent_change_nothing_but_the_way_it_is_written(text: str, factor: int) -> None:
    number = to_integer(text, factor)
    assert to_integer(f"+{text}", factor) == number
    assert to_integer(f"{text}e0", factor) == number
    assert to_integer(f"-{text}", factor) == (None if number is None else -number)


@given(st.text(max_size=30) | st.text(alphabet="0123456789.eE+-_ NaIf", max_size=30))
def test_any_text_is_a_number_within_bounds_or_none(text: str) -> None:
    number = to_integer(text, 1000)
    assert number is None or -INTEGER_MAX <= number <= INTEGER_MAX


def test_time_is_written_with_milliseconds_and_z() -> None:
    assert rfc3339(FIVE_O_CLOCK_MS) == "2026-11-23T05:00:00.000Z"
    assert rfc3339(FIVE_O_CLOCK_MS + 7) == "2026-11-23T05:00:00.007Z"
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T05:00:00Z",
        "2026-11-23T05:00:00.000Z",
        "2026-11-23T05:00:00.0004999999999Z",
        "2026-11-23T05:00:00",
        "2026-11-23T05:00:00.000",
        "2026-11-23t05:00:00z",
        "2026-11-23 05:00:00",
        "2026-11-23 05:00:00Z",
        "2026-11-23T05:00:00 Z",
        "2026-11-23T05:00Z",
        "2026-11-23T05:00:00,0Z",
        "2026-11-23T05:00:00.Z",
        "2026-11-23T05:00:00UTC",
        "2026-11-23T08:00:00+03",
        "2026-11-23T08:00:00+0300",
        "2026-11-23T08:00:00+03:00",
        "2026-11-23T8:00:00+3:00",
        "2026-11-23T00:30:00-04:30",
        "2026-11-23T00:30:00.000-0430",
        "2026-11-23t11:00:00.000000+06:00",
        " 2026-11-23T05:00:00Z\n",
        "2026-11-23T05:00:00-00:00",
        "2026-11-23T04:59:60Z",
    ],
)
def test_same_moment_is_read_in_every_way_stations_write_it(text: str) -> None:
    assert parse_rfc3339(text) == FIVE_O_CLOCK_MS


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-11-23T05:00:00.1Z", FIVE_O_CLOCK_MS + 100),
        ("2026-11-23T05:00:00.12z", FIVE_O_CLOCK_MS + 120),
        ("2026-11-23T05:00:00.1239999Z", FIVE_O_CLOCK_MS + 123),
        ("2026-11-23t05:00:00.123456789012Z", FIVE_O_CLOCK_MS + 123),
        ("2026-11-22T23:59:60.5Z", FIVE_O_CLOCK_MS - 5 * 3_600_000 + 500),
        ("2026-11-22T24:00:00Z", FIVE_O_CLOCK_MS - 5 * 3_600_000),
        ("1970-01-01T00:00:00Z", 0),
        ("9998-12-31T23:59:59.999Z", AT_MS_END - 1),
    ],
)
def test_time_is_read_to_the_millisecond(text: str, at_ms: int) -> None:
    assert parse_rfc3339(text) == at_ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-11-23",
        "2026-W48-1",
        "20261123T050000Z",
        "2026-11-23x05:00:00Z",
        "2026-11-23T25:00:00Z",
        "2026-11-23T24:00:01Z",
        "2026-11-23T05:60:00Z",
        "2026-11-23T05:00:61Z",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-23T05:00:00+24:00",
        "2026-11-23t05:00:00+03:75",
        "1969-12-31T23:59:59Z",
        "9999-01-01T00:00:00Z",
        "9999-12-31T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "২০২৬-11-23T05:00:00Z",
        "1795410000",
        "2026-11-23T05:00:00." + "0" * 60 + "Z",
        "2026-11-23T\x00",
    ],
)
def test_unreadable_time_is_none(text: str) -> None:
    assert parse_rfc3339(text) is None


@given(st.integers(0, AT_MS_END - 1))
def test_time_written_is_read_back(at_ms: int) -> None:
    assert parse_rfc3339(rfc3339(at_ms)) == at_ms


OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MICROSECONDS = st.integers(366 * 86_400 * 10**6, (AT_MS_END - 400 * 86_400_000) * 1000)


@given(MICROSECONDS, OFFSETS, st.booleans())
def test_any_offset_is_read_as_the_same_moment(at_us: int, offset: timezone, small: bool) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    text = moment.astimezone(offset).isoformat()
    assert parse_rfc3339(text.lower() if small else text) == at_us // 1000


@given(st.text(max_size=40) | st.text(alphabet="0123456789-:.,+tTzZ ", max_size=40))
def test_any_text_is_a_time_within_bounds_or_none(text: str) -> None:
    at_ms = parse_rfc3339(text)
    assert at_ms is None or 0 <= at_ms < AT_MS_END
