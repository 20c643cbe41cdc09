"""What lists and searches say: their order, that there is more, days that are none, names that are written the other way."""

from __future__ import annotations

import re

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import tariffs as tariff_rows
from appliance.db.engine.unit import Database
from appliance.domain.identifiers import GroupId
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.people import groups, people
from appliance.services.stations import admission
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
