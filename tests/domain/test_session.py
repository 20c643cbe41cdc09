"""What a session may be billed without anybody's look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.session import POWER_W_MAX, SLACK_WH, doubt_about

MOST_WH = 500_000


@pytest.mark.parametrize(
    ("energy_wh", "duration_s", "doubt"),
    [
        (None, 3600, "registers"),
        (0, 0, ""),
        (SLACK_WH, 0, ""),
        (SLACK_WH + 1, 0, "too_fast"),
        (499_000, 0, "too_fast"),
        (400_000 + SLACK_WH, 3600, ""),
        (400_001 + SLACK_WH, 3600, "too_fast"),
        (MOST_WH, 86_400, ""),
        (MOST_WH + 1, 86_400, "too_much"),
    ],
)
def test_energy_is_believed_up_to_what_a_charger_gives_in_its_time(
    energy_wh: int | None, duration_s: int, doubt: str
) -> None:
    assert doubt_about(energy_wh, duration_s, MOST_WH) == doubt


@given(st.integers(0, POWER_W_MAX), st.integers(0, 604_800), st.integers(0, 59), st.integers(0, 999))
def test_no_charger_that_gives_what_it_can_is_doubted(power_w: int, true_s: int, lost_s: int, rounded_wh: int) -> None:
    """Its clock may tell whole minutes, and its register whole kilowatt-hours."""
    energy_wh = power_w * true_s // 3600 + rounded_wh

    assert doubt_about(energy_wh, max(0, true_s - lost_s), 2**53) == ""
