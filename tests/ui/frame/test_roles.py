"""The table of routes and roles: complete, and obeyed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.domain.roles import Role
from appliance.ui.frame import roles
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
VALUES = {
    "identity": "CS-99", "evse": "1", "problem": "999", "operator": "999", "token": "999", "log_in": "999",
    "person": "999", "card": "999", "group": "999", "tariff": "999", "session": "999", "ending": "csv",
}  # fmt: skip
REFUSED = 403
CHANGES_WHO_ASKS = {("POST", "/logout")}


def registered(served: ConsoleFixture) -> set[tuple[str, str]]:
    """Method and path of all routes of the console."""
    app = served.server.app
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method not in ("HEAD", "OPTIONS")
    }


def filled(path: str) -> str:
    """A path with values that name nothing."""
    return re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match[1], "999"), path)


async def ask(client: TestClient[Any, Any], method: str, path: str) -> int:
    """The status of an answer; the path is one of the table."""
    async with client.request(method, filled(path), headers=OURS, allow_redirects=False) as answer:
        return answer.status


def kind_of(link: str) -> str:
    """The page that it leads to, whatever it is about: one of each kind is enough."""
    return re.sub(r"/(\d+|CS-\d+|ACME-\d+)(?=/|$)", "/{}", link.partition("?")[0])


async def test_every_route_stands_in_the_table(served: ConsoleFixture) -> None:
    assert registered(served) - set(roles.ROUTES) == set()


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_may_what_the_table_says_and_nothing_else(served: ConsoleFixture, role: Role) -> None:
    client = await served.logged_in(role)
    wrong = []
    for method, path in sorted(registered(served) - CHANGES_WHO_ASKS):
        if path in ("/live", "/static/{path}"):
            continue
        may = roles.may(role, method, path)
        status = await ask(client, method, path)
        if (status == REFUSED) is may:
            wrong.append((method, path, status))

    assert wrong == []


async def test_nobody_reaches_the_set_up_the_log_in_and_static_files_only(served: ConsoleFixture) -> None:
    client = served.anybody()
    reached = set()
    for method, path in sorted(registered(served) - CHANGES_WHO_ASKS):
        async with client.request(method, filled(path), headers=OURS, allow_redirects=False) as answer:
            to_log_in = answer.headers.get("Location", "").startswith("/login")
            if not to_log_in and answer.status not in (401, REFUSED):
                reached.add(path)

    assert {path for path in reached if not path.startswith("/api/")} <= {
        "/setup", "/login", "/ca.crt", "/stations-ca.crt", "/static/{path}", "/health", "/metrics"
    }  # fmt: skip


async def test_an_unlisted_route_is_refused_even_to_the_owner() -> None:
    assert not roles.may("owner", "GET", "/not/in/the/table")
    assert not roles.may("owner", "DELETE", "/")
    assert not roles.may(None, "GET", "/")


async def test_a_live_view_is_for_those_who_may_open_its_page(served: ConsoleFixture) -> None:
    viewer = await served.logged_in(Role.VIEWER)

    assert (await viewer.get("/live?view=problems")).status == REFUSED
    assert (await viewer.get("/live?view=nothing")).status == 404


async def test_a_viewer_sees_the_board_without_buttons(served: ConsoleFixture) -> None:
    viewer = await served.logged_in(Role.VIEWER)
    page = await (await viewer.get("/")).text()

    assert "Karim Ahmed" in page
    assert not re.search(r'href="/stations/[^"]+/(start|stop|unlock|reset|close|open|approve)"', page)


@pytest.mark.parametrize("role", list(Role))
async def test_no_page_has_a_link_that_its_reader_is_refused(served: ConsoleFixture, role: Role) -> None:
    client = await served.logged_in(role)
    to_visit, kinds, refused = ["/"], {"/"}, []
    while to_visit:
        path = to_visit.pop()
        async with client.get(path) as answer:
            if answer.status == REFUSED:
                refused.append(path)
            content, is_page = await answer.read(), answer.content_type == "text/html"
        for link in re.findall(r'href="(/[^"#]*)"', content.decode()) if is_page else ():
            kind = kind_of(link)
            if kind not in kinds and not kind.startswith(("/static", "/logout")):
                kinds.add(kind)
                to_visit.append(unescape(link))

    assert refused == []
    assert len(kinds) > 5


async def test_a_guard_is_shown_no_button_that_is_refused(served: ConsoleFixture) -> None:
    guard = await served.logged_in(Role.GUARD)
    page = await (await guard.get("/")).text()

    actions = set(re.findall(r'href="/stations/[^"]+/(start|stop|unlock|reset|close|open|approve)"', page))
    assert actions == {"start", "stop", "unlock"}
