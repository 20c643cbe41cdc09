"""Reports by connector, person, group, tariff, staff and way of paying: page, chart, files and the closing sheet say the same."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import month_end
from appliance.domain.by import By
from appliance.domain.calendar import day_bounds
from appliance.domain.identifiers import PersonId
from appliance.domain.roles import Role
from appliance.services import month_end as sheets
from appliance.services.wallets import wallets
from tests.ui.console.test_reports import DHAKA, get, some_weeks
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

Browser = TestClient[Any, Any]
DAYS = {"from": "2026-11-01", "to": "2026-11-30"}
PAGES = ("connectors", "people", "groups", "tariffs", "operators", "methods", "receipts")


def foot(html: str) -> list[str]:
    html = re.sub(r'<small class="slim-only">.*?</small>', "", html)
    cells = re.findall(r"<td.*?</td>", html.partition("<tfoot>")[2].partition("</tfoot>")[0])
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


async def read_file(client: Browser, path: str, **asked: str) -> list[list[str]]:
    async with client.get(path, params=asked) as answer:
        assert answer.status == 200
        raw = await answer.read()
    assert raw.startswith("﻿".encode())
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


@pytest.fixture(name="viewer")
async def _viewer(served: ConsoleFixture) -> Browser:
    await served.store.write(some_weeks)
    return await served.logged_in(Role.VIEWER)


async def test_who_has_taken_the_money_is_said_in_the_readers_language(viewer: Browser, served: ConsoleFixture) -> None:
    await served.store.write(wallets.top_up, PersonId(1), 700, "cash", "by-the-console", By("console", NOW_MS))
    assert "the console" in await get(viewer, "/reports/receipts", **DAYS)

    await viewer.post("/account/language", data={"language": "bn"}, headers={"Sec-Fetch-Site": "same-origin"})
    html = await get(viewer, "/reports/receipts", **DAYS)
    assert "কনসোল" in html
    assert "the console" not in html


@pytest.mark.parametrize("about", PAGES)
async def test_page_and_files_have_the_same_lines(viewer: Browser, about: str) -> None:
    html = await get(viewer, f"/reports/{about}", **DAYS)
    rows = await read_file(viewer, f"/reports/{about}.csv", **DAYS)
    body = html.partition("<tbody>")[2].partition("</tbody>")[0]

    assert body.count("<tr>") == len(rows) - 2 > 0
    assert 'class="series-0"' in html
    for row in rows[1:-1]:
        assert row[0 if about != "receipts" else 1].lstrip("'") in unescape(html)
    async with viewer.get(f"/reports/{about}.xlsx", params=DAYS) as answer:
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as book:
            assert book.testzip() is None


@pytest.mark.parametrize("about", ["connectors", "people", "groups", "tariffs"])
async def test_each_has_the_sums_of_the_report_by_charger(viewer: Browser, about: str) -> None:
    whole = await read_file(viewer, "/reports.csv", **DAYS)
    rows = await read_file(viewer, f"/reports/{about}.csv", **DAYS)

    assert rows[-1][2:6] == [whole[-1][3], whole[-1][4], whole[-1][5], whole[-1][6]]
    assert foot(await get(viewer, f"/reports/{about}", **DAYS))[4] == whole[-1][6]


async def test_a_connector_says_how_much_of_the_time_it_was_taken(viewer: Browser) -> None:
    html = await get(viewer, "/reports/connectors", **DAYS)
    assert "Time charging" in html
    assert len(re.findall(r'wide-only">\d+\.\d %', html)) == 10


@pytest.mark.parametrize("about", ["connectors", "people", "groups", "tariffs"])
async def test_a_line_opens_the_sessions_that_its_fees_are_the_sum_of(viewer: Browser, about: str) -> None:
    """None of these ran over midnight but the one of charger 3."""
    span = {"from": "2026-11-01", "to": "2026-11-18"}
    page = await get(viewer, f"/reports/{about}", **span)
    opened = re.findall(r'<a class="why" href="(/sessions\?[^"]*)">([^<]*)</a>', page)
    assert opened

    for link, fees in opened:
        listed = await get(viewer, unescape(link))
        foot_cells = re.findall(r"<td[^>]*>([^<]*)</td>", listed.partition("<tfoot>")[2])
        assert foot_cells[-1] == fees, link
        assert 'href="/sessions/' in listed


async def test_who_takes_money_is_not_told_what_others_took(served: ConsoleFixture) -> None:
    cashier = await served.logged_in(Role.CASHIER)
    for about in ("operators", "methods", "receipts", "month"):
        async with cashier.get(f"/reports/{about}") as answer:
            assert answer.status == 403
    html = await get(cashier, "/reports")
    assert 'href="/reports/people"' in html
    assert 'href="/reports/methods"' not in html


async def test_the_closing_sheet_adds_up_and_names_the_ends_of_both_chains(
    served: ConsoleFixture, viewer: Browser
) -> None:
    html = await get(viewer, "/reports/month", month="2026-11")
    rows = await read_file(viewer, "/reports/month.csv", month="2026-11")
    from_ms, until_ms = day_bounds("2026-11-01", DHAKA)[0], day_bounds("2026-11-30", DHAKA)[1]
    ends = [await served.store.read(month_end.chain_end, table, until_ms) for table in ("transfer", "audit")]

    assert "This month is not over" in html
    for end in ends:
        assert end.hash.hex() in html
        assert end.hash.hex() in [row[7] for row in rows]
    accounts = await served.store.read(month_end.accounts, from_ms, until_ms)
    assert sum(one.before_minor for one in accounts) == sum(one.after_minor for one in accounts) == 0
    assert sum(one.in_minor - one.out_minor for one in accounts) == 0


async def test_a_month_stays_as_it_was_when_money_moves_later(served: ConsoleFixture, viewer: Browser) -> None:
    first = await served.store.read(sheets.sheet, "2026-11-01", "2026-11-30", DHAKA, NOW_MS)
    served.now_ms += 20 * 86_400_000
    await served.store.write(wallets.top_up, PersonId(1), 777, "cash", "later", served.by)
    again = await served.store.read(sheets.sheet, "2026-11-01", "2026-11-30", DHAKA, served.now_ms)

    assert again.is_over
    assert not first.is_over
    assert (again.accounts, again.taken, again.receipts) == (first.accounts, first.taken, first.receipts)
    assert (again.ledger_end, again.audit_end.seq) == (first.ledger_end, first.audit_end.seq)


async def test_the_front_page_has_the_day_the_week_and_the_month(viewer: Browser) -> None:
    html = await get(viewer, "/")
    part = html.partition('id="overview-h"')[2].partition("</section>")[0]
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', part)]
    assert links == [
        "/reports?from=2026-11-22&to=2026-11-22", "/reports?from=2026-11-16&to=2026-11-22", "/reports?from=2026-11-01&to=2026-11-30",
    ]  # fmt: skip
    month = (await read_file(viewer, "/reports.csv", **DAYS))[-1]
    assert f"৳{float(month[5]):,.2f}" in part
