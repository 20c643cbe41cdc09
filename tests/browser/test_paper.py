"""Lists, reports and receipts on A4, as a browser prints them: paper is narrow, and yet no phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Page, PdfMargins, Playwright

from appliance.demo import site as demo
from tests.browser.conftest import Site, Visit, log_in, open_site
from tests.browser.program import LATELY, serving

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HEAD_CELL = re.compile(rb"/S\s*/TH\b")
"""What a tagged PDF says of each cell of a table's head; what is not printed has none."""
MARGIN = PdfMargins(top="12mm", right="12mm", bottom="12mm", left="12mm")
LISTS = (
    "/people", "/people/1", "/cards", "/cards/1", "/sessions", "/sessions/1", "/receipts", f"/reports?{LATELY}", "/reports/month",
    "/stations", "/stations/GATE-1", "/operators", "/audit", "/stations/GATE-1/variables", "/till/shifts", "/vouchers",
    "/vouchers/batches", "/vouchers?batch=1", "/bills", "/debts", "/pools", "/sessions/1/explanation",
)  # fmt: skip
OPENED = "(all) => all.forEach((each) => { each.open = true; })"
"""What somebody has opened is printed, too."""
A4_PX = round((210 - 2 * 12) / 25.4 * 96)
"""Width of what is printed of an A4 sheet with these margins."""


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The demo site, whose lists have rows."""
    directory = tmp_path_factory.mktemp("browser") / "demo"
    async with serving(directory, "--demo", last_word="log") as program, open_site(program, playwright) as site:
        await site.post("/vouchers", {"count": 3, "amount_minor": 50_000})
        await site.post("/shifts", {"float_minor": 10_000})
        yield site


async def enter(visit: Visit) -> Page:
    """The owner of the demo site."""
    page = await visit(None)
    await log_in(page, demo.LOGIN, demo.PASSWORD)
    await page.get_by_role("article").first.wait_for()
    return page


async def test_every_column_of_a_list_is_on_the_paper(visit: Visit) -> None:
    page = await enter(visit)
    lost = {}
    for path in LISTS:
        await page.goto(path)
        await page.locator("details").evaluate_all(OPENED)
        columns = await page.locator("main th:not(.print-only)").count()
        assert columns > 0, path
        printed = len(HEAD_CELL.findall(await page.pdf(format="A4", margin=MARGIN, tagged=True)))
        if printed < columns:
            lost[path] = f"{printed} of {columns}"
    assert lost == {}


async def test_nothing_sticks_out_of_the_paper_or_is_cut(visit: Visit) -> None:
    page = await enter(visit)
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": A4_PX, "height": 1000})
    wide = {}
    for path in LISTS:
        await page.goto(path)
        await page.locator("details").evaluate_all(OPENED)
        cut = await page.evaluate(
            "() => [...document.querySelectorAll('main, main .scroll')]"
            ".filter((each) => each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1).length"
        )
        if cut or await page.evaluate("() => document.documentElement.scrollWidth > innerWidth"):
            wide[path] = await page.evaluate("() => document.documentElement.scrollWidth")
    assert wide == {}


async def test_a_receipt_on_a4_is_one_sheet_with_nothing_around_it(visit: Visit) -> None:
    page = await enter(visit)
    await page.goto("/receipts/1?paper=a4")
    assert len(re.findall(rb"/Type\s*/Page\b", await page.pdf(format="A4"))) == 1
    await page.emulate_media(media="print")
    for around in ("navigation", "button"):
        assert await page.get_by_role(around).locator("visible=true").count() == 0
    assert await page.locator(".slip-amount").is_visible()
