"""MIFARE Classic 1K: sixteen sectors, each behind two keys, and a cipher that only a reader chip of NXP's knows.

The cipher itself is not here: the PN532 does it inside InDataExchange, so authentication arrives as key and UID.
"""

from __future__ import annotations

import os
from typing import Any

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import ACK, HALT, Answer, Silent, TypeACard, check_byte

AUTHENTICATE_A = 0x60
AUTHENTICATE_B = 0x61
READ = 0x30
WRITE = 0xA0
BLOCK_BYTES = 16
BLOCKS_IN_SECTOR = 4
BLOCKS = 64
NAK_NOT_ALLOWED = 0x4
FACTORY_TRAILER = bytes.fromhex("FFFFFFFFFFFFFF078069FFFFFFFFFFFF")


class ClassicCard(TypeACard):
    """A MIFARE Classic with 1 kB. Access conditions are those of the factory: both keys open everything."""

    kind = Kind.CLASSIC
    atqa = bytes.fromhex("0004")
    sak = 0x08

    def __init__(self, uid: bytes | None = None) -> None:
        super().__init__(uid or _uid())
        self.memory = bytearray(BLOCKS * BLOCK_BYTES)
        self.memory[:5] = self.uid[:4] + bytes([check_byte(self.uid[:4])])
        for sector in range(BLOCKS // BLOCKS_IN_SECTOR):
            self._put(sector * BLOCKS_IN_SECTOR + 3, FACTORY_TRAILER)
        self.sector: int | None = None
        """The one that is open."""

    @property
    def locked(self) -> bool:
        """Whether the factory's key no longer opens the first sector."""
        return self.block(3)[:6] != FACTORY_TRAILER[:6]

    def block(self, block: int) -> bytes:
        """Sixteen bytes, whoever asks."""
        return bytes(self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES])

    def select(self) -> None:
        super().select()
        self.sector = None

    def state(self) -> dict[str, Any]:
        return {"uid": self.uid.hex(), "memory": self.memory.hex()}

    def restore(self, state: dict[str, Any]) -> None:
        self.uid = bytes.fromhex(state["uid"])
        self.memory[:] = bytes.fromhex(state["memory"])

    def authenticate(self, command: int, block: int, key: bytes, uid: bytes) -> bool:
        """What the reader chip's three-pass authentication comes to; a wrong key silences the card."""
        trailer = self.block(block // BLOCKS_IN_SECTOR * BLOCKS_IN_SECTOR + 3)
        right = trailer[:6] if command == AUTHENTICATE_A else trailer[10:]
        if not self.active or block >= BLOCKS or key != right or uid != self.uid[-4:]:
            self.active, self.sector = False, None
            return False
        self.sector = block // BLOCKS_IN_SECTOR
        return True

    def obey(self, frame: bytes) -> Answer:
        if frame[0] == HALT:
            self.halt()
            raise Silent
        block = frame[1] if len(frame) > 1 else BLOCKS
        if self.sector is None or block // BLOCKS_IN_SECTOR != self.sector:
            return self.refuse(NAK_NOT_ALLOWED)
        if frame[0] == READ and len(frame) == 2:
            trailer = block % BLOCKS_IN_SECTOR == BLOCKS_IN_SECTOR - 1
            return Answer(bytes(6) + self.block(block)[6:] if trailer else self.block(block))
        if frame[0] == WRITE and len(frame) == 2 + BLOCK_BYTES and block > 0:
            self.changing()
            self._put(block, frame[2:])
            return ACK
        return self.refuse(NAK_NOT_ALLOWED)

    def _put(self, block: int, data: bytes) -> None:
        self.memory[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES] = data


def _uid() -> bytes:
    """Four random bytes that do not look like a UID of each tap (08), nor like the first of seven bytes (88)."""
    return b"\x6a" + os.urandom(3)
