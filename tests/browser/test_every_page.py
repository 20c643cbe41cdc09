"""Every page of the demo site that a link leads to: it answers, has structure and names, can be read and fits.

The pages are visited once, by the owner; each test then looks at one kind of finding. What is looked for is in `inspection.js`; axe-core
looks for the rest.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Playwright, ViewportSize, expect

from appliance.demo import site as demo
from tests.browser import axe
from tests.browser.conftest import PATIENCE_MS, Site, Visit, live, log_in, open_site
from tests.browser.onlooker import Onlooker
from tests.browser.program import LATELY, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

INSPECTION = Path(__file__).with_name("inspection.js").read_text()
OPEN_ALL = "() => document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL: ViewportSize = {"width": 320, "height": 640}
PAGES_MAX = 110
PAGES_MIN = 45
"""Fewer means that the walk has lost its way."""
FILES = (".csv", ".xlsx", ".jsonl", ".crt", ".json")
BEGINNINGS = (
    "/", "/more", "/account", "/search?q=Taxi", "/search?q=nobody+of+that+name", "/people/3", "/people/4",
    "/sessions?state=running", "/sessions?person=9999", "/reports?preset=today", "/stations/GATE-1/1/start?q=ahm",
    *(f"/reports{about}?{LATELY}" for about in ("", "/connectors", "/people", "/operators", "/methods", "/receipts")),
    "/stations/GATE-1/1/stop", "/stations/GATE-1/2/unlock", "/stations/GATE-1/2/close", "/stations/GATE-1/2/open",
    "/problems", "/approvals", "/people/1/refund", "/people/1/correction", "/till?person=3", "/till?q=a",
)  # fmt: skip
EXCHANGE_MAIN = (
    "() => document.querySelector('main').replaceChildren(...document.querySelector('main').cloneNode(true).childNodes)"
)
"""As a live page does it."""
KINDS = ("structure", "names", "contrast", "sideways", "cut", "touch")

Findings = dict[str, list[str]]


@dataclass(slots=True)
class Tour:
    """What was seen on the way."""

    pages: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    """Path and kind of content of what links offer for download."""
    day: dict[str, Findings] = field(default_factory=dict)
    night: dict[str, Findings] = field(default_factory=dict)
    phone: dict[str, Findings] = field(default_factory=dict)
    axe: dict[str, list[str]] = field(default_factory=dict)
    """What axe-core finds, by page and by how it was shown."""
    without_bar: list[str] = field(default_factory=list)
    """Pages that have no bar at the bottom of a phone."""


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The demo site: people, a fortnight of sessions, three stations."""
    directory = tmp_path_factory.mktemp("browser") / "demo"
    async with serving(directory, "--demo", last_word="log") as program, open_site(program, playwright) as site:
        yield site


@pytest_asyncio.fixture(name="tour", scope="module", loop_scope="module")
async def _tour(site: Site, chromium: Browser) -> AsyncIterator[Tour]:
    """One visit to each kind of page."""
    context = await chromium.new_context(base_url=site.program.console, viewport=DESK, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    onlooker = Onlooker({urlsplit(site.program.console).netloc})
    onlooker.watch(context)
    page = await context.new_page()
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    await page.get_by_role("article").first.wait_for()
    tour = Tour()
    waiting, met = deque(BEGINNINGS), {kind_of(path) for path in BEGINNINGS}
    while waiting and len(tour.pages) < PAGES_MAX:
        path = waiting.popleft()
        answer = await page.goto(path)
        assert answer is not None
        if answer.status >= 400:
            tour.refused.append(f"{answer.status} {path}")
            continue
        tour.pages.append(path)
        for link in await links_of(page):
            if kind_of(link) not in met:
                met.add(kind_of(link))
                if urlsplit(link).path.endswith(FILES):
                    file = await context.request.get(link)
                    tour.files[link] = file.headers.get("content-type", "") if file.ok else str(file.status)
                else:
                    waiting.append(link)
        await look(page, path, tour)
    print(f"{len(tour.pages)} pages, {len(tour.files)} files")  # noqa: T201
    tour.complaints = onlooker.complaints
    await context.close()
    yield tour


async def look(page: Page, path: str, tour: Tour) -> None:
    """By day, by night and on a phone."""
    tour.day[path] = await page.evaluate(INSPECTION)
    await page.evaluate(OPEN_ALL)
    if wrong := await axe.findings(page):
        tour.axe[f"{path}, at a desk"] = wrong
    tour.night[path] = await page.evaluate(INSPECTION)
    await page.set_viewport_size(PHONE)
    if wrong := await axe.findings(page):
        tour.axe[f"{path}, on a phone"] = wrong
    await page.emulate_media(color_scheme="light")
    tour.phone[path] = await page.evaluate(INSPECTION)
    bar = await page.locator("nav.tabs").bounding_box()
    if bar is None or round(bar["y"] + bar["height"]) != PHONE["height"] or bar["width"] < PHONE["width"]:
        tour.without_bar.append(path)
    await page.set_viewport_size(DESK)


async def links_of(page: Page) -> list[str]:
    """Where the links of the page lead inside the site."""
    found: list[str] = await page.locator("a[href]").evaluate_all("(all) => all.map((one) => one.getAttribute('href'))")
    here = urlsplit(page.url)
    inside = []
    for link in found:
        if link.startswith("?"):
            inside.append(f"{here.path}{link}")
        elif link.startswith("/"):
            inside.append(link.split("#")[0])
    return inside


def kind_of(link: str) -> str:
    """Links that lead to the same page about another thing, or in another order, have the same kind."""
    address = urlsplit(link)
    path = re.sub(r"^/stations/(?!new)[^/]+", "/stations/*", re.sub(r"/\d+", "/*", address.path))
    names = {name for name, _value in parse_qsl(address.query)}
    return f"{path}?{'&'.join(sorted(names - {'sort'}))}"


def found(pages: dict[str, Findings], kind: str) -> dict[str, list[str]]:
    """What is wrong, by page."""
    return {path: findings[kind] for path, findings in pages.items() if findings[kind]}


async def test_every_link_leads_to_a_page_and_no_page_complains(tour: Tour) -> None:
    assert tour.refused == []
    assert tour.complaints == []
    assert len(tour.pages) >= PAGES_MIN


async def test_every_file_that_is_offered_can_be_had(tour: Tour) -> None:
    kinds = {content.split(";")[0] for content in tour.files.values()}
    assert len(tour.files) >= 5
    assert kinds <= {
        "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/x-ndjson",
        "application/jsonl", "application/json",
    }  # fmt: skip


async def test_every_page_has_one_heading_a_language_and_unique_ids(tour: Tour) -> None:
    assert found(tour.day, "structure") == {}


async def test_every_field_has_a_label_and_every_button_a_name(tour: Tour) -> None:
    assert found(tour.day, "names") == {}
    assert found(tour.phone, "names") == {}


async def test_all_text_can_be_read_in_the_light_theme(tour: Tour) -> None:
    assert found(tour.day, "contrast") == {}


async def test_all_text_can_be_read_in_the_dark_theme(tour: Tour) -> None:
    assert found(tour.night, "contrast") == {}


async def test_no_page_must_be_scrolled_sideways_on_a_phone(tour: Tour) -> None:
    assert found(tour.phone, "sideways") == {}
    assert found(tour.day, "sideways") == {}


async def test_no_table_is_cut_off_on_a_phone(tour: Tour) -> None:
    assert found(tour.phone, "cut") == {}
    assert found(tour.day, "cut") == {}


async def test_axe_finds_nothing_by_day_and_by_night_at_a_desk_and_on_a_phone(tour: Tour) -> None:
    assert tour.axe == {}
    assert len(tour.pages) >= PAGES_MIN


async def test_navigation_is_a_bar_at_the_bottom_of_a_phone(tour: Tour) -> None:
    assert tour.without_bar == []


async def test_buttons_and_fields_are_large_enough_for_fingers_on_a_phone(tour: Tour) -> None:
    assert found(tour.phone, "touch") == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_for_logging_in_is_sound(visit: Visit, scheme: str) -> None:
    page = await visit(None, color_scheme=scheme, viewport=SMALL)
    await page.goto("/login")
    findings = await page.evaluate(INSPECTION)
    assert {kind: findings[kind] for kind in KINDS if findings[kind]} == {}
    assert await axe.findings(page) == []


async def test_board_fits_the_smallest_phone(visit: Visit, tour: Tour) -> None:
    page = await visit(None, viewport=SMALL)
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    await page.get_by_role("article").first.wait_for()
    for path in ("/", "/people", "/people/1", "/sessions", "/reports"):
        await page.goto(path)
        assert (await page.evaluate(INSPECTION))["sideways"] == []


async def test_every_page_works_with_javascript_switched_off(visit: Visit, tour: Tour) -> None:
    page = await visit(None, java_script_enabled=False)
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    for path in (path for path in tour.pages if "?" not in path):
        answer = await page.goto(path, wait_until="domcontentloaded")
        assert answer is not None
        assert answer.ok, path
        # What is there can be used: a button sends a form, and a link leads somewhere by itself.
        assert await page.locator("main button:not(form button), main a:not([href])").count() == 0, path
        assert await page.locator("h1:visible").count() == 1, path
    await page.goto("/")
    await expect(page.get_by_role("article").first).to_be_visible()


async def test_no_table_is_cut_off_on_a_phone_in_bengali(visit: Visit, tour: Tour) -> None:
    page = await visit(None, viewport=PHONE)
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    await speak(page, "bn")
    pages: dict[str, Findings] = {}
    for path in tour.pages:
        await page.goto(path, wait_until="domcontentloaded")
        await page.evaluate(OPEN_ALL)
        pages[path] = await page.evaluate(INSPECTION)
    await speak(page, "en")
    assert found(pages, "cut") == {}
    assert found(pages, "sideways") == {}


async def speak(page: Page, language: str) -> None:
    """Change the language of whoever is logged in."""
    await page.goto("/account")
    await page.locator("select[name=language]").select_option(language)
    await page.locator("form:has(select[name=language]) button").click()
    await expect(page.locator("html")).to_have_attribute("lang", language)


async def test_slash_goes_to_the_search_and_escape_closes_a_dialog(visit: Visit, tour: Tour) -> None:
    page = await visit(None)
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    await live(page)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox").first).to_be_focused()
    await page.goto("/people/3")
    opener = page.locator("a[data-dialog]").last
    await opener.focus()
    for meanwhile in ("() => undefined", EXCHANGE_MAIN):
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.evaluate(meanwhile)
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(opener).to_be_focused()


async def test_demo_says_so_on_every_page(visit: Visit, tour: Tour) -> None:
    page = await visit(None, java_script_enabled=False)
    await page.goto("/login")
    await expect(page.get_by_role("complementary", name="DEMO")).to_be_visible()
