"""An opened reader, as the thread that owns it uses it: nfcpy's and PC/SC's look the same from here. Opening is a function, so
that a reader can be opened anew each time it comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid.field import CardField


class Device(Protocol):
    """A reader that answered. All methods block for some milliseconds and raise ReaderGone when it fails."""

    @property
    def name(self) -> str:
        """What it calls itself, and where it is: `PN532v1.6 at /dev/ttyUSB0`."""

    def find(self, known_uid: str | None = None) -> CardField | None:
        """Look once for a card and select it; the known one if it is among several."""

    def several(self) -> bool:
        """Whether more than one card is in the field, as far as this reader can tell. What was selected no longer is."""

    def close(self) -> None:
        """Let go of it. Never raises."""


Opener = Callable[[], Device]
"""Opens a reader; raises CannotOpen."""


class CannotOpen(Exception):
    """There is no reader to be had, and why."""

    def __init__(self, status: ReaderStatus, name: str = "", detail: str = "") -> None:
        super().__init__(f"{status} {name} {detail}".rstrip())
        self.state = ReaderState(status, name, detail)
