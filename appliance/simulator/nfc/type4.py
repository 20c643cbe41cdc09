"""Cards with the NDEF application of NFC Forum Type 4, as a DESFire has it once formatted; and telephones.

What NTAG 424 DNA can do beyond that is in `ntag424`.
"""

from __future__ import annotations

import os
from typing import Any, Final

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.iso_dep import IsoDepCard

NDEF_APPLICATION: Final = bytes.fromhex("D2760000850101")
CAPABILITY_FILE: Final = 0xE103
NDEF_FILE: Final = 0xE104

SELECT: Final = 0xA4
READ_BINARY: Final = 0xB0
UPDATE_BINARY: Final = 0xD6
BY_NAME: Final = 0x04
FRAME_DATA_BYTES: Final = 120
"""About as many bytes of a file come in one frame of 128."""

DONE: Final = bytes.fromhex("9000")
WRONG_LENGTH: Final = bytes.fromhex("6700")
NO_RIGHT: Final = bytes.fromhex("6982")
NOTHING_SELECTED: Final = bytes.fromhex("6986")
NOT_FOUND: Final = bytes.fromhex("6A82")
WRONG_OFFSET: Final = bytes.fromhex("6B00")
UNKNOWN_COMMAND: Final = bytes.fromhex("6D00")


class Type4Card(IsoDepCard):
    """A card with one NDEF file."""

    kind = Kind.TYPE4
    atqa = bytes.fromhex("0344")

    def __init__(self, uid: bytes | None = None, *, size_bytes: int = 256, writable: bool = True) -> None:
        """An empty card; `size_bytes` is that of the NDEF file, with the two bytes of length at its head."""
        super().__init__(uid or b"\x04" + os.urandom(6))
        control = bytes.fromhex("0406E104") + size_bytes.to_bytes(2, "big") + bytes((0, 0 if writable else 0xFF))
        self.files = {
            CAPABILITY_FILE: bytearray(bytes.fromhex("000F2000FF00FF") + control),
            NDEF_FILE: bytearray(size_bytes),
        }
        self._in_application = False
        self._selected: int | None = None

    @property
    def locked(self) -> bool:
        return self.files[CAPABILITY_FILE][14] != 0

    @property
    def memory(self) -> bytearray:
        """The NDEF file."""
        return self.files[NDEF_FILE]

    def state(self) -> dict[str, Any]:
        return {"uid": self.uid.hex(), "files": {str(name): data.hex() for name, data in self.files.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        self.uid = bytes.fromhex(state["uid"])
        self.files = {int(name): bytearray.fromhex(data) for name, data in state["files"].items()}

    def reset(self) -> None:
        self._in_application, self._selected = False, None

    def apdu(self, command: bytes) -> bytes:
        if len(command) < 4:
            return WRONG_LENGTH
        match command[1]:
            case 0xA4:
                return self._select(command)
            case 0xB0:
                return self._read(command)
            case 0xD6:
                return self._update(command)
        return UNKNOWN_COMMAND

    def _select(self, command: bytes) -> bytes:
        name = command[5 : 5 + command[4]] if len(command) > 4 else b""
        if command[2] == BY_NAME:
            if name != NDEF_APPLICATION:
                return NOT_FOUND
            self._in_application, self._selected = True, None
            return DONE
        identifier = int.from_bytes(name, "big")
        if not self._in_application or identifier not in self.files:
            return NOT_FOUND
        self._selected = identifier
        return DONE

    def _read(self, command: bytes) -> bytes:
        if self._selected is None:
            return NOTHING_SELECTED
        file, offset = self.files[self._selected], int.from_bytes(command[2:4], "big")
        if offset >= len(file):
            return WRONG_OFFSET
        wanted = (command[4] if len(command) > 4 else 0) or 256
        return bytes(file[offset : offset + wanted]) + DONE

    def _update(self, command: bytes) -> bytes:
        if self._selected is None:
            return NOTHING_SELECTED
        if self._selected != NDEF_FILE or self.locked:
            return NO_RIGHT
        if len(command) < 6 or len(command) < 5 + command[4]:
            return WRONG_LENGTH
        file, offset, data = self.memory, int.from_bytes(command[2:4], "big"), command[5 : 5 + command[4]]
        if offset + len(data) > len(file):
            return WRONG_OFFSET
        store(self, file, offset, data)
        return DONE


class Telephone(IsoDepCard):
    """A telephone that passes for a card: another UID at each tap, and no application that we know."""

    kind = Kind.UNKNOWN
    atqa = bytes.fromhex("0004")

    def __init__(self, *, peer_to_peer: bool = False, each_field: bool = False) -> None:
        """A telephone.

        Args:
            peer_to_peer: An older one, which offers NFC-DEP as well (SAK 60 instead of 20).
            each_field: One that takes another UID whenever the field was off, not only when it is laid anew.
        """
        super().__init__(_random_uid())
        self.sak = 0x60 if peer_to_peer else 0x20
        self._each_field = each_field

    @property
    def locked(self) -> bool:
        return True

    def laid(self) -> None:
        super().laid()
        self.uid = _random_uid()

    def field_off(self) -> None:
        super().field_off()
        if self._each_field:
            self.uid = _random_uid()

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """It holds nothing that would last."""

    def reset(self) -> None:
        """Nothing can be selected."""

    def apdu(self, command: bytes) -> bytes:
        return NOT_FOUND if command[1:2] == bytes([SELECT]) else UNKNOWN_COMMAND


def store(card: IsoDepCard, file: bytearray, offset: int, data: bytes) -> None:
    """Write into a file as the card receives it: what came in one frame is there or not, a longer command may be torn."""
    for at in range(0, len(data), FRAME_DATA_BYTES):
        part = data[at : at + FRAME_DATA_BYTES]
        card.changing()
        file[offset + at : offset + at + len(part)] = part


def _random_uid() -> bytes:
    """ISO/IEC 14443-3, 6.5.4: 08 in front says that it is random."""
    return b"\x08" + os.urandom(3)
