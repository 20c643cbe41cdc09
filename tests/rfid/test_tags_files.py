"""Cards with files and blocks: NTAG 424 DNA with its five keys and its changing link, Type 4, FeliCa; and those with a UID only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from appliance.domain.cards import content
from appliance.domain.cards.tag import Content, Kind, Trouble, Write
from appliance.rfid import tags
from appliance.rfid.field import CardField
from appliance.rfid.tags import ev2
from appliance.services.cards import secure_tap
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.classic import ClassicCard
from appliance.simulator.nfc.felica import FelicaCard
from appliance.simulator.nfc.genuine import NTAG424
from appliance.simulator.nfc.ntag424 import Ntag424Card
from appliance.simulator.nfc.type4 import Telephone, Type4Card
from tests.support.chip_fixture import (
    LINK,
    OTHER_SITE_KEY,
    PULLS,
    SITE_KEY,
    ChipFixture,
    Pull,
    content_for,
    uid_of,
    wipe_for,
    write_for,
)

UID = bytes.fromhex("04A1B2C3D4E580")
SIGNATURE = bytes(range(56))
"""Nobody's, and always the same, so that of two cards one can say that they are alike."""
IN_COMMUNICATE_THROUGH = 0x42
SELECT_NDEF = bytes.fromhex("00A4040007D276000085010100")
SELECT_FILE = bytes.fromhex("00A4000C02E104")
READ_ALL = bytes.fromhex("00B0000000")
WRITE_FIRST = bytes.fromhex("00D600000200FF")

MAKES: dict[str, Callable[[], Card]] = {
    "NTAG 424 DNA": lambda: Ntag424Card(UID, signature=SIGNATURE),
    "Type 4": lambda: Type4Card(UID),
    "FeliCa": lambda: FelicaCard(bytes.fromhex("012E112233445566")),
}
every_card = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())
every_pull = pytest.mark.parametrize(
    "pull", [PULLS[name] for name in ("before a command", "after a write")], ids=["before a command", "after a write"]
)


@pytest.fixture
def chips() -> Iterator[ChipFixture]:
    with ChipFixture() as opened:
        yield opened


@every_card
def test_new_card_is_blank_and_writable(chips: ChipFixture, make: Callable[[], Card]) -> None:
    card = make()
    seen = chips.see(card)
    assert (seen.uid, seen.kind, seen.content) == (uid_of(card), card.kind, Content())
    assert (seen.writable, seen.locked, seen.foreign, seen.random) == (True, False, False, False)


@every_card
def test_written_card_says_what_it_was_given(chips: ChipFixture, make: Callable[[], Card]) -> None:
    card = make()
    done = chips.do(card, write_for(card))
    assert (done.content, done.foreign, done.locked) == (content_for(card), False, card.kind is Kind.NTAG424)
    assert chips.see(card) == done


@every_card
def test_repeated_write_changes_nothing(chips: ChipFixture, make: Callable[[], Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    before, writes = _without_counter(card), card.writes
    chips.do(card, write_for(card))
    assert _without_counter(card) == before
    assert card.writes - writes <= (4 if card.kind is Kind.NTAG424 else 0), "only the chip's own count of taps moves"


@every_card
def test_card_is_written_anew_and_wiped(chips: ChipFixture, make: Callable[[], Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    assert chips.do(card, write_for(card, issue=2)).content == content_for(card, issue=2)
    assert chips.do(card, wipe_for(card)).content == Content()
    assert chips.do(card, wipe_for(card)).content == Content()
    assert content_for(card).record[:8] not in bytes(_memory(card))
    seen = chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    assert seen.content == content_for(card, site_key=OTHER_SITE_KEY)


@every_card
@every_pull
def test_write_torn_anywhere_leaves_old_none_or_new_and_is_repaired_by_itself(
    chips: ChipFixture, make: Callable[[], Card], pull: Pull
) -> None:
    torn = 0
    for card in chips.torn(_issued(chips, make), lambda card: write_for(card, issue=2), pull):
        torn += 1
        assert chips.see(card).content in (content_for(card), Content(), content_for(card, issue=2))
        done = chips.do(card, write_for(card, issue=2))
        assert (done.content, done.locked) == (content_for(card, issue=2), card.kind is Kind.NTAG424)
    assert torn > 4


@every_card
@every_pull
def test_first_write_torn_anywhere_is_repaired_or_wiped(
    chips: ChipFixture, make: Callable[[], Card], pull: Pull
) -> None:
    for number, card in enumerate(chips.torn(make, write_for, pull)):
        assert chips.see(card).content in (Content(), content_for(card))
        if number % 2:
            assert chips.do(card, wipe_for(card)).content == Content()
        done = chips.do(card, write_for(card))
        assert (done.content, done.locked) == (content_for(card), card.kind is Kind.NTAG424)


@every_card
@every_pull
def test_wipe_torn_anywhere_is_finished_or_turned_back(
    chips: ChipFixture, make: Callable[[], Card], pull: Pull
) -> None:
    for number, card in enumerate(chips.torn(_issued(chips, make), wipe_for, pull)):
        assert chips.see(card).content in (content_for(card), Content())
        if number % 2:
            assert chips.do(card, write_for(card)).content == content_for(card)
        done = chips.do(card, wipe_for(card))
        assert (done.content, done.locked, done.foreign) == (Content(), False, False)
        if isinstance(card, Ntag424Card):
            assert card.keys == [bytes(16)] * 5


@every_card
def test_content_that_does_not_fit_changes_nothing(chips: ChipFixture, make: Callable[[], Card]) -> None:
    card = make()
    work = write_for(card)
    too_long = Write(work.uid, Content(LINK + "x" * 250, work.content.record), work.keys)
    assert chips.trouble(card, too_long) is Trouble.TOO_SMALL
    assert not any(_memory(card)[16:])


def test_chip_of_the_reader_is_set_up_once_for_all_that_is_said_to_a_card(chips: ChipFixture) -> None:
    field = chips.lay(Type4Card(UID))
    assert field.apdu(SELECT_NDEF) == b"\x90\x00"
    before = chips.reader.counts
    for command in (SELECT_NDEF, SELECT_FILE, READ_ALL):
        assert field.apdu(command)[-2:] == b"\x90\x00"
    said = chips.reader.counts - before
    assert set(said) == {IN_COMMUNICATE_THROUGH}
    assert said[IN_COMMUNICATE_THROUGH] >= 3


def test_taps_of_a_424_are_told_from_copies_and_counted(chips: ChipFixture) -> None:
    card = Ntag424Card(UID)
    chips.do(card, write_for(card))
    first, second = _tap(chips.lay(card)), _tap(chips.lay(card))
    assert first
    assert second
    assert first.uid == second.uid == uid_of(card)
    assert second.counter > first.counter


def test_tap_of_a_424_of_another_site_is_not_ours(chips: ChipFixture) -> None:
    card = Ntag424Card(UID)
    chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    assert _tap(chips.lay(card)) is None


def test_424_has_our_keys_and_nobody_writes_without_them(chips: ChipFixture) -> None:
    card = Ntag424Card(UID)
    chips.do(card, write_for(card))
    keys = write_for(card).keys
    assert card.keys == [content.chip_key(keys, number) for number in range(5)]
    field = chips.lay(card)
    before = bytes(card.memory)
    for command in (SELECT_NDEF, SELECT_FILE):
        assert field.apdu(command) == b"\x90\x00"
    assert field.apdu(WRITE_FIRST) != b"\x90\x00"
    assert bytes(card.memory) == before


def test_424_of_another_site_stays_as_it_is(chips: ChipFixture) -> None:
    card = Ntag424Card(UID)
    chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    before = (bytes(card.memory), list(card.keys))
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED
    assert chips.trouble(card, wipe_for(card)) is Trouble.LOCKED
    assert (bytes(card.memory), list(card.keys)) == before


def test_424_with_one_strange_key_stays_as_it_is(chips: ChipFixture) -> None:
    for number in range(5):
        card = Ntag424Card(UID)
        card.keys[number] = b"somebody else's!"
        assert chips.trouble(card, write_for(card)) is Trouble.LOCKED
        assert not any(card.memory)


def test_424_is_genuine_if_its_maker_signed_its_uid(chips: ChipFixture) -> None:
    uid, signature = NTAG424[0]
    assert chips.see(Ntag424Card(uid, signature=signature)).genuine is True
    assert chips.see(Ntag424Card(UID, signature=signature)).genuine is False


def test_file_that_is_closed_to_writing_is_locked(chips: ChipFixture) -> None:
    card = Type4Card(UID, writable=False)
    assert chips.see(card).locked
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED


def test_felica_that_is_closed_to_writing_is_locked(chips: ChipFixture) -> None:
    card = FelicaCard()
    block = bytearray(card.memory[:14])
    block[10] = 0
    card.memory[:16] = bytes(block) + sum(block).to_bytes(2, "big")
    assert chips.see(card).locked
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED


def test_felica_without_messages_is_known_by_its_number(chips: ChipFixture) -> None:
    card = FelicaCard()
    card.memory[:16] = bytes(16)
    seen = chips.see(card)
    assert (seen.uid, seen.kind, seen.writable) == (uid_of(card), Kind.FELICA, False)
    assert chips.trouble(card, write_for(card)) is Trouble.REFUSED


def test_classic_is_known_by_its_uid_alone(chips: ChipFixture) -> None:
    card = ClassicCard()
    seen = chips.see(card)
    assert (seen.uid, seen.kind, seen.writable, seen.content) == (uid_of(card), Kind.CLASSIC, False, Content())
    assert chips.trouble(card, write_for(card)) is Trouble.REFUSED
    assert chips.trouble(card, wipe_for(card)) is Trouble.REFUSED
    assert card.writes == 0


@pytest.mark.parametrize("peer_to_peer", [False, True])
def test_telephone_identifies_nobody(chips: ChipFixture, peer_to_peer: bool) -> None:
    phone = Telephone(peer_to_peer=peer_to_peer)
    seen = tags.inspect(chips.lay(phone))
    assert (seen.uid, seen.random, seen.writable) == (uid_of(phone), True, False)
    field = chips.lay(phone)
    work = write_for(phone)
    assert field.uid == work.uid
    assert chips.trouble(phone, work) in {Trouble.REFUSED, Trouble.OTHER_CARD}


def test_session_key_and_commands_are_those_of_the_application_note() -> None:
    # AN12196, tables 18 (ChangeFileSettings) and 25, 26 (ChangeKey 2 and 0).
    session = ev2.Session(
        encryption_key=bytes.fromhex("1309C877509E5A215007FF0ED19CA564"),
        mac_key=bytes.fromhex("4C6626F5E72EA694202139295C7A7FC7"),
        transaction=bytes.fromhex("9D00C4DF"),
        commands=1,
    )
    settings = bytes.fromhex("4000E0C1F121200000430000430000")
    assert session.full(0x5F, b"\x02", settings).hex().upper() == "0261B6D97903566E84C3AE5274467E89EAD799B7C1A0EF7A04"
    session.sent()
    assert session.is_right_answer(0x00, bytes.fromhex("57BFF87B1241E93D"))
    assert not session.is_right_answer(0x00, bytes.fromhex("57BFF87B1241E93E"))
    session = ev2.Session(
        encryption_key=bytes.fromhex("4CF3CB41A22583A61E89B158D252FC53"),
        mac_key=bytes.fromhex("5529860B2FC5FB6154B7F28361D30BF9"),
        transaction=bytes.fromhex("7614281A"),
        commands=2,
    )
    change = ev2.key_data(2, bytes.fromhex("F3847D627727ED3BC9C4CC050489B966"), bytes(16), 1)
    assert session.full(0xC4, b"\x02", change).hex().upper() == (
        "022CF362B7BF4311FF3BE1DAA295E8C68DE09050560D19B9E16C2393AE9CD1FAC75D0CE20BCD1D06E6"
    )
    session.sent()
    assert session.is_right_answer(0x00, bytes.fromhex("203BB55D1089D587"))
    change = ev2.key_data(0, bytes.fromhex("5004BF991F408672B1EF00F08F9E8647"), bytes(16), 1)
    assert session.full(0xC4, b"\x00", change).hex().upper() == (
        "00C0EB4DEEFEDDF0B513A03A95A75491818580503190D4D05053FF75668A01D6FDA6610234BDED6432"
    )


def _tap(field: CardField) -> secure_tap.Tap | None:
    """What a telephone opens: the link, and what the site makes of it."""
    for command in (SELECT_NDEF, SELECT_FILE):
        assert field.apdu(command) == b"\x90\x00"
    read = field.apdu(READ_ALL)
    link = re.search(rb"192\.168\.100\.100:8081/card/[0-9a-f]{24}\?p=([0-9A-F]{32})&m=([0-9A-F]{16})", read)
    assert link, read
    return secure_tap.verify(SITE_KEY, link[1].decode(), link[2].decode())


def _issued(chips: ChipFixture, make: Callable[[], Card]) -> Callable[[], Card]:
    """Makes cards that have been issued."""
    first = make()
    chips.do(first, write_for(first))
    state = first.state()

    def again() -> Card:
        card = make()
        card.restore(state)
        return card

    return again


def _memory(card: Card) -> bytearray:
    assert isinstance(card, Ntag424Card | Type4Card | FelicaCard)
    return card.memory


def _without_counter(card: Card) -> tuple[bytes, list[bytes]]:
    return bytes(_memory(card)), list(card.keys) if isinstance(card, Ntag424Card) else []
