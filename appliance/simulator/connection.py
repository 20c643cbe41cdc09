"""A station's end of the websocket: handshake, Basic authentication, and how long to wait before the next try."""

from __future__ import annotations

import asyncio
import base64
import random
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

import aiohttp

RECONNECT_FIRST_S: Final = 1.0
RECONNECT_MAX_S: Final = 60.0
HANDSHAKE_TIMEOUT_S: Final = 20.0
PING_S: Final = 60.0


class ConnectionLost(Exception):
    """There is no line, or it broke before the answer came."""


class HandshakeRefused(Exception):
    """The central system does not want this station; the message says how and what that usually means."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unanswered(Exception):
    """The line is there, but there was no usable answer: none in time, an error, or one that cannot be read."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
        """Error code of the CALLERROR, if it was one."""


class Socket:
    """An open websocket, in the form the `ocpp` package wants: `recv` and `send`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def recv(self) -> str:
        """The next text; raises `ConnectionLost` when there will be none."""
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                return str(message.data)
            if message.type is not aiohttp.WSMsgType.BINARY:
                raise ConnectionLost(f"The connection was closed ({self._socket.close_code or 'no code'}).")

    async def send(self, text: str) -> None:
        """Send a text; raises `ConnectionLost` when that is no longer possible."""
        try:
            await self._socket.send_str(text)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise ConnectionLost("The connection was lost.") from error

    async def close(self) -> None:
        """Say goodbye."""
        await self._socket.close()


@asynccontextmanager
async def connected(
    url: str, identity: str, subprotocol: str, password: bytes | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Socket]:
    """An open connection of `identity`; raises `ConnectionLost` or `HandshakeRefused` when there is none to be had."""
    headers = {}
    if password is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(identity.encode() + b":" + password).decode()
    async with aiohttp.ClientSession() as session:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                socket = await session.ws_connect(
                    url.rstrip("/") + "/" + quote(identity, safe=""),
                    protocols=(subprotocol,),
                    headers=headers,
                    heartbeat=PING_S,
                    ssl=tls or True,
                    timeout=aiohttp.ClientWSTimeout(ws_close=5.0),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise HandshakeRefused(error.status, refusal(error.status, identity)) from error
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            raise ConnectionLost(f"Cannot connect to {url}: {reason(error)}.") from error
        try:
            if socket.protocol != subprotocol:
                raise HandshakeRefused(101, f"The central system does not speak {subprotocol}.")
            yield Socket(socket)
        finally:
            await socket.close()


def refusal(status: int, identity: str) -> str:
    """A sentence for the status of a handshake that failed."""
    meanings = {
        401: "the password is missing or wrong",
        403: "it is not allowed to connect",
        404: "nobody there knows it, or the URL is wrong",
        429: "it has tried too often",
    }
    meaning = meanings.get(status)
    return f"The central system refused {identity} with {status}" + (f": {meaning}." if meaning else ".")


def reason(error: Exception) -> str:
    """Why there is no connection, in as few words as the error has."""
    return str(getattr(error, "strerror", None) or error) or "there was no answer"


def delays_s(source: random.Random) -> Iterator[float]:
    """How long to wait before each further try: growing, and never the same for two stations after a power cut."""
    delay_s = RECONNECT_FIRST_S
    while True:
        yield delay_s * source.uniform(0.5, 1.5)
        delay_s = min(delay_s * 2, RECONNECT_MAX_S)
