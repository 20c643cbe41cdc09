"""The energy of a session that is over, and what is doubtful in it: what its registers say (`registers`) beside its stop. Pure.

At the stop all must agree: its register less that of the start, with what was read in between, and with the start of whoever
charged next. What does not is in doubt, and `Energies.figures` are what might be billed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from appliance.domain.registers import (
    COARSE_TIME_MS,
    JITTER_WH,
    ROUNDING_WH,
    Line,
    Progress,
    Register,
    Sampled,
    all_of,
    fits,
    given_wh,
    grain_of,
    with_register,
)


class Doubt(StrEnum):
    """Why a session is not billed before somebody has looked at it; these words are stored."""

    REGISTERS = "registers"
    """Its registers contradict each other, so that nobody knows its energy."""
    TOO_MUCH = "too_much"
    """More energy than one session can take."""
    TOO_FAST = "too_fast"
    """More energy than its EVSE gives in its time."""
    NOBODY = "nobody"
    """Its station was told that the card may not charge, and nobody is known who would pay for what flowed all the same."""
    NO_START = "no_start"
    """Its start told no register: where it began is taken from what was told before and since."""
    STOP_BELOW = "stop_below"
    """The stop says less than the readings before it."""
    STOP_BEYOND = "stop_beyond"
    """The stop says more than can have been given since the last reading."""
    START_APART = "start_apart"
    """Readings and stop go on from another register than that of the start."""
    ANEW = "anew"
    """The register may have begun anew, which nothing else shows."""
    NEXT_START = "next_start"
    """It goes on beyond the register with which the next session of its EVSE began."""
    UNIT = "unit"
    """Its registers, or one of them, may be kilowatt-hours."""
    POWER = "power"
    """By the power that was told it took far more than its registers say."""
    SECOND_STOP = "second_stop"
    """Its station told of the stop once more, with another register."""


class Energies(NamedTuple):
    """What was read out of a session's registers."""

    energy_wh: int
    """0 while nothing is known."""
    line: Sequence[tuple[int, int]]
    """(at_ms, Wh since the start), in order and never falling; from the start to the stop, or to the last register."""
    doubts: tuple[Doubt, ...] = ()
    figures: tuple[int, ...] = ()
    """Where it is in doubt: the energies of which one may be true; the first is `energy_wh`."""


def ended(
    progress: Progress,
    stop: tuple[int, int | None] | None,
    next_wh: int | None = None,
    lasted_ms: int | None = None,
) -> Energies:
    """The energy of a session that is over.

    `stop` is None when its end is an estimate, and its register is None when it could not be read, or below zero. `next_wh` is the register with which
    the next session of the EVSE has begun already. `lasted_ms` is the longest that it can have lasted (`longest_ms`), if not just from start to stop.
    """
    stop_ms, stop_wh = (progress.read_at_ms, None) if stop is None else stop
    stop_ms = max(progress.start[0], stop_ms)
    if stop_wh is None or stop_wh < 0:
        found = without_register(progress, is_estimate=stop is None)
    elif stop_wh >= progress.start[1]:
        lasted_ms = stop_ms - progress.start[0] + COARSE_TIME_MS if lasted_ms is None else lasted_ms
        found = by_difference(progress, (stop_ms, stop_wh), lasted_ms)
    else:
        found = by_line(progress, (stop_ms, stop_wh))
    energy_wh, doubts, figures = bounded(progress, found, next_wh)
    return Energies(energy_wh, [(progress.start[0], 0), (stop_ms, energy_wh)], doubts, figures)


Found = tuple[int, tuple[Doubt, ...], tuple[int, ...]]
"""Energy, doubts, figures."""


def without_register(progress: Progress, *, is_estimate: bool) -> Found:
    """There are only readings."""
    energy_wh, line, other = progress.energy_wh, progress.line, progress.other
    if other is not None and other.last[0] == progress.read_at_ms > line.last[0]:
        # The last reading is on a line of its own: had another followed there, it would count.
        beyond_wh = other.last[1] + other.offset_wh
        if not agree(beyond_wh, energy_wh):
            return in_doubt(Doubt.ANEW, energy_wh, beyond_wh)
        energy_wh = max(energy_wh, beyond_wh)
    if line.joined_wh is not None and energy_wh > line.joined_wh:
        return in_doubt(Doubt.START_APART, energy_wh)
    if not energy_wh and other is not None and other.joined_wh is not None and other.last[1] > progress.start[1]:
        return in_doubt(Doubt.TOO_FAST, other.last[1] - progress.start[1])
    return energy_wh, () if energy_wh or is_estimate else (Doubt.REGISTERS,), ()


def by_difference(progress: Progress, stop: Register, lasted_ms: int) -> Found:
    """The stop is no lower than the start: what lies between them is billed, if all that was read agrees."""
    energy_wh = stop[1] - progress.start[1]
    read_wh = read_beside(progress, energy_wh)
    at_stop, is_elsewhere = progress, False
    if (
        progress.other is not None or progress.line.offset_wh != -progress.start[1]
    ):  # Else there is no line but the start's.
        at_stop = with_register(progress, stop)
        is_elsewhere = at_stop.line.last == stop and goes_on_elsewhere(progress, at_stop, stop)
    if energy_wh > given_wh(progress.power_w, lasted_ms) + 2 * ROUNDING_WH:
        followed_wh = at_stop.register_wh if is_elsewhere else read_wh
        return in_doubt(Doubt.TOO_FAST, followed_wh or energy_wh, energy_wh)
    if is_elsewhere:
        elsewhere_wh, follows = at_stop.register_wh, at_stop.line.joined_wh is None
        if follows and is_below(progress, stop, read_wh):
            return elsewhere_wh, (), ()
        is_told_apart = follows and agree(elsewhere_wh, read_wh) != agree(energy_wh, read_wh)
        if not is_told_apart and not agree(elsewhere_wh, energy_wh):
            return in_doubt(Doubt.START_APART, elsewhere_wh, energy_wh)
        if follows:
            energy_wh = min(energy_wh, elsewhere_wh, key=lambda one: abs(one - read_wh))
    elif (apart := progress.other) is not None and is_confirmed(progress, apart, stop):
        apart_wh = stop[1] + apart.offset_wh
        if not agree(apart_wh, energy_wh):
            return in_doubt(Doubt.START_APART, apart_wh, energy_wh)
    if is_below(progress, stop, read_wh) or (not energy_wh and read_wh > JITTER_WH):
        return in_doubt(Doubt.STOP_BELOW, read_wh, energy_wh)
    read_ms = max(progress.line.last[0], progress.intervals.last[0] if progress.intervals is not None else 0)
    left_ms = lasted_ms - (read_ms - progress.start[0])
    if energy_wh - read_wh > given_wh(progress.power_w, left_ms) + 2 * ROUNDING_WH:
        return in_doubt(Doubt.STOP_BEYOND, read_wh, energy_wh)
    return energy_wh, (), ()


def is_below(progress: Progress, stop: Register, read_wh: int) -> bool:
    """Whether the stop is lower than what was read, by more than meters round."""
    below_wh = read_wh - (stop[1] - progress.start[1])
    return below_wh > 0 and below_wh > slack_of(progress, stop[1])


def read_beside(progress: Progress, energy_wh: int) -> int:
    """What was read, beside what start and stop say: of intervals, whichever way of reading them comes closest to it."""
    seen = progress.intervals
    if seen is None or progress.highest_wh is not None:
        return progress.energy_wh
    readings_wh = seen.energy_wh, seen.sum_wh, seen.last[1], seen.last[1] - progress.start[1]
    return min(readings_wh, key=lambda one: abs(one - energy_wh))


def goes_on_elsewhere(progress: Progress, at_stop: Progress, stop: Register) -> bool:
    """Whether a stop goes on with another line than that of the start, which is farther from it."""
    start_wh = progress.start[1]
    if at_stop.line.offset_wh == -start_wh:
        return False
    here = progress.line if progress.line.offset_wh == at_stop.line.offset_wh else progress.other
    there = next((one for one in (progress.line, progress.other) if one and one.offset_wh == -start_wh), None)
    there_wh = start_wh if there is None else there.last[1]
    return here is not None and (there_wh > stop[1] or there_wh - here.last[1] <= ROUNDING_WH)


def is_confirmed(progress: Progress, apart: Line, stop: Register) -> bool:
    """Whether the last register, higher than can have been reached from the one before it, lies on the way to the stop."""
    (last_ms, last_wh), (apart_ms, apart_wh) = progress.line.last, apart.last
    return apart_ms > last_ms and apart_wh > last_wh and apart.joined_wh is not None and fits(progress, apart, stop)


def by_line(progress: Progress, stop: Register) -> Found:
    """The stop is lower than the start: it must be on a line that began since."""
    read_wh, line = progress.energy_wh, progress.line
    at_stop = with_register(progress, stop)
    if at_stop.line.last == stop:
        line, energy_wh = at_stop.line, at_stop.register_wh
    elif not read_wh:
        anew = at_stop.other
        if stop[1] > JITTER_WH and anew is not None and anew.last == stop and anew.joined_wh is None:
            # It can have begun anew, or count from the start.
            return in_doubt(Doubt.REGISTERS, stop[1] + anew.offset_wh)
        return in_doubt(Doubt.REGISTERS)
    elif line.last[1] < progress.start[1] and 0 < line.last[1] - stop[1] <= slack_of(progress, stop[1]):
        energy_wh = read_wh
    elif at_stop.other is None or at_stop.other is progress.other:
        return in_doubt(Doubt.STOP_BELOW, read_wh, stop[1] + line.offset_wh)
    else:
        energy_wh = stop[1] + at_stop.other.offset_wh
        if not agree(energy_wh, read_wh) or stop[1] > ROUNDING_WH:
            return in_doubt(Doubt.ANEW, read_wh, energy_wh)
    if line.joined_wh is not None and energy_wh > line.joined_wh:
        return in_doubt(Doubt.START_APART, energy_wh)
    return energy_wh, (), ()


def in_doubt(why: Doubt, *figures: int) -> Found:
    """The first figure is what is believed, if any is; each is told once."""
    found = tuple(dict.fromkeys(max(0, one) for one in figures))
    return found[0] if found else 0, (why,), found


def from_nothing(
    progress: Progress, found: Energies, stop: Register, before_wh: int, first: Register | None
) -> Energies:
    """A session that began with nothing, as the one before it, which stopped at `before_wh`: its meter may count each by itself, or its
    starts tell nothing. In doubt where no reading lies below that stop and the `first` leaps, if there is one.
    """
    start_ms, (stop_ms, stop_wh) = progress.start[0], stop
    first_ms, first_wh = first or stop
    if found.doubts or min(first_wh, stop_wh) < before_wh or agree(before_wh, 0):
        return found
    # What the pace of all that came after would have brought until then.
    steady_wh = (stop_wh - first_wh) * (first_ms - start_ms) // max(1, stop_ms - first_ms)
    if first_wh <= 3 * steady_wh + 2 * ROUNDING_WH:
        return found
    energy_wh, doubts, figures = in_doubt(Doubt.START_APART, stop_wh - before_wh, stop_wh - progress.start[1])
    return found._replace(energy_wh=energy_wh, doubts=doubts, figures=figures)


def bounded(progress: Progress, found: Found, next_wh: int | None) -> Found:
    """What is beyond the start of the next session of the EVSE is that one's to pay. Where both began with the same register
    each session is counted by itself.
    """
    energy_wh, doubts, _ = found
    if doubts or next_wh is None or not 0 < next_wh - progress.start[1] < energy_wh - slack_of(progress, next_wh):
        return found
    return in_doubt(Doubt.NEXT_START, next_wh - progress.start[1], energy_wh)


def agree(one_wh: int, other_wh: int) -> bool:
    """Whether two energies are the same, as far as meters tell."""
    return abs(one_wh - other_wh) <= ROUNDING_WH


def longest_ms(told_ms: tuple[int, int], heard_ms: tuple[int, int], *, live: bool) -> int:
    """How long a session can have lasted, by its station's times for start and stop and by ours. Where the station's clock stood still or went
    back meanwhile, ours count, if its start was `live`: what comes out of a queue has no others, and then it lasted no time.
    """
    told, heard = told_ms[1] - told_ms[0], heard_ms[1] - heard_ms[0]
    if told > 0:
        return told + COARSE_TIME_MS
    return max(heard, COARSE_TIME_MS) if live else 0


def slack_of(progress: Progress, stop_wh: int) -> int:
    """What a stop may be lower by than what was read before it, as far as this meter rounds, and its readings do where several rose."""
    line = progress.line
    told_wh = min(progress.grain_wh, grain_of(stop_wh))
    read_wh = grain_of(line.before[1], line.last[1]) if line.before[0] > progress.start[0] else 1
    return max(JITTER_WH, told_wh, read_wh)


def read(
    begun: Progress,
    samples: Iterable[Sampled],
    stop: tuple[int, int | None] | None = None,
    next_wh: int | None = None,
) -> Energies:
    """The energy of a session that is over, out of all its samples; see `ended`."""
    progress, line = all_of(begun, samples)
    found = ended(progress, stop, next_wh)
    stop_ms = found.line[-1][0]
    between = [(at_ms, min(wh, found.energy_wh)) for at_ms, wh in line if at_ms < stop_ms or stop is None]
    return found._replace(line=[*(between or line[:1]), (max(stop_ms, line[0][0]), found.energy_wh)])


def energy_at(line: Sequence[tuple[int, int]], at_ms: int) -> int:
    """The energy at a moment, between two points of the line on the straight between them."""
    after = bisect_right(line, (at_ms, 2**62))
    if after == 0:
        return line[0][1]
    if after == len(line):
        return line[-1][1]
    (left_ms, left_wh), (right_ms, right_wh) = line[after - 1], line[after]
    return left_wh + (right_wh - left_wh) * (at_ms - left_ms) // max(1, right_ms - left_ms)
