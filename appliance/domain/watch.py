"""How long a session that runs has not been measured, and what it may have taken meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from appliance.domain.calendar import HOUR_MS
from appliance.domain.registers import JITTER_WH, ROUNDING_WH, Progress, Register, grain_of, most_wh
from appliance.domain.scale import SLOW_W, is_thousandth, may_be_kwh

LATE_S = 15
"""A reading that comes so much later than it should is not overdue yet."""
MISSED_MAX = 1
"""One reading may be lost on the way; after another nobody watches the session."""
STANDBY_W_MAX = 100
"""What a meter may say although nothing charges: the station itself takes some. No car charges with so little."""
OWN_USE_W = 30
"""What a station may take for itself over days, if its meter sees that."""
DAY_MS = 24 * HOUR_MS
COARSE_PATIENCE_MS = {1_000: 900_000, 100: 300_000}
"""So long a meter that counts in such steps (Wh) may stand still while a car charges: with 4 kW, and with 1.2 kW, which is the least."""


PACE_MS = 45_000
"""Over so long a register tells how fast it goes, although it may be a coarse one, or read every few seconds."""
PACE_S, STEP_S_MIN = PACE_MS // 1000, 10
FINE_WH = 10


class Paced(NamedTuple):
    """Two earlier moments of a session's energy, (at_ms, wh) each, by which it is told how fast it goes."""

    older: tuple[int, int]
    newer: tuple[int, int]

    def then(self, at_ms: int, energy_wh: int) -> Paced:
        """After one more reading."""
        return Paced(self.newer, (at_ms, energy_wh)) if at_ms - self.newer[0] >= PACE_MS else self

    def step(self, at_ms: int, energy_wh: int) -> tuple[int, int]:
        """What was taken in how many seconds until a reading."""
        older, newer = self
        since_ms, since_wh = newer if at_ms - newer[0] >= PACE_MS else older
        return max(0, energy_wh - since_wh), max(0, at_ms - since_ms) // 1000


class Moved(NamedTuple):
    """Where a session's energy was when it last grew as it does while a car charges."""

    energy_wh: int
    at_ms: int
    """The station's word for when that was measured."""
    heard_ms: int

    def since_ms(self, at_ms: int, now_ms: int) -> int:
        """How long ago, by the clock by which it is less: a queue is told late, and a clock may be set right meanwhile."""
        return max(0, min(at_ms - self.at_ms, now_ms - self.heard_ms))


def goes_on(moved: Moved, energy_wh: int, now_ms: int) -> bool:
    """Whether the energy has grown since as it does while a car charges."""
    moved_wh, _, heard_ms = moved
    return (energy_wh - moved_wh) * HOUR_MS > STANDBY_W_MAX * max(0, now_ms - heard_ms)


def stands_still(progress: Progress, energy_wh: int | None, interval_wh: int | None) -> bool:
    """Whether a reading says that nothing was taken: its register is the last one that counts, not one that is on no line."""
    if energy_wh is not None:
        return energy_wh == progress.line.last[1]
    return interval_wh is not None and progress.highest_wh is None


def told_in_s(progress: Progress, step_s: int) -> int:
    """In how many seconds a step was taken at least: within a few a coarse register tells no pace."""
    if step_s >= PACE_S:
        return step_s
    line = progress.line
    is_fine = grain_of(line.before[1], line.last[1]) <= FINE_WH
    return max(step_s, STEP_S_MIN if is_fine else PACE_S)


def shows_power(step_wh: int, step_s: int, power_w: int) -> bool:
    """Whether a step of the register is what such a power brings, half of it at the least."""
    return step_s > 0 and 2 * step_wh * 3600 >= power_w * step_s


def may_be_thousandth(progress: Progress, energy_wh: int, power_w: int, begun_ms: int, now_ms: int) -> bool:
    """Whether a register that has moved so little may be one of kilowatt-hours; a power that was told as little says that it is not."""
    if is_thousandth(progress, progress.line.last[1]):
        return True
    if 0 < power_w < 2 * SLOW_W or energy_wh * HOUR_MS >= SLOW_W * (now_ms - begun_ms):
        return False
    return may_be_kwh(progress, energy_wh, progress.start[0] + now_ms - begun_ms)


def stands_for_ms(progress: Progress, before_wh: int | None) -> int:
    """How long its register may stand still while a car charges, because it seems to be a coarse one; `before_wh` is that of its EVSE before.

    Of a hundred registers one is whole hundreds by chance, so it takes a second one that is: one before, or a step since.
    """
    start_wh, last_wh = progress.start[1], progress.line.last[1]
    grain_wh = grain_of(start_wh, last_wh, before_wh or 0)
    is_shown = grain_wh == ROUNDING_WH or before_wh or progress.register_wh
    return COARSE_PATIENCE_MS.get(grain_wh, 0) if last_wh > 0 and is_shown else 0


def moved_on_wh(stop: Register, found: Register, power_w: int, *, by_itself: bool) -> int:
    """What flowed after a session's stop, by a register that was read since; 0: nothing, or not by the same count.

    A meter that may count each session `by_itself` shows another count in between, which is soon too far away.
    """
    more_wh, passed_ms = found[1] - stop[1], found[0] - stop[0]
    longest_ms = min(passed_ms, HOUR_MS if by_itself else DAY_MS)
    least_wh = max(JITTER_WH, grain_of(stop[1], found[1]) - 1, OWN_USE_W * passed_ms // HOUR_MS)
    return more_wh if passed_ms > 0 and least_wh < more_wh <= most_wh(power_w, longest_ms) else 0


def step_wh(before: Register, found: Register, power_w: int) -> int:
    """What flowed from one reading to the next where no session runs."""
    more_wh, passed_ms = found[1] - before[1], found[0] - before[0]
    return more_wh if STANDBY_W_MAX * passed_ms < more_wh * HOUR_MS and more_wh <= most_wh(power_w, passed_ms) else 0


def by_power_wh(power_w: int, moved: Moved, energy_wh: int, since_ms: int) -> int:
    """What a power that is told has given since, beyond what the register says."""
    return max(0, power_w * since_ms // HOUR_MS - (energy_wh - moved.energy_wh))


def unseen_s(read_at_ms: int, idle_spans: Sequence[tuple[int, int | None]], now_ms: int) -> int:
    """For how many seconds energy may have flowed since its register was last read: the car was not full.

    `idle_spans` as in domain/session.py.
    """
    idle_ms = sum(
        max(0, (now_ms if end_ms is None else min(end_ms, now_ms)) - max(begin_ms, read_at_ms))
        for begin_ms, end_ms in idle_spans
    )
    return max(0, now_ms - read_at_ms - idle_ms) // 1000


def missed(unseen_s: int, interval_s: int) -> int:
    """How many readings have not come that should have."""
    return max(0, unseen_s - LATE_S) // interval_s


def taken_wh(unseen_s: int, power_w: int) -> int:
    """The most that it can have taken, rounded up."""
    return -(-unseen_s * power_w // 3600)
