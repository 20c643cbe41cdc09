"""The till in a real browser: a top-up in two clicks, by the keyboard alone, on a phone; a shift from its float to its Z report."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import Site, Visit
from tests.browser.program import add_operator
from tests.browser.test_at_hand import IN_SIGHT

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CASHIER, COLLEAGUE = "rakib", "shirin"
SCREENS: list[ViewportSize] = [{"width": 1366, "height": 768}, {"width": 390, "height": 844}]


@pytest_asyncio.fixture(name="rahima", scope="module", loop_scope="module")
async def _rahima(site: Site) -> int:
    """Somebody with a card, and two cashiers."""
    await add_operator(site.program.directory, CASHIER, "cashier", "Rakib Hasan")
    await add_operator(site.program.directory, COLLEAGUE, "cashier", "Shirin Sultana")
    tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await site.post("/people", {"name": "Rahima Khatun", "phone": "+880 1712 345678", "group_id": group["id"]})
    await site.post("/cards", {"uid": "04C0FFEE", "person_id": person["id"]})
    number: int = person["id"]
    return number


async def balance(site: Site, person: int) -> int:
    return int((await site.get(f"/people/{person}"))["balance_minor"])


async def open_shift(page: Page, notes: str) -> None:
    """With so many of 100."""
    await page.goto("/till/open")
    await page.get_by_label("৳100", exact=True).fill(notes)
    await page.get_by_role("button", name="Open the shift").click()
    await expect(page.get_by_role("status").first).to_contain_text("Your shift is open")


async def count(page: Page, notes: str) -> None:
    await page.get_by_role("link", name="Close the shift…").click()
    await page.get_by_label("৳100", exact=True).fill(notes)
    await page.get_by_role("button", name="I have counted").click()


async def test_a_scanned_card_is_topped_up_in_two_clicks(visit: Visit, site: Site, rahima: int) -> None:
    page = await visit(CASHIER)
    await page.goto("/till")
    await expect(page.locator("#find")).to_be_focused()
    before = await balance(site, rahima)
    await page.keyboard.type("04C0FFEE")  # As a reader does that types.
    await page.keyboard.press("Enter")
    await page.get_by_text("৳500", exact=True).click()
    await page.get_by_role("button", name="Top up", exact=True).click()

    await expect(page.get_by_role("status").first).to_contain_text("৳500.00 in cash for Rahima Khatun")
    assert await balance(site, rahima) == before + 50_000
    await page.get_by_role("button", name="Take back ৳500.00").click()
    await expect(page.get_by_role("status").first).to_contain_text("The top-up was taken back")
    assert page.url.endswith("/till")


async def test_all_of_it_goes_by_the_keyboard_and_enter_twice_books_once(visit: Visit, site: Site, rahima: int) -> None:
    page = await visit(CASHIER)
    await page.goto("/till")
    before = await balance(site, rahima)
    await page.keyboard.press("F2")
    await page.wait_for_url("**/till?do=topup")
    await page.keyboard.type("Rahima")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/till?card=*")
    amount = page.locator(".amount-pick input").first
    await amount.focus()
    await page.keyboard.press("Space")
    await page.locator("button[name=print][value='']").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("for Rahima Khatun")
    assert await balance(site, rahima) == before + 20_000
    await page.goto(f"/till?person={rahima}")
    await page.keyboard.press("Escape")
    await page.wait_for_url("**/till")
    await page.keyboard.press("F8")
    await page.wait_for_url("**/till?do=refund")


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["en", "bn"])
async def test_the_main_button_is_in_sight(visit: Visit, rahima: int, screen: ViewportSize, language: str) -> None:
    page = await visit(COLLEAGUE, viewport=screen)
    await speak(page, language)
    for path, button in (
        (f"/till?person={rahima}", ".topup .button.main"),
        ("/till/open", "form .button.main"),
        ("/till", ".four a"),
    ):
        await page.goto(path)
        assert await page.locator(button).first.evaluate(IN_SIGHT), path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    await speak(page, "en")


async def speak(page: Page, language: str) -> None:
    """The pages are in this language from now on."""
    await page.goto("/account")
    await page.locator("select[name=language]").select_option(language)
    async with page.expect_navigation():
        await page.locator("form[action='/account/language'] button").click()
    await expect(page.locator("html")).to_have_attribute("lang", language)


async def test_a_shift_from_its_float_to_its_z_report(visit: Visit, site: Site, rahima: int) -> None:
    page = await visit(CASHIER)
    await open_shift(page, "5")
    await page.goto(f"/till?person={rahima}")
    await page.get_by_text("৳500", exact=True).click()
    await page.get_by_role("button", name="Top up", exact=True).click()
    await expect(page.locator(".box .figure").first).to_contain_text("৳1,000.00")
    await count(page, "৯")
    await expect(page.get_by_role("heading", level=1)).to_have_text("৳100.00 is missing")
    await page.get_by_role("button", name="Count again").click()
    await expect(page.get_by_label("৳100", exact=True)).to_have_value("৯")
    await expect(page.locator("[data-sum] strong")).to_have_text("৳900.00")
    await page.get_by_role("button", name="I have counted").click()
    await page.get_by_label("What do you know about it?").fill("a note fell behind the counter")
    await page.get_by_role("button", name=re.compile("Book ৳100.00 short")).dblclick()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Z report 1")
    await expect(page.locator(".slip")).to_contain_text("−৳100.00")
    await page.goto("/till/shifts/1/count")
    await expect(page.get_by_role("status").first).to_contain_text("This shift was closed before, with Z report 1.")
    shift = await site.get("/shifts/1")
    assert (shift["counted_minor"], shift["difference_minor"]) == (90_000, -10_000)


async def test_a_drawer_is_handed_over(visit: Visit, site: Site, rahima: int) -> None:
    page, other = await visit(CASHIER), await visit(COLLEAGUE)
    await open_shift(page, "3")
    await count(page, "3")
    await expect(page.get_by_role("heading", level=1)).to_have_text("It is right: ৳300.00")
    await page.get_by_label("The money goes").select_option(label="with the drawer to Shirin Sultana")
    await page.get_by_role("button", name="Close the shift").click()
    await expect(page.locator(".slip")).to_contain_text("Handed over to Shirin Sultana")
    await other.goto("/till")
    await expect(other.locator(".box .figure").first).to_contain_text("৳300.00")
    assert (await site.get("/ledger/trial-balance"))["wrong"] == []
