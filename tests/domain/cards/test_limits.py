"""What a card may do at most, decided from plain values."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.cards.limits import EVERY_DAY, NO_LIMITS, Limits, Used, decide, exceeded, within_hours

DHAKA = ZoneInfo("Asia/Dhaka")
MONDAY_NOON = datetime(2026, 11, 23, 12, tzinfo=DHAKA)
MONDAY = 1
SUNDAY = 64

minutes = st.integers(0, 7 * 1440 - 1)


def at(minute: int) -> datetime:
    """A minute of the week that begins on this Monday."""
    return MONDAY_NOON - timedelta(hours=12) + timedelta(minutes=minute)


@given(minutes, st.integers(0, 10**9), st.integers(1, 99))
def test_a_card_without_limits_may_do_all(minute: int, used: int, station: int) -> None:
    assert decide(NO_LIMITS, station, at(minute), Used(used, used, used, used)).status == "Accepted"


@pytest.mark.parametrize(
    ("limits", "used", "status"),
    [
        (Limits(stations=frozenset({1, 2})), Used(), "Accepted"),
        (Limits(stations=frozenset({2})), Used(), "NotAtThisLocation"),
        (Limits(until_minute=720), Used(), "NotAtThisTime"),
        (Limits(until_minute=721), Used(), "Accepted"),
        (Limits(weekdays=EVERY_DAY - MONDAY), Used(), "NotAtThisTime"),
        (Limits(day_energy_wh=10_000), Used(day_energy_wh=9_999), "Accepted"),
        (Limits(day_energy_wh=10_000), Used(day_energy_wh=4_000, session_energy_wh=6_000), "LimitReached"),
        (Limits(day_minor=10_000), Used(day_minor=10_000), "LimitReached"),
        (Limits(session_minor=500), Used(day_minor=10_000, session_minor=499), "Accepted"),
        (Limits(session_energy_wh=500), Used(session_energy_wh=500), "LimitReached"),
    ],
)
def test_each_limit_has_its_own_word(limits: Limits, used: Used, status: str) -> None:
    assert decide(limits, 1, MONDAY_NOON, used).status == status


def test_what_a_session_used_before_midnight_is_not_of_this_day() -> None:
    used = Used(day_energy_wh=1_000, session_energy_wh=9_000, earlier_energy_wh=8_000, earlier_minor=5)

    assert not exceeded(Limits(day_energy_wh=2_001), used)
    assert exceeded(Limits(day_energy_wh=2_000), used)
    assert exceeded(Limits(session_energy_wh=9_000), used)


@given(minutes, st.integers(0, 1439), st.integers(1, 1440), st.integers(1, EVERY_DAY))
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(
    minute: int, begin: int, end: int, weekdays: int
) -> None:
    limits = Limits(weekdays=weekdays, from_minute=begin, until_minute=end)
    length = (end - begin - 1) % 1440 + 1
    spans = [(day * 1440 + begin, day * 1440 + begin + length) for day in range(-1, 7) if weekdays >> day % 7 & 1]

    assert within_hours(limits, at(minute)) == any(first <= minute < last for first, last in spans)


def test_a_night_that_begins_on_sunday_lasts_into_monday() -> None:
    nights = Limits(weekdays=SUNDAY, from_minute=22 * 60, until_minute=6 * 60)

    assert within_hours(nights, at(5 * 60))
    assert not within_hours(nights, at(6 * 60))
    assert not within_hours(nights, at(22 * 60))
    assert within_hours(nights, at(6 * 1440 + 22 * 60))
