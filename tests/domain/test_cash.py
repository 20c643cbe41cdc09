"""Cash as it is counted."""

from __future__ import annotations

import pytest

from appliance.domain.cash import COUNT_MAX, NOTES_AND_COINS, Cash, counted, denominations, may_want_fiscal, plain
from appliance.domain.errors import Invalid
from appliance.domain.ledger import AMOUNT_MINOR_MAX
from appliance.domain.money import Currency, currency

TAKA, YEN = Currency("BDT", 2), Currency("JPY", 0)


def test_the_notes_and_coins_of_a_currency_are_minor_units_and_the_largest_comes_first() -> None:
    assert denominations(TAKA)[:3] == (100_000, 50_000, 20_000)
    assert denominations(currency("EUR"))[-3:] == (5, 2, 1)
    assert denominations(currency("UGX"))[0] == 50_000
    assert denominations(YEN) == ()


@pytest.mark.parametrize("code", NOTES_AND_COINS)
def test_every_table_falls_and_holds_no_value_twice(code: str) -> None:
    found = denominations(currency(code))

    assert list(found) == sorted(set(found), reverse=True)
    assert min(found) > 0


def test_a_count_is_summed_up_and_what_there_is_none_of_is_left_out() -> None:
    assert counted([(1_000, 3), (100_000, 2), (500, 0)], TAKA, "float") == Cash(203_000, ((100_000, 2), (1_000, 3)))


def test_where_no_table_is_known_any_value_counts() -> None:
    assert counted([(2_000, 1)], YEN, "float").minor == 2_000


@pytest.mark.parametrize(
    "pieces",
    [
        [(333, 1)],
        [(0, 1)],
        [(-1_000, 1)],
        [(1_000, -1)],
        [(1_000, COUNT_MAX + 1)],
        [(1_000, 1), (1_000, 2)],
        [(100_000, COUNT_MAX), (50_000, COUNT_MAX), (20_000, COUNT_MAX), (10_000, COUNT_MAX), (5_000, COUNT_MAX)] * 2,
    ],
)
def test_what_no_drawer_holds_is_refused(pieces: list[tuple[int, int]]) -> None:
    with pytest.raises(Invalid) as refused:
        counted(pieces, TAKA, "counted")

    assert refused.value.field == "counted"


@pytest.mark.parametrize("minor", [-1, AMOUNT_MINOR_MAX + 1])
def test_a_plain_amount_has_the_same_bounds(minor: int) -> None:
    assert plain(AMOUNT_MINOR_MAX, "float").minor == AMOUNT_MINOR_MAX
    with pytest.raises(Invalid):
        plain(minor, "float")


@pytest.mark.parametrize(
    ("country", "timezone", "wants"),
    [
        ("DE", "Asia/Dhaka", True),
        ("at", "Europe/Vienna", True),
        ("BD", "Asia/Dhaka", False),
        ("CH", "Europe/Busingen", False),
        ("", "Europe/Busingen", True),
        ("", "Europe/Zurich", False),
    ],
)
def test_the_country_says_whether_the_law_may_want_a_device_and_else_the_clock_does(
    country: str, timezone: str, wants: bool
) -> None:
    assert may_want_fiscal(country, timezone) is wants
