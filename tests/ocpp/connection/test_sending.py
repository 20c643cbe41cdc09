"""Frames that go out: read by aiohttp's own reader, and in order also where a station does not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, WSMsgType, web

from appliance.ocpp.connection.sending import Sender

MANY = 3_000
TEXTS = [b"", b"x", b"x" * 125, b"x" * 126, b"x" * 127, b"x" * 65_535, b"x" * 65_536, b"x" * 200_000]


@asynccontextmanager
async def sending(texts: list[bytes], sent_at_once: list[bool]) -> AsyncIterator[str]:
    """A server that sends the texts to whoever connects."""

    async def serve(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False)
        await response.prepare(request)
        sender = Sender(response, request.transport)
        for text in texts:
            sent_at_once.append(sender.sends_at_once(text))
            if not sent_at_once[-1]:
                await sender.send(text)
        await response.receive()
        assert not sender.sends_at_once(b"after the end")
        return response

    application = web.Application()
    application.router.add_get("/", serve)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: str(len(text)))
async def test_a_text_of_any_length_arrives(text: bytes) -> None:
    async with sending([text, b"next"], []) as url, ClientSession() as client, client.ws_connect(url) as websocket:
        found = [await websocket.receive(), await websocket.receive()]

    assert [(one.type, one.data.encode()) for one in found] == [(WSMsgType.TEXT, text), (WSMsgType.TEXT, b"next")]


async def test_a_station_that_does_not_read_is_waited_for_and_gets_all_in_order() -> None:
    texts = [b"%d " % number + b"y" * 10_000 for number in range(MANY)]
    sent_at_once: list[bool] = []
    async with sending(texts, sent_at_once) as url, ClientSession() as client, client.ws_connect(url) as websocket:
        await asyncio.sleep(0.5)
        waited = len(sent_at_once)
        found = [(await websocket.receive()).data.encode() for _ in texts]

    assert waited < MANY
    assert found == texts
    assert not all(sent_at_once)
    assert any(sent_at_once)
