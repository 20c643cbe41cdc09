"""What energy costs in each hour of a week by the lines of a tariff, as a picture of the week shows it.

By the wall clock alone: an hour that the clocks leave out or repeat is there once, as on any other day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from appliance.domain.pricing.lines import DAY_MINUTES, Conditions, Dimension, PriceLine
from appliance.domain.pricing.wall_clock import calendar_of, holds

NO_HOLIDAYS: frozenset[str] = frozenset()


class Piece(NamedTuple):
    """Some hours of a day in which the same lines may price energy."""

    from_minute: int
    to_minute: int
    lines: tuple[int, ...]
    """Their places in the tariff, in order; the last one is the only one that may need nothing but these hours."""

    def usual(self, lines: Sequence[PriceLine]) -> int | None:
        """The line that stands for these hours: the one that holds from the start for anybody; None where none has them."""
        found = (place for place in self.lines if _from_the_start(lines[place].conditions))
        return next(found, self.lines[0] if self.lines else None)


def day_pieces(lines: Sequence[PriceLine], day: date, holidays: frozenset[str] = NO_HOLIDAYS) -> list[Piece]:
    """A day of the site's calendar, from 0 to 1440, in pieces that differ."""
    energy = [(place, line.conditions) for place, line in enumerate(lines) if line.dimension is Dimension.ENERGY]
    minutes = {0} | {minute % DAY_MINUTES for _, one in energy for minute in (one.from_minute, one.to_minute)}
    found = [
        Piece(begin, end, _at(energy, day, begin, holidays)) for begin, end in pairwise([*sorted(minutes), DAY_MINUTES])
    ]
    return [
        Piece(run[0].from_minute, run[-1].to_minute, which)
        for which, run in ((which, list(run)) for which, run in groupby(found, lambda piece: piece.lines))
    ]


def week_pieces(
    lines: Sequence[PriceLine], first: date, holidays: frozenset[str] = NO_HOLIDAYS
) -> list[tuple[date, list[Piece]]]:
    """The seven days from this one on."""
    days = [first + timedelta(days=number) for number in range(7)]
    return [(day, day_pieces(lines, day, holidays)) for day in days]


def usual_at(lines: Sequence[PriceLine], day: date, minute: int, holidays: frozenset[str] = NO_HOLIDAYS) -> int | None:
    """The line that prices the energy of anybody who begins at that minute of a day; None where none does."""
    pieces = day_pieces(lines, day, holidays)
    return next(piece.usual(lines) for piece in pieces if piece.from_minute <= minute < piece.to_minute)


def _at(energy: Sequence[tuple[int, Conditions]], day: date, minute: int, holidays: frozenset[str]) -> tuple[int, ...]:
    found: list[int] = []
    for place, one in energy:
        calendar = calendar_of(one)
        if calendar is None or holds(calendar, day.toordinal(), minute, holidays):
            found.append(place)
            if not (one.by_measure or one.methods or one.groups):
                break
    return tuple(found)


def _from_the_start(one: Conditions) -> bool:
    """Whether it prices the first kWh of anybody, whatever the power."""
    begins = not (one.from_wh or one.from_s or one.from_idle_s or one.from_w) and one.to_w is None
    return begins and not (one.methods or one.groups)
