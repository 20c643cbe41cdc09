"""A charging station for tests: OCPP 1.6 over a real websocket, in the words of a story, with verbs for misfortune.

Frames are made here by hand, so that wrong ones can be sent too; the station that behaves is `appliance.simulator`. A station
keeps each start, reading and stop until it is acknowledged, over lost connections, as chargers do. Nothing is asserted here.
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

from appliance.domain.clock import Clock, system_clock
from appliance.domain.units import rfc3339

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
class Transaction:
    """A transaction as the station knows it; `id` is -1 until the start has been acknowledged."""

    connector: int
    card: str
    id: int = -1
    status: str = ""
    """Status of the card in the answer to the start."""
    stop_status: str = ""


@dataclass(slots=True)
class Kept:
    """A transaction message that is kept until it is acknowledged; its payload is made when it is sent."""

    action: str
    message_id: str
    payload: Callable[[], Payload]
    acknowledged: Callable[[Payload], None]


@dataclass(slots=True)
class Connector:
    """What is plugged in and what the meter says."""

    register_wh: int = 0
    plugged: bool = False
    card: str | None = None
    transaction: Transaction | None = None


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


class Station:
    """See the module. Made by `connected`, or by hand and then `connect`ed."""

    def __init__(
        self,
        url: str,
        identity: str,
        *,
        password: bytes | None = None,
        connectors: int = 1,
        power_w: int = 7400,
        meter_wh: int = 1000,
        clock: Clock = system_clock,
        behind_s: int = 0,
        subprotocols: Sequence[str] = ("ocpp1.6",),
    ) -> None:
        self.url = url
        self.identity = identity
        self.password = password
        self.power_w = power_w
        self.subprotocols = subprotocols
        self.connectors = {number: Connector(register_wh=meter_wh) for number in range(1, connectors + 1)}
        self.answers: dict[str, Payload | Callable[[Payload], Payload]] = dict(ANSWERS)
        self.unacknowledged: list[Kept] = []
        self.late_answers: list[list[Any]] = []
        """Answers nobody waited for any more."""
        self.close_code: int | None = None
        self._clock = clock
        self._ahead_ms = -behind_s * 1000
        self._last_ms = 0
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

    async def come_back(self) -> None:
        """Reconnect and send what was not acknowledged, without a new boot."""
        await self.connect()
        await self.replay()

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

    # The story.

    async def boot(self, **fields: Any) -> Payload:
        """BootNotification, and when it is accepted the status of all connectors; the answer to the boot."""
        model = {
            "chargePointVendor": "Forecourt",
            "chargePointModel": "Story",
            "chargePointSerialNumber": self.identity,
        }
        answer = await self.call("BootNotification", model | fields)
        if answer.get("status") == "Accepted":
            await self.status("Available", connector=0)
            for number, connector in self.connectors.items():
                await self.status(
                    "Charging" if connector.transaction else "Preparing" if connector.plugged else "Available",
                    connector=number,
                )
        return answer

    async def status(self, status: str, *, connector: int = 1, error_code: str = "NoError") -> None:
        """StatusNotification; lost when offline, as its time is over when the line is back."""
        if self.online:
            payload = {
                "connectorId": connector,
                "errorCode": error_code,
                "status": status,
                "timestamp": self.timestamp(),
            }
            await self.call("StatusNotification", payload)

    async def plug_in(self, *, connector: int = 1) -> None:
        """A car is connected; a card presented before starts the transaction now."""
        place = self.connectors[connector]
        place.plugged = True
        await self.status("Preparing", connector=connector)
        if place.card is not None and place.transaction is None:
            await self.start_transaction(place.card, connector=connector)

    async def present_card(self, card: str, *, connector: int = 1) -> str:
        """A card at the reader: ends the transaction it began, otherwise Authorize and, with a car there, StartTransaction.

        Returns the status the server gave the card last (offline: `Offline`, and the transaction starts all the same).
        """
        place = self.connectors[connector]
        if place.transaction is not None and place.transaction.card == card:
            transaction = place.transaction
            await self.stop_transaction(connector=connector)
            return transaction.stop_status or "Accepted"
        status = "Offline"
        if self.online:
            status = str((await self.call("Authorize", {"idTag": card}))["idTagInfo"]["status"])
        if status not in {"Accepted", "Offline"}:
            return status
        place.card = card
        if not place.plugged or place.transaction is not None:
            return status
        transaction = await self.start_transaction(card, connector=connector)
        return transaction.status or status

    async def start_transaction(self, card: str, *, connector: int = 1, **fields: Any) -> Transaction:
        """StartTransaction, whatever went before; the transaction with its id and the card's status if it was answered."""
        place = self.connectors[connector]
        transaction = place.transaction = Transaction(connector, card)
        payload = {
            "connectorId": connector,
            "idTag": card,
            "meterStart": place.register_wh,
            "timestamp": self.timestamp(),
        }
        payload |= fields

        def acknowledged(answer: Payload) -> None:
            transaction.id = answer["transactionId"]
            transaction.status = answer["idTagInfo"]["status"]

        await self._tell("StartTransaction", lambda: payload, acknowledged)
        await self.status("Charging", connector=connector)
        return transaction

    async def charge(
        self, energy_wh: int, *, connector: int = 1, duration_s: int | None = None, samples: int = 3
    ) -> None:
        """Deliver energy and tell it in `samples` readings; the station's clock moves by what that takes at `power_w`."""
        place = self.connectors[connector]
        duration_ms = energy_wh * 3_600_000 // self.power_w if duration_s is None else duration_s * 1000
        begin_wh = place.register_wh
        for number in range(1, samples + 1):
            place.register_wh = begin_wh + energy_wh * number // samples
            self.wait(milliseconds=duration_ms * number // samples - duration_ms * (number - 1) // samples)
            await self.meter_values(connector=connector)
        place.register_wh = begin_wh + energy_wh

    async def meter_values(self, *, connector: int = 1) -> None:
        """One reading of energy, power, current, voltage and state of charge."""
        place = self.connectors[connector]
        transaction = place.transaction
        sampled = [
            {"value": str(place.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(self.power_w), "measurand": "Power.Active.Import", "unit": "W"},
            {"value": f"{self.power_w / 230:.1f}", "measurand": "Current.Import", "unit": "A"},
            {"value": "230.0", "measurand": "Voltage", "unit": "V"},
            {"value": "50", "measurand": "SoC", "unit": "Percent"},
        ]
        reading = [{"timestamp": self.timestamp(), "sampledValue": sampled}]

        def payload() -> Payload:
            return {"connectorId": connector, "meterValue": reading} | (
                {"transactionId": transaction.id} if transaction else {}
            )

        await self._tell("MeterValues", payload)

    async def stop_transaction(self, *, connector: int = 1, reason: str | None = "Local", **fields: Any) -> None:
        """StopTransaction for the one that runs, then Finishing (or Available without a car)."""
        place = self.connectors[connector]
        transaction = place.transaction
        if transaction is None:
            return
        place.transaction, place.card = None, None
        fixed: Payload = {"meterStop": place.register_wh, "timestamp": self.timestamp()}
        if reason in {None, "Local"}:
            fixed["idTag"] = transaction.card
        if reason is not None:
            fixed["reason"] = reason
        fixed |= fields

        def acknowledged(answer: Payload) -> None:
            transaction.stop_status = answer.get("idTagInfo", {}).get("status", "")

        await self._tell("StopTransaction", lambda: {"transactionId": transaction.id} | fixed, acknowledged)
        await self.status("Finishing" if place.plugged else "Available", connector=connector)

    async def unplug(self, *, connector: int = 1) -> None:
        """The car goes; a running transaction ends with it."""
        place = self.connectors[connector]
        place.plugged, place.card = False, None
        if place.transaction is not None:
            await self.stop_transaction(connector=connector, reason="EVDisconnected")
        else:
            await self.status("Available", connector=connector)

    async def replay(self, *, new_ids: bool = False) -> None:
        """Send what was not acknowledged again, in order, until all is or the line is lost again."""
        while self.unacknowledged and self.online:
            kept = self.unacknowledged[0]
            if new_ids:
                kept.message_id = self._message_id()
            try:
                answer = await self._exchange([2, kept.message_id, kept.action, kept.payload()])
            except Offline:
                return
            kept.acknowledged(answer)
            self.unacknowledged.pop(0)

    # Time.

    def wait(self, *, seconds: int = 0, milliseconds: int = 0) -> None:
        """Let time pass on the station's clock, and only there."""
        self._ahead_ms += seconds * 1000 + milliseconds

    def timestamp(self) -> str:
        """The station's time, later than all it has told before."""
        self._last_ms = max(self._last_ms + 1, self._clock() + self._ahead_ms)
        return rfc3339(self._last_ms)

    # Helpers.

    async def _tell(
        self, action: str, payload: Callable[[], Payload], acknowledged: Callable[[Payload], None] = lambda _: None
    ) -> None:
        self.unacknowledged.append(Kept(action, self._message_id(), payload, acknowledged))
        await self.replay()

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
