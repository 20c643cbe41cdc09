"""Cards that speak the commands of NFC Forum Type 2: pages of four bytes, READ and WRITE, lock bits that never come back.

Here is what all of them share, and the plain copy that does no more; passwords and keys are in `ntag` and `ultralight_c`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import ACK, CASCADE_TAG, HALT, Answer, Silent, TypeACard, check_byte

READ = 0x30
WRITE = 0xA2
PAGE_BYTES = 4
LOCK_PAGE = 2
CAPABILITY_PAGE = 3
USER_PAGE = 4
EMPTY_NDEF = bytes.fromhex("0300FE00")


class Type2Card(TypeACard):
    """Pages, READ, WRITE and lock bits."""

    def __init__(self, pages: int, uid: bytes | None = None) -> None:
        super().__init__(uid or b"\x04" + os.urandom(6))
        self.memory = bytearray(pages * PAGE_BYTES)
        first, last = self.uid[:3], self.uid[3:]
        self.memory[:9] = first + bytes([check_byte(bytes([CASCADE_TAG]) + first)]) + last + bytes([check_byte(last)])
        self.memory[9] = 0x48

    @property
    def pages(self) -> int:
        """How many there are."""
        return len(self.memory) // PAGE_BYTES

    @property
    def capability(self) -> bytes:
        """The four bytes that say whether there is NDEF on it, and how much fits."""
        return self.page(CAPABILITY_PAGE)

    @property
    def locked(self) -> bool:
        return self.locked_by_bits(USER_PAGE)

    def page(self, page: int) -> bytes:
        """What the memory holds, whoever asks."""
        return bytes(self.memory[page * PAGE_BYTES : (page + 1) * PAGE_BYTES])

    def state(self) -> dict[str, Any]:
        return {"uid": self.uid.hex(), "memory": self.memory.hex()}

    def restore(self, state: dict[str, Any]) -> None:
        self.uid = bytes.fromhex(state["uid"])
        self.memory[:] = bytes.fromhex(state["memory"])

    def obey(self, frame: bytes) -> Answer:
        command = self.commands().get((frame[0], len(frame)))
        return self.refuse() if command is None else command(frame)

    def commands(self) -> dict[tuple[int, int], Callable[[bytes], Answer]]:
        """What is done for a command code with a length; anything else is refused."""
        return {(READ, 2): self._read, (WRITE, 6): self._write, (HALT, 2): self._halt}

    def last_readable(self) -> int:
        """READ starts here at the latest, and then goes on at page 0."""
        return self.pages - 1

    def may_read(self, page: int) -> bool:
        """Whether READ gets it."""
        return page <= self.last_readable()

    def may_write(self, page: int) -> bool:
        """Whether WRITE may change it, as far as keys are concerned."""
        return page < self.pages

    def visible(self, page: int) -> bytes:
        """What READ shows of a page that it may read."""
        return self.page(page)

    def locked_by_bits(self, page: int) -> bool:
        """Whether a lock bit has closed the page for good."""
        return page < 16 and bool(self._static_lock_bits() >> page & 1)

    def store(self, page: int, data: bytes) -> None:
        """Change a page; bits of the lock and capability pages are only ever set (OTP)."""
        self.changing()
        if page == LOCK_PAGE:
            data = self.page(page)[:2] + self._lock_bits_set(data[2:])
        elif page == CAPABILITY_PAGE or page in self.one_time_pages():
            data = bytes(old | new for old, new in zip(self.page(page), data, strict=True))
        self.memory[page * PAGE_BYTES : (page + 1) * PAGE_BYTES] = data

    def one_time_pages(self) -> frozenset[int]:
        """More pages of which bits are only ever set: the dynamic lock bits."""
        return frozenset()

    def _read(self, frame: bytes) -> Answer:
        first = frame[1]
        if not self.may_read(first):
            return self.refuse()
        return Answer(b"".join(self.visible(page) for page in self._following(first)))

    def _following(self, first: int) -> Iterator[int]:
        for offset in range(4):
            page = (first + offset) % (self.last_readable() + 1)
            yield page if self.may_read(page) else 0

    def _write(self, frame: bytes) -> Answer:
        page = frame[1]
        if not LOCK_PAGE <= page < self.pages or not self.may_write(page) or self.locked_by_bits(page):
            return self.refuse()
        self.store(page, frame[2:])
        return ACK

    def _halt(self, frame: bytes) -> Answer:
        del frame
        self.halt()
        raise Silent

    def _static_lock_bits(self) -> int:
        """Bit n closes page n; bits 0 to 2 close the lock bits themselves."""
        return int.from_bytes(self.memory[10:12], "little") & 0xFFF8

    def _lock_bits_set(self, new: bytes) -> bytes:
        old = int.from_bytes(self.memory[10:12], "little")
        frozen = (0x0008 if old & 1 else 0) | (0x03F0 if old & 2 else 0) | (0xFC00 if old & 4 else 0)
        return (old | int.from_bytes(new, "little") & ~frozen).to_bytes(2, "little")


class Type2Copy(Type2Card):
    """A cheap chip that passes for an NTAG213 until it is asked for its version: no password, no signature."""

    kind = Kind.TYPE2
    GET_VERSION = 0x60
    VERSION = bytes.fromhex("0053040201000F03")
    PAGES = 45

    def __init__(self, uid: bytes | None = None) -> None:
        super().__init__(self.PAGES, uid)
        self.memory[12:16] = bytes.fromhex("E1101200")
        self.memory[16:20] = EMPTY_NDEF

    def commands(self) -> dict[tuple[int, int], Callable[[bytes], Answer]]:
        return super().commands() | {(self.GET_VERSION, 1): lambda _frame: Answer(self.VERSION)}
