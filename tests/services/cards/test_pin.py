"""The PIN of a holder's page."""

from __future__ import annotations

import pytest

from appliance.db.cards import cards
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import CardId
from appliance.services.cards import pin as card_pin
from tests.support.books import Books


@pytest.mark.parametrize(
    ("typed", "pin"), [("4711", "4711"), (" 47 11 ", "4711"), ("৪৭১১", "4711"), ("13572468", "13572468")]
)
def test_a_pin_is_the_same_in_whatever_digits_it_is_typed(typed: str, pin: str) -> None:
    assert card_pin.check_pin(typed) == pin


@pytest.mark.parametrize("typed", ["", "471", "123456789", "47a1", "1111", "४४४४", "-471"])
def test_what_is_no_pin_or_the_first_that_is_guessed_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        card_pin.check_pin(typed)


def test_only_a_hash_is_kept_and_it_can_be_taken_away(books: Books) -> None:
    card = CardId(books.card("04A1B2C3", books.person()))
    card_pin.set_pin(books.db, card, card_pin.hash_pin("4711"), books.by)
    kept = cards.pin_hash(books.db, card)

    assert "4711" not in kept
    assert card_pin.matches("4711", kept)
    assert not card_pin.matches("4712", kept)

    card_pin.set_pin(books.db, card, "", books.by)
    found = cards.find(books.db, card)
    assert found is not None
    assert not found.has_pin
