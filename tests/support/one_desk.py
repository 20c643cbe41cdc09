"""A card desk without hardware for tests of what stands above it: a port of desks whose only reader is a variable.

It does what the real desk does (hear of jobs, book, write, report), on chips that are plain values. The real desk with the
real reader stack is tested in tests/rfid and tests/scenarios.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from appliance.db.engine.store import Store
from appliance.domain.cards.tag import (
    AnyWork,
    Content,
    Keys,
    Kind,
    ReaderState,
    ReaderStatus,
    Seen,
    Trouble,
    Wipe,
    Write,
)
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.services.announce import Announcement, DeskChanged, DeskNews, Hub
from appliance.services.card_desk import taps
from appliance.services.card_desk.taps import DeskKey
from appliance.services.ports.readers import Channel, DeskView

READY = ReaderState(ReaderStatus.READY, "PN532v1.6 at /dev/ttyUSB0", "/dev/ttyUSB0")


@dataclass(slots=True)
class Chip:
    """A card in somebody's hand."""

    uid: str
    kind: Kind = Kind.NTAG213
    writable: bool = True
    content: Content = field(default_factory=Content)
    keys: Keys | None = None
    """What it is locked with."""
    foreign: bool = False
    genuine: bool | None = True
    random: bool = False
    several: bool = False
    """Another one lies there beneath it."""

    def seen(self) -> Seen:
        """As a reader sees it."""
        return Seen(
            self.uid,
            self.kind,
            self.content,
            writable=self.writable,
            locked=self.keys is not None,
            genuine=self.genuine,
            random=self.random,
            foreign=self.foreign,
            several=self.several,
        )

    def obey(self, work: AnyWork) -> Trouble | None:
        """Be written or emptied; what it has against that."""
        assert isinstance(work, Write | Wipe)
        if work.uid != self.uid:
            return Trouble.OTHER_CARD
        if self.keys is not None and self.keys != work.keys:
            return Trouble.LOCKED
        if isinstance(work, Write):
            self.content, self.keys = work.content, work.keys
        else:
            self.content, self.keys = Content(), None
        self.foreign = False
        return None

    def tear(self, work: AnyWork) -> None:
        """Be taken away in the middle of it: the lock is ours already, the record is not whole."""
        assert isinstance(work, Write | Wipe)
        self.content, self.keys = Content("http://half", b""), work.keys


class OneDesk:
    """The desk `counter`, and whoever joins."""

    def __init__(self, store: Store, hub: Hub, key: DeskKey, clock: Clock) -> None:
        self.id = "counter"
        self.reader = READY
        self.chip: Chip | None = None
        self.trouble: Trouble | None = None
        """What the next work comes to; the card is left alone then until it is laid again."""
        self._in_vain: Chip | None = None
        self.joined: list[str] = []
        self.nobody_joined = asyncio.Event()
        self._store, self._hub, self._key, self._clock = store, hub, key, clock
        self._news = asyncio.Event()

    # What the rest of the program asks (ports.Desks).

    def all(self) -> list[DeskView]:
        """This one, then those who joined."""
        seen = self.chip.seen() if self.chip is not None else None
        here = DeskView(self.id, "Counter", remote=False, reader=self.reader, seen=seen)
        return [here, *(DeskView(name, name, remote=True, reader=READY, seen=None) for name in self.joined)]

    def find(self, desk: str) -> DeskView | None:
        """One of them."""
        return next((view for view in self.all() if view.id == desk), None)

    async def join(self, name: str, channel: Channel) -> None:
        """Say back what is heard, until nothing is."""
        if self.find(name) is not None:
            raise Refusal("A desk called {name} is joined already.", name=name)
        self.joined.append(name)
        try:
            while (text := await channel.receive()) is not None:
                await channel.send(f"heard {text}")
        finally:
            self.joined.remove(name)
            self.nobody_joined.set()

    # What a test does to it.

    def lay(self, chip: Chip) -> None:
        """Put a card on the reader."""
        self.chip, self._in_vain = chip, None
        self._hub.announce([DeskChanged(self.id, DeskNews.CARD)])
        self._news.set()

    def take(self) -> None:
        """Take it away."""
        self.chip = None
        self._hub.announce([DeskChanged(self.id, DeskNews.GONE)])

    def set_reader(self, state: ReaderState) -> None:
        """The reader is in another state."""
        self.reader = state
        self._hub.announce([DeskChanged(self.id, DeskNews.READER)])

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[OneDesk]:
        """It works, as long as the block lasts."""
        work = asyncio.create_task(self._run(), name="desk of the test")
        deaf = self._hub.listen(self._hear)
        try:
            yield self
        finally:
            deaf()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work

    def _hear(self, announcements: list[Announcement]) -> None:
        if any(isinstance(one, DeskChanged) and (one.desk, one.what) == (self.id, "progress") for one in announcements):
            self._news.set()

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            if self.chip is not None and self.chip is not self._in_vain:
                await self._serve(self.chip)

    async def _serve(self, chip: Chip) -> None:
        plan = await self._store.write(taps.tapped, self.id, chip.seen(), self._key, self._clock())
        if plan.work is None or plan.card is None:
            return
        trouble, self.trouble = self.trouble, None
        if trouble is Trouble.TORN:
            chip.tear(plan.work)
            self.take()
        trouble = trouble or chip.obey(plan.work)
        if trouble is None:
            await self._store.write(taps.written, plan.card, self._clock())
        else:
            self._in_vain = chip
            await self._store.write(taps.failed, plan.card, trouble, self._clock())
