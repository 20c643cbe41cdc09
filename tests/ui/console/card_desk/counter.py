"""A counter with a card reader, and how a cashier's browser uses its page."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from appliance.db.card_desk import jobs
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.people import people
from appliance.domain.identifiers import PersonId
from appliance.services.announce import Announcement, DeskChanged
from tests.support.one_desk import Chip, OneDesk
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
HERE = "/desk/counter"
RAHIMA = PersonId(1)
BLANK = "04E1B2C3D4E580"
OTHER = "04F1B2C3D4E580"
Browser = TestClient[Any, Any]


@dataclass(slots=True)
class Counter:
    """A yard with a desk whose reader is ready."""

    served: ConsoleFixture
    desk: OneDesk

    async def job(self) -> Job:
        """The newest job."""
        return (await self.served.store.read(jobs.latest_at, "counter", 1))[0]

    async def card(self, uid: str) -> Card:
        """A card that must be there."""
        found = await self.served.store.read(cards.by_uid, uid)
        assert found is not None
        return found

    async def balance(self, person: int = RAHIMA) -> int:
        """Of a wallet."""
        found = await self.served.store.read(people.find, PersonId(person))
        assert found is not None
        return found.balance_minor

    async def until(self, *states: str) -> Job:
        """The newest job, once it has come into one of these states, or has this advice."""
        news = asyncio.Event()

        def hear(announcements: list[Announcement]) -> None:
            if any(isinstance(one, DeskChanged) for one in announcements):
                news.set()

        deaf = self.served.hub.listen(hear)
        try:
            while not {(job := await self.job()).state, job.advice} & set(states):
                await news.wait()
                news.clear()
        finally:
            deaf()
        return job

    async def give_out(self, client: Browser, chip: Chip, **form: str) -> Card:
        """A card for somebody new, by the form; it lies on the reader afterwards."""
        self.desk.lay(chip)
        await send(client, "issue", **{"name": "Anwara Begum", "preset": "", "method": "cash"} | form)
        await self.until("done")
        return await self.card(chip.uid)


async def get(client: Browser, path: str = HERE) -> str:
    """A page, redirects followed."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def keys_in(html: str) -> dict[str, str]:
    """The one-time keys of a page by the form they belong to."""
    return dict(re.findall(r'name="key" form="([a-z-]+)" value="([^"]+)"', html))


async def send(client: Browser, action: str, key: str = "", **form: str) -> tuple[int, str]:
    """Send one of the desk's forms with the key of a page that was just opened; status and page afterwards."""
    key = key or keys_in(await get(client))["desk-issue"]
    async with client.post(f"{HERE}/{action}", data={"key": key, **form}, headers=OURS) as answer:
        return answer.status, await answer.text()


async def watch(client: Browser, view: str) -> ClientResponse:
    """A live stream."""
    stream = await client.get("/live", params={"view": view})
    assert stream.status == 200
    return stream


def asked_key(html: str) -> str:
    """The key of a form that asks first."""
    found = re.search(r'name="key" value="([^"]+)"', html)
    assert found is not None
    return found[1]
