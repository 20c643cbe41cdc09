"""What a desk on another computer and the site say to each other: nothing is lost on the way, and nothing else gets in."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.cards.tag import Content, Keys, Kind, ReaderState, ReaderStatus, Seen, Trouble, Wipe, Write
from appliance.rfid import wire
from appliance.rfid.wire import Malformed

UIDS = st.binary(min_size=4, max_size=10).map(lambda raw: raw.hex().upper())
CONTENTS = st.builds(Content, st.text(st.characters(codec="utf-8"), max_size=200), st.binary(max_size=100))
SEEN = st.builds(
    Seen, UIDS, st.sampled_from(Kind), CONTENTS, st.booleans(), st.booleans(), st.none() | st.booleans(), st.booleans(),
    st.booleans(), st.booleans(),
)  # fmt: skip
KEYS = st.builds(
    Keys,
    st.binary(min_size=4, max_size=4),
    st.binary(min_size=2, max_size=2),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16),
)
NUMBERS = st.integers(0, wire.NUMBER_MAX)
SHORT = st.text(st.characters(codec="utf-8"), max_size=wire.WORDS_MAX)
UP = st.one_of(
    st.builds(wire.Hello, NUMBERS),
    st.just(wire.Alive()),
    st.just(wire.Bye()),
    st.builds(wire.State, st.builds(ReaderState, st.sampled_from(ReaderStatus), SHORT, SHORT)),
    st.builds(wire.Laid, SEEN),
    st.just(wire.Taken()),
    st.builds(wire.Result, NUMBERS, st.none() | SEEN),
    st.builds(wire.Failed, NUMBERS, st.sampled_from(Trouble)),
)
DOWN = st.one_of(
    st.just(wire.Welcome()),
    st.builds(wire.Refused, SHORT),
    st.just(wire.Alive()),
    st.builds(wire.DoWork, NUMBERS, st.builds(Write, UIDS, CONTENTS, KEYS) | st.builds(Wipe, UIDS, KEYS)),
    st.builds(wire.Look, NUMBERS),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
LAID = json.loads(wire.write(wire.Laid(Seen("04A1B2C3D4E580", Kind.NTAG213))))
WORK = json.loads(
    wire.write(
        wire.DoWork(1, Write("04A1B2C3D4E580", Content("http://x/", b"r"), Keys(b"pass", b"pk", bytes(16), bytes(16))))
    )
)


@given(UP)
def test_what_a_desk_says_arrives_as_it_was_said(message: wire.Up) -> None:
    assert wire.read_up(wire.write(message)) == message


@given(DOWN)
def test_what_the_site_says_arrives_as_it_was_said(message: wire.Down) -> None:
    assert wire.read_down(wire.write(message)) == message


@given(st.text(max_size=200) | JSON.map(json.dumps))
def test_any_other_text_is_malformed_and_nothing_worse(text: str) -> None:
    for read in (wire.read_up, wire.read_down):
        with pytest.raises(Malformed):
            read(text)


@pytest.mark.parametrize("depth", [260, 1_000, 3_000])
def test_what_is_nested_deep_is_malformed(depth: int) -> None:
    nested = "[" * depth + "]" * depth
    for read in (wire.read_up, wire.read_down):
        for text in (nested, f'{{"type":"alive","more":{nested}}}', f'{{"type":{nested}}}'):
            with pytest.raises(Malformed):
                read(text)


@given(st.data())
def test_a_message_with_one_field_spoiled_is_malformed_or_still_one_of_ours(data: st.DataObject) -> None:
    message = json.loads(wire.write(data.draw(UP)))
    message[data.draw(st.sampled_from(sorted(message)))] = data.draw(JSON)
    with contextlib.suppress(Malformed):
        assert isinstance(wire.read_up(json.dumps(message)), wire.Up)


@pytest.mark.parametrize(
    "change",
    [
        {"uid": "04a1b2c3d4e580"},
        {"uid": "04A1B2"},
        {"uid": "04A1B2C3D4E580" * 2},
        {"uid": 4},
        {"kind": "NTAG999"},
        {"writable": 1},
        {"genuine": "yes"},
        {"content": None},
        {"content": {"link": "x" * (wire.LINK_MAX + 1), "record": ""}},
        {"content": {"link": "", "record": "%%%"}},
    ],
)
def test_a_card_that_is_none_is_malformed(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        wire.read_up(json.dumps(LAID | {"seen": LAID["seen"] | change}))


@pytest.mark.parametrize(
    "change",
    [
        {"id": -1},
        {"id": True},
        {"id": 2**60},
        {"do": "erase"},
        {"keys": {**WORK["keys"], "aes": ""}},
        {"keys": {**WORK["keys"], "password": "AAAAAAAA"}},
    ],
)
def test_work_that_is_none_is_malformed(change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        wire.read_down(json.dumps(WORK | change))


def test_a_text_that_is_too_long_is_not_even_read() -> None:
    with pytest.raises(Malformed, match="too long"):
        wire.read_up(" " * wire.TEXT_CHARACTERS_MAX + '{"type":"alive"}')


def test_a_desk_does_not_give_orders_and_the_site_lays_no_cards() -> None:
    with pytest.raises(Malformed):
        wire.read_up(wire.write(wire.Look(1)))
    with pytest.raises(Malformed):
        wire.read_down(wire.write(wire.Taken()))


def test_keys_are_not_shown_where_work_is_printed() -> None:
    assert "pass" not in repr(wire.read_down(json.dumps(WORK)))
