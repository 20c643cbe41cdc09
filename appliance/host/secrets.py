"""The one place for secrets: the file `sealing.key` in the data directory, and what is sealed with it (docs/decisions/0013-secrets.md).

The key is made once, is never in the database, in a log or on a command line, and a backup has it enclosed to the owner's key only.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.db.engine.store import Store
from appliance.domain.clock import Clock
from appliance.host.data_directory import DataDirectory
from appliance.host.tls import files
from appliance.services import secrets
from appliance.services.ports.vault import CannotOpen, Vault

log = logging.getLogger(__name__)

KEY_BYTES = 32
NONCE_BYTES = 12
VERSION = b"\x01"
"""The first byte of all that is sealed: how it was done."""


class SealingKey:
    """The site's key; the body of `ports.Vault`. A key of its own for each purpose, which is bound to what is sealed."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """See `Vault`."""
        nonce = os.urandom(NONCE_BYTES)
        return VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, VERSION + purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """See `Vault`."""
        version, nonce, text = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if version != VERSION:
            raise CannotOpen
        try:
            return self._cipher(purpose).decrypt(nonce, text, VERSION + purpose.encode())
        except (InvalidTag, ValueError):
            raise CannotOpen from None

    def digest(self, purpose: str, plain: bytes) -> bytes:
        """See `Vault`."""
        return hmac.digest(derived(self.key, f"forecourt digest 1|{purpose}"), plain, "sha256")

    def _cipher(self, purpose: str) -> AESGCM:
        return AESGCM(derived(self.key, f"forecourt seal 1|{purpose}"))


def derived(key: bytes, purpose: str, salt: bytes = b"") -> bytes:
    """A key of 32 bytes for one purpose."""
    return HKDF(SHA256(), KEY_BYTES, salt, purpose.encode()).derive(key)


def load(data: DataDirectory) -> SealingKey | None:
    """The key in the folder; None if there is none that can be read."""
    try:
        key = data.sealing_key.read_bytes()
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            log.warning("the sealing key cannot be read", extra={"error": error.strerror})
        return None
    return SealingKey(key) if len(key) == KEY_BYTES else None


def load_or_make(data: DataDirectory) -> SealingKey | None:
    """The key in the folder, made if there is no file; None if what is there is no key. Whoever asks has the folder's lock."""
    if not data.sealing_key.exists():
        put(data, os.urandom(KEY_BYTES))
    return load(data)


def put(data: DataDirectory, key: bytes) -> None:
    """Keep a key in the folder, whole and on the disk or not at all."""
    files.write(data.sealing_key, key, 0o600)


def set_aside(data: DataDirectory, now_ms: int) -> Path | None:
    """Make room for another key; where the one in the folder is kept, if there is one."""
    if not data.sealing_key.exists():
        return None
    aside = data.sealing_key.with_name(f"{data.sealing_key.name}.replaced-{now_ms}")
    data.sealing_key.rename(aside)
    return aside


async def open_vault(data: DataDirectory, store: Store, clock: Clock) -> Vault | None:
    """The vault of a site that starts; None, with a problem for the staff, where its key is missing or another's."""
    marked = await store.read(secrets.is_marked)
    key = await asyncio.to_thread(load if marked else load_or_make, data)
    return key if await store.write(secrets.take_up, key, clock()) else None
