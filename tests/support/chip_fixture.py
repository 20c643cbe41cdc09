"""A simulated reader with nfcpy on it, and the cards of one site: for tests of what is written on cards."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

from appliance.domain.cards import content
from appliance.domain.cards.tag import AnyWork, Content, Kind, Seen, TagTrouble, Trouble, Wipe, Write
from appliance.rfid import tags
from appliance.rfid.field import CardField, ReaderGone
from appliance.rfid.nfcpy_reader import NfcpyDevice, open_serial
from appliance.rfid.pn532 import NoChip
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader

SITE_KEY = bytes(range(32))
OTHER_SITE_KEY = bytes(range(1, 33))
LINK = "http://192.168.100.100:8081/card/0123456789abcdef01234567"
NEWER_LINK = "https://site.example/card/89abcdef0123456789abcdef"
LOOKS = 8
"""A FeliCa card is looked for at some of the looks only."""

TIMES_GIVEN = 2
OPENINGS = 10
"""On a machine with much to do a chip may answer so late that nobody is found; the product looks again and again."""

Made = TypeVar("Made", bound=Card)
Pull = Callable[[SimulatedReader, int], None]
"""Arranges that the card is pulled away after so many steps."""
PULLS: dict[str, Pull] = {
    "before a command": lambda reader, count: reader.tear_after(count),
    "before a write": lambda reader, count: reader.tear_after_writes(count),
    "after a write": lambda reader, count: reader.tear_after_writes(count, answer_lost=True),
}


def content_for(card: Card, issue: int = 1, site_key: bytes = SITE_KEY, link: str = "") -> Content:
    """What the desk would put on this card."""
    record = content.sign(site_key, uid_of(card), 1000017, issue)
    return Content(link or (LINK if issue == 1 else NEWER_LINK), record)


def write_for(card: Card, issue: int = 1, site_key: bytes = SITE_KEY, link: str = "") -> Write:
    """Issue this card."""
    uid = uid_of(card)
    return Write(uid, content_for(card, issue, site_key, link), content.keys(site_key, uid))


def wipe_for(card: Card, site_key: bytes = SITE_KEY) -> Wipe:
    """Take it out of use."""
    uid = uid_of(card)
    return Wipe(uid, content.keys(site_key, uid))


def uid_of(card: Card) -> str:
    """Upper-case hex."""
    return card.uid.hex().upper()


class ChipFixture:
    """The reader, opened by nfcpy over its serial line."""

    def __init__(self) -> None:
        self.reader = SimulatedReader()
        self._device: NfcpyDevice | None = None

    def __enter__(self) -> Self:
        self.reader.start()
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self.reader.stop()

    def lay(self, card: Card) -> CardField:
        """Lay a card down, and find it as the reader's thread does."""
        assert self._device
        self.reader.lay(card)
        for _ in range(LOOKS):
            if found := self._device.find():
                return found
        raise AssertionError(f"{card.kind} was not found")

    def see(self, card: Card) -> Seen:
        """What it is."""
        return self._patiently(lambda: tags.inspect(self.lay(card)))

    def do(self, card: Card, work: AnyWork) -> Seen:
        """Work that comes to its end."""
        return self._patiently(lambda: tags.perform(self.lay(card), work))

    def trouble(self, card: Card, work: AnyWork) -> Trouble:
        """Work that comes to nothing: why."""
        try:
            self.do(card, work)
        except TagTrouble as trouble:
            return trouble.trouble
        raise AssertionError("there was no trouble")

    @contextlib.contextmanager
    def pulled(self, card: Card, pull: Pull, count: int) -> Iterator[CardField]:
        """The card, about to be pulled away."""
        field = self.lay(card)
        pull(self.reader, count)
        try:
            yield field
        finally:
            self.reader.keep_all()

    def torn(
        self, make: Callable[[], Made], work: Callable[[Made], AnyWork], pull: Pull, *, step: int = 1
    ) -> Iterator[Made]:
        """Every card that can come of pulling it away during the work, first to last; it is in nobody's field.

        Between two writes there are many commands at which it may go, and the same card comes of them all. Of those it is given
        twice, so that a test may do one thing to every other card and still do both to each.
        """
        given: Counter[str] = Counter()
        for count in itertools.count(0, step):
            card = make()
            before = _lasting(card)
            trouble = self._pull_away(card, work(card), pull, count)
            if trouble is None:
                assert count > 0
                return
            assert trouble in {Trouble.GONE, Trouble.TORN}
            after = _lasting(card)
            assert trouble is Trouble.TORN or after == before
            given[after] += 1
            if given[after] <= TIMES_GIVEN:
                yield card

    def _pull_away(self, card: Card, work: AnyWork, pull: Pull, count: int) -> Trouble | None:
        """What came of it; None if it was done before the card was pulled away."""
        try:
            with self.pulled(card, pull, count) as field:
                tags.perform(field, work)
        except TagTrouble as trouble:
            return trouble.trouble
        except ReaderGone:
            self._open()
            return Trouble.TORN
        return None

    def _patiently(self, attempt: Callable[[], Seen]) -> Seen:
        """As the reader's thread does it: nfcpy takes a chip that answers late for a dead one, and is opened anew."""
        for _ in range(OPENINGS):
            try:
                return attempt()
            except ReaderGone:
                self._open()
        return attempt()

    def _open(self) -> None:
        self._close()
        for _ in range(OPENINGS):
            with contextlib.suppress(NoChip):
                self._device = open_serial(str(self.reader.path))
                return
        self._device = open_serial(str(self.reader.path))

    def _close(self) -> None:
        if self._device:
            self._device.close()
        self._device = None


def _lasting(card: Card) -> str:
    """What is in a card's memory, but for a chip's own count of taps, which moves when it is only looked at."""
    state = card.state()
    if card.kind is Kind.NTAG424:
        state["files"] = {name: file | {"counter": 0} for name, file in state["files"].items()}
    return json.dumps(state, sort_keys=True)
