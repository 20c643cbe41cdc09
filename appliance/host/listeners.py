"""The listeners' sockets: an application is bound to an address, and where it is then is remembered."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from appliance.domain.errors import Refusal
from appliance.host.addresses import Address
from appliance.ocpp.admission.endpoint import CONNECTIONS_WAITING_MAX, HEAD_SIZES

SHUTDOWN_S = 5.0
SILENCE_S = 10.0
"""So long a TLS handshake may take, then the head of a request, however it trickles in, then each next one; a body that nobody
reads; and the good-bye. Whoever is answered meanwhile (live pages, websockets) is not meant."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # recognised, not bound here


class PortTaken(Refusal):
    """A listener cannot be bound."""


@dataclass(slots=True)
class Listeners:
    """What is being served: by listener (`stations`, `stations-tls`, `console`, …) the URL and the port."""

    urls: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


async def listen(
    stack: AsyncExitStack,
    listeners: Listeners,
    listener: str,
    application: web.Application,
    address: Address,
    tls: ssl.SSLContext | None,
) -> None:
    """Serve an application until the stack is left.

    Raises:
        PortTaken: Somebody else has the port, or it may not be bound.
    """
    sizes = HEAD_SIZES if listener.startswith("stations") else {}
    runner = web.AppRunner(
        application,
        access_log=None,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=SILENCE_S,
        lingering_time=SILENCE_S,
        **sizes,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None
    secured: dict[str, Any] = (
        {"ssl": tls, "ssl_handshake_timeout": SILENCE_S, "ssl_shutdown_timeout": SILENCE_S} if tls else {}
    )
    try:
        # Not by aiohttp's `TCPSite`, which leaves a TLS handshake a minute.
        server = await asyncio.get_running_loop().create_server(
            runner.server,
            address.host,
            address.port,
            backlog=CONNECTIONS_WAITING_MAX,
            reuse_address=True,
            **secured,
        )
    except OSError as error:
        raise PortTaken(
            "The {listener} cannot listen on {address}: {why}.",
            "Choose another port, or stop the program that has it.",
            listener=listener,
            address=address,
            why=error.strerror,
        ) from None
    stack.callback(server.close)
    port = server.sockets[0].getsockname()[1]
    host = "127.0.0.1" if address.host in EVERYWHERE else address.host
    scheme = ("wss" if tls else "ws") if listener.startswith("stations") else ("https" if tls else "http")
    listeners.ports[listener] = port
    listeners.urls[listener] = f"{scheme}://{Address(host, port)}{'/ocpp/' if listener.startswith('stations') else ''}"
