"""The field of the reader and the cards that lie in it: which of them answer, which is selected, and when one is pulled away.

Here a test arranges what goes wrong between reader and card; what goes wrong on the serial line is in `reader`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from appliance.simulator.nfc.cards import Answer, Card, LeftField, Silent, Technology, TypeACard, TypeFCard

ANY_CARD = b""


@dataclass(slots=True)
class Mishap:
    """Something that happens once, after so many commands to cards, or writes of theirs."""

    left: int
    counts_writes: bool
    answer_lost: bool
    """After the last write at once, so that its answer is lost; otherwise right before the next one."""
    happens: Callable[[], None]


class Antenna:
    """The field and what lies in it. Not for several threads: the reader holds its lock around every call."""

    def __init__(self) -> None:
        self.cards: list[Card] = []
        self.is_on = False
        self.happened = threading.Event()
        """Set when the mishap that was arranged has happened."""
        self._mishap: Mishap | None = None
        self._targets: list[Card] = []
        self._selected: Card | None = None
        self._turn = 0

    def put(self, card: Card) -> None:
        """Lay a card beside what lies there."""
        if card not in self.cards:
            self.cards.append(card)
            card.laid()
            card.on_write = self._before_write

    def clear(self) -> None:
        """Take all cards off."""
        for card in self.cards:
            card.field_off()
            card.on_write = None
        self.cards = []
        self._forget()

    def switch(self, *, on: bool) -> None:
        """The field on or off; without it no card keeps its selection."""
        self.is_on = on
        if not on:
            for card in self.cards:
                card.field_off()
            self._forget()

    def arrange(self, mishap: Mishap | None) -> None:
        """Let something go wrong, or no longer."""
        self._mishap = mishap
        self.happened.clear()

    def find_type_a(self, uid: bytes = ANY_CARD, *, most: int = 1) -> list[TypeACard]:
        """Select up to `most` cards of type A, those that were halted left out unless called by their UID.

        Of two cards one wins the anticollision, and the next time the other: that is how they lie a little closer or
        farther. The last that was selected is the one that answers.
        """
        self.is_on = True
        cards = [card for card in self.cards if isinstance(card, TypeACard)]
        if uid:
            found = [card for card in cards if card.uid == uid]
        else:
            found = [card for card in cards if not card.halted]
            if len(found) > most:
                self._turn += 1
                found = (found[self._turn % len(found) :] + found)[:most]
        self._choose(list(found))
        for card in found[:-1]:
            card.halt()
        return found

    def find_type_f(self, system_code: bytes, request: int) -> bytes | None:
        """Poll for a FeliCa card and select the first that answers: its answer."""
        self.is_on = True
        for card in self.cards:
            polled = card.poll(system_code, request) if isinstance(card, TypeFCard) else None
            if polled is not None:
                self._choose([card])
                return polled
        self._choose([])
        return None

    def target(self, number: int) -> Card:
        """The card which the last search found as its first (1) or second, selected again if it was not.

        Raises:
            Silent: There is none.
        """
        if not 1 <= number <= len(self._targets):
            raise Silent
        card = self._targets[number - 1]
        if card is not self._selected:
            if isinstance(self._selected, TypeACard):
                self._selected.halt()
            card.select()
            self._selected = card
        return card

    def release(self) -> None:
        """Forget the selected cards."""
        self._choose([])

    def exchange(self, frame: bytes, technology: Technology | None = None) -> Answer:
        """Send a command to the selected card.

        Args:
            frame: Without checksum.
            technology: How the reader modulates; None: as the card wants it.

        Raises:
            Silent: No answer came.
        """
        mishap = self._mishap
        if mishap is not None and not mishap.counts_writes:
            if mishap.left == 0:
                self._happen(mishap)
            mishap.left -= 1
        card = self._selected
        if card is None or technology not in {None, card.technology}:
            raise Silent
        try:
            answer = card.exchange(frame)
        except LeftField:
            if mishap is not None:
                self._happen(mishap)
            raise Silent from None
        if mishap is not None and mishap.counts_writes and mishap.answer_lost and mishap.left == 0:
            self._happen(mishap)
        return answer

    def _before_write(self) -> None:
        mishap = self._mishap
        if mishap is None or not mishap.counts_writes:
            return
        if mishap.left == 0:
            raise LeftField
        mishap.left -= 1

    def _happen(self, mishap: Mishap) -> None:
        """Let it happen: no answer comes from the card any more."""
        self._mishap = None
        mishap.happens()
        self.happened.set()
        raise Silent

    def _choose(self, cards: list[Card]) -> None:
        for card in self.cards:
            card.active = False
        for card in cards:
            card.select()
        self._targets = cards
        self._selected = cards[-1] if cards else None

    def _forget(self) -> None:
        self._targets = []
        self._selected = None
