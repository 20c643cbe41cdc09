"""OCPP-J as text: what a frame of a station says, and how ours are written. No socket, no version, no meaning.

Whatever a station writes is one event, and nothing raises. What must not be lost is looked for longest: a call is read although its
form is not quite right, though something stands around it, and of what is no JSON the beginning. Control characters, which JSON forbids
and firmwares pad texts with, are taken out first; a key that comes twice counts as it came last, as in every JSON reader.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from appliance.ocpp.reading.cleaning import PADDING, RAW, plain_name
from appliance.ocpp.reading.schemas import Payload, shortened
from appliance.services.foreign_json import read_json

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4
KINDS = {str(kind): kind for kind in (CALL, CALL_RESULT, CALL_ERROR)}
BEGINNING = re.compile(
    r"""[\s\[]*["']?([234])(?:\.0)?["']?[\s,]+(?:"((?:[^"\\]|\\.){0,1000})"|'([^'\\]{0,1000})'|(-?\d{1,18})(?=[\s,]))"""
    r"""(?:[\s,]*["']?([A-Za-z0-9][A-Za-z0-9_.]{0,63})(?=["'\s,{]))?["']?"""
)
"""As much of a frame as can be made out when the rest is no JSON: its kind, message id (three ways to write it) and action."""
FRAME = re.compile(r"""\[\s*["']?\s*[234](?:\.0)?\s*["']?\s*,""")
"""Where a frame begins, whatever stands before it."""
HEAD_CHARS_MAX = 4096
"""So far type, message id and action of a frame that is no JSON are looked for."""
PARTS = 4
UNKNOWN_MESSAGE_ID = "-1"
TELLS_OF_MONEY = re.compile(
    r"""(?<![a-z])st(?:art|op)[\W_]*tr(?!ansaction(?:on|max))
      | (?<![a-z])(?:transaction[\W_]*(?:id|data)|meter[\W_]*(?:start|stop|values?)|sampled[\W_]*values?)(?:[\W_]*req(?:uest)?)?(?![a-z])""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words of starts, stops and readings, however they are written. Settings that are called after them go on."""
CHARS_SEARCHED = 64 * 1024
"""Of what cannot be read: a message says in its beginning what it tells of, and a million letters would hold up all others."""
CLEANED = "control characters were taken out"
CALL_NAMES = ("CALL", "Call", "call", "request", "Request")
PARTS_NAMED = {
    **dict.fromkeys(("messagetypeid", "messagetype", "msgtype", "type", "0"), "kind"),
    **dict.fromkeys(("uniqueid", "messageid", "msgid", "id", "1"), "id"),
    **dict.fromkeys(("action", "actionname", "2"), "action"),
    **dict.fromkeys(("payload", "request", "response", "body", "data", "params", "3"), "payload"),
    "errorcode": "code",
}
"""What the parts of a frame are called by whoever writes an object for the list, in plain letters."""
MISSHAPEN = "not [2, id, action, {}]"
AROUND = "something stands before or behind it"

MessageId = str | int | float


class Call(NamedTuple):
    """[2, id, action, payload], or near enough to it."""

    message_id: MessageId
    action: str
    payload: Payload
    note: str | None = None
    """What is wrong with its form."""
    around: str = ""
    """What stands before and behind it, and is not read."""


class UnreadableCall(NamedTuple):
    """A call without a payload that can be read."""

    message_id: MessageId
    action: str
    """"" where it cannot be made out."""
    why: str
    rest: str = ""
    """What comes behind its action."""


class MalformedCall(NamedTuple):
    """Somebody waits for an answer, but it is not clear to what."""

    message_id: MessageId | None
    why: str


class CallResult(NamedTuple):
    """[3, id, payload]: whose answer it is, and whether it can be one, sees who called."""

    message_id: Any
    payload: Any


class CallError(NamedTuple):
    """[4, id, code, description, details]."""

    message_id: Any
    code: Any
    description: Any


class UnreadableAnswer(NamedTuple):
    """An answer that is no JSON, though it can be made out to which call."""

    message_id: MessageId
    why: str


class Ignored(NamedTuple):
    """Wants no answer (J 1.6, 4.1.3)."""

    why: str


AnyCall = Call | UnreadableCall | MalformedCall
Frame = AnyCall | CallResult | CallError | UnreadableAnswer | Ignored


def read_frame(text: str) -> Frame:
    """What a frame says."""
    try:
        frame = read_json(text)
    except ValueError as error:
        return _read_cleaned(text, f"not JSON: {error}")
    if type(frame) is list and len(frame) == PARTS:
        kind, message_id, action, payload = frame
        if kind == CALL and type(message_id) is str and type(action) is str and type(payload) is dict:
            return Call(message_id, action, payload)
    return _event(frame)


def _read_cleaned(text: str, why: str) -> Frame:
    """The same without control characters."""
    clean = text.strip(PADDING).translate(RAW)
    if clean == text:
        return _read_amidst(text) or _no_json(text, why)
    event = read_frame(clean)
    return event._replace(note=joined(CLEANED, event.note)) if isinstance(event, Call) else event


def _read_amidst(text: str) -> Frame | None:
    """A frame that is whole, with something else before or behind it; None where there is doubt."""
    found = FRAME.search(text, 0, HEAD_CHARS_MAX)
    if found is None:
        return None
    begin = found.start()
    end = begin + _end_of_json(text[begin:])
    try:
        event = _event(read_json(text[begin:end]))
    except ValueError:
        return None
    around = text[:begin] + text[end:]
    if isinstance(event, Call):
        return event._replace(note=joined(AROUND, event.note), around=around)
    return event if isinstance(event, CallResult | CallError) else None


def _end_of_json(text: str) -> int:
    """Where something begins that is no part of it."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return error.pos
    return len(text)


def _event(frame: Any) -> Frame:
    frame = _unwrapped(frame)
    if type(frame) is dict and frame:
        frame = _from_object(frame)
        if frame is None:
            return MalformedCall(None, "a frame is a list")
    if type(frame) is not list or not frame:
        return Ignored("not an OCPP-J frame")
    kind = KINDS.get(frame[0].strip()) if type(frame[0]) is str else frame[0]
    if type(kind) not in (int, float):
        message_id = frame[1] if len(frame) == PARTS and type(frame[1]) is str else None
        return MalformedCall(message_id, "a frame begins with its type")
    if kind == CALL:
        return _misshapen_call(frame)
    if kind == CALL_RESULT and len(frame) >= 2:
        return CallResult(frame[1], frame[2] if len(frame) > 2 else None)
    if kind == CALL_ERROR and len(frame) >= 2:
        code, description = (*frame[2:4], None, None)[:2]
        return CallError(frame[1], code, description)
    return Ignored("not an OCPP-J frame")


def _unwrapped(frame: Any) -> Any:
    """The frame that alone is in a list, or written once more as a text."""
    while (
        type(frame) is list
        and len(frame) == 1
        and (type(frame[0]) in (list, str) or (type(frame[0]) is dict and frame[0]))
    ):
        frame = frame[0]
    if type(frame) is str and frame.lstrip()[:1] in ('"', "["):
        try:
            return _unwrapped(read_json(frame))
        except ValueError:
            pass
    return frame


def _from_object(found: dict[str, Any]) -> list[Any] | None:
    """The frame whose parts are named instead of in order; None where a part is missing, or is there under two names."""
    parts: dict[str, Any] = {}
    for name, value in found.items():
        part = PARTS_NAMED.get(plain_name(name))
        if part is not None and part in parts:
            return None
        if part is not None:
            parts[part] = value
    has_payload = type(parts.get("payload")) is dict
    if type(parts.get("action")) is str and has_payload:
        kind = parts.get("kind", CALL)
        kind = CALL if kind in CALL_NAMES else kind
        return [kind, parts.get("id", parts["action"]), parts["action"], parts["payload"]]
    if "kind" in parts and "id" in parts:
        rest = parts["payload"] if has_payload else {}
        return [parts["kind"], parts["id"], *([parts["code"], ""] if "code" in parts else []), rest]
    return None


def _misshapen_call(frame: list[Any]) -> AnyCall:
    """A call that is not [2, "id", "action", {}]: read it all the same if it is clear what is meant."""
    frame = _with_id(frame)
    _, message_id, action, payload = (*frame[:4], None, None, None)[:4]
    if not isinstance(message_id, str | int | float) or isinstance(message_id, bool):
        return MalformedCall(None, "a call has a message id")
    if type(action) is not str:
        return MalformedCall(message_id, "a call has an action")
    objects = [part for part in frame[3:] if type(part) is dict and part]
    if payload is None:
        payload = objects[0] if len(objects) == 1 else {}
    if type(payload) is dict and len(objects) <= 1:
        return Call(message_id, action, payload, MISSHAPEN)
    rest = payload if isinstance(payload, str) else orjson.dumps(frame[3:] if objects else payload).decode()
    return UnreadableCall(message_id, action, "the payload is no object", rest)


def _with_id(frame: list[Any]) -> list[Any]:
    """A call that names no message is named by its action, or by nothing, for what it tells may be a session's."""
    first, second = (*frame[1:3], None, None)[:2]
    if first is None and type(second) is str:
        return [CALL, "", *frame[2:]]
    if type(first) is str and first.isalpha() and type(second) is dict:
        return [CALL, first, *frame[1:]]
    return frame


def _no_json(text: str, why: str) -> Frame:
    """If it began as a call, its sender waits for an answer; if as an answer, one of ours waits for it."""
    found = BEGINNING.match(text, 0, HEAD_CHARS_MAX)
    if found is None and (frame := FRAME.search(text, 0, HEAD_CHARS_MAX)) is not None:
        found = BEGINNING.match(text, frame.start(), HEAD_CHARS_MAX)
    if found is not None:
        message_id = _message_id(found)
        if found[1] == str(CALL):
            return UnreadableCall(message_id, found[5] or "", why, text[found.end() :])
        return UnreadableAnswer(message_id, why)
    if text.lstrip(" \t\r\n['\"")[:1] in ("3", "4"):
        return Ignored(why)
    return MalformedCall(None, "not JSON")


def _message_id(found: re.Match[str]) -> MessageId:
    """The id in a beginning, as its sender will look for it."""
    if found[4] is not None:
        return int(found[4])
    if found[2] is None:
        return found[3]
    try:
        return str(orjson.loads(f'"{found[2]}"'))
    except ValueError:
        return found[2]


def tells_of_money(text: str) -> bool:
    """Whether a frame that was not read may have told of a transaction."""
    return TELLS_OF_MONEY.search(text, 0, CHARS_SEARCHED) is not None


def joined(note: str | None, more: str | None) -> str:
    """Two remarks as one."""
    return "; ".join(part for part in (note, more) if part)


def write_call(message_id: MessageId, action: str, payload: Any) -> bytes:
    """[2, id, action, payload].

    Raises:
        TypeError: The payload is no JSON.
    """
    return orjson.dumps([CALL, message_id, action, payload])


def write_result(message_id: MessageId, payload: Payload) -> bytes:
    """[3, id, payload]."""
    return orjson.dumps([CALL_RESULT, message_id, payload])


def write_error(message_id: MessageId | None, code: str, description: str) -> bytes:
    """[4, id, code, description, {}]; an unknown id has a name of its own."""
    known = UNKNOWN_MESSAGE_ID if message_id is None else message_id
    return orjson.dumps([CALL_ERROR, known, code, shortened(description), {}])
