"""The card desk and the books: a new person in one form, top-ups that move money once, the report and its files."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import openpyxl
import pytest
import pytest_asyncio
from playwright.async_api import expect

from appliance.domain.clock import system_clock
from tests.browser.conftest import Connect, Site, Visit
from tests.browser.onlooker import Onlooker

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(name="desk", scope="module", loop_scope="module")
async def _desk(site: Site) -> Site:
    """A price and a group; nobody yet."""
    tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    return site


async def test_new_person_with_card_and_first_top_up_in_one_form(visit: Visit, desk: Site) -> None:
    page = await visit()
    await page.goto("/people")
    await page.get_by_role("link", name="New person").first.click()
    await page.get_by_label("Name", exact=True).fill("Karim Ahmed")
    await page.get_by_label("Telephone").fill("+880 1819 222333")
    await page.get_by_label("Card number (UID)").fill("04:b2:c3:d4")
    await page.get_by_label("৳500", exact=True).check()
    await page.get_by_role("button", name="Add person").click()
    await expect(page.get_by_role("heading", level=1, name="Karim Ahmed")).to_be_visible()
    await expect(page.locator(".figures")).to_contain_text("৳500.00")
    # 500 taka at 20 taka a kWh and 5 % tax.
    await expect(page.locator(".figures")).to_contain_text("23.8 kWh")
    await expect(page.locator("code", has_text="04B2C3D4")).to_be_visible()


async def test_mistake_in_the_form_comes_back_beside_its_field_with_what_was_typed(
    visit: Visit, desk: Site, onlooker: Onlooker
) -> None:
    page = await visit(java_script_enabled=False)
    await page.goto("/people/new")
    await page.get_by_label("Name", exact=True).fill("Shirin Sultana")
    await page.get_by_label("Other…").check()
    await page.get_by_label("Other amount").fill("five hundred")
    await page.get_by_role("button", name="Add person").click()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Shirin Sultana")
    await expect(page.get_by_label("Other amount")).to_have_value("five hundred")
    await expect(page.get_by_label("Other amount")).to_have_attribute("aria-invalid", "true")
    onlooker.expect_refusals(422)


async def test_top_up_takes_two_clicks_and_bengali_digits_are_understood(visit: Visit, desk: Site) -> None:
    page = await visit()
    await page.goto(await somebody(desk, "Jamal Uddin"))
    await page.get_by_label("৳1,000", exact=True).click()
    await page.get_by_role("button", name="Top up").click()
    await expect(page.get_by_role("status")).to_contain_text("The balance is ৳1,000.00 now")

    await page.get_by_label("Other…", exact=True).click()
    await page.get_by_label("Other amount").fill("২৫০.৫০")
    await page.get_by_role("button", name="Top up").click()
    await expect(page.get_by_role("status")).to_contain_text("The balance is ৳1,250.50 now")


async def test_form_that_is_sent_twice_moves_money_once(visit: Visit, desk: Site) -> None:
    page = await visit()
    path = await somebody(desk, "Shirin Sultana")
    await page.goto(path)
    await page.get_by_label("৳500", exact=True).click()
    await page.get_by_role("button", name="Top up").dblclick()
    await expect(page.get_by_role("status")).to_contain_text("The balance is ৳500.00 now")

    # The same form again, as from a page that the browser has kept: its one-time key has been used.
    for _ in range(2):
        await page.goto(path)
        key = page.locator("form.topup input[name=key]")
        await key.evaluate("(input) => { input.value = 'a-key-of-this-test-0123456789'; }")
        await page.get_by_label("৳200", exact=True).click()
        await page.get_by_role("button", name="Top up").click()
        await expect(page.get_by_role("status")).to_contain_text("The balance is ৳700.00 now")
    assert (await desk.get("/ledger/trial-balance"))["balanced"] is True


async def test_report_of_the_day_and_its_files_say_the_same(
    visit: Visit, desk: Site, connect: Connect, tmp_path: Path
) -> None:
    path = await somebody(desk, "=Nasrin", uid="04C0FFEE", paid_minor=50_000)
    await desk.post("/stations", {"id": "RAMP", "name": "Ramp"})
    # It has been a minute ago, for nothing is believed to be in the future.
    station = await connect("RAMP", power_w=7200, clock=lambda: system_clock() - 61_000)
    await station.plug_in()
    assert await station.present_card("04C0FFEE") == "Accepted"
    await station.charge(2_000, duration_s=60)
    await station.unplug()

    page = await visit()
    await page.goto("/reports")
    await page.get_by_role("link", name="Today").click()
    row = page.get_by_role("row", name="Ramp")
    # 2 kWh at 20 taka and 5 % tax.
    for cell in ("1 min", "2.00", "৳42.00"):
        await expect(row).to_contain_text(cell)

    async with page.expect_download() as coming:
        await page.get_by_role("link", name="XLSX").click()
    await (await coming.value).save_as(tmp_path / "report.xlsx")
    cells = [list(line) for line in openpyxl.load_workbook(tmp_path / "report.xlsx").worksheets[0].values]
    line = next(line for line in cells if "Ramp" in line)
    assert {2, 42} <= {value for value in line if isinstance(value, (int, float))}

    async with page.expect_download() as coming:
        await page.get_by_role("link", name="CSV").click()
    await (await coming.value).save_as(tmp_path / "report.csv")
    text = (tmp_path / "report.csv").read_bytes().decode("utf-8-sig")
    assert "Ramp" in [cell for line in csv.reader(io.StringIO(text)) for cell in line]

    await page.goto(path)
    await expect(page.locator(".figures").first).to_contain_text("৳458.00")
    async with page.expect_download() as coming:
        await page.goto("/sessions")
        await page.get_by_role("link", name="XLSX").click()
    await (await coming.value).save_as(tmp_path / "sessions.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "sessions.xlsx").worksheets[0]
    named = [cell for row_of in sheet.iter_rows() for cell in row_of if cell.value == "=Nasrin"]
    assert [cell.data_type for cell in named] == ["s"]


async def somebody(desk: Site, name: str, *, uid: str = "", paid_minor: int = 0) -> str:
    """A new customer; the path of their page."""
    group = (await desk.get("/groups"))["items"][0]["id"]
    person = (await desk.post("/people", {"name": name, "phone": "", "group_id": group}))["id"]
    if uid:
        await desk.post("/cards", {"uid": uid, "person_id": person})
    if paid_minor:
        await desk.post(f"/people/{person}/topups", {"amount_minor": paid_minor, "method": "cash"})
    assert re.fullmatch(r"\d+", str(person))
    return f"/people/{person}"
