"""How much of a request is read, and for how long: little of a stranger's."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
from aiohttp.test_utils import TestServer

from appliance.domain.roles import Role
from appliance.services.operators import log_ins, tokens
from appliance.ui.driver.app import create_drivers
from appliance.ui.forms import bodies
from appliance.ui.forms.bodies import BODY_BYTES_MAX, STRANGERS_BYTES_MAX
from appliance.ui.frame.roles import WITHOUT_LOG_IN
from tests.api.site import Running, open_site
from tests.support.wire import answer, head
from tests.ui.console_fixture import ConsoleFixture

OURS = "Sec-Fetch-Site: same-origin"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
SOON_S = 0.2
READ, BROKEN, TOO_SLOW, TOO_LARGE = {200, 303, 404, 401, 422}, 400, 408, 413
OPEN = sorted(path for method, path in WITHOUT_LOG_IN if method == "POST")


def chunk(content: bytes) -> bytes:
    """A chunk of a body without a length."""
    return b"%x\r\n%s\r\n" % (len(content), content)


def form(path: str, *lines: str) -> bytes:
    """The head of a form of ours."""
    return head("POST", path, OURS, FORM, *lines)


IN_PATH = {"{token}": "0" * 24, "{month}": "2026-11", "{session}": "1"}


@pytest.fixture(name="doors")
async def _doors(served: ConsoleFixture) -> AsyncIterator[list[tuple[int, str]]]:
    """Port and path of all that takes a body from anybody."""
    application = create_drivers(served.console)
    async with TestServer(application) as drivers:
        assert served.server.port is not None
        assert drivers.port is not None
        phones = [
            re.sub(r"\{\w+\}", lambda name: IN_PATH[name[0]], route.resource.canonical)
            for route in application.router.routes()
            if route.method == "POST" and route.resource is not None
        ]
        yield [(served.server.port, path) for path in OPEN] + [(drivers.port, path) for path in phones]


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[Running]:
    async with open_site(tmp_path) as site:
        yield site


async def session_line(served: ConsoleFixture, role: Role = Role.OWNER) -> str:
    """The header of somebody who is logged in."""
    operator, token = await served.operator(role), tokens.new_token()
    await served.store.write(log_ins.log_in, operator, token, address="127.0.0.1", browser="", now_ms=served.now_ms)
    return f"Cookie: sid={token}"


async def token_lines(site: Running) -> tuple[str, str]:
    """The headers of a program."""
    client = await site.client()
    return f"Authorization: {client.headers['Authorization']}", "Content-Type: application/json"


async def test_a_stranger_may_send_sixteen_kilobytes_to_every_door(doors: list[tuple[int, str]]) -> None:
    assert len(doors) == len(OPEN) + 3
    for port, path in doors:
        much = b"login=" + b"x" * (STRANGERS_BYTES_MAX - 6)
        length = f"Content-Length: {len(much) + 1}"
        whole, _ = await answer(port, form(path, f"Content-Length: {len(much)}") + much)
        announced, page = await answer(port, form(path, length))
        awaited, _ = await answer(port, form(path, length, "Expect: 100-continue"))
        in_chunks, _ = await answer(port, form(path, CHUNKED) + chunk(much) + chunk(b"x"))
        packed = gzip.compress(b"x" * 1_000_000)
        unpacked, _ = await answer(
            port, form(path, "Content-Encoding: gzip", f"Content-Length: {len(packed)}") + packed
        )

        assert whole in READ, path
        assert {announced, awaited, in_chunks, unpacked} == {TOO_LARGE}, path
        assert b"A request has at most 16,384 bytes." in page


async def test_a_stranger_who_drips_is_not_waited_for(
    doors: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STRANGERS_S", SOON_S)
    for port, path in doors:
        dripped, page = await answer(port, form(path, "Content-Length: 5000"), b"x")
        in_chunks, _ = await answer(port, form(path, CHUNKED), chunk(b"x"))
        silent, _ = await answer(port, form(path, "Content-Length: 5000", "Expect: 100-continue"))

        assert {dripped, in_chunks, silent} == {TOO_SLOW}, path
        assert b"did not arrive in time" in page


async def test_what_cannot_be_read_is_no_fault_of_ours(doors: list[tuple[int, str]]) -> None:
    for port, path in doors:
        no_chunk, _ = await answer(port, form(path, CHUNKED) + b"nothing of the kind\r\n")
        no_gzip, page = await answer(port, form(path, "Content-Encoding: gzip", "Content-Length: 9") + b"login=abc")
        no_text, _ = await answer(port, form(path, "Content-Length: 9") + b"login=\xff%F")
        charset = head("POST", path, OURS, f"{FORM}; charset=none-such", "Content-Length: 9")
        no_charset, _ = await answer(port, charset + b"login=abc")
        parts = head("POST", path, OURS, "Content-Type: multipart/form-data; boundary=x", "Content-Length: 9")
        no_parts, _ = await answer(port, parts + b"login=abc")
        fields = b"&".join(b"a=1" for _ in range(1001))
        no_form, _ = await answer(port, form(path, f"Content-Length: {len(fields)}") + fields)

        assert (no_chunk, no_gzip, no_form) == (BROKEN, BROKEN, TOO_LARGE), path
        assert b"The request cannot be read." in page
        assert {no_text, no_charset, no_parts} <= READ, path


async def test_the_staff_may_send_more_but_are_not_waited_for_either(
    served: ConsoleFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", SOON_S)
    port, cookie = served.server.port, await session_line(served)
    assert port is not None
    note = b"note=" + b"x" * STRANGERS_BYTES_MAX
    much, _ = await answer(port, form("/people/new", cookie, f"Content-Length: {len(note)}") + note)
    more, _ = await answer(port, form("/people/new", cookie, f"Content-Length: {BODY_BYTES_MAX + 1}"))
    slow, page = await answer(port, form("/people/new", cookie, "Content-Length: 5000"), b"x")
    file = head("POST", "/cards/import", OURS, cookie, "Content-Type: multipart/form-data; boundary=x", CHUNKED)
    part = chunk(b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nName\r\n')
    slow_file, _ = await answer(port, file + part, chunk(b"x"))
    broken_file, _ = await answer(port, file + part + b"nothing of the kind\r\n")

    assert (much, more, slow, slow_file, broken_file) == (422, TOO_LARGE, TOO_SLOW, TOO_SLOW, BROKEN)
    assert b"did not arrive in time" in page


async def test_a_program_is_told_the_same_as_a_problem(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_S", SOON_S)
    port, lines = int(site.url.rpartition(":")[2]), await token_lines(site)
    call = ("POST", "/api/v1/groups", *lines)
    slow, told_slow = await answer(port, head(*call, "Content-Length: 5000"), b" ")
    large, told_large = await answer(port, head(*call, CHUNKED) + chunk(b" " * 40_000) * 2)
    broken, _ = await answer(port, head(*call, CHUNKED) + b"nothing of the kind\r\n")
    fits, _ = await answer(port, head(*call, CHUNKED) + chunk(b" " * 20_000) + chunk(b"{}") + b"0\r\n\r\n")

    assert (slow, large, broken, fits) == (TOO_SLOW, TOO_LARGE, BROKEN, 422)
    assert orjson.loads(told_slow)["type"] == "urn:forecourt:problem:too-slow"
    assert orjson.loads(told_large)["detail"] == "A request has at most 65,536 bytes."


async def test_of_a_program_without_a_token_nothing_is_read(site: Running) -> None:
    port = int(site.url.rpartition(":")[2])
    status, told = await answer(port, head("POST", "/api/v1/groups", "Content-Length: 50000000"))

    assert (status, orjson.loads(told)["status"]) == (401, 401)
