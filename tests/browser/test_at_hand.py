"""At a desk on a small screen the button that takes the money is in sight, whatever stands above it; and a slip is taken back."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SCREENS: list[ViewportSize] = [
    {"width": 1366, "height": 768}, {"width": 1280, "height": 800}, {"width": 1366, "height": 600}, {"width": 390, "height": 844},
]  # fmt: skip
"""Two usual ones, one less what a browser takes for itself, and a phone."""
IN_SIGHT = """(button) => {
  const { left, top, right, bottom } = button.getBoundingClientRect();
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return top >= 0 && bottom <= innerHeight && button.contains(hit);
}"""


@pytest_asyncio.fixture(name="rahima", scope="module", loop_scope="module")
async def _rahima(site: Site) -> int:
    """Somebody with a card."""
    tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await site.post(
        "/people", {"name": "Rahima Khatun " * 4, "phone": "+880 1712 345678", "group_id": group["id"]}
    )
    await site.post("/cards", {"uid": "04C0FFEE", "person_id": person["id"], "label": "a taxi with a long name"})
    number: int = person["id"]
    return number


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["en-GB", "bn-BD"])
async def test_the_main_button_is_in_sight_when_the_page_opens_and_when_an_amount_is_typed(
    visit: Visit, rahima: int, screen: ViewportSize, language: str
) -> None:
    page = await visit(viewport=screen, locale=language)
    for path in ("/desk?card=1", f"/people/{rahima}"):
        await page.goto(path)
        await seen(page, ".topup .button.main")
        other = page.locator(".topup label:has(input[value=other])")
        await other.click()
        await expect(other.locator("input")).to_be_checked()
        await page.evaluate("scrollTo(0, 0)")
        await seen(page, ".topup .button.main")


async def seen(page: Page, button: str) -> None:
    """All of it is on the screen, and nothing covers it."""
    where = page.locator(button)
    await expect(where).to_have_count(1)
    assert await where.evaluate(IN_SIGHT)


async def test_a_top_up_is_taken_back_on_the_persons_page(visit: Visit, rahima: int) -> None:
    page = await visit()
    await page.goto(f"/people/{rahima}")
    await page.get_by_label("৳500", exact=True).click()
    await page.get_by_role("button", name="Top up").click()
    await expect(page.get_by_role("status")).to_contain_text("The balance is ৳500.00 now")
    await page.get_by_role("button", name="Take back ৳500.00").click()
    await expect(page.get_by_role("status")).to_contain_text("The top-up was taken back; credit note")
    await expect(page.locator(".figures").first).to_contain_text("৳0.00")
    await expect(page.get_by_role("button", name="Take back")).to_have_count(0)
