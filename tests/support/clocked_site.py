"""The stations' side of a site on a clock that only tests move, with what happens by the clock, and stations on real websockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from appliance.db import problems
from appliance.db.engine.store import nothing
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import StationId
from appliance.jobs.schedule import Jobs
from appliance.ocpp.settings import StationSettings
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.stations.commands import RemoteControl
from appliance.services.stations.upkeep import Upkeep
from appliance.services.wallets import wallets
from tests.ocpp.raw import Server
from tests.support.books import SITE
from tests.support.station import Station

TICK_S = 15
"""How often the jobs that look after sessions run."""
PATIENCE_S = 20.0
BY = "operator:1"


class ClockedSite:
    """A server for stations, its remote control and its jobs; nothing happens by the clock but in `wait`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.at_ms = system_clock()
        server.now_ms = lambda: self.at_ms
        self.store = server.store
        self.control = RemoteControl(server.store, server.listener.commands, server.hub, self.clock, stop_again_s=0.2)
        self.upkeep = Upkeep(server.store, server.listener.commands, server.hub, self.clock)
        self.jobs = Jobs(
            server.store, server.listener.commands, self.control, self.clock, SITE, self.at_ms, self.upkeep
        )

    def clock(self) -> int:
        """What the server and its stations take for the time."""
        return self.at_ms

    @asynccontextmanager
    async def station(self, identity: str = "CS-1", **options: Any) -> AsyncIterator[Station]:
        """A station that staff have entered, connected and booted, on the same clock."""
        await self.server.register(identity)
        async with Station.connected(self.server.url + "/ocpp", identity, clock=self.clock, **options) as station:
            await station.boot()
            yield station

    async def person(
        self, uid: str, paid_in: int, *, policy: str = "prepaid", limit_minor: int | None = None, **card: Any
    ) -> int:
        """Somebody with a card, and money in the wallet."""
        by = By(BY, self.at_ms)
        group = await self.store.write(lambda db: groups.add(db, f"G {uid}", policy, by, limit_minor=limit_minor))
        person = await self.store.write(people.add, f"Owner of {uid}", group, by)
        await self.store.write(lambda db: cards.add(db, uid, person, by, **card))
        if paid_in:
            await self.store.write(wallets.top_up, person, paid_in, "cash", uid, by)
        return int(person)

    async def wait(self, seconds: int) -> None:
        """Time goes by, and what happens by the clock happens."""
        for _ in range(seconds // TICK_S):
            self.at_ms += TICK_S * 1000
            await self.jobs.expire_start_requests()
            await self.jobs.look_after_stations()
            await self.upkeep.settled()
            await self.jobs.watch_balances()
            await self.jobs.watch_cards()
            await self.jobs.check_stations()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for something that follows from what has happened already; the clock stands."""
        async with asyncio.timeout(PATIENCE_S):
            while not await condition():
                await self.store.write(nothing)
                await asyncio.sleep(0.01)

    async def problems(self, kind: str | None = None) -> list[Problem]:
        """What staff see now."""
        await self.store.write(nothing)
        found = await self.store.read(problems.open_problems)
        return [one for one in found if kind is None or one.kind == kind]

    async def kinds(self) -> set[str]:
        """What is wrong now."""
        return {one.kind for one in await self.problems()}

    async def session(self, number: int) -> dict[str, Any]:
        """The row of a session."""
        await self.store.write(nothing)

        def read(db: Any) -> dict[str, Any]:
            cursor = db.execute("SELECT * FROM session WHERE id = ?", (number,))
            return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))

        return await self.store.read(read)

    async def forget(self) -> None:
        """What the writer remembers is lost, as with the process."""
        await self.store.write(forget)

    async def number_of(self, identity: str) -> StationId:
        """A station's number."""
        rows = await self.server.rows("SELECT id FROM station WHERE identity = ?", identity)
        return StationId(rows[0][0])

    async def balance(self, person: int) -> tuple[int, int]:
        """What is in a wallet, and the loss of the site in all."""
        rows = await self.server.rows(
            """SELECT (SELECT credit_posted - debit_posted FROM account WHERE id = wallet_id),
                (SELECT debit_posted FROM account WHERE kind = 'overrun') FROM person WHERE id = ?""",
            person,
        )
        return (rows[0][0], rows[0][1])


def forget(db: Database) -> None:
    """A unit of work; see `ClockedSite.forget`."""
    db.flush()
    db.forget()


@asynccontextmanager
async def clocked_site(path: Path, settings: StationSettings | None = None) -> AsyncIterator[ClockedSite]:
    """Opened, and closed when the block ends."""
    server = Server(path, settings or StationSettings())
    await server.start()
    site = ClockedSite(server)
    try:
        yield site
    finally:
        await site.upkeep.close()
        await site.control.close()
        await server.stop()
