"""What the meter of an EVSE says about one session while it runs: its energy, and the line it grew along. Pure.

Theory. A session begins with a register, readings follow, and a stop has the last one. In the field any of them may be wrong, or stand
on another count than the rest. So registers are read as *lines*: on one line each is a step after the one before that the EVSE can
have given in the time (greatest power × time + slack), and `offset_wh` makes a register on it the session's energy.

A register on the line goes on with it. One that is a little lower, or no lower than the last but one, is a dip of the meter and changes
nothing. Any other begins a second line, which counts when another register follows on it: one stray register is no reading, and
two or more are followed, from zero if they can have begun there (the meter was set to zero or rolled over, or the samples count from the
session's start), else from where they appeared. The line that was left stays known, so two counts may take turns.

Where a station sends no register but what was taken in each interval, that is summed up. Some call so what was taken since the session's
start: values that rise each by about as much as the first are read so, and what lies on the start's register is a register.

What all that comes to at the stop is in `energies`.

Whoever remembers a running session keeps its Progress and goes on with each sample (`go_on`); what comes late is read anew with
all the others (`all_of`). Both give the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd
from typing import NamedTuple

from appliance.domain.calendar import HOUR_MS

Register = tuple[int, int]
"""(at_ms, wh)."""
Sampled = tuple[int, int | None, int | None]
"""(at_ms, the register in Wh, what was taken in the interval that ended then in Wh); None: not told."""

POWER_W_MAX = 400_000
"""No charger for cars gives more, as long as nobody has said otherwise."""
ROUNDING_WH = 1_000
"""What two registers of the same moment may differ by: some meters tell whole kilowatt-hours."""
GRAINS_WH = {10: 10, 20: 10, 40: 10, 50: 10, 250: 10, 100: 100, 200: 100, 500: 100, ROUNDING_WH: ROUNDING_WH}
"""What meters round to, if not to single watt-hours, by what divides their registers and ROUNDING_WH."""
JITTER_WH = 100
"""What one meter may go back by from reading to reading."""
RISES_MIN = 3
"""After so many steps alike, values of intervals are known to be what was taken since the start."""
COARSE_TIME_MS = 72_000
"""Some clocks tell whole minutes, and some take their time between reading a meter and dating it."""
ROLLS_OVER_AT = (*(10**digits for digits in range(6, 13)), 2**31, 2**32)
"""Where counters begin at zero again (Wh)."""


class Line(NamedTuple):
    """Registers of which each is a possible step after the one before; only the last two matter."""

    offset_wh: int
    """Added to a register it is the session's energy."""
    before: Register
    last: Register
    joined_wh: int | None = None
    """The session's energy when the line appeared, where nothing tells how it goes on from there; None: from the start, or from zero."""


class Intervals(NamedTuple):
    """What was told of intervals."""

    last: Register
    """The last one that counted."""
    sum_wh: int
    first_wh: int
    rises: int = 0
    """How many were each higher than the one before by about as much as the first: it seems that they are no intervals, but what was taken
    since the start. -1: one was not, before that was known.
    """

    @property
    def energy_wh(self) -> int:
        """What was taken in all of them."""
        return self.last[1] if self.rises > 0 else self.sum_wh


class Progress(NamedTuple):
    """All that has to be known of the registers so far in order to go on."""

    start: Register
    power_w: int
    """The greatest that the EVSE can give."""
    line: Line
    """The one on which the last reading was."""
    other: Line | None
    """One that was left, or that begins."""
    newest: tuple[int, int, int]
    """What was read last, in the order of `in_order`."""
    highest_wh: int | None = None
    """The highest register that was told, whether or not it counts."""
    register_wh: int = 0
    """The energy by the registers."""
    intervals: Intervals | None = None
    grain_wh: int = 1
    """To what the registers of starts and stops seem to be rounded."""

    @property
    def energy_wh(self) -> int:
        """The session's energy so far; 0 while nothing is known."""
        if self.intervals is None or self.highest_wh is not None:
            return self.register_wh
        return self.intervals.energy_wh

    @property
    def is_plain(self) -> bool:
        """Whether the energy is simply the highest register above that of the start."""
        if self.highest_wh is None:
            return self.energy_wh == 0
        return self.register_wh == max(0, self.highest_wh - self.start[1])

    @property
    def read_at_ms(self) -> int:
        """When something was last read, at the start at the earliest."""
        return max(self.start[0], self.newest[0])


def begin(start: Register, power_w: int = POWER_W_MAX, before_wh: int | None = None) -> Progress:
    """The session begins. `before_wh` is the EVSE's last register before; where that is higher than the one of the start, both are followed."""
    other = None
    if before_wh is not None and before_wh > start[1]:
        other = Line(-before_wh, (start[0], before_wh), (start[0], before_wh), joined_wh=0)
    grain_wh = grain_of(start[1], before_wh or 0)
    return Progress(start, power_w, Line(-start[1], start, start), other, (start[0], -1, -1), grain_wh=grain_wh)


def in_order(progress: Progress, sampled: Sampled) -> tuple[int, int, int]:
    """By what samples are put in order: time, then register. None is dated before the start."""
    at_ms, wh, interval_wh = sampled
    return max(at_ms, progress.start[0]), -1 if wh is None else wh, -1 if interval_wh is None else interval_wh


def go_on(progress: Progress, sampled: Sampled) -> Progress | None:
    """After one more sample; None if it comes after one that was measured later: then all are to be read anew."""
    steady = steadily(progress, sampled)
    if steady is not None:
        return steady
    return None if in_order(progress, sampled) < progress.newest else further(progress, sampled)


def steadily(progress: Progress, sampled: Sampled) -> Progress | None:
    """The same as `further` for what nearly all samples are, without the detours: a register on the one line there is, higher and
    later than the one before. None: it is not like that.
    """
    at_ms, wh, interval_wh = sampled
    start, power_w, line, other, newest, highest_wh, register_wh, intervals, grain_wh = progress
    last_ms, last_wh = line.last
    if other is not None or interval_wh is not None or wh is None or wh <= last_wh or at_ms <= newest[0]:
        return None
    if wh - last_wh > most_wh(power_w, at_ms - last_ms) or wh + line.offset_wh < register_wh:
        return None
    if highest_wh is None or highest_wh < wh:
        highest_wh = wh
    line = Line(line.offset_wh, line.last, (at_ms, wh), line.joined_wh)
    newest = (at_ms, wh, -1)
    return Progress(
        start, power_w, line, other, newest, highest_wh, wh + line.offset_wh, intervals, grain_wh
    )  # fmt: skip


def further(progress: Progress, sampled: Sampled) -> Progress:
    """After one more sample, which must not be late."""
    key = in_order(progress, sampled)
    if key == progress.newest:
        return progress  # The same once more.
    at_ms, wh, interval_wh = key[0], sampled[1], sampled[2]
    if wh is not None:
        progress = with_register(progress, (at_ms, wh))
    if interval_wh is not None:
        progress = with_interval(progress, (at_ms, interval_wh))
    return progress._replace(newest=key)


def with_register(progress: Progress, found: Register) -> Progress:
    """One more register is told."""
    line, other = progress.line, progress.other
    highest_wh = found[1] if progress.highest_wh is None else max(progress.highest_wh, found[1])
    progress = progress._replace(highest_wh=highest_wh)
    has_begun = progress.register_wh or line.offset_wh != -progress.start[1]
    if not has_begun and other is not None and other.last[0] == progress.start[0] and fits(progress, other, found):
        # Nothing was taken on the start's own line, and this one goes on from the EVSE's register before it.
        return on_line(progress, other, found, line)
    if fits(progress, line, found):
        return on_line(progress, line, found, other)
    if is_dip(line, found):
        return progress
    if other is not None and fits(progress, other, found):
        return on_line(progress, other, found, line)
    return progress._replace(other=line_beginning_with(progress, found))


def with_interval(progress: Progress, found: Register) -> Progress:
    """What was taken in one more interval is told; of two for the same moment the greater counts."""
    at_ms, wh = found
    seen = progress.intervals
    if seen is None:
        if 0 <= wh <= most_wh(progress.power_w, at_ms - progress.start[0]):
            return progress._replace(intervals=Intervals(found, wh, wh))
        # Too much for an interval: if it goes on from the start, it is the register by a wrong name.
        return with_register(progress, found) if fits(progress, progress.line, found) else progress
    (last_ms, last_wh), step_wh = seen.last, wh - seen.last[1]
    possible_wh = most_wh(progress.power_w, at_ms - last_ms)
    if at_ms == last_ms:
        more_wh = max(0, step_wh) if wh <= possible_wh else 0
        return progress._replace(intervals=seen._replace(last=(at_ms, last_wh + more_wh), sum_wh=seen.sum_wh + more_wh))
    is_interval, goes_on = 0 <= wh <= possible_wh, 0 <= step_wh <= possible_wh
    if not is_interval and not goes_on:
        return progress
    sum_wh = seen.sum_wh + (wh if is_interval else 0)
    rises = rises_after(seen, step_wh, is_interval=is_interval)
    return progress._replace(intervals=Intervals(found, sum_wh, seen.first_wh, rises))


def rises_after(seen: Intervals, step_wh: int, *, is_interval: bool) -> int:
    """`Intervals.rises`, after one more that was higher by so much."""
    if not is_interval:
        return RISES_MIN
    if seen.rises >= RISES_MIN:
        return seen.rises if step_wh >= 0 else -1
    if seen.rises < 0 or step_wh <= 0 or 2 * step_wh < seen.first_wh:
        return -1
    return seen.rises + 1


def on_line(progress: Progress, line: Line, found: Register, other: Line | None) -> Progress:
    """A register goes on with a line, and leaves the other one."""
    before = line.last if found[1] > line.last[1] else line.before
    energy_wh = max(progress.register_wh, found[1] + line.offset_wh)
    return progress._replace(line=line._replace(before=before, last=found), other=other, register_wh=energy_wh)


def fits(progress: Progress, line: Line, found: Register) -> bool:
    """Whether it can be the next register on this line."""
    step_wh = found[1] - line.last[1]
    passed_ms = found[0] - line.last[0]
    return 0 <= step_wh <= most_wh(progress.power_w, passed_ms)


def is_dip(line: Line, found: Register) -> bool:
    """Whether it is a little lower than the last register of its line, or no lower than the last but one."""
    return min(line.before[1], line.last[1] - JITTER_WH) <= found[1] < line.last[1]


def line_beginning_with(progress: Progress, found: Register) -> Line:
    """The line of a register that is on none: it is counted from zero where it can have begun there, else from itself."""
    energy_wh, (last_ms, last_wh) = progress.register_wh, progress.line.last
    possible_wh = given_wh(progress.power_w, found[0] - last_ms) + ROUNDING_WH
    for limit_wh in ROLLS_OVER_AT:
        left_wh = limit_wh - last_wh
        if 0 < left_wh <= limit_wh // 100 and left_wh + found[1] <= possible_wh:
            return Line(energy_wh + left_wh, found, found)
    if found[1] <= possible_wh:
        return Line(energy_wh, found, found)
    return Line(energy_wh - found[1], found, found, joined_wh=energy_wh)


def given_wh(power_w: int, passed_ms: int) -> int:
    """What such a power gives in such a time."""
    return power_w * max(0, passed_ms) // HOUR_MS


def most_wh(power_w: int, passed_ms: int) -> int:
    """What may have been given in such a time, by coarse clocks and meters."""
    # As `given_wh`, written out because each reading comes by here.
    return power_w * (max(0, passed_ms) + COARSE_TIME_MS) // HOUR_MS + 2 * ROUNDING_WH


def grain_of(*registers_wh: int) -> int:
    """To what these registers seem to be rounded; zeros tell nothing."""
    return GRAINS_WH.get(gcd(ROUNDING_WH, *registers_wh), 1)


def all_of(begun: Progress, samples: Iterable[Sampled]) -> tuple[Progress, list[tuple[int, int]]]:
    """All samples of a session, in whatever order they are given: the progress after them, and the line of its energies."""
    progress, line = begun, [(begun.start[0], 0)]
    for sampled in sorted(samples, key=lambda one: in_order(begun, one)):
        progress = further(progress, sampled)
        line.append((progress.newest[0], max(progress.energy_wh, line[-1][1])))
    return progress, line
