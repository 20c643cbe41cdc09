"""Our content as an NDEF message, what strange messages are taken for, and where a message stands among other blocks."""

from __future__ import annotations

import ndef
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from appliance.domain.cards.content import RECORD_TYPE
from appliance.domain.cards.tag import Content
from appliance.rfid.tags import ndef_message, ntag424, tlv

LINK = "http://192.168.100.100:8081/card/0123456789abcdef01234567"
OURS = ndef.Record(RECORD_TYPE, "", b"1" * 31)
LINKED = ndef.UriRecord(LINK)


def test_link_comes_first_because_telephones_open_the_first_record() -> None:
    records = list(ndef.message_decoder(ndef_message.encode(Content(LINK, b"1" * 31))))
    assert [record.type for record in records] == ["urn:nfc:wkt:U", RECORD_TYPE]


def test_content_of_a_card_takes_103_bytes_with_a_realistic_link() -> None:
    assert len(ndef_message.encode(Content(LINK, bytes(31)))) == 103


@pytest.mark.parametrize("link", ["", LINK, "https://www.site.example/card/1", "http://[fe80::1]:8081/card/1"])
@given(record=st.binary(max_size=300))
def test_content_is_read_as_it_was_written(link: str, record: bytes) -> None:
    content = Content(link, record)
    assert ndef_message.decode(ndef_message.encode(content)).content == content


def test_no_message_is_a_blank_card() -> None:
    assert ndef_message.encode(Content()) == b""
    assert ndef_message.decode(b"") == ndef_message.NOTHING
    assert ndef_message.decode(bytes.fromhex("D00000")) == ndef_message.NOTHING


@pytest.mark.parametrize(
    "records",
    [
        [LINKED],
        [OURS],
        [LINKED, LINKED, OURS],
        [LINKED, OURS, OURS],
        [LINKED, OURS, ndef.TextRecord("mine")],
        [LINKED, ndef.Record("urn:nfc:ext:example:card", "", b"1")],
        [ndef.TextRecord("mine")],
    ],
)
def test_anything_but_one_link_and_one_record_of_ours_is_foreign(records: list[ndef.Record]) -> None:
    assert ndef_message.decode(b"".join(ndef.message_encoder(records))).foreign


@given(st.binary(max_size=60))
@example(bytes.fromhex("D1010354FF6869"))
@example(bytes.fromhex("D102085370510104550161626364"))
def test_no_message_is_too_strange_to_be_looked_at(message: bytes) -> None:
    reading = ndef_message.decode(message)
    assert reading.foreign or reading == ndef_message.NOTHING or reading.content.link


@given(st.binary(max_size=48), st.integers(8, 48))
def test_message_is_found_inside_the_memory_or_not_at_all(memory: bytes, size: int) -> None:
    area = memory.ljust(size, b"\0")
    try:
        found = tlv.find(lambda offset: area[offset] if 0 <= offset < size else pytest.fail("outside"), size)
    except tlv.Reserved:
        return
    assert found.at >= 0
    if isinstance(found, tlv.Block):
        assert area[found.at] == tlv.MESSAGE


@pytest.mark.parametrize(
    ("memory", "at", "length"),
    [
        ("0103A00C340300FE", 5, 0),
        ("0300FE0000000000", 0, 0),
        ("0000000305D0000000", 3, 5),
        ("FD04112233440302D000FE", 6, 2),
        ("03FF0123", 0, 0x123),
    ],
)
def test_message_is_found_behind_other_blocks(memory: str, at: int, length: int) -> None:
    area = bytes.fromhex(memory).ljust(144, b"\0")
    found = tlv.find(area.__getitem__, 144)
    assert isinstance(found, tlv.Block)
    assert (found.at, found.length) == (at, length)


def test_memory_that_is_set_aside_in_the_middle_is_not_written_to() -> None:
    # Lock bytes at byte 48, in the midst of 144 bytes of data.
    area = bytes.fromhex("010330083403 00FE".replace(" ", "")).ljust(144, b"\0")
    with pytest.raises(tlv.Reserved):
        tlv.find(area.__getitem__, 144)


def test_settings_of_a_424_point_at_the_room_left_for_the_chip() -> None:
    plan = ntag424.plan(Content("https://site.example/card/1?x=2", b"1" * 31))
    file = len(plan.message).to_bytes(2, "big") + plan.message
    picc_at, input_at, mac_at = (int.from_bytes(plan.settings[start : start + 3], "little") for start in (6, 9, 12))
    assert file[picc_at - 3 : picc_at + 32] == b"&p=" + b"0" * 32
    assert file[mac_at - 3 : mac_at + 16] == b"&m=" + b"0" * 16
    assert input_at == mac_at
    assert plan.settings[:6].hex().upper() == "4000E0C1FF21"
