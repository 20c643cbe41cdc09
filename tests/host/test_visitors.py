"""Places at a listener: how many, whose, and who makes room; on sockets that are as real as the listeners'."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvloop
from aiohttp import web

from appliance.domain.network import Network, home_of, networks
from appliance.host import listeners as listeners_module
from appliance.host.addresses import Address
from appliance.host.listeners import FEWEST, Listeners, limits_of, listen
from appliance.host.visitors import Limits, Visitors
from tests.support.wire import ENDS_S, HOST, exchange, head, parted, until_closed

OTHER = "127.0.0.2"
FEW = Limits(most=6, of_one=4)
CLOSE = "Connection: close"


def never_a_proxy(_: str) -> bool:
    return False


def pairs(number: int) -> list[tuple[socket.socket, socket.socket]]:
    return [socket.socketpair() for _ in range(number)]


def ended(other_side: socket.socket) -> bool:
    """Whether the listener has ended this connection."""
    other_side.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        return other_side.recv(1) == b""
    return False


def test_whoever_has_been_quiet_longest_makes_room_for_a_newcomer_of_the_same_address() -> None:
    visitors, lines = Visitors(FEW, never_a_proxy), pairs(6)
    admitted = [visitors.admit(ours, ("10.0.0.1", port)) for port, (ours, _) in enumerate(lines)]

    assert None not in admitted
    assert [ended(theirs) for _, theirs in lines] == [True, True, False, False, False, False]
    assert len(visitors) == FEW.of_one
    close(lines)


def test_whoever_asks_something_stays_and_a_crowd_takes_places_from_itself_alone() -> None:
    visitors, lines = Visitors(FEW, never_a_proxy), pairs(7)
    staff = visitors.admit(lines[0][0], ("10.0.0.9", 1))
    assert staff is not None
    for port, (ours, _) in enumerate(lines[1:6]):
        visitors.admit(ours, ("10.0.0.1", port))
    asking = visitors.find(("10.0.0.1", 1))
    assert asking is not None
    visitors.asks(asking)
    visitors.admit(lines[6][0], ("10.0.0.1", 9))

    assert [ended(theirs) for _, theirs in lines] == [False, True, False, True, False, False, False]
    close(lines)


def test_from_many_addresses_the_quietest_of_all_makes_room() -> None:
    visitors, lines = Visitors(FEW, never_a_proxy), pairs(8)
    for port, (ours, _) in enumerate(lines):
        assert visitors.admit(ours, (f"10.0.0.{port}", 1)) is not None

    assert [ended(theirs) for _, theirs in lines] == [True, True] + [False] * 6
    close(lines)


def test_only_where_all_are_asking_a_newcomer_is_turned_away() -> None:
    visitors, lines = Visitors(FEW, never_a_proxy), pairs(6)
    for port, (ours, _) in enumerate(lines[:4]):
        visitor = visitors.admit(ours, ("10.0.0.1", port))
        assert visitor is not None
        visitors.asks(visitor)

    assert visitors.admit(lines[4][0], ("10.0.0.1", 9)) is None
    assert visitors.admit(lines[4][0], ("10.0.0.2", 9)) is not None
    close(lines)


def test_who_has_gone_gives_the_place_back() -> None:
    visitors, lines = Visitors(FEW, never_a_proxy), pairs(5)
    admitted = [visitors.admit(ours, ("10.0.0.1", port)) for port, (ours, _) in enumerate(lines[:4])]
    for visitor in admitted:
        assert visitor is not None
        visitors.asks(visitor)
    lines[2][0].close()
    visitors.falls_quiet(admitted[2])  # type: ignore[arg-type]

    assert visitors.admit(lines[4][0], ("10.0.0.1", 9)) is not None
    assert [ended(lines[at][1]) for at in (0, 1, 3)] == [False] * 3
    for visitor in (*admitted, visitors.find(("10.0.0.1", 9))):
        assert visitor is not None
        visitors.forget(visitor)
        visitors.falls_quiet(visitor)
    assert len(visitors) == 0
    close(lines)


def test_a_proxys_visitors_are_counted_in_all_but_not_as_one() -> None:
    visitors, lines = Visitors(FEW, lambda address: address == "10.0.0.1"), pairs(7)
    for port, (ours, _) in enumerate(lines):
        assert visitors.admit(ours, ("10.0.0.1", port)) is not None

    assert [ended(theirs) for _, theirs in lines] == [True] + [False] * 6
    close(lines)


def close(lines: list[tuple[socket.socket, socket.socket]]) -> None:
    for one in (end for line in lines for end in line):
        one.close()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_one_network_of_ipv6_is_one_address(one: str, other: str, same: bool) -> None:
    assert (home_of(one) == home_of(other)) is same


def test_all_listeners_together_leave_descriptors_for_the_rest() -> None:
    names = ("stations", "stations-tls", "console", "console-tls", "drivers")

    assert sum(limits_of(name).most for name in names) < 0.9 * 16_384
    assert all(limits_of(name).of_one >= FEWEST for name in names)


@asynccontextmanager
async def served(application: web.Application, trusted: tuple[Network, ...] = ()) -> AsyncIterator[int]:
    """A listener with few places; its port."""
    async with AsyncExitStack() as stack:
        faces = Listeners(proxies=lambda: trusted)
        await listen(stack, faces, "drivers", application, Address(HOST, 0), None, FEW)
        yield faces.ports["drivers"]


async def come(port: int, address: str = HOST) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(HOST, port, local_addr=(address, 0))


def speaking() -> tuple[web.Application, asyncio.Event]:
    """Says who asks; `/stream` says that it has begun, and ends with the event."""
    end = asyncio.Event()

    async def who(request: web.Request) -> web.Response:
        return web.Response(text=f"{request.remote} {request.scheme}")

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await end.wait()
        return response

    async def much(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(1 << 16))
        finally:
            end.set()

    application = web.Application()
    application.router.add_routes([web.get("/", who), web.get("/stream", stream), web.get("/much", much)])
    return application, end


async def test_silent_connections_make_room_and_a_stream_does_not() -> None:
    application, end = speaking()
    async with served(application) as port:
        stream, writer = await come(port)
        writer.write(head("GET", "/stream"))
        await stream.readuntil(b"begun")
        silent = [await come(port) for _ in range(12)]

        assert (await exchange(port, head("GET", "/", CLOSE))).startswith(b"HTTP/1.1 200 ")
        async with asyncio.timeout(ENDS_S):
            for reader, _ in silent[:8]:
                assert await reader.read() == b""
        end.set()
        async with asyncio.timeout(ENDS_S):
            await stream.readuntil(b"0\r\n\r\n")
        for _, line in (*silent, (stream, writer)):
            line.close()


async def test_a_body_that_is_awaited_is_quiet_too() -> None:
    application, _ = speaking()
    async with served(application) as port:
        slow = [await come(port) for _ in range(FEW.of_one)]
        for _, writer in slow:
            writer.write(head("POST", "/", "Content-Length: 100") + b"x")
        assert (await exchange(port, head("GET", "/", CLOSE))).startswith(b"HTTP/1.1 200 ")
        for _, writer in slow:
            writer.close()


async def test_another_address_keeps_its_places() -> None:
    application, _ = speaking()
    async with served(application) as port:
        other, line = await come(port, OTHER)
        crowd = [await come(port) for _ in range(10)]
        line.write(head("GET", "/", CLOSE))
        assert f"{OTHER} http".encode() in await until_closed(other)
        for _, writer in (*crowd, (other, line)):
            writer.close()


PROXY = networks(HOST)


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        ((), "127.0.0.1 http"),
        (("X-Forwarded-For: 8.8.8.8, 203.0.113.7",), "203.0.113.7 http"),
        (("X-Forwarded-For: 8.8.8.8", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https"), "203.0.113.7 https"),
        (("Forwarded: for=203.0.113.7",), "203.0.113.7 http"),
        (("X-Real-IP: 203.0.113.7",), "203.0.113.7 http"),
        (("X-Forwarded-For: 203.0.113.7", "Forwarded: for=127.0.0.1"), " http"),
        (("X-Forwarded-Proto: gopher",), "127.0.0.1 http"),
    ],
)
async def test_a_trusted_proxy_says_who_asks(lines: tuple[str, ...], seen: str) -> None:
    application, _ = speaking()
    async with served(application, PROXY) as port:
        _, _, body = parted(await exchange(port, head("GET", "/", CLOSE, *lines)))
        assert body.decode() == seen


async def test_nobody_else_is_believed() -> None:
    application, _ = speaking()
    for trusted in ((), networks("127.0.0.2, 10.0.0.0/8")):
        async with served(application, trusted) as port:
            sent = head(
                "GET",
                "/",
                CLOSE,
                "X-Forwarded-For: 8.8.8.8",
                "Forwarded: for=8.8.8.8;proto=https",
                "X-Real-IP: 8.8.8.8",
            )
            _, _, body = parted(await exchange(port, sent))
            assert body == b"127.0.0.1 http"


def test_whoever_never_reads_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners_module, "UNREAD_S", 1.0)
    uvloop.run(never_read())


async def never_read() -> None:
    """The one who sends without end is told that nobody reads, and the one who reads gets all of it."""
    application, end = speaking()
    async with served(application) as port:
        line = socket.create_connection((HOST, port))
        line.sendall(head("GET", "/much"))
        async with asyncio.timeout(ENDS_S), aiohttp.ClientSession() as session:
            await end.wait()
            async with session.get(f"http://{HOST}:{port}/") as answer:
                assert answer.status == 200
        line.close()


async def test_an_address_that_is_taken_is_said(tmp_path: Path) -> None:
    application, _ = speaking()
    async with served(application) as port, AsyncExitStack() as stack:
        with pytest.raises(listeners_module.PortTaken):
            await listen(stack, Listeners(), "drivers", speaking()[0], Address(HOST, port), None)
