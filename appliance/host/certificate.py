"""The site's certificate: for all names under which this box is reached, and renewed while the server runs."""

from __future__ import annotations

import argparse
import asyncio
import functools
import logging
import ssl
from pathlib import Path

from appliance.domain.clock import Clock
from appliance.host import public_urls
from appliance.host.addresses import local_addresses, local_names
from appliance.host.tls.contexts import load
from appliance.host.tls.site import SiteCertificate, ensure

log = logging.getLogger(__name__)

RENEW_EVERY_S = 6 * 3600.0


async def site_certificate(arguments: argparse.Namespace, directory: Path, clock: Clock) -> SiteCertificate | None:
    """The site's certificate, made or renewed as needed; None when no listener wants one.

    Raises:
        AuthorityUnusable: The site's authority is damaged or has ended.
    """
    if arguments.console_tls is None and arguments.stations_tls is None:
        return None
    return await asyncio.to_thread(
        functools.partial(
            ensure,
            directory,
            local_names(public_urls.names_given(arguments)),
            local_addresses(),
            clock(),
            with_rsa=arguments.stations_tls is not None,
        )
    )


async def keep_certificate(
    arguments: argparse.Namespace, directory: Path, contexts: list[ssl.SSLContext], clock: Clock
) -> None:
    """Renew the certificate while the server runs; new connections get the new one at once."""
    while True:
        await asyncio.sleep(RENEW_EVERY_S)
        certificate = await site_certificate(arguments, directory, clock)
        if certificate is not None and certificate.renewed:
            for context in contexts:
                load(context, certificate)
            log.info("certificate renewed")
