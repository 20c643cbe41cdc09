"""Connections that are closed for the form of what came: staff are told of each kind, with what to do."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import orjson
import pytest

from appliance.ocpp.connection.masks import MaskedReader
from tests.ocpp.raw import Client, Server, connected

TEXT, BINARY, CONTINUATION, PING = 0x81, 0x82, 0x80, 0x89
HEARTBEAT = b'[2,"a","Heartbeat",{}]'
OPEN = "SELECT details FROM problem WHERE kind = 'violation' AND cleared_at_ms IS NULL"


@asynccontextmanager
async def wire(
    server: Server, identity: str = "CS-1"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A websocket without a library, so that anything can be sent."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (f"GET /ocpp/{identity} HTTP/1.1", f"Host: {address.netloc}", "Upgrade: websocket", "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: ocpp1.6", "", "")  # fmt: skip
    writer.write("\r\n".join(head).encode())
    answer = await reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101"), answer
    try:
        yield reader, writer
    finally:
        writer.close()


def framed(payload: bytes, kind: int = TEXT, *, masked: bool = True) -> bytes:
    mask = b"\x01\x02\x03\x04" if masked else b""
    bit = 0x80 if masked else 0
    length = len(payload)
    if length < 126:
        head = bytes([kind, bit | length])
    elif length <= 0xFFFF:
        head = bytes([kind, bit | 126]) + length.to_bytes(2)
    else:
        head = bytes([kind, bit | 127]) + length.to_bytes(8)
    if masked:
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return head + mask + payload


async def close_code(reader: asyncio.StreamReader) -> int:
    """Read on to the close frame."""
    while True:
        kind, length = await reader.readexactly(2)
        length = int.from_bytes(await reader.readexactly(2)) if length == 126 else length
        payload = await reader.readexactly(length)
        if kind == 0x88:
            return int.from_bytes(payload[:2])


CASES = [
    ("binary", 1003, framed(b"\x00\x01", BINARY)),
    ("binary", 1003, framed(HEARTBEAT, BINARY)),
    ("utf8", 1007, framed(b'[2,"a","Authorize",{"idTag":"\xff"}]')),
    ("utf8", 1007, framed(b'[2,"a","Authorize",{"idTag":"K\xfchn"}]')),
    ("websocket", 1002, framed(HEARTBEAT, 0xC1)),
    ("websocket", 1002, framed(HEARTBEAT, 0x83)),
    ("websocket", 1002, framed(HEARTBEAT, CONTINUATION)),
    ("websocket", 1002, framed(b"x" * 126, PING)),
    ("websocket", 1002, framed(HEARTBEAT, masked=False)),
    ("websocket", 1002, framed(b"x" * 200, masked=False)),
    ("websocket", 1002, framed(HEARTBEAT) + framed(HEARTBEAT, masked=False)),
    (
        "websocket",
        1002,
        framed(b'[2,"a","Heartbeat",{"x":"' + b"y" * 70_000 + b'"}]') + framed(b"", PING, masked=False),
    ),
    ("too_long", 1009, framed(b"x" * ((1 << 20) + 1))),
]


@pytest.mark.parametrize(("what", "code", "sent"), CASES)
async def test_each_kind_is_told_to_staff(server: Server, what: str, code: int, sent: bytes) -> None:
    await server.register("CS-1")
    async with wire(server) as (reader, writer):
        writer.write(sent)
        assert await close_code(reader) == code

    await server.until(lambda: len(server.listener.registry) == 0)
    ((details,),) = await server.rows(OPEN)
    assert orjson.loads(details)["what"] == what
    (*_, logged) = await server.log_of(1)
    assert logged.violation


async def test_what_comes_in_pieces_is_masked_all_the_same(server: Server) -> None:
    await server.register("CS-1")
    frames = framed(HEARTBEAT) + framed(HEARTBEAT, PING) + framed(b'[2,"b","Heartbeat",{"x":"' + b"y" * 300 + b'"}]')
    async with wire(server) as (reader, writer):
        for byte in frames:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        answers = await reader.readuntil(b'"b"')

    assert answers.count(b'"currentTime"') == 1


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 1000, 10**6])
def test_an_unmasked_frame_is_found_wherever_the_pieces_part(size: int) -> None:
    good = (
        framed(HEARTBEAT) + framed(b"") + framed(b"x" * 125) + framed(b"x" * 126) + framed(b"x" * 70_000) + framed(b"y")
    )
    reader = MaskedReader(None, None)
    pieces = [good[at : at + size] for at in range(0, len(good), size)]

    assert all(reader._are_masked(piece) for piece in pieces)
    bad = framed(HEARTBEAT, masked=False)
    assert not all(reader._are_masked(bad[at : at + size]) for at in range(0, len(bad), size))


async def test_kinds_are_rows_of_their_own_and_repeats_are_none(server: Server) -> None:
    await server.register("CS-1")
    for _, _, sent in (*CASES[:4], *CASES[:4]):
        async with wire(server) as (reader, writer):
            writer.write(sent)
            await close_code(reader)

    await server.until(lambda: len(server.listener.registry) == 0)
    assert await server.rows("SELECT subject FROM problem ORDER BY subject") == [
        ("station:1:binary",),
        ("station:1:utf8",),
    ]


async def test_a_station_that_knocks_and_is_closed_is_told_too_until_it_is_turned_away(server: Server) -> None:
    async with wire(server, "STRANGER") as (reader, writer):
        writer.write(CASES[0][2])
        await close_code(reader)

    assert await server.rows("SELECT kind FROM problem ORDER BY id") == [("knocking",), ("violation",)]


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("BootNotification", {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}),
        ("StatusNotification", {"timestamp": "2026-11-30T01:00:00Z", "connectorStatus": "Available", "evseId": 1, "connectorId": 1}),
        ("Authorize", {"idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}}),
        ("TransactionEvent", {"eventType": "Started", "triggerReason": "Authorized", "seqNo": 0}),
        ("NotifyReport", {"requestId": 1}),
    ],
)  # fmt: skip
async def test_a_station_that_was_set_to_one_version_and_speaks_another_is_told(
    client: Client, server: Server, action: str, payload: dict[str, object]
) -> None:
    await client.exchange(orjson.dumps([2, "a", action, payload]).decode())

    ((details,),) = await server.rows(OPEN)
    assert orjson.loads(details) == {"station": 1, "what": "other_version", "spoken": "1.6"}


async def test_good_messages_are_of_no_other_version(client: Client, server: Server) -> None:
    await client.boot()
    await client.start()
    await client.call("StatusNotification", {"connectorId": "1", "status": "charging", "vendorField": 1})
    await client.refusal("Nonsense", {})
    async with connected(server) as other:
        await other.boot()

    assert await server.rows(OPEN) == []
