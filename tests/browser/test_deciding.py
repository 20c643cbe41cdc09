"""Sessions that wait for somebody to say what is billed, and messages that cannot be read: on the page of problems, in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Playwright, ViewportSize, expect

from appliance.db.engine.open import open_to_write
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.events import MeterRead, TransactionEnded, TransactionStarted
from appliance.domain.meter import Reading
from appliance.domain.problem import ProblemKind
from appliance.domain.tariff import Tariff
from appliance.services import problems, tariffs
from appliance.services.cards import cards
from appliance.services.people import groups, people
from appliance.services.sessions import metering, starting, stopping
from appliance.services.stations import admission
from appliance.services.wallets import wallets
from tests.browser.conftest import OWNER, Connect, Site, Visit, live, open_site
from tests.browser.program import add_operator, make_site, serving
from tests.browser.test_every_page import INSPECTION, KINDS

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
HOUR_MS = 3_600_000
SENT = (
    '["2","17","StopTransaction",{"transactionId":7,"idTag":"04A1B2C3","meterStop":6000,"reason":' + '"x" ' * 60 + "}]"
)


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Three sessions whose readings and stop contradict each other, and a frame that nobody can read."""
    directory = tmp_path_factory.mktemp("deciding") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    await add_operator(directory, "kamal", "cashier", "Kamal Hossain")
    fill(directory / "forecourt.db", system_clock())
    async with serving(directory) as program, open_site(program, playwright) as site:
        yield site


def fill(path: Path, now_ms: int) -> None:
    db = open_to_write(path)
    db.execute("BEGIN IMMEDIATE")
    by = By("operator:1", now_ms - 6 * HOUR_MS)
    tariffs.make_default(db, tariffs.add(db, Tariff(0, "Day", 2_000_000, 0, 0, 0, 0, 0), by), by)
    person = people.add(db, "Rahima Khatun", groups.add(db, "Customers", "prepaid", by), by)
    cards.add(db, "04A1B2C3", person, by)
    wallets.top_up(db, person, 100_000, "cash", "first", by)
    for number in range(1, 4):
        doubtful(db, number, now_ms - (6 - number) * HOUR_MS)
    details = {"station": 1, "note": "a frame begins with its type", "text": [SENT, "[true]"]}
    problems.raise_problem(db, ProblemKind.UNREADABLE, "station:1", now_ms, **details)
    db.flush()
    db.execute("COMMIT")
    db.close()


def doubtful(db: Database, number: int, begin_ms: int) -> None:
    station = admission.register(db, f"GATE-{number}", f"Gate {number}", 0, None, By("operator:1", begin_ms))
    ref = starting.transaction_started(db, station, TransactionStarted(1, "04A1B2C3", 10_000, begin_ms, begin_ms)).ref
    end_ms = begin_ms + HOUR_MS // 2
    metering.meter_read(db, station, MeterRead(ref, 1, (Reading(end_ms - 60_000, 14_000),), end_ms - 60_000))
    ended = TransactionEnded(ref, "04A1B2C3", 12_500, end_ms, "Local", (), end_ms)
    stopping.transaction_ended(db, station, ended)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE])
@pytest.mark.parametrize("spoken", ["en", "bn"])
async def test_the_opened_list_is_sound(visit: Visit, scheme: str, viewport: ViewportSize, spoken: str) -> None:
    page = await visit(OWNER, viewport=viewport, color_scheme=scheme, has_touch=viewport is PHONE)
    await speak(page, spoken)
    await page.goto("/problems")
    await opened(page)

    findings = await page.evaluate(INSPECTION)
    kinds = [kind for kind in KINDS if kind != "touch" or viewport is PHONE]
    assert {kind: findings[kind] for kind in kinds if findings[kind]} == {}
    await speak(page, "en")


async def test_somebody_decides_in_the_list_and_goes_on_there(visit: Visit) -> None:
    page = await visit(OWNER, viewport=PHONE)
    await page.goto("/problems")
    await live(page)
    row = page.locator("#open-problems .trouble").filter(has_text="3 sessions could not be billed by themselves")
    await expect(row).to_have_count(1)
    await row.get_by_text("Show them").click()
    await row.locator("li").filter(has_text="Gate 2").get_by_role("button", name="Bill 2.500 kWh: ৳50.00").click()

    await expect(page.get_by_role("status").first).to_have_text("The session is billed.")
    await expect(page.get_by_role("heading", name="Problems", level=1)).to_be_visible()
    row = page.locator("#open-problems .trouble").filter(has_text="2 sessions could not be billed by themselves")
    await row.get_by_text("Show them").click()
    await row.locator("li").filter(has_text="Gate 1").get_by_role("button", name="Bill nothing").click()
    await expect(row).to_have_count(0)
    # The last one needs no list.
    row = page.locator("#open-problems .trouble").filter(has_text="The readings say 4.000 kWh")
    await row.get_by_role("button", name="Bill 4.000 kWh: ৳80.00").click()
    await expect(page.locator("#open-problems").get_by_text("could not be billed by")).to_have_count(0)


async def test_what_was_sent_can_be_read_and_a_list_that_is_open_stays_open(visit: Visit, connect: Connect) -> None:
    page = await visit("kamal", viewport=PHONE)
    await page.goto("/problems")
    await live(page)
    row = page.locator("#open-problems .trouble").filter(has_text="cannot be read")
    await row.get_by_text("What it sent").click()
    await expect(row.locator("pre").first).to_have_text(SENT)
    await connect("STRANGER")
    await expect(
        page.locator("#open-problems").get_by_text("STRANGER, at 127.0.0.1, waits for approval.")
    ).to_be_visible()
    await expect(row.locator("pre").first).to_be_visible()


async def speak(page: Page, language: str) -> None:
    """The account's language, as its page sets it."""
    await page.goto("/account")
    await page.locator("select[name=language]").select_option(language)
    async with page.expect_navigation():
        await page.locator("form[action='/account/language'] button").click()
    await expect(page.locator("html")).to_have_attribute("lang", language)


async def opened(page: Page) -> None:
    """All that can be opened."""
    await page.evaluate(
        "() => document.querySelectorAll('#open-problems details').forEach(one => { one.open = true; })"
    )
