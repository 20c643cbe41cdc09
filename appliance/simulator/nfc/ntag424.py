"""NTAG 424 DNA as a card: ISO/IEC 7816-4, and the native commands wrapped in it (10.9 of the data sheet NT4H2421Gx).

Keys, files and what may be done with them are in `dna`.
"""

from __future__ import annotations

import os
from typing import Any, Final

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import Entropy
from appliance.simulator.nfc.dna import Application
from appliance.simulator.nfc.dna_files import FREE, File, Status
from appliance.simulator.nfc.iso_dep import IsoDepCard
from appliance.simulator.nfc.type4 import BY_NAME, DONE, NDEF_APPLICATION, READ_BINARY, SELECT, UPDATE_BINARY, store

MASTER_LEVEL: Final = bytes.fromhex("D2760000850100")
MASTER_FILE: Final = bytes.fromhex("3F00")
APPLICATION_FILE: Final = bytes.fromhex("E110")
SIGNATURE_BYTES: Final = 56
NATIVE: Final = 0x90

ISO_LENGTH: Final = bytes.fromhex("6700")
ISO_SECURITY: Final = bytes.fromhex("6982")
ISO_CONDITIONS: Final = bytes.fromhex("6985")
ISO_NOT_FOUND: Final = bytes.fromhex("6A82")
ISO_NO_ROOM: Final = bytes.fromhex("6A84")
ISO_PARAMETERS: Final = bytes.fromhex("6A86")
ISO_INSTRUCTION: Final = bytes.fromhex("6D00")
ISO_CLASS: Final = bytes.fromhex("6E00")


class Ntag424Card(IsoDepCard):
    """An NTAG 424 DNA as it leaves the factory: keys all zero, an empty NDEF file open to everybody."""

    kind = Kind.NTAG424
    atqa = bytes.fromhex("0344")
    ats = bytes.fromhex("067777710280")

    def __init__(
        self, uid: bytes | None = None, *, signature: bytes | None = None, entropy: Entropy = os.urandom
    ) -> None:
        """A new card; `signature` are the 56 bytes of the maker's signature over the UID, random if not given."""
        super().__init__(uid or b"\x04" + os.urandom(6))
        self.application = Application(
            self.uid,
            signature or os.urandom(SIGNATURE_BYTES),
            entropy=entropy,
            changing=self.changing,
            store=lambda file, offset, data: store(self, file, offset, data),
        )
        self._selected: File | None = None

    @property
    def keys(self) -> list[bytes]:
        """The five, 16 bytes each."""
        return self.application.keys

    @property
    def ndef(self) -> File:
        """The file with the NDEF message, its settings and its counter."""
        return self.application.files[2]

    @property
    def memory(self) -> bytearray:
        """What was written into it, without anything mirrored."""
        return self.ndef.data

    @property
    def locked(self) -> bool:
        return FREE not in self.ndef.writing

    def state(self) -> dict[str, Any]:
        return self.application.state()

    def restore(self, state: dict[str, Any]) -> None:
        self.application.restore(state)
        self.uid = self.application.uid

    def reset(self) -> None:
        self.application.reset()
        self._selected = None

    def apdu(self, command: bytes) -> bytes:
        if len(command) < 4:
            return ISO_LENGTH
        self.application.next_command(native=command[0] == NATIVE)
        code = command[1]
        if command[0] == NATIVE:
            return self.application.obey(code, command[5 : 5 + command[4]] if len(command) > 5 else b"")
        if command[0] != 0:
            return ISO_CLASS
        if code == SELECT:
            return self._select(command)
        if code == READ_BINARY:
            return self._read(command)
        return self._update(command) if code == UPDATE_BINARY else ISO_INSTRUCTION

    def _select(self, command: bytes) -> bytes:
        name = command[5 : 5 + command[4]] if len(command) > 4 else b""
        if command[2] == BY_NAME:
            level = {NDEF_APPLICATION: True, MASTER_LEVEL: False}.get(name)
        else:
            level = {APPLICATION_FILE: True, MASTER_FILE: False, b"": False}.get(name)
        if level is not None:
            self.application.select(selected=level)
            self._selected = None
            return DONE
        file = self._by_identifier(int.from_bytes(name, "big")) if command[2] in {0, 2} else None
        if file is None:
            return ISO_NOT_FOUND
        self._selected = file
        return DONE

    def _by_identifier(self, identifier: int) -> File | None:
        if not self.application.is_selected:
            return None
        return next((file for file in self.application.files.values() if file.identifier == identifier), None)

    def _target(self, command: bytes) -> tuple[File | None, int]:
        """The file meant by P1 and P2, selected by a short identifier where there is one, and the offset."""
        if not command[2] & 0x80:
            return self._selected, int.from_bytes(command[2:4], "big")
        if command[2] & 0x1F:
            self._selected = self._by_identifier(0xE100 | command[2] & 0x1F)
        return self._selected, command[3]

    def _read(self, command: bytes) -> bytes:
        file, offset = self._target(command)
        if file is None:
            return ISO_CONDITIONS
        if self.application.is_authenticated or not file.is_readable_by_all:
            return ISO_SECURITY
        if offset >= len(file.data):
            return ISO_PARAMETERS
        try:
            content = self.application.content(file, READ_BINARY)
        except Status:
            return ISO_SECURITY
        wanted = (command[4] if len(command) > 4 else 0) or 256
        return content[offset : offset + wanted] + DONE

    def _update(self, command: bytes) -> bytes:
        file, offset = self._target(command)
        if file is None:
            return ISO_CONDITIONS
        if self.application.is_authenticated or FREE not in file.writing:
            return ISO_SECURITY
        if len(command) < 6 or len(command) < 5 + command[4]:
            return ISO_LENGTH
        data = command[5 : 5 + command[4]]
        if offset + len(data) > len(file.data):
            return ISO_NO_ROOM
        store(self, file.data, offset, data)
        return DONE
