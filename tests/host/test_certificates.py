"""The site's authority and leaf, checked the way a browser does: by a real handshake that verifies name and chain."""

import asyncio
import contextlib
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.host.addresses import local_addresses, local_names
from appliance.host.tls.authority import AuthorityUnusable
from appliance.host.tls.contexts import load, server_context
from appliance.host.tls.site import SiteCertificate, ensure, ensure_for_stations

DAY_MS = 86_400_000
NAMES = ("forecourt", "forecourt.local", "localhost")
ADDRESSES = ("127.0.0.1", "::1", "192.168.1.20")


def now_ms() -> int:
    # A handshake verifies against the clock of this machine, so the certificates are made by it too.
    return int(datetime.now(UTC).timestamp() * 1000)


def leaf_of(certificate: SiteCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.leaf_file.read_bytes())


def carried_by(certificate: SiteCertificate) -> list[object]:
    names = leaf_of(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [name.value for name in names]


async def shake_hands(
    certificate: SiteCertificate,
    server_hostname: str,
    *,
    for_stations: bool = False,
    client: ssl.SSLContext | None = None,
) -> tuple[str, str]:
    """Connect as a browser that trusts the site's authority; the TLS version and the suite agreed on."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(
        greet, "127.0.0.1", 0, ssl=server_context(certificate, for_stations=for_stations)
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port,
            ssl=client or ssl.create_default_context(cafile=str(certificate.ca_file)),
            server_hostname=server_hostname,
        )
        try:
            assert await reader.read() == b"hello"
            cipher: tuple[str, str, int] = writer.get_extra_info("cipher")
            version: str = writer.get_extra_info("ssl_object").version()
            return version, cipher[0]
        finally:
            writer.close()


@pytest.mark.parametrize("name", ["forecourt", "forecourt.local", "localhost", "127.0.0.1", "192.168.1.20"])
async def test_a_browser_that_trusts_the_authority_accepts_each_name_and_address(tmp_path: Path, name: str) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    version, _ = await shake_hands(certificate, name)

    assert version == "TLSv1.3"


async def test_strict_verification_accepts_the_chain(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    client = ssl.create_default_context(cafile=str(certificate.ca_file))
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT

    await shake_hands(certificate, "forecourt.local", client=client)


async def test_a_name_that_is_not_the_sites_is_refused(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await shake_hands(certificate, "bank.example")


async def test_a_browser_without_the_authority_refuses(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer certificate"):
        await shake_hands(certificate, "localhost", client=ssl.create_default_context())


async def test_the_authority_cannot_vouch_for_a_place_on_the_internet(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    forged = forge_leaf(tmp_path / "tls", x509.DNSName("bank.example"))

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        await shake_hands(forged, "bank.example", client=ssl.create_default_context(cafile=str(certificate.ca_file)))


def forge_leaf(
    directory: Path, name: x509.GeneralName, begins_at: datetime | None = None, ends_at: datetime | None = None
) -> SiteCertificate:
    """A leaf signed with the authority's key, but for a name and a time of one's own choice."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
    authority_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins_at or authority.not_valid_before_utc)
        .not_valid_after(ends_at or authority.not_valid_after_utc)
        .add_extension(x509.SubjectAlternativeName([name]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    leaf_file, key_file = directory / "forged.pem", directory / "forged.key"
    leaf_file.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return SiteCertificate(directory / "ca.pem", b"", leaf_file, key_file, "", 0, 0, renewed=False, left_out=())


async def test_tls_1_1_is_refused(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    client = ssl.create_default_context(cafile=str(certificate.ca_file))
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await shake_hands(certificate, "localhost", client=client)


@pytest.mark.parametrize("suite", ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
async def test_a_station_gets_the_suites_that_ocpp_names(tmp_path: Path, suite: str) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    client = ssl.create_default_context(cafile=str(certificate.ca_file))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)

    assert await shake_hands(certificate, "localhost", for_stations=True, client=client) == ("TLSv1.2", suite)


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384"])
async def test_a_station_that_knows_nothing_but_rsa_is_served_beside_the_others(tmp_path: Path, suite: str) -> None:
    certificate = ensure_for_stations(tmp_path, NAMES, ADDRESSES, now_ms())
    client = ssl.create_default_context(cafile=str(certificate.ca_file))
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suite)

    assert await shake_hands(certificate, "localhost", for_stations=True, client=client) == ("TLSv1.2", suite)
    assert (await shake_hands(certificate, "localhost", for_stations=True))[0] == "TLSv1.3"


def test_the_rsa_leaf_is_renewed_with_the_other_and_is_for_chargers_alone(tmp_path: Path) -> None:
    start_ms = now_ms()
    without = ensure(tmp_path, NAMES, ADDRESSES, start_ms)
    added = ensure_for_stations(tmp_path, NAMES, ADDRESSES, start_ms)
    again = ensure_for_stations(tmp_path, NAMES, ADDRESSES, start_ms)
    later = ensure_for_stations(tmp_path, NAMES, ADDRESSES, start_ms + 300 * DAY_MS)

    assert without.rsa_files is None
    assert (added.renewed, again.renewed, later.renewed) == (True, False, True)
    assert later.expires_at_ms > added.expires_at_ms
    assert added.rsa_files is not None
    assert stat.S_IMODE(added.rsa_files[1].stat().st_mode) == 0o600


def test_only_the_stations_listener_offers_suites_without_forward_secrecy(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    offered = {suite["name"] for suite in server_context(certificate, for_stations=True).get_ciphers()}
    to_browsers = {suite["name"] for suite in server_context(certificate).get_ciphers()}

    assert {"AES128-GCM-SHA256", "AES256-GCM-SHA384"} <= offered
    assert not {"AES128-GCM-SHA256", "AES256-GCM-SHA384"} & to_browsers


async def test_a_renewed_leaf_is_taken_into_the_running_listener(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    context = server_context(first)
    second = ensure(tmp_path, (*NAMES, "10.1.2.3"), ADDRESSES, now_ms())
    load(context, second)
    client = ssl.create_default_context(cafile=str(first.ca_file))
    incoming, outgoing, in_back, out_back = ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = client.wrap_bio(incoming, outgoing, server_hostname="10.1.2.3")
    answerer = context.wrap_bio(in_back, out_back, server_side=True)

    for _ in range(4):
        for side, source, sink in ((caller, outgoing, in_back), (answerer, out_back, incoming)):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            sink.write(source.read())

    assert caller.getpeercert(binary_form=True) == leaf_of(second).public_bytes(serialization.Encoding.DER)


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert stat.S_IMODE((tmp_path / "tls").stat().st_mode) == 0o700
    assert stat.S_IMODE(certificate.key_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "tls" / "ca.key").stat().st_mode) == 0o600


def test_permissions_that_were_opened_are_closed_again(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    for path in (tmp_path / "tls", certificate.key_file, tmp_path / "tls" / "ca.key"):
        path.chmod(0o777)

    test_keys_are_for_their_owner_alone(tmp_path)


def test_no_temporary_file_stays_behind(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert sorted(path.name for path in (tmp_path / "tls").iterdir()) == ["ca.key", "ca.pem", "site.key", "site.pem"]
    assert [path.name for path in tmp_path.iterdir()] == ["tls"]


def test_a_second_start_changes_no_file(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    before = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}

    second = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == before
    assert (first.renewed, second.renewed) == (True, False)
    assert (first.ca_fingerprint_sha256, first.expires_at_ms) == (second.ca_fingerprint_sha256, second.expires_at_ms)


def test_leaf_lives_397_days_and_is_renewed_after_two_thirds(tmp_path: Path) -> None:
    start_ms = now_ms()
    first = ensure(tmp_path, NAMES, ADDRESSES, start_ms)
    life = leaf_of(first).not_valid_after_utc - leaf_of(first).not_valid_before_utc

    early = ensure(tmp_path, NAMES, ADDRESSES, start_ms + 263 * DAY_MS)
    late = ensure(tmp_path, NAMES, ADDRESSES, start_ms + 265 * DAY_MS)

    assert life.days == 397
    assert not early.renewed
    assert late.renewed
    assert late.expires_at_ms >= first.expires_at_ms + 264 * DAY_MS
    assert late.ca_fingerprint_sha256 == first.ca_fingerprint_sha256


def test_an_expired_leaf_is_replaced(tmp_path: Path) -> None:
    start_ms = now_ms()
    ensure(tmp_path, NAMES, ADDRESSES, start_ms)

    later = ensure(tmp_path, NAMES, ADDRESSES, start_ms + 500 * DAY_MS)

    assert later.renewed
    assert later.expires_at_ms > start_ms + 500 * DAY_MS


async def test_a_leaf_that_expired_while_the_box_was_off_is_replaced_at_start(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    ended = datetime.now(UTC) - timedelta(days=3)
    expired = forge_leaf(tmp_path / "tls", x509.DNSName("localhost"), ended - timedelta(days=397), ended)
    expired.leaf_file.replace(certificate.leaf_file)
    expired.key_file.replace(certificate.key_file)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        await shake_hands(certificate, "localhost")

    await shake_hands(ensure(tmp_path, NAMES, ADDRESSES, now_ms()), "localhost")


async def test_a_new_address_is_in_a_new_leaf_of_the_same_authority(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    second = ensure(tmp_path, NAMES, (*ADDRESSES, "10.9.8.7"), now_ms())

    assert second.renewed
    assert second.ca_fingerprint_sha256 == first.ca_fingerprint_sha256
    await shake_hands(second, "10.9.8.7")


def test_an_address_that_went_away_costs_no_new_leaf(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert not ensure(tmp_path, NAMES, ADDRESSES[:2], now_ms()).renewed


def test_addresses_among_the_names_are_taken_as_addresses(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, ("Forecourt.Local.", "192.168.7.7"), (), now_ms())

    assert [str(value) for value in carried_by(certificate)] == ["forecourt.local", "192.168.7.7"]


def test_a_name_the_authority_may_not_vouch_for_is_left_out_and_said(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    later = ensure(tmp_path, (*NAMES, "other.example"), (*ADDRESSES, "203.0.113.9"), now_ms())

    assert later.left_out == ("other.example", "203.0.113.9")
    assert not later.renewed


def test_a_public_address_of_the_box_at_first_start_is_vouched_for(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ("203.0.113.9",), now_ms())

    assert certificate.left_out == ()
    assert "203.0.113.9" in [str(value) for value in carried_by(certificate)]


@pytest.mark.parametrize("name", ["", "two words", "a..b", "x" * 64])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not a name"):
        ensure(tmp_path, (name,), (), now_ms())


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"nonsense")])
@pytest.mark.parametrize("file", ["site.pem", "site.key"])
async def test_a_damaged_leaf_is_made_anew_under_the_same_authority(tmp_path: Path, file: str, damage: object) -> None:
    first = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    assert callable(damage)
    damage(tmp_path / "tls" / file)

    second = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert second.renewed
    assert second.ca_fingerprint_sha256 == first.ca_fingerprint_sha256
    await shake_hands(second, "localhost")


def test_the_key_of_another_leaf_is_noticed(tmp_path: Path) -> None:
    first = ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms())
    second = ensure(tmp_path / "b", NAMES, ADDRESSES, now_ms())
    first.key_file.write_bytes(second.key_file.read_bytes())

    assert ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms()).renewed


def test_the_leaf_of_another_authority_is_noticed(tmp_path: Path) -> None:
    first = ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms())
    second = ensure(tmp_path / "b", NAMES, ADDRESSES, now_ms())
    first.key_file.write_bytes(second.key_file.read_bytes())
    first.leaf_file.write_bytes(second.leaf_file.read_bytes())

    assert ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms()).renewed


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"nonsense")])
@pytest.mark.parametrize("file", ["ca.pem", "ca.key"])
def test_a_damaged_authority_is_never_replaced_in_silence(tmp_path: Path, file: str, damage: object) -> None:
    ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    assert callable(damage)
    damage(tmp_path / "tls" / file)
    before = {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()}

    with pytest.raises(AuthorityUnusable) as refusal:
        ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert "backup" in refusal.value.advice
    assert {path.name: path.read_bytes() for path in (tmp_path / "tls").iterdir()} == before


def test_the_key_of_another_authority_is_refused(tmp_path: Path) -> None:
    ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms())
    ensure(tmp_path / "b", NAMES, ADDRESSES, now_ms())
    (tmp_path / "a/tls/ca.key").write_bytes((tmp_path / "b/tls/ca.key").read_bytes())

    with pytest.raises(AuthorityUnusable, match="does not belong"):
        ensure(tmp_path / "a", NAMES, ADDRESSES, now_ms())


async def test_removing_the_authority_as_advised_makes_a_new_one(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    (tmp_path / "tls/ca.pem").unlink()
    (tmp_path / "tls/ca.key").unlink()

    second = ensure(tmp_path, NAMES, ADDRESSES, now_ms())

    assert second.ca_fingerprint_sha256 != first.ca_fingerprint_sha256
    await shake_hands(second, "localhost")


async def test_half_an_authority_left_by_a_crash_at_first_start_is_started_over(tmp_path: Path) -> None:
    (tmp_path / "tls.new").mkdir()
    (tmp_path / "tls.new" / "ca.key").write_bytes(b"half")

    await shake_hands(ensure(tmp_path, NAMES, ADDRESSES, now_ms()), "localhost")

    assert not (tmp_path / "tls.new").exists()


async def test_a_clock_of_1970_at_first_start_makes_certificates_of_use_today(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, 0)
    authority = x509.load_pem_x509_certificate(certificate.ca_file.read_bytes())

    assert authority.not_valid_before_utc.year == 2025
    await shake_hands(ensure(tmp_path, NAMES, ADDRESSES, now_ms()), "localhost")


def test_a_leaf_made_by_a_clock_far_ahead_is_replaced_once_the_clock_is_right(tmp_path: Path) -> None:
    start_ms = now_ms()
    ensure(tmp_path, NAMES, ADDRESSES, start_ms)
    ensure(tmp_path, NAMES, ADDRESSES, start_ms + 2_000 * DAY_MS)

    corrected = ensure(tmp_path, NAMES, ADDRESSES, start_ms)

    assert corrected.renewed
    assert leaf_of(corrected).not_valid_before_utc.timestamp() * 1000 <= start_ms


def test_after_the_authoritys_end_the_last_leaf_is_kept(tmp_path: Path) -> None:
    start_ms = now_ms()
    first = ensure(tmp_path, NAMES, ADDRESSES, start_ms)

    later = ensure(tmp_path, NAMES, ADDRESSES, start_ms + 3_651 * DAY_MS)

    assert not later.renewed
    assert later.expires_at_ms == first.expires_at_ms


def test_after_the_authoritys_end_a_lost_leaf_is_refused_with_advice(tmp_path: Path) -> None:
    start_ms = now_ms()
    ensure(tmp_path, NAMES, ADDRESSES, start_ms).leaf_file.unlink()

    with pytest.raises(AuthorityUnusable) as refusal:
        ensure(tmp_path, NAMES, ADDRESSES, start_ms + 3_651 * DAY_MS)

    assert "clock" in refusal.value.advice


def test_a_leaf_never_outlives_its_authority(tmp_path: Path) -> None:
    start_ms = now_ms()

    ensure(tmp_path, NAMES, ADDRESSES, start_ms)
    last = ensure(tmp_path, NAMES, ADDRESSES, start_ms + 3_600 * DAY_MS)

    assert last.expires_at_ms == last.ca_expires_at_ms


def test_the_fingerprint_is_the_one_a_browser_shows(tmp_path: Path) -> None:
    certificate = ensure(tmp_path, NAMES, ADDRESSES, now_ms())
    authority = ssl.PEM_cert_to_DER_cert(certificate.ca_file.read_text(encoding="ascii"))
    digest = hashes.Hash(hashes.SHA256())
    digest.update(authority)

    assert certificate.ca_fingerprint_sha256 == ":".join(f"{byte:02X}" for byte in digest.finalize())


def test_the_boxs_own_names_and_addresses_make_a_certificate(tmp_path: Path) -> None:
    names, addresses = local_names(["park.example"]), local_addresses()

    certificate = ensure(tmp_path, names, addresses, now_ms())

    assert certificate.left_out == ()
    assert names[0] == "park.example"
    assert {"localhost", "127.0.0.1", "::1"} <= {str(value) for value in carried_by(certificate)}


def test_local_addresses_can_be_bound(tmp_path: Path) -> None:
    for address in local_addresses():
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if family == socket.AF_INET6 and not Path("/proc/self/net/if_inet6").exists():
            continue
        with socket.socket(family) as listener:
            listener.bind((address, 0))


def test_addresses_are_read_from_the_kernels_tables(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(
        "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.168.4.9\n"
        "        /32 host LOCAL\n     |-- 192.168.4.255\n        /32 link BROADCAST\n     |-- 169.254.3.3\n"
        "        /32 host LOCAL\n",
        encoding="ascii",
    )
    (tmp_path / "if_inet6").write_text(
        "fd000000000000000000000000000002 04 40 00 82     eth0\n"
        "fd000000000000000000000000000077 04 40 00 01     eth0\n"
        "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n",
        encoding="ascii",
    )

    assert local_addresses(tmp_path) == ("127.0.0.1", "::1", "192.168.4.9", "fd00::2")


def test_a_box_whose_tables_cannot_be_read_still_has_its_loopback(tmp_path: Path) -> None:
    assert local_addresses(tmp_path) == ("127.0.0.1", "::1")
