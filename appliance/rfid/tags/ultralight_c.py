"""MIFARE Ultralight C: locked by a key of sixteen bytes that is proved, never sent (3DES, datasheet MF0ICU2, clause 7.5.5)."""

from __future__ import annotations

import secrets

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from appliance.domain.cards.tag import Keys, Kind, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags.link import Link
from appliance.rfid.tags.type2 import FIRST_PAGE, Layout, LockableChip, Opened

AUTHENTICATE = b"\x1a\x00"
CHALLENGE = b"\xaf"
NONCE_BYTES = 8
KEY_PAGES = range(44, 48)
AUTH0_PAGE = 42
"""Its first byte: from which page on a key is needed; 48 and more: none."""
AUTH1_PAGE = 43
"""Bit 0 of its first byte: reading is free."""
PAGES = 48
WRITING_ONLY = bytes.fromhex("01000000")
MAKERS_KEY = b"IEMKAERB!NACUOYF"
LAYOUT = Layout(Kind.ULTRALIGHT_C, PAGES, 144, lock_page=40)


class UltralightC(LockableChip):
    """A MIFARE Ultralight C. The maker signs none of them."""

    def __init__(self, link: Link) -> None:
        super().__init__(link, LAYOUT)

    def is_locked_with(self, keys: Keys) -> bool:
        """Whether pages from 4 on are closed to writing only, and the key is ours."""
        if self.pages.get(AUTH0_PAGE)[0] != FIRST_PAGE or self.pages.get(AUTH1_PAGE) != WRITING_ONLY:
            return False
        return self._authenticate(keys.aes)

    def _open(self, keys: Keys) -> Opened:
        try:
            locked = self._is_protected()
        except CardSilent as silent:
            if not silent.refused:
                raise
            self.link.sense()
            locked = True
        if not locked:
            return Opened.FREE
        if self._authenticate(keys.aes):
            return Opened.OURS
        if self._authenticate(MAKERS_KEY):
            return Opened.OTHER
        raise TagTrouble(Trouble.LOCKED)

    def _lock(self) -> None:
        self.pages.put(AUTH1_PAGE, WRITING_ONLY)
        self.pages.put(AUTH0_PAGE, bytes((FIRST_PAGE, 0, 0, 0)))

    def _unlock(self) -> None:
        self.pages.put(AUTH0_PAGE, bytes((PAGES, 0, 0, 0)))
        self.pages.put(AUTH1_PAGE, bytes(4))

    def _set_key(self, keys: Keys | None) -> None:
        """Each half stands in memory backwards (clause 7.5.6)."""
        key = keys.aes if keys else MAKERS_KEY
        stored = key[7::-1] + key[:7:-1]
        for index, page in enumerate(KEY_PAGES):
            self.pages.put_secret(page, stored[index * 4 : index * 4 + 4])

    def _has_makers_key(self) -> bool:
        return self._authenticate(MAKERS_KEY)

    def _is_locked(self) -> bool:
        return self._is_protected() or self._is_closed()

    def _is_protected(self) -> bool:
        return self.pages.get(AUTH0_PAGE)[0] < PAGES

    def _authenticate(self, key: bytes) -> bool:
        """Both sides prove that they have the key; after a wrong one the chip was selected again."""
        ours = secrets.token_bytes(NONCE_BYTES)
        try:
            challenge = self.link.ask(AUTHENTICATE)[1:]
            theirs = _decrypted(key, bytes(NONCE_BYTES), challenge)
            token = _encrypted(key, challenge, ours + theirs[1:] + theirs[:1])
            answer = self.link.ask(CHALLENGE + token)[1:]
        except CardSilent as silent:
            self.link.sense()
            if not silent.refused:
                raise
            return False
        return _decrypted(key, token[-NONCE_BYTES:], answer) == ours[1:] + ours[:1]


def _encrypted(key: bytes, chained: bytes, text: bytes) -> bytes:
    encryptor = Cipher(TripleDES(key + key[:8]), modes.CBC(chained)).encryptor()
    return encryptor.update(text) + encryptor.finalize()


def _decrypted(key: bytes, chained: bytes, text: bytes) -> bytes:
    decryptor = Cipher(TripleDES(key + key[:8]), modes.CBC(chained)).decryptor()
    return decryptor.update(text) + decryptor.finalize()
