"""Two devices under one name: behind a router or a proxy they have one address, but each says at its boot what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

TURNS_WITHIN_MS = 3_600_000
BOOTS_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Device:
    """What a station says of itself at its boot."""

    vendor: str
    model: str
    serial: str
    """Its own, or else of a part of it: the SIM or the meter."""

    @property
    def is_known_by(self) -> str:
        """What does not change with its firmware."""
        return self.serial or f"{self.vendor} {self.model}"


@dataclass(frozen=True, slots=True)
class Boot:
    """A device that said who it is, and from where."""

    device: Device
    address: str
    at_ms: int


def rivals(boots: Sequence[Boot]) -> tuple[Boot, Boot] | None:
    """Two that take turns, out of a name's boots, the oldest first: one came back after the other, within an hour.

    One that another has replaced does not come back.
    """
    if not boots:
        return None
    last = boots[-1]
    other: Boot | None = None
    for boot in reversed(boots[:-1]):
        if last.at_ms - boot.at_ms > TURNS_WITHIN_MS:
            return None
        if boot.device.is_known_by != last.device.is_known_by:
            other = other or boot
        elif other is not None:
            return other, last
    return None
