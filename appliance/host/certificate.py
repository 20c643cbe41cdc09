"""The certificates that the listeners show: for all names under which this box is reached, and renewed while the server runs."""

from __future__ import annotations

import argparse
import asyncio
import logging
import ssl
from collections.abc import Callable
from pathlib import Path

from appliance.domain.clock import Clock
from appliance.host.addresses import local_addresses, local_names, names_given
from appliance.host.tls.contexts import load, server_context
from appliance.host.tls.site import SiteCertificate, ensure, ensure_for_stations, part_stations
from appliance.services.ports.certificates import Root

log = logging.getLogger(__name__)

RENEW_EVERY_S = 6 * 3600.0


class SiteCertificates:
    """Those of the listeners that this command line asks for, and the contexts in which they are shown."""

    def __init__(self, arguments: argparse.Namespace, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._names = names_given(arguments)
        self._ensured: dict[bool, Callable[..., SiteCertificate]] = {}
        """By whether it is for chargers."""
        if arguments.console_tls is not None:
            self._ensured[False] = ensure
        if arguments.stations_tls is not None:
            self._ensured[True] = ensure_for_stations
        self._certificates: dict[bool, SiteCertificate] = {}
        self._contexts: dict[bool, ssl.SSLContext] = {}
        self._one_by_one = asyncio.Lock()

    async def renew(self) -> None:
        """Make what is missing, renew what is due; new connections get the new ones at once.

        Raises:
            AuthorityUnusable: An authority of the site is damaged or has ended.
        """
        async with self._one_by_one:
            await asyncio.to_thread(self._renew)

    async def keep(self) -> None:
        """Renew while the server runs."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            await self.renew()

    def context(self, *, for_stations: bool = False) -> ssl.SSLContext | None:
        """The TLS of a listener; None where none is asked for. What is renewed is renewed in it."""
        certificate = self._certificates.get(for_stations)
        if certificate is not None and for_stations not in self._contexts:
            self._contexts[for_stations] = server_context(certificate, for_stations=for_stations)
        return self._contexts.get(for_stations)

    def browsers(self) -> Root | None:
        """See `services/ports/certificates.py`, as the rest."""
        return _root(self._certificates.get(False))

    def stations(self) -> Root | None:
        """What chargers are given."""
        return _root(self._certificates.get(True))

    def share_root(self) -> bool:
        """Whether that is the browsers' one."""
        return True in self._certificates and self._certificates[True].is_browsers

    async def part_stations(self) -> None:
        """Give chargers one of their own."""
        await asyncio.to_thread(part_stations, self._directory, self._all_names(), self._clock())
        await self.renew()

    def _renew(self) -> None:
        for for_stations, ensured in self._ensured.items():
            certificate = ensured(self._directory, self._all_names(), local_addresses(), self._clock())
            self._certificates[for_stations] = certificate
            if certificate.renewed and for_stations in self._contexts:
                load(self._contexts[for_stations], certificate)
                log.info("certificate renewed", extra={"file": certificate.leaf_file.name})

    def _all_names(self) -> tuple[str, ...]:
        return local_names(self._names)


def _root(certificate: SiteCertificate | None) -> Root | None:
    if certificate is None:
        return None
    return Root(certificate.ca_pem, certificate.ca_fingerprint_sha256, certificate.left_out)
