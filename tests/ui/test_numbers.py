"""Numbers that people and programs put where a number is expected: no page fails, whatever it is."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlencode

import pytest
from aiohttp import ClientError, web

from appliance.db.engine.store import Store
from appliance.domain.errors import Invalid, Refusal
from appliance.services.announce import Hub
from appliance.ui.console.app import PAGES
from appliance.ui.console.wallets.wallets import new_key
from appliance.ui.forms import listing
from appliance.ui.forms.forms import NUMBER_MAX, Form, read_number
from tests.support.one_desk import OneDesk
from tests.ui.console_fixture import DESK_KEY, ConsoleFixture, open_console

OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = (
    "9" * 23, "9" * 4400, str(2**53 + 1), str(2**63 - 1), str(2**63), "-1", str(-(2**63) - 1), "²", "1_0", "+1", "1.0", "১২", "\0", "x",
)  # fmt: skip
GIVEN = re.compile(r"(?:request\.query|given|asked|query)(?:\.get\(|\[)\"(\w+)\"")
TYPED = re.compile(r"form\.(?:number|text|value|on)\(\"(\w+)\"")
IN_PATH = re.compile(r"\{(\w+)\}")
KNOWN = {"identity": "CS-01", "evse": "1", "ending": "csv", "what": "lay", "action": "block", "desk": "counter"}
LEADS_AWAY = {"/logout", "/live", "/static/{path}"}


Asked = tuple[str, str, dict[str, str]]
"""Method, address and form."""


@pytest.fixture(name="served")
async def _yard(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    """With a desk, so that nothing is missing that a number could lead to."""
    made: list[OneDesk] = []
    served: ConsoleFixture

    def desks(store: Store, hub: Hub) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: served.now_ms))
        return made[0]

    async with open_console(tmp_path, desks=desks) as served, made[0].running():
        yield served


def routes(served: ConsoleFixture) -> list[tuple[str, str, ModuleType]]:
    """Method, path and module of every page."""
    found = []
    for route in served.server.app.router.routes():
        path = route.resource.canonical if route.resource is not None else ""
        if route.method in ("GET", "POST") and path not in LEADS_AWAY:
            found.append((route.method, path, sys.modules[inspect.unwrap(route.handler).__module__]))
    return found


def filled(path: str, **values: str) -> str:
    """The path with what it names: the first of everything."""
    return IN_PATH.sub(lambda match: quote(values.get(match[1], KNOWN.get(match[1], "1")), safe=""), path)


def names(pattern: re.Pattern[str], module: ModuleType) -> set[str]:
    """What a module of pages reads by its source."""
    return set(pattern.findall(inspect.getsource(module)))


async def failures(served: ConsoleFixture, asked: list[Asked]) -> list[tuple[str, str]]:
    """The requests that were answered with a failure of ours."""
    client = await served.logged_in()
    failed = []
    for method, address, form in asked:
        data = form if method == "POST" else None
        try:
            async with client.request(method, address, data=data, headers=OURS, allow_redirects=False) as answer:
                status = answer.status
        except ClientError:
            status = 500
        if status >= 500:
            failed.append((method, address[:120]))
    return failed


async def test_no_number_in_a_path_fails(served: ConsoleFixture) -> None:
    asked: list[Asked] = [
        (method, filled(path, **{name: number}), {})
        for method, path, _module in routes(served)
        for name in IN_PATH.findall(path)
        for number in HOSTILE
    ]

    assert len(asked) > 500
    assert await failures(served, asked) == []


async def test_no_number_in_the_address_bar_fails(served: ConsoleFixture) -> None:
    asked: list[Asked] = [
        (method, f"{filled(path)}?{urlencode({name: number})}", {})
        for method, path, module in routes(served)
        if method == "GET"
        for name in sorted(names(GIVEN, module) | names(GIVEN, listing))
        for number in HOSTILE
    ]

    assert len(asked) > 500
    assert await failures(served, asked) == []


async def test_no_number_in_a_form_fails(served: ConsoleFixture) -> None:
    asked: list[Asked] = [
        (method, filled(path), {**dict.fromkeys(fields, "1"), "key": new_key(), name: number})
        for method, path, module in routes(served)
        if method == "POST"
        for fields in [sorted(names(TYPED, module))]
        for name in fields
        for number in HOSTILE
    ]

    assert len(asked) > 500
    assert await failures(served, asked) == []


async def test_no_number_in_a_live_view_fails(served: ConsoleFixture) -> None:
    for view in (view for page in PAGES for view in page.live):
        for number in HOSTILE:
            try:
                await view.fragments(served.console, "owner", number, None)
            except (Refusal, web.HTTPNotFound):
                continue


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", 12), (" ১২ ", 12), ("٣", 3), ("۴", 4), ("007", 7), (str(NUMBER_MAX), NUMBER_MAX), (str(NUMBER_MAX + 1), None), ("", None)],
)  # fmt: skip
def test_a_number_is_read_in_any_digits_and_none_beyond_what_is_stored(text: str, number: int | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["1_0", "1.0", "²", "--1", "-", "+1", "0x10", "9" * 23, "9" * 4400])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert read_number(text, least=-NUMBER_MAX) is None


def test_a_form_says_of_what_it_was_given() -> None:
    form = Form({"count": "৭", "worse": "7.5", "far": "9" * 30, "below": "-3"})

    assert form.number("count") == 7
    assert form.number("below") == -3
    for name in ("worse", "far", "absent"):
        with pytest.raises(Invalid) as refusal:
            form.number(name)
        assert refusal.value.field == name
