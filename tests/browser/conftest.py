"""Fixtures: one browser for a file of tests, a site of its own for each file, and a fresh profile for each visitor.

A test that opened a page fails when any page complained (`onlooker`). Pages are awaited by what they show, never by time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import APIRequestContext, Browser, BrowserContext, Page, Playwright, async_playwright, expect

from tests.browser.onlooker import Onlooker
from tests.browser.program import PASSWORD, Program, add_operator, command, make_site, serving
from tests.conftest import browser as found_browser
from tests.support.station import Station

OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip
PATIENCE_MS = 20_000
"""How long a test waits for what a page should show before it fails instead of hanging."""
OWNER = "nasrin"
"""Log-in name of the owner of a test's site."""


@dataclass(slots=True)
class Site:
    """A running site with an owner, and the keys of those who have logged in once."""

    program: Program
    api: APIRequestContext
    """The API in the name of a program with the owner's rights."""
    cookies: dict[str, Any] = field(default_factory=dict)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask the API; its answer."""
        headers = {"Idempotency-Key": f"{path}-{body}"} if path.endswith(("topups", "/shifts")) else {}
        answer = await self.api.post(f"/api/v1{path}", data=body, headers=headers)
        assert answer.ok, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found

    async def get(self, path: str) -> Any:
        """Ask the API; its answer."""
        answer = await self.api.get(f"/api/v1{path}")
        assert answer.ok, await answer.text()
        return await answer.json()


class Visit(Protocol):
    """Opens a new browser profile; with `who`, somebody of the staff who is logged in."""

    def __call__(self, who: str | None = OWNER, **options: Any) -> Awaitable[Page]: ...


Connect = Callable[..., Awaitable[Station]]


async def log_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """By the form, as people do."""
    await page.goto("/login")
    await page.get_by_label("Log-in name").fill(login)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def live(page: Page) -> None:
    """The scripts of a live page run: dialogs open, keys are heard, tiles change. Until then its links lead to whole pages."""
    await expect(page.locator("[data-live-badge]")).to_have_text("Live")
    await page.locator("[data-live-badge]").wait_for()


@asynccontextmanager
async def open_site(program: Program, playwright: Playwright) -> AsyncIterator[Site]:
    """Its API with an owner's token."""
    token = await command(
        "token", "create", "--data-dir", str(program.directory), "--role", "owner", "--name", "browser tests"
    )
    api = await playwright.request.new_context(
        base_url=program.console, extra_http_headers={"Authorization": f"Bearer {token.strip()}"}
    )
    try:
        yield Site(program, api)
    finally:
        await api.dispose()


@pytest_asyncio.fixture(name="playwright", scope="module", loop_scope="module")
async def _playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(name="chromium", scope="module", loop_scope="module")
async def _chromium(playwright: Playwright) -> AsyncIterator[Browser]:
    chromium = await playwright.chromium.launch(executable_path=found_browser(), args=OPTIONS)
    yield chromium
    await chromium.close()


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site with its owner, and nothing else."""
    directory = tmp_path_factory.mktemp("browser") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    async with serving(directory) as program, open_site(program, playwright) as site:
        yield site


@pytest_asyncio.fixture(name="onlooker", loop_scope="module")
async def _onlooker(site: Site) -> AsyncIterator[Onlooker]:
    onlooker = Onlooker({urlsplit(address).netloc for address in site.program.addresses.values()})
    yield onlooker
    assert onlooker.complaints == []
    assert onlooker.refused == []


@pytest_asyncio.fixture(name="visit", loop_scope="module")
async def _visit(chromium: Browser, site: Site, onlooker: Onlooker) -> AsyncIterator[Visit]:
    contexts: list[BrowserContext] = []

    async def visit(who: str | None = OWNER, **options: Any) -> Page:
        if who is not None and who not in site.cookies:
            first = await visit(None, base_url=site.program.console)
            await log_in(first, who)
            await first.get_by_role("link", name="Board").first.wait_for()
            site.cookies[who] = await first.context.storage_state()
        settings: dict[str, Any] = {
            "base_url": site.program.console,
            "locale": "en-GB",
            "accept_downloads": True,
        } | options
        context = await chromium.new_context(storage_state=site.cookies.get(who or ""), **settings)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        onlooker.watch(context)
        return await context.new_page()

    yield visit
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(name="connect", loop_scope="module")
async def _connect(site: Site) -> AsyncIterator[Connect]:
    """Connects a charging station of a story and boots it."""
    stations: list[Station] = []

    async def connect(identity: str, **options: Any) -> Station:
        station = Station(site.program.stations, identity, **options)
        stations.append(station)
        await station.connect()
        await station.boot()
        return station

    yield connect
    for station in stations:
        await station.close()
