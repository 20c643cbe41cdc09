"""The demo site as a newcomer meets it: the whole life of a card through its pages, with no hardware and no manual."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, Playwright, expect

from appliance.demo.site import LOGIN, PASSWORD
from tests.browser.conftest import Site, Visit, live, log_in, open_site
from tests.browser.program import serving
from tests.browser.test_every_page import INSPECTION

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

READING_MS_MAX = 40_000
"""A simulated station tells of its meter each ten seconds."""
FREE_PLACE = "Hall 1 · 2"
"""Where no car of the demo's own comes."""


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """What `make run` starts."""
    directory = tmp_path_factory.mktemp("demo") / "site"
    async with serving(directory, "--demo") as program, open_site(program, playwright) as site:
        yield site


@pytest_asyncio.fixture(name="desk", loop_scope="module")
async def _desk(visit: Visit) -> Page:
    """The card desk of somebody who has logged in as the demo says."""
    page = await visit(None)
    await log_in(page, LOGIN, PASSWORD)
    await page.get_by_role("link", name="Card desk").first.click()
    await live(page)
    await expect(page.locator("#desk-reader-word")).to_have_text("Reader ready")
    return page


def charger(page: Page, name: str = FREE_PLACE) -> Locator:
    """One of the simulated chargers."""
    return page.locator(".demo-charger", has=page.get_by_role("heading", name=name, exact=True))


async def hold(page: Page, card: str, says: str | re.Pattern[str]) -> None:
    """Hold a card of the drawer to the charger, which answers on its display."""
    await charger(page).get_by_label(f"Card for {FREE_PLACE}").select_option(label=card)
    await charger(page).get_by_role("button").click()
    await expect(charger(page).get_by_role("status")).to_have_text(says)


async def test_a_newcomer_follows_a_card_through_its_whole_life(desk: Page) -> None:
    async with desk.context.expect_page() as opened:
        await desk.get_by_role("link", name="Simulated reader").click()
    hardware = await opened.value
    await live(hardware)

    # A new card out of the drawer, and the form is there for it.
    await hardware.get_by_role("button", name="Lay NTAG213 on the reader", exact=True).click()
    await desk.bring_to_front()
    await desk.get_by_label("Name", exact=True).fill("Anwara Begum")
    await desk.get_by_label("৳500", exact=True).check()
    await desk.get_by_role("button", name="Give out the card").click()
    await expect(desk.locator("#desk-job")).to_contain_text("Anwara Begum has card")

    # Recharged, with the card still there.
    await desk.get_by_label("৳200", exact=True).check()
    await desk.get_by_role("button", name="Top up", exact=True).click()
    await expect(desk.locator("#desk-job")).to_contain_text("The balance is ৳700.00 now")
    await hardware.bring_to_front()
    await hardware.get_by_role("button", name="Take it off").click()

    # Held to a charger: the car charges, the board shows whose it is, the same card ends it.
    await hold(hardware, "NTAG213", "Card accepted. The car charges.")
    await expect(charger(hardware)).to_contain_text("Your car")
    await expect(charger(hardware)).to_contain_text(re.compile(r"0\.[0-9]*[1-9][0-9]* kWh"), timeout=READING_MS_MAX)
    await desk.goto("/")
    await expect(desk.locator(".tile", has_text=FREE_PLACE)).to_contain_text("Anwara Begum")
    await hold(hardware, "NTAG213", "Thank you! Charging has ended.")

    # Back at the desk the deduction is among the records.
    await hardware.get_by_role("button", name="Lay NTAG213 on the reader", exact=True).click()
    await desk.goto("/desk")
    await expect(desk.get_by_role("heading", name="Anwara Begum")).to_be_visible()
    await expect(desk.locator("#desk-records")).to_contain_text("Hall 1")
    await expect(desk.locator("#desk-records")).to_contain_text(re.compile(r"−৳\d+\.\d\d"))
    await expect(desk.locator("#desk-who")).to_contain_text(re.compile(r"৳6\d\d\.\d\d"))
    await hardware.get_by_role("button", name="Take it off").click()

    # Lost: found by the name, replaced by another card; the money stays, and the old card charges nowhere.
    await desk.get_by_label("Scan here, or look somebody up").fill("Anwara")
    await desk.keyboard.press("Enter")
    await desk.get_by_role("link", name="Lost, replace…").first.click()
    await desk.get_by_role("button", name="Lay the new card on the reader").click()
    await expect(desk.locator("#desk-job")).to_contain_text("Lay the new card for Anwara Begum on the reader")
    await hardware.get_by_role("button", name="Lay NTAG215 on the reader", exact=True).click()
    await expect(desk.locator("#desk-job")).to_contain_text("the old one charges nowhere")
    await expect(desk.locator("#desk-who")).to_contain_text(re.compile(r"৳6\d\d\.\d\d"))
    await hold(hardware, "NTAG213", re.compile("^Refused"))
    await hold(hardware, "NTAG215", "Card accepted. The car charges.")
    await hold(hardware, "NTAG215", "Thank you! Charging has ended.")


async def test_the_simulated_hardware_can_be_read_and_touched_by_day_by_night_and_on_a_phone(desk: Page) -> None:
    await desk.goto("/demo/reader")
    await expect(charger(desk)).to_be_visible()
    for scheme in ("light", "dark"):
        await desk.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for width in (1280, 390, 320):
            await desk.set_viewport_size({"width": width, "height": 844})
            found = await desk.evaluate(INSPECTION)
            wrong = {kind: found[kind] for kind in found if found[kind] and (kind != "touch" or width < 760)}
            assert wrong == {}, (scheme, width)
