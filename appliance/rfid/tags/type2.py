"""Type 2 tags: memory in pages of four bytes, a message in it, and for most chips a lock whose key is written last.

Here is what they share: reading, a message written so that a tear leaves the old one, none, or the new one, and the order of
locking and unlocking. Which pages hold the lock, and how a key is proved, is the matter of ntag.py and ultralight_c.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum, auto

from appliance.domain.cards.tag import Content, Keys, Kind, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags import ndef_message, tlv
from appliance.rfid.tags.link import Link

READ = 0x30
WRITE = 0xA2
ACKNOWLEDGED = b"\x0a"
PAGE_BYTES = 4
BLOCK_PAGES = 4
"""READ gives four pages."""
LOCK_PAGE = 2
CAPABILITY_PAGE = 3
FIRST_PAGE = 4
CAPABILITY = 0xE1
MAPPING_VERSION = 0x10
LOCK_BITS = 0xF0, 0xFF
"""Of the static lock bytes those that close pages 4 to 15 (the others close the capability container, or other lock bits)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a chip's memory."""

    kind: Kind
    pages: int
    data_bytes: int
    """From page 4; also what the capability container of a chip that has none yet is to say."""
    lock_page: int | None
    """The page with the lock bits of the pages from 16 on."""


class Pages:
    """A chip's memory. What was read is remembered; a page that holds the right bytes already is not written."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._known: dict[int, bytes] = {}

    def get(self, page: int) -> bytes:
        """Four bytes."""
        if page not in self._known:
            # Only blocks that begin at a multiple of four: others may run over the end, where READ begins again at page 0.
            first = page - page % BLOCK_PAGES
            block = self._link.ask(bytes((READ, first)))
            if len(block) != BLOCK_PAGES * PAGE_BYTES:
                raise CardSilent(f"READ gave {len(block)} bytes")
            for index in range(BLOCK_PAGES):
                self._known.setdefault(first + index, block[index * PAGE_BYTES : (index + 1) * PAGE_BYTES])
        return self._known[page]

    def forget(self) -> None:
        """Read everything anew."""
        self._known.clear()

    def put(self, page: int, data: bytes) -> None:
        """Write four bytes, unless they are there."""
        if self.get(page) != data:
            self.put_secret(page, data)
            self._known[page] = data

    def put_secret(self, page: int, data: bytes) -> None:
        """Write four bytes to a page that cannot be read."""
        if self._link.change(bytes((WRITE, page)) + data) != ACKNOWLEDGED:
            raise CardSilent("WRITE was not acknowledged", refused=True)


class Area:
    """The data area from page 4 on, and the message in it."""

    def __init__(self, pages: Pages, size: int) -> None:
        self._pages = pages
        self._size = size

    def message(self) -> bytes | None:
        """The message, empty if there is none; None when what is there cannot be a message."""
        try:
            found = tlv.find(self._byte, self._size)
        except tlv.Reserved:
            return None
        if isinstance(found, tlv.Room):
            empty = found.at >= self._size or self._byte(found.at) in (tlv.NULL, tlv.TERMINATOR)
            return b"" if empty else None
        if found.value_at + found.length > self._size:
            return None
        return bytes(self._byte(found.value_at + index) for index in range(found.length))

    def check_fits(self, message: bytes) -> None:
        """Raises TagTrouble TOO_SMALL."""
        if self._place() + len(tlv.header(len(message)) + message) > self._size:
            raise TagTrouble(Trouble.TOO_SMALL)

    def put(self, message: bytes) -> None:
        """Write a message that fits: first a length of 0, then what it says, then its length in one last page."""
        self._put(message, wipe=False)

    def clear(self) -> None:
        """No message, and zeros behind it: nothing of what was there can be read any more."""
        self._put(b"", wipe=True)

    def _put(self, message: bytes, *, wipe: bool) -> None:
        at = self._place()
        block = (tlv.header(len(message)) + message + bytes([tlv.TERMINATOR]))[: self._size - at]
        wanted = self._image(at, block.ljust(self._size - at, b"\0") if wipe else block)
        different = [page for page, data in wanted.items() if self._pages.get(page) != data]
        length_page = FIRST_PAGE + (at + 1) // PAGE_BYTES
        if different not in ([], [length_page]):
            without_length = bytearray(wanted[length_page])
            without_length[(at + 1) % PAGE_BYTES] = 0
            self._pages.put(length_page, bytes(without_length))
        for page in (*(page for page in different if page != length_page), length_page):
            self._pages.put(page, wanted[page])

    def _place(self) -> int:
        """Where the message's block begins, or is to begin."""
        try:
            at = tlv.find(self._byte, self._size).at
        except tlv.Reserved as reserved:
            raise TagTrouble(Trouble.REFUSED) from reserved
        return at if at + len(tlv.header(0)) <= self._size else 0

    def _image(self, at: int, block: bytes) -> dict[int, bytes]:
        """The pages that the block touches, as they are to be."""
        first, last = at // PAGE_BYTES, (at + len(block) - 1) // PAGE_BYTES
        image = bytearray(b"".join(self._pages.get(FIRST_PAGE + page) for page in range(first, last + 1)))
        start = at - first * PAGE_BYTES
        image[start : start + len(block)] = block
        return {
            FIRST_PAGE + first + index: bytes(image[index * PAGE_BYTES : (index + 1) * PAGE_BYTES])
            for index in range(last - first + 1)
        }

    def _byte(self, offset: int) -> int:
        return self._pages.get(FIRST_PAGE + offset // PAGE_BYTES)[offset % PAGE_BYTES]


class Type2Chip:
    """A Type 2 tag of which nothing more is known: a message can be written, a lock there is not."""

    def __init__(self, link: Link, layout: Layout | None = None) -> None:
        self.link = link
        self.layout = layout
        self.pages = Pages(link)

    @property
    def kind(self) -> Kind:
        """Which chip."""
        return self.layout.kind if self.layout else Kind.TYPE2

    def see(self) -> Seen:
        """What stands on it."""
        try:
            # The lock first: where reading is protected too, it is refused before a block could run on into the protected part.
            locked, writable = self._is_locked(), self._is_writable()
            reading = ndef_message.decode(self._area().message()) if writable else ndef_message.NOTHING
        except CardSilent as silent:
            if not silent.refused:
                raise
            # Reading needs a key as well, which ours never do.
            self.link.sense()
            return Seen(uid=self.link.uid, kind=self.kind, writable=True, locked=True, foreign=True)
        return Seen(
            uid=self.link.uid,
            kind=self.kind,
            content=reading.content,
            writable=writable,
            locked=locked,
            genuine=self._is_genuine(),
            foreign=reading.foreign,
        )

    def write(self, content: Content, keys: Keys) -> None:
        """Write the message."""
        del keys
        self._check_open()
        message = ndef_message.encode(content)
        area = self._area()
        area.check_fits(message)
        area.put(message)

    def wipe(self, keys: Keys) -> None:
        """Empty it."""
        del keys
        self._check_open()
        self._area().clear()

    def is_locked_with(self, keys: Keys) -> bool:
        """There is no lock."""
        del keys
        return True

    def _check_open(self) -> None:
        """Raises TagTrouble: REFUSED, no messages can stand here; LOCKED, for good."""
        if not self._is_writable():
            raise TagTrouble(Trouble.REFUSED)
        if self._is_closed():
            raise TagTrouble(Trouble.LOCKED)

    def _is_writable(self) -> bool:
        """A known chip always is: it is prepared for messages if it was not yet. Of another one it must say so itself."""
        capability = self._capability()
        return capability[0] == CAPABILITY or (self.layout is not None and not any(capability))

    def _is_locked(self) -> bool:
        return self._is_closed()

    def _is_closed(self) -> bool:
        """Whether lock bits, which can never be taken back, close a part of the data area."""
        locks = self.pages.get(LOCK_PAGE)
        if locks[2] & LOCK_BITS[0] or locks[3] & LOCK_BITS[1]:
            return True
        page = self.layout.lock_page if self.layout else None
        return page is not None and any(self.pages.get(page)[:2])

    def _is_genuine(self) -> bool | None:
        return None

    def _capability(self) -> bytes:
        return self.pages.get(CAPABILITY_PAGE)

    def _area(self) -> Area:
        capability = self._capability()
        size = capability[2] * 8 if capability[0] == CAPABILITY else 0
        if self.layout:
            size = min(size or self.layout.data_bytes, self.layout.data_bytes)
        return Area(self.pages, size)


class Opened(Enum):
    """How a chip let itself be opened for writing."""

    FREE = auto()
    """It was not locked."""
    OURS = auto()
    """With our key, all of it."""
    OTHER = auto()
    """With another one that we know: the maker's, or one that was half written."""


class LockableChip(Type2Chip, ABC):
    """A Type 2 tag whose pages from 4 on can be locked.

    A key is only ever written while the lock is off, and the lock is put on last and taken off first: whenever the card is
    torn away, it is either open, or locked with a whole key that is ours.
    """

    layout: Layout

    def write(self, content: Content, keys: Keys) -> None:
        """Message, key, lock."""
        message = ndef_message.encode(content)
        opened = self._open(keys)
        self._check_open()
        area = self._area()
        area.check_fits(message)
        if opened is Opened.OTHER:
            self._unlock()
        self._prepare()
        area.put(message)
        if opened is not Opened.OURS:
            self._set_key(keys)
        self._lock()

    def wipe(self, keys: Keys) -> None:
        """Message off, lock off, key back to the maker's."""
        opened = self._open(keys)
        self._check_open()
        self._area().clear()
        self._unlock()
        if opened is not Opened.FREE or not self._has_makers_key():
            self._set_key(None)

    @abstractmethod
    def is_locked_with(self, keys: Keys) -> bool:
        """Whether the lock is on, and this key opens it."""

    @abstractmethod
    def _open(self, keys: Keys) -> Opened:
        """Prove a key if one is needed; nothing is changed. Raises TagTrouble LOCKED."""

    @abstractmethod
    def _lock(self) -> None:
        """Protect pages from 4 on against being written."""

    @abstractmethod
    def _unlock(self) -> None:
        """Take the protection off."""

    @abstractmethod
    def _set_key(self, keys: Keys | None) -> None:
        """Write our key, or the maker's; the lock is off."""

    @abstractmethod
    def _has_makers_key(self) -> bool:
        """Whether an open chip still has, or has again, the key it left the factory with."""

    def _prepare(self) -> None:
        """Say that messages may stand here, on a chip that never held one. These bits cannot be taken back, and need not be."""
        if self._capability()[0] != CAPABILITY:
            self.pages.put(CAPABILITY_PAGE, bytes((CAPABILITY, MAPPING_VERSION, self.layout.data_bytes // 8, 0)))
