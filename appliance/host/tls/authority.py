"""The site's certificate authorities: one for browsers, one for chargers, ten years each.

The browsers' one vouches only for this site's names and for addresses that are nobody else's, because people trust it with all they
do. The chargers' one is trusted by machines that talk to nobody else, and has no such limits: the TLS of most microcontrollers
cannot read them, and refuses the whole certificate (decision 0016).
"""

from __future__ import annotations

import ipaddress
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.domain.errors import Refusal
from appliance.host.tls.files import sync_directory, write
from appliance.host.tls.parts import BACKDATED, COMMON_NAME_CHARACTERS_MAX, builder, fingerprint, key_pem, key_usage
from appliance.host.tls.subject import Address, constraints_of

log = logging.getLogger(__name__)

BROWSERS: Final = "ca"
STATIONS: Final = "stations-ca"
"""How the files of an authority are called, before `.pem` and `.key`."""
AUTHORITY_LIFETIME: Final = timedelta(days=3650)

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


class AuthorityUnusable(Refusal):
    """The site's certificate authority is there but cannot be used; `advice` says what the owner can do."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The certificate that is installed on devices, and the key it signs with."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_authority(directory: Path, names: tuple[str, ...], addresses: tuple[Address, ...], now: datetime) -> None:
    """Make the browsers' authority of a site with these names, in `ca.pem` and `ca.key`; `addresses` are those the box has now."""
    own = [ipaddress.ip_network(address) for address in addresses if not is_private(address)]
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    permitted += [x509.IPAddress(network) for network in (*PRIVATE_NETWORKS, *own)]
    limits = x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)
    _make(directory, BROWSERS, _called(names, "CA"), now, limits)


def make_stations_authority(directory: Path, names: tuple[str, ...], now: datetime) -> None:
    """Make the chargers' authority, in `stations-ca.pem` and `stations-ca.key`."""
    _make(directory, STATIONS, _called(names, "chargers CA"), now, None)


def _called(names: tuple[str, ...], what: str) -> Callable[[int], str]:
    """The name of an authority by its serial number: two boxes may have one host name, and a trust store must tell them apart."""

    def name(serial_number: int) -> str:
        ending = f" {what} {serial_number % 0x10000:04X}"
        beginning = f"Forecourt {names[0] if names else ''}".strip()
        return beginning[: COMMON_NAME_CHARACTERS_MAX - len(ending)] + ending

    return name


def _make(
    directory: Path, files: str, called: Callable[[int], str], now: datetime, limits: x509.NameConstraints | None
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    serial_number = x509.random_serial_number()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Forecourt"),
            x509.NameAttribute(NameOID.COMMON_NAME, called(serial_number)),
        ]
    )
    unsigned = (
        builder(subject, subject, key.public_key(), serial_number, now - BACKDATED, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
    )
    if limits is not None:
        unsigned = unsigned.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        ).add_extension(limits, critical=True)
    certificate = unsigned.sign(key, hashes.SHA256())
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
    if directory.exists():
        # The certificate last: a crash between the two leaves a key, beside which the next start makes both anew.
        write(directory / f"{files}.key", key_pem(key), 0o600)
        write(directory / f"{files}.pem", certificate_pem, 0o644)
    else:
        # The folder appears with both files or not at all: a crash at first start leaves no half authority behind.
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = directory.with_name(directory.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        write(unfinished / f"{files}.key", key_pem(key), 0o600)
        write(unfinished / f"{files}.pem", certificate_pem, 0o644)
        unfinished.rename(directory)
        sync_directory(directory.parent)
    log.info("certificate authority made", extra={"file": f"{files}.pem", "fingerprint": fingerprint(certificate)})


def read_authority(directory: Path, files: str = BROWSERS) -> Authority:
    """The authority in the folder whose files are called so.

    Raises:
        AuthorityUnusable: A file is missing or damaged, or is not what it should be.
    """

    def unusable(what: str) -> AuthorityUnusable:
        return AuthorityUnusable(
            "The site's certificate authority in {directory} cannot be used: {what}.",
            "Restore {files}.pem and {files}.key from a backup; or remove both and start again: a new authority is made, which "
            "has to be installed anew on all devices that trust it.",
            directory=directory,
            files=files,
            what=what,
        )

    try:
        certificate = x509.load_pem_x509_certificate((directory / f"{files}.pem").read_bytes())
        key = serialization.load_pem_private_key((directory / f"{files}.key").read_bytes(), password=None)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        limits = constraints_of(certificate)
    except FileNotFoundError as error:
        raise unusable(f"{Path(str(error.filename)).name} is missing") from error
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise unusable(str(error).partition("\n")[0].rstrip(".") or "a file is damaged") from error
    if not constraints.ca or (files == BROWSERS) is (limits is None or limits.permitted_subtrees is None):
        raise unusable(f"{files}.pem is not an authority of this program")
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise unusable("the key does not belong to the certificate")
    (directory / f"{files}.key").chmod(0o600)
    return Authority(certificate, key)


def is_private(address: Address) -> bool:
    """Whether it is nobody's on the internet."""
    return any(address in network for network in PRIVATE_NETWORKS)
