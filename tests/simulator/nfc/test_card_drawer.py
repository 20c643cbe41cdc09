"""The demo's drawer of cards."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ndef
import nfc.tag
import pytest

from appliance.demo.reader import CardDrawer, KnownCard
from appliance.domain.cards.tag import Kind
from appliance.services.ports.demo import DemoCard, DemoReader
from appliance.simulator.nfc import genuine
from appliance.simulator.nfc.catalogue import MAKERS, TELEPHONE
from tests.simulator.nfc.driver import opened, sense, tap, uid

LINK = "https://site.example/card/0123456789abcdef"
KNOWN = (KnownCard("Rahima Khatun", Kind.NTAG213, "04A1B2C3D4E580"),)


@pytest.fixture(name="drawer")
def _drawer(tmp_path: Path) -> Iterator[CardDrawer]:
    with CardDrawer(tmp_path, KNOWN) as drawer:
        yield drawer


def _find(drawer: DemoReader, kind: str) -> DemoCard:
    return next(card for card in drawer.cards() if card.kind == kind)


def test_new_drawer_holds_cards_of_several_kinds(drawer: CardDrawer) -> None:
    cards = drawer.cards()

    assert [card.kind for card in cards] == [
        *(["NTAG213"] * 3),
        "NTAG215",
        "NTAG 424 DNA",
        "MIFARE Classic",
        "Telephone",
        "FeliCa",
        "NTAG213",
    ]
    assert [card.name for card in cards[:4]] == ["NTAG213", "NTAG213 2", "NTAG213 3", "NTAG215"]
    assert (cards[-1].name, cards[-1].uid) == ("Rahima Khatun", "04A1B2C3D4E580")
    assert not any(card.on_reader for card in cards)
    assert len({card.uid for card in cards}) == len({card.id for card in cards}) == len(cards)


def test_new_cards_bear_signatures_of_the_maker_as_long_as_there_are_some(drawer: CardDrawer) -> None:
    pairs = {pair[0].hex().upper() for pair in genuine.NTAG21X}
    fresh = [card.uid for card in drawer.cards()[:4]]
    more = [drawer.new_card(Kind.NTAG216).uid for _ in range(3)]

    assert set(fresh + more[:2]) == pairs
    assert more[2] not in pairs


def test_each_card_that_is_laid_is_read(drawer: CardDrawer) -> None:
    with opened(drawer.path) as frontend:
        for card in drawer.cards():
            drawer.lay(card.id)
            shown = next(one for one in drawer.cards() if one.on_reader)
            assert shown.id == card.id
            assert uid(frontend) == shown.uid
        drawer.take()
        assert sense(frontend) is None
    assert not any(card.on_reader for card in drawer.cards())


def test_card_that_does_not_exist_cannot_be_laid(drawer: CardDrawer) -> None:
    with pytest.raises(KeyError):
        drawer.lay(99)
    with pytest.raises(KeyError):
        drawer.tear(99)
    with pytest.raises(KeyError):
        drawer.new_card("Jewel")


@pytest.mark.parametrize("kind", list(MAKERS))
def test_card_of_every_kind_comes_out_of_the_box(drawer: CardDrawer, kind: str) -> None:
    card = drawer.new_card(kind)
    drawer.lay(card.id)

    assert card.kind == kind
    assert not card.on_reader
    assert next(one for one in drawer.cards() if one.id == card.id).on_reader
    with opened(drawer.path) as frontend:
        assert sense(frontend) is not None


def test_torn_card_leaves_in_the_middle_of_a_write(drawer: CardDrawer) -> None:
    for kind in (Kind.NTAG213, Kind.NTAG424, Kind.FELICA):
        card = _find(drawer, kind)
        drawer.lay(card.id)
        with opened(drawer.path) as frontend:
            tag = tap(frontend)
            assert tag.ndef.length == 0
            drawer.tear(card.id)
            tag = tap(frontend)
            assert tag.ndef.length == 0
            with pytest.raises(nfc.tag.TagCommandError):
                tag.ndef.records = [ndef.UriRecord(LINK + "x" * 100)] if kind == Kind.NTAG424 else _records()
            assert sense(frontend) is None
            assert not _find(drawer, kind).on_reader

            drawer.lay(card.id)
            tap(frontend).ndef.records = _records()
            assert tap(frontend).ndef.records[0].uri == LINK


def _records() -> list[Any]:
    return [ndef.UriRecord(LINK)]


def test_what_is_on_a_card_survives_a_restart(tmp_path: Path) -> None:
    with CardDrawer(tmp_path, KNOWN) as drawer:
        before = drawer.cards()
        drawer.lay(before[0].id)
        with opened(drawer.path) as frontend:
            tap(frontend).ndef.records = _records()
        extra = drawer.new_card(Kind.ULTRALIGHT_C)

    with CardDrawer(tmp_path, KNOWN) as again:
        cards = again.cards()
        assert [card.id for card in cards] == [*(card.id for card in before), extra.id]
        assert [card.uid for card in cards if card.kind != TELEPHONE] == [
            card.uid for card in [*before, extra] if card.kind != TELEPHONE
        ]
        again.lay(cards[0].id)
        with opened(again.path) as frontend:
            assert tap(frontend).ndef.records[0].uri == LINK


def test_what_was_written_is_in_the_file_as_soon_as_the_reader_looks_again(drawer: CardDrawer, tmp_path: Path) -> None:
    card = drawer.cards()[0]
    drawer.lay(card.id)
    with opened(drawer.path) as frontend:
        tap(frontend).ndef.records = _records()
        assert sense(frontend) is not None
        assert sense(frontend) is not None
        kept = json.loads((tmp_path / "cards.json").read_text())

    assert b"site.example" in bytes.fromhex(kept["cards"][0]["state"]["memory"])
    assert (tmp_path / "cards.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cards": [{"id": 1}]}', '{"cards": 7}'])
def test_damaged_file_gives_a_new_drawer(tmp_path: Path, content: str) -> None:
    (tmp_path / "cards.json").write_text(content)

    with CardDrawer(tmp_path) as drawer:
        assert len(drawer.cards()) == 8


def test_lead_is_pulled_and_put_back_under_the_same_path(drawer: CardDrawer) -> None:
    drawer.lay(drawer.cards()[0].id)
    path = drawer.path
    drawer.set_plugged(False)
    assert not path.exists()

    drawer.set_plugged(True)

    with opened(path) as frontend:
        assert uid(frontend) == drawer.cards()[0].uid


def test_toy_without_a_folder_keeps_nothing() -> None:
    with CardDrawer() as drawer, opened(drawer.path) as frontend:
        drawer.lay(drawer.cards()[3].id)
        assert uid(frontend) == drawer.cards()[3].uid


def test_pages_can_change_cards_while_the_reader_is_busy(drawer: CardDrawer) -> None:
    cards = drawer.cards()
    with opened(drawer.path) as frontend:
        for card in cards * 3:
            drawer.lay(card.id)
            target = sense(frontend)
            assert target is not None
            drawer.take()
    assert not any(card.on_reader for card in drawer.cards())
