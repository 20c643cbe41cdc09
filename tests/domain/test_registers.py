"""What registers say about the energy of a session."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.energies import Doubt, Energies, ended, energy_at, read
from appliance.domain.registers import POWER_W_MAX, Progress, Sampled, all_of, begin, further, go_on, most_wh

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
LOST = "lost"
"""The stop never came: the end is an estimate."""
UNREADABLE = None
STEP_MS = 4 * MINUTE_MS
GARBAGE_WH = 2**32 - 1


class Case(NamedTuple):
    """A session of an hour, read every four minutes, and what it must be billed for."""

    what: str
    start_wh: int
    registers_wh: tuple[int, ...]
    stop_wh: int | str | None
    energy_wh: int
    doubt: Doubt | None = None
    figures: tuple[int, ...] = ()
    before_wh: int | None = None
    next_wh: int | None = None
    power_w: int = POWER_W_MAX
    stop_ms: int = HOUR_MS


CASES = (
    Case("by the book", 10_000, (11_000, 12_000, 13_000), 13_500, 3_500),
    Case("without readings", 10_000, (), 13_500, 3_500),
    Case("nothing taken", 10_000, (10_000, 10_000), 10_000, 0),
    Case("one count from the start, the other the meter's", 4_076_000, (100, 600, 1_100, 1_600, 3_100), 4_079_100, 3_100),
    Case("the same, and the stop counts from the start too", 4_076_000, (100, 600, 1_100, 3_100), 3_200, 3_200),
    Case("the other way round: the readings are the meter's", 0, (350_400, 350_800), 800, 800),
    Case("counts from the start that grow beyond the start's register", 2_500, (100, 900, 2_600, 3_000), 5_600, 3_100),
    Case("garbage", 120_000, (120_400, GARBAGE_WH, 121_200), 121_300, 1_300),
    Case("garbage twice", 120_000, (120_400, GARBAGE_WH, GARBAGE_WH, 121_200), 121_300, 1_300),
    Case("garbage at the end", 120_000, (120_400, 121_200, GARBAGE_WH), 121_300, 1_300),
    Case("garbage first", 120_000, (GARBAGE_WH, 120_400), 121_300, 1_300),
    Case("garbage of two kinds, by turns", 120_000, (GARBAGE_WH, 0, 120_400, 0, GARBAGE_WH, 121_000), 121_300, 1_300),
    Case("a register as large as can be counted", 120_000, (2**53, 120_400), 121_300, 1_300),
    Case("a lifetime register in between", 0, (400, 350_400), 900, 900),
    Case("a lifetime register by turns", 0, (400, 350_400, 800, 350_800, 1_200), 1_300, 1_300),
    Case("a zero in between", 10_000, (12_000, 0, 14_000), 15_000, 5_000),
    Case("one that cannot be, and the stop is lost to zero", 120_000, (520_000,), 0, 0, Doubt.REGISTERS),
    Case(
        "goes on from the register before, and not from the start", 0, (241_500,), 246_000, 6_000, Doubt.START_APART,
        (6_000, 246_000), before_wh=240_000,
    ),
    Case(
        "the same without readings", 0, (), 246_000, 6_000, Doubt.START_APART, (6_000, 246_000), before_wh=240_000
    ),
    Case(
        "one reading goes on from another register than the start, and so does the stop", 0, (241_500,), 246_000, 4_500,
        Doubt.START_APART, (4_500, 246_000),
    ),
    Case(
        "the same after a reading from the start", 0, (400, 241_500), 246_000, 4_900, Doubt.START_APART, (4_900, 246_000),
    ),
    Case("a lower stray one at the end", 120_000, (120_400, 121_200, 90_000), 121_300, 1_300),
    Case("a zero at the end", 10_000, (12_000, 14_000, 0), 15_000, 5_000),
    Case("another meter was built in", 0, (500, 2_000), 2_400, 2_400, before_wh=240_000),
    Case("the stop before was rounded up", 240_000, (241_500,), 246_000, 6_000, before_wh=240_010),
    Case("begins anew", 10_000, (12_000, 14_000, 0, 1_000, 2_000), 2_500, 6_500),
    Case("begins anew, seen a little later", 10_000, (12_000, 14_000, 300, 1_000, 2_000), 2_500, 6_500),
    Case("begins anew just before the stop", 10_000, (12_000, 14_000, 0), 2_500, 6_500),
    Case("begins anew with little in it", 0, (400, 800, 0, 300, 600), 900, 1_700),
    Case("begins anew twice", 10_000, (12_000, 0, 1_000, 2_000, 0, 700), 900, 2_000 + 2_000 + 900),
    Case("begins anew and grows beyond where it was", 0, (2_000, 2_500, 0, 1_500, 4_000), 5_000, 7_500),
    Case("anew or not: only the stop is low", 10_000, (12_000, 14_000), 2_500, 4_000, Doubt.ANEW, (4_000, 6_500)),
    Case("the meter was set to zero before the stop was told", 10_000, (12_000, 14_000), 0, 4_000),
    Case("a stop that is lost", 10_000, (12_000, 14_000), UNREADABLE, 4_000),
    Case("a stop below zero", 10_000, (12_000, 14_000), -1, 4_000),
    Case("a stop as the start, after readings", 10_000, (12_000, 14_000), 10_000, 4_000, Doubt.STOP_BELOW, (4_000, 0)),
    Case("a stop far below the readings", 10_000, (12_000, 14_000), 11_000, 4_000, Doubt.STOP_BELOW, (4_000, 1_000)),
    Case("a stop that is rounded down", 10_000, (12_000, 14_400), 14_000, 4_000),
    Case("readings that are rounded up", 10_003, (11_000, 12_000, 13_000), 12_640, 2_637),
    Case("a stop a little below a meter that tells watt-hours", 10_003, (10_310, 10_880), 10_420, 877, Doubt.STOP_BELOW, (877, 417)),
    Case("a stop as the start after little", 10_000, (10_300, 10_600, 10_900), 10_000, 900, Doubt.STOP_BELOW, (900, 0)),
    Case("a stop as the start after one reading", 10_000, (10_800,), 10_000, 800, Doubt.STOP_BELOW, (800, 0)),
    Case("a stop as the start after a kilowatt-hour", 10_000, (11_000,), 10_000, 1_000, Doubt.STOP_BELOW, (1_000, 0)),
    Case("a whole kilowatt-hour lower", 10_000, (12_000, 13_000), 12_000, 2_000),
    Case("just above the start after little", 10_000, (10_300, 10_900), 10_100, 900, Doubt.STOP_BELOW, (900, 100)),
    Case("a dip at the stop", 10_003, (10_310, 10_880), 10_800, 797),
    Case("the same from zero", 0, (300, 900), 100, 900, Doubt.STOP_BELOW, (900, 100)),
    Case("the next one began a little below", 10_003, (11_000,), 12_310, 1_947, Doubt.NEXT_START, (1_947, 2_307), next_wh=11_950),
    Case("a stop far beyond the last reading", 0, (500,) * 14, 90_000, 500, Doubt.STOP_BEYOND, (500, 90_000)),
    Case("much at once", 0, (), 499_000, 499_000, Doubt.TOO_FAST, (499_000,), stop_ms=0),
    Case("more than this one can give", 0, (), 50_000, 50_000, Doubt.TOO_FAST, (50_000,), power_w=22_000),
    Case("as much as this one can give", 0, (1_450, 2_900, 4_400), 22_000, 22_000, power_w=22_000),
    Case("350 kW for an hour", 0, tuple(23_333 * step for step in range(1, 15)), 350_000, 350_000),
    Case("nothing is known", 5_000, (), 10, 0, Doubt.REGISTERS),
    Case("nothing is known, not even the stop", 5_000, (5_000,), UNREADABLE, 0, Doubt.REGISTERS),
    Case("the stop never came", 10_000, (12_000, 14_000), LOST, 4_000),
    Case("neither stop nor reading", 10_000, (), LOST, 0),
    Case("only one reading, which cannot be", 0, (400_000,), LOST, 400_000, Doubt.TOO_FAST, (400_000,)),
    Case("only one reading, perhaps from the start", 4_076_000, (3_000,), LOST, 0, Doubt.ANEW, (0, 3_000)),
    Case("readings that do not go on from the start", 120_000, (520_000, 520_400), LOST, 400, Doubt.START_APART, (400,)),
    Case("rolls over at 10^6", 999_500, (999_900, 300, 700), 1_200, 1_700),
    Case("rolls over at 2^32", 2**32 - 500, (2**32 - 100, 300, 700), 1_204, 1_704),
    Case("goes back by one", 10_000, (12_000, 11_999, 12_001, 12_000, 13_000), 12_999, 2_999),
    Case("kilowatt-hours for a while", 10_000, (12_000, 12, 13), 13_500, 3_500),
    Case("a thousand times too much for a while", 10_000, (12_000, 12_500_000, 13_000_000), 13_500, 3_500),
    Case("the next one began below", 0, (1_000,), 5_000, 1_000, Doubt.NEXT_START, (1_000, 5_000), next_wh=1_000),
    Case("the next one began just there", 0, (1_000,), 5_000, 5_000, next_wh=5_000),
    Case("each session is counted by itself", 0, (1_000,), 5_000, 5_000, next_wh=0),
    Case("the stop never came, the next one began below", 0, (3_000,), LOST, 1_000, Doubt.NEXT_START, (1_000, 3_000), next_wh=1_000),
)  # fmt: skip


def samples_of(registers_wh: tuple[int, ...]) -> list[Sampled]:
    return [(STEP_MS * (number + 1), wh, None) for number, wh in enumerate(registers_wh)]


def found_in(case: Case) -> Energies:
    begun = begin((0, case.start_wh), case.power_w, case.before_wh)
    stop = None if case.stop_wh == LOST else (case.stop_ms, case.stop_wh)
    return read(begun, samples_of(case.registers_wh), stop, case.next_wh)  # type: ignore[arg-type]  # LOST is no register


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_registers_of_the_field_are_read_right(case: Case) -> None:
    found = found_in(case)

    assert found.doubts == ((case.doubt,) if case.doubt else ())
    assert (found.energy_wh, found.figures) == (case.energy_wh, case.figures)


def test_while_it_runs_one_stray_register_is_no_reading_and_two_are_followed() -> None:
    energies = []
    progress = begin((0, 4_076_000))
    for sampled in samples_of((100, 600, 1_100, GARBAGE_WH, 1_600, 4_077_700, 2_100)):
        progress = further(progress, sampled)
        energies.append(progress.energy_wh)

    assert energies == [0, 600, 1_100, 1_100, 1_600, 1_600, 2_100]


# --- intervals ---------------------------------------------------------------------------------------------------------------


def intervals(*taken_wh: int) -> list[Sampled]:
    return [(STEP_MS * (number + 1), None, wh) for number, wh in enumerate(taken_wh)]


def test_what_was_taken_in_intervals_is_summed_up() -> None:
    progress, _ = all_of(begin((0, 0)), intervals(500, 400, 600))

    assert progress.energy_wh == 1_500
    assert ended(progress, None).energy_wh == 1_500
    assert ended(progress, (HOUR_MS, 1_700)).energy_wh == 1_700


def test_an_interval_that_is_told_twice_counts_once() -> None:
    assert all_of(begin((0, 0)), [*intervals(500, 400), *intervals(500, 400)])[0].energy_wh == 900


def test_an_interval_that_cannot_be_is_none() -> None:
    assert all_of(begin((0, 0)), intervals(500, 400_000_000, 400))[0].energy_wh == 900


def test_where_a_register_is_told_too_intervals_do_not_count() -> None:
    both: list[Sampled] = [(STEP_MS, 10_500, 500), (2 * STEP_MS, 10_900, 450)]

    assert all_of(begin((0, 10_000)), both)[0].energy_wh == 900


@pytest.mark.parametrize(
    ("start_wh", "told", "energies_wh"),
    [
        (0, (500, 1_000, 1_500, 2_000), [500, 1_000, 1_500, 2_000]),
        (4_076_000, (500, 1_000, 1_500, 2_000), [500, 1_000, 1_500, 2_000]),
        (0, (480, 990, 1_470, 1_990, 1_990, 1_990, 2_100), [480, 990, 1_470, 1_990, 1_990, 1_990, 2_100]),
        (120_000, (120_500, 121_000, 121_400), [500, 1_000, 1_400]),
        (0, (60, 500, 500, 490, 500), [60, 500, 1_060, 1_550, 2_050]),
        (0, (250, 500, 500, 500), [250, 500, 1_250, 1_750]),
        (0, (100, 110, 120, 115), [100, 210, 330, 445]),
    ],
    ids=[
        "of the session", "of the session at an old meter", "with a pause, and then little", "of the meter",
        "the first is short", "it rises at first", "it rises slowly",
    ],
)  # fmt: skip
def test_what_is_no_interval_is_not_summed_up(start_wh: int, told: tuple[int, ...], energies_wh: list[int]) -> None:
    progress, energies = begin((0, start_wh), 22_000), []
    for sampled in intervals(*told):
        progress = further(progress, sampled)
        energies.append(progress.energy_wh)

    assert energies == energies_wh


def test_a_total_under_the_name_of_an_interval_may_grow_beyond_what_an_interval_can_have() -> None:
    totals = intervals(*range(1_400, 28_001, 1_400))

    assert all_of(begin((0, 0), 22_000), totals)[0].energy_wh == 28_000


@pytest.mark.parametrize(
    ("start_wh", "told"),
    [(0, (500, 1_000, 1_500)), (1_000, (1_500, 2_000, 2_500)), (0, (500, 600, 1_500)), (7_000, (500, 500, 500))],
    ids=["a total", "the register", "a total that pauses", "intervals"],
)
def test_start_and_stop_tell_what_intervals_are(start_wh: int, told: tuple[int, ...]) -> None:
    found = read(begin((0, start_wh), 22_000), intervals(*told), (HOUR_MS, start_wh + 1_550))

    assert (found.energy_wh, found.doubts) == (1_550, ())


# --- the line ----------------------------------------------------------------------------------------------------------------


def test_between_two_registers_the_energy_lies_on_the_straight_line() -> None:
    line = read(begin((0, 10_000)), [(10 * MINUTE_MS, 12_000, None)], (20 * MINUTE_MS, 13_000)).line

    assert [energy_at(line, minute * MINUTE_MS) for minute in (-1, 0, 5, 10, 15, 20, 30)] == [
        0, 0, 1_000, 2_000, 2_500, 3_000, 3_000,
    ]  # fmt: skip


# --- whatever is told ----------------------------------------------------------------------------------------------------------

STRANGE = st.sampled_from([0, 1, 10_000, 10_001, 12_000, 60_000, 350_400, 999_999, 10**6, 2**32 - 1, 2**53])
WHS = st.one_of(st.integers(9_000, 30_000), STRANGE, st.integers(0, 10**12))
SAMPLES = st.lists(
    st.tuples(
        st.integers(-5, 100).map(lambda minute: minute * MINUTE_MS), st.none() | WHS, st.none() | st.integers(0, 3_000)
    ),
    max_size=12,
)
STOPS = st.none() | st.tuples(st.integers(-MINUTE_MS, 120 * MINUTE_MS), st.none() | WHS | st.just(-1))
BEGUN = st.builds(
    begin, st.just((0, 10_000)), st.sampled_from([22_000, POWER_W_MAX]), st.none() | st.integers(0, 60_000)
)
NEXT = st.none() | WHS


@given(BEGUN, SAMPLES, STOPS, NEXT)
def test_the_line_rises_from_nothing_to_the_energy(
    begun: Progress, samples: list[Sampled], stop: tuple[int, int | None] | None, next_wh: int | None
) -> None:
    found = read(begun, samples, stop, next_wh)

    assert found.energy_wh >= 0
    assert found.line[0] == (0, 0)
    assert list(found.line) == sorted(found.line)
    assert [wh for _, wh in found.line] == sorted(wh for _, wh in found.line)
    assert found.line[-1][1] == found.energy_wh
    assert bool(found.figures) <= bool(found.doubts)
    assert len(set(found.figures)) == len(found.figures)
    assert found.energy_wh == (found.figures[0] if found.figures else found.energy_wh)
    for at_ms in range(-MINUTE_MS, 130 * MINUTE_MS, 7 * MINUTE_MS):
        assert 0 <= energy_at(found.line, at_ms) <= found.energy_wh


def in_steps(begun: Progress, samples: list[Sampled], *, restart_at: int = -1) -> Progress:
    """As the writer reads: each goes on from the one before, what comes late is read anew with all, and so it is after a restart."""
    progress = begun
    for number, sampled in enumerate(samples):
        then = None if number == restart_at else go_on(progress, sampled)
        progress = all_of(begun, samples[: number + 1])[0] if then is None else then
    return progress


@given(BEGUN, SAMPLES, st.integers(0, 12))
def test_step_by_step_with_a_restart_in_the_middle_is_read_as_the_whole_in_any_order(
    begun: Progress, samples: list[Sampled], restart_at: int
) -> None:
    whole, _ = all_of(begun, samples)

    assert in_steps(begun, samples) == whole
    assert in_steps(begun, samples[::-1], restart_at=restart_at) == whole
    assert in_steps(begun, [*samples, *samples]) == whole


@given(BEGUN, SAMPLES)
def test_while_it_runs_the_energy_never_falls_and_never_rises_faster_than_its_evse_can(
    begun: Progress, samples: list[Sampled]
) -> None:
    progress = begun
    registers = [one for one in samples if one[1] is not None]
    for count, sampled in enumerate(sorted(registers, key=lambda one: (max(0, one[0]), one[1])), 1):
        energy_wh, progress = progress.energy_wh, further(progress, sampled)
        assert progress.energy_wh >= energy_wh
        assert progress.energy_wh <= count * most_wh(begun.power_w, 100 * MINUTE_MS)


@given(st.lists(st.integers(0, 1_500), max_size=20), st.integers(0, 10**9), st.integers(0, 1_500))
def test_a_meter_that_only_grows_is_billed_to_the_watt_hour(steps: list[int], start_wh: int, last_wh: int) -> None:
    samples = samples_of(tuple(start_wh + sum(steps[: number + 1]) for number in range(len(steps))))
    stop = (STEP_MS * (len(steps) + 1), start_wh + sum(steps) + last_wh)

    assert read(begin((0, start_wh)), samples, stop)[::2] == (sum(steps) + last_wh, ())
    assert all_of(begin((0, start_wh)), samples)[0].is_plain


@given(st.lists(st.integers(0, 1_500), min_size=3, max_size=20), st.data())
def test_one_stray_register_among_many_changes_no_bill(steps: list[int], data: st.DataObject) -> None:
    start_wh = 500_000
    samples = samples_of(tuple(start_wh + sum(steps[: number + 1]) for number in range(len(steps))))
    stop = (STEP_MS * (len(steps) + 1), start_wh + sum(steps))
    stray = data.draw(st.sampled_from([0, 7, 10**7, GARBAGE_WH, 10**12]))
    at = data.draw(st.integers(0, len(steps) - 1))
    samples.insert(at, (samples[at][0] - MINUTE_MS, stray, None))

    assert read(begin((0, start_wh)), samples, stop)[::2] == (sum(steps), ())


@given(
    st.lists(st.integers(100, 1_500), min_size=2, max_size=10),
    st.lists(st.integers(100, 1_500), min_size=2, max_size=10),
)
def test_a_register_that_begins_anew_loses_nothing_that_was_read(first: list[int], second: list[int]) -> None:
    start_wh = 500_000
    registers = [start_wh + sum(first[: number + 1]) for number in range(len(first))]
    anew = [0, *(sum(second[: number + 1]) for number in range(len(second)))]
    samples = samples_of((*registers, *anew))
    stop = (samples[-1][0] + STEP_MS, anew[-1])

    assert read(begin((0, start_wh)), samples, stop)[::2] == (sum(first) + sum(second), ())
