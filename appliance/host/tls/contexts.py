"""The TLS that the listeners speak."""

from __future__ import annotations

import ssl
from typing import Final

from appliance.host.tls.site import SiteCertificate

BROWSER_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
)
# OCPP demands the two suites without forward secrecy as well (OCPP 1.6 security whitepaper, TC_086; OCPP 2.0.1 A00.FR.318).
STATION_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
)


def server_context(certificate: SiteCertificate, *, for_stations: bool = False) -> ssl.SSLContext:
    """A context for a listener: TLS 1.2 or newer, with the suites for browsers or those OCPP demands of a central system."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(STATION_SUITES if for_stations else BROWSER_SUITES)
    load(context, certificate)
    return context


def load(context: ssl.SSLContext, certificate: SiteCertificate) -> None:
    """Put the leaf, and the RSA one if there is, into a listener's context; after a renewal, into the running one.

    Connections from then on get the new leaf.
    """
    context.load_cert_chain(certificate.leaf_file, certificate.key_file)
    if certificate.rsa_files is not None:
        context.load_cert_chain(*certificate.rsa_files)
