"""What lists and searches say: their order, that there is more, days that are none, names that are written the other way."""

from __future__ import annotations

import re
from html import unescape

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import tariffs as tariff_rows
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.people import groups, people
from appliance.services.stations import admission
from appliance.services.wallets import wallets
from appliance.ui.frame.language import LANGUAGES, _, speak
from tests.ui.console_fixture import BY, ConsoleFixture

ARABIC = "محمد علي"


async def text_of(client: TestClient, path: str) -> str:  # type: ignore[type-arg]
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


async def test_lists_are_in_the_order_in_which_people_count(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await served.store.write(_ten_of_each)

    for path in ("/stations", "/groups", "/tariffs", "/sessions", "/reports"):
        html = await text_of(client, path)
        names = re.findall(r">(Zone \d+)<", html)
        assert [int(name.removeprefix("Zone ")) for name in names] == list(range(1, 12)), path


async def test_the_search_says_when_there_is_more(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await served.store.write(_ten_of_each)

    html = await text_of(client, "/search?q=Zone")
    assert "There are more: show all people" in html
    assert "There are more: show all chargers" in html
    assert html.count("<b>Zone ") == 20
    assert "There are more" not in await text_of(client, "/search?q=Zone+1")


async def test_a_charger_is_found_by_the_words_of_its_name_in_any_order(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)

    for text in ("Gate 1", "gate CS-01", "1 gate"):
        async with client.get("/search", params={"q": text}) as answer:
            assert answer.url.path == "/stations/CS-01", text


@pytest.mark.parametrize("path", ["/reports", "/sessions"])
@pytest.mark.parametrize("day", ["2026-13-01", "0001-01-01", "tomorrow", "9999-01-01"])
async def test_a_day_that_is_none_is_said(served: ConsoleFixture, path: str, day: str) -> None:
    client = await served.logged_in(Role.OWNER)

    assert f"“{day}” is no day between 1970 and 9998" in await text_of(client, f"{path}?from={day}&to=2026-11-01")
    assert "is no day" not in await text_of(client, f"{path}?from=2026-11-01&to=")


async def test_a_span_that_is_longer_than_a_report_is_said(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)

    assert "only the last three of them are shown" in await text_of(client, "/reports?from=2001-01-01&to=2026-11-01")
    assert "only the last three" not in await text_of(client, "/reports?from=2025-01-01&to=2026-11-01")


LISTS = {
    "/people?group=1": ("name", "phone", "balance"),
    "/cards?q=04": ("number", "holder", "label", "uid", "since"),
    "/stations?a=b": ("name", "now", "model", "firmware", "address", "seen"),
    "/receipts?person=1": ("number", "amount"),
    "/audit?action=card.": ("number",),
    "/sessions?station=CS-01&from=2026-11-01&to=2026-11-30": ("began", "duration", "energy", "fee"),
    "/reports?from=2026-10-01&to=2026-11-30": ("first", "working", "energy", "fees", "sessions"),
}
"""Lists that are narrowed to something, and the columns by which they can be sorted."""


@pytest.mark.parametrize("path", LISTS)
async def test_a_click_on_a_head_sorts_and_another_turns_it_round(served: ConsoleFixture, path: str) -> None:
    client = await served.logged_in(Role.OWNER)
    kept = path.partition("?")[2]
    for column in LISTS[path]:
        first = await clicked(client, path, column)
        second = await clicked(client, first, column)
        assert kept in first, column
        assert {sorted_by(first), sorted_by(second)} == {(column, "ascending"), (column, "descending")}, column
        for address in (first, second):
            html = await text_of(client, address)
            assert heads(html)[column][1] == sorted_by(address)[1]
            assert {state for name, (_link, state) in heads(html).items() if name != column} <= {""}
        rows = [rows_of(await text_of(client, address)) for address in (first, second)]
        assert sorted(rows[0]) == sorted(rows[1])
        assert rows[0]


def sorted_by(address: str) -> tuple[str, str]:
    """The column and the direction of an address; without any, the usual one."""
    found = re.search(r"[?&]sort=(-?)(\w+)", address)
    if found is None:
        usual = {
            "/people": "name",
            "/cards": "-since",
            "/stations": "name",
            "/receipts": "-number",
            "/audit": "-number",
            "/sessions": "-began",
        }
        name = usual.get(address.partition("?")[0], "first")
        return name.removeprefix("-"), "descending" if name.startswith("-") else "ascending"
    return found[2], "descending" if found[1] else "ascending"


async def clicked(client: TestClient, path: str, column: str) -> str:  # type: ignore[type-arg]
    """Where the head of a column leads."""
    return heads(await text_of(client, path))[column][0]


def heads(html: str) -> dict[str, tuple[str, str]]:
    """Of the first table that can be sorted: for each column where its head leads, and how it is sorted."""
    table = next(one for one in re.findall(r"<thead>.*?</thead>", html, re.DOTALL) if 'class="sort"' in one)
    cells = re.findall(r'<th([^>]*)><a class="sort" href="([^"]*)"', table)
    found = {}
    for attributes, link in cells:
        address = unescape(link).partition("#")[0]
        state = re.search(r'aria-sort="(\w+)"', attributes)
        found[sorted_by(address)[0]] = (address, state[1] if state else "")
    return found


def rows_of(html: str) -> list[str]:
    """Where the rows of that table lead."""
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    table = next(one for one in tables if 'class="sort"' in one)
    return re.findall(r'<tr><td[^>]*>(?:<a [^>]*href="([^"]*)")?', table)


async def test_numbers_are_sorted_by_what_they_are(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    for number, amount_minor in enumerate((9_00, 100_00, 20_00)):
        await served.store.write(wallets.top_up, PersonId(1), amount_minor, "cash", f"paid-{number}", BY)

    by_amount = re.findall(r"৳([\d.]+)</td></tr>", await text_of(client, "/receipts?sort=-amount"))
    listed = await text_of(client, "/sessions?from=2026-11-01&sort=energy")
    energies = re.findall(r'<td class="n">([\d.]+)</td>', listed.partition("<tfoot>")[0])
    assert [float(one) for one in by_amount] == sorted(map(float, by_amount), reverse=True)
    assert {"9.00", "100.00", "20.00"} <= set(by_amount)
    assert [float(one) for one in energies] == sorted(map(float, energies))
    assert len({*energies}) > 3, "those that run are among them"


async def test_all_sessions_cannot_be_sorted_by_their_fee_and_say_what_can(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)

    for path in (
        "/sessions",
        "/sessions?station=CS-01",
        "/sessions?card=999999&sort=fee",
        "/sessions?from=2024-01-01&sort=fee",
    ):
        html = await text_of(client, path)
        assert list(heads(html)) == ["began"], path
        assert "sessions can also be sorted by what they came to" in html, path
    assert "can also be sorted" not in await text_of(client, "/sessions?from=2026-11-01")


async def test_the_filters_of_a_list_keep_its_order(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)

    for path in ("/people", "/cards", "/sessions", "/reports"):
        column = (
            "balance"
            if path == "/people"
            else "number"
            if path == "/cards"
            else "began"
            if path == "/sessions"
            else "fees"
        )
        assert f'<input type="hidden" name="sort" value="{column}">' in await text_of(client, f"{path}?sort={column}")
        assert 'name="sort"' not in await text_of(client, f"{path}?sort=nonsense")


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_name_that_is_written_the_other_way_stands_apart_in_a_sentence(language: str) -> None:
    speak(language)

    assert f"\u2068{ARABIC}\u2069" in _("{name} may log in now.").format(name=ARABIC)
    assert "\u2068" not in _("{name} may log in now.").format(name="Rahima Khatun")
    assert "\u2068" not in _("{name} may log in now.").format(name="রহিমা")


def _ten_of_each(db: Database) -> None:
    for number in (10, 2, 1, 11, 9, 3, 4, 8, 5, 7, 6):
        name = f"Zone {number}"
        admission.register(db, f"ZONE-{number}", name, 0, None, BY)
        groups.add(db, name, "free", BY)
        tariffs.add(db, Tariff(0, name, 1_000), BY)
        people.add(db, name, GroupId(1), BY)
    assert tariff_rows.current(db)
