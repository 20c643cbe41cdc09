"""The PC/SC back end, on a connection that behaves like pyscard's and leads to a simulated card."""

from __future__ import annotations

import pytest

from appliance.domain.cards.tag import Kind, Seen, TagTrouble, Trouble
from appliance.rfid import tags
from appliance.rfid.field import CardSilent, ReaderGone
from appliance.rfid.pcsc import PcscDevice, PcscField
from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.cards import Card, Silent, TypeACard
from appliance.simulator.nfc.classic import ClassicCard
from appliance.simulator.nfc.iso_dep import IsoDepCard
from appliance.simulator.nfc.ntag import PasswordCard
from appliance.simulator.nfc.type4 import Type4Card
from tests.support.chip_fixture import uid_of, wipe_for, write_for

SUCCESS, FAILURE = (0x90, 0x00), (0x63, 0x00)
ATR_OF_ULTRALIGHT = "3B8F8001804F0CA0000003060300030000000068"
ATR_OF_CLASSIC = "3B8F8001804F0CA000000306030001000000006A"
ATR_OF_SMART_CARD = "3B8180018080"


class NoCard(Exception):
    """Nothing lies on the reader."""


class Lost(Exception):
    """The card is gone, or the reader."""


class Slot:
    """A reader of pcscd: which card lies there, and whether it is plugged in."""

    def __init__(self, *, acr122: bool) -> None:
        self.card: TypeACard | None = None
        self.plugged = True
        self.acr122 = acr122
        self.sessions = 0

    def connection(self) -> Connected:
        return Connected(self)

    def device(self) -> PcscDevice:
        name = "ACS ACR122U PICC Interface 00 00" if self.acr122 else "ACS ACR1552 1S CL Reader 00 00"
        return PcscDevice(name, self.connection, NoCard, (NoCard, Lost))


class Connected:
    """What pyscard's CardConnection does."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._card: TypeACard | None = None

    def connect(self) -> None:
        if not self._slot.plugged:
            raise Lost
        if self._slot.card is None:
            raise NoCard
        self._card = self._slot.card
        self._card.select()

    def disconnect(self) -> None:
        if self._card is not None:
            self._card.field_off()
        self._card = None

    def getATR(self) -> list[int]:  # noqa: N802
        if isinstance(self._card, IsoDepCard):
            return list(bytes.fromhex(ATR_OF_SMART_CARD))
        return list(bytes.fromhex(ATR_OF_CLASSIC if isinstance(self._card, ClassicCard) else ATR_OF_ULTRALIGHT))

    def transmit(self, apdu: list[int]) -> tuple[list[int], int, int]:
        card = self._card
        if not self._slot.plugged or card is None or card is not self._slot.card:
            raise Lost
        answer = self._obey(card, bytes(apdu))
        return (list(answer), *SUCCESS) if answer is not None else ([], *FAILURE)

    def _obey(self, card: TypeACard, apdu: bytes) -> bytes | None:
        head = apdu[:4]
        if head == bytes.fromhex("FFCA0000"):
            return card.uid
        if head[:3] == bytes.fromhex("FFB000"):
            answer = ask(card, bytes((0x30, apdu[3])))
            return answer if answer is not None and len(answer) == apdu[4] else None
        if head[:3] == bytes.fromhex("FFD600"):
            return b"" if ask(card, bytes((0xA2, apdu[3])) + apdu[5:]) == b"\x0a" else None
        if head == bytes.fromhex("FF000000") and self._slot.acr122:
            answer = ask(card, apdu[7:])
            if answer is None or len(answer) == 1:
                return b"\xd5\x43\x02" if answer else b"\xd5\x43\x01"
            return b"\xd5\x43\x00" + answer
        if head[:2] == bytes.fromhex("FFC2") and not self._slot.acr122:
            return self._session(card, apdu)
        return None

    def _session(self, card: TypeACard, apdu: bytes) -> bytes | None:
        if apdu[3] == 0:
            self._slot.sessions += 1 if apdu[5] == 0x81 else -1
            return b"\xc0\x03\x00\x90\x00"
        if apdu[3] == 2:
            card.field_off()
            card.select()
            return b"\xc0\x03\x00\x90\x00\x8f\x01\x00"
        answer = ask(card, apdu[7 : 7 + apdu[6]])
        if answer is None:
            return b"\xc0\x03\x01\x64\x01"
        return b"\xc0\x03\x00\x90\x00\x92\x01\x00" + bytes((0x97, len(answer))) + answer


def ask(card: Card, frame: bytes) -> bytes | None:
    """What the card answers; a NAK is one byte."""
    try:
        return card.exchange(frame).data
    except Silent:
        return None


@pytest.fixture(params=["passes frames through", "transparent session"])
def slot(request: pytest.FixtureRequest) -> Slot:
    return Slot(acr122=request.param == "passes frames through")


def found(device: PcscDevice) -> PcscField:
    field = device.find()
    assert field is not None
    return field


def inspect(device: PcscDevice) -> Seen:
    return tags.inspect(found(device))


def test_empty_reader_finds_nothing(slot: Slot) -> None:
    assert slot.device().find() is None


def test_ntag_is_recognised_by_its_version(slot: Slot) -> None:
    slot.card = PasswordCard(ntag.NTAG215)
    seen = inspect(slot.device())
    assert (seen.uid, seen.kind, seen.writable) == (uid_of(slot.card), Kind.NTAG215, True)


def test_card_is_written_locked_read_back_and_wiped(slot: Slot) -> None:
    card = slot.card = PasswordCard(ntag.NTAG213)
    device = slot.device()
    work = write_for(card)
    seen = tags.perform(found(device), work)
    assert (seen.content, seen.locked, card.locked) == (work.content, True, True)
    assert inspect(device) == seen
    assert not tags.perform(found(device), wipe_for(card)).locked
    assert not card.locked
    device.close()
    assert slot.sessions == 0


def test_classic_is_known_by_its_uid_only(slot: Slot) -> None:
    slot.card = ClassicCard()
    seen = inspect(slot.device())
    assert (seen.kind, seen.uid, seen.writable) == (Kind.CLASSIC, uid_of(slot.card), False)


def test_smart_card_is_recognised(slot: Slot) -> None:
    slot.card = Type4Card()
    assert found(slot.device()).sak & 0x20


def test_card_taken_is_no_longer_found(slot: Slot) -> None:
    slot.card = PasswordCard(ntag.NTAG213)
    device = slot.device()
    field = found(device)
    slot.card = None
    assert device.find(field.uid) is None
    with pytest.raises(TagTrouble) as caught:
        field.sense()
    assert caught.value.trouble is Trouble.GONE
    with pytest.raises(CardSilent):
        field.transceive(b"\x30\x04")


def test_card_exchanged_for_another_is_another(slot: Slot) -> None:
    slot.card = PasswordCard(ntag.NTAG213)
    device = slot.device()
    first = found(device).uid
    slot.card = PasswordCard(ntag.NTAG213)
    assert found(device).uid == uid_of(slot.card) != first


def test_reader_pulled_out_is_gone(slot: Slot) -> None:
    device = slot.device()
    slot.plugged = False
    with pytest.raises(ReaderGone):
        device.find()
    device.close()
