"""What pages ask of the demo site, which has no hardware."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DemoCard:
    """A card of the demo's simulated reader."""

    id: int
    name: str
    """What stands on it: `New NTAG213`, `Rahima's card` …"""
    kind: str
    uid: str
    on_reader: bool


class DemoReader(Protocol):
    """The demo's reader without hardware. None of this exists on a real site."""

    def cards(self) -> list[DemoCard]:
        """All cards in the drawer and on the reader."""

    def lay(self, card: int) -> None:
        """Put a card on the reader, instead of what lies there; KeyError if there is none."""

    def take(self) -> None:
        """Take the card off."""

    def tear(self, card: int) -> None:
        """Lay it, and pull it away in the middle of the next write."""

    def set_plugged(self, plugged: bool) -> None:
        """Pull the reader's lead, or put it back."""

    def new_card(self, kind: str) -> DemoCard:
        """A blank card of a kind out of the box."""


@dataclass(frozen=True, slots=True)
class DemoConnector:
    """A connector of the demo's simulated stations, as somebody sees it who stands before it with a card."""

    station: str
    """Its identity."""
    evse: int
    state: str
    """`free`; `yours`: the car of whoever plays with the demo; `taken`: another car; `offline`: it has no connection."""
    energy_wh: int
    """What the car that charges there has got so far."""
    said: str
    """What it answered to the card that was held to it last: a status of OCPP 1.6, `Stopped`, or "" when none was."""
    card: str
    """The UID of that card, or ""."""


class DemoChargers(Protocol):
    """The demo's simulated stations, where somebody may hold a card without hardware. None of this exists on a real site."""

    def connectors(self) -> list[DemoConnector]:
        """All of them; none before the stations are there."""

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """Come with a car and hold a card there, or end with the same card what it began; what the charger says (see `DemoConnector.said`).

        Raises:
            KeyError: There is no such connector.
        """
