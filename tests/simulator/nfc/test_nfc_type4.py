"""Cards with the NDEF application, and FeliCa, through nfcpy."""

from __future__ import annotations

from typing import Any

import ndef
import nfc.clf
import nfc.tag.tt3
import nfc.tag.tt3_sony
import nfc.tag.tt4
import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.felica import FelicaCard, attributes
from appliance.simulator.nfc.ntag424 import Ntag424Card
from appliance.simulator.nfc.reader import SimulatedReader
from appliance.simulator.nfc.type4 import Type4Card
from tests.simulator.nfc.driver import sense, tap

LINK = "https://site.example/card/0123456789abcdef"
LONG_LINK = "https://site.example/" + "x" * 1500


def _links(frontend: Any) -> list[str]:
    return [record.uri for record in tap(frontend).ndef.records if isinstance(record, ndef.UriRecord)]


def test_type4_card_is_recognised_and_empty(reader: SimulatedReader, frontend: Any) -> None:
    card = Type4Card()
    reader.lay(card)

    tag = tap(frontend)

    assert isinstance(tag, nfc.tag.tt4.Type4Tag)
    assert bytes(tag.identifier) == card.uid
    assert tag.ndef.capacity == 254
    assert tag.ndef.length == 0
    assert tag.is_present


@pytest.mark.parametrize(("size_bytes", "link"), [(256, LINK), (2048, LONG_LINK)])
def test_link_on_a_type4_card_is_read_back(reader: SimulatedReader, frontend: Any, size_bytes: int, link: str) -> None:
    reader.lay(Type4Card(size_bytes=size_bytes))

    tap(frontend).ndef.records = [ndef.UriRecord(link)]

    assert _links(frontend) == [link]


def test_card_that_is_closed_for_good_cannot_be_written(reader: SimulatedReader, frontend: Any) -> None:
    card = Type4Card(writable=False)
    reader.lay(card)
    tag = tap(frontend)

    assert card.locked
    assert not tag.ndef.is_writeable
    tag.send_apdu(0, 0xA4, 0, 0x0C, b"\xe1\x04")
    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        tag.send_apdu(0, 0xD6, 0, 0, b"\1")


def test_card_has_no_other_application(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(Type4Card())

    with pytest.raises(nfc.tag.tt4.Type4TagCommandError):
        tap(frontend).send_apdu(0, 0xA4, 4, 0, bytes.fromhex("F00102030405"))


def test_long_command_may_be_torn_between_its_frames(reader: SimulatedReader, frontend: Any) -> None:
    card = Type4Card()
    reader.lay(card)
    tag = tap(frontend)
    assert tag.ndef.length == 0
    reader.tear_after_writes(1)

    with pytest.raises(nfc.tag.TagCommandError):
        tag.send_apdu(0, 0xD6, 0, 0, b"\x11" * 200)

    assert bytes(card.memory).count(0x11) == 120
    assert reader.mishap.is_set()


@pytest.mark.parametrize("kind", [Type4Card, Ntag424Card])
def test_type4_card_torn_away_at_any_write_holds_the_old_link_none_or_the_new_one(
    reader: SimulatedReader, frontend: Any, kind: type[Type4Card | Ntag424Card]
) -> None:
    new = "https://site.example/" + "y" * 200
    torn = 0
    for count in range(3):
        card = kind()
        reader.lay(card)
        tap(frontend).ndef.records = [ndef.UriRecord(LINK)]
        tag = tap(frontend)
        assert tag.ndef.records
        reader.tear_after_writes(count)
        try:
            tag.ndef.records = [ndef.UriRecord(new)]
        except nfc.tag.TagCommandError:
            torn += 1
        assert reader.mishap.is_set() == (card not in reader.cards)

        reader.lay(card)
        tap(frontend).ndef.records = [ndef.UriRecord(new)]
        assert _links(frontend) == [new]
    assert torn == 2


def test_felica_is_found_at_212_kbit(reader: SimulatedReader, frontend: Any) -> None:
    card = FelicaCard()
    reader.lay(card)

    assert frontend.sense(nfc.clf.RemoteTarget("106A")) is None
    tag = tap(frontend)

    assert isinstance(tag, nfc.tag.tt3_sony.FelicaLiteS)
    assert bytes(tag.identifier) == card.uid
    assert card.kind == Kind.FELICA
    assert tag.is_present


def test_felica_answers_only_for_its_systems(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(FelicaCard())
    found = [
        frontend.sense(nfc.clf.RemoteTarget("212F", sensf_req=bytearray.fromhex(request))) is not None
        for request in ("0012FC0000", "0088B40000", "00FFFF0000", "0000030000")
    ]

    assert found == [True, True, True, False]


def test_link_on_a_felica_card_is_read_back(reader: SimulatedReader, frontend: Any) -> None:
    card = FelicaCard()
    reader.lay(card)
    tag = tap(frontend)
    assert tag.ndef.capacity == 208
    assert tag.ndef.length == 0

    tag.ndef.records = [ndef.UriRecord(LINK)]

    assert _links(frontend) == [LINK]
    assert b"site.example" in card.memory


def test_read_only_felica_cannot_be_written(reader: SimulatedReader, frontend: Any) -> None:
    card = FelicaCard()
    card.memory[:16] = attributes(0, writable=False)
    reader.lay(card)
    tag = tap(frontend)

    assert card.locked
    assert not tag.ndef.is_writeable
    with pytest.raises(nfc.tag.tt3.Type3TagCommandError):
        tag.write_without_mac(bytes(16), 1)


def test_felica_refuses_blocks_that_it_does_not_have(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(FelicaCard())
    tag = tap(frontend)

    with pytest.raises(nfc.tag.tt3.Type3TagCommandError) as refused:
        tag.read_without_mac(14)
    assert refused.value.errno == 0xFFA8
    assert tag.read_without_mac(0x82)[:8] == tag.identifier


def test_felica_torn_away_says_that_writing_was_under_way(reader: SimulatedReader, frontend: Any) -> None:
    card = FelicaCard()
    reader.lay(card)
    tag = tap(frontend)
    assert tag.ndef.length == 0
    reader.tear_after_writes(2)
    with pytest.raises(nfc.tag.tt3.Type3TagCommandError):
        tag.ndef.records = [ndef.UriRecord(LINK)]

    assert card.memory[9] == 0x0F
    reader.lay(card)
    assert not tap(frontend).ndef.is_readable
    tap(frontend).ndef.records = [ndef.UriRecord(LINK)]
    assert _links(frontend) == [LINK]


def test_felica_and_type_a_card_can_lie_side_by_side(reader: SimulatedReader, frontend: Any) -> None:
    reader.lay(FelicaCard())
    reader.put_second(Type4Card())

    assert sense(frontend).sel_res == b"\x20"
    assert frontend.sense(nfc.clf.RemoteTarget("212F")).sensf_res is not None


@pytest.mark.parametrize("kind", [Type4Card, Ntag424Card, FelicaCard])
def test_contents_outlive_the_card_object(kind: type[Type4Card | Ntag424Card | FelicaCard]) -> None:
    card = kind()
    card.memory[16:20] = b"\1\2\3\4"

    again = kind()
    again.restore(card.state())

    assert (again.uid, again.memory) == (card.uid, card.memory)
