"""The first day of a site: set up with the one-time code, told which address to enter, and the first charger let in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Playwright, expect

from tests.browser.conftest import Connect, Site, Visit, live, open_site
from tests.browser.program import PASSWORD, make_site, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A site that nobody has set up yet."""
    directory = tmp_path_factory.mktemp("browser") / "site"
    await make_site(directory)
    async with serving(directory, last_word="set-up") as program, open_site(program, playwright) as site:
        yield site


async def test_owner_sets_up_and_lets_the_first_charger_in(visit: Visit, site: Site, connect: Connect) -> None:
    page = await visit(None)
    fields = 0

    async def fill(label: str, text: str) -> None:
        nonlocal fields
        fields += 1
        await page.get_by_label(label).fill(text)

    await page.goto("/")
    await expect(page.get_by_role("heading", name="Set up the first owner")).to_be_visible()
    await fill("Set-up code", site.program.setup_code.lower())
    await fill("Your name", "Nasrin Akter")
    await fill("Log-in name", "nasrin")
    await fill("Password", PASSWORD)
    await fill("Price of a kWh, without tax", "18.50")
    await page.get_by_role("button", name="Set up").click()
    await expect(page.get_by_role("status").first).to_contain_text("You are set up and logged in")
    await expect(page.get_by_role("link", name="Nasrin Akter")).to_be_visible()

    # Where it is said how to connect, whoever knocks is seen.
    await expect(page.get_by_role("heading", name="Connect a charger")).to_be_visible()
    await expect(page.locator("code.address").first).to_contain_text(site.program.stations)
    await live(page)
    knocker = await connect("CP-0042")
    await expect(page.get_by_role("region", name="Chargers that knock")).to_contain_text("Forecourt · Story")
    await page.get_by_role("link", name="Approve…").click()
    name = page.get_by_role("dialog").get_by_label("Name on the board")
    await expect(name).to_have_value("CP-0042")
    fields += 1
    await name.fill("Gate 1")
    await page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    # It is asked to boot again, now that it may.
    await knocker.expect_call("TriggerMessage")
    await knocker.boot()
    tile = page.get_by_role("article").filter(has=page.get_by_role("heading", name="Gate 1"))
    await expect(tile).to_contain_text("Free")
    await expect(page.get_by_text("wants in")).to_have_count(0)
    steps = page.get_by_role("region", name="To begin with")
    await expect(steps.get_by_role("link", name="Connect the first charger done")).to_be_visible()
    await expect(steps.get_by_role("link", name="Say what charging costs done")).to_be_visible()

    # There is a group to choose already, and whom the form was opened for is led back to the start that needed it.
    await tile.get_by_role("link", name="Start…").click()
    await page.get_by_role("dialog").get_by_role("link", name="New person").click()
    await expect(page.get_by_label("Group")).to_have_text(re.compile("Customers · Prepaid"))
    await fill("Name", "Rahima Khatun")
    await fill("Card number (UID)", "04A1B2C3")
    await page.locator(".amount-pick", has_text="৳200").click()
    await page.get_by_role("button", name="Add person").click()
    await expect(page.get_by_role("status").first).to_have_text("Entered. Rahima Khatun may charge now.")
    await page.get_by_role("button", name="Rahima Khatun").click()
    await knocker.expect_call("RemoteStartTransaction")
    assert fields == 8


async def test_code_of_the_set_up_works_once_only(visit: Visit, site: Site) -> None:
    page = await visit(None)
    await page.goto("/setup")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
