"""The way to one card, which remembers whether anything on it was changed, and what every kind of chip offers."""

from __future__ import annotations

from typing import Protocol

from appliance.domain.cards.tag import Content, Keys, Seen
from appliance.rfid.field import CardField


class Link:
    """A `CardField` that knows whether a command was sent that changes the card: from then on a card that is gone is torn."""

    def __init__(self, field: CardField) -> None:
        self._field = field
        self.changed = False

    @property
    def field(self) -> CardField:
        """The card as the reader has it."""
        return self._field

    @property
    def uid(self) -> str:
        """Upper-case hex."""
        return self._field.uid

    def sense(self) -> None:
        """Select the card anew; TagTrouble GONE when it is not there."""
        self._field.sense()

    def ask(self, command: bytes) -> bytes:
        """Send a frame that changes nothing."""
        return self._field.transceive(command)

    def change(self, command: bytes) -> bytes:
        """Send a frame that changes the card."""
        self.changed = True
        return self._field.transceive(command)

    def apdu(self, command: bytes, *, changes: bool = False) -> tuple[bytes, int]:
        """Send a command APDU; data and status word of the answer."""
        self.changed = self.changed or changes
        answer = self._field.apdu(command)
        return answer[:-2], int.from_bytes(answer[-2:], "big")


class Chip(Protocol):
    """One chip in the field. Every method may raise CardSilent, after which it is begun anew with another object."""

    def see(self) -> Seen:
        """What stands on it."""

    def write(self, content: Content, keys: Keys) -> None:
        """Put the content there and lock it, whatever state it was in.

        Raises:
            TagTrouble: LOCKED or TOO_SMALL, before anything was changed; REFUSED.
        """

    def wipe(self, keys: Keys) -> None:
        """Empty it, and take the lock away.

        Raises:
            TagTrouble: LOCKED, before anything was changed; REFUSED.
        """

    def is_locked_with(self, keys: Keys) -> bool:
        """Whether it is locked as `write` locks it; True for a kind that has no lock."""
