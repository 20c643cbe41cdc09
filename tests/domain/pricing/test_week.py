"""A week in pieces: which lines price energy in which hours."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from appliance.domain.pricing.lines import DAY_MINUTES, Dimension, Period, Usage
from appliance.domain.pricing.tally import Tally
from appliance.domain.pricing.week import day_pieces, week_pieces
from tests.support.price_lines import line, moment, terms
from tests.support.random_tariffs import random_terms

MONDAY = date(2026, 11, 23)
BANDS = terms(
    line("flat", 100),
    line("energy", 1214, from_time="17:00", to_time="23:00", weekdays=[1, 2]),
    line("energy", 768, from_time="23:00", to_time="05:00"),
    line("energy", 866),
)


def test_a_day_is_cut_where_its_price_changes() -> None:
    assert day_pieces(BANDS.lines, MONDAY) == [
        (0, 300, (2,)),
        (300, 1020, (3,)),
        (1020, 1380, (1,)),
        (1380, 1440, (2,)),
    ]
    assert day_pieces(BANDS.lines, MONDAY + timedelta(days=2)) == [
        (0, 300, (2,)),
        (300, 1380, (3,)),
        (1380, 1440, (2,)),
    ]


def test_hours_that_no_line_prices_are_there_without_one() -> None:
    (night, day, evening) = day_pieces(BANDS.lines[1:2], MONDAY)
    assert (night.lines, day.lines, evening.lines) == ((), (0,), ())
    assert night.usual(BANDS.lines[1:2]) is None


def test_what_depends_on_more_than_the_clock_is_there_with_what_the_first_kwh_costs() -> None:
    lines = terms(line("energy", 1, from_wh=20_000), line("energy", 2, groups=[1]), line("energy", 3)).lines
    (piece,) = day_pieces(lines, MONDAY)
    assert (piece.lines, piece.usual(lines)) == ((0, 1, 2), 2)


def test_dates_and_holidays_are_those_of_the_days_that_are_shown() -> None:
    lines = terms(line("energy", 1, from_date="2026-11-25"), line("energy", 2, holidays=True), line("energy", 3)).lines
    week = week_pieces(lines, MONDAY, frozenset({"2026-11-24"}))
    assert [pieces[0].lines for _day, pieces in week] == [(2,), (1,), *[(0,)] * 5]


@pytest.mark.parametrize("seed", range(60))
def test_the_line_that_is_shown_prices_the_first_energy_of_a_session_at_that_minute(seed: int) -> None:
    """A second opinion: the tally, which bills."""
    chance, zone = Random(seed), ZoneInfo("Asia/Dhaka")
    tariff = random_terms(chance)
    day = MONDAY + timedelta(days=chance.randrange(60))
    for piece in day_pieces(tariff.lines, day):
        minute = chance.randrange(piece.from_minute, piece.to_minute)
        begin_ms = moment(f"{day.isoformat()}T00:00", zone) + minute * 60_000
        tally = Tally(Usage(begin_ms, (Period(begin_ms + 1, 0), Period(begin_ms + 1, 1))), tariff, zone)
        billed = [place for place in tally.sums if tariff.lines[place].dimension is Dimension.ENERGY]
        of_anybody = [
            place
            for place in piece.lines
            if not (tariff.lines[place].conditions.by_measure or tariff.lines[place].conditions.methods or tariff.lines[place].conditions.groups)
        ]  # fmt: skip
        if len(piece.lines) <= 1 and of_anybody == list(piece.lines):
            assert billed == of_anybody
    assert day_pieces(tariff.lines, day)[-1].to_minute == DAY_MINUTES
