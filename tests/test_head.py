"""HEAD: what GET would say, without the body, wherever anything is asked for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from appliance.db.stations import message_log
from appliance.domain.roles import Role
from appliance.host.addresses import Address
from appliance.host.listeners import Listeners, listen
from appliance.ocpp.settings import StationSettings
from appliance.services.operators import log_ins, tokens
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from appliance.ui.driver.app import create_drivers
from appliance.ui.frame.redirect import create_redirect
from tests.ocpp.raw import Server
from tests.support.wire import HOST, exchange, head, parted
from tests.ui.console_fixture import open_console

STREAMS = {"/live": "/live?view=board", "/api/v1/events": "/api/v1/events"}
"""What has no end, and what it is asked for."""
JOIN = "/api/v1/desks/join"
"""Nothing but a websocket."""
VALUES = {"identity": "CS-01", "ending": "csv", "code": "a" * 8, "token": "0" * 24}
FILES = ("/static/app.css", "/nothing", "/c/nothing")
MOVING = ("/health", "/metrics")
"""What is never the same twice."""
CHANGING = {"Date", "Set-Cookie", "Transfer-Encoding"}
NOT_ALLOWED = 405
WEBSOCKET = (
    "Upgrade: websocket", "Connection: upgrade, close", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doors:
    """What can be asked for on each listener."""

    listeners: Listeners
    paths: dict[str, list[str]]
    cookie: str
    """Of an owner."""

    async def ask(self, face: str, method: str, path: str, *lines: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, and all that follows them."""
        sent = head(method, path, self.cookie, "Connection: close", *lines)
        return parted(await exchange(self.listeners.ports[face], sent))


@pytest.fixture(name="doors")
async def _doors(tmp_path: Path) -> AsyncIterator[Doors]:
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(open_console(tmp_path))
        server = Server(tmp_path / "stations.db", StationSettings())
        await server.start()
        stack.push_async_callback(server.stop)
        applications = {
            "stations": server.listener.application,
            "console": create_console(served.console, more=API),
            "drivers": create_drivers(served.console),
            "console-redirect": create_redirect(served.console, 1),
        }
        listeners = Listeners()
        for face, application in applications.items():
            await listen(stack, listeners, face, application, Address(HOST, 0), None)
        message = (1, served.now_ms, "in", "Heartbeat", '[2,"1","Heartbeat",{}]', "", None)
        await served.store.write(message_log.record, message)
        operator, token = await served.operator(Role.OWNER), tokens.new_token()
        await served.store.write(log_ins.log_in, operator, token, address=HOST, browser="", now_ms=served.now_ms)
        yield Doors(listeners, {face: readable(one) for face, one in applications.items()}, f"Cookie: sid={token}")


def readable(application: web.Application) -> list[str]:
    """All that is there to be read, and what is not there."""
    patterns = {
        route.resource.canonical
        for route in application.router.routes()
        if route.resource is not None and route.method in ("GET", "*")
    }
    paths = [re.sub(r"\{(\w+)\}", lambda match: VALUES.get(match[1], "1"), pattern) for pattern in sorted(patterns)]
    return [STREAMS.get(path, path) for path in paths if path != JOIN] + list(FILES)


async def test_nothing_follows_the_head_of_an_answer_to_head(doors: Doors) -> None:
    wrong = []
    for face, paths in doors.paths.items():
        for path in paths:
            status, headers, rest = await doors.ask(face, "HEAD", path, "Accept-Encoding: gzip")
            if rest or "Transfer-Encoding" in headers or status in (NOT_ALLOWED, 500):
                wrong.append((face, path, status, len(rest)))

    assert wrong == []
    assert len(doors.paths["console"]) > 100


async def test_head_says_what_get_would_say(doors: Doors) -> None:
    wrong = []
    for face, paths in doors.paths.items():
        for path in paths:
            if path in STREAMS.values() or path in MOVING:
                continue
            asked = await doors.ask(face, "HEAD", path)
            answered = await doors.ask(face, "GET", path)
            if same(asked) != same(answered):
                wrong.append((face, path, same(asked), same(answered)))

    assert wrong == []


def same(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str]]:
    """What must not differ."""
    return answer[0], {
        name: value
        for name, value in answer[1].items()
        if name not in CHANGING and (name, value) != ("Content-Length", "0")
    }


async def test_a_stream_and_an_export_say_what_they_would_be(doors: Doors) -> None:
    for path, kind in (
        *((stream, "text/event-stream") for stream in STREAMS.values()),
        ("/sessions.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("/stations/CS-01/messages.jsonl", "application/jsonl; charset=utf-8"),
    ):
        status, headers, rest = await doors.ask("console", "HEAD", path)
        assert (status, headers["Content-Type"], rest) == (200, kind, b"")


async def test_what_follows_on_the_connection_is_answered_after_it(doors: Doors) -> None:
    """A body that came all the same would be taken for the next answer."""
    for face, paths in doors.paths.items():
        for path in (paths[0], *FILES):
            first = head("HEAD", path, doors.cookie)
            second = head("GET", "/static/app.css", doors.cookie, "Connection: close")
            status, _, rest = parted(await exchange(doors.listeners.ports[face], first + second))
            assert status < 500
            assert rest.startswith(b"HTTP/1.1 "), (face, path, rest[:100])


async def test_whoever_is_not_let_in_gets_no_body_either(doors: Doors) -> None:
    last = "Connection: close"
    for face, sent in (
        ("console", head("HEAD", "/login", last, host="evil.example")),
        ("drivers", head("HEAD", "/", last, host="evil.example")),
        ("console", head("HEAD", "/", last)),
        ("console", head("HEAD", "/api/v1/people", last)),
        ("console", head("HEAD", "/logout", doors.cookie, last)),
        ("console", head("HEAD", "/login", "Expect: nothing", last)),
        ("console", head("HEAD", JOIN, doors.cookie, *WEBSOCKET)),
        ("stations", head("HEAD", "/ocpp/CS-1", *WEBSOCKET)),
        ("stations", head("HEAD", "/ocpp/CS-1", "Origin: null", *WEBSOCKET)),
    ):
        status, _, rest = parted(await exchange(doors.listeners.ports[face], sent))
        assert (status >= 300, rest) == (True, b""), sent
