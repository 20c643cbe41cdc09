"""OCPP-J on one websocket: frames in, answers out, our own calls beside them.

What a message means is told by the dialect; who may connect is decided by the endpoint, and which link of a station counts by
the registry. The reader takes one frame at a time: a CALL waits for its commit, never for the station, so messages keep
their order, and the answer to a call of ours is read while that call waits elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from appliance.db.engine.store import Store
from appliance.db.engine.unit import Database
from appliance.db.stations import message_log
from appliance.domain.clock import Clock
from appliance.domain.identifiers import StationId
from appliance.ocpp.connection.calls import Calls
from appliance.ocpp.connection.station import Answer, MessageId, Station
from appliance.ocpp.reading.normalise import normalise
from appliance.ocpp.reading.redact import redacted_text
from appliance.ocpp.reading.schemas import Payload, shortened
from appliance.ocpp.settings import Settings
from appliance.ocpp.version import Dialect, Inbound, Refused, Taken, Unit, Unreadable
from appliance.services import problems
from appliance.services.counters import Counters
from appliance.services.foreign_json import read_json

log = logging.getLogger(__name__)

MESSAGES_BURST = 200
CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
BEGINNING_OF_CALL = re.compile(r'\s*\[\s*2\s*,\s*"([^"\\]{1,255})"(?:\s*,\s*"([A-Za-z0-9]{1,64})")?')
"""As much of a call as can be made out when the rest is no JSON."""
NO_MESSAGE_ID = "-1"
UNKNOWN_ACTION_CHARS_MAX = 64
LOGGED_CHARS_MAX = 64 * 1024
REFUSED_CHARS_KEPT = 8192
KNOCK_CHARS_KEPT = 1024
KNOCKS_LOGGED_MAX = 200
"""So many messages of a station that nobody has let in are logged while the server runs: strangers must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Context:
    """What all links share."""

    store: Store
    settings: Settings
    clock: Clock
    counters: Counters = field(default_factory=Counters)

    def record(
        self, station: Station, direction: str, action: str, request: str, answer: str | None, violation: str | None
    ) -> None:
        """A row of the message log, with the next commit. What the station sent is counted where its action is known."""
        if direction == "out":
            self.counters.message(direction, action)
        logged = loggable(station, storable(request))
        if logged is not None:
            row = (station.id, self.clock(), direction, storable(action), logged, answer, violation)
            self.store.write_unheard(message_log.record, row)


class Link:
    """One websocket of one station."""

    def __init__(
        self, station: Station, socket: web.WebSocketResponse, dialect: Dialect, context: Context, address: str
    ) -> None:
        self.station = station
        self.dialect = dialect
        self.address = address
        self.pings_missed = 0
        self.ponged = False
        """Whether it has ever answered a ping: some never do."""
        self._socket = socket
        self._store = context.store
        self._settings = context.settings
        self._clock = context.clock
        self._counters = context.counters
        self._validators = dialect.schemas.request_validators
        self._loop = asyncio.get_running_loop()
        self._free_at_s = 0.0
        self._record = partial(context.record, station)
        # Nothing that it is given leads back to this link: once the line is gone, all of it is freed without a search for garbage.
        self.calls = Calls(station.identity, partial(send, socket), self._record, dialect.schemas, context.settings)

    async def read(self) -> None:
        """Read and answer until the socket closes."""
        receive, send = self._socket.receive, self._socket.send_frame
        try:
            while True:
                message = await receive()
                self.pings_missed = 0
                if message.type is WSMsgType.TEXT:
                    if (ahead_s := self._ahead_s()) > 0:
                        await asyncio.sleep(ahead_s)
                    try:
                        answer = self._received(message.data)
                        if answer is None:
                            continue
                        if not isinstance(answer, bytes):
                            answer = await answer
                    except Exception as error:  # noqa: BLE001 - this is the edge where a station's message fails alone.
                        answer = self._failed(message.data, error)
                    if self._socket.closed:
                        return
                    await send(answer, WSMsgType.TEXT)
                elif not await self._heard(message):
                    return
        except ConnectionError:
            return  # It went away while it was being answered; it will send again.

    async def ping(self, misses_max: int) -> None:
        """Ask for a sign of life; close if nothing at all has come since so many."""
        if self.pings_missed >= misses_max:
            await self.close(WSCloseCode.GOING_AWAY, b"silent")
        elif not self._socket.closed:
            self.pings_missed += 1
            await self._socket.ping()

    async def close(self, code: WSCloseCode, why: bytes) -> None:
        """Close from our side; its calls fail at once."""
        self.calls.lost()
        await self._socket.close(code=code, message=why)

    async def _heard(self, message: WSMessage) -> bool:
        """What is no text; whether to read on."""
        if message.type is WSMsgType.PING:
            await self._socket.pong(message.data)
            return True
        if message.type is WSMsgType.PONG:
            self.ponged = True
            return True
        if message.type is WSMsgType.BINARY:
            self._record("in", "", "", None, f"a binary frame of {len(message.data)} bytes")
            await self._socket.close(code=WSCloseCode.UNSUPPORTED_DATA, message=b"text frames only")
        elif message.type is WSMsgType.ERROR:
            self._broken(message.data)
        return False

    def _broken(self, error: BaseException) -> None:
        """The websocket was closed for what came. A message that is too long would come again and again, and never arrive."""
        if not isinstance(error, WebSocketError) or error.code != WSCloseCode.MESSAGE_TOO_BIG:
            return
        self._record("in", "", "", None, f"too long: {error}")
        if self.station.accepted:
            details = {"station": int(self.station.id), "what": "too_long", "found": shortened(str(error), 100)}
            self._store.write_unheard(report, "violation", f"station:{self.station.id}", self._clock(), details)

    # One frame.

    def _received(self, text: str) -> Answer | None:
        try:
            frame = read_json(text)
        except ValueError as error:
            return self._unparsed(text, f"not JSON: {error}")
        if type(frame) is not list or not frame:
            self._ignored(text, "not an OCPP-J frame")
            return None
        kind = frame[0]
        if kind == CALL:
            if len(frame) == 4 and type(frame[1]) is str and type(frame[2]) is str and type(frame[3]) is dict:
                return self._called(text, frame[1], frame[2], frame[3])
            return self._misshapen(text, frame)
        if kind == CALL_RESULT and len(frame) >= 2:
            self.calls.answered(frame[1], frame[2] if len(frame) > 2 else None, text)
            return None
        if kind == CALL_ERROR and len(frame) >= 2:
            code, description = (*frame[2:4], None, None)[:2]
            self.calls.refused(frame[1], code, description, text)
        else:
            self._ignored(text, "not an OCPP-J frame")
        return None

    def _called(
        self, text: str, message_id: MessageId, action: str, payload: Payload, note: str | None = None
    ) -> Answer:
        station = self.station
        inbound = self.dialect.inbound.get(action)
        if inbound is None or not station.accepted:
            if not station.accepted and action != self.dialect.boot:
                return self._error(text, message_id, action, "SecurityError", "not accepted yet")
            if inbound is None:
                known = action in self._validators
                code = "NotSupported" if known else "NotImplemented"
                return self._error(text, message_id, action, code, f"{shortened(action, 50)} is not for us")

        self._counters.messages["in", action] += 1  # Only actions that the dialect knows come so far.
        received_at_ms = self._clock()
        fingerprint = 0
        if inbound.once:
            fingerprint = hash(text)
            before = station.answers.get(message_id)
            if before is not None and before[0] == fingerprint:
                self._record("in", action, text, None, "the same frame again")
                return before[1]

        try:
            if not self._validators[action].is_valid(payload):
                payload, wrong = self._mended(action, payload, inbound)
                note = joined(note, wrong)
            unit, arguments, suspicion = inbound.take(station, payload, received_at_ms)
            if suspicion is not None:
                note = joined(note, suspicion)
        except Refused as refused:
            return self._error(text, message_id, action, refused.code, refused.sentence)
        except Unreadable as error:
            unit, arguments, note = self._unreadable(inbound, joined(note, str(error)), received_at_ms)

        if inbound.at_once is not None:
            answer = orjson.dumps([CALL_RESULT, message_id, inbound.at_once(received_at_ms)])
            self._record("in", action, text, answer.decode(), note)
            return answer
        committed = self._store.write_short(
            exchange, unit, station.id, arguments, message_id, received_at_ms, action, loggable(station, text), note
        )
        if inbound.once:
            station.remember(message_id, fingerprint, committed)
        return committed

    def _mended(self, action: str, payload: Payload, inbound: Inbound) -> tuple[Payload, str]:
        """A payload that does not fit its schema, mended as far as it can be, and what was wrong with it.

        Raises:
            Refused: It cannot be mended, and the message is one that may be refused.
        """
        schemas = self.dialect.schemas
        wrong = schemas.violation(action, payload)
        assert wrong is not None, "it was just found invalid"
        if inbound.unreadable is None and self.station.identity in self._settings.strict_stations:
            raise Refused(*wrong)
        mended, fixes = normalise(payload, schemas.requests[action], self.dialect.leniency)
        still = schemas.violation(action, mended)
        if still is None:
            return mended, str(fixes)
        if inbound.unreadable is None:
            raise Refused(*wrong)
        return mended, joined(str(fixes), still[1])

    def _unreadable(self, inbound: Inbound, note: str, received_at_ms: int) -> Taken:
        assert inbound.unreadable is not None, "only a message that is never refused is read so far"
        unit, arguments, _ = inbound.unreadable(self.station, note, received_at_ms)
        return unit, arguments, note

    def _misshapen(self, text: str, frame: list[Any]) -> Answer | None:
        """A CALL that is not [2, "id", "action", {}]: read it all the same if it is clear what is meant."""
        message_id = frame[1] if len(frame) > 1 else None
        if not isinstance(message_id, str | int | float) or isinstance(message_id, bool):
            return self._error(text, NO_MESSAGE_ID, "", "GenericError", "a call has a message id")
        action = frame[2] if len(frame) > 2 else None
        if type(action) is not str:
            return self._error(text, message_id, "", self.dialect.malformed, "a call has an action")
        payload = frame[3] if len(frame) > 3 else None
        if payload is None:
            payload = {}
        if type(payload) is dict:
            return self._called(text, message_id, action, payload, "not [2, id, action, {}]")
        return self._unparsed_call(text, message_id, action, "the payload is no object")

    def _unparsed(self, text: str, why: str) -> Answer | None:
        """No JSON: if it began as a call, its sender waits for an answer."""
        beginning = BEGINNING_OF_CALL.match(text)
        if beginning is None:
            if text.lstrip(" \t\r\n[")[:1] in ("3", "4"):
                self._ignored(text, why)
                return None
            return self._error(text, NO_MESSAGE_ID, "", "GenericError", "not JSON")
        return self._unparsed_call(text, beginning[1], beginning[2] or "", why)

    def _unparsed_call(self, text: str, message_id: MessageId, action: str, why: str) -> Answer:
        """A call whose payload cannot be had: refused, unless its action is one that never is."""
        station, inbound = self.station, self.dialect.inbound.get(action)
        if inbound is None or inbound.unreadable is None or not station.accepted:
            code = "SecurityError" if not station.accepted else self.dialect.malformed
            return self._error(text, message_id, action, code, shortened(why))
        received_at_ms = self._clock()
        fingerprint = hash(text)
        before = station.answers.get(message_id)
        if before is not None and before[0] == fingerprint:
            return before[1]
        unit, arguments, note = self._unreadable(inbound, why, received_at_ms)
        committed = self._store.write_short(
            exchange,
            unit,
            station.id,
            arguments,
            message_id,
            received_at_ms,
            action,
            loggable(station, storable(text)),
            note,
        )
        station.remember(message_id, fingerprint, committed)
        return committed

    def _failed(self, text: str, error: Exception) -> bytes:
        """Something of ours raised, and nothing of the message was kept: the station may send it again."""
        frame = BEGINNING_OF_CALL.match(text)
        message_id: MessageId = frame[1] if frame else NO_MESSAGE_ID
        action = (frame[2] if frame else None) or ""
        with suppress(orjson.JSONDecodeError, LookupError, TypeError):
            message_id = orjson.loads(text)[1]
        station = self.station
        station.answers.pop(message_id, None)
        log.error("a message failed", exc_info=error, extra={"station": station.identity, "action": action})
        details = {"station": int(station.id), "action": action, "error": type(error).__name__}
        self._store.write_unheard(report, "station_error", f"station:{station.id}", self._clock(), details)
        return self._error(text, message_id, action, "InternalError", "")

    # What goes out, and what is logged.

    def _error(self, text: str, message_id: MessageId, action: str, code: str, description: str) -> bytes:
        answer = orjson.dumps([CALL_ERROR, message_id, code, shortened(description), {}])
        violation = f"{code}: {description}" if description else code
        shown = redacted_text(shortened(text, REFUSED_CHARS_KEPT))
        self._record("in", action[:UNKNOWN_ACTION_CHARS_MAX], shown, answer.decode(), violation)
        return answer

    def _ignored(self, text: str, why: str) -> None:
        self._record("in", "", redacted_text(shortened(text, REFUSED_CHARS_KEPT)), None, why)

    def _ahead_s(self) -> float:
        """For how long the next frame of a station that floods us must wait; none is dropped."""
        rate = self._settings.messages_per_s
        if not rate:
            return 0.0
        now_s = self._loop.time()
        self._free_at_s = max(self._free_at_s, now_s) + 1 / rate
        return self._free_at_s - now_s - MESSAGES_BURST / rate


async def send(socket: web.WebSocketResponse, frame: bytes) -> None:
    """A call of ours.

    Raises:
        ConnectionError: The line is gone.
    """
    if socket.closed:
        raise ConnectionResetError("closed")
    await socket.send_frame(frame, WSMsgType.TEXT)


def exchange(
    db: Database,
    unit: Unit,
    station: StationId,
    arguments: tuple[Any, ...],
    message_id: MessageId,
    at_ms: int,
    action: str,
    logged: str | None,
    violation: str | None,
) -> bytes:
    """One CALL: its effect, its answer and its row in the message log, all of it or nothing."""
    answer = orjson.dumps([CALL_RESULT, message_id, unit(db, station, *arguments)])
    if logged is not None:
        db.append(message_log.MESSAGE, (station, at_ms, "in", action, logged, answer.decode(), violation))
    return answer


def loggable(station: Station, text: str) -> str | None:
    """What the message log keeps of a message; None for nothing."""
    if station.accepted:
        return text if len(text) <= LOGGED_CHARS_MAX else shortened(text, LOGGED_CHARS_MAX)
    station.knocks_logged += 1
    return shortened(text, KNOCK_CHARS_KEPT) if station.knocks_logged <= KNOCKS_LOGGED_MAX else None


def storable(text: str) -> str:
    """`text` as a column takes it whole: SQL would stop at a NUL, which no JSON has but broken frames may."""
    return text.replace("\0", "␀") if "\0" in text else text


def report(db: Database, kind: str, subject: str, now_ms: int, details: dict[str, object]) -> None:
    """A unit that opens a problem."""
    problems.raise_problem(db, kind, subject, now_ms, **details)


def joined(note: str | None, more: str | None) -> str:
    """Two remarks as one."""
    return "; ".join(part for part in (note, more) if part)
