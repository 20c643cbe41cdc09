"""The board's dialog, live tiles and focus in a real browser, and nothing wider than a small phone. Whole stories are in `tests/browser`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, async_playwright, expect

from appliance.db.engine.unit import Database
from appliance.domain.identifiers import CardId, GroupId, PersonId, StationId
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.stations import admission, status
from appliance.services.wallets import wallets
from tests.conftest import browser
from tests.support.statuses import status_changed
from tests.ui.console.board.test_board import OURS, PAGES
from tests.ui.console_fixture import BY, ConsoleFixture

pytestmark = pytest.mark.browser

NOTE_INERT = """() => {
  window.inert = [];
  new MutationObserver(() => window.inert.push(document.getElementById("found").inert)).observe(
    document.getElementById("dialog"), { attributes: true, attributeFilter: ["inert"], childList: true, subtree: true });
}"""
"""Notes each time the list in the dialog is exchanged, or can be pressed again, whether it can."""


@pytest.fixture(name="page")
async def _page(served: ConsoleFixture) -> AsyncIterator[Page]:
    """A browser of the owner, open at the board; what it complains about fails the test."""
    client = await served.logged_in()
    token = next(cookie.value for cookie in client.session.cookie_jar if cookie.key == "sid")
    complaints: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        context = await chromium.new_context(base_url=str(served.server.make_url("/")))
        await context.add_cookies([{"name": "sid", "value": token, "url": str(served.server.make_url("/"))}])
        page = await context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/")
        yield page
        await chromium.close()
    assert complaints == []


async def test_the_search_in_the_dialog_finds_while_typing(page: Page) -> None:
    await page.locator("#tile-2-1-1").get_by_text("Start…").click()
    await expect(page.locator("dialog input[type=search]")).to_be_focused()
    await page.keyboard.type("karim")

    await expect(page.locator("dialog .pick")).to_have_count(1)
    await expect(page.locator("dialog .pick")).to_contain_text("Karim Ahmed")


async def test_a_list_that_changes_keeps_focus_and_room_and_lets_nobody_press_the_wrong_name(page: Page) -> None:
    await page.locator("#tile-2-1-1").get_by_text("Start…").click()
    dialog = page.locator("dialog")
    karim = dialog.get_by_role("button", name="Karim Ahmed")
    await expect(dialog.locator(".pick")).to_have_count(4)
    before = await dialog.bounding_box()

    # By keyboard: what has the focus keeps it.
    answers = asyncio.Event()
    await page.route("**/start?q=*", lambda route: held(route, answers))
    await dialog.get_by_role("searchbox").fill("karim")
    await karim.focus()
    answers.set()
    await expect(dialog.locator(".pick")).to_have_count(1)
    await expect(karim).to_be_focused()
    assert await dialog.bounding_box() == before

    # By hand: what comes under the finger cannot be pressed yet.
    await page.evaluate(NOTE_INERT)
    await dialog.get_by_role("searchbox").fill("rahima")
    await expect(dialog.locator(".pick", has_text="Rahima Khatun")).to_be_visible()
    await expect(dialog.locator("#found")).not_to_have_attribute("inert", "")
    assert await page.evaluate("() => window.inert") == [True, False]


async def held(route: Route, until: asyncio.Event) -> None:
    """An answer that takes as long as the test wants."""
    await until.wait()
    await route.continue_()


async def test_only_a_press_that_begins_and_ends_outside_closes_the_dialog(page: Page) -> None:
    await page.locator("#tile-2-1-1").get_by_text("Start…").click()
    dialog = page.locator("dialog")
    await expect(dialog).to_be_visible()
    box = await dialog.bounding_box()
    assert box is not None

    await page.mouse.click(box["x"] + 5, box["y"] + 5)
    await expect(dialog).to_be_visible()

    await dialog.locator(".pick").first.hover()
    await page.mouse.down()
    await page.locator("#found").evaluate("found => found.replaceWith(found.cloneNode(true))")
    await page.mouse.up()
    await expect(dialog).to_be_visible()

    await page.mouse.click(box["x"] - 5, box["y"] + 5)
    await expect(dialog).to_be_hidden()


async def test_escape_closes_the_dialog_and_the_focus_is_where_it_was(page: Page) -> None:
    await page.locator("#tile-1-1-1").get_by_text("Stop").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog")).to_be_visible()

    await page.keyboard.press("Escape")

    await expect(page.locator("dialog")).to_be_hidden()
    await expect(page.locator("#tile-1-1-1").get_by_text("Stop")).to_be_focused()


async def test_a_status_changes_its_tile_and_leaves_the_focus_alone(served: ConsoleFixture, page: Page) -> None:
    await expect(page.locator("[data-live-badge]")).to_contain_text("Live")
    link = page.locator("#tile-2-1-1 h2 a")
    await link.focus()

    changed = status_changed(1, "Finishing", served.now_ms + 1, served.now_ms + 1)
    await served.store.write(status.status_changed, StationId(2), changed)

    await expect(page.locator("#tile-2-1-1")).to_contain_text("Please unplug")
    await expect(link).to_be_focused()


async def test_a_new_charger_appears_on_the_board_by_itself(served: ConsoleFixture, page: Page) -> None:
    await expect(page.locator("[data-live-badge]")).to_contain_text("Live")

    await served.store.write(admission.register, "CS-77", "Far end", 0, None, served.by)

    await expect(page.get_by_role("heading", name="Far end")).to_be_visible()


async def test_no_page_is_wider_than_a_small_phone(page: Page) -> None:
    assert await too_wide(page, *PAGES) == {}


async def test_what_people_type_without_a_blank_makes_no_page_wider(served: ConsoleFixture, page: Page) -> None:
    """In Bengali, whose words are the longer ones."""
    group, person, card = await served.store.write(somebody_without_a_blank)
    await page.request.post("/account/language", form={"language": "bn"}, headers=OURS)
    here = f"/people/{person}"
    actions = ("", "/refund", "/correction", "/topup", "/edit", "/leave", "/merge", "/merge?into=1", "/enrol")
    others = (
        f"/cards/new?person={person}", f"/cards/{card}", f"/cards/{card}/block", f"/cards/{card}/limits", f"/cards/{card}/pin",
        f"/sessions?person={person}", f"/sessions?card={card}", f"/groups/{group}", "/groups", "/people", "/cards", "/reports",
        "/stations/CS-02/1/start?q=WWW", f"/stations/CS-02/1/start?q={'Z' * 90}", f"/search?q={'Z' * 90}",
    )  # fmt: skip

    assert await too_wide(page, *(here + action for action in actions), *others) == {}

    await page.goto(here)
    ends = await page.evaluate(FIGURES)
    assert max(ends["figures"]) <= ends["card"]


FIGURES = """() => {
    const end = (one) => one.getBoundingClientRect().right;
    const figures = [...document.querySelectorAll(".sheet-card .figure *")].map(end);
    return { card: end(document.querySelector(".sheet-card")), figures };
}"""
"""Where the card of the balance ends, and where its figures do."""


async def too_wide(page: Page, *paths: str) -> dict[str, int]:
    """Which of these pages are wider than a small phone."""
    await page.set_viewport_size({"width": 320, "height": 700})
    found = {}
    for path in paths:
        answer = await page.goto(path)
        assert answer is not None
        assert answer.ok, path
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            found[path] = width
    return found


def somebody_without_a_blank(db: Database) -> tuple[GroupId, PersonId, CardId]:
    """Name, note, group and label are as long as they may be, and the balance is large."""
    group = groups.add(db, "G" * 100, "prepaid", BY)
    note = f"https://maps.app.goo.gl/{'a' * 60}"
    person = people.add(db, "W" * 200, group, BY, phone="0" * 40, note=note)
    card = cards.add(db, "04E1E2E3E4E5E6", person, BY, label="L" * 100)
    wallets.top_up(db, person, 100_000_00, "cash", "large", BY)
    return group, person, card
