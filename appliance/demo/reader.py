"""The demo's reader: a drawer of cards that are laid on it with a mouse. None of this exists on a real site.

It implements `DemoReader` of services/ports/demo.py. What is written on the cards survives a restart of the demo.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from appliance.domain.cards.tag import Kind
from appliance.services.ports.demo import DemoCard
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card, TypeFCard
from appliance.simulator.nfc.catalogue import TELEPHONE
from appliance.simulator.nfc.iso_dep import IsoDepCard
from appliance.simulator.nfc.reader import SimulatedReader

log = logging.getLogger(__name__)

DRAWER: Final = (
    Kind.NTAG213,
    Kind.NTAG213,
    Kind.NTAG213,
    Kind.NTAG215,
    Kind.NTAG424,
    Kind.CLASSIC,
    TELEPHONE,
    Kind.FELICA,
)
"""What lies in a new drawer."""
CARDS_FILE: Final = "cards.json"
LINK: Final = "reader"
WRITES_BEFORE_TEAR: Final = 5
"""In the middle of a card that is written in pages of four bytes."""
LONG_WRITES_BEFORE_TEAR: Final = 1
"""The same where one command writes more than hundred bytes, or sixteen."""


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A card that somebody on the demo site has already."""

    name: str
    kind: str
    uid: str
    """Hex."""


@dataclass(frozen=True, slots=True)
class _Entry:
    number: int
    name: str
    kind: str
    card: Card


class CardDrawer:
    """A simulated reader with its drawer. Use it as a context manager, or call `start` and `stop`; from any thread."""

    def __init__(self, folder: Path | None = None, known: Sequence[KnownCard] = ()) -> None:
        """A reader that is plugged in, with nothing on it.

        Args:
            folder: Where the cards are kept, and where a symbolic link leads to the reader wherever it was plugged in;
                None: neither.
            known: Cards that lie in the drawer besides, once.
        """
        self._file = None if folder is None else folder / CARDS_FILE
        self._reader = SimulatedReader(link=None if folder is None else folder / LINK, changed=self._save)
        self._entries: dict[int, _Entry] = {}
        self._load()
        for kind in DRAWER if not self._entries else ():
            self._add(kind)
        uids = {entry.card.uid.hex() for entry in self._entries.values()}
        for card in known:
            if card.uid.lower() not in uids:
                self._add(card.kind, card.name, bytes.fromhex(card.uid))
        self._save()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def path(self) -> Path:
        """The device, for `serve --reader`."""
        return self._reader.path

    @property
    def reader(self) -> SimulatedReader:
        """The reader itself."""
        return self._reader

    def start(self) -> None:
        """Answer from now on."""
        self._reader.start()

    def stop(self) -> None:
        """Put everything away."""
        self._reader.stop()
        self._save()

    def cards(self) -> list[DemoCard]:
        """All cards in the drawer and on the reader."""
        with self._reader.quiet():
            on_reader = self._reader.cards
            return [_demo_card(entry, entry.card in on_reader) for entry in self._entries.values()]

    def lay(self, card: int) -> None:
        """Put a card on the reader, instead of what lies there; KeyError if there is none."""
        with self._reader.quiet():
            entry = self._entries[card]
            self._reader.lay(entry.card)
            self._save()

    def take(self) -> None:
        """Take the card off."""
        with self._reader.quiet():
            self._reader.take()
            self._save()

    def tear(self, card: int) -> None:
        """Lay it, and pull it away in the middle of the next write; KeyError if there is none."""
        with self._reader.quiet():
            entry = self._entries[card]
            self._reader.lay(entry.card)
            writes_much = isinstance(entry.card, IsoDepCard | TypeFCard)
            self._reader.tear_after_writes(LONG_WRITES_BEFORE_TEAR if writes_much else WRITES_BEFORE_TEAR)

    def set_plugged(self, plugged: bool) -> None:
        """Pull the reader's lead, or put it back."""
        if plugged:
            self._reader.replug()
        else:
            self._reader.unplug()

    def new_card(self, kind: str) -> DemoCard:
        """A blank card of a kind out of the box; KeyError if there is no such kind (`catalogue.MAKERS`)."""
        with self._reader.quiet():
            entry = self._add(kind)
            self._save()
            return _demo_card(entry, on_reader=False)

    def _add(self, kind: str, name: str | None = None, uid: bytes | None = None) -> _Entry:
        used = {entry.card.uid for entry in self._entries.values()}
        card = catalogue.make(kind, uid or catalogue.genuine_uid(kind, used))
        number = max(self._entries, default=0) + 1
        entry = _Entry(number, name or self._name(kind), kind, card)
        self._entries[number] = entry
        return entry

    def _name(self, kind: str) -> str:
        """Of several of a kind the second is `NTAG213 2`, so that they can be told apart."""
        count = sum(entry.kind == kind for entry in self._entries.values())
        return f"{kind} {count + 1}" if count else str(kind)

    def _save(self) -> None:
        if self._file is None:
            return
        with self._reader.quiet():
            cards = [
                {"id": entry.number, "name": entry.name, "kind": entry.kind, "state": entry.card.state()}
                for entry in self._entries.values()
            ]
            catalogue.save(self._file, {"cards": cards})

    def _load(self) -> None:
        content = None if self._file is None else catalogue.load(self._file)
        if content is None:
            return
        try:
            for stored in content["cards"]:
                entry = _loaded(stored)
                self._entries[entry.number] = entry
        except (KeyError, TypeError, ValueError):
            log.warning("drawer of cards could not be read", extra={"file": str(self._file)})
            self._entries.clear()


def _loaded(stored: dict[str, Any]) -> _Entry:
    card = catalogue.make(stored["kind"])
    card.restore(stored["state"])
    return _Entry(int(stored["id"]), str(stored["name"]), str(stored["kind"]), card)


def _demo_card(entry: _Entry, on_reader: bool) -> DemoCard:
    return DemoCard(entry.number, entry.name, str(entry.kind), entry.card.uid.hex().upper(), on_reader)
