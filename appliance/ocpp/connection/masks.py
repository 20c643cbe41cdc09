"""Frames of stations must be masked (RFC 6455, 5.1): whoever sends one that is not is disconnected. aiohttp reads both alike.

A web page cannot choose what stands on the wire only because of the mask; a proxy that lets unmasked frames through is no friend either.
"""

from __future__ import annotations

from typing import Any

from aiohttp import WebSocketError, WSCloseCode, web

MASKED = 0x80
LENGTH = 0x7F
LENGTH_IN_2 = 126
HEAD_OF_1, HEAD_OF_2 = 6, 8
"""Bytes of a masked head whose length takes one, or two."""
MASKED_IN_2 = MASKED | LENGTH_IN_2


def insist_on_masks(request: web.Request, socket: web.WebSocketResponse) -> None:
    """From now on; to be called as soon as the handshake is done. aiohttp has no other place for it than these two names of its own."""
    protocol: Any = request.protocol
    protocol._payload_parser = MaskedReader(protocol._payload_parser, socket._reader)  # noqa: SLF001


class MaskedReader:
    """Looks at the head of each frame before aiohttp's own reader does."""

    __slots__ = ("_head", "_is_between", "_left", "_queue", "_reader")

    def __init__(self, reader: Any, queue: Any) -> None:
        self._reader = reader
        self._queue = queue
        self._is_between = True
        """Whether the last frame was whole, so that the next begins with what comes."""
        self._left = 0
        """Bytes of a frame that are still to come."""
        self._head = b""
        """A head that is not whole yet."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """As aiohttp's reader."""
        # Nearly always it is one whole frame, with a length of one byte or of two.
        if self._is_between and (
            (len(data) > HEAD_OF_2 and data[1] == MASKED_IN_2 and len(data) == HEAD_OF_2 + int.from_bytes(data[2:4]))
            or (len(data) >= HEAD_OF_1 and data[1] == len(data) - HEAD_OF_1 + MASKED < MASKED_IN_2)
        ):
            return self._reader.feed_data(data)  # type: ignore[no-any-return]
        if self._are_masked(data):
            return self._reader.feed_data(data)  # type: ignore[no-any-return]
        self._queue.set_exception(WebSocketError(WSCloseCode.PROTOCOL_ERROR, "frames are not masked"))
        return True, b""

    def feed_eof(self) -> None:
        """As aiohttp's reader."""
        self._reader.feed_eof()

    def _are_masked(self, data: bytes) -> bool:
        """Whether all frames that begin in `data` are."""
        if self._head:
            data = self._head + data
        at, end = self._left, len(data)
        while at + 2 <= end:
            second = data[at + 1]
            if second < MASKED:
                return False
            length, head = second & LENGTH, HEAD_OF_1
            if length >= LENGTH_IN_2:
                head = HEAD_OF_2 if length == LENGTH_IN_2 else 14
                if at + head - 4 > end:
                    break
                length = int.from_bytes(data[at + 2 : at + head - 4])
            at += head + length
        self._left, self._head = (at - end, b"") if at >= end else (0, data[at:])
        self._is_between = at == end
        return True
