"""The line of a test's charging station: OCPP-J frames made by hand over a real websocket, right ones and wrong ones.

What the frames mean, and the story they tell, is in `station`. Nothing is asserted here.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import orjson

Payload = dict[str, Any]

ANSWER_TIMEOUT_S = 20.0
"""How long a test waits before it fails instead of hanging."""

ACCEPTED: Payload = {"status": "Accepted"}
ANSWERS: dict[str, Payload] = {
    "CancelReservation": ACCEPTED,
    "ChangeAvailability": ACCEPTED,
    "ChangeConfiguration": ACCEPTED,
    "ClearCache": ACCEPTED,
    "ClearChargingProfile": ACCEPTED,
    "DataTransfer": {"status": "UnknownVendorId"},
    "GetConfiguration": {"configurationKey": [], "unknownKey": []},
    "GetDiagnostics": {},
    "GetLocalListVersion": {"listVersion": 0},
    "RemoteStartTransaction": ACCEPTED,
    "RemoteStopTransaction": ACCEPTED,
    "ReserveNow": ACCEPTED,
    "Reset": ACCEPTED,
    "SendLocalList": ACCEPTED,
    "SetChargingProfile": ACCEPTED,
    "TriggerMessage": ACCEPTED,
    "UnlockConnector": {"status": "Unlocked"},
    "UpdateFirmware": {},
}
"""What the server's calls are answered unless a test says otherwise in `Station.answers`."""


class CallError(Exception):
    """The server answered with a CALLERROR."""

    def __init__(self, code: str, description: str, details: Payload) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.details = details


class Offline(Exception):
    """There is no connection, or it was lost before the answer came: `code` is how the server closed it."""

    def __init__(self, what: str, code: int | None = None) -> None:
        super().__init__(f"{what} (close code {code})")
        self.code = code


@dataclass(slots=True)
class ServerCall:
    """A call from the server. One that is answered late waits until `Station.release`."""

    message_id: str
    action: str
    payload: Payload


@dataclass(slots=True)
class _Line:
    """One connection: it is over when `closed` is done."""

    socket: aiohttp.ClientWebSocketResponse
    waiting: dict[str, asyncio.Future[list[Any]]] = field(default_factory=dict)
    raw: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)


class RawStation:
    """A station that knows frames and nothing else. Made by `connected`, or by hand and then `connect`ed."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        password: bytes | None = None,
        subprotocols: Sequence[str] = ("ocpp1.6",),
    ) -> None:
        self.url = url
        self.identity = identity
        self.password = password
        self.subprotocols = subprotocols
        self.answers: dict[str, Payload | Callable[[Payload], Payload]] = dict(ANSWERS)
        self.late_answers: list[list[Any]] = []
        """Answers nobody waited for any more."""
        self.close_code: int | None = None
        self._numbers = itertools.count(1)
        self._calls: dict[str, asyncio.Queue[ServerCall]] = defaultdict(asyncio.Queue)
        self._held: dict[str, list[ServerCall]] = {}
        self._last_frame: list[Any] = []
        self._session: aiohttp.ClientSession | None = None
        self._line: _Line | None = None
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def connected(cls, url: str, identity: str, **options: Any) -> AsyncIterator[Self]:
        """A station that is connected and has said nothing yet; it goes when the block ends."""
        station = cls(url, identity, **options)
        try:
            await station.connect()
            yield station
        finally:
            await station.close()

    # The connection.

    @property
    def online(self) -> bool:
        """Whether the websocket is open, as far as the station knows."""
        return self._line is not None

    async def connect(self) -> None:
        """Open the websocket. Raises what aiohttp raises when the handshake is refused (`error.status`)."""
        await self.go_offline()
        self._session = self._session or aiohttp.ClientSession()
        headers = {}
        if self.password is not None:
            headers["Authorization"] = (
                "Basic " + base64.b64encode(self.identity.encode() + b":" + self.password).decode()
            )
        socket = await self._session.ws_connect(
            self.url.rstrip("/") + "/" + self.identity, protocols=self.subprotocols, headers=headers, compress=0
        )
        self.close_code = None
        self._line = _Line(socket)
        self._reader = asyncio.create_task(self._read(self._line), name=f"station {self.identity}")

    async def go_offline(self) -> None:
        """Cut the line without a word, as a pulled plug does."""
        line, reader = self._line, self._reader
        if line is None or reader is None:
            return
        if (transport := line.socket.get_extra_info("socket")) is not None:
            transport.shutdown(2)
        await reader
        await line.socket.close()

    async def close(self) -> None:
        """Leave politely."""
        if self._line is not None and self._reader is not None:
            await self._line.socket.close()
            await self._reader
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def closed_by_server(self) -> int | None:
        """Wait until the server closes the connection; its close code."""
        if self._reader is not None:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await asyncio.shield(self._reader)
        return self.close_code

    # Frames.

    async def call(self, action: str, payload: Payload, *, message_id: str | int | None = None) -> Payload:
        """Send a CALL as it is, right or wrong, and return the payload of its answer.

        Raises `CallError` for a CALLERROR, `Offline` when the connection is lost before the answer.
        """
        identifier = message_id if message_id is not None else self._message_id()
        return await self._exchange([2, identifier, action, payload])

    async def send_raw(self, text: str | bytes) -> str | None:
        """Send a frame of any text (or binary), and return the next frame that no call waits for, as it came.

        None if the server closes the connection instead; `close_code` then says how.
        """
        line = self._open_line()
        while not line.raw.empty():
            line.raw.get_nowait()
        await (line.socket.send_str(text) if isinstance(text, str) else line.socket.send_bytes(text))
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return await line.raw.get()

    async def send_twice(self, *, new_id: bool = False) -> Payload:
        """Send the last CALL once more, with the same message id or a new one; the second answer."""
        frame = list(self._last_frame)
        if new_id:
            frame[1] = self._message_id()
        return await self._exchange(frame)

    async def expect_call(self, action: str) -> Payload:
        """The payload of the next call of this kind from the server, which has been answered from `answers`."""
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return (await self._calls[action].get()).payload

    def answer_late(self, action: str) -> None:
        """Keep the answers to such calls back until `release`."""
        self._held.setdefault(action, [])

    async def release(self, action: str) -> None:
        """Send the answers that were kept back, and answer at once from now on."""
        for held in self._held.pop(action, []):
            await self._answer(self._open_line(), held)

    # Helpers.

    def _message_id(self) -> str:
        return f"{self.identity}-{next(self._numbers)}"

    def _open_line(self) -> _Line:
        if self._line is None:
            raise Offline(f"{self.identity} is not connected", self.close_code)
        return self._line

    async def _exchange(self, frame: list[Any]) -> Payload:
        line = self._open_line()
        self._last_frame = frame
        key = str(frame[1])
        answered = line.waiting[key] = asyncio.get_running_loop().create_future()
        try:
            await line.socket.send_str(orjson.dumps(frame).decode())
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer = await answered
        except (ConnectionError, aiohttp.ClientError) as error:
            raise Offline(f"{self.identity} lost its connection: {error}", self.close_code) from error
        finally:
            line.waiting.pop(key, None)
        if answer[0] == 4:
            raise CallError(answer[2], answer[3], answer[4])
        payload: Payload = answer[2]
        return payload

    async def _read(self, line: _Line) -> None:
        async for message in line.socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._received(line, message.data)
        self.close_code = line.socket.close_code
        if self._line is line:
            self._line = None
        for future in line.waiting.values():
            if not future.done():
                future.set_exception(Offline(f"{self.identity} lost its connection", self.close_code))
        line.raw.put_nowait(None)

    async def _received(self, line: _Line, text: str) -> None:
        frame = orjson.loads(text)
        if frame[0] == 2:
            asked = ServerCall(frame[1], frame[2], frame[3])
            if asked.action in self._held:
                self._held[asked.action].append(asked)
            else:
                await self._answer(line, asked)
            self._calls[asked.action].put_nowait(asked)
        elif (waiting := line.waiting.get(str(frame[1]))) is not None and not waiting.done():
            waiting.set_result(frame)
        else:
            self.late_answers.append(frame)
            line.raw.put_nowait(text)

    async def _answer(self, line: _Line, asked: ServerCall) -> None:
        told = self.answers.get(asked.action)
        if told is None:
            frame: list[Any] = [4, asked.message_id, "NotImplemented", "", {}]
        else:
            frame = [3, asked.message_id, told(asked.payload) if callable(told) else told]
        await line.socket.send_str(orjson.dumps(frame).decode())
