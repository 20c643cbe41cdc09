"""What is no request, at every port of the real server: answered or closed, and nothing of it in the log; then it still serves."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.process import ServerProcess, make_site
from tests.support.wire import HOST, UNPROVED, connected, exchange, head, parted

ALL = ("stations", "stations-tls", "console", "console-tls", "drivers")
TLS = ("stations-tls", "console-tls")
CLOSE = "Connection: close"
GARBAGE = (
    b"\r\n\r\n", b"\0" * 100, b"\x16\x03\x01\x02\x00\x01", b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n", b"GET /%ff%00 HTTP/1.1\r\nHost: %zz\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http://[/ HTTP/1.1\r\nHost: [\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n",
    b"GET http://xn--0/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET http://xn--0000h/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1:99999\r\n\r\n", b"GET /c?code=%ff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n", b"GET /nothing HTTP/1.0\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded; charset=\xff\r\nContent-Length: 3\r\n\r\n\xff\xff=",
    b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: \xff\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 99\r\n\r\n",
    b"GET /ocpp/CS-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: no\r\n\r\n",
    b"GET /ocpp/\xc3\x28 HTTP/1.0\r\nUpgrade: websocket\r\n\r\n", b"GET /api/v1/people?after=\xff HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sid=\xff\xfe; =; ;;\r\nAuthorization: Bearer \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: \xff;q=x,,;q=\r\nRange: bytes=9-1\r\nIf-Modified-Since: \xff\r\n\r\n",
    b"GET /static/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /static/%2e%2e/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /static/app.css HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=\xff\r\nIf-None-Match: \xff\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: \xff\r\nForwarded: ;;=\r\nExpect: \xff\r\n\r\n",
)  # fmt: skip


@pytest.fixture(name="server")
async def _server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    make_site(tmp_path / "site")
    options = ("--stations-tls", f"{HOST}:0", "--console-tls", f"{HOST}:0")
    server = ServerProcess(tmp_path / "site", options=options)
    await server.start()
    yield server
    await server.clean_up()


def ports(server: ServerProcess) -> dict[str, int]:
    """Of each listener, as it says where it is."""
    said = dict(line.split(" ", 1) for line in server.said)
    said["console-tls"], said["console"] = said["console"], said["console-redirect"]
    return {face: int(said[face].split("//")[1].split("/")[0].rsplit(":", 1)[1]) for face in ALL}


async def throw(port: int, garbage: bytes, tls: ssl.SSLContext | None) -> None:
    """Send it and hang up at once, half-closed, or when it was answered: whatever comes of it."""
    try:
        async with connected(port, tls) as (reader, writer):
            writer.write(garbage)
            if writer.can_write_eof():
                writer.write_eof()
            async with asyncio.timeout(1):
                await reader.read(100)
    except (OSError, TimeoutError):
        pass


async def test_garbage_is_not_worth_a_line(server: ServerProcess) -> None:
    chance = random.Random(11)  # the same garbage each time
    noise = [chance.randbytes(chance.randrange(1, 2000)) for _ in range(20)]
    for face, port in ports(server).items():
        ways: list[ssl.SSLContext | None] = [None, UNPROVED] if face in TLS else [None]
        await asyncio.gather(*(throw(port, garbage, tls) for garbage in (*GARBAGE, *noise) for tls in ways))

    for face, port in ports(server).items():
        tls = UNPROVED if face in TLS else None
        status, headers, _ = parted(await exchange(port, head("GET", "/", CLOSE), tls=tls))
        assert status < 500
        assert headers["Server"] == "Forecourt"
    assert await server.stop() == 0
    lines = server.log().splitlines()
    assert [line for line in lines if " ERROR " in line or "Traceback" in line or line.startswith(" ")] == []
    assert len(lines) < 20


async def test_a_target_that_names_no_host_is_answered_and_its_connection_ends(server: ServerProcess) -> None:
    for face, port in ports(server).items():
        tls = UNPROVED if face in TLS else None
        status, _, _ = parted(
            await exchange(port, b"GET http://xn--0000h/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", tls=tls)
        )
        assert status == 400


async def test_no_answer_tells_what_serves(server: ServerProcess) -> None:
    for face, port in ports(server).items():
        tls = UNPROVED if face in TLS else None
        for sent in (
            head("GET", "/nothing", CLOSE),
            head("HEAD", "/", CLOSE),
            b"nonsense\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
        ):
            said = (await exchange(port, sent, tls=tls)).lower()
            assert b"server: forecourt\r\n" in said
            assert b"aiohttp" not in said
            assert b"python" not in said
