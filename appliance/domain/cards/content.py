"""The signed record of a card, and the keys that lock it: all derived from the site's key and the chip's UID.

The record proves which card of which site this is, and that it stands on the chip it was made for; it holds no money and
no name. Whoever reads it learns the printed number; whoever copies it to another chip is found out, because the UID is
part of the signature. At a charger that reads nothing but the UID none of this helps (docs/CARD-DESK.md).
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from appliance.domain.cards.tag import Keys

VERSION = 1
HEAD = struct.Struct(">B8sIH")
MAC_BYTES = 16
RECORD_BYTES = HEAD.size + MAC_BYTES
"""31: version 1, site 8, number 4, issue 2, signature 16. With the link it fits the 137 bytes of an NTAG213."""
RECORD_TYPE = "urn:nfc:ext:forecourt:card"
"""NFC Forum external type of the record."""
SUN_FILE_KEY = 1
"""Which key of an NTAG 424 DNA signs the taps in its link."""
SUN_META_KEY = 2
"""And which hides the UID and the count of taps in it."""


class Origin(StrEnum):
    """What the record on a card says of it."""

    BLANK = "blank"
    """There is none."""
    OURS = "ours"
    COPIED = "copied"
    """Ours once, but made for another chip, or tampered with."""
    FOREIGN = "foreign"
    """Another site's, or not a record at all."""


class ContentState(StrEnum):
    """What is to stand on a chip, and whether it does; these words are stored."""

    NONE = "none"
    """Nothing of ours: the card is used by its UID alone."""
    PENDING = "pending"
    WRITTEN = "written"
    WIPING = "wiping"
    WIPED = "wiped"


@dataclass(frozen=True, slots=True)
class Record:
    """A record that was read; `number` and `issue` only mean something if it is ours."""

    origin: Origin
    number: int = 0
    issue: int = 0


def sign(site_key: bytes, uid: str, number: int, issue: int) -> bytes:
    """The record for the chip with this UID (hex): printed number and the count of its issue."""
    head = HEAD.pack(VERSION, site_mark(site_key), number, issue)
    return head + _mac(site_key, uid, head)


def read(site_key: bytes, uid: str, record: bytes) -> Record:
    """What a record says of the chip that it stands on."""
    if not record:
        return Record(Origin.BLANK)
    if len(record) != RECORD_BYTES or record[0] != VERSION:
        return Record(Origin.FOREIGN)
    head, mac = record[: HEAD.size], record[HEAD.size :]
    _version, site, number, issue = HEAD.unpack(head)
    if not hmac.compare_digest(site, site_mark(site_key)):
        return Record(Origin.FOREIGN)
    if not hmac.compare_digest(mac, _mac(site_key, uid, head)):
        return Record(Origin.COPIED, number, issue)
    return Record(Origin.OURS, number, issue)


def keys(site_key: bytes, uid: str) -> Keys:
    """What locks the chip with this UID. A password that was overheard opens this one card and no other."""
    derived = _derive(site_key, "card lock", bytes.fromhex(uid))
    return Keys(password=derived[:4], pack=derived[4:6], aes=derived[16:32], meta=sun_meta_key(site_key))


def sun_meta_key(site_key: bytes) -> bytes:
    """The key under which every NTAG 424 DNA of the site tells its UID in its link; 16 bytes."""
    return _derive(site_key, "card tap", b"")[:16]


def chip_key(locked_by: Keys, number: int) -> bytes:
    """Key 0 to 4 of an NTAG 424 DNA; 16 bytes. Key 2 is the site's, the others belong to this one chip."""
    if number == SUN_META_KEY:
        return locked_by.meta
    return _derive(locked_by.aes, "chip key", bytes([number]))[:16]


def site_mark(site_key: bytes) -> bytes:
    """Eight bytes that tell this site's cards from another's."""
    return _derive(site_key, "card site", b"")[:8]


def _mac(site_key: bytes, uid: str, head: bytes) -> bytes:
    return _derive(site_key, "card record", bytes.fromhex(uid) + head)[:MAC_BYTES]


def _derive(site_key: bytes, purpose: str, message: bytes) -> bytes:
    return hmac.new(site_key, purpose.encode() + b"\0" + message, sha256).digest()
