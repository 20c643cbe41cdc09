"""The newest count of taps that a card with a counter of its own (NTAG 424 DNA) has told."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import CardId


def count_up(db: Readable, card: CardId, counter: int) -> bool:
    """Keep a count that is higher than all before; False if it is not, so that somebody plays an old one again."""
    found = db.execute(
        "UPDATE card SET tap_counter = :counter WHERE id = :card AND tap_counter < :counter",
        {"card": card, "counter": counter},
    )
    return found.rowcount == 1
