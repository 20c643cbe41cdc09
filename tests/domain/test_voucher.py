"""What a voucher is called, and what may become of it."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.digits import NATIVE
from appliance.domain.transitions import ImpossibleTransition
from appliance.domain.voucher import (
    OVER,
    TRANSITIONS,
    VoucherEvent,
    VoucherState,
    after,
    as_ranges,
    printed_number,
    read_number,
)

numbers = st.integers(1, 9_999)


@given(numbers, numbers, st.sampled_from(["-", "–", "/"]))
def test_a_number_is_read_in_any_digits(batch: int, number: int, dash: str) -> None:
    text = printed_number(batch, number)
    assert read_number(text) == (batch, number)
    assert read_number(f" #{text.replace('-', dash).translate(NATIVE['beng'])} ") == (batch, number)


@pytest.mark.parametrize("text", ["", "-", "7", "12-", "-7", "12-7-1", "a-1", "1234-5678-9012", "123456-789012", "²-1"])
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_number(text) is None


@given(st.sets(st.integers(1, 60)))
def test_ranges_are_the_numbers(found: set[int]) -> None:
    ranges = as_ranges(sorted(found))
    assert [one for first, last in ranges for one in range(first, last + 1)] == sorted(found)
    assert all(later[0] > earlier[1] + 1 for earlier, later in pairwise(ranges))


def test_nothing_leads_out_of_a_state_that_is_the_last() -> None:
    for state, event in product(OVER, VoucherEvent):
        with pytest.raises(ImpossibleTransition):
            after(state, event)
    assert {state for state, _ in TRANSITIONS} == {None, *VoucherState} - OVER
