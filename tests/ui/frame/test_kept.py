"""Without scripts, too, what was typed over a log-in that has ended is there after the next one: to the same person, done by nobody."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient
from aiohttp.web_urldispatcher import UrlDispatcher

from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.domain.identifiers import PersonId
from appliance.domain.roles import Role
from appliance.ui.frame.kept import BROWSERS_MAX, KEPT_MS, SECRETS, SLASHES_MAX, Kept, Typed
from appliance.ui.frame.roles import ROUTES
from tests.ui.console_fixture import PASSWORD, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
KEPT = """data-kept-note="back" role="status">"""
EDIT = {
    "name": "Rahima K.",
    "phone": "0171 999",
    "note": "two\nlines",
    "group_id": "1",
    "language": "bn",
    "shown": "{}",
}
Browser = TestClient[Any, Any]
TEMPLATES = Path(__file__).parents[3] / "appliance/ui/templates"


@pytest_asyncio.fixture(name="browser")
async def _browser(served: ConsoleFixture) -> AsyncIterator[Browser]:
    """Of an owner who has logged in with it, and whose log-in has ended."""
    await served.operator(Role.OWNER, "nasrin")
    client = served.anybody()
    await log_in(client, "nasrin")
    await end(client)
    yield client


async def log_in(client: Browser, login: str, **more: str) -> str:
    """The page that a log-in ends on."""
    async with client.post("/login", data={"login": login, "password": PASSWORD} | more, headers=OURS) as answer:
        assert answer.status == 200
        return await answer.text()


async def end(client: Browser) -> None:
    client.session.cookie_jar.clear(lambda cookie: cookie.key == "sid")


async def send(client: Browser, path: str, fields: dict[str, str], page: str = "", **headers: str) -> str:
    """A form of `page`; the page that it ends on."""
    async with client.post(
        path, data=fields, headers=OURS | {"Referer": f"http://box{page or path}"} | headers
    ) as answer:
        return await answer.text()


def next_in(html: str) -> str:
    found = re.search(r'name="next" value="([^"]*)"', html)
    assert found is not None
    return found[1]


async def rahima(served: ConsoleFixture) -> Person | None:
    return await served.store.read(people.find, PersonId(1))


async def test_what_was_typed_is_in_the_form_after_the_log_in_and_is_not_stored(
    served: ConsoleFixture, browser: Browser
) -> None:
    before = await rahima(served)
    asked = await send(browser, "/people/1/edit", EDIT)
    assert "it is kept: log in within 15 minutes" in asked

    html = await log_in(browser, "nasrin", next=next_in(asked))
    assert KEPT in html
    for piece in ('value="Rahima K."', 'value="0171 999"', "two\nlines</textarea>", '<option value="bn" selected=""'):
        assert piece in html
    assert await rahima(served) == before

    async with browser.get("/people/1/edit") as answer:
        assert KEPT not in await answer.text(), "it is shown once"


async def test_it_is_shown_to_whom_it_was_typed_by_alone(served: ConsoleFixture, browser: Browser) -> None:
    await served.operator(Role.OWNER, "karim")
    asked = await send(browser, "/people/1/edit", EDIT)

    assert KEPT not in await log_in(browser, "karim", next=next_in(asked))
    await end(browser)
    assert KEPT in await log_in(browser, "nasrin", next=next_in(asked))


async def test_it_is_kept_for_a_quarter_of_an_hour(served: ConsoleFixture, browser: Browser) -> None:
    asked = await send(browser, "/people/1/edit", EDIT)
    served.now_ms += KEPT_MS

    assert KEPT not in await log_in(browser, "nasrin", next=next_in(asked))


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
async def test_another_site_fills_in_no_form_of_ours(
    served: ConsoleFixture, browser: Browser, headers: dict[str, str]
) -> None:
    asked = await send(browser, "/people/1/edit", EDIT, **headers)
    assert "it is kept" not in asked
    assert KEPT not in await log_in(browser, "nasrin", next="/people/1/edit")


async def test_nothing_is_kept_for_a_browser_that_never_logged_in(served: ConsoleFixture, browser: Browser) -> None:
    stranger = served.anybody()
    asked = await send(stranger, "/people/1/edit", EDIT)

    assert "What you have just sent was not done: log in, and do it again." in asked
    assert KEPT not in await log_in(stranger, "nasrin", next="/people/1/edit")


@pytest.mark.parametrize("sent_from", ["/people/1/topup", "/people/1"])
async def test_money_is_asked_for_again_with_a_new_key(
    served: ConsoleFixture, browser: Browser, sent_from: str
) -> None:
    before = await rahima(served)
    form = {"key": "an-old-key-0123456789", "preset": "other", "amount_minor": "345.50", "method": "bkash"}
    asked = await send(browser, "/people/1/topup", form, sent_from)
    html = await log_in(browser, "nasrin", next=next_in(asked))

    assert next_in(asked) == sent_from
    assert 'value="345.50"' in html
    assert "an-old-key" not in html
    assert await rahima(served) == before


async def test_a_form_that_came_back_with_a_mistake_leads_to_the_page_that_has_it(browser: Browser) -> None:
    form = {"key": "an-old-key-0123456789", "person": "1", "preset": "much"}
    asked = await send(browser, "/people/1/undo", form)

    assert next_in(asked) == "/people/1"


@pytest.mark.parametrize("sent_from", ["/a" * 2_000, "/people/1" + "/1" * 2_000])
async def test_a_stranger_lets_no_routes_be_searched_by_the_thousand(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, sent_from: str
) -> None:
    searched: list[str] = []
    resolve = UrlDispatcher.resolve

    async def counted(router: UrlDispatcher, request: web.Request) -> object:
        searched.append(request.path)
        return await resolve(router, request)

    monkeypatch.setattr(UrlDispatcher, "resolve", counted)
    asked = await send(browser, "/people/1/edit", EDIT, sent_from)

    assert next_in(asked) == "/"
    assert len(searched) < 2 * SLASHES_MAX


def test_every_page_can_be_what_a_form_was_sent_from() -> None:
    assert max(path.count("/") for _method, path in ROUTES) <= SLASHES_MAX


def test_no_secret_is_kept() -> None:
    kept = Kept()
    kept.keep("one", Typed(1, "/a", "/a", [("name", "x")], 1))
    assert kept.of("one", 1, 0) is not None
    for number in range(BROWSERS_MAX):
        kept.keep(str(number), Typed(1, "/a", "/a", [], 1))
    assert kept.of("one", 1, 0) is None

    templates = "".join(path.read_text() for path in TEMPLATES.rglob("*.html"))
    fields = re.findall(r'field\([\w.]+, "(\w+)"[^}]*?type="password"|name="(\w+)" type="password"', templates)
    names = {one or other for one, other in fields}
    assert len(fields) == templates.count('type="password"')
    assert names <= SECRETS


async def test_a_password_of_staff_is_typed_anew(served: ConsoleFixture, browser: Browser) -> None:
    form = {"login": "jamal", "name": "Jamal", "role": "guard", "password": "a long first password"}
    asked = await send(browser, "/operators", form)
    html = await log_in(browser, "nasrin", next=next_in(asked))

    assert KEPT in html
    assert 'value="jamal"' in html
    assert "a long first password" not in html
