"""Vouchers in a browser: a manager prints a sheet, the till sells one and redeems it; on paper there is nothing but vouchers."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser import axe
from tests.browser.conftest import Site, Visit
from tests.browser.onlooker import Onlooker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGE_OF_PDF = re.compile(rb"/Type\s*/Page\b")
MM = 96 / 25.4
COUNT = 13


async def printed(page: Page, count: int = COUNT) -> None:
    await page.goto("/vouchers")
    await page.get_by_role("link", name="Print new ones…").first.click()
    await page.get_by_label("How many").fill(str(count))
    await page.get_by_label("Amount each").fill("৫০০")
    await page.get_by_label("Last day").fill("2099-12-31")
    await page.get_by_role("button", name="Make the sheet").click()
    await expect(page.locator(".paper")).to_have_count(count)


async def test_ten_vouchers_stand_on_a_sheet_of_paper_and_nothing_else(visit: Visit) -> None:
    page = await visit()
    await printed(page)
    assert len(PAGE_OF_PDF.findall(await page.pdf(prefer_css_page_size=True))) == 2
    await page.set_viewport_size({"width": round(190 * MM), "height": round(273 * MM)})
    await page.emulate_media(media="print")
    for around in ("button", "navigation", "status"):
        assert await page.get_by_role(around).locator("visible=true").count() == 0
    first = await page.locator(".paper").first.bounding_box()
    tenth = await page.locator(".paper").nth(9).bounding_box()
    assert first is not None
    assert tenth is not None
    assert first["y"] == 0
    assert tenth["y"] + tenth["height"] <= 273 * MM
    cut = await page.locator(".paper").evaluate_all(
        "all => all.filter((one) => one.scrollHeight > one.clientHeight + 1).length"
    )
    assert cut == 0
    picture = await page.locator(".paper-qr .qr").first.bounding_box()
    assert picture is not None
    assert picture["width"] > 20 * MM


async def test_on_a_roll_of_80_mm_each_is_a_slip_of_its_own_with_the_same_codes(visit: Visit) -> None:
    page = await visit()
    await printed(page, 3)
    codes = await page.locator(".paper-code").all_text_contents()
    await page.get_by_role("button", name="80 mm").click()
    await expect(page.locator(".papers.is-80 .paper")).to_have_count(3)
    assert await page.locator(".paper-code").all_text_contents() == codes
    paper = await page.pdf(prefer_css_page_size=True)
    assert len(PAGE_OF_PDF.findall(paper)) == 3
    assert re.search(rb"/MediaBox\s*\[0 0 22[67]", paper)


async def test_one_is_sold_by_its_number_and_redeemed_by_its_code(visit: Visit, site: Site, onlooker: Onlooker) -> None:
    group = await site.post("/groups", {"name": "Guests", "policy": "prepaid"})
    person = await site.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]})
    page = await visit()
    await printed(page, 1)
    code = (await page.locator(".paper-code code").text_content() or "").lower().replace("-", " ")
    number = await page.locator(".paper-number").text_content() or ""
    await page.get_by_role("link", name="Vouchers").first.click()
    await page.get_by_role("link", name="Sell…").click()
    await page.get_by_label("Number or code on the voucher").fill(number)
    await page.get_by_label("Mobile money").check()
    await page.get_by_role("button", name="Sell it", exact=True).click()
    await expect(page.get_by_role("status").first).to_have_text(
        f"Voucher {number} was sold for ৳500.00, by mobile money."
    )
    await page.goto("/vouchers/redeem")
    await page.get_by_role("searchbox", name="Name, telephone or card").last.fill("rahima")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Rahima Khatun").click()
    await page.get_by_label("Code on the voucher").fill(code)
    await page.get_by_role("button", name="Redeem it for Rahima Khatun").click()
    await expect(page.get_by_role("status").first).to_contain_text(
        "A voucher of ৳500.00 was redeemed for Rahima Khatun."
    )
    assert (await site.get(f"/people/{person['id']}"))["balance_minor"] == 50_000
    # Back, and once more: it is one.
    await page.goto(f"/people/{person['id']}/voucher")
    await page.get_by_label("Code on the voucher").fill(code)
    await page.get_by_role("button", name="Redeem it for Rahima Khatun").click()
    await expect(page.locator("#code-wrong")).to_contain_text("was redeemed already: nothing was booked now")
    await expect(page.get_by_label("Code on the voucher")).to_have_value(code)
    assert (await site.get(f"/people/{person['id']}"))["balance_minor"] == 50_000
    onlooker.expect_refusals(409)


async def test_axe_finds_nothing_on_any_of_its_pages(visit: Visit) -> None:
    page = await visit()
    await printed(page, 2)
    found = {"the sheet": await axe.findings(page)}
    await page.goto("/vouchers")
    newest = await page.locator("table.vouchers a.whole").first.get_attribute("href")
    for path in (
        "/vouchers", "/vouchers?state=held", "/vouchers/new", "/vouchers/batches", "/vouchers/batches/1",
        "/vouchers/batches/1/void", "/vouchers/sell", "/vouchers/redeem", f"{newest}", f"{newest}/void", "/people/1/voucher",
    ):  # fmt: skip
        for width in (1280, 390):
            await page.set_viewport_size({"width": width, "height": 844})
            await page.emulate_media(color_scheme="light")
            await page.goto(path)
            found[f"{path} {width}"] = await axe.findings(page)
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width, path
    assert {where: what for where, what in found.items() if what} == {}
