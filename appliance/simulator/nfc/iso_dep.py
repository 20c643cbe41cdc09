"""ISO/IEC 14443-4 as a card speaks it: blocks that are numbered, chained and repeated, and APDUs inside them."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from appliance.simulator.nfc.cards import HALT, Answer, Silent, TypeACard

RATS: Final = 0xE0
FRAME_BYTES: Final = (16, 24, 32, 40, 48, 64, 96, 128, 256)
"""What FSDI and FSCI stand for."""
MORE: Final = 0x10
NUMBER: Final = 0x01
INFORMATION: Final = 0x02
ACKNOWLEDGE: Final = 0xA2
NOT_ACKNOWLEDGED: Final = 0x10
DESELECT: Final = 0xC2


class IsoDepCard(TypeACard):
    """A card that takes APDUs. Subclasses answer them, and do not see blocks."""

    sak = 0x20
    ats: ClassVar[bytes] = bytes.fromhex("067777710280")

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._activated = False
        self._number = 1
        self._frame_bytes = FRAME_BYTES[0]
        self._received = b""
        self._pending = b""
        self._last = b""

    def select(self) -> None:
        super().select()
        self._activated, self._number = False, 1
        self._received = self._pending = self._last = b""
        self.reset()

    def obey(self, frame: bytes) -> Answer:
        if not self._activated:
            return self._activate(frame)
        block = frame[0]
        if block & 0xE2 == INFORMATION:
            return self._information(block, frame[1:])
        if block & 0xE6 == ACKNOWLEDGE:
            return self._acknowledged(block)
        if block & 0xF7 == DESELECT:
            self.halt()
            return Answer(bytes([DESELECT]))
        raise Silent

    @abstractmethod
    def reset(self) -> None:
        """Forget what was selected and authenticated."""

    @abstractmethod
    def apdu(self, command: bytes) -> bytes:
        """The answer to a command APDU, with its status word."""

    def _activate(self, frame: bytes) -> Answer:
        if frame[0] == RATS and len(frame) == 2:
            self._activated = True
            self._frame_bytes = FRAME_BYTES[min(frame[1] >> 4, len(FRAME_BYTES) - 1)]
            return Answer(self.ats)
        if frame[0] == HALT:
            self.halt()
            raise Silent
        return self.refuse()

    def _information(self, block: int, data: bytes) -> Answer:
        """An I-block: the number turns with each, whatever its own is (rule D)."""
        self._number ^= NUMBER
        self._received += data
        if block & MORE:
            return self._say(bytes([ACKNOWLEDGE | self._number]))
        command, self._received = self._received, b""
        self._pending = self.apdu(command)
        return self._next_part()

    def _acknowledged(self, block: int) -> Answer:
        """An R-block (rules 11 to 13): of the number sent last it asks for a repetition, otherwise for what is next."""
        if block & NUMBER == self._number and self._last:
            return Answer(self._last)
        if block & NOT_ACKNOWLEDGED:
            return Answer(bytes([ACKNOWLEDGE | self._number]))
        self._number ^= NUMBER
        return self._next_part()

    def _next_part(self) -> Answer:
        room = self._frame_bytes - 3
        part, self._pending = self._pending[:room], self._pending[room:]
        return self._say(bytes([INFORMATION | self._number | (MORE if self._pending else 0)]) + part)

    def _say(self, block: bytes) -> Answer:
        self._last = block
        return Answer(block)
