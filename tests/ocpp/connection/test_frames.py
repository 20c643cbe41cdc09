"""What a frame says: whatever text comes is one event, and whoever waits for an answer is seen."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from appliance.ocpp.connection.frames import (
    CLEANED,
    FRAME,
    AnyCall,
    Call,
    CallError,
    CallResult,
    Frame,
    Ignored,
    MalformedCall,
    UnreadableAnswer,
    UnreadableCall,
    read_frame,
    tells_of_money,
    write_call,
    write_error,
    write_result,
)

WORDS = some.text(some.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = (
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**64 - 1)
    | some.floats(allow_nan=False, allow_infinity=False)
    | WORDS
)
VALUES = some.recursive(SCALARS, lambda inner: some.lists(inner) | some.dictionaries(WORDS, inner), max_leaves=8)
PAYLOADS = some.dictionaries(WORDS, VALUES, max_size=5)
MESSAGE_IDS = WORDS | some.integers(-(2**63), 2**64 - 1)
PIECES = some.lists(some.sampled_from(["[", "]", "{", "}", ",", ":", '"', "2", "3", "4", '"a"', '"Heartbeat"', "null", " ", "\0", "\\", "NaN",
                                       "-", "1e400", '"\\ud800"', "[" * 300]), max_size=30).map("".join)  # fmt: skip


def text_of(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


@given(
    some.text() | PIECES | VALUES.map(text_of) | some.lists(VALUES, max_size=6).map(lambda frame: text_of([2, *frame]))
)
@example("[" * 300 + "]" * 300)
def test_whatever_comes_is_one_event(text: str) -> None:
    assert isinstance(read_frame(text), Frame)


@given(MESSAGE_IDS, WORDS, PAYLOADS)
def test_what_we_write_is_what_they_would_read(message_id: str | int, action: str, payload: dict[str, Any]) -> None:
    call = read_frame(write_call(message_id, action, payload).decode())

    assert isinstance(call, Call)
    assert (call.message_id, call.action, call.payload) == (message_id, action, payload)
    assert (call.note is None) == isinstance(message_id, str)
    assert read_frame(write_result(message_id, payload).decode()) == CallResult(message_id, payload)
    assert read_frame(write_error(message_id, action, "why").decode()) == CallError(message_id, action, "why")


@given(WORDS.filter(bool), PAYLOADS, some.data())
def test_a_call_that_breaks_off_is_still_somebodys(
    message_id: str, payload: dict[str, Any], data: some.DataObject
) -> None:
    """As much of it as names its sender's message is enough."""
    text = text_of([2, message_id, "StartTransaction", payload])
    named = text.index('","StartTransaction"') + 1
    cut = read_frame(text[: data.draw(some.integers(named, len(text) - 1))])

    if "\\" in text[:named]:
        assert isinstance(cut, UnreadableCall | MalformedCall)
    else:
        assert isinstance(cut, UnreadableCall)
        assert cut.message_id == message_id
        assert cut.action in ("", "StartTransaction")


@given(some.text() | PIECES)
def test_only_what_cannot_be_a_call_is_left_without_an_answer(rest: str) -> None:
    assert isinstance(read_frame(f'[2,"a","Heartbeat",{rest}'), AnyCall)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('[2,"a","Heartbeat",{}]', Call("a", "Heartbeat", {})),
        ('[2,7,"Heartbeat",{}]', Call(7, "Heartbeat", {}, "not [2, id, action, {}]")),
        ('[2,"a","Heartbeat"]', Call("a", "Heartbeat", {}, "not [2, id, action, {}]")),
        ('[2,"a","Heartbeat",null]', Call("a", "Heartbeat", {}, "not [2, id, action, {}]")),
        ('[2,"a","Heartbeat",{},1]', Call("a", "Heartbeat", {}, "not [2, id, action, {}]")),
        ('[2,"a","Heartbeat",[]]', UnreadableCall("a", "Heartbeat", "the payload is no object", "[]")),
        ('[2,"a"]', MalformedCall("a", "a call has an action")),
        ('[2,"a",["Heartbeat"],{}]', MalformedCall("a", "a call has an action")),
        ("[2]", MalformedCall(None, "a call has a message id")),
        (
            '[2,"StopTransaction",{"a":1}]',
            Call("StopTransaction", "StopTransaction", {"a": 1}, "not [2, id, action, {}]"),
        ),
        ('[2,null,"StopTransaction",{"a":1}]', Call("", "StopTransaction", {"a": 1}, "not [2, id, action, {}]")),
        ('[2,"17",{"a":1}]', MalformedCall("17", "a call has an action")),
        ('[2,null,{"a":1}]', MalformedCall(None, "a call has a message id")),
        ("[2,true]", MalformedCall(None, "a call has a message id")),
        ("nonsense", MalformedCall(None, "not JSON")),
        ('[3,"a",{"b":1}]', CallResult("a", {"b": 1})),
        ('[3,"a"]', CallResult("a", None)),
        ('[4,"a","NotSupported","no",{}]', CallError("a", "NotSupported", "no")),
        ('[4,"a"]', CallError("a", None, None)),
        ("[3]", Ignored("not an OCPP-J frame")),
        ("{}", Ignored("not an OCPP-J frame")),
        ("[]", Ignored("not an OCPP-J frame")),
        ('[5,"a","b",{}]', Ignored("not an OCPP-J frame")),
    ],
)
def test_events(text: str, event: Frame) -> None:
    assert read_frame(text) == event


@pytest.mark.parametrize(
    "text", ['[3,"a",{', ' [4,"a","GenericError"', "[3,'a',{}]", '[3 "a" {}]', '[3,"a",{"b":NaN}]', '3,"a",{}]']
)
def test_a_torn_answer_is_still_somebodys(text: str) -> None:
    event = read_frame(text)

    assert isinstance(event, UnreadableAnswer)
    assert event.message_id == "a"


@pytest.mark.parametrize("text", ["3,", "[3", "[4,{"])
def test_a_torn_answer_to_nobody_is_ignored(text: str) -> None:
    assert isinstance(read_frame(text), Ignored)


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff[2,"a","Heartbeat",{}]',
        '[2,"a","Heartbeat",{}]\0',
        '[2,"a","Heartbeat",{}]\r\n\0\0',
        '\0\x01 [2,"a","Heartbeat",{}]',
        '[2,"a\0","Heartbeat",{}]',
        '[2,"a","Heart\x01beat",{}]',
        '[2,\0"a",\x02"Heartbeat",{}\x1f]',
    ],
)
def test_control_characters_are_taken_out(text: str) -> None:
    assert read_frame(text) == Call("a", "Heartbeat", {}, CLEANED)


@given(WORDS.filter(lambda text: FRAME.search(text) is None), MESSAGE_IDS, WORDS, PAYLOADS, WORDS)
@example("2026-11-30 10:00:00 [INFO] sent: ", "a", "Heartbeat", {}, " [17 ms]")
@example("42", "a", "Heartbeat", {}, "]")
@example("ï»¿", "a", "Heartbeat", {}, '[2,"b","Heartbeat",{}]')
def test_a_whole_frame_is_read_whatever_stands_around_it(
    before: str, message_id: str | int, action: str, payload: dict[str, Any], behind: str
) -> None:
    call = read_frame(before + text_of([2, message_id, action, payload]) + behind)

    assert isinstance(call, Call)
    assert (call.message_id, call.action, call.payload) == (message_id, action, payload)
    assert call.around == "" or call.note is not None


@given(MESSAGE_IDS, WORDS, PAYLOADS, some.integers(0, 5), some.integers(0, 2))
def test_wrapped_and_quoted_it_is_the_same(
    message_id: str | int, action: str, payload: dict[str, Any], wrapped: int, quoted: int
) -> None:
    frame: Any = ["2", message_id, action, payload]
    for _ in range(quoted):
        frame = text_of(frame)
    for _ in range(wrapped):
        frame = [frame]
    call = read_frame(text_of(frame))

    assert isinstance(call, Call)
    assert (call.message_id, call.action, call.payload) == (message_id, action, payload)


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ('{"transaction_id":7}', True),
        ('"Meter Stop":6', True),
        ('"STARTTRANSACTION"', True),
        ('"S\\u0074op"', False),
        ('"key":"StopTransactionOnInvalidId"', False),
        ('"key":"TransactionMessageAttempts"', False),
        ('"key":"MeterValuesSampledData"', False),
        ('"Authorize",{"idTag":"04A1B2C3"}', False),
        ("restart transmission", False),
    ],
)
def test_words_of_money_are_told_from_settings_that_are_called_after_them(text: str, tells: bool) -> None:
    assert tells_of_money(text) == tells


def test_within_a_text_a_line_end_is_a_blank_and_padding_is_nothing() -> None:
    event = read_frame('[2,"a","Authorize",{"idTag":"04\r\nA1\tB2C3\0\0\x7f"}]')

    assert event == Call("a", "Authorize", {"idTag": "04  A1 B2C3\x7f"}, CLEANED)


@pytest.mark.parametrize(
    ("text", "message_id"),
    [
        ("[2,'a','StopTransaction',{'transactionId':1}]", "a"),
        ('[2 "a" "StopTransaction" {}]', "a"),
        ('["2","a","StopTransaction",{]', "a"),
        ('2,"a","StopTransaction",{}]', "a"),
        ('[2,17,"StopTransaction",{]', 17),
        ('[2,"a,b","StopTransaction",{]', "a,b"),
        ('[2,"a\\"b","StopTransaction",{]', 'a"b'),
        ('[2,"\\u00fc","StopTransaction",{]', "ü"),
        ('[2,"a","StopTransaction"{"x":1}]', "a"),
        ('\ufeff [[2,"a","StopTransaction",{', "a"),
        ('rubbish [ [2,"a","StopTransaction",{', "a"),
    ],
)
def test_the_beginning_of_a_torn_call_is_made_out(text: str, message_id: str | int) -> None:
    event = read_frame(text)

    assert isinstance(event, UnreadableCall)
    assert (event.message_id, event.action) == (message_id, "StopTransaction")


def test_an_error_to_nobody_in_particular_has_an_id_all_the_same() -> None:
    assert orjson.loads(write_error(None, "GenericError", "x" * 300)) == [4, "-1", "GenericError", "x" * 254 + "…", {}]
