"""A station's calls: let through, read, and answered when what they ask for is committed.

How a frame is written is known in `frames`, what a message means in the version, what it leads to in services.
"""

from __future__ import annotations

import logging

import orjson

from appliance.db.engine.unit import Database
from appliance.db.stations.message_log import MESSAGE
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.ocpp.connection.context import Context
from appliance.ocpp.connection.frames import (
    AROUND,
    Call,
    Frame,
    MalformedCall,
    MessageId,
    UnreadableCall,
    joined,
    tells_of_money,
    write_error,
    write_result,
)
from appliance.ocpp.connection.message_log import MessageLog, storable
from appliance.ocpp.connection.station import Answer, Station
from appliance.ocpp.reading.normalise import normalise
from appliance.ocpp.reading.redact import redacted_text
from appliance.ocpp.reading.schemas import Payload, shortened
from appliance.ocpp.reading.torn import payload_of
from appliance.ocpp.version import Inbound, Refused, Torn, Unreadable, Version, Work

log = logging.getLogger(__name__)

TEXT_CHARS_SHOWN = 400


class Responder:
    """Answers the calls of one connection."""

    def __init__(self, station: Station, version: Version, context: Context, message_log: MessageLog) -> None:
        self._station = station
        self._version = version
        self._context = context
        self._log = message_log
        self._clock = context.clock
        self._inbound = version.inbound
        self._validators = version.schemas.request_validators
        self._counted = context.counters.messages
        self._write = context.store.write_short

    def answer(self, text: str, call: Call | UnreadableCall) -> Answer:
        """The answer to a call that came as `text`, or the promise of it."""
        try:
            if call.action not in self._inbound:
                call = self._respelled(call)
            return self._answer_call(text, call) if isinstance(call, Call) else self._answer_unreadable(text, call)
        except Refused as refused:
            self.tell_of_money(text, refused.sentence)
            return self._refuse(text, call.message_id, call.action, refused.code, refused.sentence)

    def refuse(self, text: str, call: MalformedCall) -> bytes:
        """The error for what was meant as a call."""
        self.tell_of_money(text, call.why)
        code = "GenericError" if call.message_id is None else self._version.malformed
        return self._refuse(text, call.message_id, "", code, call.why)

    def tell_of_money(self, text: str, why: str) -> None:
        """Staff see what was not read and may have told of a start, a stop or readings."""
        if self._station.accepted and tells_of_money(text):
            self._context.report_station(
                self._station, ProblemKind.UNREADABLE, note=shortened(why), text=shown_to_staff(text)
            )

    def fail(self, text: str, frame: Frame, error: Exception) -> bytes:
        """Something of ours raised, and nothing of the message was kept: the station may send it again."""
        message_id: MessageId | None = None
        action = ""
        if isinstance(frame, Call | UnreadableCall):
            message_id, action = frame.message_id, frame.action
            self._station.forget_answer(message_id)
        log.error("a message failed", exc_info=error, extra={"station": self._station.identity, "action": action})
        self._context.report_station(
            self._station, ProblemKind.STATION_ERROR, action=action, error=type(error).__name__
        )
        return self._refuse(text, message_id, action, "InternalError", "")

    # Calls.

    def _respelled(self, call: Call | UnreadableCall) -> Call | UnreadableCall:
        """The call by the name of its message, if it is called nearly so."""
        action = self._version.action_meant(call.action)
        if action is None:
            return call
        note = f"{shortened(call.action, 50)} read as {action}"
        if isinstance(call, Call):
            return call._replace(action=action, note=joined(call.note, note))
        return call._replace(action=action, why=joined(call.why, note))

    def _answer_call(self, text: str, call: Call) -> Answer:
        message_id, action, payload, form, around = call
        station = self._station
        inbound = self._inbound[action] if station.accepted and action in self._inbound else self._let_through(action)
        if around:
            self.tell_of_money(around, AROUND)
        self._counted["in", action] += 1  # Only actions that the version knows come so far.
        received_at_ms = self._clock()
        if inbound.replayed:
            before = station.answer_to(message_id, text)
            if before is not None:
                self._log.record_received(action, text, None, "the same frame again")
                return before
        work = self._read(inbound, text, action, payload, form, received_at_ms)
        _, _, note, answered = work
        texts, whole = inbound.texts, inbound.kept_whole
        if note is not None:
            self._context.counters.mended[station.identity] += 1
        secretless = texts is not None and note is None and texts.isdisjoint(payload)
        kept = self._log.kept(text, whole=whole, secretless=secretless)
        if answered is not None:
            answer = write_result(message_id, answered)
            self._log.record_kept(action, received_at_ms, kept, answer.decode(), note)
            return answer
        committed = self._write(exchange, station.id, work, message_id, received_at_ms, action, kept)
        if inbound.replayed:
            station.remember(message_id, text, committed, lasting=whole)
        return committed

    def _answer_unreadable(self, text: str, call: UnreadableCall) -> Answer:
        """Refused, unless its action is one that never is."""
        if not self._station.accepted:
            raise Refused("SecurityError", shortened(call.why))
        inbound = self._version.inbound.get(call.action)
        if inbound is None or inbound.unreadable is None:
            raise Refused(self._version.malformed, shortened(call.why))
        before = self._station.answer_to(call.message_id, text)
        if before is not None:
            return before
        received_at_ms = self._clock()
        if not inbound.replayed:
            self.tell_of_money(call.rest, call.why)
        work = inbound.unreadable(self._station, self._salvage(inbound, text, call), received_at_ms)
        self._context.counters.mended[self._station.identity] += 1
        kept = self._log.kept(text, whole=inbound.kept_whole)
        committed = self._write(exchange, self._station.id, work, call.message_id, received_at_ms, call.action, kept)
        self._station.remember(call.message_id, text, committed, lasting=inbound.kept_whole)
        return committed

    def _salvage(self, inbound: Inbound, text: str, call: UnreadableCall) -> Torn:
        """What can be read of it, where it tells of a transaction."""
        if not inbound.replayed:
            return Torn({}, call.why, hash(call.rest), text="")
        leniency = self._version.leniency
        found = payload_of(call.rest, leniency.telling)
        payload, fixes = normalise(found, self._version.schemas.requests[call.action], leniency)
        return Torn(payload | fixes.rounded, joined(call.why, str(fixes)), hash(call.rest), shown_to_staff(text))

    def _let_through(self, action: str) -> Inbound:
        """What is done with such a message.

        Raises:
            Refused: It is none for us, or not yet.
        """
        inbound = self._version.inbound.get(action)
        if not self._station.accepted and action != self._version.boot:
            raise Refused("SecurityError", "not accepted yet")
        if inbound is None:
            if action in self._version.foreign.actions:
                self._report_foreign()
            code = "NotSupported" if action in self._validators else "NotImplemented"
            raise Refused(code, f"{shortened(action, 50)} is not for us")
        return inbound

    def _read(
        self, inbound: Inbound, text: str, action: str, told: Payload, note: str | None, received_at_ms: int
    ) -> Work:
        payload = told
        if not self._validators[action].is_valid(told):
            payload, violation = self._mend(inbound, action, told)
            note = joined(note, violation)
        try:
            work = inbound.read(self._station, payload, received_at_ms)
        except Unreadable as error:
            assert inbound.unreadable is not None, "only a message that is never refused is read so far"
            fingerprint = hash(orjson.dumps(told))
            torn = Torn(payload, joined(note, str(error)), fingerprint, shown_to_staff(text))
            return inbound.unreadable(self._station, torn, received_at_ms)
        return work if note is None else work._replace(note=joined(note, work.note))

    def _mend(self, inbound: Inbound, action: str, payload: Payload) -> tuple[Payload, str]:
        """A payload that does not fit its schema, mended as far as it can be, and what was wrong with it.

        Raises:
            Refused: It cannot be mended, and the message is one that may be refused.
        """
        schemas = self._version.schemas
        wrong = schemas.violation(action, payload)
        assert wrong is not None, "it was just found invalid"
        if not self._version.foreign.fields.isdisjoint(payload):
            self._report_foreign()
        if inbound.unreadable is None and self._station.identity in self._context.settings.strict_stations:
            raise Refused(*wrong)
        mended, fixes = normalise(payload, schemas.requests[action], self._version.leniency)
        still = schemas.violation(action, mended)
        if still is None:
            return mended | fixes.rounded, str(fixes)
        if inbound.unreadable is None:
            raise Refused(*wrong)
        return mended | fixes.rounded, joined(str(fixes), still[1])

    def _report_foreign(self) -> None:
        """It was set to this version, and speaks another: what it tells of transactions is not understood."""
        self._context.report_violation(self._station, "other_version", spoken=self._version.name)

    # Answers.

    def _refuse(self, text: str, message_id: MessageId | None, action: str, code: str, sentence: str) -> bytes:
        answer = write_error(message_id, code, sentence)
        self._log.record_unread(action, text, answer.decode(), f"{code}: {sentence}" if sentence else code)
        return answer


def shown_to_staff(text: str) -> str:
    """As much of a frame as the problem that it is shows, without secrets; all of it is in the message log."""
    return redacted_text(shortened(storable(text), TEXT_CHARS_SHOWN))


def exchange(
    db: Database, station: StationId, work: Work, message_id: MessageId, at_ms: int, action: str, kept: str | None
) -> bytes:
    """A unit. One call: its effect, its answer and its row in the message log, all of it or nothing."""
    unit, arguments, note, _ = work
    answer = write_result(message_id, unit(db, station, *arguments))
    if kept is not None:
        db.append(MESSAGE, (station, at_ms, "in", action, kept, answer.decode(), note))
    return answer
