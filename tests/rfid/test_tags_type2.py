"""Cards with memory in pages: written, locked, read back, torn away at every step, on a simulated chip that nfcpy drives."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from appliance.domain.cards import content as card_content
from appliance.domain.cards.tag import Content, Kind, TagTrouble, Trouble
from appliance.rfid import tags
from appliance.rfid.field import CardField, CardSilent
from appliance.simulator.nfc.cards import ACK, Answer, Silent
from appliance.simulator.nfc.ntag import (
    NTAG213,
    NTAG215,
    NTAG216,
    ULTRALIGHT_EV1,
    ULTRALIGHT_EV1_SMALL,
    Model,
    PasswordCard,
)
from appliance.simulator.nfc.type2 import Type2Card, Type2Copy
from appliance.simulator.nfc.ultralight_c import FACTORY_KEY, UltralightCCard
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
SIGNATURE = bytes(range(32))
"""Nobody's, and always the same, so that of two cards one can say that they are alike."""

MAKES: dict[str, Callable[[], Type2Card]] = {
    "NTAG213": lambda: PasswordCard(NTAG213, UID, signature=SIGNATURE),
    "NTAG213 whose AUTH0 acts at once": lambda: PasswordCard(NTAG213, UID, signature=SIGNATURE, latches=False),
    "NTAG215": lambda: PasswordCard(NTAG215, UID, signature=SIGNATURE),
    "NTAG216": lambda: PasswordCard(NTAG216, UID, signature=SIGNATURE),
    "Ultralight EV1": lambda: PasswordCard(ULTRALIGHT_EV1, UID, signature=SIGNATURE),
    "Ultralight EV1 whose AUTH0 acts at once": lambda: PasswordCard(
        ULTRALIGHT_EV1, UID, signature=SIGNATURE, latches=False
    ),
    "Ultralight C": lambda: UltralightCCard(UID),
    "Ultralight C whose AUTH0 acts at once": lambda: UltralightCCard(UID, latches=False),
    "copy": lambda: Type2Copy(UID),
}
every_card = pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())
TORN = {
    "NTAG213": "after a write",
    "NTAG213 whose AUTH0 acts at once": "before a command",
    "Ultralight EV1": "after a write",
    "Ultralight EV1 whose AUTH0 acts at once": "before a write",
    "Ultralight C": "after a write",
    "Ultralight C whose AUTH0 acts at once": "before a command",
    "copy": "before a write",
}
torn = pytest.mark.parametrize(
    ("make", "pull"), [(MAKES[name], PULLS[pull]) for name, pull in TORN.items()], ids=TORN.keys()
)
SHORT = "http://10.0.0.2/card/0123"
SHORTER = "http://10.0.0.2/card/4"


@pytest.fixture
def chips() -> Iterator[ChipFixture]:
    with ChipFixture() as opened:
        yield opened


@every_card
def test_new_card_is_blank_and_writable(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    seen = chips.see(card)
    assert (seen.uid, seen.kind, seen.content) == (uid_of(card), card.kind, Content())
    assert (seen.writable, seen.locked, seen.foreign, seen.random) == (True, False, False, False)
    assert card.writes == 0


@every_card
def test_written_card_says_what_it_was_given_and_is_locked(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    done = chips.do(card, write_for(card))
    assert (done.content, done.foreign, done.locked) == (content_for(card), False, card.kind is not Kind.TYPE2)
    assert chips.see(card) == done
    record = card_content.read(SITE_KEY, done.uid, done.content.record)
    assert (record.origin, record.number, record.issue) == (card_content.Origin.OURS, 1000017, 1)


@every_card
def test_repeated_write_changes_nothing(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    before, writes = bytes(card.memory), card.writes
    chips.do(card, write_for(card))
    assert (bytes(card.memory), card.writes) == (before, writes)


@every_card
def test_card_is_written_anew(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    assert chips.do(card, write_for(card, issue=2)).content == content_for(card, issue=2)


@every_card
def test_wiped_card_is_as_it_was_new_but_for_the_way_messages_are_announced(
    chips: ChipFixture, make: Callable[[], Type2Card]
) -> None:
    card, new = make(), make()
    chips.do(card, write_for(card))
    seen = chips.do(card, wipe_for(card))
    assert (seen.content, seen.locked, seen.foreign) == (Content(), False, False)
    assert content_for(card).record[:8] not in bytes(card.memory)
    # A new one may have said "nothing" in other words: no capability bytes, no empty message, or one in another place.
    assert card.memory[64:] == new.memory[64:]
    writes = card.writes
    chips.do(card, wipe_for(card))
    assert card.writes == writes


@every_card
def test_wiped_card_belongs_to_whoever_writes_it_next(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    chips.do(card, wipe_for(card))
    seen = chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    assert seen.content == content_for(card, site_key=OTHER_SITE_KEY)


@every_card
def test_telephone_reads_the_link_and_cannot_write(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    chips.do(card, write_for(card))
    field = chips.lay(card)
    assert b"192.168.100.100:8081/card/0123456789abcdef01234567" in _read_as_a_telephone(field)
    # Nothing of it says "read only": some telephones then do not offer the link.
    assert field.transceive(b"\x30\x03")[0] == 0xE1
    assert field.transceive(b"\x30\x03")[3] == 0
    if card.kind is Kind.TYPE2:
        return
    before = bytes(card.memory)
    with pytest.raises(CardSilent) as refused:
        field.transceive(b"\xa2\x05HACK")
    assert refused.value.refused
    assert bytes(card.memory) == before


@torn
def test_write_torn_anywhere_leaves_old_none_or_new_and_is_repaired_by_itself(
    chips: ChipFixture, make: Callable[[], Type2Card], pull: Pull
) -> None:
    again = _issued(chips, make)
    old, new = content_for(make(), link=SHORT), content_for(make(), 2, link=SHORTER)
    times = 0
    for card in chips.torn(again, lambda card: write_for(card, 2, link=SHORTER), pull):
        times += 1
        seen = chips.see(card)
        assert seen.content in (old, Content(), new)
        assert seen.locked or card.kind is Kind.TYPE2
        done = chips.do(card, write_for(card, 2, link=SHORTER))
        assert (done.content, done.locked) == (new, card.kind is not Kind.TYPE2)
    assert times > 10


@torn
def test_first_write_torn_anywhere_is_repaired_or_wiped(
    chips: ChipFixture, make: Callable[[], Type2Card], pull: Pull
) -> None:
    content = content_for(make(), link=SHORT)
    for number, card in enumerate(chips.torn(make, lambda card: write_for(card, link=SHORT), pull)):
        assert chips.see(card).content in (Content(), content)
        if number % 2:
            assert chips.do(card, wipe_for(card)).content == Content()
        done = chips.do(card, write_for(card, link=SHORT))
        assert (done.content, done.locked) == (content, card.kind is not Kind.TYPE2)


@torn
def test_wipe_torn_anywhere_is_finished_or_turned_back(
    chips: ChipFixture, make: Callable[[], Type2Card], pull: Pull
) -> None:
    content = content_for(make(), link=SHORT)
    for number, card in enumerate(chips.torn(_issued(chips, make), wipe_for, pull)):
        assert chips.see(card).content in (content, Content())
        if number % 2:
            assert chips.do(card, write_for(card, link=SHORT)).content == content
        done = chips.do(card, wipe_for(card))
        assert (done.content, done.locked, done.foreign) == (Content(), False, False)
        if isinstance(card, PasswordCard):
            assert (card.password, card.pack, card.protected_from) == (b"\xff" * 4, b"\0\0", 0xFF)
        if isinstance(card, UltralightCCard):
            assert card.key == FACTORY_KEY


@pytest.mark.parametrize("model", [NTAG213, NTAG215, NTAG216, ULTRALIGHT_EV1], ids=lambda model: model.kind)
def test_lock_is_ours_and_leaves_everything_else_alone(chips: ChipFixture, model: object) -> None:
    assert isinstance(model, type(NTAG213))
    card = PasswordCard(model, UID)
    keys = write_for(card).keys
    chips.do(card, write_for(card))
    assert (card.password, card.pack, card.protected_from) == (keys.password, keys.pack, 4)
    access = card.page(model.configuration + 1)
    assert access[0] == 0, "no limit of tries, reading free"
    assert card.page(2)[2:] == b"\0\0", "no lock bits"


def test_password_is_written_before_the_lock(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card))
    pages = [frame[1] for frame in card.heard if frame[0] == 0xA2 and frame[1] > 40]
    assert pages == [43, 44, 41], "PWD, PACK, CFG0; CFG1 is right as it is"


@every_card
def test_card_locked_by_another_site_stays_as_it_is(chips: ChipFixture, make: Callable[[], Type2Card]) -> None:
    card = make()
    if card.kind is Kind.TYPE2:
        card.memory[10:12] = b"\xff\xff"
    else:
        chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    before = bytes(card.memory)
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED
    assert chips.trouble(card, wipe_for(card)) is Trouble.LOCKED
    assert bytes(card.memory) == before


def test_card_closed_for_good_is_locked(chips: ChipFixture) -> None:
    for page, lock in ((2, "00000010"), (40, "01000000")):
        card = PasswordCard(NTAG213, UID)
        closed = bytearray(card.page(page))
        for index, byte in enumerate(bytes.fromhex(lock)):
            closed[index] |= byte
        card.memory[page * 4 : page * 4 + 4] = closed
        assert chips.see(card).locked
        assert chips.trouble(card, write_for(card)) is Trouble.LOCKED


def test_card_locked_with_the_makers_password_is_taken_over(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    card.memory[41 * 4 + 3] = 4
    assert chips.see(card).locked
    assert chips.do(card, write_for(card)).content == content_for(card)
    assert card.password == write_for(card).keys.password


def test_card_torn_between_password_and_its_answer_is_repaired(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card))
    card.memory[44 * 4 : 44 * 4 + 2] = b"\0\0"
    chips.do(card, write_for(card))
    assert card.pack == write_for(card).keys.pack


def test_card_that_counts_wrong_passwords_is_asked_once(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    card.memory[42 * 4] = 3
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED
    assert card.wrong_tries == 1


def test_card_that_cannot_be_read_without_its_password_is_foreign(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card, site_key=OTHER_SITE_KEY))
    card.memory[42 * 4] = 0x80
    seen = chips.see(card)
    assert (seen.kind, seen.content, seen.locked, seen.foreign) == (Kind.NTAG213, Content(), True, True)
    assert chips.trouble(card, write_for(card)) is Trouble.LOCKED


def test_card_of_ours_that_somebody_closed_to_reading_is_opened_again(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card))
    card.memory[42 * 4] = 0x80
    assert chips.do(card, write_for(card)).content == content_for(card)
    assert card.page(42)[0] == 0


def test_content_that_does_not_fit_changes_nothing(chips: ChipFixture) -> None:
    card = PasswordCard(ULTRALIGHT_EV1_SMALL, UID)
    assert chips.trouble(card, write_for(card)) is Trouble.TOO_SMALL
    assert card.writes == 0


def test_everything_that_an_ntag213_holds_can_be_used(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    # 137 bytes; of a realistic card 103 are used.
    full = LINK + "x" * (137 - 103)
    assert chips.do(card, write_for(card, link=full)).content.link == full
    assert chips.trouble(card, write_for(card, link=full + "x")) is Trouble.TOO_SMALL


def test_message_of_more_than_254_bytes_is_written_torn_and_repaired(chips: ChipFixture) -> None:
    def make() -> PasswordCard:
        return PasswordCard(NTAG215, UID, signature=SIGNATURE)

    link = LINK + "x" * 250
    for card in chips.torn(make, lambda card: write_for(card, link=link), PULLS["after a write"], step=9):
        assert chips.see(card).content in (Content(), content_for(card, link=link))
        assert chips.do(card, write_for(card, link=link)).content == content_for(card, link=link)


def test_link_of_somebody_else_is_foreign_and_can_be_written_over(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    message = bytes.fromhex("D1010C5504") + b"example.com"
    card.memory[21 : 21 + 3 + len(message)] = bytes((3, len(message))) + message + b"\xfe"
    seen = chips.see(card)
    assert (seen.content.link, seen.foreign) == ("https://example.com", True)
    done = chips.do(card, write_for(card))
    assert (done.content, done.foreign) == (content_for(card), False)


def test_bytes_that_are_no_message_are_foreign_and_can_be_written_over(chips: ChipFixture) -> None:
    for start in (
        bytes.fromhex("A1B2C3D4E5F60718"),
        bytes.fromhex("03FFFFFF00000000"),
        bytes.fromhex("0304DEADBEEFFE00"),
    ):
        card = PasswordCard(NTAG215, UID)
        card.memory[16:24] = start
        assert chips.see(card).foreign
        assert chips.do(card, write_for(card)).content == content_for(card)


def test_signature_of_the_maker_tells_a_real_chip_from_a_copy(chips: ChipFixture) -> None:
    # Pairs that were published with the keys.
    real = bytes.fromhex("8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3")
    assert chips.see(PasswordCard(NTAG213, bytes.fromhex("04E10CDA993C80"), signature=real)).genuine is True
    assert chips.see(PasswordCard(NTAG213, UID, signature=real)).genuine is False
    real = bytes.fromhex("CEA2EB0B3C95D0844A95B824A7553703B3702378033BF0987899DB70151A19E7")
    assert chips.see(PasswordCard(ULTRALIGHT_EV1, bytes.fromhex("04C1285A373080"), signature=real)).genuine is True
    assert chips.see(PasswordCard(NTAG213, bytes.fromhex("04C1285A373080"), signature=real)).genuine is False
    assert chips.see(PasswordCard(NTAG213, UID, signature=bytes(32))).genuine is False
    assert chips.see(Type2Copy(UID)).genuine is None
    assert chips.see(UltralightCCard(UID)).genuine is None


def test_record_that_was_copied_to_another_chip_is_found_out(chips: ChipFixture) -> None:
    card, copy = PasswordCard(NTAG213, UID), PasswordCard(NTAG213, bytes.fromhex("04A1B2C3D4E581"))
    chips.do(card, write_for(card))
    copy.memory[16:160] = card.memory[16:160]
    seen = chips.see(copy)
    assert not seen.foreign
    assert card_content.read(SITE_KEY, seen.uid, seen.content.record).origin is card_content.Origin.COPIED


def test_work_for_another_card_is_refused(chips: ChipFixture) -> None:
    card, meant = PasswordCard(NTAG213, UID), PasswordCard(NTAG213, bytes.fromhex("04A1B2C3D4E581"))
    assert chips.trouble(card, write_for(meant)) is Trouble.OTHER_CARD
    assert card.writes == 0


def test_card_that_has_gone_before_work_began_is_gone(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    field = chips.lay(card)
    chips.reader.take()
    with pytest.raises(TagTrouble) as gone:
        tags.perform(field, write_for(card))
    assert gone.value.trouble is Trouble.GONE
    with pytest.raises(TagTrouble):
        tags.inspect(field)


class Forgetful(Type2Copy):
    """Acknowledges what it does not keep."""

    def obey(self, frame: bytes) -> Answer:
        return ACK if frame[0] == 0xA2 else super().obey(frame)


class WornOut(PasswordCard):
    """One page can no longer be written."""

    def obey(self, frame: bytes) -> Answer:
        return self.refuse() if frame[:2] == b"\xa2\x09" else super().obey(frame)


class Flickering(PasswordCard):
    """Loses power once, at one of its commands."""

    def __init__(self, model: Model, uid: bytes, loses_at: int) -> None:
        super().__init__(model, uid)
        self.loses_at = loses_at

    def obey(self, frame: bytes) -> Answer:
        if len(self.heard) == self.loses_at:
            self.field_off()
            raise Silent
        return super().obey(frame)


def test_card_that_forgets_what_it_acknowledged_is_found_out(chips: ChipFixture) -> None:
    card = Forgetful(UID)
    assert chips.trouble(card, write_for(card)) is Trouble.DIFFERENT


def test_card_that_cannot_be_written_any_more_is_refused(chips: ChipFixture) -> None:
    card = WornOut(NTAG213, UID)
    assert chips.trouble(card, write_for(card)) is Trouble.REFUSED
    assert chips.see(card).content == Content()


@pytest.mark.parametrize("loses_at", [1, 2, 5, 12, 20, 33, 40, 44, 46, 50])
def test_card_that_lay_badly_for_a_moment_is_written_all_the_same(chips: ChipFixture, loses_at: int) -> None:
    card = Flickering(NTAG213, UID, loses_at)
    assert chips.do(card, write_for(card)).content == content_for(card)
    assert len(card.heard) > loses_at


def test_nothing_of_a_half_readable_block_is_written_back(chips: ChipFixture) -> None:
    card = PasswordCard(NTAG213, UID)
    chips.do(card, write_for(card))
    # Somebody closed reading from CFG1 on: a READ that begins before it goes on with page 0.
    card.memory[41 * 4 + 3], card.memory[42 * 4] = 42, 0x80
    chips.do(card, write_for(card))
    assert card.page(42) == bytes.fromhex("00050000")


def _issued(chips: ChipFixture, make: Callable[[], Type2Card]) -> Callable[[], Type2Card]:
    """Makes cards that have been issued."""
    first = make()
    chips.do(first, write_for(first, link=SHORT))
    state = first.state()

    def again() -> Type2Card:
        card = make()
        card.restore(state)
        return card

    return again


def _read_as_a_telephone(field: CardField) -> bytes:
    return b"".join(field.transceive(bytes((0x30, page))) for page in range(4, 36, 4))
