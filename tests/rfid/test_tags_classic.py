"""The balance of an old card on a real reader chip: read with the site's key, taken off, and whole wherever it is pulled away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from appliance.domain.cards.old_value import OldLayout, read_layout
from appliance.domain.cards.tag import ClearOld, Kind, ReadOld, Trouble
from appliance.simulator.nfc.classic import FACTORY_TRAILER, ClassicCard
from tests.support.chip_fixture import PULLS, ChipFixture, uid_of

KEY_A, KEY_B = bytes.fromhex("A0A1A2A3A4A5"), bytes.fromhex("B0B1B2B3B4B5")


@pytest.fixture(name="chips")
def _chips() -> Iterator[ChipFixture]:
    with ChipFixture() as chips:
        yield chips


def value_block(number: int, address: int = 8) -> bytes:
    plain = number.to_bytes(4, "little", signed=True)
    inverted = bytes(byte ^ 0xFF for byte in plain)
    return plain + inverted + plain + bytes((address, address ^ 0xFF, address, address ^ 0xFF))


def old_card(block: int, data: bytes) -> ClassicCard:
    """A card that an earlier system has closed with keys of its own."""
    card = ClassicCard()
    card.memory[block * 16 : block * 16 + 16] = data
    trailer = block // 4 * 4 + 3
    card.memory[trailer * 16 : trailer * 16 + 16] = KEY_A + FACTORY_TRAILER[6:10] + KEY_B
    return card


CARDS = {
    "block=8 key=A form=value unit=100": value_block(123),
    "block=8 key=B form=value unit=100": value_block(123),
    "block=9 key=B form=little offset=2 length=3 unit=100": b"\x01\x02" + (123).to_bytes(3, "little") + b"\x07" * 11,
    "block=62 key=A form=big offset=12 length=4 unit=50": b"\x05" * 12 + (246).to_bytes(4, "big"),
}


@pytest.mark.parametrize("written", CARDS)
def test_it_is_read_and_taken_off(chips: ChipFixture, written: str) -> None:
    layout = read_layout(written)
    assert layout is not None
    card = old_card(layout.block, CARDS[written])
    before, key = bytes(card.memory), KEY_B if layout.key_b else KEY_A

    assert chips.do(card, ReadOld(uid_of(card), layout, key)).old_minor == 12_300
    assert bytes(card.memory) == before
    seen = chips.do(card, ClearOld(uid_of(card), layout, key))
    assert (seen.old_minor, seen.kind) == (0, Kind.CLASSIC)
    changed = [number for number in range(64) if card.block(number) != before[number * 16 : number * 16 + 16]]
    assert changed == [layout.block]
    assert chips.do(card, ReadOld(uid_of(card), layout, key)).old_minor == 0
    assert chips.do(card, ClearOld(uid_of(card), layout, key)).old_minor == 0


def test_another_key_opens_nothing_and_another_number_is_none(chips: ChipFixture) -> None:
    layout = OldLayout(8)
    card = old_card(8, value_block(5))
    assert chips.trouble(card, ReadOld(uid_of(card), layout, bytes(6))) is Trouble.LOCKED
    assert chips.trouble(card, ClearOld(uid_of(card), OldLayout(9), KEY_A)) is Trouble.DIFFERENT
    broken = old_card(8, value_block(5)[:4] + bytes(12))
    assert chips.trouble(broken, ReadOld(uid_of(broken), layout, KEY_A)) is Trouble.DIFFERENT
    assert chips.trouble(card, ReadOld("6A000000", layout, KEY_A)) is Trouble.OTHER_CARD


@pytest.mark.parametrize("pull", PULLS)
def test_pulled_away_anywhere_it_has_all_of_it_or_nothing_and_is_finished_by_itself(
    chips: ChipFixture, pull: str
) -> None:
    layout = OldLayout(8, unit_minor=100)
    cards = 0
    for card in chips.torn(
        lambda: old_card(8, value_block(123)), lambda card: ClearOld(uid_of(card), layout, KEY_A), PULLS[pull]
    ):
        assert layout.read(card.block(8)) in (12_300, 0)
        assert chips.do(card, ClearOld(uid_of(card), layout, KEY_A)).old_minor == 0
        cards += 1
    assert cards


def test_a_layout_is_read_as_it_is_written() -> None:
    for text in CARDS:
        layout = read_layout(text)
        assert layout is not None
        assert read_layout(layout.written()) == layout
    assert read_layout("  ") is None
    assert read_layout("block=4") == OldLayout(4)


@pytest.mark.parametrize(
    "text",
    ["block=0", "block=7", "block=300", "block=8 key=C", "block=8 form=odd", "block=8 offset=14 length=4", "8", "block=8 block=9", "block=x",
     "block=8 unit=0", "block=143"],
)  # fmt: skip
def test_what_would_lock_a_card_for_ever_or_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_layout(text)
