"""The listeners' sockets: an application is bound to an address, and where it is then is remembered.

What every connection is bound to, whoever it belongs to, stands here: how long it may be silent, how many there may be, how
long it may leave unread what it is sent, and whose address it has.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import hdrs, web, web_response
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import RawRequestMessage
from yarl import URL

from appliance.domain import network
from appliance.domain.errors import Refusal
from appliance.domain.network import Network
from appliance.host.addresses import Address
from appliance.host.visitors import Limits, Visitor, Visitors
from appliance.ocpp.admission.endpoint import CONNECTIONS_WAITING_MAX, HEAD_SIZES
from appliance.services.tasks import Tasks

SHUTDOWN_S = 5.0
SILENCE_S = 10.0
"""So long a TLS handshake may take, then the head of a request, however it trickles in, then each next one; a body that nobody
reads; and the good-bye. Whoever is answered meanwhile (live pages, websockets) is not meant."""
UNREAD_S = 60.0
"""Who takes nothing of what it is sent for so long is gone, whatever it was sent and whoever still waits for that."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # recognised, not bound here
DESCRIPTORS_MAX = 16_384
"""As many as the service is given (systemd/forecourt.service)."""
SHARES = {"stations": (0.3, 0.3), "stations-tls": (0.3, 0.3)}
OTHERS_SHARE = (0.09, 0.02)
"""Of the descriptors of the process: for the connections of a listener, and of one address there. Behind one address may be all
chargers (a proxy, a router). All listeners together leave a tenth."""
FEWEST = 64
"""Where a process may have few: no less than some browsers of one office use."""
ACCEPTED_AT_ONCE = 32
"""Newcomers in one turn of the loop; then who is there already is served."""
NO_DESCRIPTORS_S = 0.2
CONTINUE = "100-continue"
SAID_ONCE = (
    hdrs.HOST, hdrs.ORIGIN, hdrs.AUTHORIZATION, hdrs.COOKIE, hdrs.CONTENT_LENGTH, hdrs.CONTENT_TYPE, hdrs.CONTENT_ENCODING, hdrs.REFERER,
    hdrs.SEC_WEBSOCKET_KEY, hdrs.SEC_WEBSOCKET_VERSION, "Sec-Fetch-Site", "Idempotency-Key",
)  # fmt: skip
"""Headers of which there is one. What may be a list (`Sec-WebSocket-Protocol`, `Forwarded`) is not meant."""
UNREADABLE = "unreadable"
"""What stands at a request whose target is none."""

# The answer to a request that cannot be read is written by aiohttp alone, past all handlers; what serves is nobody's business.
web_response.SERVER_SOFTWARE = "Forecourt"  # type: ignore[attr-defined]


class PortTaken(Refusal):
    """A listener cannot be bound."""


@dataclass(slots=True)
class Listeners:
    """What is being served: by listener (`stations`, `stations-tls`, `console`, …) the URL and the port."""

    urls: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    proxies: Callable[[], tuple[Network, ...]] = tuple
    """Whose word is taken for who asks."""
    endings: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What closes those that are open."""

    async def close(self) -> None:
        """All of them at once: whoever takes no answer holds up the end of each, and of all no longer than of one."""
        endings, self.endings = self.endings, []
        await asyncio.gather(*(end() for end in endings))


async def listen(
    stack: AsyncExitStack,
    listeners: Listeners,
    listener: str,
    application: web.Application,
    address: Address,
    tls: ssl.SSLContext | None,
    limits: Limits | None = None,
) -> None:
    """Serve an application until the stack is left; then all listeners end with the first one that does.

    Raises:
        PortTaken: Somebody else has the port, or it may not be bound.
    """
    sizes = HEAD_SIZES if listener.startswith("stations") else {}
    runner = web.AppRunner(
        application,
        access_log=None,
        logger=log_of_requests,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=SILENCE_S,
        lingering_time=SILENCE_S,
        **sizes,
    )
    await runner.setup()
    doors: list[Door] = []

    async def end() -> None:
        for door in doors:
            await door.close()
        await runner.cleanup()

    listeners.endings.append(end)
    stack.push_async_callback(listeners.close)
    assert runner.server is not None
    visitors = Visitors(limits or limits_of(listener), lambda peer: network.is_in(peer, listeners.proxies()))
    know_visitors(runner.server, visitors, listeners.proxies)
    try:
        sockets = await bound(address)
    except OSError as error:
        raise PortTaken(
            "The {listener} cannot listen on {address}: {why}.",
            "Choose another port, or stop the program that has it.",
            listener=listener,
            address=address,
            why=error.strerror,
        ) from None
    for one in sockets:
        doors.append(Door(one, runner.server, tls, visitors))
        doors[-1].open()
    port = sockets[0].getsockname()[1]
    host = "127.0.0.1" if address.host in EVERYWHERE else address.host
    scheme = ("wss" if tls else "ws") if listener.startswith("stations") else ("https" if tls else "http")
    listeners.ports[listener] = port
    listeners.urls[listener] = f"{scheme}://{Address(host, port)}{'/ocpp/' if listener.startswith('stations') else ''}"


def limits_of(listener: str) -> Limits:
    """How many connections a listener keeps, by what the process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = DESCRIPTORS_MAX if soft == resource.RLIM_INFINITY else min(soft, DESCRIPTORS_MAX)
    most, of_one = SHARES.get(listener, OTHERS_SHARE)
    return Limits(max(FEWEST, int(descriptors * most)), max(FEWEST, int(descriptors * of_one)))


async def bound(address: Address) -> list[socket.socket]:
    """Sockets that listen, one for each address that the host stands for.

    Raises:
        OSError: The port is taken, or may not be bound.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, where in dict.fromkeys(found):
            one = socket.socket(family, kind, protocol)
            sockets.append(one)
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Connections have what the listening socket has.
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(UNREAD_S * 1000))
            one.bind(where)
            one.listen(CONNECTIONS_WAITING_MAX)
    except OSError:
        for one in sockets:
            one.close()
        raise
    return sockets


class Door:
    """One listening socket. Not aiohttp's `TCPSite` nor the loop's server: they take in whoever comes, and know nobody before TLS is agreed on."""

    def __init__(
        self, listening: socket.socket, server: web.Server, tls: ssl.SSLContext | None, visitors: Visitors
    ) -> None:
        self._socket = listening
        self._server = server
        self._secured: dict[str, Any] = (
            {"ssl": tls, "ssl_handshake_timeout": SILENCE_S, "ssl_shutdown_timeout": SILENCE_S} if tls else {}
        )
        self._visitors = visitors
        self._loop = asyncio.get_running_loop()
        self._greeting = Tasks()
        self._waiting: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Take in whoever comes from now on."""
        self._waiting = None
        self._loop.add_reader(self._socket, self._accept)

    async def close(self) -> None:
        """Nobody more."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()
        await self._greeting.cancel()

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, (host, port, *_) = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("no more connections can be taken", extra={"why": error.strerror})
                self._visitors.drop_quietest()
                self._loop.remove_reader(self._socket)
                self._waiting = self._loop.call_later(NO_DESCRIPTORS_S, self.open)
                return
            visitor = self._visitors.admit(connection, (host, port))
            if visitor is None:
                connection.close()
            else:
                connection.setblocking(False)
                self._greeting.start(self._greet(visitor), "greeting")

    async def _greet(self, visitor: Visitor) -> None:
        try:
            await self._loop.connect_accepted_socket(self._server, visitor.socket, **self._secured)
        except (OSError, asyncio.CancelledError):
            # Not TLS what came, or not in time: nothing to be told to anybody.
            self._visitors.forget(visitor)
            visitor.socket.close()


def know_visitors(server: web.Server, visitors: Visitors, proxies: Callable[[], tuple[Network, ...]]) -> None:
    """Tell who is asking and who is quiet, and give a request that a trusted proxy sends on the address of who asked it."""
    answer, make = server.request_handler, server.request_factory

    async def answered(request: web.BaseRequest) -> web.StreamResponse:
        if request.get(UNREADABLE) or contradicts_itself(request):
            return web.Response(status=400, headers={"Connection": "close"})
        if request.headers.get(hdrs.EXPECT, CONTINUE).lower() != CONTINUE:
            return web.Response(status=417)
        visitor = visitors.find(peer_of(request))
        if visitor is None or not request.content.is_eof():
            return await answer(request)
        visitors.asks(visitor)
        try:
            return await answer(request)
        finally:
            # What it is told may still be on its way: who takes it too slowly makes room like any other.
            visitors.falls_quiet(visitor)

    def made(message: RawRequestMessage, *parts: Any) -> web.BaseRequest:
        request: web.BaseRequest
        try:
            request = make(message, *parts)
        except ValueError:
            # A target with the name of no host, as http://xn--0000h/: nobody else would answer it, or close its connection.
            request = make(message._replace(url=URL("/")), *parts)
            request[UNREADABLE] = True
            return request
        trusted = proxies()
        return forwarded(request, trusted) if trusted and network.is_in(request.remote or "", trusted) else request

    server.request_handler, server.request_factory = answered, made


def contradicts_itself(request: web.BaseRequest) -> bool:
    """Whether a header that is said once is said twice, and not alike: of two readers each could believe another."""
    return any(len(set(request.headers.getall(name, ()))) > 1 for name in SAID_ONCE)


def peer_of(request: web.BaseRequest) -> tuple[str, int]:
    """By what its connection is known."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return (name[0], name[1]) if name else ("", 0)


def forwarded(request: web.BaseRequest, trusted: tuple[Network, ...]) -> web.BaseRequest:
    """A request of a trusted proxy, with what it says of who asks and how: all who read the address read this one."""
    headers = request.headers
    address = network.forwarded_for(
        headers.getall(hdrs.X_FORWARDED_FOR, []),
        headers.getall(hdrs.FORWARDED, []),
        headers.getall("X-Real-IP", []),
        trusted,
    )
    protocol = headers.getall(hdrs.X_FORWARDED_PROTO, [""])[-1].strip().lower()
    changed: dict[str, Any] = {} if address is None else {"remote": address}
    if protocol in ("http", "https"):
        changed["scheme"] = protocol
    return request.clone(**changed)


def refuse(
    protocol: web.RequestHandler,
    request: web.BaseRequest,
    status: int = 500,
    exc: BaseException | None = None,
    message: str | None = None,
) -> web.StreamResponse:
    """What aiohttp answers to what it cannot read."""
    try:
        return refuse_as_aiohttp(protocol, request, status, exc, message)
    finally:
        cut(exc)


def lose(protocol: web.RequestHandler, exc: BaseException | None) -> None:
    """A connection has ended, with what nobody has been answered yet."""
    for message, _payload in protocol._messages:  # noqa: SLF001 - nothing public tells of them.
        cut(getattr(message, "exc", None))
    lose_as_aiohttp(protocol, exc)


def cut(error: BaseException | None) -> None:
    """Forget how it came to an error. It leads back to itself, and to all that had come: that would stay in memory until somebody
    searches for garbage, and a stranger sends more in a second than is found in an hour.
    """
    if error is not None:
        error.__traceback__ = error.__context__ = None


refuse_as_aiohttp, lose_as_aiohttp = web.RequestHandler.handle_error, web.RequestHandler.connection_lost
web.RequestHandler.handle_error = refuse  # type: ignore[assignment,method-assign]
web.RequestHandler.connection_lost = lose  # type: ignore[assignment,method-assign]


class NoGarbage(logging.Filter):
    """What is no HTTP is no event: whoever sends it is answered 400, and fills no log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to keep a record."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, (HttpProcessingError, web.RequestPayloadError))


log = logging.getLogger(__name__)
log_of_requests = logging.getLogger(f"{__name__}.requests")
log_of_requests.addFilter(NoGarbage())
