"""What registers say about the energy of a session."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.registers import Doubt, Register, energy_at, further, read

MINUTE_MS = 60_000
START = (0, 10_000)
REGISTERS = st.lists(st.tuples(st.integers(-5 * MINUTE_MS, 100 * MINUTE_MS), st.integers(0, 60_000)), max_size=8).map(
    sorted
)
STOPS = st.none() | st.tuples(st.integers(-MINUTE_MS, 120 * MINUTE_MS), st.none() | st.integers(-1, 60_000))


def test_a_session_took_what_the_register_rose_from_start_to_stop() -> None:
    assert read(START, [(MINUTE_MS, 12_000)], (2 * MINUTE_MS, 13_500)).energy_wh == 3_500


def test_the_register_of_the_stop_decides_even_if_one_before_it_was_higher() -> None:
    found = read(START, [(MINUTE_MS, 14_000)], (2 * MINUTE_MS, 13_500))

    assert found.energy_wh == 3_500
    assert found.line == [(0, 0), (MINUTE_MS, 3_500), (2 * MINUTE_MS, 3_500)]


def test_a_stop_below_the_start_gives_way_to_the_highest_register_in_between() -> None:
    for stop_wh in (-1, 0, 9_999, None):
        assert read(START, [(MINUTE_MS, 12_000), (2 * MINUTE_MS, 11_000)], (3 * MINUTE_MS, stop_wh)).energy_wh == 2_000


def test_without_any_register_above_the_start_nobody_knows_the_energy() -> None:
    for stop_wh in (-1, 0, 9_999, None):
        found = read(START, [(MINUTE_MS, 10_000)], (3 * MINUTE_MS, stop_wh))
        assert (found.energy_wh, found.doubts) == (0, (Doubt.REGISTERS,))


def test_while_it_runs_the_highest_register_counts_and_nothing_is_doubted() -> None:
    found = read(START, [(MINUTE_MS, 12_000), (2 * MINUTE_MS, 11_000)])

    assert (found.energy_wh, found.doubts) == (2_000, ())
    assert read(START, []).energy_wh == 0


def test_between_two_registers_the_energy_lies_on_the_straight_line() -> None:
    line = read(START, [(10 * MINUTE_MS, 12_000)], (20 * MINUTE_MS, 13_000)).line

    assert [energy_at(line, minute * MINUTE_MS) for minute in (-1, 0, 5, 10, 15, 20, 30)] == [
        0, 0, 1_000, 2_000, 2_500, 3_000, 3_000,
    ]  # fmt: skip


@given(REGISTERS, STOPS)
def test_the_line_rises_from_nothing_to_the_energy(
    registers: list[Register], stop: tuple[int, int | None] | None
) -> None:
    found = read(START, registers, stop)

    assert found.energy_wh >= 0
    assert found.line[0] == (0, 0)
    assert list(found.line) == sorted(found.line)
    assert [wh for _, wh in found.line] == sorted(wh for _, wh in found.line)
    if stop is not None:
        assert found.line[-1][1] == found.energy_wh
    for at_ms in range(-MINUTE_MS, 130 * MINUTE_MS, 7 * MINUTE_MS):
        assert 0 <= energy_at(found.line, at_ms) <= found.energy_wh


@given(REGISTERS, STOPS)
def test_who_remembers_the_highest_register_reads_the_same_as_from_all(
    registers: list[Register], stop: tuple[int, int | None] | None
) -> None:
    energy_wh = 0
    for _, wh in registers:
        energy_wh = further(energy_wh, START[1], wh)

    remembered = read(START, [(0, START[1] + energy_wh)], stop)
    assert remembered.energy_wh == read(START, registers, stop).energy_wh
    assert remembered.doubts == read(START, registers, stop).doubts
