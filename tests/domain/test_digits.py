"""Digits of other scripts."""

from __future__ import annotations

import pytest

from appliance.db.people import people_search
from appliance.domain import money
from appliance.domain.digits import NATIVE, WESTERN
from appliance.domain.id_token import readings

BDT = money.Currency("BDT", 2)


@pytest.mark.parametrize("system", list(NATIVE))
def test_what_is_written_in_native_digits_is_read_again_wherever_something_is_read(system: str) -> None:
    written = "1712345678".translate(NATIVE[system])

    assert written.translate(WESTERN) == "1712345678"
    assert int(written) == 1712345678
    assert money.parse_amount(written, BDT) == 1712345678_00
    assert readings(written)[:2] == readings("1712345678")[:2]
    assert people_search.patterns(written)["phone"] == "1712345678"
