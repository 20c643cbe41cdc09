"""The console over HTTPS with the site's own certificate: a key that only this host gets, and http that leads there."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Playwright, expect

from tests.browser.conftest import OPTIONS, OWNER, PATIENCE_MS, log_in
from tests.browser.onlooker import Onlooker
from tests.browser.program import Program, add_operator, make_site, serving
from tests.conftest import browser as found_browser
from tests.support import mbedtls

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
    cookies = await context.cookies()
    assert {cookie["name"] for cookie in cookies} == {"__Host-sid", "__Host-known"}
    for cookie in cookies:
        assert (cookie["secure"], cookie["httpOnly"]) == (True, True)
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


async def fetched(program: Program, path: str) -> str:
    """A root of the site, as anybody may download it."""
    async with aiohttp.ClientSession() as session, session.get(f"{program.console}{path}", ssl=False) as answer:
        return await answer.text()


async def certutil(*words: str) -> None:
    """Change a trust store."""
    assert shutil.which("certutil"), (
        "certutil is missing: scripts/test-packages installs it (apt-get install libnss3-tools)"
    )
    process = await asyncio.create_subprocess_exec("certutil", *words)
    assert await process.wait() == 0


async def test_a_browser_trusts_the_console_once_its_root_is_installed(
    playwright: Playwright, program: Program, tmp_path: Path
) -> None:
    """Chromium judges the chain as it does on the staff's devices, by the trust store of its user."""
    store = tmp_path / ".pki" / "nssdb"
    store.mkdir(parents=True)
    (tmp_path / "ca.crt").write_text(await fetched(program, "/ca.crt"), encoding="ascii")
    await certutil("-N", "-d", f"sql:{store}", "--empty-password")
    chromium = {"executable_path": found_browser(), "args": OPTIONS, "env": os.environ | {"HOME": str(tmp_path)}}

    async with await playwright.chromium.launch(**chromium) as strict:  # type: ignore[arg-type]
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            await (await strict.new_page()).goto(f"{program.console}/login")
    await certutil("-A", "-d", f"sql:{store}", "-n", "site", "-t", "C,,", "-i", str(tmp_path / "ca.crt"))
    async with await playwright.chromium.launch(**chromium) as strict:  # type: ignore[arg-type]
        page = await strict.new_page()
        await page.goto(f"{program.console}/login")
        await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


async def test_a_small_charger_connects_with_the_root_that_the_console_offers(program: Program) -> None:
    address = urlsplit(program.addresses["stations-tls"])
    root = (await fetched(program, "/stations-ca.crt")).encode()

    suite = await asyncio.to_thread(mbedtls.shake_hands, address.port or 0, root, address.hostname or "")

    assert "GCM" in suite
    assert root.decode() != await fetched(program, "/ca.crt")
