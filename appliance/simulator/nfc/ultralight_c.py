"""MIFARE Ultralight C: 144 bytes, and a 3DES key of 16 bytes proved by both sides (datasheet MF0ICU2)."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import Answer, Entropy
from appliance.simulator.nfc.type2 import PAGE_BYTES, USER_PAGE, Type2Card

AUTHENTICATE: Final = 0x1A
CONTINUE: Final = 0xAF
DONE: Final = b"\x00"
BLOCK_BYTES: Final = 8
PAGES: Final = 48
LOCK_PAGE: Final = 40
AUTH0_PAGE: Final = 42
AUTH1_PAGE: Final = 43
KEY_PAGE: Final = 44
FACTORY_KEY: Final = b"IEMKAERB!NACUOYF"
"""As the cipher takes it; in the memory each half stands backwards."""
UNPROTECTED: Final = 0x30
WRITING_ONLY: Final = 0x01
LOCKED_BY_BIT: Final = {
    1: range(16, 20),
    2: range(20, 24),
    3: range(24, 28),
    5: range(28, 32),
    6: range(32, 36),
    7: range(36, 40),
    12: range(41, 42),
    13: range(42, 43),
    14: range(43, 44),
    15: range(44, 48),
}
"""The dynamic lock bits (7.5.3); the others close these bits themselves."""


class UltralightCCard(Type2Card):
    """An Ultralight C. As it leaves the factory it has no capability bytes of NDEF."""

    kind = Kind.ULTRALIGHT_C

    def __init__(self, uid: bytes | None = None, *, latches: bool = True, entropy: Entropy = os.urandom) -> None:
        """A new card; `latches` says whether AUTH0 and AUTH1 take effect at the next selection, or at once."""
        super().__init__(PAGES, uid)
        self.latches = latches
        self.authenticated = False
        self._entropy = entropy
        self._challenge: tuple[bytes, bytes] | None = None
        """RndB and its cipher, between the two halves of an authentication."""
        self.memory[AUTH0_PAGE * PAGE_BYTES] = UNPROTECTED
        self.memory[KEY_PAGE * PAGE_BYTES :] = FACTORY_KEY[7::-1] + FACTORY_KEY[:7:-1]
        self._auth0, self._auth1 = self._stored()

    @property
    def key(self) -> bytes:
        """As the cipher takes it, 16 bytes."""
        stored = bytes(self.memory[KEY_PAGE * PAGE_BYTES :])
        return stored[7::-1] + stored[:7:-1]

    @property
    def protected_from(self) -> int:
        """AUTH0: from this page on writing needs the key."""
        return self.page(AUTH0_PAGE)[0]

    @property
    def locked(self) -> bool:
        return self.protected_from <= USER_PAGE or super().locked

    def select(self) -> None:
        super().select()
        self.authenticated, self._challenge = False, None
        self._auth0, self._auth1 = self._stored()

    def obey(self, frame: bytes) -> Answer:
        if frame[0] != CONTINUE:
            self._challenge = None
        return super().obey(frame)

    def commands(self) -> dict[tuple[int, int], Callable[[bytes], Answer]]:
        return super().commands() | {
            (AUTHENTICATE, 2): self._begin,
            (CONTINUE, 1 + 2 * BLOCK_BYTES): self._finish,
        }

    def last_readable(self) -> int:
        return KEY_PAGE - 1

    def may_read(self, page: int) -> bool:
        auth0, auth1 = self._now()
        needs_key = not auth1 & WRITING_ONLY and page >= auth0
        return super().may_read(page) and (self.authenticated or not needs_key)

    def may_write(self, page: int) -> bool:
        return super().may_write(page) and (self.authenticated or page < self._now()[0])

    def locked_by_bits(self, page: int) -> bool:
        bits = int.from_bytes(self.page(LOCK_PAGE)[:2], "little")
        return super().locked_by_bits(page) or any(
            page in pages and bits >> bit & 1 for bit, pages in LOCKED_BY_BIT.items()
        )

    def one_time_pages(self) -> frozenset[int]:
        return frozenset({LOCK_PAGE})

    def _stored(self) -> tuple[int, int]:
        return self.protected_from, self.page(AUTH1_PAGE)[0]

    def _now(self) -> tuple[int, int]:
        return (self._auth0, self._auth1) if self.latches else self._stored()

    def _begin(self, frame: bytes) -> Answer:
        del frame
        challenge = self._entropy(BLOCK_BYTES)
        cipher = self._encrypt(challenge, bytes(BLOCK_BYTES))
        self._challenge = (challenge, cipher)
        return Answer(bytes([CONTINUE]) + cipher)

    def _finish(self, frame: bytes) -> Answer:
        if self._challenge is None:
            return self.refuse()
        (challenge, sent), self._challenge = self._challenge, None
        both = self._decrypt(frame[1:], sent)
        theirs, ours = both[:BLOCK_BYTES], both[BLOCK_BYTES:]
        if not hmac.compare_digest(ours, challenge[1:] + challenge[:1]):
            return self.refuse()
        self.authenticated = True
        return Answer(DONE + self._encrypt(theirs[1:] + theirs[:1], frame[-BLOCK_BYTES:]))

    def _encrypt(self, data: bytes, start: bytes) -> bytes:
        encryptor = self._cipher(start).encryptor()
        return encryptor.update(data) + encryptor.finalize()

    def _decrypt(self, data: bytes, start: bytes) -> bytes:
        decryptor = self._cipher(start).decryptor()
        return decryptor.update(data) + decryptor.finalize()

    def _cipher(self, start: bytes) -> Cipher[CBC]:
        # The card knows nothing better than 3DES with two keys.
        return Cipher(TripleDES(self.key + self.key[:BLOCK_BYTES]), CBC(start))
