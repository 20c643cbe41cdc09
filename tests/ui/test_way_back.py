"""A form that another page needed leads back there, and nowhere else than inside the site."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp.test_utils import TestClient

from appliance.ui.forms.way_back import inside, with_query
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
FORMS = {
    "/groups/new": {"name": "Shops", "policy": "free", "tariff_id": ""},
    "/tariffs/new": {"name": "Night", "energy_minor_per_kwh": "12"},
    "/people/new": {"name": "Anwara Begum", "group_id": "1"},
    "/stations/new": {"id": "CS-77", "name": "Gate 7"},
}


async def page_of(client: TestClient[Any, Any], path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_leads_back_to_the_page_that_needed_it(served: ConsoleFixture, path: str) -> None:
    client = await served.logged_in()
    html = await page_of(client, f"{path}?then={quote('/cards/new?person=1')}")
    form = FORMS[path] | {
        name: unescape(value) for name, value in re.findall(r'name="(then|key)" value="([^"]*)"', html)
    }

    async with client.post(path, data={**form, "id": "", "name": ""}, headers=OURS) as refused:
        assert 'name="then" value="/cards/new?person=1"' in await refused.text(), "a mistake loses nothing"
    async with client.post(path, data=form, headers=OURS, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/cards/new?person=1")


@pytest.mark.parametrize("path", FORMS)
async def test_nobody_is_led_out_of_the_site(served: ConsoleFixture, path: str) -> None:
    client = await served.logged_in()
    for target in ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "/a\nb"):
        html = await page_of(client, f"{path}?then={quote(target)}")
        assert 'name="then"' not in html
        assert inside(target) == ""


async def test_a_person_without_a_group_is_led_to_one_and_back_with_the_card(bare: ConsoleFixture) -> None:
    client = await bare.logged_in()
    html = await page_of(client, "/people/new?uid=04A1B2C3")
    (link,) = re.findall(r'href="(/groups/new\?[^"]+)"', html)
    form = await page_of(client, unescape(link))
    (then,) = re.findall(r'name="then" value="([^"]*)"', form)

    assert unescape(then) == "/people/new?uid=04A1B2C3"


def test_a_link_says_only_what_there_is() -> None:
    assert with_query("/people/new", uid="", then="") == "/people/new"
    assert with_query("/people/new", uid="04 A1", then="/x?y=1") == "/people/new?uid=04+A1&then=%2Fx%3Fy%3D1"


async def test_each_thing_to_begin_with_leads_back_to_the_board(bare: ConsoleFixture) -> None:
    client = await bare.logged_in()
    board = await page_of(client, "/")
    begin = re.search(r'<section class="begin".*?</section>', board, re.DOTALL)
    assert begin is not None
    links = [unescape(link) for link in re.findall(r'href="([^"]+)"', begin[0])]
    assert [link.partition("?")[0] for link in links] == ["/tariffs/new", "/stations/new", "/people/new"]
    for link in links:
        path = link.partition("?")[0]
        if path == "/people/new":
            async with client.post("/groups/new", data=FORMS["/groups/new"], headers=OURS) as made:
                assert made.status == 200
        html = await page_of(client, link)
        assert 'name="then" value="/"' in html
        form = FORMS[path] | {"then": "/"} | dict(re.findall(r'name="(key)" value="([^"]*)"', html))
        async with client.post(path, data=form, headers=OURS, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/")


async def test_a_charger_that_is_entered_from_the_board_leads_back_there(bare: ConsoleFixture) -> None:
    client = await bare.logged_in()

    for link in re.findall(r'href="(/stations/new[^"]*)"', await page_of(client, "/")):
        assert 'name="then" value="/"' in await page_of(client, unescape(link))
