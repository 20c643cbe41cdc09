"""What somebody has typed outlives the log-in, the network and the server."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import OWNER, Site, Visit
from tests.browser.onlooker import Onlooker
from tests.browser.program import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

KEPT = "[data-kept-note]"


@pytest_asyncio.fixture(name="rahima", scope="module", loop_scope="module")
async def _rahima(site: Site) -> str:
    """The path of somebody's page."""
    tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await site.post("/people", {"name": "Rahima Khatun", "phone": "", "group_id": group["id"]})
    return f"/people/{person['id']}"


async def log_in_here(page: Page) -> None:
    """On the page for it that is shown."""
    await page.get_by_label("Log-in name").fill(OWNER)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()


async def test_what_was_typed_over_an_expired_log_in_is_there_after_the_next(visit: Visit, rahima: str) -> None:
    page = await visit()
    await page.goto(f"{rahima}/edit")
    await page.get_by_label("Telephone").fill("+880 1712 999")
    await page.get_by_label("Note").fill("two lines\nof a note")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(KEPT)).to_contain_text("You have been logged out, so nothing was sent.")
    await expect(page.get_by_label("Telephone")).to_have_value("+880 1712 999")
    await page.get_by_role("link", name="log in again").click()
    await log_in_here(page)

    await expect(page.locator(KEPT)).to_contain_text("It is not stored yet.")
    await expect(page.get_by_label("Telephone")).to_have_value("+880 1712 999")
    await expect(page.get_by_label("Note")).to_have_value("two lines\nof a note")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await page.goto(f"{rahima}/edit")
    await expect(page.locator(KEPT)).to_have_count(0)
    await expect(page.get_by_label("Telephone")).to_have_value("+880 1712 999")


async def test_without_scripts_it_is_there_after_the_next_log_in_too(visit: Visit, rahima: str) -> None:
    page = await visit(None, java_script_enabled=False)
    await page.goto("/login")
    await log_in_here(page)
    await page.goto(f"{rahima}/edit")
    await page.get_by_label("Telephone").fill("+880 1712 555")
    await page.get_by_label("Note").fill("three lines\nof a\nnote")
    await page.get_by_label("Language").select_option("bn")
    await page.context.clear_cookies(name="sid")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("it is kept")
    await log_in_here(page)

    await expect(page.locator(KEPT)).to_contain_text("It is not stored yet.")
    await expect(page.get_by_label("Telephone")).to_have_value("+880 1712 555")
    await expect(page.get_by_label("Note")).to_have_value("three lines\nof a\nnote")
    await expect(page.get_by_label("Language")).to_have_value("bn")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await page.goto(f"{rahima}/edit")
    await expect(page.locator(KEPT)).to_have_count(0)
    await expect(page.get_by_label("Telephone")).to_have_value("+880 1712 555")


async def test_without_a_network_the_page_stays_as_it_is_and_the_form_can_be_sent_later(
    visit: Visit, rahima: str, onlooker: Onlooker
) -> None:
    page = await visit()
    await page.goto(rahima)
    await page.get_by_label("Other…", exact=True).click()
    await page.get_by_label("Other amount").fill("345.50")
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Top up").click()
    await expect(page.locator(KEPT)).to_contain_text("The server cannot be reached")
    await expect(page.get_by_label("Other amount")).to_have_value("345.50")

    await page.context.set_offline(False)
    await page.get_by_role("button", name="Top up").click()
    await expect(page.get_by_role("status")).to_contain_text("The balance is ৳345.50 now")
    offline_only(onlooker)


async def test_a_dialog_without_a_network_leaves_what_is_typed_beneath_it(
    visit: Visit, rahima: str, onlooker: Onlooker
) -> None:
    page = await visit()
    await page.goto(rahima)
    await page.get_by_label("Other…", exact=True).click()
    await page.get_by_label("Other amount").fill("77")
    await page.context.set_offline(True)
    await page.get_by_role("link", name="Close the account of").click()
    await expect(page.locator(KEPT)).to_contain_text("The server cannot be reached")
    await expect(page.get_by_label("Other amount")).to_have_value("77")
    await page.context.set_offline(False)
    offline_only(onlooker)


async def test_a_dialog_keeps_what_was_typed_in_it_over_a_new_log_in(visit: Visit, site: Site, rahima: str) -> None:
    card = await site.post("/cards", {"uid": "04C0FFEE", "person_id": int(rahima.rpartition("/")[2])})
    page = await visit()
    await page.goto(f"/cards/{card['id']}")
    await page.get_by_role("link", name="Block…").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("lost at the market")
    await page.context.clear_cookies()
    await dialog.get_by_role("button", name="Block").click()
    await dialog.get_by_role("link", name="log in again").click()
    await log_in_here(page)
    await expect(page.get_by_role("textbox", name="Why")).to_have_value("lost at the market")


async def test_nobody_else_is_shown_what_was_typed(visit: Visit, rahima: str) -> None:
    page = await visit()
    await page.goto(f"{rahima}/edit")
    await page.get_by_label("Note").fill("not for others")
    await page.evaluate("document.getElementById('keep-words').dataset.who = '4711'")
    await page.context.clear_cookies()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("link", name="log in again").click()
    await log_in_here(page)
    await expect(page.get_by_label("Note")).not_to_have_value("not for others")
    await expect(page.locator(KEPT)).to_have_count(0)


def offline_only(onlooker: Onlooker) -> None:
    """The browser complains of what the test has done to it, and of nothing else."""
    assert all("ERR_INTERNET_DISCONNECTED" in one for one in onlooker.complaints), onlooker.complaints
    onlooker.complaints.clear()
