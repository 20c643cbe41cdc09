"""Which hours a window has on the days on which clocks change, and over midnight."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from appliance.domain.pricing.reckoning import price
from tests.support.price_lines import amounts, line, moment, session, terms

BERLIN, NEW_YORK, DHAKA = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Dhaka")
NIGHT = terms(line("duration", 1, from_time="22:00", to_time="06:00"), line("duration", 100))
"""One a minute at night, a hundred by day."""


@pytest.mark.parametrize(
    ("zone", "day", "next_day", "hours_of_night"),
    [
        (BERLIN, "2026-03-28", "2026-03-29", 7),
        (BERLIN, "2026-10-24", "2026-10-25", 9),
        (NEW_YORK, "2026-03-07", "2026-03-08", 7),
        (NEW_YORK, "2026-10-31", "2026-11-01", 9),
        (DHAKA, "2026-03-28", "2026-03-29", 8),
        (DHAKA, "2026-10-24", "2026-10-25", 8),
    ],
)
def test_night_has_the_hours_that_the_wall_clock_shows(
    zone: ZoneInfo, day: str, next_day: str, hours_of_night: int
) -> None:
    minutes = (moment(f"{next_day}T07:00", zone) - moment(f"{day}T21:00", zone)) / 60_000
    bill = price(session(f"{day}T21:00", zone, (minutes, 1, True)), NIGHT, zone)
    assert amounts(bill) == [("duration", hours_of_night * 60), ("duration", 2 * 60 * 100)]


def test_hour_that_the_clocks_repeat_is_priced_twice_and_one_that_they_leave_out_is_not_there() -> None:
    tariff = terms(line("energy", 100, from_time="02:00", to_time="03:00"), gaps_are_free=True)
    twice = session("2026-10-25T01:00", BERLIN, (4 * 60, 4, True))
    assert amounts(price(twice, tariff, BERLIN)) == [("energy", 200)]
    never = session("2026-03-29T01:00", BERLIN, (3 * 60, 3, True))
    assert amounts(price(never, tariff, BERLIN)) == []


def test_window_in_the_middle_of_the_repeated_hour_is_there_twice() -> None:
    tariff = terms(line("duration", 1, from_time="02:15", to_time="02:30"))
    assert amounts(price(session("2026-10-25T01:00", BERLIN, (240, 1, True)), tariff, BERLIN)) == [("duration", 30)]


def test_window_includes_its_beginning_and_not_its_end() -> None:
    tariff = terms(line("duration", 1, from_time="17:00", to_time="23:00"))
    assert amounts(price(session("2026-11-30T16:00", DHAKA, (8 * 60, 1, True)), tariff, DHAKA)) == [("duration", 360)]
    assert amounts(price(session("2026-11-30T16:59", DHAKA, (1, 1, True)), tariff, DHAKA)) == []
    assert amounts(price(session("2026-11-30T17:00", DHAKA, (1, 1, True)), tariff, DHAKA)) == [("duration", 1)]
    assert amounts(price(session("2026-11-30T23:00", DHAKA, (1, 1, True)), tariff, DHAKA)) == []


@pytest.mark.parametrize(("day", "minutes"), [("2026-11-27", 360), ("2026-11-28", 0)])
def test_window_over_midnight_belongs_to_the_weekday_on_which_it_begins(day: str, minutes: int) -> None:
    friday_night = terms(line("duration", 1, from_time="23:00", to_time="05:00", weekdays=[5]))
    bill = price(session(f"{day}T22:00", DHAKA, (9 * 60, 1, True)), friday_night, DHAKA)
    assert sum(minor for _, minor in amounts(bill)) == minutes


def test_dates_and_holidays_are_those_of_the_beginning_of_the_window() -> None:
    dated = terms(line("duration", 1, from_time="23:00", to_time="05:00", from_date="2026-12-15", to_date="2026-12-16"))
    two_nights = session("2026-12-15T22:00", DHAKA, (33 * 60, 1, True), holidays=frozenset({"2026-12-16"}))
    assert amounts(price(two_nights, dated, DHAKA)) == [("duration", 360)]
    holiday = terms(line("duration", 1, from_time="23:00", to_time="05:00", holidays=True))
    assert amounts(price(two_nights, holiday, DHAKA)) == [("duration", 360)]
    others = terms(line("duration", 1, holidays=False))
    assert amounts(price(two_nights, others, DHAKA)) == [("duration", 2 * 60 + 7 * 60)]


def test_clocks_that_change_at_midnight_leave_no_minute_out() -> None:
    beirut = ZoneInfo("Asia/Beirut")
    tariff = terms(*(line("duration", 1, weekdays=[day]) for day in range(1, 8)))
    begin = moment("2026-03-28T12:00", beirut)
    minutes = (moment("2026-03-29T12:00", beirut) - begin) // 60_000
    bill = price(session("2026-03-28T12:00", beirut, (minutes, 1, True)), tariff, beirut)
    assert (minutes, amounts(bill)) == (23 * 60, [("duration", 720), ("duration", 660)])
