"""The sheet of stickers, printed as a browser prints it."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Connect, Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAGE_OF_PDF = re.compile(rb"/Type\s*/Page\b")
CONNECTORS = 13


async def test_twelve_stickers_stand_on_a_sheet_of_paper_and_nothing_else(
    visit: Visit, site: Site, connect: Connect
) -> None:
    await site.post("/stations", {"id": "RAMP", "name": "Ramp A", "security_profile": 0})
    await connect("RAMP", connectors=CONNECTORS)
    page = await visit()
    await page.goto("/stations")
    await page.get_by_role("link", name="Stickers").click()
    await expect(page.locator(".sticker")).to_have_count(CONNECTORS)

    assert len(PAGE_OF_PDF.findall(await page.pdf(format="A4"))) == 2
    await page.emulate_media(media="print")
    assert await page.get_by_role("button", name="Print").is_hidden()
    assert await page.get_by_role("navigation").first.is_hidden()
    sticker = await page.locator(".sticker").first.bounding_box()
    picture = await page.locator(".sticker .qr").first.bounding_box()
    assert sticker is not None
    assert picture is not None
    assert sticker["y"] == 0
    millimetre = 96 / 25.4
    assert picture["width"] > 35 * millimetre
    assert picture["y"] + picture["height"] < sticker["y"] + sticker["height"]
