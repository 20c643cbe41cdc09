"""What the main register of a connector says about one session: its energy, the line it grew along, and what is doubtful in it.

A register is (at_ms, wh): when it was read, and what stood on it. The energy of a session is the highest register above that
of its start; at its end the stop's own register decides, unless it stands below the start's: then the meter was set to
zero, or the station has lost it (-1 on some), and the highest one in between is believed.

Whoever remembers a running session keeps its energy so far and goes on with `further`; to `read` it then hands that one register
instead of all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

Register = tuple[int, int]
"""(at_ms, wh)."""


class Doubt(StrEnum):
    """Why a session is not billed before somebody has looked at it."""

    REGISTERS = "registers"
    """Its registers contradict each other, so that nobody knows its energy."""
    TOO_MUCH = "too_much"
    """More energy than one session can take."""
    TOO_FAST = "too_fast"
    """More energy than a charger gives in its time."""
    NOBODY = "nobody"
    """Its station was told that the card may not charge, and nobody is known who would pay for what flowed all the same."""


class Energies(NamedTuple):
    """What was read out of a session's registers."""

    energy_wh: int
    """0 while nothing is known."""
    line: Sequence[tuple[int, int]]
    """(at_ms, Wh since the start), in order and never falling; from the start to the stop, or to the last register."""
    doubts: tuple[Doubt, ...] = ()


def read(start: Register, registers: Iterable[Register], stop: tuple[int, int | None] | None = None) -> Energies:
    """The energy of a session out of its registers, which come in order of time.

    `stop` is None while it runs, or when its end is an estimate; its register is None when it could not be read.
    """
    begun_ms, start_wh = start
    energy_wh = 0
    line = [(begun_ms, 0)]
    for at_ms, wh in registers:
        energy_wh = further(energy_wh, start_wh, wh)
        if begun_ms < at_ms and (stop is None or at_ms < stop[0]):
            line.append((at_ms, further(line[-1][1], start_wh, wh)))
    if stop is None:
        return Energies(energy_wh, line)
    stop_ms, stop_wh = stop
    doubts: tuple[Doubt, ...] = ()
    if stop_wh is not None and stop_wh >= start_wh:
        energy_wh = stop_wh - start_wh
        line = [(at_ms, min(wh, energy_wh)) for at_ms, wh in line]
    elif not energy_wh:
        doubts = (Doubt.REGISTERS,)
    line.append((max(begun_ms, stop_ms), energy_wh))
    return Energies(energy_wh, line, doubts)


def further(energy_wh: int, start_wh: int, wh: int) -> int:
    """The energy so far, after one more register."""
    return max(energy_wh, wh - start_wh)


def energy_at(line: Sequence[tuple[int, int]], at_ms: int) -> int:
    """The energy at a moment, between two points of the line on the straight between them."""
    after = bisect_right(line, (at_ms, 2**62))
    if after == 0:
        return line[0][1]
    if after == len(line):
        return line[-1][1]
    (left_ms, left_wh), (right_ms, right_wh) = line[after - 1], line[after]
    return left_wh + (right_wh - left_wh) * (at_ms - left_ms) // max(1, right_ms - left_ms)
