"""When a session used what it did: the periods by which a tariff with lines prices it, out of the line that its energies grew along. Pure.

`course_of` makes all of them. Whoever remembers a running session adds one reading after the other to a `SoFar`, which comes to the
same sums; what no longer fits what was added before is reckoned anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from appliance.domain.energies import energy_at
from appliance.domain.pricing.lines import Period
from appliance.domain.pricing.lines import Usage as Session
from appliance.domain.pricing.tally import Tally
from appliance.domain.session import Facts, begun_ms

Spans = Sequence[tuple[int, int | None]]
"""(begin_ms, end_ms); None for the one that goes on."""


class Still(NamedTuple):
    """When a car took no energy: it was full (idle), or its charger or the site had paused it. What is both is paused."""

    idle: Spans = ()
    paused: Spans = ()

    def edges(self, from_ms: int, to_ms: int) -> set[int]:
        """Where one of them begins or ends between two moments."""
        if not self.idle and not self.paused:
            return set()
        return {
            edge for span in (*self.idle, *self.paused) for edge in span if edge is not None and from_ms < edge < to_ms
        }

    def is_charging(self, from_ms: int, to_ms: int) -> bool | None:
        """What went on between two moments without an edge between them, as periods have it."""
        if _covers(self.paused, from_ms, to_ms):
            return None
        return not _covers(self.idle, from_ms, to_ms)

    def until(self, at_ms: int) -> Still:
        """What of it was so by a moment; a span that goes on has then got to there."""
        return Still(_until(self.idle, at_ms), _until(self.paused, at_ms))


def course_of(
    facts: Facts,
    energy_wh: int,
    until_ms: int,
    line: Sequence[tuple[int, int]],
    parked_until_ms: int | None = None,
    paused: Spans = (),
) -> tuple[int, tuple[Period, ...]]:
    """When it began, and its periods until a moment: what was used when.

    `line` is that of its energies; it is cut where the car began or ceased to be still, too. A car that stays after the end is idle
    until `parked_until_ms`.
    """
    assert facts.started_at_ms is not None
    begun = begun_ms(facts.started_at_ms, facts.heard_at_ms, until_ms)
    until_ms = max(until_ms, begun)
    # Of several energies at one moment the last one counts.
    known = {begun: 0} | {at: min(wh, energy_wh) for at, wh in line if begun < at < until_ms} | {until_ms: energy_wh}
    points, still = sorted(known.items()), Still(facts.idle_spans, paused)
    moments = sorted(known.keys() | still.edges(begun, until_ms))
    periods, before_ms, before_wh = [], begun, 0
    for at_ms in moments:
        wh = max(before_wh, energy_wh if at_ms == until_ms else energy_at(points, at_ms))
        if at_ms > before_ms or wh > before_wh:
            periods.append(Period(at_ms, wh - before_wh, still.is_charging(before_ms, at_ms)))
        before_ms, before_wh = at_ms, wh
    if parked_until_ms is not None and parked_until_ms > until_ms:
        periods.append(Period(parked_until_ms, charging=False, parked=True))
    return begun, tuple(periods)


class SoFar:
    """The sums of a session that runs, up to the last point of its line: never priced from its beginning again."""

    __slots__ = ("_still", "at_ms", "begun_ms", "tally", "wh")

    def __init__(self, begun_ms: int, tally: Tally) -> None:
        """`tally` has no period yet."""
        self.begun_ms = self.at_ms = begun_ms
        self.wh = 0
        self.tally = tally
        self._still = Still()

    def reach(self, at_ms: int, wh: int, still: Still) -> bool:
        """Go on to the next point of the line. False: what was added before was otherwise, and all is to be reckoned anew."""
        if at_ms <= self.begun_ms:
            return True
        if not self.knows(still) or (at_ms, wh) < (self.at_ms, self.wh) or (at_ms == self.at_ms and wh != self.wh):
            return False
        wh = max(wh, self.wh)
        if at_ms > self.at_ms:
            for period in _periods((self.at_ms, self.wh), (at_ms, wh), still):
                self.tally.add(period)
            self.at_ms, self.wh = at_ms, wh
        self._still = still
        return True

    def knows(self, still: Still) -> bool:
        """Whether what was added is still so: what stations tell late may say otherwise of the time before."""
        known = self._still
        if still.idle is known.idle and still.paused is known.paused:
            return True
        return still.until(self.at_ms) == known.until(self.at_ms)

    def at(self, until_ms: int, energy_wh: int, still: Still) -> Tally | None:
        """The sums at a moment, which nobody may change; None: they cannot be told from here."""
        if energy_wh != self.wh or until_ms < self.at_ms or self.at_ms == self.begun_ms or not self.knows(still):
            return None
        if until_ms == self.at_ms:
            return self.tally
        ahead = self.tally.fork()
        for period in _periods((self.at_ms, self.wh), (until_ms, energy_wh), still):
            ahead.add(period)
        return ahead


def cut(session: Session, until_ms: int) -> Session:
    """A session as it was at a moment; the period in which that lies is shared out by time."""
    begin_ms, periods = session.started_at_ms, []
    for period in session.periods:
        if period.until_ms > until_ms:
            if begin_ms < until_ms:
                energy_wh = period.energy_wh * (until_ms - begin_ms) // (period.until_ms - begin_ms)
                periods.append(replace(period, until_ms=until_ms, energy_wh=energy_wh))
            break
        periods.append(period)
        begin_ms = period.until_ms
    return replace(session, periods=tuple(periods))


def _periods(before: tuple[int, int], after: tuple[int, int], still: Still) -> Iterator[Period]:
    """From one point of the line to the next."""
    edges = still.edges(before[0], after[0])
    if edges:
        line = (before, after)
        for at_ms in sorted(edges):
            wh = energy_at(line, at_ms)
            yield Period(at_ms, wh - before[1], still.is_charging(before[0], at_ms))
            before = at_ms, wh
    yield Period(after[0], after[1] - before[1], still.is_charging(before[0], after[0]))


def _covers(spans: Spans, from_ms: int, to_ms: int) -> bool:
    # The last one is the one that goes on, if any does.
    return any(begin <= from_ms and (end is None or to_ms <= end) for begin, end in reversed(spans))


def _until(spans: Spans, at_ms: int) -> Spans:
    return tuple((begin, at_ms if end is None else min(end, at_ms)) for begin, end in spans if begin < at_ms)
