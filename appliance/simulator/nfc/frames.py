"""Frames between a host and a PN532 (UM0701-02, 6.2.1): taking them out of the stream of bytes, and making answers."""

from __future__ import annotations

from dataclasses import dataclass

START = b"\x00\xff"
ACK_FRAME = bytes.fromhex("0000FF00FF00")
NACK_FRAME = bytes.fromhex("0000FFFF0000")
FROM_HOST = 0xD4
TO_HOST = 0xD5
ERROR_BODY = b"\x7f"
NORMAL_BYTES_MAX = 255
WAKE_UP_BYTES = 4
"""So many bytes before a frame wake the chip out of power down."""
NOISE_BYTES_KEPT = 32


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The host's ACK frame: it aborts the command in hand, or confirms a change of speed."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command."""

    code: int
    data: bytes
    preamble: int
    """How many bytes came before it."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame whose checksum was wrong."""


Incoming = Acknowledged | Command | Damaged


class Parser:
    """Collects bytes until a frame is whole."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def clear(self) -> None:
        """Forget what has come so far."""
        self._bytes.clear()

    def feed(self, data: bytes) -> list[Incoming]:
        """The frames that are whole now."""
        self._bytes += data
        found: list[Incoming] = []
        while True:
            start = self._bytes.find(START)
            if start < 0:
                del self._bytes[:-NOISE_BYTES_KEPT]
                return found
            taken = self._take(start)
            if taken is None:
                return found
            found.append(taken)

    def _take(self, start: int) -> Incoming | None:
        """The frame whose start code stands there; None: more must come."""
        head = bytes(self._bytes[start + 2 : start + 7])
        if len(head) < 2:
            return None
        if head[:2] == b"\x00\xff":
            del self._bytes[: start + 4]
            return Acknowledged()
        extended = head[:2] == b"\xff\xff"
        if extended and len(head) < 5:
            return None
        lengths = head[2:5] if extended else head[:2]
        if sum(lengths) & 0xFF:
            del self._bytes[: start + 2]
            return Damaged()
        size = int.from_bytes(lengths[:-1], "big")
        first = start + (7 if extended else 4)
        end = first + size + 1
        if len(self._bytes) < end:
            return None
        body = bytes(self._bytes[first : end - 1])
        checksum = self._bytes[end - 1]
        # The postamble, a zero, is left: it counts as noise before the next frame, as in the chip.
        del self._bytes[:end]
        if (sum(body) + checksum) & 0xFF or len(body) < 2 or body[0] != FROM_HOST:
            return Damaged()
        return Command(body[1], body[2:], start)


def answer(body: bytes, *, damaged: bool = False) -> bytes:
    """The frame around an answer; an extended one above 255 bytes."""
    if len(body) > NORMAL_BYTES_MAX:
        size = len(body).to_bytes(2, "big")
        head = b"\xff\xff" + size + bytes([-sum(size) & 0xFF])
    else:
        head = bytes((len(body), -len(body) & 0xFF))
    checksum = -sum(body) & 0xFF
    return b"\x00" + START + head + body + bytes((checksum ^ (0x5A if damaged else 0), 0))
