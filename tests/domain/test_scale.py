"""What registers say that pass for watt-hours and are something else."""

from __future__ import annotations

import pytest

from appliance.domain.energies import Doubt, Energies, ended
from appliance.domain.registers import all_of, begin
from appliance.domain.scale import Given, Other, decided, is_suspect, is_too_weak, looked_at, with_power

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS


def by_readings(start_wh: int, registers_wh: tuple[int, ...], stop_wh: int) -> Energies:
    """A session of an hour, read at equal distances."""
    step_ms = HOUR_MS // (len(registers_wh) + 1)
    samples = [(step_ms * (number + 1), wh, None) for number, wh in enumerate(registers_wh)]
    progress, _ = all_of(begin((0, start_wh), 22_000), samples)
    stop = HOUR_MS, stop_wh
    return looked_at(progress, ended(progress, stop), stop)


@pytest.mark.parametrize(
    ("start_wh", "registers_wh", "stop_wh", "energy_wh"),
    [
        (120, (121_700, 123_400, 125_200), 127, 7_000),
        (120, (1_700, 3_400, 5_200), 127, 7_000),
        (0, (1_700, 3_400, 5_200), 7, 7_000),
        (120_400, (122_100, 123_800, 125_600), 127, 6_600),
    ],
    ids=["both", "readings of the session", "from nothing", "only the stop"],
)
def test_readings_show_kilowatt_hours(
    start_wh: int, registers_wh: tuple[int, ...], stop_wh: int, energy_wh: int
) -> None:
    found = by_readings(start_wh, registers_wh, stop_wh)

    assert (found.energy_wh, found.doubts, found.figures) == (energy_wh, (), ())


@pytest.mark.parametrize(
    ("start_wh", "registers_wh", "stop_wh"),
    [
        (120_000, (121_700, 123_400, 125_200), 127_000),
        (120, (1_700, 3_400, 5_200), 7_000),
        (0, (1_500,), 120),
        (10_000, (12_000, 14_000), 10_010),
        (9, (), 12_500),
        (120_400, (122_100, 123_800, 125_600), 90),
        (1_000, (1_001,), 1_001),
        (0, (0, 1), 1),
        (120, (121, 122), 122),
    ],
    ids=[
        "by the book",
        "watt-hours",
        "far beyond",
        "a stop near the start",
        "a new meter",
        "anew",
        "one watt-hour",
        "one of a new meter",
        "two",
    ],
)
def test_other_stops_are_read_as_before(start_wh: int, registers_wh: tuple[int, ...], stop_wh: int) -> None:
    step_ms = HOUR_MS // (len(registers_wh) + 1)
    progress, _ = all_of(
        begin((0, start_wh), 22_000), [(step_ms * (number + 1), wh, None) for number, wh in enumerate(registers_wh)]
    )

    assert by_readings(start_wh, registers_wh, stop_wh) == ended(progress, (HOUR_MS, stop_wh))


@pytest.mark.parametrize(
    ("start_wh", "stop_wh", "figures"), [(120_400, 127, (6_600,)), (120, 127_300, (7_300, 127_180))]
)
def test_without_readings_one_of_start_and_stop_may_be_kilowatt_hours(
    start_wh: int, stop_wh: int, figures: tuple[int, ...]
) -> None:
    stop = 10 * HOUR_MS, stop_wh
    progress = begin((0, start_wh), 22_000)
    found = looked_at(progress, ended(progress, stop), stop)

    assert (found.doubts, found.figures) == ((Doubt.UNIT,), figures)


@pytest.mark.parametrize(
    ("given_wh", "others", "energy_wh", "doubts"),
    [
        (6_400, [], 7_000, ()),
        (0, [Other(9, 9_000), Other(7_000, 7_000)], 7_000, ()),
        (0, [Other(20, 20), Other(9, 9_000)], 7_000, ()),
        (0, [Other(7_000, 7_000)], 7, ()),
        (0, [Other(7_000, 7_000), Other(9, 9_000)], 7, ()),
        (0, [], 7_000, (Doubt.UNIT,)),
        (0, [Other(9, 9)], 7_000, (Doubt.UNIT,)),
        (300, [], 7_000, (Doubt.UNIT,)),
        (0, [Other(9, 9, was_asked=True), Other(9, 9_000)], 7, ()),
        (0, [Other(9, 9_000, was_asked=True)], 7_000, ()),
    ],
)
def test_power_and_other_sessions_tell_the_unit(
    given_wh: int, others: list[Other], energy_wh: int, doubts: tuple[Doubt, ...]
) -> None:
    found = decided(Energies(7, ()), given_wh, others)

    assert (found.energy_wh, found.doubts) == (energy_wh, doubts)
    assert found.figures == ((7_000, 7) if doubts else ())


@pytest.mark.parametrize(
    ("energy_wh", "minutes", "power_w", "suspect"),
    [(7, 60, 22_000, True), (0, 60, 22_000, False), (7, 2, 400_000, False), (7, 6, 22_000, False), (200, 60, 400_000, False)],
    ids=["little", "nothing", "short", "more than it can give", "more than a car takes"],
)  # fmt: skip
def test_what_is_little_for_its_time_is_suspect(energy_wh: int, minutes: int, power_w: int, suspect: bool) -> None:
    progress, end_ms = begin((0, 120), power_w), minutes * MINUTE_MS

    assert is_suspect(progress, Energies(energy_wh, ()), end_ms, end_ms) is suspect
    assert not is_suspect(progress, Energies(energy_wh, ()), end_ms, 0), "the car was full"


@pytest.mark.parametrize(("start_wh", "suspect"), [(2_000_000, True), (2_000_001, False)])
def test_so_much_is_no_count_of_kilowatt_hours(start_wh: int, suspect: bool) -> None:
    progress = begin((0, start_wh), 400_000)

    assert is_suspect(progress, Energies(20, ()), HOUR_MS, HOUR_MS) is suspect


@pytest.mark.parametrize(
    ("told", "power_w", "weak"),
    [
        ([(1, 3_000), (6, 0), (20, 0), (35, 0), (55, 0)], 22_000, True),
        ([(1, 500), (15, 500), (30, 500), (50, 500)], 400_000, True),
        ([(1, 7), (15, 7), (30, 7), (50, 7)], 22_000, False),
        ([(1, 7_000), (6, 7_000)], 22_000, False),
        ([(30, 500), (50, 500)], 22_000, False),
        ([(1, 7_000), (50, 7_000)], 22_000, False),
        ([], 22_000, False),
    ],
    ids=["a full car", "a motorcycle", "kilowatts", "told no more", "since a restart", "enough", "none"],
)
def test_a_power_that_never_gives_so_much_says_watt_hours(
    told: list[tuple[int, int]], power_w: int, weak: bool
) -> None:
    given = Given()
    for minute, watts in told:
        given = given.then(minute * MINUTE_MS, watts)

    assert is_too_weak(begin((0, 120), power_w), 7, given, HOUR_MS) is weak


def test_what_power_gave_is_the_least_that_it_can_have_been() -> None:
    given = Given()
    for minute, power_w in [
        (0, 10_000),
        (6, 10_000),
        (12, 4_000),
        (3, 400_000),
        (18, 4_000),
        (180, 4_000),
        (240, -4_000),
    ]:
        given = given.then(10**12 + minute * MINUTE_MS, power_w)

    assert given.wh == 1_000 + 400 + 400 + 1_000


@pytest.mark.parametrize(
    ("energy_wh", "given_wh", "figures"),
    [(0, 5_000, (5_000,)), (300, 5_000, (300, 5_000)), (0, 1_900, ()), (2_000, 9_000, ()), (5_000, 0, ())],
)
def test_a_register_that_does_not_turn_is_in_doubt(energy_wh: int, given_wh: int, figures: tuple[int, ...]) -> None:
    found = with_power(Energies(energy_wh, ()), given_wh)

    assert found.figures == figures
    assert found.doubts == ((Doubt.POWER,) if figures else ())
