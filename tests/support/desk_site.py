"""The card desk of a whole site in a process of its own: what cashier and customers do, through the API and a simulated reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from appliance.domain.by import By
from appliance.services.operators import tokens as token_units
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.scenarios.conftest import PATIENCE_S, Json, Site
from tests.support.books import Books
from tests.support.process import ReadyServer, make_site

DESK = "reader"
TOP_UP = 50_000


class DeskSiteFixture(Site):
    """A site with a card desk."""

    def __init__(self, server: ReadyServer, token: str, stack: AsyncExitStack, simulated: SimulatedReader) -> None:
        super().__init__(server, token, stack)
        self.simulated = simulated
        self.group = 0
        """Of people who pay first."""

    async def begin(self, what: str, **fields: object) -> int:
        """Something asked of the desk; the number of the job."""
        return int((await self.post(f"/desks/{DESK}/{what}", fields, status=202))["job"])

    async def until_state(self, job: int, *states: str) -> Json:
        """The job, once it has come to this."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found: Json = await self.get(f"/desks/{DESK}/jobs/{job}")
                if found["state"] in states:
                    return found
                await asyncio.sleep(0.05)

    async def until_lying(self, card: Card | None) -> Json | None:
        """What the desk says of the card, once it has read it; with None, once it is gone."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = (await self.get(f"/desks/{DESK}"))["card"]
                if (found and found["uid"]) == (card and uid_of(card)):
                    assert found is None or isinstance(found, dict)
                    return found
                await asyncio.sleep(0.05)

    async def until_content(self, card: Card, content: str) -> Json:
        """What the desk says of the card that lies there, once its row says that this was written."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = (await self.get(f"/desks/{DESK}"))["card"]
                if found and (found["uid"], found["content"]) == (uid_of(card), content):
                    assert isinstance(found, dict)
                    return found
                await asyncio.sleep(0.05)

    async def issued(self, card: Card, name: str = "Rahima Khatun") -> Json:
        """A card for somebody new, with a first top-up; the job."""
        job = await self.begin("issue", name=name, topup_minor=TOP_UP, method="cash")
        self.simulated.lay(card)
        return await self.until_state(job, "done")

    async def receipts(self) -> list[int]:
        """The amounts of all receipts, the oldest first."""
        items = (await self.get("/receipts?limit=1000"))["items"]
        return [one["amount_minor"] for one in sorted(items, key=lambda one: one["number"])]

    async def restart(self) -> None:
        """As after a power cut."""
        await self.server.kill()
        await self.server.start()


def uid_of(card: Card) -> str:
    return card.uid.hex().upper()


@asynccontextmanager
async def open_desk_site(folder: Path, simulated: SimulatedReader) -> AsyncIterator[DeskSiteFixture]:
    """A server with a card desk and a group of people who pay first, in a site that was made without starting a program for it."""
    tokens: list[str] = []
    groups: list[int] = []

    def fill(books: Books) -> None:
        groups.append(books.group("prepaid"))
        tokens.append(token_units.create_token(books.db, "story", "owner", by=By("console", books.now_ms)))

    make_site(folder / "site", fill)
    server = ReadyServer(folder / "site")
    server.options = ["--reader", str(simulated.path)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.clean_up)
        await server.start()
        found = DeskSiteFixture(server, tokens[0], stack, simulated)
        found.group = groups[0]
        await found.open()
        yield found
        assert await found.sound()
        assert "Traceback" not in server.log()
