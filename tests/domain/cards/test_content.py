"""The signed record of a card and the keys that lock it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.cards import content
from appliance.domain.cards.content import Origin, Record

SITE_KEY = bytes(range(32))
OTHER_SITE_KEY = bytes(range(1, 33))
UID = "04A1B2C3D4E580"
OTHER_UID = "04A1B2C3D4E581"

uids = st.binary(min_size=4, max_size=10).map(lambda uid: uid.hex().upper())


@given(uids, st.integers(0, 2**32 - 1), st.integers(0, 2**16 - 1))
def test_what_was_signed_is_read_back(uid: str, number: int, issue: int) -> None:
    record = content.sign(SITE_KEY, uid, number, issue)
    assert len(record) == content.RECORD_BYTES
    assert content.read(SITE_KEY, uid, record) == Record(Origin.OURS, number, issue)


def test_no_record_is_a_blank_card() -> None:
    assert content.read(SITE_KEY, UID, b"") == Record(Origin.BLANK)


def test_record_on_another_chip_is_a_copy() -> None:
    record = content.sign(SITE_KEY, UID, 17, 2)
    assert content.read(SITE_KEY, OTHER_UID, record).origin is Origin.COPIED


def test_record_of_another_site_is_foreign() -> None:
    record = content.sign(OTHER_SITE_KEY, UID, 17, 2)
    assert content.read(SITE_KEY, UID, record) == Record(Origin.FOREIGN)


@pytest.mark.parametrize("record", [b"\0", b"\x01" * 30, b"\x02" + bytes(30), bytes(32)])
def test_what_is_no_record_is_foreign(record: bytes) -> None:
    assert content.read(SITE_KEY, UID, record) == Record(Origin.FOREIGN)


@given(st.integers(0, content.RECORD_BYTES * 8 - 1))
def test_no_bit_of_a_record_can_be_turned(bit: int) -> None:
    record = bytearray(content.sign(SITE_KEY, UID, 17, 2))
    record[bit // 8] ^= 1 << bit % 8
    assert content.read(SITE_KEY, UID, bytes(record)).origin is not Origin.OURS


def test_keys_belong_to_one_chip_of_one_site() -> None:
    keys = content.keys(SITE_KEY, UID)
    assert keys == content.keys(SITE_KEY, UID)
    for other in (content.keys(SITE_KEY, OTHER_UID), content.keys(OTHER_SITE_KEY, UID)):
        assert keys.password != other.password
        assert keys.pack != other.pack
        assert keys.aes != other.aes
    assert [len(key) for key in (keys.password, keys.pack, keys.aes, keys.meta)] == [4, 2, 16, 16]


def test_key_that_hides_uids_is_the_sites() -> None:
    keys, other = content.keys(SITE_KEY, UID), content.keys(SITE_KEY, OTHER_UID)
    assert keys.meta == other.meta == content.sun_meta_key(SITE_KEY)
    assert keys.meta != content.sun_meta_key(OTHER_SITE_KEY)


def test_five_keys_of_a_chip_differ_and_only_the_sites_is_shared() -> None:
    ours = [content.chip_key(content.keys(SITE_KEY, UID), number) for number in range(5)]
    others = [content.chip_key(content.keys(SITE_KEY, OTHER_UID), number) for number in range(5)]
    assert len(set(ours)) == 5
    assert {len(key) for key in ours} == {16}
    assert [number for number in range(5) if ours[number] == others[number]] == [content.SUN_META_KEY]


def test_keys_do_not_show_when_they_are_printed() -> None:
    keys = content.keys(SITE_KEY, UID)
    shown = repr(keys)
    for key in (keys.password, keys.pack, keys.aes, keys.meta):
        assert repr(key) not in shown
