"""The site's certificate authority: ten years, and only for this site's names and for addresses that are nobody else's."""

from __future__ import annotations

import ipaddress
import logging
import shutil
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
from appliance.host.tls.subject import Address

log = logging.getLogger(__name__)

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
    """The certificate that people install, and the key it signs with."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_authority(directory: Path, names: tuple[str, ...], addresses: tuple[Address, ...], now: datetime) -> None:
    """Make the authority of a site with these names; `addresses` are those the box has now. Puts `ca.pem` and `ca.key` into the folder."""
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
    own = [ipaddress.ip_network(address) for address in addresses if not is_private(address)]
    permitted: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    permitted += [x509.IPAddress(network) for network in (*PRIVATE_NETWORKS, *own)]
    certificate = (
        builder(subject, subject, key.public_key(), serial_number, now - BACKDATED, now + AUTHORITY_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_pem = certificate.public_bytes(serialization.Encoding.PEM)
    if directory.exists():
        write(directory / "ca.key", key_pem(key), 0o600)
        write(directory / "ca.pem", certificate_pem, 0o644)
    else:
        # The folder appears with both files or not at all: a crash at first start leaves no half authority behind.
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = directory.with_name(directory.name + ".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        write(unfinished / "ca.key", key_pem(key), 0o600)
        write(unfinished / "ca.pem", certificate_pem, 0o644)
        unfinished.rename(directory)
        sync_directory(directory.parent)
    log.info("certificate authority made", extra={"fingerprint": fingerprint(certificate)})


def read_authority(directory: Path) -> Authority:
    """The authority in the folder.

    Raises:
        AuthorityUnusable: A file is missing or damaged, or is not what it should be.
    """

    def unusable(what: str) -> AuthorityUnusable:
        return AuthorityUnusable(
            "The site's certificate authority in {directory} cannot be used: {what}.",
            "Restore ca.pem and ca.key from a backup; or remove both and start again: a new authority is made, which has to "
            "be installed anew on phones and computers.",
            directory=directory,
            what=what,
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
    return Authority(certificate, key)


def is_private(address: Address) -> bool:
    """Whether it is nobody's on the internet."""
    return any(address in network for network in PRIVATE_NETWORKS)
