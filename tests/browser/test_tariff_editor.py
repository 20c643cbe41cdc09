"""The editor of a tariff in a browser: a preset, line by line, the week and the examples beside it; by keyboard, on a phone, without scripts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser import axe
from tests.browser.conftest import OWNER, Site, Visit, log_in
from tests.browser.onlooker import Onlooker
from tests.browser.program import PASSWORD

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


async def speak(page: Page, language: str) -> None:
    """The account's language, as its page sets it."""
    await page.goto("/account")
    await page.locator("select[name=language]").select_option(language)
    await page.locator("form[action='/account/language'] button").click()
    await expect(page.locator("html")).to_have_attribute("lang", language)


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


async def test_hours_without_a_price_are_named_while_one_types_and_given_one_by_a_button(
    visit: Visit, onlooker: Onlooker
) -> None:
    staff = await visit()
    await staff.goto("/tariffs/new?pattern=lines")
    await staff.get_by_label("Name").fill("Evenings")
    first = staff.locator(".say").first
    await first.get_by_label("price").fill("12.14")
    await first.get_by_label("From", exact=True).fill("17:00")
    await first.get_by_label("to", exact=True).first.fill("২৩:০০")
    await expect(staff.get_by_text("No line prices energy at these hours: 00:00–17:00, 23:00–24:00.")).to_be_visible()
    await expect(staff.locator(".week td.b0").first).to_contain_text("no price")
    await look(staff, "gap")
    async with staff.expect_response(lambda answer: answer.status == 422):
        await staff.get_by_role("button", name="Save").last.click()
    await expect(staff.get_by_text("No line prices energy at these hours")).to_be_visible()
    onlooker.expect_refusals(422)
    await staff.get_by_role("button", name="Give them a price…").click()
    await expect(staff.locator(".say").nth(1).get_by_label("price")).to_be_focused()
    await staff.keyboard.type("8.66")
    await expect(staff.locator("#say-1")).to_contain_text("At all other times: ৳8.66 a kWh")
    await expect(staff.get_by_text("No line prices energy")).to_have_count(0)
    await staff.get_by_role("button", name=re.compile("Move up.*At all other times")).click()
    await expect(staff.locator("#say-1")).to_contain_text("Line 2 never applies")
    await look(staff, "never")
    await staff.get_by_role("button", name="Move it to the top").click()
    await expect(staff.locator("#say-0")).to_contain_text("17:00–23:00 every day")
    await expect(staff.get_by_text("never applies")).to_have_count(0)


async def test_all_of_it_is_done_by_keyboard(visit: Visit, site: Site) -> None:
    staff = await visit()
    await staff.goto("/tariffs/new")
    await staff.get_by_role("button", name="Day and night").focus()
    await staff.keyboard.press("Enter")
    await expect(staff.get_by_label("At night, per kWh")).to_be_visible()
    await staff.get_by_label("Name").focus()
    for word in ("Home", "7", "21:00", "06:00", "10"):
        await staff.keyboard.press("ControlOrMeta+a")
        await staff.keyboard.type(word)
        await staff.keyboard.press("Tab")
    await expect(staff.locator("#tariff-tries > li").first).to_contain_text("৳259.00")
    await staff.get_by_label("Name").focus()
    await staff.keyboard.press("Enter")
    await expect(staff.get_by_role("heading", name="Home")).to_be_visible()
    made = next(one for one in (await site.get("/tariffs"))["items"] if one["name"] == "Home")
    assert [one["conditions"] for one in made["lines"]] == [{"from_time": "21:00", "to_time": "06:00"}, {}]


async def test_it_is_all_there_without_scripts_and_in_bengali_on_a_phone(visit: Visit, site: Site) -> None:
    phone = await visit(viewport=PHONE, java_script_enabled=False)
    await speak(phone, "bn")
    await phone.goto("/tariffs/new?pattern=bands")
    await phone.locator("#name").fill("তিন ধাপ")
    await phone.locator("button[value='lines']").last.click()
    await expect(phone.locator("#say-0")).to_contain_text("প্রতিদিন ১৭:০০–২৩:০০: ১২.১৪৳ প্রতি kWh")
    await phone.locator("button[value='line:idle_time:minute']").click()
    await phone.locator("input[name='l3-price']").fill("২")
    await phone.locator("input[name='from_day']").fill("2099-01-01")
    await phone.locator("button[value='preview']").click()
    await expect(phone.locator("#say-3")).to_contain_text("চার্জ শেষ হওয়ার পর: ২.০০৳ প্রতি মিনিটে")
    await phone.locator("button.main").click()
    await expect(phone.get_by_role("heading", name="তিন ধাপ")).to_be_visible()
    made = next(one for one in (await site.get("/tariffs"))["items"] if one["name"] == "তিন ধাপ")
    assert made["valid_from"] is not None

    seen = await visit(viewport=PHONE)
    await seen.goto(f"/tariffs/{made['id']}")
    await expect(seen.locator("html")).to_have_attribute("lang", "bn")
    await look(seen, "phone-bn")
    await speak(seen, "en")


async def test_a_log_in_that_ends_while_lines_are_typed_loses_none_of_them(visit: Visit, site: Site) -> None:
    made = await site.post(
        "/tariffs",
        {
            "name": "Late",
            "lines": [{"dimension": "energy", "price_minor_per_kwh": 900}, {"dimension": "flat", "price_minor": 1}],
        },
    )
    staff = await visit(None)
    await log_in(staff, OWNER)
    await staff.goto(f"/tariffs/{made['id']}")
    await staff.get_by_role("button", name="Idle fee").click()
    await staff.locator("input[name='l2-price']").fill("3")
    cookies = await staff.context.cookies()
    await staff.context.clear_cookies(name="sid")
    assert len(await staff.context.cookies()) < len(cookies)
    await staff.get_by_role("button", name="Save").last.click()
    await staff.get_by_label("Log-in name").fill(OWNER)
    await staff.get_by_label("Password").fill(PASSWORD)
    await staff.get_by_role("button", name="Log in").click()
    await expect(staff.get_by_text("This is what you had typed. It is not stored yet.")).to_be_visible()
    await expect(staff.locator("#say-2")).to_contain_text("After charging has ended: ৳3.00 a minute")
    await staff.get_by_role("button", name="Save").last.click()
    await expect(staff.get_by_text("The new prices hold for sessions that begin from now on.")).to_be_visible()
    assert len(next(one for one in (await site.get("/tariffs"))["items"] if one["name"] == "Late")["lines"]) == 3
