"""A company's wallet in a browser: made, somebody joins, a limit is set, money comes in at the till; axe finds nothing on the way."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser import axe
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_company_charges_from_one_wallet(visit: Visit, site: Site) -> None:
    group = await site.post("/groups", {"name": "Companies", "policy": "prepaid"})
    await site.post("/people", {"name": "Salma Begum", "phone": "01912 000111", "group_id": group["id"]})
    page = await visit()
    await page.goto("/pools")
    await page.get_by_role("link", name="New pool").first.click()
    await page.get_by_label("Name").fill("Acme Motors")
    await page.get_by_label("Contact").fill("Mrs Rahman")
    await page.get_by_label("Tax number").fill("BIN 000123")
    found = {"new": await axe.findings(page)}
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Acme Motors")).to_be_visible()
    pool = page.url

    await page.get_by_role("link", name="Add somebody…").click()
    await page.get_by_role("searchbox", name="Name, telephone or card").last.fill("salma")
    await page.get_by_role("link", name="Salma Begum").click()
    found["join"] = await axe.findings(page)
    await page.get_by_role("button", name="Add Salma Begum").click()
    await expect(page.get_by_role("link", name="Salma Begum")).to_be_visible()

    await page.get_by_role("link", name="Change").click()
    await page.get_by_label("Money a month").fill("৫০০০")
    found["limits"] = await axe.findings(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("At most ৳5,000.00 in one month")).to_be_visible()

    await page.goto("/till?q=01912+000111")
    await expect(page.get_by_text("charges from the pool Acme Motors")).to_be_visible()
    await page.get_by_text("Other…").click()
    await page.locator("#till-topup input[name=amount_minor]").fill("700")
    await page.get_by_role("button", name="Top up", exact=True).click()
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for path in (pool, "/pools", "/debts"):
            await page.goto(path)
            found[f"{path} {width} {scheme}"] = await axe.findings(page)
            beyond = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert beyond <= 0, f"{path} is wider than a screen of {width}"
    await page.goto(pool)
    await expect(page.get_by_text("৳700.00").first).to_be_visible()
    assert {path: one for path, one in found.items() if one} == {}
