"""The authority of chargers: what small ones can read, and what becomes of a site whose chargers have the browsers' one."""

from __future__ import annotations

import argparse
import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from appliance.host.addresses import Address
from appliance.host.certificate import SiteCertificates
from appliance.host.tls.authority import AuthorityUnusable
from appliance.host.tls.contexts import server_context
from appliance.host.tls.site import SiteCertificate, ensure, ensure_for_stations, part_stations, share_authority
from appliance.services.ports.certificates import Root
from tests.host.test_certificates import ADDRESSES, DAY_MS, NAMES, now_ms, shake_hands
from tests.support import mbedtls

ANY = Address("127.0.0.1", 0)


@asynccontextmanager
async def shown(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A listener with this TLS; its port."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def small_charger(context: ssl.SSLContext, root: bytes, host: str) -> str:
    """What a microcontroller agrees on with this listener, having been given that root."""
    async with shown(context) as port:
        return await asyncio.to_thread(mbedtls.shake_hands, port, root, host)


def older_site(folder: Path) -> None:
    """As an earlier release left it: one authority for all, in every chain."""
    certificate = ensure(folder, NAMES, ADDRESSES, now_ms())
    certificate.leaf_file.write_bytes(certificate.leaf_file.read_bytes() + certificate.ca_pem)
    (folder / "tls" / "site-rsa.pem").write_bytes(certificate.leaf_file.read_bytes())


def extensions(pem: bytes) -> set[str]:
    """What a certificate carries besides its name and key."""
    return {one.oid._name for one in x509.load_pem_x509_certificate(pem).extensions}


@pytest.mark.parametrize("host", ["forecourt.local", "localhost", "127.0.0.1", "192.168.1.20"])
async def test_a_small_charger_connects_by_name_and_by_address(tmp_path: Path, host: str) -> None:
    certificate = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    suite = await small_charger(server_context(certificate, for_stations=True), certificate.ca_pem, host)

    assert "GCM" in suite


async def test_a_small_charger_still_refuses_who_is_not_this_site(tmp_path: Path) -> None:
    certificate = ensure_for_stations(tmp_path / "a", NAMES, ADDRESSES, now_ms())
    other = ensure_for_stations(tmp_path / "b", NAMES, ADDRESSES, now_ms())
    context = server_context(certificate, for_stations=True)

    for root, host in (
        (certificate.ca_pem, "bank.example"),
        (certificate.ca_pem, "10.0.0.1"),
        (other.ca_pem, NAMES[0]),
    ):
        with pytest.raises(mbedtls.Refused, match="verification failed"):
            await small_charger(context, root, host)


@pytest.mark.parametrize("name", ["forecourt.local", "127.0.0.1", "192.168.1.20", "::1"])
async def test_openssl_accepts_it_by_the_letter(tmp_path: Path, name: str) -> None:
    certificate = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())
    client = ssl.create_default_context(cadata=certificate.ca_pem.decode())
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT

    assert (await shake_hands(certificate, name, for_stations=True, client=client))[0] == "TLSv1.3"


def test_the_chargers_authority_has_no_limits_and_the_browsers_keeps_its_own(tmp_path: Path) -> None:
    browsers = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    stations = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    assert {"nameConstraints", "extendedKeyUsage"} <= extensions(browsers.ca_pem)
    assert not {"nameConstraints", "extendedKeyUsage"} & extensions(stations.ca_pem)
    assert browsers.ca_fingerprint_sha256 != stations.ca_fingerprint_sha256


async def test_neither_authority_vouches_for_the_others_listener(tmp_path: Path) -> None:
    browsers = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    stations = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    for certificate, root in ((browsers, stations), (stations, browsers)):
        with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
            await shake_hands(certificate, "localhost", client=ssl.create_default_context(cafile=str(root.ca_file)))


def test_no_authority_is_in_a_chain(tmp_path: Path) -> None:
    for certificate in (ensure(tmp_path, NAMES, (), now_ms()), ensure_for_stations(tmp_path, NAMES, (), now_ms())):
        for leaf in (certificate.leaf_file, *(certificate.rsa_files or ())[:1]):
            assert len(x509.load_pem_x509_certificates(leaf.read_bytes())) == 1


def leaves(certificate: SiteCertificate) -> list[bytes]:
    return [path.read_bytes() for path in (certificate.leaf_file, *(certificate.rsa_files or ())[:1])]


async def test_an_older_site_gets_new_leaves_under_the_authority_that_its_chargers_have(tmp_path: Path) -> None:
    older_site(tmp_path)

    browsers = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    stations = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    assert (browsers.renewed, stations.is_browsers, share_authority(tmp_path / "tls")) == (True, True, True)
    assert stations.ca_pem == browsers.ca_pem
    assert all(leaf.count(b"BEGIN") == 1 for leaf in leaves(stations))
    await shake_hands(stations, "localhost", for_stations=True)
    with pytest.raises(mbedtls.Refused):
        await small_charger(server_context(stations, for_stations=True), stations.ca_pem, "localhost")


async def test_once_asked_the_running_listener_shows_a_leaf_that_small_chargers_accept(tmp_path: Path) -> None:
    older_site(tmp_path)
    arguments = argparse.Namespace(console_tls=ANY, stations_tls=ANY, tls_names="")
    certificates = SiteCertificates(arguments, tmp_path, now_ms)
    await certificates.renew()
    context, before = certificates.context(for_stations=True), certificates.browsers()
    assert context is not None
    assert (certificates.stations(), certificates.share_root()) == (before, True)

    await certificates.part_stations()
    after = certificates.stations()
    await certificates.part_stations()

    assert (certificates.share_root(), certificates.browsers(), certificates.stations()) == (False, before, after)
    assert isinstance(after, Root)
    await small_charger(context, after.pem, "127.0.0.1")


def test_a_site_with_two_authorities_is_asked_nothing(tmp_path: Path) -> None:
    first = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())
    part_stations(tmp_path, NAMES, now_ms())
    second = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    assert (second.renewed, second.ca_pem, share_authority(tmp_path / "tls")) == (False, first.ca_pem, False)


def test_the_chargers_authority_is_never_replaced_in_silence(tmp_path: Path) -> None:
    ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms()).ca_file.unlink()

    with pytest.raises(AuthorityUnusable) as refusal:
        ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    assert "stations-ca.pem" in refusal.value.advice_in_full


def test_half_an_authority_that_a_crash_left_is_started_over(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    (tmp_path / "tls" / "stations-ca.key").write_bytes(b"half")

    assert not ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms()).is_browsers


def test_a_new_address_and_a_late_name_are_in_the_chargers_leaf(tmp_path: Path) -> None:
    ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())

    later = ensure_for_stations(tmp_path, (*NAMES, "park.example"), (*ADDRESSES, "203.0.113.9"), now_ms() + DAY_MS)

    carried = x509.load_pem_x509_certificate(later.leaf_file.read_bytes()).extensions
    names = [str(name.value) for name in carried.get_extension_for_class(x509.SubjectAlternativeName).value]
    assert (later.renewed, later.left_out) == (True, ())
    assert {"park.example", "203.0.113.9"} <= set(names)
