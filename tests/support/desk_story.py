"""A card desk for tests: the simulated chip on a pseudo terminal, the product's reader and desk, and a site's books in a file. Only
the clock is the test's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from appliance.db import ledger
from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards as card_rows
from appliance.db.cards.cards import Card as CardRow
from appliance.db.engine.protocols import Readable
from appliance.db.engine.store import Store
from appliance.db.people import people
from appliance.db.reconciling.rows import Sums
from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.by import By
from appliance.domain.cards import content
from appliance.domain.cards.content import Origin
from appliance.domain.cards.tag import ReaderStatus, Seen
from appliance.domain.identifiers import CardId, PersonId
from appliance.rfid.desk import Desk
from appliance.rfid.opening import opener
from appliance.rfid.reader import Reader
from appliance.services.announce import Announcement, Hub
from appliance.services.card_desk.taps import DeskKey
from appliance.services.reconciling.reconciling import reconcile
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.support.books import ACTOR, NOON_MS, SECRET, Books, open_books

T = TypeVar("T")

DESK = "office"
KEY = DeskKey(SECRET, "http://192.168.100.100:8081/card/")
PATIENCE_S = 20.0
QUICKLY_S = 0.01
OVER = ("done", "torn", "failed")


@dataclass(slots=True)
class Watch:
    """Wakes whoever waits for something to become true, at each announcement."""

    heard: list[Announcement] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, announcements: list[Announcement]) -> None:
        """From the hub."""
        self.heard += announcements
        self.changed.set()

    async def until(self, look: Callable[[], Awaitable[T]], true: Callable[[T], bool]) -> T:
        """What a look finds, once it is so. News between a look and the wait after it are not lost: they are forgotten before
        each look, never after it.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.changed.clear()
                found = await look()
                if true(found):
                    return found
                await self.changed.wait()

    async def until_true(self, true: Callable[[], bool]) -> None:
        """The same for what can be seen without waiting."""

        async def look() -> bool:
            return true()

        await self.until(look, bool)


class Story:
    """One desk and its site; verbs for what cashier and customers do."""

    def __init__(self, path: Path, simulated: SimulatedReader, store: Store, hub: Hub) -> None:
        self.path = path
        self.simulated = simulated
        self.store = store
        self.hub = hub
        self.now_ms = NOON_MS
        self.watch = Watch()
        hub.listen(self.watch.hear)
        self.desk = Desk(DESK, store, hub, self.clock, expected=True, complain_after_s=0.0)
        self.reader = Reader(
            opener(str(simulated.path)), self.desk.hear, look_each_s=QUICKLY_S, reopen_after_s=(QUICKLY_S, QUICKLY_S)
        )
        hub.listen(lambda _announcements: self.desk.look_again())

    def clock(self) -> int:
        """Each moment is a little later than the one before."""
        self.now_ms += 1
        return self.now_ms

    async def begin(self, unit: Callable[..., int], *arguments: Any, **options: Any) -> int:
        """Something asked of the desk; the number of the job."""
        return await self.store.write(lambda db: unit(db, *arguments, By(ACTOR, self.clock()), **options))

    async def begin_at_desk(self, unit: Callable[..., int], *arguments: Any, **options: Any) -> int:
        """The same for what names the desk."""
        return await self.begin(unit, DESK, *arguments, **options)

    async def until(self, query: Callable[[Readable], T], true: Callable[[T], bool]) -> T:
        """What the books say, once it is so."""
        return await self.watch.until(lambda: self.store.read(query), true)

    async def until_state(self, job: int, *states: str) -> Job:
        """The job, once it has come to one of these."""
        found = await self.until(lambda db: rows.find(db, job), lambda one: one is not None and one.state in states)
        assert found is not None
        return found

    async def until_advice(self, job: int, advice: str) -> Job:
        """The job, once it says why the card that lies there will not do."""
        found = await self.until(lambda db: rows.find(db, job), lambda one: one is not None and one.advice == advice)
        assert found is not None
        return found

    async def until_made(self, job: int, made: int) -> Job:
        """The batch, once so many of its cards are made."""
        found = await self.until(lambda db: rows.find(db, job), lambda one: one is not None and one.made == made)
        assert found is not None
        return found

    async def until_true(self, true: Callable[[], bool]) -> None:
        """Wait for something that is announced."""
        await self.watch.until_true(true)

    async def until_ready(self) -> None:
        """The reader is there."""
        await self.until_true(lambda: self.desk.state.status is ReaderStatus.READY)

    async def until_gone(self) -> None:
        """Nothing lies on the reader."""
        await self.until_true(lambda: self.desk.seen is None)

    async def until_lying(self, card: Card) -> Seen:
        """This card lies on the reader, and has been read."""
        uid = card.uid.hex().upper()
        await self.until_true(lambda: self.desk.seen is not None and self.desk.seen.uid == uid)
        assert self.desk.seen is not None
        return self.desk.seen

    async def lay(self, card: Card) -> Seen:
        """Lay a card down, and wait until it has been read."""
        self.simulated.lay(card)
        return await self.until_lying(card)

    async def take(self) -> None:
        """Take it off."""
        self.simulated.take()
        await self.until_gone()

    async def wait_for_mishap(self) -> None:
        """Until what was arranged with the reader has happened."""
        assert await asyncio.to_thread(self.simulated.mishap.wait, PATIENCE_S)

    async def card(self, card: Card) -> CardRow | None:
        """Its row."""
        return await self.store.read(card_rows.by_uid, card.uid.hex().upper())

    async def cards(self) -> list[tuple[str, str]]:
        """UID and content of all rows."""
        return await self.store.read(lambda db: db.execute("SELECT uid, content FROM card ORDER BY id").fetchall())

    async def receipts(self) -> list[Receipt]:
        """All that were written, the oldest first."""
        return await self.store.read(all_receipts)

    async def balance(self, person: PersonId) -> int:
        """What is in the wallet."""
        found = await self.store.read(people.find, person)
        assert found is not None
        return found.balance_minor

    async def wrong_in_books(self) -> list[str]:
        """What is wrong in the ledger, and what would stop money."""
        differences = [str(one) for one in await self.store.read(reconcile, Sums())]
        return await self.store.read(ledger.verify) + differences

    async def problems(self, kind: str) -> list[str]:
        """Subjects of the open ones."""
        query = "SELECT subject FROM problem WHERE kind = ? AND cleared_at_ms IS NULL"
        return [subject for (subject,) in await self.store.read(lambda db: db.execute(query, (kind,)).fetchall())]

    async def agrees(self, card: Card) -> bool:
        """Whether what stands on the chip is what stands in its row, and it is locked as it should be."""
        row = await self.card(card)
        assert row is not None
        async with asyncio.timeout(PATIENCE_S):
            # On a busy machine the simulated chip may answer later than nfcpy waits; a real card would be looked for again, too.
            while (seen := await self.reader.look()) is None:
                pass
        record = content.read(KEY.site_key, seen.uid, seen.content.record)
        if row.content == "written":
            written = (Origin.OURS, row.number, row.issue, KEY.link_base + row.token, True)
            return (record.origin, record.number, record.issue, seen.content.link, seen.locked) == written
        if row.content == "wiped":
            return (record.origin, seen.content.link, seen.locked) == (Origin.BLANK, "", False)
        return False


@asynccontextmanager
async def open_story(folder: Path, fill: Callable[[Books], object]) -> AsyncIterator[Story]:
    """A desk with its reader plugged in and nothing on it, at a site filled by the test."""
    path = folder / "forecourt.db"
    books = open_books(path)
    fill(books)
    books.db.close()
    hub = Hub()
    store = Store(path, announce=hub.announce)
    await store.open()
    with SimulatedReader(link=folder / "reader") as simulated:
        told = Story(path, simulated, store, hub)
        told.desk.start(told.reader, KEY)
        told.reader.start()
        try:
            await told.until_ready()
            yield told
        finally:
            await told.desk.close()
            await told.reader.close()
            await store.close()


def all_receipts(db: Readable) -> list[Receipt]:
    """The oldest first."""
    numbers = db.execute("SELECT number FROM receipt ORDER BY number").fetchall()
    return [receipt for (number,) in numbers if (receipt := receipts.find(db, number)) is not None]


def person_of(card: CardRow | None) -> PersonId:
    """Whose card it is."""
    assert card is not None
    return card.person_id


def number_of(card: CardRow | None) -> CardId:
    """Its number in the books."""
    assert card is not None
    return card.id
