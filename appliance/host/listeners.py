"""The faces' sockets: an application is bound to an address, and where it is then is remembered."""

from __future__ import annotations

import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from aiohttp import web

from appliance.cli.parser import Address
from appliance.domain.errors import Refusal
from appliance.ocpp.admission.endpoint import CONNECTIONS_WAITING_MAX, RUNNER_OPTIONS

SHUTDOWN_S = 5.0
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # recognised, not bound here


class PortTaken(Refusal):
    """A listener cannot be bound."""


@dataclass(slots=True)
class Faces:
    """What is being served: by face (`stations`, `stations-tls`, `console`, …) the URL and the port."""

    urls: dict[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)


async def listen(
    stack: AsyncExitStack,
    faces: Faces,
    face: str,
    application: web.Application,
    address: Address,
    tls: ssl.SSLContext | None,
) -> None:
    """Serve an application until the stack is left.

    Raises:
        PortTaken: Somebody else has the port, or it may not be bound.
    """
    options = RUNNER_OPTIONS if face.startswith("stations") else {"access_log": None}
    runner = web.AppRunner(application, shutdown_timeout=SHUTDOWN_S, **options)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        site = web.TCPSite(
            runner, address.host, address.port, ssl_context=tls, backlog=CONNECTIONS_WAITING_MAX, reuse_address=True
        )
        await site.start()
    except OSError as error:
        raise PortTaken(
            "The {face} cannot listen on {address}: {why}.",
            "Choose another port, or stop the program that has it.",
            face=face,
            address=address,
            why=error.strerror,
        ) from None
    port = runner.addresses[0][1]
    host = "127.0.0.1" if address.host in EVERYWHERE else address.host
    scheme = ("wss" if tls else "ws") if face.startswith("stations") else ("https" if tls else "http")
    faces.ports[face] = port
    faces.urls[face] = f"{scheme}://{Address(host, port)}{'/ocpp/' if face.startswith('stations') else ''}"
