"""What is asked of the printer of receipts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from appliance.domain.printers import PrinterPlace
from appliance.domain.slip import Slip


class Trouble(StrEnum):
    """Why nothing is printed, as problems keep it."""

    AWAY = "away"
    """It cannot be reached: off, no cable, another address."""
    FORBIDDEN = "forbidden"
    """The service may not open the device."""
    SILENT = "silent"
    """It does not take what is sent, for seconds."""
    BROKE_OFF = "broke_off"
    """It went away in the middle."""
    NO_PAPER = "no_paper"
    BUSY = "busy"
    """Too much waits for it already."""


class NotPrinted(Exception):
    """The printer has not printed it, or not all of it."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


class Outcome(StrEnum):
    """What is known once everything was sent."""

    PRINTED = "printed"
    """The printer says so."""
    SENT = "sent"
    """It has taken everything; many never say more."""
    GOING_ON = "going_on"
    """It has not taken all of it yet."""


@dataclass(frozen=True, slots=True)
class PrinterSetup:
    """The owner's settings, as a job needs them."""

    place: PrinterPlace
    width: int
    """In dots."""
    cuts: bool
    has_drawer: bool


class Printer(Protocol):
    """The printer of receipts, wherever it is."""

    async def send(self, setup: PrinterSetup, slips: Sequence[Slip], *, opens_drawer: bool) -> Outcome:
        """Print slips, one job after the other.

        Raises:
            NotPrinted: Why.
        """

    async def reach(self, setup: PrinterSetup) -> None:
        """Look whether it is there, and print nothing.

        Raises:
            NotPrinted: It is not.
        """
