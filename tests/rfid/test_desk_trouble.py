"""A desk whose reader fails in ways that nobody has thought of: one card is lost to it, the next one is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.cards.tag import AnyWork, Kind, Seen
from appliance.rfid.events import CardLaid, CardTaken
from appliance.services.announce import DeskChanged, DeskNews
from appliance.services.card_desk import jobs
from appliance.simulator.nfc import ntag
from appliance.simulator.nfc.ntag import PasswordCard
from tests.support.books import Books
from tests.support.desk_story import DESK, KEY, Story, open_story

SEEN = Seen("04A1B2C3D4E580", Kind.NTAG213, writable=True)


class BrokenReader:
    """Its code has a fault."""

    async def work(self, work: AnyWork) -> Seen:
        raise ZeroDivisionError(work.uid)

    async def look(self) -> Seen | None:
        raise ZeroDivisionError


def fill(books: Books) -> None:
    """One group of people who pay first."""
    books.group("prepaid")


class FlickeringReader:
    """Loses the card for a moment just before it writes."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.works = 0

    async def work(self, work: AnyWork) -> Seen:
        self.works += 1
        before = self._story.desk.seen
        assert before is not None
        self._story.desk.hear(CardTaken())
        self._story.desk.hear(CardLaid(before))
        return await self._story.reader.work(work)

    async def look(self) -> Seen | None:
        return await self._story.reader.look()


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """A desk whose reader is broken."""
    async with open_story(tmp_path, fill) as found:
        found.desk.start(BrokenReader(), KEY)
        yield found


async def test_work_that_fails_in_the_program_is_a_torn_card_and_the_next_card_is_served(story: Story) -> None:
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    story.desk.hear(CardLaid(SEEN))
    torn = await story.until_state(job, "torn")
    assert torn.advice == "present_again"
    story.desk.hear(CardTaken())

    story.desk.start(story.reader, KEY)
    await story.lay(PasswordCard(ntag.NTAG213, bytes.fromhex(SEEN.uid)))
    await story.until_state(job, "done")
    assert [one.amount_minor for one in await story.receipts()] == [10_000]


async def test_a_desk_that_fails_before_anything_is_booked_gives_the_job_up_and_raises_a_problem_until_it_works(
    story: Story,
) -> None:
    reading = await story.begin_at_desk(jobs.begin_read)
    story.desk.hear(CardLaid(SEEN))
    await story.until_state(reading, "done")
    # The card lies there already: it is looked at again before money is booked, and that fails.
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    over = await story.until_state(job, "failed")
    assert over.advice == "refused"
    # That nothing waits any more does not make the desk whole: it is woken by whatever happens on the site.
    for _ in range(20):
        await story.store.write(lambda db: db.announce(DeskChanged(DESK, DeskNews.READER)))
    assert await story.problems("job_failed") == [f"desk:{DESK}"]
    assert await story.receipts() == []
    story.desk.hear(CardTaken())
    story.desk.start(story.reader, KEY)
    card = PasswordCard(ntag.NTAG213)
    again = await story.begin_at_desk(jobs.begin_issue, name="Karim Ahmed")
    await story.lay(card)
    await story.until_state(again, "done")
    await story.until(
        lambda db: db.execute("SELECT 1 FROM problem WHERE kind = 'job_failed' AND cleared_at_ms IS NULL").fetchall(),
        lambda rows: not rows,
    )


async def test_a_card_that_flickers_before_it_is_written_is_shown_as_it_is_now_and_written_once(story: Story) -> None:
    reader = FlickeringReader(story)
    story.desk.start(reader, KEY)
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=10_000)
    card = PasswordCard(ntag.NTAG213)
    await story.lay(card)
    await story.until_state(job, "done")
    assert story.desk.seen is not None
    assert story.desk.seen.locked
    for _ in range(20):
        await story.store.write(lambda db: db.announce(DeskChanged(DESK, DeskNews.READER)))
    assert reader.works == 1
    assert await story.agrees(card)
