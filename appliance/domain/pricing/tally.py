"""What each line of a tariff prices of a session, exactly.

Theory. A period between two readings is cut wherever a condition of any line may change: at moments (windows, minutes since the start,
idle minutes) and at amounts of energy. As energy is spread evenly over its period, each cut is a fraction of it: with
P the milliseconds of the period and E its Wh, a moment k ms after its start is at k·E of P·E parts, and an amount of w Wh after
its start at w·P of them. So each piece has a whole number of parts, and its energy (parts / P) and its time (parts / E) are exact,
though hardly ever whole. Each line sums what it prices by these denominators, and is rounded once, at the end. That is why a
reading more or less, or a session priced in two halves, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import pairwise
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import Dimension, Period, Terms, Usage
from appliance.domain.pricing.rules import KEPT_ONCE, Holding, Now, first, timetable

WATT_MS = 3_600_000
"""Watt × milliseconds in one Wh."""
NOTHING_YET = Now((0, 1), (0, 1), (0, 1), (0, 1))


class Tally:
    """The sums of a session. Its periods are added one by one, so that a session that runs is never priced from its beginning."""

    def __init__(self, usage: Usage, terms: Terms, zone: ZoneInfo) -> None:
        self.terms = terms
        self.energy_wh = 0
        self.sums: dict[int, dict[int, int]] = {}
        """By line: Wh, milliseconds or times, by their denominator."""
        self._table = timetable(terms, usage.method, usage.group, zone, usage.holidays)
        self._started_ms = self._at_ms = usage.started_at_ms
        self._idle_ms = 0
        self._clock = self._table.since(self._started_ms)
        self._until_ms, self._holding = next(self._clock)
        self._once(self._holding, Dimension.FLAT)
        if usage.reserved_from_ms is not None:
            self._reserve(usage.reserved_from_ms, usage.reserved_until_ms or usage.started_at_ms)
        for period in usage.periods:
            self.add(period)

    def fork(self) -> Tally:
        """One more, which goes on by itself from here."""
        one = copy(self)
        one.sums = {line: dict(sums) for line, sums in self.sums.items()}
        one._clock = self._table.since(self._until_ms)  # noqa: SLF001  # one of these
        return one

    def add(self, period: Period) -> None:
        """What was measured since the period before."""
        by_time, by_energy = self._units(period)
        for line, dimension, start, end in self._pieces(period):
            self._count(line, end - start, by_energy if dimension is Dimension.ENERGY else by_time)
        self._go_on(period)

    def _units(self, period: Period) -> tuple[int, int]:
        """Parts of a period to one millisecond, and to one Wh."""
        return period.energy_wh or 1, period.until_ms - self._at_ms or 1

    def _pieces(self, period: Period) -> Iterator[tuple[int, Dimension, int, int]]:
        """Which line prices what of a period, from and to which of its parts. To be asked for once, for the clock goes on with it."""
        begin_ms, time_ms = self._at_ms, period.until_ms - self._at_ms
        by_time, _ = self._units(period)
        priced = _priced(period, time_ms)
        stretches = self._stretches(period.until_ms)
        ahead = iter(stretches)
        until_ms, holding = next(ahead)
        for start, end in pairwise(self._edges(period, begin_ms, stretches)):
            while (until_ms - begin_ms) * by_time <= start and time_ms:
                until_ms, holding = next(ahead)
            now = self._now(period, begin_ms, start) if self._table.measured else NOTHING_YET
            for dimension in priced:
                line = first(holding, dimension, now)
                if line is not None:
                    yield line, dimension, start, end

    def _go_on(self, period: Period) -> None:
        """It is priced; the next one follows."""
        self._idle_ms += period.until_ms - self._at_ms if period.charging is False else 0
        self._at_ms = period.until_ms
        self.energy_wh += period.energy_wh

    def _stretches(self, until_ms: int) -> list[tuple[int, Holding]]:
        """Those of the timetable from the beginning of a period to its end, which the last one may outlast."""
        if self._until_ms <= self._at_ms:
            self._until_ms, self._holding = next(self._clock)
        found = [(self._until_ms, self._holding)]
        while self._until_ms < until_ms:
            self._until_ms, self._holding = next(self._clock)
            found.append((self._until_ms, self._holding))
        return found

    def _edges(self, period: Period, begin_ms: int, stretches: list[tuple[int, Holding]]) -> list[int]:
        """Where a period is cut, in parts; its beginning and its end among them."""
        energy_wh, time_ms = period.energy_wh, period.until_ms - begin_ms
        by_time, by_energy = energy_wh or 1, time_ms or 1
        if len(stretches) == 1 and not self._table.measured:
            return [0, by_time * by_energy]  # As nearly always.
        moments = [until_ms - begin_ms for until_ms, _ in stretches]
        moments += [self._started_ms + ms - begin_ms for ms in self._table.elapsed_ms]
        if period.charging is False:
            moments += [ms - self._idle_ms for ms in self._table.idle_ms]
        cuts = {ms * by_time for ms in moments if 0 < ms < time_ms}
        amounts = (wh - self.energy_wh for wh in self._table.amounts_wh)
        cuts |= {wh * by_energy for wh in amounts if 0 < wh < energy_wh}
        return [0, *sorted(cuts), by_time * by_energy]

    def _now(self, period: Period, begin_ms: int, parts: int) -> Now:
        """So many parts after a period's beginning."""
        energy_wh, time_ms = period.energy_wh, period.until_ms - begin_ms
        by_time, by_energy = energy_wh or 1, time_ms or 1
        taken, passed = parts if energy_wh else 0, parts if time_ms else 0
        idled = passed if period.charging is False else 0
        return Now(
            (self.energy_wh * by_energy + taken, by_energy),
            ((begin_ms - self._started_ms) * by_time + passed, by_time),
            (self._idle_ms * by_time + idled, by_time),
            _power(period, time_ms),
        )

    def _reserve(self, from_ms: int, until_ms: int) -> None:
        """What keeping the place costs: once, and by time."""
        clock = self._table.since(from_ms)
        end_ms, holding = next(clock)
        self._once(holding, KEPT_ONCE)
        while from_ms < until_ms:
            line = first(holding, Dimension.RESERVATION, NOTHING_YET)
            if line is not None:
                self._count(line, min(end_ms, until_ms) - from_ms, 1)
            from_ms = end_ms
            end_ms, holding = next(clock)

    def _once(self, holding: Holding, dimension: str) -> None:
        line = first(holding, dimension, NOTHING_YET)
        if line is not None:
            self._count(line, 1, 1)

    def _count(self, line: int, parts: int, of: int) -> None:
        sums = self.sums.setdefault(line, {})
        if parts % of == 0:
            parts, of = parts // of, 1
        sums[of] = sums.get(of, 0) + parts


def _priced(period: Period, time_ms: int) -> list[Dimension]:
    """What goes on in a period."""
    priced = [Dimension.ENERGY] if period.energy_wh else []
    if time_ms and not period.parked:
        priced.append(Dimension.DURATION)
    if time_ms and period.charging is not None:
        priced.append(Dimension.CHARGING_TIME if period.charging else Dimension.IDLE_TIME)
    return priced


def _power(period: Period, time_ms: int) -> tuple[int, int]:
    if period.power_w is not None:
        return period.power_w, 1
    return (period.energy_wh * WATT_MS, time_ms) if time_ms else (0, 1)
