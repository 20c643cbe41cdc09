"""A printer of receipts in a real browser: two clicks and paper, the till again, and what is said when nothing comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.axe import findings
from tests.browser.conftest import Site, Visit
from tests.browser.program import add_operator
from tests.support.fake_printer import FakePrinter, fake_printer

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
CASHIER = "rakib"


@pytest_asyncio.fixture(name="fake", scope="module", loop_scope="module")
async def _fake() -> AsyncIterator[FakePrinter]:
    async with fake_printer() as fake:
        fake.says_done = True
        yield fake


@pytest_asyncio.fixture(name="rahima", scope="module", loop_scope="module")
async def _rahima(site: Site) -> int:
    await add_operator(site.program.directory, CASHIER, "cashier", "Rakib Hasan")
    tariff = await site.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 2000, "tax_percent": 5})
    await site.post(f"/tariffs/{tariff['id']}/default", {})
    group = await site.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await site.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]})
    number: int = person["id"]
    return number


async def set_up(visit: Visit, fake: FakePrinter) -> Page:
    owner = await visit()
    await owner.goto("/settings?q=printer")
    await owner.get_by_label("Printer for receipts").fill(str(fake.place))
    await owner.get_by_label("It opens the cash drawer").check()
    await owner.get_by_role("button", name="Save").click()
    await expect(owner.get_by_role("status").first).to_be_visible()
    return owner


async def top_up_and_print(page: Page, rahima: int) -> None:
    await page.goto(f"/till?person={rahima}")
    await page.get_by_text("৳500", exact=True).click()
    await page.get_by_role("button", name="Top up and print").click()


async def test_two_clicks_book_print_open_the_drawer_and_lead_back_to_the_till(
    visit: Visit, fake: FakePrinter, rahima: int
) -> None:
    owner = await set_up(visit, fake)
    await owner.goto("/settings?q=printer")
    await owner.get_by_role("button", name="Print a test").click()
    await expect(owner.get_by_role("status").first).to_contain_text("Test of the printer: printed.")
    tests = len(fake.papers)

    page = await visit(CASHIER)
    await top_up_and_print(page, rahima)
    await expect(page.get_by_role("status").first).to_contain_text("৳500.00: printed.")
    assert page.url.endswith("/till")
    (paper,) = fake.papers[tests:]
    assert paper.did == ["paper?", "reset", "drawer", "picture", "feed", "done?"]

    await page.go_back()
    await expect(page.get_by_role("button", name="Print", exact=True)).to_be_visible()
    assert len(fake.papers) == tests + 1, "coming back prints nothing"


async def test_a_printer_without_paper_is_said_and_print_again_prints(
    visit: Visit, site: Site, fake: FakePrinter, rahima: int
) -> None:
    await set_up(visit, fake)
    before = int((await site.get(f"/people/{rahima}"))["balance_minor"])
    page = await visit(CASHIER)
    fake.says, printed = b"\x72", len(fake.papers)
    await top_up_and_print(page, rahima)
    note = page.get_by_role("alert").or_(page.get_by_role("status")).first
    await expect(note).to_contain_text("is not printed. The printer has no paper.")
    await expect(note).to_contain_text("What was booked is booked.")
    assert int((await site.get(f"/people/{rahima}"))["balance_minor"]) == before + 50_000
    assert await findings(page) == []

    await page.goto("/problems")
    await expect(page.get_by_text("The printer has no paper.").first).to_be_visible()
    await page.go_back()
    fake.says = b""
    await page.get_by_role("button", name="Print again").click()
    await expect(page.get_by_role("status").first).to_contain_text("printed.")
    assert page.url.endswith("/till")
    assert len(fake.papers) == printed + 2
    assert int((await site.get(f"/people/{rahima}"))["balance_minor"]) == before + 50_000
