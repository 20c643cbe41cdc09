"""The console over HTTPS with the site's own certificate: a key that only this host gets, and http that leads there."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import OWNER, PATIENCE_MS, log_in
from tests.browser.onlooker import Onlooker
from tests.browser.program import Program, add_operator, make_site, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="program", scope="module", loop_scope="module")
async def _program(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """A site whose console speaks HTTPS."""
    directory = tmp_path_factory.mktemp("browser") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    async with serving(directory, "--console-tls", "127.0.0.1:0", "--stations-tls", "127.0.0.1:0") as program:
        yield program


async def test_plain_http_leads_to_https_where_the_key_is_for_this_host_alone(
    chromium: Browser, program: Program
) -> None:
    assert urlsplit(program.console).scheme == "https"
    onlooker = Onlooker({urlsplit(address).netloc for address in program.addresses.values()})
    context = await chromium.new_context(base_url=program.console, ignore_https_errors=True, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    onlooker.watch(context)
    page = await context.new_page()
    await page.goto(f"{program.addresses['console-redirect'].rstrip('/')}/people")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert page.url.startswith(f"{program.console}/")
    await log_in(page, OWNER)
    await expect(page.get_by_role("link", name="Nasrin Akter")).to_be_visible()
    (cookie,) = await context.cookies()
    assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == ("__Host-sid", True, True)
    assert (cookie["sameSite"], cookie["path"], cookie["domain"]) == ("Strict", "/", "127.0.0.1")
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Connect a charger")).to_be_visible()
    assert program.addresses["stations-tls"].startswith("wss://")
    await expect(page.get_by_text(program.addresses["stations-tls"])).to_be_visible()
    await context.close()
    assert onlooker.complaints == []
    assert onlooker.refused == []


async def test_certificate_is_trusted_by_who_trusts_the_authority_of_the_site(program: Program) -> None:
    secure, plain = f"{program.console}/login", f"{program.console}/ca.crt"
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(secure)
        async with session.get(plain, ssl=False) as answer:
            authority = await answer.text()
        trusting = ssl.create_default_context(cadata=authority)
        async with session.get(secure, ssl=trusting) as answer:
            assert answer.status == 200
