"""The owner's key: an X25519 pair whose private half is twelve words on paper, shown once and kept nowhere else.

The sealing key is enclosed to the public half, as a letter that only the words can open (docs/decisions/0013-secrets.md).
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from mnemonic import Mnemonic

from appliance.db.secrets import OwnerKey
from appliance.domain.errors import Refusal
from appliance.host.secrets import NONCE_BYTES, VERSION, SealingKey, derived

SEED_BYTES = 16
PUBLIC_BYTES = 32
LANGUAGE = "english"
"""Of the words: those of BIP 39, of which the first four letters are enough to tell them apart, with a checksum."""


class WrongWords(Refusal):
    """These words open nothing here."""


def new_words() -> str:
    """Twelve words: 128 random bits and a checksum."""
    return Mnemonic(LANGUAGE).to_mnemonic(os.urandom(SEED_BYTES))


def private_half(words: str) -> X25519PrivateKey:
    """The key that the words are.

    Raises:
        WrongWords: A word is none of the list, or one is another than it was.
    """
    try:
        seed = bytes(Mnemonic(LANGUAGE).to_entropy(words.lower().split()))
    except (ValueError, LookupError):
        raise WrongWords("These are not twelve words of an owner's key.", "Look for a slip in one of them.") from None
    return X25519PrivateKey.from_private_bytes(derived(seed, "forecourt owner's key 1"))


def enclose(sealing: SealingKey, public: bytes) -> OwnerKey:
    """The sealing key, for whoever has the words to the public half."""
    once = X25519PrivateKey.generate()
    ours, nonce = once.public_key().public_bytes_raw(), os.urandom(NONCE_BYTES)
    cipher = _cipher(once.exchange(X25519PublicKey.from_public_bytes(public)), ours + public)
    return OwnerKey(public, VERSION + ours + nonce + cipher.encrypt(nonce, sealing.key, VERSION))


def disclose(owner: OwnerKey, words: str) -> SealingKey:
    """The sealing key that was enclosed.

    Raises:
        WrongWords: The words are of another owner's key, or what was enclosed has been changed.
    """
    private = private_half(words)
    ours, rest = owner.enclosed[1 : 1 + PUBLIC_BYTES], owner.enclosed[1 + PUBLIC_BYTES :]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(ours))
        key = _cipher(shared, ours + private.public_key().public_bytes_raw()).decrypt(
            rest[:NONCE_BYTES], rest[NONCE_BYTES:], owner.enclosed[:1]
        )
    except (InvalidTag, ValueError):
        raise WrongWords(
            "These words are of another owner's key.", "Each time a key is made its words hold for later backups only."
        ) from None
    return SealingKey(key)


def _cipher(shared: bytes, halves: bytes) -> AESGCM:
    return AESGCM(derived(shared, "forecourt enclosed key 1", halves))
