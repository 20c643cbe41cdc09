"""The card desk in a browser, with the simulated chip on a serial line behind it: the whole life of a card, by somebody who has
read no manual.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Playwright, ViewportSize, expect

from appliance.demo.reader import CardDrawer
from appliance.services.ports.demo import DemoCard
from tests.browser.conftest import OWNER, Connect, Site, Visit, live, open_site
from tests.browser.onlooker import Onlooker
from tests.browser.program import add_operator, make_site, serving
from tests.browser.test_every_page import INSPECTION

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CASHIER = "karim"
PHONE: ViewportSize = {"width": 390, "height": 844}


@pytest_asyncio.fixture(name="drawer", scope="module", loop_scope="module")
async def _drawer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CardDrawer]:
    """A reader whose cards the test lays."""
    with CardDrawer(tmp_path_factory.mktemp("reader")) as drawer:
        yield drawer


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory, drawer: CardDrawer
) -> AsyncIterator[Site]:
    """A site with a price, a group, a cashier and a reader."""
    directory: Path = tmp_path_factory.mktemp("browser") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    await add_operator(directory, CASHIER, "cashier", "Karim Ahmed")
    async with (
        serving(directory, "--reader", str(drawer.path)) as program,
        open_site(program, playwright) as site,
    ):
        tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
        await site.post(f"/tariffs/{tariff['id']}/default", {})
        await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
        yield site


@pytest_asyncio.fixture(name="desk", loop_scope="module")
async def _desk(visit: Visit, drawer: CardDrawer) -> AsyncIterator[Page]:
    """The page of the desk, with nothing on the reader."""
    drawer.set_plugged(True)
    drawer.take()
    page = await visit(CASHIER)
    await page.goto("/desk")
    await live(page)
    await expect(page.locator("#desk-reader-word")).to_have_text("Reader ready")
    await expect(page.get_by_role("heading", name="Lay a card on the reader")).to_be_visible()
    yield page
    drawer.take()


numbers = count(111_222)
"""Each has a telephone of their own."""


async def issue(page: Page, drawer: CardDrawer, name: str, amount: str = "৳500") -> DemoCard:
    """A card out of the box for somebody new: the name is typed where the cursor is."""
    card = drawer.new_card("NTAG213")
    drawer.lay(card.id)
    await expect(page.get_by_label("Name", exact=True)).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(f"01911 {next(numbers)}")
    await page.get_by_label(amount, exact=True).check()
    await page.keyboard.press("Enter")
    await expect(page.locator("#desk-job")).to_contain_text(f"{name} has card")
    return card


async def test_a_newcomer_issues_recharges_charges_loses_and_replaces_a_card(
    desk: Page, drawer: CardDrawer, site: Site, connect: Connect
) -> None:
    # Issue: the UID is never typed, and the card is written.
    card = await issue(desk, drawer, "Anwara Begum")
    await expect(desk.get_by_role("heading", name="Anwara Begum")).to_be_visible()
    await expect(desk.locator("#desk-who")).to_contain_text("৳500.00")
    drawer.take()
    await expect(desk.get_by_role("heading", name="Lay a card on the reader")).to_be_visible()

    # Recharge: tap, amount, confirm.
    drawer.lay(card.id)
    await desk.get_by_label("৳200", exact=True).check()
    await desk.get_by_role("button", name="Top up", exact=True).click()
    await expect(desk.locator("#desk-job")).to_contain_text("The balance is ৳700.00 now")
    drawer.take()

    # Swipe at a charger: 10 kWh at 20 taka and 5 % tax.
    await site.post("/stations", {"id": "RAMP", "name": "Ramp"})
    station = await connect("RAMP", power_w=7200)
    await station.plug_in()
    assert await station.present_card(card.uid) == "Accepted"
    await station.charge(10_000, duration_s=60)
    await station.unplug()
    drawer.lay(card.id)
    await expect(desk.locator("#desk-who")).to_contain_text("৳490.00")
    await expect(desk.locator("#desk-records")).to_contain_text("Ramp")
    await expect(desk.locator("#desk-records")).to_contain_text("−৳210.00")
    drawer.take()

    # Lost: found by the telephone number, replaced by a new card; the money stays, the old card is dead.
    await desk.get_by_label("Scan here, or look somebody up").fill("01911111222")
    await desk.keyboard.press("Enter")
    await desk.get_by_role("link", name="Lost, replace…").click()
    await desk.get_by_role("button", name="Lay the new card on the reader").click()
    await expect(desk.locator("#desk-job")).to_contain_text("Lay the new card for Anwara Begum on the reader")
    new = drawer.new_card("NTAG215")
    drawer.lay(new.id)
    await expect(desk.locator("#desk-job")).to_contain_text("the old one charges nowhere")
    await expect(desk.locator("#desk-who")).to_contain_text("৳490.00")
    await station.plug_in()
    assert await station.present_card(card.uid) in ("Blocked", "Invalid")
    assert await station.present_card(new.uid) == "Accepted"
    await station.unplug()


async def test_a_card_pulled_away_is_finished_when_it_comes_back(desk: Page, drawer: CardDrawer) -> None:
    card = drawer.new_card("NTAG213")
    await desk.get_by_text("New card…").click()
    await desk.get_by_label("Name", exact=True).fill("Salma Akter")
    await desk.get_by_role("button", name="Give out the card").click()
    await expect(desk.locator("#desk-job")).to_contain_text("Lay the new card for Salma Akter")
    drawer.tear(card.id)
    await expect(desk.locator("#desk-job")).to_contain_text("the card was not finished")
    await expect(desk.get_by_role("button", name="Give another card instead")).to_be_visible()

    drawer.lay(card.id)

    await expect(desk.locator("#desk-job")).to_contain_text(re.compile(r"Salma Akter has card \d{4}\."))


async def test_what_is_typed_stays_when_the_card_is_laid_down_afterwards(desk: Page, drawer: CardDrawer) -> None:
    await desk.get_by_text("New card…").click()
    await desk.get_by_label("Name", exact=True).fill("Jamal Uddin")
    await desk.get_by_label("৳200", exact=True).check()

    drawer.lay(drawer.new_card("NTAG213").id)

    await expect(desk.get_by_role("heading", name="A new card")).to_be_visible()
    await expect(desk.get_by_label("Name", exact=True)).to_have_value("Jamal Uddin")
    await expect(desk.get_by_label("৳200", exact=True)).to_be_checked()


async def test_recharge_and_print_shows_the_receipt(desk: Page, drawer: CardDrawer) -> None:
    await issue(desk, drawer, "Rahima Khatun")
    await desk.get_by_label("৳1,000", exact=True).check()
    await desk.get_by_role("button", name="Top up and print").click()

    await desk.wait_for_url(re.compile(r"/receipts/\d+"))
    await expect(desk.locator(".slip-amount")).to_have_text("৳1,000.00")
    await expect(desk.get_by_role("link", name="Back to the desk")).to_be_visible()


async def test_somebody_who_may_be_here_already_is_asked_about_once(
    desk: Page, drawer: CardDrawer, onlooker: Onlooker
) -> None:
    await issue(desk, drawer, "Taslima Begum")
    drawer.take()
    drawer.lay(drawer.new_card("NTAG213").id)
    await expect(desk.get_by_label("Name", exact=True)).to_be_focused()
    await desk.keyboard.type("begum taslima")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_role("alert").get_by_role("link", name="Taslima Begum")).to_be_visible()
    onlooker.expect_refusals(409)
    await desk.get_by_label("It is another person").check()
    await desk.get_by_role("button", name="Give out the card").click()
    await expect(desk.locator("#desk-job")).to_contain_text("begum taslima has card")


async def test_a_slip_is_taken_back(desk: Page, drawer: CardDrawer) -> None:
    await issue(desk, drawer, "Wrong Name")
    await desk.get_by_role("button", name="Take back").click()

    await expect(desk.locator(".note.is-done").first).to_contain_text("It was taken back; credit note")
    await expect(desk.get_by_role("heading", name="A new card")).to_be_visible()


async def test_a_reader_that_is_pulled_out_and_put_back_says_so(desk: Page, drawer: CardDrawer) -> None:
    drawer.set_plugged(False)
    await expect(desk.locator("#desk-reader-word")).not_to_have_text("Reader ready")
    await expect(desk.locator("#desk-reader")).to_contain_text("Until then cards can be served by their number")

    drawer.set_plugged(True)

    await expect(desk.locator("#desk-reader-word")).to_have_text("Reader ready")


async def test_a_tap_is_told_anywhere_and_moves_nobody(desk: Page, drawer: CardDrawer) -> None:
    card = await issue(desk, drawer, "Nadia Islam")
    drawer.take()
    await desk.goto("/people")
    drawer.lay(card.id)

    await expect(desk.locator("#tap")).to_contain_text("Nadia Islam")
    await expect(desk).to_have_url(re.compile("/people$"))
    await desk.locator("#tap a").click()
    await expect(desk.get_by_role("heading", name="Nadia Islam")).to_be_visible()


async def test_at_the_till_a_card_opens_its_holder_and_the_next_one_theirs(
    desk: Page, visit: Visit, drawer: CardDrawer
) -> None:
    """Two presses from the card to the money; a card that stays there brings its holder back to nobody."""
    first = await issue(desk, drawer, "Shathi Akter")
    drawer.take()
    await expect(desk.get_by_role("heading", name="Lay a card on the reader")).to_be_visible()
    second = await issue(desk, drawer, "Mitu Rahman")
    drawer.take()
    till = await visit(CASHIER)
    await till.goto("/till")
    await live(till)
    drawer.lay(first.id)
    await expect(till.get_by_role("heading", name="Shathi Akter")).to_be_visible()
    await till.get_by_text("৳200", exact=True).click()
    await till.get_by_role("button", name="Top up", exact=True).click()
    await expect(till.get_by_role("status").first).to_contain_text("for Shathi Akter. The balance is ৳700.00 now.")
    await live(till)
    await expect(till.get_by_role("link", name="Shathi Akter").first).to_be_visible()
    assert till.url.endswith("/till")
    drawer.take()
    await expect(till.locator("#till-tap")).to_be_empty()
    drawer.lay(first.id)
    await expect(till.get_by_role("heading", name="Shathi Akter")).to_be_visible()
    await till.get_by_text("৳500", exact=True).click()
    drawer.take()
    drawer.lay(second.id)
    await expect(till.locator("#till-tap")).to_contain_text("Mitu Rahman")
    await expect(till.get_by_role("heading", name="Shathi Akter")).to_be_visible()
    await till.get_by_role("link", name="Mitu Rahman").first.click()
    await expect(till.get_by_role("heading", name="Mitu Rahman")).to_be_visible()


async def test_the_desk_is_worked_with_the_keyboard_alone(desk: Page, drawer: CardDrawer) -> None:
    drawer.lay(drawer.new_card("NTAG213").id)
    await expect(desk.get_by_label("Name", exact=True)).to_be_focused()
    await desk.keyboard.type("Keyboard Only")
    for _ in range(2):
        await desk.keyboard.press("Tab")
    # The radio buttons of the amounts: the second is the first preset.
    await desk.keyboard.press("ArrowRight")
    await desk.keyboard.press("Enter")

    await expect(desk.locator("#desk-job")).to_contain_text("Keyboard Only has card")
    await expect(desk.locator("#desk-who")).to_contain_text("৳200.00")


async def test_a_telephone_is_a_reader_where_the_browser_lets_it(
    visit: Visit, site: Site, drawer: CardDrawer, onlooker: Onlooker
) -> None:
    drawer.take()
    page = await visit(CASHIER, viewport=PHONE)
    await page.add_init_script("""
        window.NDEFReader = class extends EventTarget {
          async scan() { window.tapped = (number) => this.dispatchEvent(Object.assign(new Event("reading"), { serialNumber: number })); }
        };
    """)
    await page.goto("/desk")
    await page.get_by_role("button", name="Use this phone as a reader").click()
    await expect(page.get_by_role("button", name="Hold the card to the back of this phone…")).to_be_visible()
    await page.evaluate("window.tapped('04:aa:bb:cc:dd:ee:80')")

    await expect(page).to_have_url(re.compile(r"\?uid=04AABBCCDDEE80$"))
    await expect(page.get_by_role("button", name="Give it out by its number")).to_be_visible()


async def test_the_desk_can_be_read_and_touched_by_day_by_night_and_on_a_phone(desk: Page, drawer: CardDrawer) -> None:
    known = await issue(desk, drawer, "Rafiq Islam")
    telephone = next(card.id for card in drawer.cards() if card.kind == "Telephone")
    for card, heading in (
        (known.id, "Rafiq Islam"), (drawer.new_card("NTAG213").id, "A new card"), (telephone, "This one cannot be used"),
    ):  # fmt: skip
        drawer.lay(card)
        await expect(desk.get_by_role("heading", name=heading)).to_be_visible()
        for scheme in ("light", "dark"):
            await desk.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for width in (1280, 390, 320):
                await desk.set_viewport_size({"width": width, "height": 844})
                found = await desk.evaluate(INSPECTION)
                wrong = {kind: found[kind] for kind in found if found[kind] and (kind != "touch" or width < 760)}
                assert wrong == {}, (heading, scheme, width)
