"""What all simulated cards have in common: a UID, a kind, power from the reader's field, and the way they answer.

A card holds its memory and obeys the commands of its family; it knows neither the reader nor the serial line.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from appliance.domain.cards.tag import Kind

CASCADE_TAG = 0x88
HALT = 0x50

Entropy = Callable[[int], bytes]
"""Gives that many random bytes: os.urandom, or a test's own."""


class Technology(Enum):
    """How card and reader modulate: the two low bits of CIU_TxMode and CIU_RxMode."""

    A = 0
    F = 2


class Silent(Exception):
    """The card gives no answer."""


class LeftField(Exception):
    """The card was pulled away just before it would have changed its memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a card sends back."""

    data: bytes
    """Without checksum; for 4-bit answers one byte, of which the low half counts."""
    checked: bool = True
    """Whether a checksum follows on the air; there is none after a 4-bit ACK or NAK."""


ACK = Answer(b"\x0a", checked=False)


class Card(ABC):
    """A card on or off the reader."""

    kind: Kind
    technology: ClassVar[Technology]

    def __init__(self, uid: bytes) -> None:
        self.uid = uid
        self.active = False
        """Selected, and therefore answering."""
        self.heard: list[bytes] = []
        """The commands received, for tests that look at the order of things."""
        self.writes = 0
        """How often it has changed its memory."""
        self.on_write: Callable[[], None] | None = None
        """Called before each change of the memory; the reader pulls the card away from in here (LeftField)."""

    @property
    @abstractmethod
    def locked(self) -> bool:
        """Whether writing needs a key, or is closed for good."""

    def laid(self) -> None:
        """It was put on the reader."""
        self.field_off()

    def select(self) -> None:
        """The reader has chosen this card: whatever was authenticated before is forgotten."""
        self.active = True

    def field_off(self) -> None:
        """It has lost its power."""
        self.active = False

    def exchange(self, frame: bytes) -> Answer:
        """Obey one command.

        Raises:
            Silent: It does not answer.
            LeftField: It was pulled away before it could write.
        """
        if not self.active or not frame:
            raise Silent
        self.heard.append(frame)
        return self.obey(frame)

    def changing(self) -> None:
        """Every command calls this right before it changes the memory."""
        if self.on_write is not None:
            self.on_write()
        self.writes += 1

    @abstractmethod
    def obey(self, frame: bytes) -> Answer:
        """What the family answers to a command."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """What the card holds while it has no power, as JSON can carry it."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""


class TypeACard(Card):
    """ISO/IEC 14443-3 A, at 106 kbit/s."""

    technology = Technology.A
    atqa = bytes.fromhex("0044")
    """Most significant byte first, as a PN532 reports it."""
    sak = 0x00

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self.halted = False

    def field_off(self) -> None:
        super().field_off()
        self.halted = False

    def select(self) -> None:
        self.halted = False
        super().select()

    def halt(self) -> None:
        """HLTA: it is not heard of again until the field was off or its own UID is called."""
        self.active = False
        self.halted = True

    def refuse(self, code: int = 0x0) -> Answer:
        """A NAK; after that the card waits to be selected again (NTAG213 datasheet, 9.3)."""
        self.active = False
        return Answer(bytes([code]), checked=False)


class TypeFCard(Card):
    """JIS X 6319-4 (FeliCa), at 212 kbit/s. Its UID is the IDm, 8 bytes; frames carry their length in the first byte."""

    technology = Technology.F

    @abstractmethod
    def poll(self, system_code: bytes, request: int) -> bytes | None:
        """The answer to Polling from its response code (01) on; None if the card does not belong to that system.

        Args:
            system_code: 2 bytes, FF in place of any of them stands for all.
            request: 1 asks for the system code as well.
        """


def check_byte(data: bytes) -> int:
    """The XOR of all (BCC of ISO/IEC 14443-3)."""
    check = 0
    for byte in data:
        check ^= byte
    return check


def crc_a(data: bytes) -> bytes:
    """CRC_A of ISO/IEC 14443-3, low byte first."""
    crc = 0x6363
    for byte in data:
        low = byte ^ (crc & 0xFF)
        low ^= (low << 4) & 0xFF
        crc = (crc >> 8) ^ (low << 8) ^ (low << 3) ^ (low >> 4)
    return bytes((crc & 0xFF, crc >> 8 & 0xFF))
