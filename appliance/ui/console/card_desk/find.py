"""Looking somebody up at the desk: what the scan box means, in whatever shape it was told. What is shown then is in `view`."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.id_token import HEX, UID_CHARS, readings

FOUND_MAX = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What the scan box found."""

    text: str
    card: Card | None = None
    people: list[Person] = field(default_factory=list)
    uid: str = ""
    """The text is the number of a card that nobody has."""


def find(db: Readable, text: str, *, names_only: bool = False) -> Found:
    """The card that is meant; else people by name, telephone or card, or (`names_only`) by name."""
    text = " ".join(text.split())[:100]
    meant = people_search.card_meant(db, text)
    if meant is not None:
        return Found(text, meant)
    named = people_search.people(db, text=text, limit=FOUND_MAX, names_only=names_only) if text else []
    if len(named) == 1:
        living = [card for card in cards.of_person(db, named[0].id) if card.blocked_at_ms is None]
        if len(living) == 1:
            return Found(text, living[0])
    return Found(text, None, named, "" if named else best_uid(text))


def best_uid(text: str) -> str:
    """The UID that a text most likely means, in normal form; "" if it can be none."""
    return next((one for one in readings(text) if len(one) in UID_CHARS and HEX.fullmatch(one)), "")
