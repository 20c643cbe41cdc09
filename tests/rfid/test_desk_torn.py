"""The card pulled away, or the reader's lead pulled, at every write of every action of a desk; then the card is laid down again.
Whatever the step: the job ends, money has moved once, one receipt was written, and the card agrees with the books.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from appliance.domain.cards.tag import Kind
from appliance.domain.desk_request import DeskJobKind
from appliance.domain.identifiers import CardId
from appliance.services.card_desk import jobs
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card
from tests.support.books import Books
from tests.support.desk_story import Story, number_of, open_story, person_of

TOP_UP = 50_000
Begin = Callable[[Story, Card], Awaitable[int]]
"""Brings a card to where the action begins, and lays it down; what it returns begins the action."""


def fill(books: Books) -> None:
    """One group of people who pay first."""
    books.group("prepaid")


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Story]:
    """A desk."""
    async with open_story(tmp_path, fill) as found:
        yield found
        assert await found.wrong_in_books() == []
        assert await found.problems("torn_card") == []


async def issued(story: Story, card: Card) -> None:
    """A card that somebody has, with money in the wallet; it lies on the reader."""
    job = await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=TOP_UP)
    await story.lay(card)
    await story.until_state(job, "done")


async def issue(story: Story, card: Card) -> int:
    return await story.begin_at_desk(jobs.begin_issue, name="Rahima Khatun", topup_minor=TOP_UP)


async def rewrite(story: Story, card: Card) -> int:
    return await story.begin_at_desk(jobs.begin_rewrite, number_of(await story.card(card)))


async def decommission(story: Story, card: Card) -> int:
    return await story.begin_at_desk(jobs.begin_decommission, refund=True, rest=True)


async def batch(story: Story, card: Card) -> int:
    return await story.begin_at_desk(jobs.begin_batch, 1, label="Visitor")


async def replace(story: Story, card: Card) -> int:
    """The one card that somebody has was lost."""
    ((lost,),) = await cards_in_use(story)
    return await story.begin_at_desk(jobs.begin_replace, lost)


async def nothing(story: Story, card: Card) -> None:
    """A new card."""


async def another_issued(story: Story, card: Card) -> None:
    """The card that will be lost: the first one, or the one that replaced the last."""
    if not await cards_in_use(story):
        await issued(story, catalogue.make(Kind.NTAG213))


async def cards_in_use(story: Story) -> list[tuple[CardId]]:
    """Those that are not blocked."""
    return await story.store.read(lambda db: db.execute("SELECT id FROM card WHERE blocked_at_ms IS NULL").fetchall())


class Action:
    """What is done, from where, and what must have come of it in money: of the wallet, and on receipts."""

    def __init__(
        self, begin: Begin, before: Callable[[Story, Card], Awaitable[None]], balance: int, receipts: list[int]
    ) -> None:
        self.begin, self.before, self.balance, self.receipts = begin, before, balance, receipts


ACTIONS = {
    "issue": Action(issue, nothing, TOP_UP, [TOP_UP]),
    "rewrite": Action(rewrite, issued, TOP_UP, []),
    "replace": Action(replace, another_issued, TOP_UP, []),
    "decommission": Action(decommission, issued, 0, [-TOP_UP]),
    "batch": Action(batch, nothing, 0, []),
}
ARRANGE = {
    "the card before a write": lambda story, writes: story.simulated.tear_after_writes(writes),
    "the card after a write": lambda story, writes: story.simulated.tear_after_writes(writes + 1, answer_lost=True),
    "the lead before a write": lambda story, writes: story.simulated.unplug_after_writes(writes),
}
CASES = [("the card before a write", name, Kind.NTAG213) for name in ACTIONS] + [
    ("the card after a write", "issue", Kind.NTAG213),
    ("the lead before a write", "issue", Kind.NTAG213),
    ("the card before a write", "issue", Kind.NTAG424),
    ("the card before a write", "issue", Kind.TYPE4),
]
"""Other chips are torn in tests/rfid/test_tags_*.py, at every command."""


@pytest.mark.parametrize(("what", "action", "kind"), CASES)
async def test_whatever_is_pulled_at_whatever_write_the_action_is_done_once_when_the_card_comes_back(
    story: Story, what: str, action: str, kind: Kind
) -> None:
    writes = 0
    while await is_torn_and_mended(story, what, ACTIONS[action], catalogue.make(kind), writes):
        writes += 1
    assert writes > (2 if kind is Kind.TYPE4 else 5)


def test_every_kind_of_job_that_writes_is_torn_here() -> None:
    assert set(ACTIONS) == set(DeskJobKind) - {"read", "recharge", "enrol", "learn"}


async def is_torn_and_mended(story: Story, what: str, action: Action, card: Card, writes: int) -> bool:
    """One try; whether the mishap came before the action was done."""
    await action.before(story, card)
    receipts_before = len(await story.receipts())
    await story.lay(card)
    ARRANGE[what](story, writes)
    job = await action.begin(story, card)
    state = (await story.until_state(job, "torn", "done")).state
    if state == "torn":
        await story.wait_for_mishap()
        if not story.simulated.plugged:
            await asyncio.to_thread(story.simulated.replug)
        await story.until_gone()
        await story.lay(card)
        await story.until_state(job, "done")
    story.simulated.keep_all()
    assert await story.balance(person_of(await story.card(card))) == action.balance
    assert [one.amount_minor for one in await story.receipts()][receipts_before:] == action.receipts
    if kind_is_locked(card):
        assert await story.agrees(card)
    await story.take()
    return state == "torn"


def kind_is_locked(card: Card) -> bool:
    """Whether we lock this kind of chip, so that its lock can be asked for."""
    return card.kind is not Kind.TYPE4
