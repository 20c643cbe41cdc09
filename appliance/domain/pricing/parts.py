"""Which part of a session each line of its bill priced: from when to when, and from which of its energies to which. Pure.

Their quantities sum up to that of the line exactly, for they are the pieces of which its sums are made (`tally`).
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from appliance.domain.pricing.lines import Dimension, Period, Terms, Usage
from appliance.domain.pricing.tally import Tally


class Part(NamedTuple):
    """What a line priced without a break. The moments and the energies are whole; where they lie between two readings, cut off."""

    from_ms: int
    to_ms: int
    from_wh: int
    """Of the session's energy, at the moment at which it begins."""
    to_wh: int
    quantity: Fraction
    """Wh, milliseconds or times, exactly."""


def parts(usage: Usage, terms: Terms, zone: ZoneInfo) -> dict[int, tuple[Part, ...]]:
    """By the place of the line, in order of time."""
    return {line: tuple(map(_as_part, pieces)) for line, pieces in _Telling(usage, terms, zone).told.items()}


class _Piece(NamedTuple):
    from_ms: Fraction
    to_ms: Fraction
    from_wh: Fraction
    to_wh: Fraction
    quantity: Fraction


class _Telling(Tally):
    """Sums that tell what they are made of."""

    def __init__(self, usage: Usage, terms: Terms, zone: ZoneInfo) -> None:
        self.told: dict[int, list[_Piece]] = {}
        super().__init__(usage, terms, zone)

    def add(self, period: Period) -> None:
        """The same, and each piece goes on from the one before it or is one more."""
        by_time, by_energy = self._units(period)
        for line, dimension, start, end in self._pieces(period):
            of = by_energy if dimension is Dimension.ENERGY else by_time
            self._count(line, end - start, of)
            self._tell(line, self._moment(period, start), self._moment(period, end), Fraction(end - start, of))
        self._go_on(period)

    def _moment(self, period: Period, parts: int) -> tuple[Fraction, Fraction]:
        """When so many parts of a period have passed, and the session's energy then."""
        by_time, by_energy = self._units(period)
        passed = Fraction(parts, by_time) if period.until_ms > self._at_ms else Fraction(0)
        taken = Fraction(parts, by_energy) if period.energy_wh else Fraction(0)
        return self._at_ms + passed, self.energy_wh + taken

    def _tell(
        self, line: int, begin: tuple[Fraction, Fraction], end: tuple[Fraction, Fraction], quantity: Fraction
    ) -> None:
        told = self.told.setdefault(line, [])
        if told and (told[-1].to_ms, told[-1].to_wh) == begin:
            before = told.pop()
            begin, quantity = (before.from_ms, before.from_wh), before.quantity + quantity
        told.append(_Piece(begin[0], end[0], begin[1], end[1], quantity))

    def _count(self, line: int, parts: int, of: int) -> None:
        super()._count(line, parts, of)
        if self.terms.lines[line].dimension is Dimension.FLAT:
            at = Fraction(self._started_ms)
            self.told[line] = [_Piece(at, at, Fraction(0), Fraction(0), Fraction(parts, of))]


def _as_part(piece: _Piece) -> Part:
    from_ms, to_ms, from_wh, to_wh = (one.numerator // one.denominator for one in piece[:4])
    return Part(from_ms, to_ms, from_wh, to_wh, piece.quantity)
