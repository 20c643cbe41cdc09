"""The editor of a tariff in a browser: a preset, line by line, the week and the examples beside it; by keyboard, on a phone, without scripts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser import axe
from tests.browser.conftest import Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 390, "height": 844}

WIDER = """() => [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
    .map((one) => `${one.localName}.${one.className} ${Math.round(one.getBoundingClientRect().right)}`)"""


async def look(page: Page, name: str) -> None:
    """Nothing for axe to find by day and by night, nothing wider than the screen; kept as a picture where somebody asks for it."""
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        if folder := os.environ.get("FORECOURT_PICTURES"):
            await page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
        assert await axe.findings(page) == []
    assert await page.evaluate(WIDER) == []


async def test_three_bands_are_saved_as_lines_and_changed_line_by_line(visit: Visit, site: Site) -> None:
    staff = await visit()
    await staff.goto("/tariffs/new")
    await look(staff, "new")
    await staff.get_by_label("Name").fill("Customers")
    await staff.get_by_role("button", name="Three bands").click()
    await expect(staff.get_by_text("Example: check.")).to_be_visible()
    await expect(staff.get_by_label("Name")).to_have_value("Customers")
    await staff.get_by_label("Tax (VAT)").fill("৫")
    evening = staff.locator("#tariff-tries > li", has_text="In the evening")
    await expect(evening).to_contain_text("৳356.92")
    await look(staff, "bands")
    await staff.get_by_role("button", name="Save").last.click()
    plate = staff.get_by_role("listitem").filter(has=staff.get_by_role("heading", name="Customers"))
    await expect(plate.get_by_text("17:00–23:00 every day: ৳12.14 a kWh")).to_be_visible()
    await expect(plate.get_by_text("At all other times: ৳8.66 a kWh")).to_be_visible()
    await look(staff, "list")

    await plate.get_by_role("link", name="Change prices").click()
    await staff.get_by_text("17:00–23:00 every day: ৳12.14 a kWh").first.click()
    line = staff.locator(".say").first
    await line.get_by_label("Fri").uncheck()
    await line.get_by_label("Sat").uncheck()
    await line.get_by_label("price").fill("13")
    await expect(line.locator("summary").first).to_contain_text("17:00–23:00 on weekdays: ৳13.00 a kWh")
    await expect(evening).to_contain_text("instead of ৳356.92")
    await look(staff, "lines")
    await staff.get_by_role("button", name="Idle fee").click()
    await expect(staff.locator(".say").last.get_by_label("price")).to_be_focused()
    await staff.keyboard.type("২")
    await expect(staff.locator(".say").last.locator("summary").first).to_contain_text(
        "After charging has ended: ৳2.00 a minute"
    )
    await staff.set_viewport_size(PHONE)
    await look(staff, "lines-phone")
