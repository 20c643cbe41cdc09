"""The maker's signature over a chip's UID. It exposes cheap copies when a card is issued; it is the same at every reading and
can be copied too, so it proves nothing about who is tapping.

The public keys are NXP's, as published in AN11350 (NTAG21x), AN11341 (Ultralight EV1) and AN12196 (NTAG 424 DNA).
"""

from __future__ import annotations

from functools import cache, lru_cache

import ecdsa

from appliance.domain.cards.tag import Kind

NTAG21X = "04494E1A386D3D3CFE3DC10E5DE68A499B1C202DB5B132393E89ED19FE5BE8BC61"
ULTRALIGHT_EV1 = "0490933BDCD6E99B4E255E3DA55389A827564E11718E017292FAF23226A96614B8"
NTAG424 = (
    "048A9B380AF2EE1B98DC417FECC263F8449C7625CECE82D9B916C992DA209D68422B81EC20B65A66B5102A61596AF3379200599316A00A1410"
)

KEYS = {
    Kind.NTAG213: (ecdsa.SECP128r1, NTAG21X),
    Kind.NTAG215: (ecdsa.SECP128r1, NTAG21X),
    Kind.NTAG216: (ecdsa.SECP128r1, NTAG21X),
    Kind.ULTRALIGHT_EV1: (ecdsa.SECP128r1, ULTRALIGHT_EV1),
    Kind.NTAG424: (ecdsa.NIST224p, NTAG424),
}


@lru_cache(maxsize=256)
def is_genuine(kind: Kind, uid: str, signature: bytes) -> bool:
    """Whether the maker of this kind of chip signed this UID. The signature (r and s) is over the UID itself, not a hash.

    Remembered: a card is looked at several times while it lies there, and the curve takes a while in plain Python.
    """
    try:
        return bool(_key(kind).verify_digest(signature, bytes.fromhex(uid)))
    except (ecdsa.BadSignatureError, ecdsa.util.MalformedSignature):
        return False


@cache
def _key(kind: Kind) -> ecdsa.VerifyingKey:
    curve, point = KEYS[kind]
    return ecdsa.VerifyingKey.from_string(bytes.fromhex(point), curve=curve)
