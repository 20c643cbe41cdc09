"""FeliCa cards with an NDEF service (NFC Forum Type 3 Tag): blocks of sixteen bytes, written without a lock.

After the Type 3 Tag specification, clause 6. The first block says how long the message is, and that it is being written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from appliance.domain.cards.tag import Content, Keys, Kind, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags import ndef_message
from appliance.rfid.tags.link import Link

READ = 0x06
WRITE = 0x08
READ_SERVICE = b"\x0b\x00"
WRITE_SERVICE = b"\x09\x00"
POLL_NDEF = bytes.fromhex("060012FC0000")
"""Polling for the system code 12FC, with its length in front."""
BLOCK_BYTES = 16
WRITING = 0x0F
READ_AND_WRITE = 0x01
MAJOR_VERSION = 1
HEAD_BYTES = 10
"""Length, response code, IDm."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The first block."""

    version: int
    read_blocks: int
    write_blocks: int
    blocks: int
    """How many there are for a message."""
    reserved: bytes
    writing: bool
    """A write has begun and not ended."""
    access: int
    length: int

    def pack(self) -> bytes:
        """As it stands on the card, with its checksum."""
        head = (
            bytes((self.version, self.read_blocks, self.write_blocks)) + self.blocks.to_bytes(2, "big") + self.reserved
        )
        body = head + bytes((WRITING if self.writing else 0, self.access)) + self.length.to_bytes(3, "big")
        return body + sum(body).to_bytes(2, "big")


class FelicaChip:
    """A FeliCa card, Lite-S above all."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._idm = bytes.fromhex(link.uid)

    def see(self) -> Seen:
        """What stands on it; without an NDEF service it is known by its number."""
        attributes = self._attributes()
        if attributes is None:
            return Seen(uid=self._link.uid, kind=Kind.FELICA)
        reading = ndef_message.decode(self._message(attributes))
        return Seen(
            uid=self._link.uid,
            kind=Kind.FELICA,
            content=reading.content,
            writable=True,
            locked=attributes.access != READ_AND_WRITE,
            foreign=reading.foreign,
        )

    def write(self, content: Content, keys: Keys) -> None:
        """Write the message: first that it is being written, last how long it is."""
        del keys
        self._put(ndef_message.encode(content))

    def wipe(self, keys: Keys) -> None:
        """Write no message, and zeros where one was."""
        del keys
        self._put(b"")

    def is_locked_with(self, keys: Keys) -> bool:
        """There is no lock of ours for these cards."""
        del keys
        return True

    def _put(self, message: bytes) -> None:
        attributes = self._attributes()
        if attributes is None:
            raise TagTrouble(Trouble.REFUSED)
        if attributes.access != READ_AND_WRITE:
            raise TagTrouble(Trouble.LOCKED)
        if len(message) > attributes.blocks * BLOCK_BYTES:
            raise TagTrouble(Trouble.TOO_SMALL)
        # A message that is replaced by a shorter one leaves nothing behind; that it was torn may hide how long it was.
        blocks = attributes.blocks if not message else (len(message) + BLOCK_BYTES - 1) // BLOCK_BYTES
        wanted = message.ljust(blocks * BLOCK_BYTES, b"\0")
        now = self._read_all(range(1, blocks + 1))
        done = replace(attributes, writing=False, length=len(message))
        if now == wanted and attributes == done:
            return
        self._write(0, replace(attributes, writing=True, length=0).pack())
        for block in range(1, blocks + 1):
            part = slice((block - 1) * BLOCK_BYTES, block * BLOCK_BYTES)
            if now[part] != wanted[part]:
                self._write(block, wanted[part])
        self._write(0, done.pack())

    def _message(self, attributes: Attributes) -> bytes:
        """The message; one that was not written to its end is none."""
        if attributes.writing or attributes.length > attributes.blocks * BLOCK_BYTES:
            return b""
        blocks = (attributes.length + BLOCK_BYTES - 1) // BLOCK_BYTES
        return self._read_all(range(1, blocks + 1))[: attributes.length]

    def _attributes(self) -> Attributes | None:
        """The first block; None when there is no NDEF on this card."""
        data = self._attribute_block()
        if data is None or sum(data[:14]) != int.from_bytes(data[14:], "big") or data[0] >> 4 != MAJOR_VERSION:
            return None
        return Attributes(
            version=data[0],
            read_blocks=data[1],
            write_blocks=data[2],
            blocks=int.from_bytes(data[3:5], "big"),
            reserved=data[5:9],
            writing=data[9] != 0,
            access=data[10],
            length=int.from_bytes(data[11:14], "big"),
        )

    def _attribute_block(self) -> bytes | None:
        try:
            block = self._read(0)
        except CardSilent:
            self._link.sense()
            block = None
        if block is not None:
            return block
        # The number that the card was found by may be that of another of its systems.
        try:
            found = self._link.ask(POLL_NDEF)
            self._idm = found[2:HEAD_BYTES]
            return self._read(0)
        except CardSilent:
            self._link.sense()
            return None

    def _read_all(self, blocks: range) -> bytes:
        """One by one: some cards give no more at a time, whatever they say."""
        found = b""
        for block in blocks:
            data = self._read(block)
            if data is None:
                raise CardSilent(f"block {block} was not read", refused=True)
            found += data
        return found

    def _read(self, block: int) -> bytes | None:
        """Read Without Encryption; None when the card says no."""
        answer = self._link.ask(self._frame(READ, READ_SERVICE, block))
        status = answer[HEAD_BYTES : HEAD_BYTES + 2]
        data = answer[HEAD_BYTES + 3 :]
        return data if status == b"\0\0" and len(data) == BLOCK_BYTES else None

    def _write(self, block: int, data: bytes) -> None:
        """Write Without Encryption."""
        answer = self._link.change(self._frame(WRITE, WRITE_SERVICE, block, data))
        if answer[HEAD_BYTES : HEAD_BYTES + 2] != b"\0\0":
            raise CardSilent(f"block {block} was not written", refused=True)

    def _frame(self, command: int, service: bytes, block: int, data: bytes = b"") -> bytes:
        body = bytes([command]) + self._idm + b"\x01" + service + b"\x01" + _block_number(block) + data
        return bytes([len(body) + 1]) + body


def _block_number(block: int) -> bytes:
    """A block list element: two bytes, or three from 256 on."""
    return bytes((0x80, block)) if block <= 0xFF else b"\0" + block.to_bytes(2, "little")
