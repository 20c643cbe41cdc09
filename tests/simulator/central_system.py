"""A small central system for the tests of the simulator: a real websocket server that answers what it is told to answer."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import WSMsgType, web

Payload = dict[str, Any]
TIME = "2026-11-01T00:00:00.000Z"
WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Received:
    """A call of a station; `connection` counts from 1."""

    connection: int
    message_id: str
    action: str
    payload: Payload


@dataclass
class CentralSystem:
    """`answers` are payloads, functions of the payload, or None to leave a call unanswered; a tuple becomes a CALLERROR."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refuse_with: int | None = None
    password: bytes | None = None
    _socket: web.WebSocketResponse | None = None
    _connections: int = 0
    _transactions: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _waiting: dict[str, asyncio.Future[list[Any]]] = field(default_factory=dict)
    _calls: int = 0

    def __post_init__(self) -> None:
        self.answers = {
            "Authorize": {"idTagInfo": {"status": "Accepted"}},
            "BootNotification": {"status": "Accepted", "currentTime": TIME, "interval": 300},
            "Heartbeat": {"currentTime": TIME},
            "StartTransaction": self._start,
            "StopTransaction": {},
        } | self.answers

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask the station; the payload of its answer. A CALLERROR fails the test."""
        self._calls += 1
        frame = await self.send_frame([2, f"cs-{self._calls}", action, payload])
        assert frame[0] == 3, frame
        answer: Payload = frame[2]
        return answer

    async def send_frame(self, frame: list[Any]) -> list[Any]:
        """Send any CALL and return the whole frame that answers it."""
        await self.until(lambda: self._socket is not None)
        assert self._socket is not None
        answered = self._waiting[frame[1]] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(orjson.dumps(frame).decode())
        async with asyncio.timeout(WAIT_S):
            answer: list[Any] = await answered
            return answer

    async def send_text(self, text: str) -> None:
        """Send anything."""
        assert self._socket is not None
        await self._socket.send_str(text)

    async def drop(self) -> None:
        """Break the line."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close(code=1001)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait until something is true of what has been received."""
        async with asyncio.timeout(WAIT_S), self._changed:
            await self._changed.wait_for(fact)

    async def expect(self, action: str, count: int = 1, **fields: Any) -> Payload:
        """Wait for the `count`th call of this kind with such fields; its payload."""
        await self.until(lambda: len(self.found(action, **fields)) >= count)
        return self.found(action, **fields)[count - 1]

    def found(self, action: str, **fields: Any) -> list[Payload]:
        """Payloads of all calls of this kind with such fields."""
        return [
            each.payload
            for each in self.received
            if each.action == action and all(each.payload.get(name) == value for name, value in fields.items())
        ]

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """One station."""
        self.headers.append(dict(request.headers))
        expected = base64.b64encode(request.match_info["identity"].encode() + b":" + (self.password or b"")).decode()
        if self.password is not None and request.headers.get("Authorization") != f"Basic {expected}":
            return web.Response(status=401)
        if self.refuse_with is not None:
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse(protocols=("ocpp1.6",))
        await socket.prepare(request)
        self._connections += 1
        self._socket, connection = socket, self._connections
        await self._tell()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._received(socket, connection, orjson.loads(message.data))
        if self._socket is socket:
            self._socket = None
        return socket

    async def _received(self, socket: web.WebSocketResponse, connection: int, frame: list[Any]) -> None:
        if frame[0] != 2:
            self._waiting.pop(frame[1]).set_result(frame)
            return
        _, message_id, action, payload = frame
        self.received.append(Received(connection, message_id, action, payload))
        answer = self.answers.get(action, {})
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, tuple):
            await socket.send_str(orjson.dumps([4, message_id, answer[0], answer[1], {}]).decode())
        elif answer is not None:
            await socket.send_str(orjson.dumps([3, message_id, answer]).decode())
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _start(self, _: Payload) -> Payload:
        self._transactions += 1
        return {"transactionId": self._transactions, "idTagInfo": {"status": "Accepted"}}


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[CentralSystem]:
    """A central system on a free port of this machine."""
    system = CentralSystem(**options)
    application = web.Application()
    application.router.add_get("/ocpp/{identity}", system.accept)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        system.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/ocpp/"
        yield system
    finally:
        await system.drop()
        await runner.cleanup()
