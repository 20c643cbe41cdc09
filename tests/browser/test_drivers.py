"""From the staff's page to the sticker, and from the sticker to what the driver's phone shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import ViewportSize, expect

from tests.browser import axe
from tests.browser.conftest import Connect, Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 390, "height": 844}
INSPECTION = Path(__file__).with_name("inspection.js").read_text()

KINDS = ("structure", "names", "contrast", "sideways", "cut", "touch")


async def test_address_of_the_sticker_opens_the_drivers_page(visit: Visit, site: Site, connect: Connect) -> None:
    prices = {"energy_minor_per_kwh": 1850, "time_minor_per_minute": 0, "idle_minor_per_minute": 200, "flat_minor": 0}
    tariff = await site.post("/tariffs", {"name": "Day", "tax_percent": 5} | prices)
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    await site.post("/stations", {"id": "RAMP", "name": "Ramp A", "security_profile": 0})
    await connect("RAMP")
    staff = await visit()
    await staff.goto("/stations/RAMP")
    part = staff.locator("section", has=staff.get_by_role("heading", name="For its stickers"))
    address = await part.locator("code.address").inner_text()
    found = re.match(r"http://[\d.:]+/c/[a-z2-7]{8}", address)
    assert found is not None

    phone = await visit(None, viewport=PHONE)
    await phone.goto(found[0])
    await expect(phone.get_by_role("heading", level=1)).to_have_text("Ramp A")
    await expect(phone.get_by_text("৳19.425")).to_be_visible()
    await expect(phone.locator(".state")).to_have_text("Free")
    assert await phone.evaluate(INSPECTION) == {kind: [] for kind in KINDS}
    assert await axe.findings(phone) == []
    await phone.get_by_role("link", name="বাংলা").click()
    await expect(phone.locator("html")).to_have_attribute("lang", "bn")
    await expect(phone.get_by_text("১৯.৪২৫")).to_be_visible()
