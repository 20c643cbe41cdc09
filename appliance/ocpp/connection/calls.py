"""Our own calls on one connection: one at a time, the others in line, each with a time-out; an answer that comes late is recognised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import orjson

from appliance.ocpp.connection.frames import (
    CALL_ERROR,
    CallError,
    CallResult,
    UnreadableAnswer,
    joined,
    write_call,
    write_result,
)
from appliance.ocpp.reading.redact import redacted, redacted_text
from appliance.ocpp.reading.schemas import Payload, Schemas, shortened
from appliance.ocpp.settings import Settings
from appliance.services.ports.stations import CommandFailed, FailureKind
from appliance.services.stations.private_messages import masked_words

CALLS_WAITING_MAX = 16
LATE_REMEMBERED = 16
ANSWER_CHARS_KEPT = 8192
TO_NO_CALL = "an answer to no call of ours"
"""Of an answer to no call of ours."""
UNSUPPORTED = frozenset({"NotImplemented", "NotSupported"})

Send = Callable[[bytes], Awaitable[None]]
Record = Callable[[str, str, str | None, str | None], None]
"""(action, request, answer, violation): a row of the message log."""


class Calls:
    """The calls of one connection."""

    def __init__(self, identity: str, send: Send, record: Record, schemas: Schemas, settings: Settings) -> None:
        self._identity = identity
        self._send = send
        self._record = record
        self._schemas = schemas
        self._settings = settings
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._lost = False
        self._open: tuple[str, str, asyncio.Future[Payload]] | None = None
        self._late: dict[str, str] = {}
        self._unread = ""
        """The last answer that could not be read, as the log keeps it."""

    async def call(self, action: str, payload: Any) -> Payload:
        """Send a call and wait for its answer.

        Raises:
            CommandFailed: busy, not_sent, timeout, lost, unreadable, refused or unsupported.
        """
        if self._waiting >= CALLS_WAITING_MAX:
            raise CommandFailed(FailureKind.BUSY, f"{self._waiting} calls already wait for {self._identity}")
        self._waiting += 1
        try:
            async with self._turn:
                if self._lost:
                    raise CommandFailed(
                        FailureKind.NOT_SENT, f"{self._identity} went offline before {action} could be sent"
                    )
                return await self._call(action, payload)
        finally:
            self._waiting -= 1

    async def _call(self, action: str, payload: Any) -> Payload:
        message_id = str(uuid4())
        try:
            frame = write_call(message_id, action, payload)
            request = write_call(message_id, action, redacted(payload)).decode()
        except TypeError as error:
            raise CommandFailed(FailureKind.NOT_SENT, f"this payload of {action} cannot be written as JSON") from error
        answered: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._open = (message_id, action, answered)
        timeout_s = self._settings.call_timeout_s
        answer: str | None = None
        violation: str | None = "no answer"
        try:
            try:
                await self._send(frame)
            except ConnectionError as error:
                violation = "not sent"
                raise CommandFailed(
                    FailureKind.NOT_SENT, f"{self._identity} went offline before {action} could be sent"
                ) from error
            async with asyncio.timeout(timeout_s):
                reply = await answered
            answer = write_result(message_id, redacted(reply)).decode()
            violation = self._schemas.answer_violation(action, reply)
            return reply
        except TimeoutError:
            violation = f"no answer in {timeout_s:g} s"
            raise CommandFailed(
                FailureKind.TIMEOUT, f"{self._identity} did not answer {action} in {timeout_s:g} s"
            ) from None
        except CommandFailed as failure:
            if failure.kind is FailureKind.UNREADABLE:
                answer, violation = self._unread, failure.description
            elif failure.code:
                answer = orjson.dumps([CALL_ERROR, message_id, failure.code, failure.description]).decode()
                violation = None
            raise
        finally:
            self._open = None
            if answer is None and violation != "not sent":
                self._remember_late(message_id, action)
            self._record(action, request, answer, violation)

    def resolve(self, result: CallResult, text: str) -> bool:
        """Give an answer, which came as `text`, to who waits for it; whether somebody does."""
        waiting = self._claim(result.message_id)
        if waiting is None:
            self._record_unexpected(result.message_id, text)
            return False
        waiting.set_result(result.payload if isinstance(result.payload, dict) else {})
        return True

    def reject(self, error: CallError, text: str) -> bool:
        """The same with a refusal; stations spell the codes in many ways, so any text is one."""
        waiting = self._claim(error.message_id)
        if waiting is None:
            self._record_unexpected(error.message_id, text)
            return False
        code = shortened(error.code, 64) if isinstance(error.code, str) and error.code else "GenericError"
        description = error.description
        sentence = masked_words(shortened(description)) if isinstance(description, str) and description else code
        waiting.set_exception(
            CommandFailed(FailureKind.UNSUPPORTED if code in UNSUPPORTED else FailureKind.REFUSED, sentence, code)
        )
        return True

    def unreadable(self, answer: UnreadableAnswer, text: str) -> bool:
        """The same with an answer that nobody can read: whether the station has obeyed is unknown, and waiting tells no more."""
        waiting = self._claim(answer.message_id)
        if waiting is None:
            self._record_unexpected(answer.message_id, text, answer.why)
            return False
        self._unread = redacted_text(shortened(text, ANSWER_CHARS_KEPT))
        waiting.set_exception(CommandFailed(FailureKind.UNREADABLE, shortened(answer.why)))
        return True

    def lost(self) -> None:
        """The connection is gone: whether the station has obeyed the open call is unknown; the others were not sent."""
        self._lost = True
        if self._open is not None and not self._open[2].done():
            self._open[2].set_exception(CommandFailed(FailureKind.LOST, f"the connection to {self._identity} was lost"))

    def _claim(self, message_id: Any) -> asyncio.Future[Payload] | None:
        if self._open is not None and self._open[0] == message_id and not self._open[2].done():
            return self._open[2]
        return None

    def _record_unexpected(self, message_id: Any, text: str, why: str | None = None) -> None:
        action = self._late.pop(message_id, None) if isinstance(message_id, str) else None
        what = TO_NO_CALL if action is None else "answered too late"
        self._record(action or "", "", redacted_text(shortened(text, ANSWER_CHARS_KEPT)), joined(what, why))

    def _remember_late(self, message_id: str, action: str) -> None:
        self._late[message_id] = action
        if len(self._late) > LATE_REMEMBERED:
            del self._late[next(iter(self._late))]
