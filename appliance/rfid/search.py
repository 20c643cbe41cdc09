"""Further readers beside the one that a site needs, where none was named: the desk called `desk` takes the first reader that answers
(rfid/opening.py), and each other one that is plugged in gets a desk of its own, called after its device.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.rfid import hotplug
from appliance.rfid.desk import Desk
from appliance.rfid.device import CannotOpen, Device, Opener
from appliance.services.card_desk.taps import DeskKey

if TYPE_CHECKING:
    from appliance.rfid.reader import Reader

LOOK_EACH_S = 2.0
ASK_AGAIN_AFTER_S = 30.0
FORGET_AFTER_S = 3600.0
"""A reader that has been away for so long is no desk any more."""


class Patient:
    """Opens a reader while `may_open` says so; one that could not be had is tried again seldom, but soon after it was plugged in
    anew. It may be the first desk's, or no reader at all: a serial adapter that something else speaks through."""

    def __init__(self, path: str, open_device: Opener, may_open: Callable[[], bool]) -> None:
        self._path = path
        self._open = open_device
        self._may_open = may_open
        self._refused: ReaderState | None = None
        self._refused_file: object = None
        self._not_before_s = 0.0

    def __call__(self) -> Device:
        """In the reader's thread."""
        if not self._may_open():
            raise CannotOpen(ReaderStatus.LOOKING)
        file = which_file(self._path)
        if self._refused is not None and file == self._refused_file and time.monotonic() < self._not_before_s:
            raise CannotOpen(self._refused.status, self._refused.name, self._refused.detail)
        try:
            device = self._open()
        except CannotOpen as error:
            self._refused, self._refused_file = error.state, file
            self._not_before_s = time.monotonic() + ASK_AGAIN_AFTER_S
            raise
        self._refused = None
        return device


@dataclass(slots=True)
class Further:
    """A reader that was found; a desk once it has answered."""

    desk: Desk
    reader: Reader
    answered: bool = False
    seen_at_s: float = 0.0


class Search:
    """Looks for further readers while the first desk has its own."""

    def __init__(
        self,
        first: Desk,
        new_desk: Callable[[str], Desk],
        reader_type: type[Reader],
        opener: Callable[[str], Opener],
        key: DeskKey,
        system: Path = hotplug.SYSTEM,
    ) -> None:
        self._first = first
        self._new_desk = new_desk
        self._reader_type = reader_type
        self._opener = opener
        self._key = key
        self._system = system
        self._found: dict[str, Further] = {}

    def desks(self) -> dict[str, Desk]:
        """Those whose reader has answered."""
        for one in self._found.values():
            one.answered = one.answered or one.desk.state.status is ReaderStatus.READY
        return {one.desk.id: one.desk for one in self._found.values() if one.answered}

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            if self._first_is_ready():
                for candidate in await asyncio.to_thread(hotplug.find_readers, self._system):
                    self._take_up(candidate)
                await self._forget_old()
            await asyncio.sleep(LOOK_EACH_S)

    async def close(self) -> None:
        """Let go of all."""
        for further in self._found.values():
            await end(further)

    def _take_up(self, candidate: hotplug.Candidate) -> None:
        further = self._found.get(candidate.path)
        if further is None:
            desk = self._new_desk(candidate.name)
            opener = Patient(candidate.path, self._opener(candidate.path), self._first_is_ready)
            further = Further(desk, self._reader_type(opener, desk.hear))
            self._found[candidate.path] = further
            desk.start(further.reader, self._key)
            further.reader.start()
        further.seen_at_s = time.monotonic()

    async def _forget_old(self) -> None:
        self.desks()
        now_s = time.monotonic()
        for path, further in list(self._found.items()):
            patience_s = FORGET_AFTER_S if further.answered else 2 * LOOK_EACH_S
            if now_s - further.seen_at_s > patience_s:
                del self._found[path]
                await end(further)
                further.desk.forgive()

    def _first_is_ready(self) -> bool:
        """Otherwise the reader may be the one that the first desk looks for."""
        return self._first.state.status is ReaderStatus.READY


async def end(further: Further) -> None:
    """The desk first: a write that was begun needs the reader."""
    await further.desk.close()
    await further.reader.close()


def which_file(path: str) -> object:
    """Which device a path leads to now; another one after it was plugged in anew."""
    try:
        about = Path(path).stat()
    except OSError:
        return None
    return about.st_rdev, about.st_ino, about.st_ctime_ns
