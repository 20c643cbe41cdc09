"""Type 4 tags: files behind commands of ISO/IEC 7816-4, one of them with the message. DESFire cards with an NDEF application,
and cards whose application is a program, are written like this, without a lock.

After the NFC Forum Type 4 Tag specification, clause 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.cards.tag import Content, Keys, Kind, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags import ndef_message
from appliance.rfid.tags.link import Link

SELECT_APPLICATION = bytes.fromhex("00A4040007D276000085010100")
SELECT_FILE = bytes.fromhex("00A4000C02")
READ_BINARY = 0xB0
UPDATE_BINARY = 0xD6
CAPABILITY_FILE = b"\xe1\x03"
CAPABILITY_BYTES = 15
FILE_CONTROL = b"\x04\x06"
FREE = 0x00
OK = 0x9000
NOT_SATISFIED = 0x6982
LENGTH_BYTES = 2
"""NLEN, in front of the message."""
CHUNK_BYTES = 48
"""Of one command: with what is around it, a frame that even a small card takes in one piece."""


@dataclass(frozen=True, slots=True)
class File:
    """The file with the message, as the capability container describes it."""

    identifier: bytes
    size: int
    """With the two bytes of the length."""
    chunk_bytes: int
    """How much of it a command may read or write."""
    writing: int
    """The condition of writing: 00 for free."""


class Type4Chip:
    """A Type 4 tag."""

    kind = Kind.TYPE4

    def __init__(self, link: Link) -> None:
        self.link = link

    def see(self) -> Seen:
        """What stands on it; without an NDEF application it is known by its UID."""
        file = self.open_file()
        if file is None:
            return Seen(uid=self.link.uid, kind=self.kind)
        reading = ndef_message.decode(self.message(file))
        return Seen(
            uid=self.link.uid,
            kind=self.kind,
            content=reading.content,
            writable=True,
            locked=file.writing != FREE,
            foreign=reading.foreign,
        )

    def write(self, content: Content, keys: Keys) -> None:
        """Write the message, its length last."""
        del keys
        self._put(ndef_message.encode(content), wipe=False)

    def wipe(self, keys: Keys) -> None:
        """Write a length of 0, and zeros behind it."""
        del keys
        self._put(b"", wipe=True)

    def is_locked_with(self, keys: Keys) -> bool:
        """There is no lock of ours for these cards."""
        del keys
        return True

    def open_file(self) -> File | None:
        """Select application and file; None when there is no NDEF application, or one that we do not know."""
        if self._ok(SELECT_APPLICATION) is None or self._ok(SELECT_FILE + CAPABILITY_FILE) is None:
            return None
        capability = self._ok(bytes((0, READ_BINARY, 0, 0, CAPABILITY_BYTES)))
        if capability is None or len(capability) < CAPABILITY_BYTES or capability[7:9] != FILE_CONTROL:
            return None
        file = File(
            identifier=capability[9:11],
            size=int.from_bytes(capability[11:13], "big"),
            chunk_bytes=max(
                1, min(CHUNK_BYTES, int.from_bytes(capability[3:5], "big"), int.from_bytes(capability[5:7], "big"))
            ),
            writing=capability[14],
        )
        return None if self._ok(SELECT_FILE + file.identifier) is None else file

    def message(self, file: File) -> bytes | None:
        """The message; None when what is there cannot be one."""
        length = int.from_bytes(self.read(file, 0, LENGTH_BYTES), "big")
        return self.read(file, LENGTH_BYTES, length) if LENGTH_BYTES + length <= file.size else None

    def read(self, file: File, offset: int, size: int) -> bytes:
        """Bytes of the selected file."""
        found = b""
        while len(found) < size:
            at = offset + len(found)
            part = self._ok(
                bytes((0, READ_BINARY)) + at.to_bytes(2, "big") + bytes([min(file.chunk_bytes, size - len(found))])
            )
            if not part:
                raise CardSilent(f"nothing was read at {at}", refused=True)
            found += part
        return found

    def update(self, file: File, offset: int, data: bytes) -> None:
        """Write bytes of the selected file."""
        for at in range(0, len(data), file.chunk_bytes):
            part = data[at : at + file.chunk_bytes]
            head = bytes((0, UPDATE_BINARY)) + (offset + at).to_bytes(2, "big") + bytes([len(part)])
            changed = self.link.changed
            _answer, status = self.link.apdu(head + part, changes=True)
            if status == NOT_SATISFIED and not changed:
                self.link.changed = False
                raise TagTrouble(Trouble.LOCKED)
            if status != OK:
                raise CardSilent(f"UPDATE BINARY: {status:04X}", refused=True)

    def _put(self, message: bytes, *, wipe: bool) -> None:
        file = self.open_file()
        if file is None:
            raise TagTrouble(Trouble.REFUSED)
        if file.writing != FREE:
            raise TagTrouble(Trouble.LOCKED)
        if LENGTH_BYTES + len(message) > file.size:
            raise TagTrouble(Trouble.TOO_SMALL)
        body = message.ljust(file.size - LENGTH_BYTES, b"\0") if wipe else message
        length = len(message).to_bytes(LENGTH_BYTES, "big")
        if self.read(file, 0, LENGTH_BYTES + len(body)) == length + body:
            return
        self.update(file, 0, bytes(LENGTH_BYTES))
        self.update(file, LENGTH_BYTES, body)
        if message:
            self.update(file, 0, length)

    def _ok(self, command: bytes) -> bytes | None:
        """The data of the answer; None when the status is anything but 9000."""
        data, status = self.link.apdu(command)
        return data if status == OK else None
