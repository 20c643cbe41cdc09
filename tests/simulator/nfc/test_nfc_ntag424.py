"""NTAG 424 DNA: authentication, keys, settings and the message that proves the card; bytes are NXP's own (AN12196 rev. 2.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ecdsa
import ndef
import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import genuine, sun
from appliance.simulator.nfc.aes import Session
from appliance.simulator.nfc.ntag424 import Ntag424Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.simulator.nfc.driver import tap
from tests.simulator.nfc.ev2 import FACTORY_KEY, SELECT_APPLICATION, Host, Refused, cbc, mac, native

NEW_KEY = bytes(range(1, 17))
NXP_KEY = (
    "048A9B380AF2EE1B98DC417FECC263F8449C7625CECE82D9B916C992DA209D68422B81EC20B65A66B5102A61596AF3379200599316A00A1410"
)
URL = "choose.url.com/ntag424?e=" + "0" * 32 + "&c=" + "0" * 16
SUN_SETTINGS = bytes.fromhex("4000E0C1FF12200000430000430000")
"""AN12196, table 18, but the counter for nobody, and keys 1 (metadata) and 2 (signature)."""


def _fixed(*given: str) -> Callable[[int], bytes]:
    """Random numbers as they stand in the example."""
    rest = [bytes.fromhex(one) for one in given]
    return lambda _count: rest.pop(0)


def _apdu(card: Ntag424Card, command: str) -> str:
    return card.apdu(bytes.fromhex(command)).hex().upper()


def _in_session(card: Ntag424Card, session: Session) -> None:
    """As after an authentication of which the example gives only what came of it."""
    assert card.apdu(SELECT_APPLICATION) == b"\x90\x00"
    card.application._session = session


def test_example_of_authentication_writing_and_settings_is_answered_byte_by_byte() -> None:
    card = Ntag424Card(entropy=_fixed("B9E2FC789B64BF237CCCAA20EC7E6E48", "9D00C4DF"))
    card.ndef.mode, card.ndef.rights = 3, 0xE000
    card.apdu(SELECT_APPLICATION)

    assert _apdu(card, "9071000002000000") == "A04C124213C186F22399D33AC2A3021591AF"
    assert (
        _apdu(card, "90AF00002035C3E05A752E0144BAC0DE51C1F22C56B34408A23D8AEA266CAB947EA8E0118D00")
        == "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F081206639100"
    )
    assert (
        _apdu(
            card,
            "908D00009F02000000800000"
            "421C73A27D827658AF481FDFF20A5025B559D0E3AA21E58D347F343CFFC768BFE596C706BC00F2176781D4B0242642"
            "A0FF5A42C461AAF894D9A1284B8C76BCFA658ACD40555D362E08DB15CF421B51283F9064BCBE20E96CAE545B40"
            "7C9D651A3315B27373772E5DA2367D2064AE054AF996C6F1F669170FA88CE8C4E3A4A7BBBEF0FD971FF532C3A802"
            "AF745660F2B4D1D9A8499661EBF300",
        )
        == "FC222E5F7A5424529100"
    )
    assert URL.encode() in card.memory
    assert _apdu(card, "905F0000190261B6D97903566E84C3AE5274467E89EAD799B7C1A0EF7A0400") == "57BFF87B1241E93D9100"
    assert card.ndef.mirroring is not None
    assert sun.settings_of(card.ndef.mirroring).hex().upper() == "C1F121200000430000430000"


def test_example_of_changing_keys_is_answered_byte_by_byte() -> None:
    card = Ntag424Card()
    session = Session(
        0,
        bytes.fromhex("4CF3CB41A22583A61E89B158D252FC53"),
        bytes.fromhex("5529860B2FC5FB6154B7F28361D30BF9"),
        bytes.fromhex("7614281A"),
        counter=1,
    )
    _in_session(card, session)

    assert _apdu(card, "908D000019010E0000120000FF0506E1050080828300000000000000000000") == "9100"
    assert (
        _apdu(
            card,
            "90C4000029022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E600",
        )
        == "203BB55D1089D5879100"
    )
    assert (
        _apdu(
            card,
            "90C400002900C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED643200",
        )
        == "9100"
    )
    assert card.keys[2].hex().upper() == "F3847D627727ED3BC9C4CC050489B966"
    assert card.keys[0].hex().upper() == "5004BF991F408672B1EF00F08F9E8647"
    assert not card.application.is_authenticated


def test_example_of_reading_settings_is_answered_byte_by_byte() -> None:
    card = Ntag424Card()
    card.ndef.rights = 0xEEEE
    card.ndef.mirroring = sun.parse(bytes.fromhex("D1FE001F00004400004400002000006A0000"), 256)
    _in_session(
        card, Session(0, bytes(16), bytes.fromhex("8248134A386E86EB7FAF54A52E536CB6"), bytes.fromhex("7A21085E"))
    )

    assert _apdu(card, "90F5000009026597A457C8CD442C00") == (
        "0040EEEE000100D1FE001F00004400004400002000006A00002A474282E7A479869100"
    )


def test_example_of_reading_the_uid_is_answered_byte_by_byte() -> None:
    card = Ntag424Card(bytes.fromhex("04958CAA5C5E80"))
    session = Session(
        0,
        bytes.fromhex("2B4D963C014DC36F24F69A50A394F875"),
        bytes.fromhex("379D32130CE61705DD5FD8C36B95D764"),
        bytes.fromhex("DF055522"),
    )
    _in_session(card, session)

    assert _apdu(card, "90510000088E2C155ADDA99BE300") == "70756055688505B52A5E26E59E329CD6595F672298EA41B79100"


def test_message_of_the_application_note_has_its_signature(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card(bytes.fromhex("04DE5F1EACC040"))
    reader.lay(card)
    tap(frontend).ndef.records = [ndef.UriRecord("https://" + URL)]
    host = Host(tap(frontend))
    host.secret(0x5F, b"\x02", bytes.fromhex("4000E0C1FF00200000430000430000"))
    card.ndef.counter = 0x3C

    link = _link(frontend)

    assert link.endswith("&c=94EED9EE65337086")
    metadata = cbc(FACTORY_KEY, bytes.fromhex(link.split("e=")[1][:32]), backwards=True)
    assert metadata[:11] == bytes.fromhex("C704DE5F1EACC0403D0000")


def test_card_is_a_type4_tag_with_an_empty_message(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    tag = tap(frontend)

    assert card.kind == Kind.NTAG424
    assert (tag.ndef.capacity, tag.ndef.length, tag.ndef.is_writeable) == (254, 0, True)
    assert not card.locked


def test_version_tells_the_chip(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    tag = tap(frontend)

    parts = [native(tag, 0x60), native(tag, 0xAF), native(tag, 0xAF)]

    assert [part[:4].hex() for part in parts[:2]] == ["04040230", "04040201"]
    assert parts[2][:7] == card.uid


@pytest.mark.parametrize("pair", genuine.NTAG424, ids=lambda pair: pair[0].hex())
def test_signature_of_a_genuine_chip_is_the_makers(
    reader: SimulatedReader, frontend: Any, pair: tuple[bytes, bytes]
) -> None:
    reader.lay(Ntag424Card(pair[0], signature=pair[1]))

    signature = native(tap(frontend), 0x3C, b"\0")

    maker = ecdsa.VerifyingKey.from_string(bytes.fromhex(NXP_KEY), curve=ecdsa.NIST224p)
    assert maker.verify_digest(signature, pair[0])


def test_wrong_key_is_refused(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())

    with pytest.raises(Refused) as refused:
        _wrong_key(tap(frontend))
    assert refused.value.status == b"\x91\xae"


def _wrong_key(tag: Any) -> None:
    """A host with another key cannot turn the card's challenge."""
    assert bytes(tag.transceive(SELECT_APPLICATION)) == b"\x90\x00"
    challenge = cbc(NEW_KEY, native(tag, 0x71, b"\0\0"), backwards=True)
    native(tag, 0xAF, cbc(NEW_KEY, bytes(16) + challenge[1:] + challenge[:1]))


def test_keys_exist_only_in_the_application(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())

    with pytest.raises(Refused) as refused:
        native(tap(frontend), 0x71, b"\0\0")
    assert refused.value.status == b"\x91\x40"


@pytest.mark.parametrize("number", range(5))
def test_changed_key_counts_from_then_on(reader: SimulatedReader, frontend: Any, number: int) -> None:
    card = Ntag424Card()
    reader.lay(card)

    Host(tap(frontend)).change_key(number, NEW_KEY)

    assert card.keys[number] == NEW_KEY
    assert card.application.key_versions[number] == 1
    host = Host(tap(frontend), number, NEW_KEY)
    assert host.authentic(0x64, bytes([number])) == b"\x01"
    assert host.secret(0x51, b"") == card.uid


def test_key_is_changed_only_by_who_has_key_0(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)

    with pytest.raises(Refused) as refused:
        Host(tap(frontend), 1).change_key(2, NEW_KEY)
    assert refused.value.status == b"\x91\xae"
    assert card.keys == [FACTORY_KEY] * 5


def test_wrong_old_key_does_not_pass(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)

    with pytest.raises(Refused) as refused:
        Host(tap(frontend)).change_key(2, NEW_KEY, old=bytes(range(16)))
    assert refused.value.status == b"\x91\x1e"
    assert card.keys[2] == FACTORY_KEY


def test_damaged_command_ends_the_session(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())
    host = Host(tap(frontend))
    with pytest.raises(Refused) as refused:
        native(host.tag, 0xF5, b"\x02" + bytes(8))
    assert refused.value.status == b"\x91\x1e"

    with pytest.raises(Refused) as again:
        host.secret(0x51, b"")
    assert again.value.status == b"\x91\xae"


def test_second_authentication_keeps_the_transaction(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())
    host = Host(tap(frontend))
    theirs = cbc(FACTORY_KEY, native(host.tag, 0x77, b"\x01"), backwards=True)
    ours = bytes(range(16, 32))

    answer = native(host.tag, 0xAF, cbc(FACTORY_KEY, ours + theirs[1:] + theirs[:1]))

    assert cbc(FACTORY_KEY, answer, backwards=True) == ours[1:] + ours[:1]


def test_locked_file_is_written_with_its_key_only(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    Host(tap(frontend)).secret(0x5F, b"\x02", bytes.fromhex("0000E0"))

    assert card.locked
    tag = tap(frontend)
    assert tag.ndef.length == 0
    assert tag.transceive(bytes.fromhex("00D600000401020304"))[-2:] == bytes.fromhex("6982")
    host = Host(tap(frontend))
    host.plain(0x8D, bytes.fromhex("02000000040000") + b"\1\2\3\4")
    assert card.memory[:4] == b"\1\2\3\4"


def test_enciphered_file_is_read_and_written_through_the_session(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    Host(tap(frontend), 3).secret(0x8D, bytes.fromhex("03000000050000"), b"hello")

    assert card.application.files[3].data[:5] == b"hello"
    with pytest.raises(Refused):
        native(_selected(tap(frontend)), 0xAD, bytes.fromhex("03000000050000"))
    # The command of ReadData has a MAC, its answer is enciphered.
    assert Host(tap(frontend), 2).secret(0xAD, bytes.fromhex("03000000050000")) == b"hello"


def _selected(tag: Any) -> Any:
    assert bytes(tag.transceive(SELECT_APPLICATION)) == b"\x90\x00"
    return tag


def test_iso_commands_do_not_pass_while_authenticated(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())
    host = Host(tap(frontend))
    assert bytes(host.tag.transceive(bytes.fromhex("00A4000C02E104"))) == b"\x90\x00"

    assert bytes(host.tag.transceive(bytes.fromhex("00B0000002"))) == bytes.fromhex("6982")


def test_dynamic_message_proves_the_card_and_counts_its_readings(reader: SimulatedReader, frontend: Any) -> None:
    card = _with_sun(reader, frontend)

    counts = [_verified(_link(frontend), card) for _ in range(3)]

    assert counts == [1, 2, 3]
    assert card.ndef.counter == 3


def test_several_reads_in_a_row_are_one_reading(reader: SimulatedReader, frontend: Any) -> None:
    card = _with_sun(reader, frontend)
    tag = _selected(tap(frontend))
    tag.transceive(bytes.fromhex("00A4000C02E104"))
    whole = b"".join(bytes(tag.transceive(bytes((0, 0xB0, 0, at, 16))))[:-2] for at in range(0, 112, 16))
    assert card.ndef.counter == 1

    tag.transceive(bytes.fromhex("00A4000C02E104"))
    other = bytes(tag.transceive(bytes((0, 0xB0, 0, 0, 112))))[:-2]

    assert card.ndef.counter == 2
    assert other != whole


def test_nothing_is_mirrored_for_who_is_authenticated(reader: SimulatedReader, frontend: Any) -> None:
    card = _with_sun(reader, frontend)
    host = Host(tap(frontend), 0, NEW_KEY)

    data = host.plain(0xAD, bytes.fromhex("02000000600000"))

    assert data == card.memory[:0x60]
    assert card.ndef.counter == 0


def test_reading_ends_at_its_limit(reader: SimulatedReader, frontend: Any) -> None:
    card = _with_sun(reader, frontend)
    limited = bytes.fromhex("4000E0E1FF12200000430000430000") + (2).to_bytes(3, "little")
    Host(tap(frontend), 0, NEW_KEY).secret(0x5F, b"\x02", limited)

    assert [tap(frontend).ndef is not None for _ in range(3)] == [True, True, False]
    assert card.ndef.counter == 2


def test_uid_and_counter_can_stand_there_in_plain(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    tap(frontend).ndef.records = [ndef.UriRecord("https://a.example/" + "0" * 40)]
    # NLEN, record head and prefix take seven bytes, `a.example/` ten: UID at 17, counter at 32.
    host = Host(tap(frontend))
    host.secret(0x5F, b"\x02", bytes.fromhex("4000E0C1FEEF110000200000"))
    assert host.authentic(0xF5, b"\x02")[-9:] == bytes.fromhex("C1FEEF110000200000")

    link = _link(frontend)

    assert link == f"https://a.example/{card.uid.hex().upper()}0000001{'0' * 19}"
    assert native(_selected(tap(frontend)), 0xF6, b"\x02") == bytes.fromhex("0100000000")


def test_part_of_the_file_can_be_enciphered(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    secret = "sixteen bytes!!!"
    text = "a.example/?e=" + "0" * 32 + "&d=" + secret + "." * 16 + "&c=" + "0" * 16
    tap(frontend).ndef.records = [ndef.UriRecord("https://" + text)]
    at = {mark: 7 + text.index(mark) + 3 for mark in ("?e=", "&d=", "&c=")}
    offsets = b"".join(number.to_bytes(3, "little") for number in (at["?e="], at["&d="], at["&d="], 32, at["&c="]))
    Host(tap(frontend)).secret(0x5F, b"\x02", bytes.fromhex("4000E0D1FF00") + offsets)

    link = _link(frontend)

    context = card.uid + bytes.fromhex("010000")
    key = mac(FACTORY_KEY, bytes.fromhex("C33C00010080") + context)
    start = cbc(key, bytes.fromhex("010000") + bytes(13))
    cipher = bytes.fromhex(link.split("&d=")[1][:32])
    assert cbc(key, cipher, start, backwards=True) == secret.encode()
    signed = link.split("&d=")[1][:35].encode()
    assert link.endswith(mac(mac(FACTORY_KEY, bytes.fromhex("3CC300010080") + context), signed)[1::2].hex().upper())


@pytest.mark.parametrize(
    "settings",
    [
        "4000E0C1FF12F00000430000430000",  # beyond the end of the file
        "4000E0C1FF12200000430000300000",  # signature over the metadata
        "4000E0C1FF12200000430000",  # an offset is missing
        "4000E0C1FF92200000430000430000",  # there is no key 9
        "0400E0",  # an option that does not exist
    ],
)
def test_settings_that_do_not_fit_are_refused(reader: SimulatedReader, frontend: Any, settings: str) -> None:
    card = Ntag424Card()
    reader.lay(card)

    with pytest.raises(Refused) as refused:
        Host(tap(frontend)).secret(0x5F, b"\x02", bytes.fromhex(settings))
    assert refused.value.status == b"\x91\x9e"
    assert card.ndef.mirroring is None


def test_settings_need_key_0(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Ntag424Card())

    with pytest.raises(Refused) as refused:
        Host(tap(frontend), 1).secret(0x5F, b"\x02", SUN_SETTINGS)
    assert refused.value.status == b"\x91\xae"


def test_card_torn_away_before_a_key_changes_has_the_old_one(reader: SimulatedReader, frontend: Any) -> None:
    card = Ntag424Card()
    reader.lay(card)
    host = Host(tap(frontend))
    reader.tear_after_writes(1)
    host.change_key(1, NEW_KEY)
    with pytest.raises(Exception, match="unrecoverable"):
        host.change_key(2, NEW_KEY)

    assert card.keys == [FACTORY_KEY, NEW_KEY, FACTORY_KEY, FACTORY_KEY, FACTORY_KEY]


def test_everything_outlives_the_card_object(reader: SimulatedReader, frontend: Any) -> None:
    card = _with_sun(reader, frontend)
    assert _verified(_link(frontend), card) == 1

    again = Ntag424Card()
    again.restore(card.state())

    reader.lay(again)
    assert _verified(_link(frontend), card) == 2


def _with_sun(reader: SimulatedReader, frontend: Any) -> Ntag424Card:
    """A card that was issued: a link, settings, keys of its own."""
    card = Ntag424Card()
    reader.lay(card)
    tap(frontend).ndef.records = [ndef.UriRecord("https://" + URL)]
    host = Host(tap(frontend))
    host.secret(0x5F, b"\x02", SUN_SETTINGS)
    host.change_key(1, bytes([1]) * 16)
    host.change_key(2, bytes([2]) * 16)
    host.change_key(0, NEW_KEY)
    return card


def _link(frontend: Any) -> str:
    """The link as it stands in the first record, with no character of it changed."""
    octets = bytes(tap(frontend).ndef.octets)
    assert octets[:1] + octets[3:5] == b"\xd1U\x04"
    return "https://" + octets[5:].decode()


def _verified(link: str, card: Ntag424Card) -> int:
    """The count of readings in a link whose signature is right."""
    encrypted, signature = link.split("?e=")[1].split("&c=")
    metadata = cbc(bytes([1]) * 16, bytes.fromhex(encrypted), backwards=True)
    assert metadata[0] == 0xC7
    assert metadata[1:8] == card.uid
    session = mac(bytes([2]) * 16, bytes.fromhex("3CC300010080") + metadata[1:11])
    assert signature == mac(session, b"")[1::2].hex().upper()
    return int.from_bytes(metadata[8:11], "little")
