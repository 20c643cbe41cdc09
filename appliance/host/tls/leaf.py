"""The certificate of this box, under the site's authority."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.host.tls.authority import Authority, AuthorityUnusable
from appliance.host.tls.files import write
from appliance.host.tls.parts import BACKDATED, COMMON_NAME_CHARACTERS_MAX, builder, key_pem, key_usage
from appliance.host.tls.subject import Subject

log = logging.getLogger(__name__)

LEAF_LIFETIME: Final = timedelta(days=397)
"""Browsers refuse server certificates that live longer than 398 days."""


def kept_leaf(
    directory: Path, kind: str, authority: Authority, subject: Subject, now: datetime
) -> tuple[x509.Certificate, bool]:
    """The leaf that there is if it may stay, else a new one; and whether it is new."""
    leaf = read_leaf(directory, kind, authority.certificate)
    if leaf is not None and serves(leaf, subject, now):
        return leaf, False
    ended_at = authority.certificate.not_valid_after_utc
    if now < ended_at:
        leaf = make_leaf(directory, kind, authority, subject, now)
        log.info("site certificate made", extra={"kind": kind, "expires_at": leaf.not_valid_after_utc.isoformat()})
        return leaf, True
    if leaf is None:
        raise AuthorityUnusable(
            "The site's certificate authority ended on {day}.",
            "See that the clock is right. If it is, remove {directory} and start again: new authorities are made, which have to "
            "be installed anew on phones, computers and chargers.",
            day=f"{ended_at:%Y-%m-%d}",
            directory=directory,
        )
    # With an authority that has ended, by a clock that may be wrong, the leaf that there is beats none.
    return leaf, False


def read_leaf(directory: Path, kind: str, authority: x509.Certificate) -> x509.Certificate | None:
    """The leaf that there is; None when it is missing, damaged, another authority's, without its key or with its authority behind it.

    An authority in the chain is of no use to who has it, and stops the small chargers that cannot read it.
    """
    key_file = directory / f"{kind}.key"
    try:
        leaf, *behind_it = x509.load_pem_x509_certificates((directory / f"{kind}.pem").read_bytes())
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
    if behind_it:
        return None
    key_file.chmod(0o600)
    return leaf


def serves(leaf: x509.Certificate, subject: Subject, now: datetime) -> bool:
    """Whether the leaf may stay: in the first two thirds of its life, and with all that is asked for.

    It may carry more than that: an interface that comes and goes shall not cost a new certificate each time.
    """
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    due_at = leaf.not_valid_before_utc + life * 2 / 3
    carried = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return leaf.not_valid_before_utc <= now < due_at and all(name in carried for name in subject.general_names())


def make_leaf(directory: Path, kind: str, authority: Authority, subject: Subject, now: datetime) -> x509.Certificate:
    """A new leaf and its key, in their files; with an RSA key if `kind` ends so, for chargers that know nothing else."""
    with_rsa = kind.endswith("-rsa")
    key = rsa.generate_private_key(65537, 2048) if with_rsa else ec.generate_private_key(ec.SECP256R1())
    common_name = (*subject.names, *map(str, subject.addresses), "forecourt")[0]
    begins_at = max(now - BACKDATED, authority.certificate.not_valid_before_utc)
    ends_at = min(begins_at + LEAF_LIFETIME, authority.certificate.not_valid_after_utc)
    issuer_key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        builder(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:COMMON_NAME_CHARACTERS_MAX])]),
            authority.certificate.subject,
            key.public_key(),
            x509.random_serial_number(),
            begins_at,
            ends_at,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(wraps_keys=with_rsa), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(subject.general_names()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key_id), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    # A crash between the two leaves a key that is another's, which the next start notices.
    write(directory / f"{kind}.key", key_pem(key), 0o600)
    write(directory / f"{kind}.pem", certificate.public_bytes(pem), 0o644)
    return certificate
