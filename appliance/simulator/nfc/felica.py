"""FeliCa Lite-S: blocks of sixteen bytes read and written without encryption, formatted for NDEF (NFC Forum Type 3).

Its MAC authentication is left out: nothing here is locked with it.
"""

from __future__ import annotations

import os
from typing import Any, Final

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import Answer, Silent, TypeFCard

POLLING: Final = 0x00
READ: Final = 0x06
WRITE: Final = 0x08
ASKS_SYSTEM: Final = 1
NDEF_SYSTEM: Final = bytes.fromhex("12FC")
LITE_SYSTEM: Final = bytes.fromhex("88B4")
PARAMETERS: Final = bytes.fromhex("00F1000000014300")
"""PMm; the second byte says FeliCa Lite-S."""
BLOCK_BYTES: Final = 16
USER_BLOCKS: Final = 14
"""Block 0 is the attribute block of NDEF, 1 to 13 hold the message."""
IDENTITY_BLOCK: Final = 0x82
CONFIGURATION_BLOCK: Final = 0x88
CONFIGURATION: Final = bytes.fromhex("FFFF FF 01 07 00 0000 0000 0000 00 00 00 00")
READ_SERVICE: Final = bytes.fromhex("0B00")
WRITE_SERVICE: Final = bytes.fromhex("0900")
WRONG_SERVICE: Final = bytes.fromhex("FFA6")
WRONG_BLOCK: Final = bytes.fromhex("FFA8")
TOO_MANY_BLOCKS: Final = bytes.fromhex("FFA2")
BLOCKS_READ_MAX: Final = 4
BLOCKS_WRITTEN_MAX: Final = 1
MESSAGE_COMPLETE: Final = 0x00


class FelicaCard(TypeFCard):
    """A FeliCa Lite-S with an empty NDEF message on it."""

    kind = Kind.FELICA

    def __init__(self, uid: bytes | None = None) -> None:
        super().__init__(uid or bytes.fromhex("012E") + os.urandom(6))
        self.memory = bytearray(USER_BLOCKS * BLOCK_BYTES)
        self.memory[:BLOCK_BYTES] = attributes(0)

    @property
    def locked(self) -> bool:
        return self.memory[10] == 0

    def state(self) -> dict[str, Any]:
        return {"uid": self.uid.hex(), "memory": self.memory.hex()}

    def restore(self, state: dict[str, Any]) -> None:
        self.uid = bytes.fromhex(state["uid"])
        self.memory[:] = bytes.fromhex(state["memory"])

    def poll(self, system_code: bytes, request: int) -> bytes | None:
        for system in (LITE_SYSTEM, NDEF_SYSTEM):
            if all(wanted in {0xFF, own} for wanted, own in zip(system_code, system, strict=True)):
                answered = b"\x01" + self.uid + PARAMETERS
                return answered + system if request == ASKS_SYSTEM else answered
        return None

    def obey(self, frame: bytes) -> Answer:
        if frame[0] != len(frame) or len(frame) < 2:
            raise Silent
        code = frame[1]
        if code == POLLING and len(frame) == 6:
            answered = self.poll(frame[2:4], frame[4])
            if answered is None:
                raise Silent
            return _framed(answered)
        if frame[2:10] != self.uid or code not in {READ, WRITE}:
            raise Silent
        body = self._read(frame[10:]) if code == READ else self._write(frame[10:])
        return _framed(bytes([code + 1]) + self.uid + body)

    def _read(self, data: bytes) -> bytes:
        services, blocks, _rest = _lists(data)
        if len(services) != 1 or services[0] not in {READ_SERVICE, WRITE_SERVICE}:
            return WRONG_SERVICE
        if not 1 <= len(blocks) <= BLOCKS_READ_MAX:
            return TOO_MANY_BLOCKS
        read = [self._block(block) for block in blocks]
        if any(block is None for block in read):
            return WRONG_BLOCK
        return bytes((0, 0, len(blocks))) + b"".join(block for block in read if block is not None)

    def _block(self, block: int) -> bytes | None:
        if block < USER_BLOCKS:
            return bytes(self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES])
        return {IDENTITY_BLOCK: self.uid + bytes(8), CONFIGURATION_BLOCK: CONFIGURATION}.get(block)

    def _write(self, data: bytes) -> bytes:
        services, blocks, written = _lists(data)
        if services != [WRITE_SERVICE]:
            return WRONG_SERVICE
        if len(blocks) != BLOCKS_WRITTEN_MAX or len(written) != BLOCK_BYTES:
            return TOO_MANY_BLOCKS
        block = blocks[0]
        if block >= USER_BLOCKS or self.locked:
            return WRONG_BLOCK
        self.changing()
        self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] = written
        return bytes(2)


def attributes(length_bytes: int, *, writable: bool = True) -> bytes:
    """The attribute block of a message so long (NFC Forum Type 3 Tag, 6.1): version 1.0, then what one command may
    read and write, how many blocks there are, whether writing is under way, whether it is allowed, and a checksum.
    """
    block = bytes((0x10, BLOCKS_READ_MAX, BLOCKS_WRITTEN_MAX)) + (USER_BLOCKS - 1).to_bytes(2, "big") + bytes(4)
    block += bytes((MESSAGE_COMPLETE, 1 if writable else 0)) + length_bytes.to_bytes(3, "big")
    return block + sum(block).to_bytes(2, "big")


def _framed(body: bytes) -> Answer:
    return Answer(bytes([len(body) + 1]) + body)


def _lists(data: bytes) -> tuple[list[bytes], list[int], bytes]:
    """Service codes, block numbers, and the rest of a command. Silent when it is cut short."""
    try:
        services = [data[1 + 2 * at : 3 + 2 * at] for at in range(data[0])]
        rest = data[1 + 2 * data[0] :]
        count, rest = rest[0], rest[1:]
        blocks = []
        for _ in range(count):
            short = bool(rest[0] & 0x80)
            blocks.append(rest[1] if short else rest[1] | rest[2] << 8)
            rest = rest[2 if short else 3 :]
    except IndexError:
        raise Silent from None
    return services, blocks, rest
