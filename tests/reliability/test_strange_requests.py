"""What no browser and no charger sends, on every listener at once: it ends by the listener's hand, costs no memory, and leaves no trace.

Shorter garbage is thrown in tests/test_garbage.py, and silence is waited out in tests/test_listeners.py.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from appliance.host.listeners import SHUTDOWN_S
from tests.support.process import ServerProcess, make_site
from tests.support.wire import HOST, UNPROVED, connected, exchange, head, parted, statuses, until_closed
from tests.test_garbage import CLOSE, TLS, ports

ROUNDS = 5
GROWTH_KIB_MAX = 60_000
"""From one round to the last: what the first one needed is used again."""
CLOSED_S = 60.0
"""As many at once keep two processors busy for longer than a listener is silent."""
AT_ONCE = 2
"""Connections of each kind at each listener."""
FAST_BYTES = 1 << 20
"""So much comes as fast as it is taken, then more now and then."""
NOW_AND_THEN_S = 0.5
PIPELINED = 300
WEBSOCKET = (
    "Upgrade: websocket",
    "Connection: upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)
POST = ("Content-Type: application/x-www-form-urlencoded",)
CHUNKED = head("POST", "/login", *POST, "Transfer-Encoding: chunked")
ZIPPED = gzip.compress(b"a" * (16 << 20))
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\x04\0\0\0\0\0"
HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 512

ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "first line": (b"GET /", b"a" * 65_536),
    "header": (head("GET", "/")[:-2] + b"X: ", b"a" * 65_536),
    "headers": (head("GET", "/")[:-2], b"X: y\r\n" * 8_192),
    "body that is announced": (head("POST", "/login", *POST, "Content-Length: 999999999999999999"), b"a" * 65_536),
    "body of chunks": (CHUNKED, b"10000\r\n" + b"a" * 65_536 + b"\r\n"),
    "body of single bytes": (CHUNKED, b"1\r\na\r\n" * 8_192),
    "extension of a chunk": (CHUNKED + b"1;", b"x" * 65_536),
    "size of a chunk": (CHUNKED, b"0" * 65_536),
    "trailer": (CHUNKED + b"0\r\n", b"X: y\r\n" * 8_192),
    "blank lines": (b"", b"\r\n" * 32_768),
    "nothing that is known": (b"", b"\xff\0" * 32_768),
    "settings of HTTP/2": (PREFACE, SETTINGS * 4_096),
    "greetings of TLS": (HELLO, b"\x16\x03\x01\x40\x00" + b"\0" * 16_384),
}
"""What is begun with, and what then comes as fast as it is taken."""
ONCE: dict[str, bytes] = {
    "chunk that is too large": CHUNKED + b"ffffffffffffffffffff\r\n",
    "chunk that is negative": CHUNKED + b"-1\r\n",
    "chunk without its end": CHUNKED + b"5\r\nabcdefgh\r\n0\r\n\r\n",
    "body that grows when it is unpacked": head("POST", "/login", *POST, "Content-Encoding: gzip", f"Content-Length: {len(ZIPPED)}", CLOSE) + ZIPPED,
    "two lengths": head("POST", "/login", "Content-Length: 1", "Content-Length: 2") + b"ab",
    "upgrade to HTTP/2": head("GET", "/", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: Upgrade, HTTP2-Settings, close"),
    "upgrade to TLS": head("GET", "/", "Upgrade: TLS/1.2", "Connection: Upgrade, close"),
    "websocket of a page": head("GET", "/", *WEBSOCKET),
    "websocket of a live page": head("GET", "/live?view=board", *WEBSOCKET),
    "websocket with a body": head("GET", "/c/x", *WEBSOCKET, "Content-Length: 100000") + b"a" * 1000,
    "tunnel": head("CONNECT", "example.com:443", CLOSE),
    "many requests at once": head("GET", "/static/app.css") * PIPELINED + head("GET", "/", CLOSE),
    "requests behind a form": (head("POST", "/login", *POST, "Content-Length: 3") + b"a=b") * PIPELINED + head("GET", "/", CLOSE),
    "half of two requests": head("GET", "/") + head("GET", "/")[:-3],
}  # fmt: skip


@pytest.fixture(name="server")
async def _server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    make_site(tmp_path / "site")
    options = ("--stations-tls", f"{HOST}:0", "--console-tls", f"{HOST}:0")
    server = ServerProcess(tmp_path / "site", options=options)
    await server.start()
    yield server
    await server.clean_up()


def ways(server: ServerProcess) -> list[tuple[int, ssl.SSLContext | None]]:
    """Every listener, and those with TLS also as if they had none."""
    found = [(face, port, tls) for face, port in ports(server).items() for tls in (None, UNPROVED)]
    return [(port, tls) for face, port, tls in found if tls is None or face in TLS]


async def pour(port: int, begin: bytes, part: bytes, tls: ssl.SSLContext | None) -> None:
    """Send it until the listener closes the connection.

    Raises:
        TimeoutError: It keeps the connection.
    """
    with suppress(ConnectionError, ssl.SSLError):
        async with connected(port, tls) as (reader, writer):
            writer.write(begin)
            pouring = asyncio.create_task(pour_on(writer, part))
            try:
                await until_closed(reader, CLOSED_S)
            finally:
                pouring.cancel()
                await asyncio.gather(pouring, return_exceptions=True)


async def pour_on(writer: asyncio.StreamWriter, part: bytes) -> None:
    """One part after another, until cancelled or cut off."""
    for number in itertools.count(1):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0 if number * len(part) < FAST_BYTES else NOW_AND_THEN_S)


def resident_kib(process: int) -> int:
    """How much memory it has."""
    return int(Path(f"/proc/{process}/status").read_text().partition("VmRSS:")[2].split()[0])


async def check_well(server: ServerProcess) -> None:
    """It serves, ends when it is told to, and has nothing to say of it."""
    for face, port in ports(server).items():
        tls = UNPROVED if face in TLS else None
        assert parted(await exchange(port, head("GET", "/", CLOSE), tls=tls))[0] < 500
    assert await server.stop() == 0
    lines = server.log().splitlines()
    assert [line for line in lines if " ERROR " in line or "Traceback" in line or line.startswith(" ")] == []
    assert len(lines) < 20


@pytest.mark.timeout(300)
async def test_what_never_ends_is_ended_and_leaves_nothing_in_memory(server: ServerProcess) -> None:
    needed_kib = []
    for _ in range(ROUNDS):
        await asyncio.gather(
            *(pour(port, *sent, tls) for port, tls in ways(server) for sent in ENDLESS.values() for _ in range(AT_ONCE))
        )
        needed_kib.append(resident_kib(server.running.pid))
    print(f"{needed_kib} KiB")  # noqa: T201
    # How many of them lie in memory at once is chance: what the first rounds needed at most is what the last may need, and no leak.
    assert needed_kib[-1] - max(needed_kib[: ROUNDS // 2 + 1]) < GROWTH_KIB_MAX
    await check_well(server)


@pytest.mark.timeout(300)
async def test_what_no_browser_sends_is_answered_or_ended(server: ServerProcess) -> None:
    said = await asyncio.gather(
        *(quietly(port, sent, tls) for port, tls in ways(server) for sent in ONCE.values() for _ in range(AT_ONCE))
    )
    assert not any(101 in statuses(one) or 500 in statuses(one) for one in said)
    await check_well(server)


async def quietly(port: int, sent: bytes, tls: ssl.SSLContext | None) -> bytes:
    """All that is said to it. TimeoutError if the connection is kept."""
    with suppress(ConnectionError, ssl.SSLError):
        return await exchange(port, sent, tls=tls, within_s=CLOSED_S)
    return b""


async def test_who_takes_no_answer_at_any_listener_does_not_keep_the_server_from_stopping(
    server: ServerProcess,
) -> None:
    unread = head("GET", "/static/app.css") * 2_000
    lines = [
        await asyncio.open_connection(HOST, port, ssl=UNPROVED if face in TLS else None)
        for face, port in ports(server).items()
        for _ in range(AT_ONCE)
    ]
    for _reader, writer in lines:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(unread)
    await asyncio.sleep(1)
    server.running.send_signal(signal.SIGTERM)
    async with asyncio.timeout(3 * SHUTDOWN_S):
        assert await server.running.wait() == 0
    for _reader, writer in lines:
        writer.transport.abort()


TWICE = {
    "origins": ("Origin: http://127.0.0.1", "Origin: http://evil.example"),
    "names": ("Host: evil.example",),
    "log-ins": ("Authorization: Bearer a", "Authorization: Bearer b"),
    "cookies": ("Cookie: sid=a", "Cookie: sid=b"),
    "lengths": ("Content-Length: 0", "Content-Length: 1"),
    "keys of a websocket": (*WEBSOCKET, "Sec-WebSocket-Key: BBBBBBBBBBBBBBBBBBBBBB=="),
    "versions of a websocket": (*WEBSOCKET, "Sec-WebSocket-Version: 8"),
    "places where it comes from": ("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"),
    "names of one request": ("Idempotency-Key: a", "Idempotency-Key: b"),
}


@pytest.mark.timeout(300)
async def test_what_says_two_things_at_once_is_believed_in_neither(server: ServerProcess) -> None:
    for port, tls in ways(server):
        for name, lines in TWICE.items():
            for path in ("/", "/ocpp/CS-01", "/login"):
                answer = await exchange(port, head("GET", path, *lines, CLOSE), tls=tls)
                assert not answer or parted(answer)[0] == 400, (name, path)
    await check_well(server)


async def test_what_is_said_twice_alike_is_said(server: ServerProcess) -> None:
    port = ports(server)["console"]
    alike = ("Sec-Fetch-Site: same-origin",) * 2
    assert parted(await exchange(port, head("GET", "/login", *alike, CLOSE)))[0] < 400
