"""The link of an NTAG 424 DNA, which is another one at each tap (SUN, secure unique NFC): which card was tapped, and whether it
was tapped just now or its link is an old one.

After NXP's AN12196, clause 3. How the chip is set up for it stands in rfid/tags/ntag424.py.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from appliance.db.cards import cards, secure_tap
from appliance.db.engine.protocols import Readable
from appliance.domain.cards import content
from appliance.domain.identifiers import CardId

PICC_DATA = re.compile(r"[0-9A-Fa-f]{32}")
SIGNATURE = re.compile(r"[0-9A-Fa-f]{16}")
BLOCK_BYTES = 16
HEAD = 0xC7
"""The first byte of what is hidden: UID and counter are there, and the UID has seven bytes."""
UID_BYTES = 7
COUNTER_BYTES = 3
SESSION = bytes.fromhex("3CC300010080")
"""SV2: what the key of one tap is derived with, from UID and counter."""


@dataclass(frozen=True, slots=True)
class Tap:
    """A card that was tapped."""

    uid: str
    """Upper-case hex."""
    counter: int
    """How often it was tapped so far; 24 bits."""


def verify(site_key: bytes, picc_data_hex: str, cmac_hex: str) -> Tap | None:
    """Which card made this part of a link (`p` and `m`); None when no card of this site did."""
    tap = hidden(content.sun_meta_key(site_key), picc_data_hex)
    if tap is None:
        return None
    key = content.chip_key(content.keys(site_key, tap.uid), content.SUN_FILE_KEY)
    return tap if is_signed(key, tap, cmac_hex) else None


def accept(db: Readable, site_key: bytes, picc_data_hex: str, cmac_hex: str) -> CardId | None:
    """A unit of work: the card that was tapped. None when it is none of ours, or when this link, or a later one, was opened
    before: somebody has kept it."""
    tap = verify(site_key, picc_data_hex, cmac_hex)
    card = cards.by_uid(db, tap.uid) if tap else None
    if tap is None or card is None or not secure_tap.count_up(db, card.id, tap.counter):
        return None
    return card.id


def hidden(meta_key: bytes, picc_data_hex: str) -> Tap | None:
    """UID and counter, decrypted but not yet proved; None when it cannot be from a card with this key."""
    if not PICC_DATA.fullmatch(picc_data_hex):
        return None
    decryptor = Cipher(algorithms.AES(meta_key), modes.CBC(bytes(BLOCK_BYTES))).decryptor()
    plain = decryptor.update(bytes.fromhex(picc_data_hex)) + decryptor.finalize()
    if plain[0] != HEAD:
        return None
    counter = plain[1 + UID_BYTES : 1 + UID_BYTES + COUNTER_BYTES]
    return Tap(plain[1 : 1 + UID_BYTES].hex().upper(), int.from_bytes(counter, "little"))


def is_signed(file_key: bytes, tap: Tap, cmac_hex: str) -> bool:
    """Whether the card with this key signed the tap. Only UID and counter are signed, not the rest of the link."""
    if not SIGNATURE.fullmatch(cmac_hex):
        return False
    session_key = _cmac(file_key, SESSION + bytes.fromhex(tap.uid) + tap.counter.to_bytes(COUNTER_BYTES, "little"))
    return hmac.compare_digest(_cmac(session_key, b"")[1::2], bytes.fromhex(cmac_hex))


def _cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()
