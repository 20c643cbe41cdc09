"""A client on mbedTLS, the TLS of most chargers with a microcontroller: Debian's library, reached without a compiler."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import cache

ROOM = 1 << 18
"""More than any structure of the library takes (Debian's collects entropy in 33 kB)."""
CLIENT, STREAM, VERIFY_REQUIRED = 0, 0, 2


class Refused(Exception):
    """The root cannot be read, or the handshake failed; the library's own words."""


@cache
def _library(name: str) -> ctypes.CDLL:
    """`mbedtls`, `mbedx509` or `mbedcrypto`; AssertionError where Debian's package is not installed."""
    found = ctypes.util.find_library(name)
    assert found, (
        f"lib{name} is missing: scripts/test-packages installs it (on Debian 12: apt-get install libmbedtls14)"
    )
    return ctypes.CDLL(found)


def shake_hands(port: int, root: bytes, host: str) -> str:
    """Connect to 127.0.0.1 as a charger that was given this root (PEM) and this name or address; the suite agreed on.

    Raises:
        Refused: It trusts what it met there in no way.
    """
    tls, x509, crypto = _library("mbedtls"), _library("mbedx509"), _library("mbedcrypto")
    entropy, random, net, trusted, config, connection = (ctypes.create_string_buffer(ROOM) for _ in range(6))

    def check(result: int) -> None:
        if result != 0:
            text = ctypes.create_string_buffer(200)
            crypto.mbedtls_strerror(result, text, len(text))
            raise Refused(text.value.decode())

    crypto.mbedtls_entropy_init(entropy)
    crypto.mbedtls_ctr_drbg_init(random)
    tls.mbedtls_net_init(net)
    x509.mbedtls_x509_crt_init(trusted)
    tls.mbedtls_ssl_config_init(config)
    tls.mbedtls_ssl_init(connection)
    if hasattr(crypto, "psa_crypto_init"):
        check(crypto.psa_crypto_init())
    try:
        check(crypto.mbedtls_ctr_drbg_seed(random, crypto.mbedtls_entropy_func, entropy, None, ctypes.c_size_t(0)))
        check(x509.mbedtls_x509_crt_parse(trusted, root + b"\0", ctypes.c_size_t(len(root) + 1)))
        check(tls.mbedtls_net_connect(net, b"127.0.0.1", str(port).encode(), 0))
        check(tls.mbedtls_ssl_config_defaults(config, CLIENT, STREAM, 0))
        tls.mbedtls_ssl_conf_authmode(config, VERIFY_REQUIRED)
        tls.mbedtls_ssl_conf_ca_chain(config, trusted, None)
        tls.mbedtls_ssl_conf_rng(config, crypto.mbedtls_ctr_drbg_random, random)
        check(tls.mbedtls_ssl_setup(connection, config))
        check(tls.mbedtls_ssl_set_hostname(connection, host.encode()))
        tls.mbedtls_ssl_set_bio(connection, net, tls.mbedtls_net_send, tls.mbedtls_net_recv, None)
        check(tls.mbedtls_ssl_handshake(connection))
        tls.mbedtls_ssl_get_ciphersuite.restype = ctypes.c_char_p
        suite: bytes = tls.mbedtls_ssl_get_ciphersuite(connection)
        return suite.decode()
    finally:
        tls.mbedtls_net_free(net)  # The rest is a few kilobytes, until the tests end.
