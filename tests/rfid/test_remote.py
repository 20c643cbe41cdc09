"""A desk on another computer: the product's reader on the simulated chip at one end, the site's desks at the other, and between them
a channel that can break. The websocket itself is in tests/scenarios/test_remote_desk.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from appliance.db.cards import cards
from appliance.db.engine.store import Store
from appliance.domain.by import By
from appliance.domain.cards.tag import Kind, ReaderState, ReaderStatus, Seen
from appliance.domain.errors import Conflict, Invalid
from appliance.rfid import remote, wire
from appliance.rfid.desks import CardDesks
from appliance.rfid.opening import opener
from appliance.rfid.reader import Reader
from appliance.rfid.remote import FarDesk, NotWelcome
from appliance.services.announce import Hub
from appliance.services.card_desk import jobs
from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.ntag import PasswordCard
from appliance.simulator.nfc.reader import SimulatedReader
from tests.support.books import ACTOR, NOON_MS, open_books
from tests.support.desk_story import KEY, OVER, PATIENCE_S, QUICKLY_S, Watch

NAME = "office"
CARD = Seen("04A1B2C3D4E580", Kind.NTAG213, writable=True)


class End:
    """One end of a channel in memory."""

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str | None] = asyncio.Queue()
        self.other: End
        self.closed = False

    async def send(self, text: str) -> None:
        """To the other end."""
        if self.closed:
            raise ConnectionResetError("closed")
        self.other.texts.put_nowait(text)

    async def receive(self) -> str | None:
        """From the other end; None for ever once it is closed."""
        text = None if self.closed and self.texts.empty() else await self.texts.get()
        return None if text is None else text

    def close(self) -> None:
        """Both ends hear of it."""
        for end in (self, self.other):
            end.closed = True
            end.texts.put_nowait(None)


def channel() -> tuple[End, End]:
    """Both ends."""
    here, there = End(), End()
    here.other, there.other = there, here
    return here, there


class Site:
    """The site's desks and books."""

    def __init__(self, store: Store, hub: Hub, desks: CardDesks) -> None:
        self.store, self.hub, self.desks = store, hub, desks
        self.watch = Watch()
        hub.listen(self.watch.hear)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that is announced."""
        await self.watch.until_true(true)

    async def until_over(self, job: int, *states: str) -> str:
        """What the job came to; `states`: once it has come to one of these."""
        found = await self.watch.until(
            lambda: self.store.read(jobs.need, job), lambda one: one.state in (states or OVER)
        )
        return found.state

    async def issue(self, name: str = "Rahima Khatun") -> int:
        """Ask the desk for a card."""
        return await self.store.write(
            lambda db: jobs.begin_issue(db, NAME, By(ACTOR, clock()), name=name, topup_minor=10_000)
        )

    def seen(self) -> Seen | None:
        """What lies on the desk."""
        view = self.desks.find(NAME)
        return view.seen if view is not None else None


def clock() -> int:
    return NOON_MS


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site without a reader of its own."""
    books = open_books(tmp_path / "forecourt.db")
    books.group("prepaid")
    books.db.close()
    hub = Hub()
    store = Store(tmp_path / "forecourt.db", announce=hub.announce)
    await store.open()
    desks = CardDesks(store, hub, clock, ["none"])
    async with desks.running(KEY):
        yield Site(store, hub, desks)
    await store.close()


@asynccontextmanager
async def joined(site: Site, far: FarDesk, reader: Reader) -> AsyncIterator[End]:
    """The desk has joined; what is yielded closes the connection."""
    here, there = channel()
    welcome = asyncio.Event()
    async with AsyncExitStack() as stack:
        at_site = asyncio.create_task(site.desks.join(NAME, here))
        at_desk = asyncio.create_task(far.serve(there, reader, welcome.set))
        stack.push_async_callback(lambda: asyncio.gather(at_site, at_desk, return_exceptions=True))
        stack.callback(there.close)
        async with asyncio.timeout(PATIENCE_S):
            await welcome.wait()
        yield there


@asynccontextmanager
async def far_away(simulated: SimulatedReader) -> AsyncIterator[tuple[FarDesk, Reader]]:
    """The other computer, with its reader."""
    far = FarDesk()
    reader = Reader(opener(str(simulated.path)), far.hear, look_each_s=QUICKLY_S, reopen_after_s=(QUICKLY_S, QUICKLY_S))
    reader.start()
    yield far, reader
    await reader.close()


async def test_a_reader_elsewhere_issues_cards_as_one_that_is_here(site: Site, simulated: SimulatedReader) -> None:
    card = PasswordCard(ntag.NTAG213)
    async with far_away(simulated) as (far, reader), joined(site, far, reader):
        await site.until(lambda: [one.reader.status for one in site.desks.all()] == [ReaderStatus.READY])
        assert site.desks.all()[0].remote
        job = await site.issue()
        simulated.lay(card)
        assert await site.until_over(job) == "done"
        seen = site.seen()
        assert seen is not None
        assert seen.content.link.startswith(KEY.link_base)
        assert card.locked
        simulated.take()
        await site.until(lambda: site.seen() is None)


async def test_a_card_that_lies_there_already_is_told_of_when_the_desk_joins(
    site: Site, simulated: SimulatedReader
) -> None:
    async with far_away(simulated) as (far, reader):
        for _ in range(2):
            simulated.lay(PasswordCard(ntag.NTAG213, bytes.fromhex(CARD.uid)))
            async with joined(site, far, reader):
                await site.until(lambda: getattr(site.seen(), "uid", "") == CARD.uid)
            await site.until(lambda: site.seen() is None)


async def test_a_connection_that_breaks_in_the_middle_of_a_write_leaves_a_torn_card_that_is_mended_at_the_next(
    site: Site, simulated: SimulatedReader
) -> None:
    card = PasswordCard(ntag.NTAG213)
    loop = asyncio.get_running_loop()
    async with far_away(simulated) as (far, reader):
        async with joined(site, far, reader) as connection:
            simulated.lay(card)
            await site.until(lambda: site.seen() is not None)
            pull_away = card.on_write

            def break_connection() -> None:
                if card.writes == 3:
                    loop.call_soon_threadsafe(connection.close)
                if pull_away is not None:
                    pull_away()

            card.on_write = break_connection
            job = await site.issue()
            assert await site.until_over(job) == "torn"
        async with joined(site, far, reader):
            await site.until(lambda: site.seen() is not None)
            assert await site.until_over(job, "done") == "done"
        row = await site.store.read(cards.by_uid, card.uid.hex().upper())
        assert row is not None
        assert row.content == "written"
    assert await site.store.read(lambda db: db.execute("SELECT count(*) FROM receipt").fetchone()) == (1,)


async def test_a_second_desk_of_the_same_name_is_refused_while_the_first_is_there(site: Site) -> None:
    here, there = channel()
    first = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    await site.until(lambda: site.desks.find(NAME) is not None)
    with pytest.raises(Conflict):
        await site.desks.join(NAME, channel()[0])
    await there.send(wire.write(wire.Bye()))
    await first
    assert site.desks.find(NAME) is None


@pytest.mark.parametrize("name", ["", "Office", "a b", "-x", "x" * 33, "../x", "ä"])
async def test_a_desk_without_a_proper_name_is_refused(site: Site, name: str) -> None:
    with pytest.raises(Invalid):
        await site.desks.join(name, channel()[0])


async def test_a_desk_that_says_good_bye_is_forgotten_and_one_that_vanishes_is_missed(site: Site) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    there.close()
    await serving
    view = site.desks.find(NAME)
    assert view is not None
    assert view.reader.status is ReaderStatus.LOOKING

    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    await there.send(wire.write(wire.Bye()))
    await serving
    assert site.desks.all() == []


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"type":"laid"}', '{"type":"hello","version":1}', '{"type":"work","id":1}', "x" * 20_000],
)
async def test_a_desk_that_speaks_nonsense_is_sent_away_with_a_reason_and_the_next_one_is_served(
    site: Site, text: str
) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    await there.send(text)
    await serving
    last = wire.read_down(await said(there))
    assert isinstance(last, wire.Refused)
    assert last.why != ""

    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    await there.send(wire.write(wire.Laid(CARD)))
    await site.until(lambda: site.seen() == CARD)
    await there.send(wire.write(wire.Bye()))
    await serving


@pytest.mark.parametrize("text", ["", '{"type":"alive"}', '{"type":"hello","version":2}'])
async def test_who_does_not_begin_as_a_desk_does_not_become_one(site: Site, text: str) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await there.send(text)
    assert isinstance(wire.read_down(await said(there)), wire.Refused)
    await serving
    assert site.desks.all() == []


async def test_too_many_texts_end_the_connection(site: Site) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    for _ in range(remote.TEXTS_MAX + 1):
        await there.send(wire.write(wire.Alive()))
    await serving


async def test_an_answer_that_nobody_asked_for_is_passed_over(site: Site) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    await there.send(wire.write(wire.Result(7, CARD)))
    await there.send(wire.write(wire.State(ReaderState(ReaderStatus.READY, "PN532"))))
    await site.until(lambda: site.desks.all()[0].reader.name == "PN532")
    await there.send(wire.write(wire.Bye()))
    await serving


async def test_a_card_other_than_the_one_that_was_to_be_written_is_not_taken_for_it(site: Site) -> None:
    here, there = channel()
    serving = asyncio.create_task(site.desks.join(NAME, here))
    await greet(there)
    job = await site.issue()
    await there.send(wire.write(wire.Laid(CARD)))
    request = wire.read_down(await said(there))
    assert isinstance(request, wire.DoWork)
    assert request.work.uid == CARD.uid
    await there.send(wire.write(wire.Result(request.number, Seen("04FFFFFFFFFFFF", Kind.NTAG213))))
    assert await site.until_over(job) == "torn"
    await there.send(wire.write(wire.Bye()))
    await serving


async def test_a_desk_learns_why_it_is_not_welcome(site: Site, simulated: SimulatedReader) -> None:
    here, there = channel()
    async with far_away(simulated) as (far, reader):
        serving = asyncio.create_task(far.serve(there, reader, lambda: None))
        assert isinstance(wire.read_up(await said(here)), wire.Hello)
        await here.send(wire.write(wire.Refused("another version")))
        with pytest.raises(NotWelcome, match="another version"):
            await serving


async def greet(there: End) -> None:
    """Say hello as a desk does."""
    await there.send(wire.write(wire.Hello(wire.VERSION)))
    assert wire.read_down(await said(there)) == wire.Welcome()


async def said(end: End) -> str:
    """The next text from the other side."""
    async with asyncio.timeout(PATIENCE_S):
        text = await end.receive()
    assert text is not None
    return text
