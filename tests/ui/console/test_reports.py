"""The report: each day and station, its sums, its chart and its files say the same."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import report_lines, reports
from appliance.db.engine.unit import Database
from appliance.db.report_lines import By as About
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.events import TransactionEnded, TransactionStarted
from appliance.domain.identifiers import PersonId, StationId
from appliance.domain.roles import Role
from appliance.services.sessions import start_requests, starting, stopping
from appliance.ui.writing.days import Span, month_of, ordered, read_day, span_of_preset
from tests.ui.console_fixture import HOUR_MS, NOW_MS, ConsoleFixture

DHAKA = ZoneInfo("Asia/Dhaka")
DAY_MS = 24 * HOUR_MS
Browser = TestClient[Any, Any]


def some_weeks(db: Database) -> None:
    """Sessions on two stations on each of forty days, and one over midnight."""
    for day in range(40, 0, -1):
        for station, uid in ((1, "04A1B2C3"), (2, "04C1B2C3")):
            charge(db, station, uid, NOW_MS - day * DAY_MS, 2, 5_000)
    # 22:30 to 01:30 in Dhaka.
    charge(db, 3, "04D1B2C3", NOW_MS - 2 * DAY_MS + 5 * HOUR_MS + 40 * 60_000, 3, 9_000)


def charge(db: Database, station: int, uid: str, begin_ms: int, hours: int, energy_wh: int) -> None:
    """A session with a start and an end."""
    started = starting.transaction_started(
        db, StationId(station), TransactionStarted(1, uid, 1_000_000, begin_ms, begin_ms)
    )
    end_ms = begin_ms + hours * HOUR_MS
    stopping.transaction_ended(
        db, StationId(station), TransactionEnded(started.ref, uid, 1_000_000 + energy_wh, end_ms, "Local", (), end_ms)
    )


def one_that_nobody_began(db: Database) -> None:
    """A start that was asked for at a free charger, and taken back."""
    for station in (1, 2, 3):
        try:
            asked = start_requests.request_start(db, StationId(station), 1, By("console", NOW_MS), person=PersonId(1))
        except Refusal:
            continue
        assert start_requests.cancel(db, asked.id, "rejected", NOW_MS)
        return
    raise AssertionError("no charger is free")


async def get(client: Browser, path: str, **asked: str) -> str:
    """A page that is there."""
    async with client.get(path, params=asked) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


def foot_of(html: str) -> list[str]:
    """The cells of the first table's foot, as a wide screen has them."""
    foot = re.sub(r'<small class="slim-only">.*?</small>', "", html).partition("<tfoot>")[2].partition("</tfoot>")[0]
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", foot)]


async def test_the_foot_sums_what_the_database_has(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    total = await served.store.read(reports.total, "2026-11-01", "2026-11-30")

    foot = foot_of(await get(client, "/reports"))

    hours, minutes = total.working_s // 3600, total.working_s // 60 % 60
    assert foot == [
        "In all",
        f"{hours} h {minutes} min",
        f"{total.energy_wh / 1000:,.2f}",
        f"৳{total.fees_minor / 100:,.2f}",
        f"{total.sessions}",
        "0",
        "",
    ]


async def test_a_charger_has_its_failed_starts_and_how_much_of_the_time_it_was_used(served: ConsoleFixture) -> None:
    before = await served.store.read(
        lambda db: report_lines.failed(db, About.STATIONS, "2026-11-22", "2026-11-22", DHAKA)
    )
    await served.store.write(one_that_nobody_began)
    client = await served.logged_in(Role.OWNER)
    page = re.sub(
        r'<small class="slim-only">.*?</small>', "", await get(client, "/reports?from=2026-11-22&to=2026-11-22")
    )
    body = page.partition('id="by-charger"')[2].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in body.split("<tr>")[1:]]
    after = await served.store.read(
        lambda db: report_lines.failed(db, About.STATIONS, "2026-11-22", "2026-11-22", DHAKA)
    )

    assert sum(after.values()) == sum(before.values()) + 1
    assert sum(int(row[-2]) for row in rows) == sum(after.values())
    assert all(row[-1].endswith("%") for row in rows)
    assert any(float(row[-1].split()[0]) > 0 for row in rows)


async def test_the_file_has_a_row_for_each_day_and_station_with_the_same_sums(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    expected = await served.store.read(reports.station_days, "2026-11-01", "2026-11-30")

    async with client.get("/reports.csv", params={"from": "2026-11-01", "to": "2026-11-30"}) as answer:
        assert 'filename="report-2026-11-01-2026-11-30.csv"' in answer.headers["Content-Disposition"]
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))

    assert [(row[0], row[1], row[6]) for row in rows[1:-1]] == [(e.day, e.name, str(e.sessions)) for e in expected]
    assert sum(int(row[6]) for row in rows[1:-1]) == int(rows[-1][6])
    assert sum(int(row[5].replace(".", "")) for row in rows[1:-1]) == int(rows[-1][5].replace(".", ""))


async def test_a_session_over_midnight_is_on_both_days_and_counted_on_the_first(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    days = await served.store.read(reports.station_days, "2026-11-20", "2026-11-21", 3)

    assert [(day.day, day.working_s, day.energy_wh, day.sessions) for day in days] == [
        ("2026-11-20", 5_400, 4_500, 1),
        ("2026-11-21", 5_400, 4_500, 0),
    ]


async def test_what_runs_is_not_in_the_report_and_the_page_says_so(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.VIEWER)
    html = await get(client, "/reports", preset="today")

    assert "<strong>1</strong><span>sessions that ended</span>" in html
    assert "A session is counted once it has ended, on the day on which it began." in html


async def test_one_station_alone(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    html = await get(client, "/reports", station="CS-01", preset="last-month")

    assert "October 2026" in html
    assert foot_of(html)[4] == "19"


@pytest.mark.parametrize("measure", ["energy", "fees", "working", "sessions", "rubbish"])
async def test_the_chart_shows_each_measure(served: ConsoleFixture, measure: str) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    html = await get(client, "/reports", show=measure)

    assert 'class="series-0"' in html
    assert 'style="' not in html


async def test_a_year_is_drawn_by_months(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    html = await get(client, "/reports", **{"from": "2026-01-01", "to": "2026-12-31"})

    assert "<span>Oct 26</span>" in html


async def test_a_long_time_is_shown_by_months_and_each_opens_its_days(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    total = await served.store.read(reports.total, "2026-07-01", "2026-11-21")
    html = await get(client, "/reports", **{"from": "2026-07-01", "to": "2026-11-21"})

    assert "Each day of each charger" not in html
    assert foot_of(html)[2:] == [
        f"{total.energy_wh / 1000:,.2f}",
        f"৳{total.fees_minor / 100:,.2f}",
        f"{total.sessions}",
        "0",
        "",
    ]
    months = {word: address for address, word in re.findall(r'<a href="([^"]+)">((?:October|November) 2026)</a>', html)}
    assert months["November 2026"] == "/reports?from=2026-11-01&amp;to=2026-11-21"
    assert "By day" in await get(client, unescape(months["October 2026"]))
    assert foot_of(await get(client, unescape(months["October 2026"])))[4] == "38"


async def test_a_station_of_a_long_time_opens_its_months_and_then_its_sessions(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    html = await get(client, "/reports", **{"from": "2026-07-01", "to": "2026-11-21"})

    (address,) = re.findall(r'<a href="([^"]+)">Gate 1</a>', html)
    assert address == "/reports?from=2026-07-01&amp;to=2026-11-21&amp;station=CS-01"
    of_station = await get(client, unescape(address))
    assert "By month" in of_station
    assert 'href="/sessions?station=CS-01&amp;from=2026-07-01&amp;to=2026-11-21"' in of_station


async def test_a_long_time_is_read_in_bengali(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    await client.post("/account/language", data={"language": "bn"}, headers={"Sec-Fetch-Site": "same-origin"})
    html = await get(client, "/reports", **{"from": "2026-07-01", "to": "2026-11-21"})

    assert "মাস অনুযায়ী" in html
    assert "অক্টোবর ২০২৬</a>" in html


async def test_a_file_of_a_long_time_has_its_days_and_the_sums_of_the_page(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    total = await served.store.read(reports.total, "2024-12-01", "2026-11-21")
    async with client.get("/reports.csv", params={"from": "2024-12-01", "to": "2026-11-21"}) as answer:
        rows = list(csv.reader(io.StringIO((await answer.read()).decode("utf-8-sig"), newline="")))

    days = await served.store.read(reports.station_days, "2024-12-01", "2026-11-21")
    assert [(row[0], row[1]) for row in rows[1:-1]] == [(one.day, one.name) for one in days]
    assert rows[-1][4:] == [f"{total.energy_wh / 1000:.3f}", f"{total.fees_minor / 100:.2f}", f"{total.sessions}"]


async def test_days_are_read_in_any_order_and_nonsense_is_this_month(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.VIEWER)

    assert "1 Nov 2026 to 5 Nov 2026" in await get(client, "/reports", **{"from": "2026-11-05", "to": "2026-11-01"})
    assert "November 2026" in await get(
        client, "/reports", **{"from": "x", "to": "32.13.", "preset": "y", "station": "z"}
    )


async def test_the_spreadsheet_is_one(served: ConsoleFixture) -> None:
    await served.store.write(some_weeks)
    client = await served.logged_in(Role.VIEWER)
    async with client.get("/reports.xlsx") as answer:
        with zipfile.ZipFile(io.BytesIO(await answer.read())) as book:
            assert book.testzip() is None


def test_presets_are_days_of_the_site() -> None:
    assert span_of_preset("today", "2026-03-01") == Span("2026-03-01", "2026-03-01")
    assert span_of_preset("yesterday", "2026-03-01") == Span("2026-02-28", "2026-02-28")
    assert span_of_preset("month", "2026-02-10") == Span("2026-02-01", "2026-02-28")
    assert span_of_preset("last-month", "2026-01-31") == Span("2025-12-01", "2025-12-31")
    assert span_of_preset("century", "2026-01-31") is None


def test_a_month_is_followed_and_preceded_by_a_whole_month() -> None:
    january = Span("2026-01-01", "2026-01-31")

    assert january.moved(1) == Span("2026-02-01", "2026-02-28")
    assert january.moved(1).moved(1) == Span("2026-03-01", "2026-03-31")
    assert january.moved(-1) == Span("2025-12-01", "2025-12-31")
    assert Span("2026-01-05", "2026-01-06").moved(-1) == Span("2026-01-03", "2026-01-04")


def test_days_are_read_as_browsers_and_people_write_them() -> None:
    assert read_day("2026-11-05") == read_day("2026/11/5") == read_day("২০২৬-১১-০৫") == "2026-11-05"
    assert read_day("") is read_day("2026-02-30") is read_day("5") is read_day("0001-01-01") is None


def test_a_span_is_ordered_and_not_endless() -> None:
    assert ordered("2026-11-05", "2026-11-01") == Span("2026-11-01", "2026-11-05")
    assert ordered("1970-01-01", "2026-11-05").days == 1100


def test_a_span_lists_each_day_once() -> None:
    span = Span("2026-02-27", "2026-03-02")

    assert span.every() == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    begin_ms, end_ms = span.bounds(DHAKA)
    assert (end_ms - begin_ms) // DAY_MS == span.days == 4
    assert month_of(date(2026, 2, 3)).days == 28
