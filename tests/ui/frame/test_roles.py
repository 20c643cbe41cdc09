"""The table of routes and roles: complete, and obeyed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import approvals
from appliance.domain.approval import ApprovalState
from appliance.domain.identifiers import PersonId
from appliance.domain.roles import Role
from appliance.services.settings import Settings
from appliance.ui.frame import roles
from appliance.ui.frame.render import ON_THE_PHONE, SECTIONS
from tests.ui.console_fixture import ConsoleFixture, open_console

OURS = {"Sec-Fetch-Site": "same-origin"}
VALUES = {
    "identity": "CS-99", "evse": "1", "problem": "999", "operator": "999", "token": "999", "log_in": "999",
    "person": "999", "card": "999", "group": "999", "tariff": "999", "session": "999", "ending": "csv",
}  # fmt: skip
REFUSED = 403
CHANGES_WHO_ASKS = {("POST", "/logout")}
WITHOUT_LINK = {
    # Before the log-in; what scripts ask for; the search, which is a field.
    "/setup", "/login", "/ca.crt", "/stations-ca.crt", "/live", "/here", "/search",
    # Of money that is stopped, which is a row under Problems then.
    "/problems/money",
    # Of an unknown card that was shown; of the demo's reader.
    "/cards/unknown/new", "/cards/unknown/same", "/demo/reader",
}  # fmt: skip
"""Pages that no link of this site leads to."""


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


async def walk(client: TestClient[Any, Any], start: str = "/") -> tuple[set[str], list[str]]:
    """All kinds of pages that links lead to, from the board (or `start`) on, and those that are refused."""
    to_visit, kinds, refused = [start], {"/"}, []
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
    return kinds, refused


@pytest.mark.parametrize("role", list(Role))
async def test_no_page_has_a_link_that_its_reader_is_refused(served: ConsoleFixture, role: Role) -> None:
    kinds, refused = await walk(await served.logged_in(role))

    assert refused == []
    assert len(kinds) > 5


async def test_every_page_is_found_by_links(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=Settings(second_person_minor=1)) as served:
        kinds, _refused = await walk(await served.logged_in(Role.OWNER))
        pages = {path for method, path in registered(served) if method == "GET" and "{" not in path}

    assert pages - kinds == WITHOUT_LINK


async def test_approvals_are_in_the_navigation_while_one_waits(served: ConsoleFixture) -> None:
    cashier = await served.logged_in(Role.CASHIER)
    link = '<a href="/approvals"'
    before = await (await cashier.get("/people")).text()
    approval = await served.store.write(
        approvals.add, "topup", PersonId(1), 500_00, {}, "key", "console", served.now_ms
    )
    waiting = await (await cashier.get("/people")).text()
    await served.store.write(approvals.decide, approval, ApprovalState.REFUSED, "console", served.now_ms)

    assert link not in before
    assert link in waiting
    assert link not in await (await cashier.get("/people")).text()


def test_the_navigation_names_places_of_one_segment() -> None:
    assert [path for path, _icon, _word in SECTIONS if path.count("/") != 1] == []
    assert set(ON_THE_PHONE) < {path for path, _icon, _word in SECTIONS}


async def test_a_guard_is_shown_no_button_that_is_refused(served: ConsoleFixture) -> None:
    guard = await served.logged_in(Role.GUARD)
    page = await (await guard.get("/")).text()

    actions = set(re.findall(r'href="/stations/[^"]+/(start|stop|unlock|reset|close|open|approve)"', page))
    assert actions == {"start", "stop", "unlock"}
