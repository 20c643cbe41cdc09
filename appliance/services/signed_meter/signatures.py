"""Whether a signature fits: ECDSA on the curves that OCMF names, by a public key in any of the forms in which they are handed out."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.services.signed_meter.ocmf import Container

CURVES: dict[str, Callable[[], ec.EllipticCurve] | None] = {
    "secp192k1": None,  # The library has none.
    "secp256k1": ec.SECP256K1,
    "secp192r1": ec.SECP192R1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
}
"""By the name in OCMF."""
HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {"SHA256": hashes.SHA256, "SHA384": hashes.SHA384, "SHA512": hashes.SHA512}  # fmt: skip
KEY_CHARS_MAX = 2000
PREFIX = "oca:base16:asn1:"
"""Before a key as OCPP sends it (Open Charge Alliance, signed meter values)."""


class Verdict(StrEnum):
    """What is known of a signed value."""

    VERIFIED = "verified"
    SENT_KEY = "sent_key"
    """It fits the key that the charger sent along; whose that is nobody has said."""
    NO_KEY = "no_key"
    WRONG = "wrong"
    """It does not fit: it was changed, or the key is another's."""
    NOT_HERE = "not_here"
    """Its method is none that can be checked here."""
    UNREADABLE = "unreadable"


def verdict(container: Container, known_key: str, sent_key: str = "") -> Verdict:
    """Check it by the key that staff have entered; without one by the one that came along, which proves less."""
    text = known_key or sent_key
    if not text:
        return Verdict.NO_KEY
    kind, _, rest = container.method.partition("-")
    curve_name, _, hash_name = rest.rpartition("-")
    if kind != "ECDSA" or CURVES.get(curve_name) is None or hash_name not in HASHES:
        return Verdict.NOT_HERE
    try:
        key = read_key(text, curve_name)
        key.verify(container.signature, container.payload.encode(), ec.ECDSA(HASHES[hash_name]()))
    except (InvalidSignature, BadKey):
        return Verdict.WRONG
    except UnsupportedAlgorithm:
        return Verdict.NOT_HERE
    return Verdict.VERIFIED if known_key else Verdict.SENT_KEY


class BadKey(ValueError):
    """It is no public key on a curve that is known here."""


def read_key(text: str, curve_name: str = "secp256r1") -> ec.EllipticCurvePublicKey:
    """A public key as PEM, as DER in hexadecimal or base64, with or without OCPP's prefix, or as a bare point.

    Raises:
        BadKey: It is none.
    """
    for data in _encodings(text[:KEY_CHARS_MAX].strip()):
        try:
            found = serialization.load_der_public_key(data)
        except (ValueError, UnsupportedAlgorithm):
            make = CURVES.get(curve_name)
            if make is None or data[:1] not in (b"\x02", b"\x03", b"\x04"):
                continue
            try:
                found = ec.EllipticCurvePublicKey.from_encoded_point(make(), data)
            except (ValueError, UnsupportedAlgorithm):
                continue
        if isinstance(found, ec.EllipticCurvePublicKey):
            return found
    raise BadKey("no public key")


def in_hex(text: str) -> str:
    """A public key as transparency software takes it: DER in hexadecimal digits; "" if it is none that is known here."""
    for curve in CURVES:
        with suppress(BadKey):
            key = read_key(text, curve)
            form = serialization.PublicFormat.SubjectPublicKeyInfo
            return key.public_bytes(serialization.Encoding.DER, form).hex().upper()
    return ""


def _encodings(text: str) -> Iterator[bytes]:
    """The bytes that it may stand for."""
    if "BEGIN" in text:
        text = "".join(line for line in text.splitlines() if "-----" not in line)
    text = "".join(text.split())
    for _ in range(2):
        if text.startswith(PREFIX):
            text = text.removeprefix(PREFIX)
        with suppress(ValueError):
            yield bytes.fromhex(text)
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return
        yield data
        if not data.startswith(PREFIX.encode()):
            return
        text = data.decode("ascii", "replace")  # OCPP: base64 of the prefix and hexadecimal digits.
