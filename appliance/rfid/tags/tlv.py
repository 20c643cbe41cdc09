"""Where the NDEF message stands in the memory of a Type 2 tag (NFC Forum, Type 2 Tag specification, clause 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NULL = 0x00
LOCK_CONTROL = 0x01
MEMORY_CONTROL = 0x02
MESSAGE = 0x03
PROPRIETARY = 0xFD
TERMINATOR = 0xFE
LONG = 0xFF
"""As the first byte of a length: two more follow."""
DATA_FROM = 16
"""The data area begins at page 4."""


@dataclass(frozen=True, slots=True)
class Block:
    """Type, length and value of the message. Offsets are in bytes from the start of the data area."""

    at: int
    value_at: int
    length: int


@dataclass(frozen=True, slots=True)
class Room:
    """Where a message may be put: no block of that type is there yet."""

    at: int


class Reserved(Exception):
    """A part of the data area itself is set aside for something else: a layout that we do not write to."""


def find(byte: Callable[[int], int], size: int) -> Block | Room:
    """Look through the data area of `size` bytes; `byte(offset)` reads one.

    Raises:
        Reserved: See there.
    """
    at = 0
    free: int | None = None
    while at < size:
        kind = byte(at)
        if kind == NULL:
            free = at if free is None else free
            at += 1
            continue
        if kind == TERMINATOR or at + 1 >= size:
            return Room(at if free is None else free)
        if kind not in (LOCK_CONTROL, MEMORY_CONTROL, MESSAGE, PROPRIETARY):
            # Not a layout at all; nothing of it is worth keeping.
            return Room(0)
        length, value_at = byte(at + 1), at + 2
        if length == LONG and at + 3 < size:
            length, value_at = byte(at + 2) << 8 | byte(at + 3), at + 4
        if kind == MESSAGE:
            return Block(at, value_at, length)
        if kind in (LOCK_CONTROL, MEMORY_CONTROL) and length == 3 and value_at + 3 <= size:
            _check_outside(kind, bytes(byte(value_at + index) for index in range(3)), size)
        at, free = value_at + length, None
    return Room(0 if free is None else free)


def header(length: int) -> bytes:
    """What stands before a message of that many bytes."""
    if length < LONG:
        return bytes((MESSAGE, length))
    return bytes((MESSAGE, LONG)) + length.to_bytes(2, "big")


def _check_outside(kind: int, value: bytes, size: int) -> None:
    """A control block names bytes that a message must jump over; only those behind the data area do not matter."""
    start = (value[0] >> 4) * (1 << (value[2] & 0x0F)) + (value[0] & 0x0F)
    count = value[1] or 256
    end = start + (count if kind == MEMORY_CONTROL else (count + 7) // 8)
    if start < DATA_FROM + size and end > DATA_FROM:
        raise Reserved
