"""What happened, told to the rest of the program after the commit: live pages, event streams, commands that follow.

A unit of work calls `db.announce(...)`; the store passes what was announced to the hub once it is on disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

log = logging.getLogger(__name__)


@dataclass(slots=True)
class StationChanged:
    """Its row, its connection or one of its connectors is another; `evse` 0: the station as a whole."""

    station: int
    evse: int = 0


@dataclass(slots=True)
class BootHeard:
    """A station has said who it is, let in or not."""

    station: int


@dataclass(slots=True)
class AdmissionChanged:
    """A station was registered, let in, turned away or retired, or proves in another way who it is: whoever holds its connection sees to it."""

    station: int


@dataclass(slots=True)
class SessionChanged:
    """A session began, ended or was measured."""

    session: int
    station: int
    evse: int
    person: int | None
    what: str
    """requested, started, measured, ended, failed, review, stop_wanted"""


@dataclass(slots=True)
class PersonChanged:
    """A person, a card of theirs or their balance."""

    person: int


@dataclass(slots=True)
class ShiftChanged:
    """A shift was opened or closed, or cash moved in its drawer that has to do with nobody's wallet."""

    shift: int


@dataclass(slots=True)
class ProblemsChanged:
    """A problem appeared or went away."""


@dataclass(slots=True)
class SettingsChanged:
    """A setting, a tariff or a group."""


class DeskNews(StrEnum):
    """What happened at a card desk: the names of the events that programs are sent."""

    READER = "reader"
    """Its reader is in another state."""
    CARD = "card"
    """A card was laid."""
    GONE = "gone"
    """It was taken."""
    PROGRESS = "progress"
    """A job was begun, or goes on."""
    DONE = "done"
    """A job is over."""


@dataclass(slots=True)
class DeskChanged:
    """Something at a card desk."""

    desk: str
    what: DeskNews
    job: int | None = None


@dataclass(slots=True)
class CardRevoked:
    """A card must charge nowhere any more: stations that remember it are told to forget it."""

    card: int
    tokens: tuple[str, ...]
    """Its UID in normal form, and what stations call it besides."""


@dataclass(slots=True)
class CardRefused:
    """A station was told that a card may not charge, for whatever reason."""

    station: int
    token: str


@dataclass(slots=True)
class UnknownTagSeen:
    """A station was shown a card that nobody knows."""

    station: int
    token: str


Announcement = (
    StationChanged
    | BootHeard
    | AdmissionChanged
    | SessionChanged
    | PersonChanged
    | ShiftChanged
    | ProblemsChanged
    | SettingsChanged
    | DeskChanged
    | CardRevoked
    | CardRefused
    | UnknownTagSeen
)
Listener = Callable[[list[Announcement]], None]


class Hub:
    """Passes announcements on, in the event loop. A listener is quick: it notes what it needs and returns."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Listener, frozenset[type[Announcement]]]] = []

    def listen(self, listener: Listener, *kinds: type[Announcement]) -> Callable[[], None]:
        """Add a listener, to be told when there is anything of these kinds, or of any; call the result to remove it."""
        listening = listener, frozenset(kinds)
        self._listeners.append(listening)
        return lambda: self._listeners.remove(listening)

    def announce(self, announcements: list[Announcement]) -> None:
        """Tell all listeners. One that fails does not keep it from the others."""
        told = set(map(type, announcements))
        for listener, kinds in tuple(self._listeners):
            if kinds and kinds.isdisjoint(told):
                continue
            try:
                listener(announcements)
            except Exception:
                log.exception("a listener failed")
