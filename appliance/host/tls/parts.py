"""What the authority and the leaves are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

COMMON_NAME_CHARACTERS_MAX: Final = 64
BACKDATED: Final = timedelta(days=1)
"""Devices whose clock is a little behind must not refuse a certificate that was made just now."""


def builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    serial_number: int,
    begins_at: datetime,
    ends_at: datetime,
) -> x509.CertificateBuilder:
    """What all certificates begin with."""
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


def key_usage(*, signs_certificates: bool = False, wraps_keys: bool = False) -> x509.KeyUsage:
    """An authority signs certificates, a leaf proves who it is, and one with RSA also unwraps keys."""
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


def key_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """The key as it lies in its file, which nobody else may read."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 in upper-case hexadecimal pairs with colons, as browsers show it."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()
