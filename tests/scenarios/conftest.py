"""A whole site in a process of its own, made and reached only as its owner and other programs do."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.process import ServerProcess, run
from tests.support.station import Station

Json = dict[str, Any]
PATIENCE_S = 20.0


class Site:
    """The server, a program with an owner's token, and stations as the story needs them."""

    def __init__(self, server: ServerProcess, token: str, stack: AsyncExitStack) -> None:
        self.server = server
        self._stack = stack
        self._headers = {"Authorization": f"Bearer {token}"}
        self._keys = itertools.count(1)
        self._session: aiohttp.ClientSession

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        """Be ready to ask, over HTTPS with `tls`."""
        connector = aiohttp.TCPConnector(ssl=tls if tls is not None else True)
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(headers=self._headers, connector=connector)
        )

    async def get(self, path: str) -> Any:
        """What the API says."""
        async with self._session.get(f"{self.server.urls['console']}/api/v1{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: Json, *, status: int = 201, key: str | None = None) -> Any:
        """Something asked of the API, under a key of its own."""
        headers = {"Idempotency-Key": key or f"story-{next(self._keys)}"}
        async with self._session.post(
            f"{self.server.urls['console']}/api/v1{path}", json=body, headers=headers
        ) as answer:
            assert answer.status == status, f"{answer.status}: {await answer.text()}"
            return await answer.json() if answer.status != 204 else None

    async def person(self, name: str, policy: str, card: str) -> int:
        """Somebody with a card, in a group of their own."""
        group = await self.post("/groups", {"name": f"{name}'s group", "policy": policy})
        person = await self.post("/people", {"name": name, "phone": "+880 1712 345678", "group_id": group["id"]})
        await self.post("/cards", {"uid": card, "person_id": person["id"]})
        return int(person["id"])

    async def pay_in(self, person: int, amount_minor: int) -> None:
        """Cash at the desk."""
        await self.post(f"/people/{person}/topups", {"amount_minor": amount_minor, "method": "cash"})

    async def price(self, energy_minor_per_kwh: int) -> None:
        """The tariff of the site."""
        fields = {"time_minor_per_minute": 0, "idle_minor_per_minute": 0, "flat_minor": 0, "tax_percent": 0}
        tariff = {"name": "Day tariff", "energy_minor_per_kwh": energy_minor_per_kwh, **fields}
        made = await self.post("/tariffs", tariff)
        await self.post(f"/tariffs/{made['id']}/default", {}, status=200)

    async def station(self, identity: str, **options: Any) -> Station:
        """A station that the staff has entered, connected and booted."""
        await self.post("/stations", {"id": identity, "name": identity, "security_profile": 0})
        station = Station(self.server.urls["stations"], identity, **options)
        self._stack.push_async_callback(station.close)
        await station.connect()
        assert (await station.boot())["status"] == "Accepted"
        return station

    async def wallet(self, person: int) -> tuple[int, int | None]:
        """Balance, and what of it is free."""
        found = await self.get(f"/people/{person}")
        return int(found["balance_minor"]), found["available_minor"]

    async def sessions(self, query: str = "") -> list[Json]:
        """All sessions, the oldest first."""
        found = await self.get(f"/sessions{query}")
        return sorted(found["items"], key=lambda one: int(one["id"]))

    async def until_session(self, number: int, state: str) -> Json:
        """The session, once it has come to this."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found: Json = await self.get(f"/sessions/{number}")
                if found["state"] == state:
                    return found
                await asyncio.sleep(0.05)

    async def sound(self) -> bool:
        """Whether the books balance."""
        return bool((await self.get("/ledger/trial-balance"))["balanced"])


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """From nothing: `init`, `token create`, `serve`."""
    data_dir = tmp_path / "site"
    made = await asyncio.to_thread(run, "init", "--data-dir", data_dir, "--currency", "BDT", "--timezone", "Asia/Dhaka")
    assert made.returncode == 0, made.stderr
    words = ("token", "create", "--data-dir", data_dir, "--role", "owner", "--name", "story")
    token = (await asyncio.to_thread(run, *words)).stdout.strip()
    server = ServerProcess(data_dir)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.clean_up)
        await server.start()
        found = Site(server, token, stack)
        await found.open()
        yield found
        assert await found.sound()
        assert "Traceback" not in server.log()
