"""The faces' sockets: binding them, saying where they are, and the certificate under which they are served."""

from __future__ import annotations

import argparse
import asyncio
import functools
import logging
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from appliance import certificates
from appliance.addresses import local_addresses, local_names
from appliance.arguments import Address
from appliance.certificates import AuthorityUnusable, SiteCertificate
from appliance.domain.clock import Clock
from appliance.domain.errors import Refusal
from appliance.ocpp.endpoint import CONNECTIONS_WAITING_MAX, RUNNER_OPTIONS
from appliance.ui.context import Addresses

log = logging.getLogger(__name__)

SHUTDOWN_S = 5.0
RENEW_EVERY_S = 6 * 3600.0
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


def addresses(arguments: argparse.Namespace, certificate: SiteCertificate | None, faces: Faces) -> Addresses:
    """Where the faces that are bound by now are reached from outside, as pages say it."""
    return Addresses(
        stations=from_outside(faces, "stations", arguments.stations),
        stations_tls=from_outside(faces, "stations-tls", arguments.stations_tls),
        drivers=from_outside(faces, "drivers", arguments.drivers),
        hosts=frozenset(local_names(names_given(arguments) + drivers_host(arguments))),
        secure=certificate is not None,
        ca_file=str(certificate.ca_file) if certificate else "",
        ca_fingerprint=certificate.ca_fingerprint_sha256 if certificate else "",
    )


def card_link_base(arguments: argparse.Namespace, faces: Faces) -> str:
    """What stands on cards before a card's token: the drivers' face as phones reach it."""
    outside = from_outside(faces, "drivers", arguments.drivers)
    url: str = arguments.drivers_url or (outside[0] if outside else f"{faces.urls['drivers']}/")
    return f"{url}card/"


def from_outside(faces: Faces, face: str, bound: Address | None) -> tuple[str, ...]:
    """The URLs of a face, one for each address of this box that others on the network can reach; none if it is not served."""
    if bound is None or face not in faces.urls:
        return ()
    hosts = local_addresses() if bound.host in EVERYWHERE else (bound.host,)
    outside = [host for host in hosts if not host.startswith(("127.", "::1", "fe80"))] or hosts[:1]
    scheme, _colon, rest = faces.urls[face].partition("://")
    path = rest.partition("/")[2]
    return tuple(f"{scheme}://{Address(host, faces.ports[face])}/{path}" for host in outside)


async def site_certificate(arguments: argparse.Namespace, directory: Path, clock: Clock) -> SiteCertificate | None:
    """The site's certificate, made or renewed as needed; None when no listener wants one."""
    if arguments.console_tls is None and arguments.stations_tls is None:
        return None
    try:
        return await asyncio.to_thread(
            functools.partial(
                certificates.ensure,
                directory,
                local_names(names_given(arguments)),
                local_addresses(),
                clock(),
                with_rsa=arguments.stations_tls is not None,
            )
        )
    except AuthorityUnusable as error:
        raise Refusal(error.message, error.advice) from error


async def keep_certificate(
    arguments: argparse.Namespace, directory: Path, contexts: list[ssl.SSLContext], clock: Clock
) -> None:
    """Renew the certificate while the server runs; new connections get the new one at once."""
    while True:
        await asyncio.sleep(RENEW_EVERY_S)
        certificate = await site_certificate(arguments, directory, clock)
        if certificate is not None and certificate.renewed:
            for context in contexts:
                certificates.load(context, certificate)
            log.info("certificate renewed")


def drivers_host(arguments: argparse.Namespace) -> list[str]:
    """The name under which phones are told to open the drivers' face."""
    host = urlsplit(arguments.drivers_url).hostname
    return [host] if host else []


def names_given(arguments: argparse.Namespace) -> list[str]:
    """Further names of this box, from the command line."""
    return [name.strip() for name in arguments.tls_names.split(",") if name.strip()]
