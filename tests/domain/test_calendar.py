"""Days of the site: their names, their bounds, and spans cut at midnights."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.calendar import day_bounds, day_of, midnights
from appliance.domain.units import parse_rfc3339, rfc3339

DHAKA, BERLIN, CAIRO = ZoneInfo("Asia/Dhaka"), ZoneInfo("Europe/Berlin"), ZoneInfo("Africa/Cairo")
HAVANA, APIA, LORD_HOWE = ZoneInfo("America/Havana"), ZoneInfo("Pacific/Apia"), ZoneInfo("Australia/Lord_Howe")
TORONTO = ZoneInfo("America/Toronto")
SANTIAGO, NUUK, KATHMANDU = ZoneInfo("America/Santiago"), ZoneInfo("America/Nuuk"), ZoneInfo("Asia/Kathmandu")
ZONES = st.sampled_from([DHAKA, BERLIN, CAIRO, HAVANA, APIA, LORD_HOWE, SANTIAGO, NUUK, KATHMANDU, ZoneInfo("UTC")])
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def at(text: str) -> int:
    at_ms = parse_rfc3339(text)
    assert at_ms is not None
    return at_ms


MOMENTS = st.integers(at("2010-01-01T00:00:00Z"), at("2040-01-01T00:00:00Z"))
LENGTHS = st.integers(0, 40 * DAY_MS)


def test_day_begins_at_local_midnight() -> None:
    assert day_of(at("2026-11-22T17:59:59.999Z"), DHAKA) == "2026-11-22"
    assert day_of(at("2026-11-22T18:00:00Z"), DHAKA) == "2026-11-23"
    assert day_bounds("2026-11-23", DHAKA) == (at("2026-11-22T18:00:00Z"), at("2026-11-23T18:00:00Z"))


@pytest.mark.parametrize(
    ("day", "zone", "begin", "hours"),
    [
        ("2026-03-29", BERLIN, "2026-03-28T23:00:00Z", 23),
        ("2026-10-25", BERLIN, "2026-10-24T22:00:00Z", 25),
        ("2026-04-24", CAIRO, "2026-04-23T22:00:00Z", 23),  # Begins at 01:00.
        ("2026-10-29", CAIRO, "2026-10-28T21:00:00Z", 25),  # 23:00 comes twice.
        ("2026-10-30", CAIRO, "2026-10-29T22:00:00Z", 24),
        ("2026-03-08", HAVANA, "2026-03-08T05:00:00Z", 23),  # Begins at 01:00.
        ("2026-11-01", HAVANA, "2026-11-01T04:00:00Z", 25),  # 00:00 comes twice: the first one counts.
        ("2026-10-04", LORD_HOWE, "2026-10-03T13:30:00Z", 23.5),
        ("2026-09-06", SANTIAGO, "2026-09-06T04:00:00Z", 23),
        ("2026-03-28", NUUK, "2026-03-28T02:00:00Z", 23),  # Its last hour is left out.
        ("1919-03-31", TORONTO, "1919-03-31T04:30:00Z", 23.5),  # Clocks went from 23:30 to 00:30.
    ],
)
def test_day_on_which_clocks_change_has_its_own_length(day: str, zone: ZoneInfo, begin: str, hours: float) -> None:
    begin_ms, end_ms = day_bounds(day, zone)
    began = datetime.fromtimestamp(begin_ms // 1000, UTC)
    assert began == datetime.fromisoformat(begin)
    assert (end_ms - begin_ms) / HOUR_MS == hours


def test_day_that_a_zone_left_out_is_empty_and_belongs_to_no_span() -> None:
    begin_ms, end_ms = day_bounds("2011-12-30", APIA)
    assert begin_ms == end_ms == day_bounds("2011-12-29", APIA)[1]
    pieces = midnights(begin_ms - HOUR_MS, end_ms + HOUR_MS, APIA)
    assert pieces == [
        ("2011-12-29", begin_ms - HOUR_MS, begin_ms),
        ("2011-12-31", begin_ms, begin_ms + HOUR_MS),
    ]


def test_span_over_a_midnight_that_does_not_exist_is_cut_where_the_clocks_jump() -> None:
    pieces = midnights(at("2026-04-23T21:30:00Z"), at("2026-04-23T22:30:00Z"), CAIRO)
    assert [(day, rfc3339(begin_ms), rfc3339(end_ms)) for day, begin_ms, end_ms in pieces] == [
        ("2026-04-23", "2026-04-23T21:30:00.000Z", "2026-04-23T22:00:00.000Z"),
        ("2026-04-24", "2026-04-23T22:00:00.000Z", "2026-04-23T22:30:00.000Z"),
    ]


def test_span_within_a_day_is_one_piece() -> None:
    from_ms, to_ms = at("2026-11-23T05:00:00Z"), at("2026-11-23T06:00:00.001Z")
    assert midnights(from_ms, to_ms, DHAKA) == [("2026-11-23", from_ms, to_ms)]


def test_span_that_ends_at_midnight_does_not_touch_the_next_day() -> None:
    begin_ms, end_ms = day_bounds("2026-11-23", DHAKA)
    assert midnights(begin_ms, end_ms, DHAKA) == [("2026-11-23", begin_ms, end_ms)]


def test_span_without_length_still_belongs_to_a_day() -> None:
    midnight_ms = at("2026-11-22T18:00:00Z")
    assert midnights(midnight_ms, midnight_ms, DHAKA) == [("2026-11-23", midnight_ms, midnight_ms)]


def test_span_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot end at 1"):
        midnights(2, 1, DHAKA)


@pytest.mark.parametrize("day", ["", "2026-11-31", "20261123", "2026-W48-1", "23.11.2026", "2026-1-2"])
def test_day_in_another_form_is_refused(day: str) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        day_bounds(day, DHAKA)


@given(MOMENTS, LENGTHS, ZONES)
def test_pieces_cover_the_span_without_gap_each_within_its_day(from_ms: int, length_ms: int, zone: ZoneInfo) -> None:
    pieces = midnights(from_ms, from_ms + length_ms, zone)
    assert [begin_ms for _, begin_ms, _ in pieces] == [from_ms, *(end_ms for _, _, end_ms in pieces[:-1])]
    assert pieces[-1][2] == from_ms + length_ms
    assert len({day for day, _, _ in pieces}) == len(pieces)
    for day, begin_ms, end_ms in pieces:
        assert day_of(begin_ms, zone) == day
        assert end_ms == begin_ms or day_of(end_ms - 1, zone) == day


@given(MOMENTS, ZONES)
def test_moment_lies_within_the_bounds_of_its_day(at_ms: int, zone: ZoneInfo) -> None:
    begin_ms, end_ms = day_bounds(day_of(at_ms, zone), zone)
    assert begin_ms <= at_ms < end_ms
    assert day_of(begin_ms - 1, zone) < day_of(begin_ms, zone) < day_of(end_ms, zone)
