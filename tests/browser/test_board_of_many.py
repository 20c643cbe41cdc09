"""A board of two hundred connectors in a browser: how long it is, how it is narrowed, and that it stays live meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, Playwright, ViewportSize, expect

from tests.browser.conftest import OWNER, Site, Visit, live, open_site
from tests.browser.program import add_operator, make_site, serving
from tests.support.station import Station

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DESK: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
HALLS, STATIONS = ("North court", "Hall A", "Hall B", "Roof deck"), 25


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Two hundred connectors at four places. The stations of one hall have hung up, all others stay connected."""
    directory = tmp_path_factory.mktemp("browser") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    connected: list[Station] = []
    async with serving(directory) as program, open_site(program, playwright) as site:
        for hall in HALLS:
            for number in range(1, STATIONS + 1):
                identity = f"{hall[:1]}{hall[-1:]}-{number}"
                await site.post("/stations", {"id": identity, "name": f"{hall} {number}", "security_profile": 0})
                station = Station(program.stations, identity, connectors=2)
                connected.append(station)
                await station.connect()
                await station.boot()
        await connected[7].status("Faulted", error_code="GroundFailure")
        yield site
        for station in connected:
            await station.close()


async def screens(page: Page) -> float:
    """How often the page would have to be turned to see it all."""
    found: float = await page.evaluate("document.documentElement.scrollHeight / innerHeight")
    return found


async def test_two_hundred_connectors_fit_three_screens_of_a_laptop_and_eight_of_a_phone(visit: Visit) -> None:
    for viewport, most in ((DESK, 3), (PHONE, 8)):
        page = await visit(viewport=viewport)
        await page.goto("/")
        await expect(page.locator(".cell")).to_have_count(200)
        long = await screens(page)
        print(f"{viewport['width']} x {viewport['height']}: {long:.2f} screens")  # noqa: T201  # a figure for whoever reads the run
        assert long <= most
        assert await page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


async def test_the_board_is_narrowed_at_once_and_the_address_says_how(visit: Visit) -> None:
    page = await visit(viewport=DESK)
    await page.goto("/")
    await live(page)
    shown = page.locator(".cell:visible")

    await page.keyboard.press("/")
    await page.keyboard.type("hall a 1")
    await expect(shown).to_have_count(22)
    await expect(page.locator(".place:visible")).to_have_count(1)
    await page.get_by_role("search", name="This board").get_by_role("link", name="Fault").click()
    await expect(shown).to_have_count(0)
    await expect(page.get_by_text("No connector is so.")).to_be_visible()
    await page.locator("[data-find]").fill("")
    await expect(shown).to_have_count(1)
    assert page.url.endswith("/?show=fault")
    await page.reload()
    await expect(shown).to_have_count(1)


async def test_what_changes_meanwhile_stays_narrowed(visit: Visit, site: Site) -> None:
    station = Station(site.program.stations, "MAST", connectors=1)
    await site.post("/stations", {"id": "MAST", "name": "Roof deck 26", "security_profile": 0})
    await station.connect()
    await station.boot()
    page = await visit(viewport=DESK)
    await page.goto("/?find=roof DÉCK ২৬")
    await live(page)
    cell = page.locator(".cell:visible")
    await expect(cell).to_contain_text("Roof deck 26, Free")
    other = page.locator(".cell", has_text="North court 9 · 1,")

    await station.status("Preparing")
    await expect(cell).to_contain_text("Plugged in")
    await page.get_by_role("search", name="This board").get_by_role("link", name="Plugged in 1").click()
    await station.status("Available")
    await expect(cell).to_have_count(0)
    await expect(other).to_be_hidden()
    await station.close()


async def test_a_cell_opens_over_the_board_and_a_start_is_two_presses_away(visit: Visit) -> None:
    page = await visit(viewport=PHONE)
    await page.goto("/")
    await live(page)

    await page.locator(".cell", has_text="North court 2 · 1,").get_by_role("link").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="North court 2 · 1")).to_be_visible()
    await dialog.get_by_role("link", name="Start…").click()
    await expect(dialog.get_by_role("heading", name="Start charging for whom?")).to_be_visible()


async def test_words_in_another_order_find_what_nothing_is_called_like(visit: Visit) -> None:
    page = await visit(viewport=DESK)
    await page.goto("/")
    await live(page)
    everything = await page.locator(".cell:visible").count()
    await page.locator("[data-find]").fill("court north")
    narrowed = await page.locator(".cell:visible").count()
    await page.locator("[data-find]").fill("North court")

    assert 0 < await page.locator(".cell:visible").count() == narrowed < everything
    await page.goto("/?find=court north")
    await expect(page.locator(".cell:visible")).to_have_count(narrowed)


async def test_without_scripts_filters_field_and_cells_are_pages(visit: Visit) -> None:
    page = await visit(viewport=DESK, java_script_enabled=False)
    await page.goto("/")
    await page.get_by_role("link", name="Fault").first.click()
    await expect(page.locator(".cell:visible")).to_have_count(1)
    await page.locator("[data-find]").fill("north cöurt ৯")
    await page.locator("[data-find]").press("Enter")
    await expect(page.locator(".cell:visible")).to_have_count(0)
    await page.get_by_role("search", name="This board").get_by_role("link", name="All").click()
    await expect(page.locator(".cell:visible")).to_have_count(2)
    await page.locator(".cell:visible").first.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="North court 9 · 1")).to_be_visible()
