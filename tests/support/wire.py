"""A listener's socket without a client's manners: bytes go out as they are, and all that comes back is kept."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

HOST = "127.0.0.1"
LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n")
ENDS_S = 20.0
"""Longer than anything that is tested takes; what has not ended then never does."""

UNPROVED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Takes any certificate."""
UNPROVED.check_hostname = False
UNPROVED.verify_mode = ssl.CERT_NONE


@asynccontextmanager
async def connected(
    port: int, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a listener of this machine."""
    reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
    try:
        yield reader, writer
    finally:
        writer.close()


async def exchange(port: int, *parts: bytes, tls: ssl.SSLContext | None = None, within_s: float = ENDS_S) -> bytes:
    """Send the parts, and read until the other side has closed the connection: all that it has said."""
    async with connected(port, tls) as (reader, writer):
        for part in parts:
            writer.write(part)
        return await until_closed(reader, within_s)


async def trickle(port: int, begin: bytes, drop: bytes, every_s: float, tls: ssl.SSLContext | None = None) -> bytes:
    """Send the beginning, then a drop at a time for as long as the other side lets it: all that it has said."""
    async with connected(port, tls) as (reader, writer):
        writer.write(begin)
        dripping = asyncio.create_task(drip(writer, drop, every_s))
        try:
            return await until_closed(reader)
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)


async def drip(writer: asyncio.StreamWriter, drop: bytes, every_s: float) -> None:
    """One drop after another, until cancelled or cut off."""
    while True:
        writer.write(drop)
        await writer.drain()
        await asyncio.sleep(every_s)


async def answer(port: int, begin: bytes, drop: bytes = b"", every_s: float = 0.05) -> tuple[int, bytes]:
    """Send the beginning, then a drop at a time until there is an answer: its status and its body."""
    async with connected(port) as (reader, writer), asyncio.timeout(ENDS_S):
        writer.write(begin)
        dripping = asyncio.create_task(drip(writer, drop, every_s))
        try:
            while (status := statuses(said := await reader.readuntil(b"\r\n\r\n"))[0]) < 200:
                pass
            return status, await reader.readexactly(int(LENGTH.search(said)[1]))  # type: ignore[index]
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)


async def until_closed(reader: asyncio.StreamReader, within_s: float = ENDS_S) -> bytes:
    """All that comes; TimeoutError if the other side keeps the connection."""
    said = b""
    async with asyncio.timeout(within_s):
        try:
            while part := await reader.read(1 << 16):
                said += part
        except ConnectionError:
            pass
    return said


def head(method: str, path: str, *lines: str, version: str = "1.1", host: str = HOST) -> bytes:
    """The head of a request."""
    return "\r\n".join((f"{method} {path} HTTP/{version}", f"Host: {host}", *lines, "", "")).encode(
        errors="surrogateescape"
    )


def parted(said: bytes) -> tuple[int, dict[str, str], bytes]:
    """The only answer on a connection: its status, its headers, and all that came after them."""
    first, _, rest = said.partition(b"\r\n\r\n")
    status, *lines = first.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, rest


def statuses(said: bytes) -> Sequence[int]:
    """Of the answers on a connection, interim ones included."""
    return [int(line.split()[1]) for line in said.split(b"\r\n") if line.startswith(b"HTTP/1.")]
