"""Whether registers that pass for watt-hours are something else: kilowatt-hours, or the count of a meter that does not turn. Pure.

Theory. OCPP 1.6 wants watt-hours at the start and at the stop, and some stations tell whole kilowatt-hours there: all that they give is billed
a thousandth, and nothing contradicts it but the readings, the power, and how little it is for the time. Where readings or power
say so, or the station's other sessions did, it is a thousand times as much. Where nothing tells, it is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from appliance.domain.calendar import HOUR_MS
from appliance.domain.energies import Doubt, Energies, in_doubt
from appliance.domain.registers import JITTER_WH, ROUNDING_WH, Progress, Register, most_wh

KILO = 1_000
SESSION_KWH_MAX = 150
"""No car takes more in one session: what is a larger difference is no count of kilowatt-hours."""
START_KWH_MIN = 10
"""A start below it tells watt-hours of a new meter as likely as kilowatt-hours."""
START_KWH_MAX = 2_000_000
"""So much no connector gives in its life."""
SLOW_W = 500
"""No car that charges takes so little for minutes."""
SLOW_MS_MIN = 180_000
POWER_HOLDS_MS = 900_000
"""So long a power that was told may be taken to last."""
LITTLE = 4
"""A register that tells less than this part of what the power gives does not turn as it should."""


class Given(NamedTuple):
    """The least that can have been given by the power that was told."""

    at_ms: int = 0
    power_w: int = 0
    watt_ms: int = 0
    first_ms: int = 0
    """When one was told first."""
    most_w: int = 0

    @property
    def wh(self) -> int:
        """In watt-hours."""
        return self.watt_ms // HOUR_MS

    def then(self, at_ms: int, power_w: int) -> Given:
        """After one more power; what comes late changes nothing."""
        before_ms, before_w, watt_ms, first_ms, most_w = self
        if at_ms <= before_ms:
            return self
        if before_w > 0 and power_w > 0:
            watt_ms += min(before_w, power_w) * min(at_ms - before_ms, POWER_HOLDS_MS)
        return Given(at_ms, power_w, watt_ms, first_ms or at_ms, max(most_w, power_w))

    def covers(self, begin_ms: int, end_ms: int) -> bool:
        """Whether it was told from the beginning to the end."""
        return self.first_ms - begin_ms <= POWER_HOLDS_MS and end_ms - self.at_ms <= POWER_HOLDS_MS


class Kilowatthours(NamedTuple):
    """A register that may be in kilowatt-hours."""

    told: int
    """As a whole number."""
    wh: int
    """With its fraction, if it is in kilowatt-hours."""


NOTHING_GIVEN = Given()


class Other(NamedTuple):
    """Another session of the station, that is billed."""

    register_wh: int
    """Its stop less its start."""
    energy_wh: int
    was_asked: bool = False
    """Whether staff have decided of what unit its registers are."""


def is_slow(energy_wh: int, charged_ms: int) -> bool:
    """Whether so much is too little for that time, as far as the car was not full."""
    return charged_ms >= SLOW_MS_MIN and energy_wh * HOUR_MS < SLOW_W * charged_ms


def may_be_kwh(progress: Progress, energy_wh: int, end_ms: int) -> bool:
    """Whether so many kilowatt-hours can have been taken until then."""
    start_ms, start_wh = progress.start
    if not 0 < energy_wh <= SESSION_KWH_MAX or start_wh > START_KWH_MAX:
        return False
    return KILO * energy_wh <= most_wh(progress.power_w, end_ms - start_ms)


def is_thousandth(progress: Progress, register_wh: int) -> bool:
    """Whether a register is the one of the start, or a little beyond, in kilowatt-hours."""
    start_wh = progress.start[1]
    return start_wh >= 10 * KILO and 0 <= KILO * (register_wh + 1) - start_wh <= KILO * SESSION_KWH_MAX


def by_readings(progress: Progress, stop: Register) -> int | None:
    """The energy of a session whose readings show that its stop is in kilowatt-hours, and perhaps its start; else None."""
    start_wh, (last_ms, last_wh) = progress.start[1], progress.line.last
    counted, read_wh = stop[1] - start_wh, progress.energy_wh
    is_small = may_be_kwh(progress, counted, stop[0])
    if not (is_small or is_thousandth(progress, stop[1])) or not read_wh or progress.highest_wh is None:
        return None
    # What may have been taken since the last reading, at twice the pace of those before it.
    more_wh = ROUNDING_WH + 2 * read_wh * max(0, stop[0] - last_ms) // max(1, last_ms - progress.start[0])
    is_reached = -ROUNDING_WH <= KILO * stop[1] - last_wh <= more_wh
    if is_small:
        is_meter = is_reached and last_wh >= KILO * (start_wh - 1) and last_wh > stop[1] + ROUNDING_WH
        # Readings that agree with start and stop as they are show nothing.
        is_taken = read_wh > counted + JITTER_WH and -ROUNDING_WH <= KILO * counted - read_wh <= more_wh
        return KILO * counted if is_meter or is_taken else None
    return max(read_wh, KILO * stop[1] - start_wh) if is_reached else None


def shows_watt_hours(progress: Progress, stop: Register) -> bool:
    """Whether readings that name kilowatt-hours show that start and stop are in watt-hours: the last one lies between them, and much too far
    from the stop if that is in kilowatt-hours.
    """
    last_ms, last_wh = progress.line.last
    if progress.highest_wh is None or not max(1, progress.start[1]) <= last_wh <= stop[1] + JITTER_WH:
        return False
    return KILO * stop[1] - last_wh > most_wh(progress.power_w, stop[0] - last_ms)


def by_power(energy_wh: int, given_wh: int) -> bool:
    """Whether the power that was told says that it is kilowatt-hours."""
    return KILO * energy_wh <= 2 * given_wh <= 4 * KILO * (energy_wh + 1)


def is_too_weak(progress: Progress, energy_wh: int, given: Given, end_ms: int) -> bool:
    """Whether the greatest power that was told can never have given so many kilowatt-hours. One that may be of kilowatts says nothing."""
    begun_ms = progress.start[0]
    if not given.covers(begun_ms, end_ms) or KILO * given.most_w <= progress.power_w:
        return False
    return 2 * given.most_w * (end_ms - begun_ms) < KILO * energy_wh * HOUR_MS


def by_others(others: Iterable[Other]) -> bool | None:
    """What the station's other sessions say, the latest first."""
    for one in others:
        if (
            one.register_wh > 0
            and one.energy_wh > JITTER_WH + one.register_wh
            and abs(one.energy_wh - KILO * one.register_wh) <= KILO
        ):
            return True  # Within a kilowatt-hour, for registers with a fraction are rounded.
        if one.register_wh > SESSION_KWH_MAX or (one.was_asked and one.energy_wh == one.register_wh):
            return False
    return None


def finer(found: Energies, start: Kilowatthours, stop: Kilowatthours) -> Energies:
    """The same, where a register was told with a fraction: what it is in kilowatt-hours is known to the watt-hour."""
    exact_wh = {
        KILO * (stop.told - start.told): stop.wh - start.wh,
        KILO * stop.told - start.told: stop.wh - start.told,
        stop.told - KILO * start.told: stop.told - start.wh,
    }
    figures = tuple(max(0, exact_wh.get(one, one)) for one in found.figures)
    return found._replace(energy_wh=max(0, exact_wh.get(found.energy_wh, found.energy_wh)), figures=figures)


def is_in_kwh(found: Energies, start_wh: int, stop_wh: int) -> bool:
    """Whether it is billed, or may be, for kilowatt-hours."""
    coarse = KILO * (stop_wh - start_wh), KILO * stop_wh - start_wh, stop_wh - KILO * start_wh
    return any(one and one in coarse for one in (found.energy_wh, *found.figures))


def looked_at(progress: Progress, found: Energies, stop: Register | None) -> Energies:
    """What a session's readings say of the unit of its stop."""
    if stop is None:
        return found
    energy_wh = by_readings(progress, stop)
    if energy_wh is not None:
        return found._replace(energy_wh=energy_wh, doubts=(), figures=())
    return without_readings(progress, found, stop) if not progress.energy_wh else found


def without_readings(progress: Progress, found: Energies, stop: Register) -> Energies:
    """In doubt, if only one of start and stop may be in kilowatt-hours, for then they may belong together."""
    start_wh, stop_wh = progress.start[1], stop[1]
    if is_thousandth(progress, stop_wh):
        return doubted(found, Doubt.UNIT, KILO * stop_wh - start_wh)
    if start_wh >= START_KWH_MIN and not found.doubts and 0 <= stop_wh - KILO * start_wh <= KILO * SESSION_KWH_MAX:
        return doubted(found, Doubt.UNIT, stop_wh - KILO * start_wh, stop_wh - start_wh)
    return found


def is_suspect(progress: Progress, found: Energies, end_ms: int, charged_ms: int) -> bool:
    """Whether what it took may be kilowatt-hours, so that power and other sessions are to be asked."""
    return not found.doubts and is_slow(found.energy_wh, charged_ms) and may_be_kwh(progress, found.energy_wh, end_ms)


def decided(found: Energies, given_wh: int, others: Iterable[Other], *, was_free: bool = False) -> Energies:
    """A suspect one, with what else is known. Where its connector `was_free` all the time, little is what is to be expected."""
    said = by_power(found.energy_wh, given_wh) or by_others(others)
    if said is None and not was_free:
        return doubted(found, Doubt.UNIT, KILO * found.energy_wh, found.energy_wh)
    return found._replace(energy_wh=KILO * found.energy_wh) if said else found


def with_power(found: Energies, given_wh: int) -> Energies:
    """In doubt, if the power gave far more than the register tells."""
    if found.doubts or given_wh <= LITTLE * found.energy_wh + 2 * ROUNDING_WH:
        return found
    return doubted(found, Doubt.POWER, *((found.energy_wh,) if found.energy_wh else ()), given_wh)


def doubted(found: Energies, why: Doubt, *figures: int) -> Energies:
    """In doubt, and what may be true."""
    energy_wh, doubts, offered = in_doubt(why, *figures)
    return found._replace(energy_wh=energy_wh, doubts=doubts, figures=offered)
