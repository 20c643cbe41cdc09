"""Charts: what is drawn stands for the numbers it was made from."""

from __future__ import annotations

import re
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from appliance.db.sessions.session_list import Sample
from appliance.ui.writing.charts import (
    HEIGHT,
    LEVELS_MAX,
    SERIES_MAX,
    WIDTH,
    Series,
    level_words,
    power_curve,
    power_points,
    scale,
    stacked_bars,
)
from appliance.ui.writing.formats import formats


def sample(at_ms: int, energy_wh: int | None, power_w: int | None = None) -> Sample:
    """One reading."""
    return Sample(at_ms, energy_wh, power_w, None, None, None)


def test_power_is_what_the_station_says() -> None:
    assert power_points([sample(0, 0, 7_200), sample(60_000, 120, 7_300)]) == [(0, 7_200), (60_000, 7_300)]


def test_without_power_it_is_what_the_register_grew_by() -> None:
    assert power_points([sample(0, 1_000), sample(600_000, 2_200), sample(1_200_000, 2_200)]) == [
        (600_000, 7_200),
        (1_200_000, 0),
    ]


def test_a_register_that_falls_is_no_power() -> None:
    assert power_points([sample(0, 1_000), sample(600_000, 900)]) == [(600_000, 0)]


def test_a_curve_needs_two_moments() -> None:
    assert power_curve([], "Power") is None
    assert power_curve([(0, 7_200)], "Power") is None
    assert power_curve([(5, 7_200), (5, 7_200)], "Power") is None


def test_a_curve_ends_where_its_last_moment_is() -> None:
    curve = power_curve([(0, 0), (1_200_000, 8_000), (2_400_000, 4_000)], "Power")

    assert curve is not None
    assert curve.chart.levels == (8_000, 6_000, 4_000, 2_000, 0)
    assert f'points="0,{HEIGHT} 500,0 {WIDTH},{HEIGHT // 2}"' in curve.chart.drawing
    assert curve.times_ms == (0, 600_000, 1_200_000, 1_800_000, 2_400_000)


@given(begin_ms=some.integers(0, 10**12), times_ms=some.lists(some.integers(1000, 20 * 60_000), min_size=1, max_size=6))
def test_times_beneath_a_curve_run_from_its_first_moment_to_its_last_and_never_say_the_same_twice(
    begin_ms: int, times_ms: list[int]
) -> None:
    moments = [begin_ms, *(begin_ms + at_ms for at_ms in sorted(times_ms))]

    curve = power_curve([(at_ms, 7_000) for at_ms in moments], "Power")

    assert curve is not None
    fmt = formats("BDT", 2, ZoneInfo("Asia/Dhaka"))
    written = [fmt.seconds(at_ms) if curve.in_seconds else fmt.time(at_ms) for at_ms in curve.times_ms]
    assert (curve.times_ms[0], curve.times_ms[-1]) == (moments[0], moments[-1])
    assert len(set(written)) == len(written)


@pytest.mark.parametrize(
    ("minutes", "times_min", "in_seconds"), [(2, (0, 1, 2), True), (4, (0, 2, 4), True), (8, (0, 2, 4, 6, 8), False)]
)
def test_a_short_curve_is_labelled_in_seconds(minutes: int, times_min: tuple[int, ...], in_seconds: bool) -> None:
    curve = power_curve([(0, 7_000), (minutes * 60_000, 7_000)], "Power")

    assert curve is not None
    assert curve.times_ms == tuple(minute * 60_000 for minute in times_min)
    assert curve.in_seconds is in_seconds


def test_bars_are_as_high_as_their_parts_together() -> None:
    bars = stacked_bars(["1", "2"], [Series("A", (1000, 0)), Series("B", (3000, 2000))], "Energy", "Others")

    assert bars is not None
    assert [one.name for one in bars.series] == ["B", "A"]
    heights = [float(height) for height in re.findall(r'height="([\d.]+)"', str(bars.chart.drawing))]
    assert heights == pytest.approx([HEIGHT * 3 / 4, HEIGHT / 4, HEIGHT / 2])


def test_the_smallest_series_are_summed_up() -> None:
    series = [Series(f"S{number}", (number,)) for number in range(1, SERIES_MAX + 4)]
    bars = stacked_bars(["1"], series, "Energy", "Others", step=1)

    assert bars is not None
    assert len(bars.series) == SERIES_MAX
    assert bars.series[-1] == Series("Others", (1 + 2 + 3 + 4,))
    assert sum(sum(one.values) for one in bars.series) == sum(sum(one.values) for one in series)


def test_nothing_above_zero_is_no_chart() -> None:
    assert stacked_bars(["1"], [Series("A", (0,))], "Energy", "Others") is None
    assert stacked_bars([], [], "Energy", "Others") is None


def test_captions_and_titles_are_escaped() -> None:
    bars = stacked_bars(["1"], [Series("A", (1,))], 'Ener"gy', "Others", captions=[["<b>A</b>"]])

    assert bars is not None
    assert "<b>" not in bars.chart.drawing
    assert 'Ener"gy' not in bars.chart.drawing


def test_drawings_have_no_inline_style_because_the_policy_forbids_it() -> None:
    curve = power_curve([(0, 10), (1000, 20)], "Power")
    bars = stacked_bars(["1"], [Series("A", (1,))], "Energy", "Others")

    assert curve is not None
    assert bars is not None
    assert "style" not in curve.chart.drawing + bars.chart.drawing


@given(some.integers(1, 10**15), some.sampled_from([1, 10, 100, 1000, 3600]))
def test_a_scale_reaches_the_highest_value_in_few_even_steps(highest: int, step: int) -> None:
    levels = scale(highest, step)

    assert levels[0] >= highest
    assert levels[-1] == 0
    assert 2 <= len(levels) <= LEVELS_MAX + 1
    assert len({above - below for above, below in pairwise(levels)}) == 1
    assert levels[1] < highest


def test_levels_are_written_with_as_many_decimals_as_they_need() -> None:
    fmt = formats("BDT", 2, ZoneInfo("Asia/Dhaka"))

    assert level_words((8000, 4000, 0), 1000, fmt) == ["8", "4", "0"]
    assert level_words((1500, 1000, 500, 0), 1000, fmt) == ["1.5", "1.0", "0.5", "0.0"]
    assert level_words((7200, 3600, 0), 3600, fmt) == ["2", "1", "0"]
