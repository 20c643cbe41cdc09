"""The files of an NTAG 424 DNA with their rights, and the words for what went wrong (10.3 of its data sheet)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from appliance.simulator.nfc import sun

FREE: Final = 0xE
NEVER: Final = 0xF
PLAIN: Final = 0
AUTHENTIC: Final = 1
ENCIPHERED: Final = 3
MIRRORS: Final = 0x40

OK: Final = 0x00
ILLEGAL_COMMAND: Final = 0x1C
INTEGRITY: Final = 0x1E
NO_SUCH_KEY: Final = 0x40
LENGTH: Final = 0x7E
SIGNATURE_OK: Final = 0x90
PERMISSION: Final = 0x9D
PARAMETER: Final = 0x9E
AUTHENTICATION: Final = 0xAE
BOUNDARY: Final = 0xBE
ABORTED: Final = 0xCA
FILE_NOT_FOUND: Final = 0xF0


class Status(Exception):
    """A native command was refused; the session is over."""

    def __init__(self, code: int) -> None:
        super().__init__(f"91{code:02X}")
        self.code = code


@dataclass(slots=True)
class File:
    """A standard data file."""

    identifier: int
    """For ISOSelectFile."""
    data: bytearray
    mode: int
    """How it is read and written by those who need a key: PLAIN, AUTHENTIC or ENCIPHERED."""
    rights: int
    """Four bits each: key for reading, writing, both, and changing these settings; E is free, F never."""
    mirroring: sun.Mirroring | None = None
    counter: int = 0
    """SDMReadCtr."""

    def state(self) -> dict[str, Any]:
        """Everything that lasts, as JSON can carry it."""
        return {
            "data": self.data.hex(),
            "mode": self.mode,
            "rights": self.rights,
            "counter": self.counter,
            "mirroring": None if self.mirroring is None else sun.settings_of(self.mirroring).hex(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what `state` gave."""
        self.data[:] = bytes.fromhex(state["data"])
        self.mode, self.rights, self.counter = int(state["mode"]), int(state["rights"]), int(state["counter"])
        told = state["mirroring"]
        self.mirroring = None if told is None else sun.parse(bytes.fromhex(told), len(self.data))

    @property
    def reading(self) -> tuple[int, int]:
        """The rights one of which reading needs."""
        return self.rights >> 12 & 0xF, self.rights >> 4 & 0xF

    @property
    def writing(self) -> tuple[int, int]:
        """The same for writing."""
        return self.rights >> 8 & 0xF, self.rights >> 4 & 0xF

    @property
    def changing(self) -> int:
        """The right to change the settings."""
        return self.rights & 0xF

    @property
    def is_readable_by_all(self) -> bool:
        """Whether no key is needed: it is free, or its message proves itself."""
        return FREE in self.reading or (self.mirroring is not None and self.mirroring.file_right != NEVER)
