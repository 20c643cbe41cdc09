"""The site's own certificate authority and the certificate of this box, so that every page is HTTPS from the first.

Both are made at first start and live under `tls/` in the data directory. The authority lasts ten years and is what people
install on their devices; the leaf is renewed by itself. Certificates of charging stations are not made here.
"""

import ipaddress
import logging
import os
import shutil
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

log = logging.getLogger(__name__)

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

AUTHORITY_LIFETIME: Final = timedelta(days=3650)
# Browsers refuse server certificates that live longer than 398 days.
LEAF_LIFETIME: Final = timedelta(days=397)
# Devices whose clock is a little behind must not refuse a certificate that was made just now.
BACKDATED: Final = timedelta(days=1)
# A box without a clock of its own wakes up in 1970; a certificate of that year would serve nobody.
EARLIEST_PLAUSIBLE: Final = datetime(2026, 1, 1, tzinfo=UTC)
COMMON_NAME_CHARACTERS_MAX: Final = 64

# What the authority may vouch for besides the addresses the box has when the authority is made: if its key were stolen,
# no certificate for a place on the internet could be made with it.
PRIVATE_NETWORKS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    )
)

BROWSER_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
)
# OCPP demands the two suites without forward secrecy as well (OCPP 1.6 security whitepaper, TC_086; OCPP 2.0.1 A00.FR.318).
STATION_SUITES: Final = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES256-GCM-SHA384"
)


class AuthorityUnusable(Exception):
    """The site's certificate authority is there but cannot be used; `advice` says what the owner can do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class SiteCertificate:
    """Where the files are, and what the set-up page and the problems need to know of them."""

    ca_file: Path
    chain_file: Path
    key_file: Path
    ca_fingerprint_sha256: str
    """Upper-case hexadecimal pairs with colons, as browsers show it."""
    ca_expires_at_ms: int
    expires_at_ms: int
    renewed: bool
    """Whether the leaf was made by this very call."""
    left_out: tuple[str, ...]
    """Names and addresses that were asked for but that the authority may not vouch for."""
    rsa_files: tuple[Path, Path] | None = None
    """Chain and key of a second leaf for chargers that know nothing but RSA; None when it was not asked for."""


def ensure(
    data_directory: Path, names: Iterable[str], addresses: Iterable[str], now_ms: int, *, with_rsa: bool = False
) -> SiteCertificate:
    """Make what is missing of authority and leaf, renew what is due, and say where they are.

    `names` are DNS names, the first the one in the leaf's subject; an IP address among them is taken as one. The leaf is
    renewed when two thirds of its life are over, when it does not carry all that is asked for, and when it or its key
    cannot be read; the authority stays the same. `with_rsa` keeps a second leaf with an RSA key beside it, which OCPP asks of
    the stations' listener. Reads and writes files: not to be called in the event loop.

    Raises AuthorityUnusable when the authority is damaged, or has expired and a new leaf is needed; ValueError for a name
    that is none.
    """
    now = max(datetime.fromtimestamp(now_ms / 1000, UTC), EARLIEST_PLAUSIBLE)
    directory = data_directory / "tls"
    wanted_names, wanted_addresses = _sorted_out(names, addresses)
    if not (directory / "ca.pem").exists() and not (directory / "ca.key").exists():
        _make_authority(directory, wanted_names, wanted_addresses, now)
    authority = _read_authority(directory)
    directory.chmod(0o700)

    subject = _permitted(authority.certificate, wanted_names, wanted_addresses)
    leaves = [_kept_leaf(directory, kind, authority, subject, now) for kind in ("site", "site-rsa")[: 1 + with_rsa]]
    return SiteCertificate(
        ca_file=directory / "ca.pem",
        chain_file=directory / "site.pem",
        key_file=directory / "site.key",
        ca_fingerprint_sha256=_fingerprint(authority.certificate),
        ca_expires_at_ms=_milliseconds(authority.certificate.not_valid_after_utc),
        expires_at_ms=min(_milliseconds(leaf.not_valid_after_utc) for leaf, _ in leaves),
        renewed=any(made for _, made in leaves),
        left_out=subject.left_out,
        rsa_files=(directory / "site-rsa.pem", directory / "site-rsa.key") if with_rsa else None,
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
    context.load_cert_chain(certificate.chain_file, certificate.key_file)
    if certificate.rsa_files is not None:
        context.load_cert_chain(*certificate.rsa_files)


@dataclass(frozen=True, slots=True)
class _Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class _Subject:
    names: tuple[str, ...]
    addresses: tuple[Address, ...]
    left_out: tuple[str, ...]

    def general_names(self) -> list[x509.GeneralName]:
        return [*map(x509.DNSName, self.names), *map(x509.IPAddress, self.addresses)]


def _sorted_out(names: Iterable[str], addresses: Iterable[str]) -> tuple[tuple[str, ...], tuple[Address, ...]]:
    dns_names: dict[str, None] = {}
    parsed = dict.fromkeys(ipaddress.ip_address(address) for address in addresses)
    for name in names:
        try:
            parsed[ipaddress.ip_address(name)] = None
        except ValueError:
            dns_names[_dns_name(name)] = None
    return tuple(dns_names), tuple(parsed)


def _dns_name(name: str) -> str:
    try:
        ascii_name = name.strip().rstrip(".").lower().encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"“{name}” is not a name a computer can have.") from error
    if not ascii_name or not all(character.isalnum() or character in "-._" for character in ascii_name):
        raise ValueError(f"“{name}” is not a name a computer can have.")
    return ascii_name


def _make_authority(directory: Path, names: tuple[str, ...], addresses: tuple[Address, ...], now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    serial_number = x509.random_serial_number()
    # Two boxes may have the same host name; the trust store of a phone must still tell their authorities apart.
    ending = f" CA {serial_number % 0x10000:04X}"
    beginning = f"Forecourt {names[0] if names else ''}".strip()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Forecourt"),
            x509.NameAttribute(NameOID.COMMON_NAME, beginning[: COMMON_NAME_CHARACTERS_MAX - len(ending)] + ending),
        ]
    )
    own = [ipaddress.ip_network(address) for address in addresses if not _is_private(address)]
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    permitted += [x509.IPAddress(network) for network in (*PRIVATE_NETWORKS, *own)]
    certificate = (
        _builder(subject, subject, key.public_key(), serial_number, now - BACKDATED, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
    if directory.exists():
        _write(directory / "ca.key", _key_pem(key), 0o600)
        _write(directory / "ca.pem", certificate_pem, 0o644)
    else:
        # The folder appears with both files or not at all: a crash at first start leaves no half authority behind.
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = directory.with_name(directory.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _write(unfinished / "ca.key", _key_pem(key), 0o600)
        _write(unfinished / "ca.pem", certificate_pem, 0o644)
        unfinished.rename(directory)
        _sync_directory(directory.parent)
    log.info("certificate authority made", extra={"fingerprint": _fingerprint(certificate)})


def _read_authority(directory: Path) -> _Authority:
    def unusable(what: str) -> AuthorityUnusable:
        return AuthorityUnusable(
            f"The site's certificate authority in {directory} cannot be used: {what}.",
            "Restore ca.pem and ca.key from a backup; or remove both and start again: a new authority is made, which has to "
            "be installed anew on phones and computers.",
        )

    try:
        certificate = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), password=None)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        names = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except FileNotFoundError as error:
        raise unusable(f"{Path(str(error.filename)).name} is missing") from error
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise unusable(str(error).partition("\n")[0].rstrip(".") or "a file is damaged") from error
    if not constraints.ca or names.permitted_subtrees is None:
        raise unusable("ca.pem is not an authority of this program")
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise unusable("the key does not belong to the certificate")
    (directory / "ca.key").chmod(0o600)
    return _Authority(certificate, key)


def _permitted(authority: x509.Certificate, names: tuple[str, ...], addresses: tuple[Address, ...]) -> _Subject:
    """What of the wanted names and addresses the authority may vouch for (RFC 5280, 4.2.1.10)."""
    subtrees = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    domains = [subtree.value for subtree in subtrees if isinstance(subtree, x509.DNSName)]
    networks = [subtree.value for subtree in subtrees if isinstance(subtree, x509.IPAddress)]
    good_names = tuple(n for n in names if any(n == domain or n.endswith(f".{domain}") for domain in domains))
    good_addresses = tuple(
        address
        for address in addresses
        if any(isinstance(net, (ipaddress.IPv4Network, ipaddress.IPv6Network)) and address in net for net in networks)
    )
    left_out = [*(n for n in names if n not in good_names), *(str(a) for a in addresses if a not in good_addresses)]
    return _Subject(good_names, good_addresses, tuple(left_out))


def _kept_leaf(
    directory: Path, kind: str, authority: _Authority, subject: _Subject, now: datetime
) -> tuple[x509.Certificate, bool]:
    """The leaf that there is if it may stay, else a new one; and whether it is new."""
    leaf = _read_leaf(directory, kind, authority.certificate)
    if leaf is not None and _serves(leaf, subject, now):
        return leaf, False
    ended_at = authority.certificate.not_valid_after_utc
    if now < ended_at:
        leaf = _make_leaf(directory, kind, authority, subject, now)
        log.info("site certificate made", extra={"kind": kind, "expires_at": leaf.not_valid_after_utc.isoformat()})
        return leaf, True
    if leaf is None:
        raise AuthorityUnusable(
            f"The site's certificate authority ended on {ended_at:%Y-%m-%d}.",
            f"See that the clock is right. If it is, remove {directory} and start again: a new authority is made, "
            "which has to be installed anew on phones and computers.",
        )
    # With an authority that has ended, by a clock that may be wrong, the leaf that there is beats none.
    return leaf, False


def _read_leaf(directory: Path, kind: str, authority: x509.Certificate) -> x509.Certificate | None:
    """The leaf that there is; None when it is missing, damaged, another authority's or without its key."""
    key_file = directory / f"{kind}.key"
    try:
        leaf = x509.load_pem_x509_certificate((directory / f"{kind}.pem").read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        leaf.verify_directly_issued_by(authority)
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound) as error:
        log.warning("site certificate cannot be used and is made anew", extra={"kind": kind, "error": str(error)})
        return None
    if key.public_key() != leaf.public_key():
        log.warning("key of the site certificate is another's and is made anew", extra={"kind": kind})
        return None
    key_file.chmod(0o600)
    return leaf


def _serves(leaf: x509.Certificate, subject: _Subject, now: datetime) -> bool:
    """Whether the leaf may stay: in the first two thirds of its life, and with all that is asked for.

    It may carry more than that: an interface that comes and goes shall not cost a new certificate each time.
    """
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    due_at = leaf.not_valid_before_utc + life * 2 / 3
    carried = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return leaf.not_valid_before_utc <= now < due_at and all(name in carried for name in subject.general_names())


def _make_leaf(directory: Path, kind: str, authority: _Authority, subject: _Subject, now: datetime) -> x509.Certificate:
    key = rsa.generate_private_key(65537, 2048) if kind == "site-rsa" else ec.generate_private_key(ec.SECP256R1())
    common_name = (*subject.names, *map(str, subject.addresses), "forecourt")[0]
    begins_at = max(now - BACKDATED, authority.certificate.not_valid_before_utc)
    ends_at = min(begins_at + LEAF_LIFETIME, authority.certificate.not_valid_after_utc)
    issuer_key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:COMMON_NAME_CHARACTERS_MAX])]),
            authority.certificate.subject,
            key.public_key(),
            x509.random_serial_number(),
            begins_at,
            ends_at,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(wraps_keys=kind == "site-rsa"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subject.general_names()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    # A crash between the two leaves a key that is another's, which the next start notices.
    _write(directory / f"{kind}.key", _key_pem(key), 0o600)
    _write(directory / f"{kind}.pem", certificate.public_bytes(pem) + authority.certificate.public_bytes(pem), 0o644)
    return certificate


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    serial_number: int,
    begins_at: datetime,
    ends_at: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial_number)
        .not_valid_before(begins_at.replace(microsecond=0))
        .not_valid_after(ends_at.replace(microsecond=0))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool = False, wraps_keys: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        # What TLS suites without forward secrecy do with an RSA leaf.
        key_encipherment=wraps_keys,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _is_private(address: Address) -> bool:
    return any(address in network for network in PRIVATE_NETWORKS)


def _key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put the whole content in place or none of it."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
