"""Looking somebody up at the desk: what the scan box means, in whatever shape it was told. What is shown then is in `desk_view`."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.db.cards import aliases
from appliance.db.engine.protocols import Readable
from appliance.db.people import people, people_search
from appliance.db.people.people import Card, Person
from appliance.domain.id_token import HEX, UID_CHARS, readings, reversed_form

FOUND_MAX = 10
NUMBER_CHARS_MAX = 7
"""More digits than that are a UID or a telephone number, not the number printed on a card."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the scan box found."""

    text: str
    card: Card | None = None
    people: list[Person] = field(default_factory=list)
    uid: str = ""
    """The text is the number of a card that nobody has."""


def find(db: Readable, text: str) -> Found:
    """A card by its UID in any form or by its printed number; else people by name, telephone or card."""
    text = " ".join(text.split())[:100]
    meant = readings(text)
    if text.isdecimal() and len(text) <= NUMBER_CHARS_MAX and (card := people.card_by_number(db, int(text))):
        return Found(text, card)
    for uid in meant:
        card = _card_called(db, uid)
        if card is not None:
            return Found(text, card)
    named = people_search.people(db, text=text, limit=FOUND_MAX).rows if text else []
    if len(named) == 1:
        living = [card for card in people.cards_of(db, named[0].id) if card.blocked_at_ms is None]
        if len(living) == 1:
            return Found(text, living[0])
    return Found(text, None, named, "" if named else best_uid(text))


def best_uid(text: str) -> str:
    """The UID that a text most likely means, in normal form; "" if it can be none."""
    return next((one for one in readings(text) if len(one) in UID_CHARS and HEX.fullmatch(one)), "")


def _card_called(db: Readable, uid: str) -> Card | None:
    known = people.card_by_uid(db, uid)
    if known is None and (backwards := reversed_form(uid)):
        known = people.card_by_uid(db, backwards)
    if known is None and (alias := aliases.find(db, uid)) is not None:
        known = people.find_card(db, alias)
    return known
