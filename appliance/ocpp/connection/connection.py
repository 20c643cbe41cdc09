"""One websocket of one station: frames in, answers out, our own calls beside them, pings, and its end.

Who may connect is decided by the endpoint, and which connection of a station counts by the registry. The reader takes one frame at a
time: a call waits for its commit, never for the station, so messages keep their order, and the answer to a call of ours is read while
that call waits elsewhere.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from appliance.ocpp.connection.calls import TO_NO_CALL, Calls
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.frames import (
    Call,
    CallError,
    CallResult,
    Frame,
    Ignored,
    MalformedCall,
    UnreadableAnswer,
    UnreadableCall,
    read_frame,
)
from appliance.ocpp.connection.message_log import MessageLog
from appliance.ocpp.connection.refused_cards import DELAY_S
from appliance.ocpp.connection.responder import Responder
from appliance.ocpp.connection.sending import Sender
from appliance.ocpp.connection.station import Answer, Station
from appliance.ocpp.reading.schemas import shortened
from appliance.ocpp.version import Version
from appliance.services.ports.stations import CommandFailed

MESSAGES_BURST = 200
BROKEN: dict[int, str] = {WSCloseCode.MESSAGE_TOO_BIG: "too_long", WSCloseCode.INVALID_TEXT: "utf8"}
"""What staff are told of frames that close a connection, by the code it is closed with; else that it is no proper websocket."""
ASK_AGAIN_S = 0.05


class Connection:
    """Between its handshake and its end."""

    def __init__(
        self,
        station: Station,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        version: Version,
        context: Context,
        address: str,
    ) -> None:
        self.station = station
        self.version = version
        self.address = address
        self.pings_missed = 0
        self.ponged = False
        """Whether it has ever answered a ping: some never do."""
        self._socket = socket
        self._sender = Sender(socket, transport)
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._log = MessageLog(station, context)
        self._responder = Responder(station, version, context, self._log)
        # Nothing that it is given leads back to this connection: once the line is gone, all of it is freed without a search for garbage.
        self.calls = Calls(
            station.identity, self._sender.send, self._log.record_sent, version.schemas, context.settings
        )

    async def read(self) -> None:
        """Read and answer until the socket closes."""
        receive, sender, answer_call = self._socket.receive, self._sender, self._responder.answer
        try:
            while True:
                message = await receive()
                self.pings_missed = 0
                if message.type is WSMsgType.TEXT:
                    if (ahead_s := self._ahead_s()) > 0:
                        await asyncio.sleep(ahead_s)
                    frame = read_frame(message.data)
                    try:
                        # Nearly all that stations send are calls.
                        answer = (
                            answer_call(message.data, frame)
                            if isinstance(frame, Call)
                            else self._handle(message.data, frame)
                        )
                        if answer is None:
                            continue
                        if not isinstance(answer, bytes):
                            answer = await answer
                    except Exception as error:  # noqa: BLE001 - this is the edge where a station's message fails alone.
                        answer = self._responder.fail(message.data, frame, error)
                    if self.station.slow_until_ms and self._tells_of_cards(frame):
                        await asyncio.sleep(DELAY_S)
                    if self._socket.closed:
                        return
                    if not sender.sends_at_once(answer):
                        await sender.send(answer)
                elif not await self._handle_control(message):
                    return
        except ConnectionError:
            return  # It went away while it was being answered; it will send again.

    def _tells_of_cards(self, frame: Frame) -> bool:
        """Whether the answer to this frame must wait, because cards are tried out here."""
        if not isinstance(frame, Call | UnreadableCall):
            return False
        action = self.version.action_meant(frame.action)
        slow = self._context.clock() < self.station.slow_until_ms
        return slow and action is not None and self.version.inbound[action].tells_of_cards

    async def ping(self, misses_max: int) -> None:
        """Ask for a sign of life; close if nothing at all has come since so many."""
        if self.pings_missed >= misses_max:
            await self.close(WSCloseCode.GOING_AWAY, b"silent")
        elif not self._socket.closed:
            if not self.pings_missed:
                self.station.dating.alive_until_ms = self._context.clock()
            self.pings_missed += 1
            await self._socket.ping()

    async def is_alive(self, within_s: float) -> bool:
        """Ask for a sign of life now; whether anything came within the time. Some answer no ping, but do what they are told."""
        self.pings_missed += 1
        asking: asyncio.Task[object] | None = None
        try:
            async with asyncio.timeout(within_s):
                await self._socket.ping()
                if not self.ponged and self.station.accepted:
                    asking = asyncio.create_task(self._ask_for_heartbeat(), name="ask for a heartbeat")
                while self.pings_missed and not self._socket.closed:  # noqa: ASYNC110 - an event would be set by every message.
                    await asyncio.sleep(ASK_AGAIN_S)
        except (TimeoutError, ConnectionError):
            return False
        finally:
            if asking is not None:
                asking.cancel()
        return not self._socket.closed

    async def _ask_for_heartbeat(self) -> None:
        with suppress(CommandFailed):
            await self.version.outgoing.trigger(self.calls.call, "Heartbeat", None)

    async def close(self, code: WSCloseCode, why: bytes) -> None:
        """Close from our side; its calls fail at once."""
        self.calls.lost()
        await self._socket.close(code=code, message=why)

    def _handle(self, text: str, frame: Frame) -> Answer | None:
        """A call is answered, an answer goes to who waits for it, and the rest is only logged."""
        match frame:
            case Call() | UnreadableCall():
                return self._responder.answer(text, frame)
            case MalformedCall():
                return self._responder.refuse(text, frame)
            case CallResult():
                if not self.calls.resolve(frame, text):
                    self._responder.tell_of_money(text, TO_NO_CALL)
            case CallError():
                if not self.calls.reject(frame, text):
                    self._responder.tell_of_money(text, TO_NO_CALL)
            case UnreadableAnswer():
                if not self.calls.unreadable(frame, text):
                    self._responder.tell_of_money(text, TO_NO_CALL)
            case Ignored():
                self._responder.tell_of_money(text, frame.why)
                self._log.record_unread("", text, None, frame.why)
        return None

    async def _handle_control(self, message: WSMessage) -> bool:
        """What is no text; whether to read on."""
        if message.type is WSMsgType.PING:
            await self._socket.pong(message.data)
            return True
        if message.type is WSMsgType.PONG:
            self.ponged = True
            return True
        if message.type is WSMsgType.BINARY:
            self._log.record_received("", "", None, f"a binary frame of {len(message.data)} bytes")
            self._context.report_violation(self.station, "binary")
            await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"text frames only")
        elif message.type is WSMsgType.ERROR:
            self._report_broken(message.data)
        return False

    def _report_broken(self, error: BaseException) -> None:
        """The websocket was closed for what came, which would come again and again, and never arrive."""
        if not isinstance(error, WebSocketError):
            return
        what = BROKEN.get(error.code, "websocket")
        self._log.record_received("", "", None, f"{what}: {error}")
        self._context.report_violation(self.station, what, found=shortened(str(error), 100))

    def _ahead_s(self) -> float:
        """For how long the next frame of a station that floods us must wait; none is dropped."""
        rate = self._context.settings.messages_per_s
        if not rate:
            return 0.0
        now_s, station = self._loop.time(), self.station
        station.free_at_s = max(station.free_at_s, now_s) + 1 / rate
        return station.free_at_s - now_s - MESSAGES_BURST / rate
