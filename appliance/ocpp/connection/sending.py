"""What goes out on a websocket: one whole text frame at a time, neither masked nor compressed (RFC 6455, 5.2).

aiohttp's own way takes three coroutines for each frame. It is gone where something is in the way: a line that is closing, and one
whose station does not read as fast as it asks, which is waited for.
"""

from __future__ import annotations

import asyncio

from aiohttp import WSMsgType, web

WHOLE_TEXT = 0x80 | WSMsgType.TEXT
LENGTH_IN_2, LENGTH_IN_8 = 126, 127


class Sender:
    """One websocket, for whoever has checked that it is not closed."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket = socket
        self._transport = transport

    def sends_at_once(self, text: bytes) -> bool:
        """Send a frame, if nothing is in the way; whether it was."""
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size():
            return False
        transport.write(framed(text))
        return True

    async def send(self, text: bytes) -> None:
        """Send a frame as soon as its station reads.

        Raises:
            ConnectionError: The line is gone.
        """
        if self._socket.closed:
            raise ConnectionResetError("closed")
        await self._socket.send_frame(text, WSMsgType.TEXT)


def framed(text: bytes) -> bytes:
    """The frame around a text."""
    length = len(text)
    if length < LENGTH_IN_2:
        return b"%c%c%b" % (WHOLE_TEXT, length, text)
    if length < 1 << 16:
        return b"%c%c%b%b" % (WHOLE_TEXT, LENGTH_IN_2, length.to_bytes(2), text)
    return b"%c%c%b%b" % (WHOLE_TEXT, LENGTH_IN_8, length.to_bytes(8), text)
