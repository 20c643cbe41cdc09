"""The server killed while a card is being written, at a step of every action that writes: a real process on a real file, ended by
SIGKILL from within the chip, just before its memory changes. The card stays where it lies. When the server is back, card and books
agree, money has moved once, and nobody has to ask for anything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from appliance.domain.cards.tag import Kind
from appliance.domain.desk_request import DeskJobKind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.scenarios.conftest import Json
from tests.support.desk_site import DESK, TOP_UP, DeskSiteFixture, open_desk_site, uid_of
from tests.support.process import ReadyServer, ServerProcess

LOCKING = 3
"""The last steps of an NTAG213: password, its answer, and the page that puts the lock on or takes it off."""
LOOK_EACH_S = 0.05
REPAIR_AT = 6
"""Steps into an issue, with enough left to do for two repairs to be broken off as well."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something begun at the desk, and what must have come of it."""

    job: int
    paid: int
    """How many receipts there were before."""
    receipts: list[int]
    """Amounts of those that it brings."""
    content: str
    """Of the card's row."""
    balance: int | None
    """Of the wallet behind the card; None if the person went with it."""


Begin = Callable[[DeskSiteFixture, Card], Awaitable[Task]]
"""Brings site and card to where the action begins, and begins it; the card is not on the reader yet."""


async def issue(site: DeskSiteFixture, card: Card) -> Task:
    del card
    paid = len(await site.receipts())
    job = await site.begin("issue", name="Rahima Khatun", topup_minor=TOP_UP, method="cash")
    return Task(job, paid, [TOP_UP], "written", TOP_UP)


async def rewrite(site: DeskSiteFixture, card: Card) -> Task:
    issued = await given_out(site, card)
    paid = len(await site.receipts())
    job = await site.begin("rewrite", card_id=issued["card_id"])
    return Task(job, paid, [], "written", TOP_UP)


async def replace(site: DeskSiteFixture, card: Card) -> Task:
    del card
    lost = await given_out(site, catalogue.make(Kind.NTAG213))
    paid = len(await site.receipts())
    job = await site.begin("replace", old_card_id=lost["card_id"])
    return Task(job, paid, [], "written", TOP_UP)


async def decommission(site: DeskSiteFixture, card: Card) -> Task:
    await given_out(site, card)
    paid = len(await site.receipts())
    job = await site.begin("decommission", refund=True, rest=True, method="cash")
    return Task(job, paid, [-TOP_UP], "wiped", 0)


async def batch(site: DeskSiteFixture, card: Card) -> Task:
    del card
    paid = len(await site.receipts())
    job = await site.begin("batch", count=1, group_id=site.group, label="Visitor")
    return Task(job, paid, [], "written", 0)


async def undo(site: DeskSiteFixture, card: Card) -> Task:
    """The card is emptied when it is laid down next, without another job."""
    issued = await given_out(site, card)
    paid = len(await site.receipts())
    await site.post(f"/desks/{DESK}/jobs/{issued['id']}/undo", {}, status=200)
    return Task(issued["id"], paid, [-TOP_UP], "wiped", None)


ACTIONS: dict[str, Begin] = {
    "issue": issue,
    "rewrite": rewrite,
    "replace": replace,
    "decommission": decommission,
    "batch": batch,
    "undo": undo,
}


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedReader]:
    """The chip outlives the server."""
    with SimulatedReader(link=tmp_path / DESK) as reader:
        yield reader


@pytest.fixture
async def site(tmp_path: Path, simulated: SimulatedReader) -> AsyncIterator[DeskSiteFixture]:
    """A site with a card desk."""
    async with open_desk_site(tmp_path, simulated) as found:
        yield found


async def test_a_server_killed_at_the_first_or_a_locking_write_of_any_action_finishes_it_once_when_it_is_back(
    site: DeskSiteFixture,
) -> None:
    for action, begin in ACTIONS.items():
        steps = await steps_of(site, begin)
        assert steps > LOCKING + 1, action
        assert await is_killed_and_finished(site, begin, [0]), action
        # The others put the lock on, or take it off, as one of these two does.
        for step in range(steps - (LOCKING if begin in (issue, decommission) else 1), steps):
            await is_killed_and_finished(site, begin, [step])


async def test_a_server_that_is_killed_again_while_it_repairs_the_card_finishes_it_once_in_the_end(
    site: DeskSiteFixture,
) -> None:
    assert await is_killed_and_finished(site, issue, [REPAIR_AT, 0, 1])


@pytest.mark.soak
@pytest.mark.parametrize("action", ACTIONS)
async def test_a_server_killed_at_any_write_of_any_action_finishes_it_once_when_it_is_back(
    site: DeskSiteFixture, action: str
) -> None:
    step = 0
    while await is_killed_and_finished(site, ACTIONS[action], [step]):
        step += 1
    assert step > LOCKING


@pytest.mark.soak
@pytest.mark.parametrize("action", ACTIONS)
async def test_a_server_that_is_killed_at_any_write_of_a_repair_finishes_it_once_in_the_end(
    site: DeskSiteFixture, action: str
) -> None:
    for first in (1, REPAIR_AT):
        step = 0
        while await is_killed_and_finished(site, ACTIONS[action], [first, step]):
            step += 1
        assert step > LOCKING


def test_every_kind_of_job_that_writes_is_killed_here() -> None:
    assert set(ACTIONS) - {"undo"} == set(DeskJobKind) - {"read", "recharge", "enrol", "learn"}


async def given_out(site: DeskSiteFixture, card: Card) -> Json:
    """The job of a card that somebody has, with money in the wallet; nothing lies on the reader afterwards."""
    job = await site.issued(card)
    await site.until_lying(card)
    site.simulated.take()
    await site.until_lying(None)
    return job


async def steps_of(site: DeskSiteFixture, begin: Begin) -> int:
    """At how many writes the action can be broken off: it is done once without a mishap."""
    card = catalogue.make(Kind.NTAG213)
    task = await begin(site, card)
    before = card.writes
    site.simulated.lay(card)
    await is_done_once(site, task, card)
    return card.writes - before


async def is_killed_and_finished(site: DeskSiteFixture, begin: Begin, steps: list[int]) -> bool:
    """One card; the server is killed at the first of these steps, then at the next one while it repairs the card, and so on.
    Whether it came to all of them: when the card was done before, there was nothing left to break off.
    """
    card = catalogue.make(Kind.NTAG213)
    task = await begin(site, card)
    with site.simulated.quiet():
        site.simulated.lay(card)
        kill_at(site.server, card, steps[0])
    killed = await is_killed(site, task, card)
    for step in steps[1:]:
        if killed:
            kill_at(site.server, card, step)
            await site.server.start()
            killed = await is_killed(site, task, card)
    if killed:
        await site.server.start()
    await is_done_once(site, task, card)
    return killed


async def is_killed(site: DeskSiteFixture, task: Task, card: Card) -> bool:
    """Whether the server has been killed; it is not when the card was done before."""
    ended = asyncio.create_task(site.server.ended())
    while not ended.done():
        with contextlib.suppress(aiohttp.ClientError):
            if await is_done(site, task, card):
                ended.cancel()
                return False
        await asyncio.wait([ended], timeout=LOOK_EACH_S)
    assert await ended == -signal.SIGKILL
    return True


async def is_done(site: DeskSiteFixture, task: Task, card: Card) -> bool:
    """Whether the job is over and the card says what it should."""
    job, shown = await site.get(f"/desks/{DESK}/jobs/{task.job}"), (await site.get(f"/desks/{DESK}"))["card"]
    return shown is not None and (job["state"], shown["uid"], shown["content"]) == ("done", uid_of(card), task.content)


def kill_at(server: ServerProcess, card: Card, step: int) -> None:
    """Kill the server once that many writes have been done, before the next one."""
    left = step

    def before_write() -> None:
        nonlocal left
        if left == 0:
            assert isinstance(server, ReadyServer)
            os.kill(server.child, signal.SIGKILL)
        left -= 1

    card.on_write = before_write


async def is_done_once(site: DeskSiteFixture, task: Task, card: Card) -> None:
    """Job, money and card are as they must be; afterwards nothing lies on the reader."""
    shown = await site.until_content(card, task.content)
    assert (shown["origin"], shown["locked"]) == (("ours", True) if task.content == "written" else ("blank", False))
    job = await site.until_state(task.job, "done")
    assert (await site.receipts())[task.paid :] == task.receipts
    if task.content == "written":
        assert shown["balance_minor"] == task.balance
    elif task.balance is not None:
        assert (await site.wallet(job["person_id"]))[0] == task.balance
    assert job["made"] == len(job["cards"]) == (1 if job["kind"] == "batch" else 0)
    site.simulated.take()
    await site.until_lying(None)
