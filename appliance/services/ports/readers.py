"""What services and pages ask of the card desks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from appliance.domain.cards.tag import ReaderState, Seen


@dataclass(frozen=True, slots=True)
class DeskView:
    """A card desk as it is now."""

    id: str
    """What it is called in addresses: `ttyUSB0`, `pts-3`, `office` …"""
    name: str
    """What people call it."""
    remote: bool
    reader: ReaderState
    seen: Seen | None
    """The card that lies there."""


class Channel(Protocol):
    """A connection to a desk on another computer: texts in both directions, in order."""

    async def send(self, text: str) -> None:
        """Send one text; ConnectionError when it is closed."""

    async def receive(self) -> str | None:
        """The next text; None when it is closed."""


class Desks(Protocol):
    """The card desks. What they are to do is in the books (services/card_desk/taps.py); they hear of it by themselves."""

    def all(self) -> list[DeskView]:
        """All desks, those of this box first."""

    def find(self, desk: str) -> DeskView | None:
        """One desk."""

    async def join(self, name: str, channel: Channel) -> None:
        """A reader on another computer joins; returns when it has gone.

        Raises:
            Refusal: A desk of this name is joined already.
        """
