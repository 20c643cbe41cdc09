"""Problems with four hundred chargers that lost their network at once: one row, a list to open, dismissed as a whole."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Playwright, ViewportSize, expect

from appliance.db.engine.open import open_to_write
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.events import TransactionEnded
from appliance.services import health
from appliance.services.sessions import stopping
from appliance.services.stations import admission, status
from tests.browser.conftest import OWNER, Connect, Site, Visit, live, open_site
from tests.browser.program import add_operator, make_site, serving
from tests.support.statuses import status_changed

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PHONE: ViewportSize = {"width": 390, "height": 844}
MINUTE_MS = 60_000


@pytest_asyncio.fixture(name="site", scope="module", loop_scope="module")
async def _site(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """400 chargers went away ten minutes ago, nine others one after the other since yesterday."""
    directory = tmp_path_factory.mktemp("problems") / "site"
    await make_site(directory)
    await add_operator(directory, OWNER, "owner", "Nasrin Akter")
    fill(directory / "forecourt.db", system_clock())
    async with serving(directory) as program, open_site(program, playwright) as site:
        yield site


def fill(path: Path, now_ms: int) -> None:
    db = open_to_write(path)
    db.execute("BEGIN IMMEDIATE")
    for number in range(1, 401):
        add_offline(db, f"CS-{number:03}", f"Gate {number}", now_ms - 10 * MINUTE_MS + number * 40)
    for number in range(1, 10):
        add_offline(db, f"RAMP-{number}", f"Ramp {number}", now_ms - number * 100 * MINUTE_MS)
    health.check_stations(db, frozenset(), 0, now_ms)
    by = By("operator:1", now_ms)
    station = admission.register(db, "HALL-1", "Hall 1", 0, None, by)
    status.status_changed(db, station, status_changed(1, "Faulted", now_ms, now_ms, error="GroundFailure", info="RCD"))
    for ref in (7, 8, 9):
        stopping.transaction_ended(db, station, TransactionEnded(ref, None, 900, now_ms, "Local", (), now_ms + ref))
    db.flush()
    db.execute("COMMIT")
    db.close()


def add_offline(db: Database, identity: str, name: str, gone_ms: int) -> None:
    station = admission.register(db, identity, name, 0, None, By("operator:1", gone_ms - MINUTE_MS))
    status.connected(db, station, "1.6", "10.0.0.7", gone_ms - MINUTE_MS)
    status.disconnected(db, station, gone_ms)


async def test_like_problems_are_one_row_with_a_list_to_open(visit: Visit, connect: Connect) -> None:
    page = await visit(OWNER, viewport=PHONE)
    await page.goto("/problems")
    await live(page)
    rows = page.locator("#open-problems > .troubles > .trouble")
    together = rows.filter(has_text=re.compile(r"^\s*400 chargers went offline at \d"))
    await expect(together).to_have_count(1)
    await expect(rows.filter(has_text="9 chargers are offline.")).to_have_count(1)
    await expect(rows.filter(has_text="Hall 1 ended 3 transactions that we do not know (7, 8, 9).")).to_contain_text(
        "3 times, last"
    )

    await together.get_by_text("Show them").click()
    names = together.locator("li a")
    assert (await names.all_inner_texts())[:11] == [f"Gate {number}" for number in range(1, 12)]
    await connect("CS-007")
    # One came back: the list that somebody has opened stays open, and is true.
    await expect(rows.filter(has_text="399 chargers went offline at")).to_be_visible()
    await expect(page.get_by_role("link", name="Gate 8", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Gate 7", exact=True)).to_have_count(0)
    await page.get_by_role("link", name="Gate 8", exact=True).click()
    await expect(page.get_by_role("heading", name="Gate 8", level=1)).to_be_visible()


async def test_the_board_counts_rows_and_a_row_is_dismissed_until_it_happens_anew(
    visit: Visit, connect: Connect, site: Site
) -> None:
    page = await visit()
    rows = len((await site.get("/problems/rows"))["items"])
    await page.goto("/")
    await expect(page.locator("#figures a[href='/problems'] strong")).to_have_text(str(rows))

    await page.goto("/problems")
    ramps = page.locator(".trouble").filter(has_text="9 chargers are offline.")
    await ramps.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_text("Dismissed. It comes back if it happens anew.")).to_be_visible()
    await expect(ramps).to_be_hidden()
    await page.get_by_text("1 dismissed, and not over yet").click()
    await expect(ramps).to_be_visible()

    await connect("RAMP-1")
    await expect(page.locator(".trouble").filter(has_text="8 chargers are offline.")).to_be_visible()
    await page.reload()
    await expect(page.get_by_role("row").filter(has_text="Ramp 1 has been offline for 1 h 40 min.")).to_be_visible()
