"""What a reader sees of a card, and what can be done with one: plain values that travel between the desk, its reader and,
where the reader is on another computer, over the wire.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from appliance.domain.cards.old_value import OldLayout


class Kind(StrEnum):
    """The chips that are told apart; anything else is UNKNOWN and known by its UID."""

    NTAG213 = "NTAG213"
    NTAG215 = "NTAG215"
    NTAG216 = "NTAG216"
    ULTRALIGHT_EV1 = "Ultralight EV1"
    ULTRALIGHT_C = "Ultralight C"
    NTAG424 = "NTAG 424 DNA"
    TYPE4 = "Type 4"
    FELICA = "FeliCa"
    CLASSIC = "MIFARE Classic"
    TYPE2 = "Type 2"
    """Speaks like an NTAG, but is none of the known ones: often a cheap copy."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Content:
    """What stands on a card: a link to the holder's page first (telephones open the first record), then the signed record
    (domain/cards/content.py). Both empty: a blank card."""

    link: str = ""
    record: bytes = b""


@dataclass(frozen=True, slots=True)
class Keys:
    """What locks a card against being written by strangers, derived for each chip from the site's key."""

    password: bytes = field(repr=False)
    """4 bytes: NTAG and Ultralight EV1 (PWD)."""
    pack: bytes = field(repr=False)
    """2 bytes: their answer to the right password (PACK)."""
    aes: bytes = field(repr=False)
    """16 bytes: what four of the five keys of NTAG 424 DNA are derived from; and the key of Ultralight C (3DES)."""
    meta: bytes = field(repr=False)
    """16 bytes: the key under which NTAG 424 DNA tells its UID in its link. One for the whole site, because without it
    nobody knows yet which chip is speaking."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A card on the reader."""

    uid: str
    """Upper-case hex, in the order in which the chip sends it."""
    kind: Kind
    content: Content = Content()
    writable: bool = False
    """Whether this kind of chip can carry our content at all."""
    locked: bool = False
    """Whether writing needs a key, or is closed for good."""
    genuine: bool | None = None
    """Whether the maker's signature over the UID is right; None: the chip has none."""
    random: bool = False
    """The UID is another one at each tap (first byte 08, telephones above all): it identifies nobody."""
    foreign: bool = False
    """There is something on it that is not ours to read: another link, another record."""
    several: bool = False
    """More than one card lies on the reader."""
    old_minor: int | None = None
    """What an earlier local system has written on it (domain/cards/old_value.py); None: nobody has looked."""


@dataclass(frozen=True, slots=True)
class Write:
    """Put `content` on the card, lock it with `keys`, read it back. Also repairs a card that was torn away."""

    uid: str
    content: Content
    keys: Keys


@dataclass(frozen=True, slots=True)
class Wipe:
    """Unlock the card and empty it."""

    uid: str
    keys: Keys


@dataclass(frozen=True, slots=True)
class ReadOld:
    """Say what an earlier local system has written on the card; nothing changes."""

    uid: str
    layout: OldLayout
    key: bytes = field(repr=False)
    """6 bytes, of that system."""


@dataclass(frozen=True, slots=True)
class ClearOld:
    """Take it off, and read back that it is."""

    uid: str
    layout: OldLayout
    key: bytes = field(repr=False)


Work = Write | Wipe
OldWork = ReadOld | ClearOld
"""What only a reader at this box does, for the key stays here."""
AnyWork = Work | OldWork


class Trouble(StrEnum):
    """Why work on a card came to nothing. After TORN, REFUSED and DIFFERENT the card may hold part of it, since each of them can
    come after writes that went well; after the others it is as it was.
    """

    GONE = "gone"
    """It was not there any more when work began."""
    TORN = "torn"
    """It was taken away, or the reader was, in the middle."""
    OTHER_CARD = "other_card"
    """Another card than the one meant lies there."""
    LOCKED = "locked"
    """It is locked with a key that is not ours."""
    TOO_SMALL = "too_small"
    """The content does not fit."""
    REFUSED = "refused"
    """The chip said no, without being taken away: worn out, or a bad copy. It may have been changed up to that point."""
    DIFFERENT = "different"
    """It was written, but what is read back is something else: the card has been changed."""


class TagTrouble(Exception):
    """Work on a card came to nothing."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


class ReaderStatus(StrEnum):
    """How a reader is."""

    LOOKING = "looking"
    """Not there (any more); it is looked for."""
    READY = "ready"
    DENIED = "denied"
    """This program may not open it."""
    BUSY = "busy"
    """A kernel driver or another program has it."""
    UNSUPPORTED = "unsupported"
    """There is a reader, but none that can be driven."""
    DEAF = "deaf"
    """The device is there, but no reader chip answers."""
    NONE = "none"
    """This site wants no reader."""


@dataclass(frozen=True, slots=True)
class ReaderState:
    """A reader as the page shows it."""

    status: ReaderStatus
    name: str = ""
    """What it calls itself: `PN532v1.6 at /dev/ttyUSB0`; "" while none is known."""
    detail: str = ""
    """For the advice: the device, the kernel module in the way, or what the unsupported reader is."""
