"""Cards with pages: NTAG, Ultralight, and a clone, read, written, locked and torn away through nfcpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ecdsa
import ndef
import nfc.tag.tt2
import nfc.tag.tt2_nxp
import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import genuine, ntag
from appliance.simulator.nfc.cards import crc_a
from appliance.simulator.nfc.ntag import Model, PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader
from appliance.simulator.nfc.type2 import Type2Copy
from appliance.simulator.nfc.ultralight_c import UltralightCCard
from tests.simulator.nfc.driver import tap

MODELS = (ntag.NTAG213, ntag.NTAG215, ntag.NTAG216, ntag.ULTRALIGHT_EV1, ntag.ULTRALIGHT_EV1_SMALL)
NTAGS = MODELS[:3]
OLD = "https://site.example/old"
NEW = "https://site.example/a-new-and-longer-address"
KEY = b"PWD1PK"
NXP_NTAG = "04494E1A386D3D3CFE3DC10E5DE68A499B1C202DB5B132393E89ED19FE5BE8BC61"
NXP_EV1 = "0490933BDCD6E99B4E255E3DA55389A827564E11718E017292FAF23226A96614B8"
CommandError = nfc.tag.tt2.Type2TagCommandError


def _write(frontend: Any, link: str) -> None:
    tap(frontend).ndef.records = [ndef.UriRecord(link)]


def _link(frontend: Any) -> str | None:
    """What stands on the card; "" if there is no message."""
    records = tap(frontend).ndef.records
    return str(records[0].uri) if records and records[0].type else ""


def _refuses_writing(frontend: Any, page: int) -> bool:
    try:
        tap(frontend).write(page, b"\1\2\3\4")
    except CommandError:
        return True
    return False


def _lock(tag: Any, configuration: int, key: bytes, page: int) -> None:
    """In the order that works on every chip: PWD, PACK, CFG1, CFG0."""
    settings = tag.read(configuration)
    tag.write(configuration + 2, key[:4])
    tag.write(configuration + 3, key[4:] + b"\0\0")
    tag.write(configuration + 1, settings[4:8])
    tag.write(configuration, settings[:3] + bytes([page]))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.kind} {model.pages}")
def test_chip_is_recognised(reader: SimulatedReader, frontend: Any, model: Model) -> None:
    card = PasswordCard(model)
    reader.lay(card)

    tag = tap(frontend)

    names = {Kind.ULTRALIGHT_EV1: "MF0UL11" if model.pages == 20 else "MF0UL21"}
    assert type(tag).__name__ == names.get(model.kind, model.kind)
    assert bytes(tag.identifier) == card.uid
    assert card.kind == model.kind


@pytest.mark.parametrize(
    ("model", "capacity_bytes"),
    [(ntag.NTAG213, 137), (ntag.NTAG215, 492), (ntag.NTAG216, 868)],
    ids=lambda value: str(value)[:9],
)
def test_link_is_written_and_read_back(
    reader: SimulatedReader, frontend: Any, model: Model, capacity_bytes: int
) -> None:
    card = PasswordCard(model)
    reader.lay(card)
    assert tap(frontend).ndef.capacity == capacity_bytes

    _write(frontend, NEW)

    assert _link(frontend) == NEW
    assert b"a-new-and-longer-address" in card.memory


@pytest.mark.parametrize("model", NTAGS, ids=lambda model: model.kind)
def test_locked_card_is_read_by_all_and_written_with_the_password(
    reader: SimulatedReader, frontend: Any, model: Model
) -> None:
    card = PasswordCard(model)
    reader.lay(card)
    _write(frontend, OLD)

    assert tap(frontend).protect(KEY, protect_from=4)

    assert card.locked
    assert (card.password, card.pack) == (KEY[:4], KEY[4:])
    assert _link(frontend) == OLD
    with pytest.raises(CommandError):
        _write(frontend, NEW)
    assert not tap(frontend).authenticate(b"wrong!")
    tag = tap(frontend)
    assert tag.authenticate(KEY)
    tag.ndef.records = [ndef.UriRecord(NEW)]
    assert _link(frontend) == NEW


def test_password_is_never_read_back(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))
    tap(frontend).protect(KEY, protect_from=4)
    tag = tap(frontend)
    assert tag.authenticate(KEY)

    assert tag.read(43)[:8] == bytes(8)


def test_protection_from_reading_hides_the_pages(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))
    assert tap(frontend).protect(KEY, read_protect=True, protect_from=8)

    assert tap(frontend).read(4)[:4] == bytes.fromhex("0103A00C")
    with pytest.raises(CommandError):
        tap(frontend).read(8)
    assert tap(frontend).read(7)[4:8] == tap(frontend).read(0)[:4]


def test_configuration_waits_for_the_next_selection_where_the_chip_latches_it(
    reader: SimulatedReader, frontend: Any
) -> None:
    reader.lay(PasswordCard(ntag.NTAG213, latches=True))
    tag = tap(frontend)
    tag.write(41, bytes.fromhex("04000004"))
    tag.write(43, b"\1\2\3\4")

    assert _refuses_writing(frontend, 4)


def test_configuration_counts_at_once_where_the_chip_does_not_latch_it(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213, latches=False))
    tag = tap(frontend)
    tag.write(41, bytes.fromhex("04000004"))

    with pytest.raises(CommandError):
        tag.write(43, b"\1\2\3\4")


@pytest.mark.parametrize("latches", [True, False])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"{model.kind} {model.pages}")
def test_password_before_configuration_locks_every_chip(
    reader: SimulatedReader, frontend: Any, model: Model, latches: bool
) -> None:
    card = PasswordCard(model, latches=latches)
    reader.lay(card)

    _lock(tap(frontend), model.configuration, KEY, 4)

    assert card.locked
    assert _refuses_writing(frontend, 5)
    tag = tap(frontend)
    assert tag.authenticate(KEY)
    assert tag.write(5, b"\1\2\3\4")


def test_tries_are_limited_where_the_card_says_so(reader: SimulatedReader, frontend: Any) -> None:
    card = PasswordCard(ntag.NTAG213)
    reader.lay(card)
    tap(frontend).write(42, bytes.fromhex("02050000"))
    for _ in range(2):
        assert not tap(frontend).authenticate(b"wrong!")

    assert not tap(frontend).authenticate(b"")
    assert card.wrong_tries == 2


def test_right_password_starts_the_tries_anew(reader: SimulatedReader, frontend: Any) -> None:
    card = PasswordCard(ntag.NTAG213)
    reader.lay(card)
    tap(frontend).write(42, bytes.fromhex("02050000"))
    assert not tap(frontend).authenticate(b"wrong!")
    assert tap(frontend).authenticate(b"")

    assert card.wrong_tries == 0


def test_locked_configuration_stays_as_it_is(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))
    tap(frontend).write(42, bytes.fromhex("40050000"))

    assert _refuses_writing(frontend, 41)
    assert not _refuses_writing(frontend, 43)


def test_lock_bits_close_pages_for_good(reader: SimulatedReader, frontend: Any) -> None:
    card = PasswordCard(ntag.NTAG213)
    reader.lay(card)
    tag = tap(frontend)
    tag.write(2, bytes.fromhex("00001000"))
    tag.write(2, bytes.fromhex("00000000"))
    tag.write(40, bytes.fromhex("01000000"))

    assert card.locked
    assert [_refuses_writing(frontend, page) for page in (4, 5, 16, 17, 18)] == [True, False, True, True, False]


def test_bits_of_the_capability_page_never_come_back(reader: SimulatedReader, frontend: Any) -> None:
    card = PasswordCard(ntag.NTAG213)
    reader.lay(card)
    tag = tap(frontend)
    tag.write(3, bytes.fromhex("E1101208"))
    tag.write(3, bytes.fromhex("E1101200"))

    assert card.capability == bytes.fromhex("E1101208")


def test_uid_cannot_be_written(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))

    assert [_refuses_writing(frontend, page) for page in (0, 1)] == [True, True]


def test_command_is_not_answered_after_a_refusal(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))
    tag = tap(frontend)
    with pytest.raises(CommandError):
        tag.write(200, b"\1\2\3\4")

    with pytest.raises(CommandError):
        tag.write(4, b"\1\2\3\4")
    assert tap(frontend).write(4, b"\1\2\3\4")


@pytest.mark.parametrize(
    ("model", "pair", "key"),
    [(ntag.NTAG213, pair, NXP_NTAG) for pair in genuine.NTAG21X]
    + [(ntag.ULTRALIGHT_EV1, pair, NXP_EV1) for pair in genuine.ULTRALIGHT_EV1],
    ids=lambda value: value[0].hex() if isinstance(value, tuple) else "",
)
def test_signature_of_a_genuine_chip_is_the_makers(
    reader: SimulatedReader, frontend: Any, model: Model, pair: tuple[bytes, bytes], key: str
) -> None:
    uid, signature = pair
    reader.lay(PasswordCard(model, uid, signature=signature))
    tag = tap(frontend)

    maker = ecdsa.VerifyingKey.from_string(bytes.fromhex(key), curve=ecdsa.SECP128r1)
    assert maker.verify_digest(bytes(tag.signature), bytes(tag.identifier))


def test_chip_without_a_known_signature_has_another(reader: SimulatedReader, frontend: Any) -> None:
    card = PasswordCard(ntag.NTAG213)
    reader.lay(card)
    maker = ecdsa.VerifyingKey.from_string(bytes.fromhex(NXP_NTAG), curve=ecdsa.SECP128r1)

    signature = bytes(tap(frontend).signature)

    assert signature == card.signature
    with pytest.raises(ecdsa.BadSignatureError):
        maker.verify_digest(signature, card.uid)


@pytest.mark.parametrize("make", [lambda: PasswordCard(ntag.ULTRALIGHT_EV1), UltralightCCard])
def test_ultralight_leaves_the_factory_without_ndef(
    reader: SimulatedReader, frontend: Any, make: Callable[[], PasswordCard | UltralightCCard]
) -> None:
    card = make()
    reader.lay(card)
    tag = tap(frontend)
    assert tag.ndef is None

    tag.write(3, bytes.fromhex("E1101000"))
    tag.write(4, bytes.fromhex("0300FE00"))
    _write(frontend, NEW)

    assert _link(frontend) == NEW


def test_ultralight_c_is_recognised_and_proves_its_key(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(UltralightCCard())

    assert isinstance(tap(frontend), nfc.tag.tt2_nxp.MifareUltralightC)
    assert tap(frontend).authenticate(b"")
    assert not tap(frontend).authenticate(b"0123456789abcdef")


def test_ultralight_c_is_written_only_with_its_new_key(reader: SimulatedReader, frontend: Any) -> None:
    key = b"0123456789abcdef"
    card = UltralightCCard()
    reader.lay(card)

    assert tap(frontend).protect(key, protect_from=4)

    assert card.locked
    assert card.key == key
    assert _refuses_writing(frontend, 4)
    assert not tap(frontend).authenticate(b"")
    tag = tap(frontend)
    assert tag.authenticate(key)
    assert tag.write(4, b"\1\2\3\4")
    with pytest.raises(CommandError):
        tap(frontend).read(44)


def test_clone_holds_a_link_but_has_no_password_and_no_signature(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Type2Copy())
    _write(frontend, NEW)

    tag = tap(frontend)
    assert type(tag) is nfc.tag.tt2.Type2Tag
    assert _link(frontend) == NEW
    for command in (b"\x1b" + KEY[:4], b"\x3c\x00"):
        assert bytes(tap(frontend).transceive(command)) == b"\x00"


@pytest.mark.parametrize("answer_lost", [False, True])
def test_card_torn_away_at_any_write_holds_the_old_link_none_or_the_new_one(
    reader: SimulatedReader, frontend: Any, answer_lost: bool
) -> None:
    whole = PasswordCard(ntag.NTAG213)
    reader.lay(whole)
    _write(frontend, OLD)
    before = whole.writes
    _write(frontend, NEW)
    writes = whole.writes - before
    seen = set()

    for count in range(1 if answer_lost else 0, writes + 1):
        card = PasswordCard(ntag.NTAG213)
        reader.lay(card)
        _write(frontend, OLD)
        before = card.writes
        reader.tear_after_writes(count, answer_lost=answer_lost)
        if answer_lost or count < writes:
            with pytest.raises(CommandError):
                _write(frontend, NEW)
            assert reader.mishap.is_set()
            assert reader.cards == []
        else:
            _write(frontend, NEW)
        assert card.writes - before == count

        reader.lay(card)
        seen.add(_link(frontend))
        _write(frontend, NEW)
        assert _link(frontend) == NEW

    assert seen == {"", NEW} if answer_lost else seen == {OLD, "", NEW}


def test_card_torn_away_at_any_command_is_readable_afterwards(reader: SimulatedReader, frontend: Any) -> None:
    torn = 0
    for count in range(12):
        card = PasswordCard(ntag.NTAG213)
        reader.lay(card)
        _write(frontend, OLD)
        tag = tap(frontend)
        assert tag.ndef.records
        reader.tear_after(count)
        with pytest.raises(CommandError):
            tag.ndef.records = [ndef.UriRecord(NEW)]
        torn += reader.mishap.is_set()

        reader.lay(card)
        assert _link(frontend) in {OLD, "", NEW}

    assert torn == 12


def test_mishap_that_is_called_off_does_not_happen(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(PasswordCard(ntag.NTAG213))
    reader.tear_after_writes(0)
    reader.keep_all()

    _write(frontend, NEW)

    assert _link(frontend) == NEW
    assert not reader.mishap.is_set()


def test_contents_outlive_the_card_object() -> None:
    card = PasswordCard(ntag.NTAG213)
    card.memory[16:20] = b"\1\2\3\4"

    again = PasswordCard(ntag.NTAG213)
    again.restore(card.state())

    assert (again.uid, again.memory, again.signature) == (card.uid, card.memory, card.signature)


def test_checksum_is_that_of_the_standard() -> None:
    # ISO/IEC 14443-3, annex B: CRC_A of 00 00 and of 12 34.
    assert crc_a(bytes.fromhex("0000")) == bytes.fromhex("A01E")
    assert crc_a(bytes.fromhex("1234")) == bytes.fromhex("26CF")
