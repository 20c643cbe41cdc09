"""A tariff with lines, made by a program: as staff and drivers read it, and as the page of a session explains its bill."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser import axe
from tests.browser.conftest import Connect, Site, Visit

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 390, "height": 844}
CARD = "04A1B2C3"
BANDS = {
    "name": "Bands",
    "taxes": [{"code": "vat", "percent": 5}],
    "minimum_minor": 500,
    "lines": [
        {"dimension": "energy", "price_minor_per_kwh": 1214, "taxes": ["vat"], "conditions": {"from_time": "17:00", "to_time": "23:00", "weekdays": [1, 2, 3, 4, 7]}},
        {"dimension": "energy", "price_minor_per_kwh": 866, "taxes": ["vat"]},
        {"dimension": "idle_time", "price_minor_per_minute": 200, "conditions": {"from_idle_minutes": 30}},
    ],
}  # fmt: skip


async def look(page: Page, name: str) -> None:
    """Nothing for axe to find, nothing wider than the screen; kept as a picture where somebody asks for it."""
    if folder := os.environ.get("FORECOURT_PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
    assert await axe.findings(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


async def test_lines_are_read_as_sentences_and_explain_the_bill(visit: Visit, site: Site, connect: Connect) -> None:
    tariff = await site.post("/tariffs", BANDS)
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await site.post("/people", {"name": "Rahima Khatun", "phone": "", "group_id": group["id"]})
    await site.post("/cards", {"uid": CARD, "person_id": person["id"]})
    await site.post(f"/people/{person['id']}/topups", {"amount_minor": 90_000, "method": "cash"})
    await site.post("/stations", {"id": "RAMP", "name": "Ramp A", "security_profile": 0})
    station = await connect("RAMP")
    await station.plug_in()
    await station.start_transaction(CARD)
    await station.charge(energy_wh=100)

    staff = await visit()
    await staff.goto("/tariffs")
    plate = staff.get_by_role("listitem").filter(has=staff.get_by_role("heading", name="Bands"))
    await expect(plate.get_by_text("17:00–23:00 on weekdays: ৳12.14 a kWh")).to_be_visible()
    await expect(plate.get_by_text("30 min after charging has ended: ৳2.00 a minute")).to_be_visible()
    await expect(plate.get_by_text("plus vat 5 % · at least ৳5.00")).to_be_visible()
    await look(staff, "list")
    await plate.get_by_role("link", name="Change prices").click()
    await expect(staff.locator(".say").first).to_contain_text("17:00–23:00 on weekdays: ৳12.14 a kWh")
    await look(staff, "tariff")

    number = (await site.get("/sessions"))["items"][0]
    assert number["cost_minor"] == 500
    await station.stop_transaction()
    await staff.goto(f"/sessions/{number['id']}")
    bill = staff.locator("#bill")
    await expect(bill.get_by_text(re.compile("Up to the minimum"))).to_be_visible()
    await expect(bill.get_by_text("In all")).to_be_visible()
    await expect(bill.locator("tfoot")).to_contain_text("৳5.00")
    await look(staff, "session")
    await staff.goto("/stations/RAMP")
    part = staff.locator("section", has=staff.get_by_role("heading", name="For its stickers"))
    found = re.match(r"http://[\d.:]+/c/[a-z2-7]{8}", await part.locator("code.address").inner_text())
    assert found is not None

    phone = await visit(None, viewport=PHONE)
    await phone.goto(found[0])
    await expect(phone.get_by_text("৳12.747")).to_be_visible()
    await expect(phone.get_by_text("vat 5 % included · at least ৳5.00")).to_be_visible()
    await look(phone, "driver")
    await phone.get_by_role("link", name="বাংলা").click()
    await expect(phone.get_by_text("১৭:০০–২৩:০০")).to_be_visible()
    await look(phone, "driver-bn")
    assert (await site.post(f"/tariffs/{tariff['id']}/replace", {"name": "Flat", "energy_minor_per_kwh": 1}))["default"]
