"""NTAG213, 215, 216 and MIFARE Ultralight EV1: a version, the maker's signature, and a password of four bytes.

After the datasheets NTAG213/215/216 and MF0ULx1. Counters and the mirroring of the UID are left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc.cards import Answer
from appliance.simulator.nfc.type2 import EMPTY_NDEF, PAGE_BYTES, USER_PAGE, Type2Card

GET_VERSION = 0x60
FAST_READ = 0x3A
READ_SIGNATURE = 0x3C
PASSWORD_AUTHENTICATION = 0x1B
SIGNATURE_BYTES = 32
NAK_TRIES_USED_UP = 0x4

PROTECTS_READING = 0x80
CONFIGURATION_CLOSED = 0x40
TRIES = 0x07


@dataclass(frozen=True, slots=True)
class Model:
    """What differs between the chips."""

    kind: Kind
    pages: int
    configuration: int
    """The page with AUTH0; ACCESS, PWD and PACK follow."""
    version: bytes
    """The answer to GET_VERSION."""
    capability: bytes
    user: bytes
    """What stands from page 4 when it is new."""
    factory: bytes
    """AUTH0 and ACCESS when it is new, with the page of lock bits before them where there is one."""
    locked_together: int = 0
    """How many pages one dynamic lock bit closes; 0: there are none."""


def _ntag(kind: Kind, pages: int, size: int, storage: int, user: bytes, locked_together: int) -> Model:
    return Model(
        kind,
        pages,
        pages - 4,
        bytes((0, 4, 4, 2, 1, 0, storage, 3)),
        bytes((0xE1, 0x10, size, 0)),
        user,
        bytes.fromhex("000000BD040000FF00050000"),
        locked_together,
    )


NTAG213 = _ntag(Kind.NTAG213, 45, 0x12, 0x0F, bytes.fromhex("0103A00C340300FE"), 2)
NTAG215 = _ntag(Kind.NTAG215, 135, 0x3E, 0x11, EMPTY_NDEF, 16)
NTAG216 = _ntag(Kind.NTAG216, 231, 0x6D, 0x13, EMPTY_NDEF, 16)
_EV1 = bytes.fromhex("000000FF00050000")
ULTRALIGHT_EV1_SMALL = Model(Kind.ULTRALIGHT_EV1, 20, 16, bytes.fromhex("0004030101000B03"), bytes(4), b"", _EV1)
"""MF0UL11: 48 bytes. Like every Ultralight it leaves the factory without the capability bytes of NDEF."""
ULTRALIGHT_EV1 = Model(
    Kind.ULTRALIGHT_EV1, 41, 37, bytes.fromhex("0004030101000E03"), bytes(4), b"", bytes.fromhex("000000BD") + _EV1, 2
)
"""MF0UL21: 128 bytes."""


class PasswordCard(Type2Card):
    """An NTAG or an Ultralight EV1."""

    def __init__(
        self, model: Model, uid: bytes | None = None, *, signature: bytes | None = None, latches: bool = True
    ) -> None:
        """A new card.

        Args:
            model: Which chip.
            uid: 7 bytes; random if not given.
            signature: 32 bytes of the maker's signature over the UID; without it random ones, as a good copy has.
            latches: Whether AUTH0 and ACCESS take effect at the next selection, as NXP says, or at once, as was
                seen in the field.
        """
        super().__init__(model.pages, uid)
        self.model = model
        self.kind = model.kind
        self.signature = signature or os.urandom(SIGNATURE_BYTES)
        self.latches = latches
        self.authenticated = False
        self.wrong_tries = 0
        self._auth0, self._access = 0xFF, 0
        self.memory[12:16] = model.capability
        self.memory[16 : 16 + len(model.user)] = model.user
        secrets = bytes.fromhex("FFFFFFFF00000000")
        self.memory[-len(model.factory + secrets) :] = model.factory + secrets
        self._latch()

    @property
    def password(self) -> bytes:
        """PWD, 4 bytes."""
        return self.page(self.model.configuration + 2)

    @property
    def pack(self) -> bytes:
        """PACK, 2 bytes."""
        return self.page(self.model.configuration + 3)[:2]

    @property
    def protected_from(self) -> int:
        """AUTH0: from this page on writing needs the password."""
        return self.page(self.model.configuration)[3]

    @property
    def locked(self) -> bool:
        return self.protected_from <= USER_PAGE or super().locked

    def select(self) -> None:
        super().select()
        self.authenticated = False
        self._latch()

    def state(self) -> dict[str, Any]:
        return super().state() | {"signature": self.signature.hex(), "wrong_tries": self.wrong_tries}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.signature = bytes.fromhex(state["signature"])
        self.wrong_tries = int(state["wrong_tries"])

    def commands(self) -> dict[tuple[int, int], Callable[[bytes], Answer]]:
        return super().commands() | {
            (GET_VERSION, 1): lambda _frame: Answer(self.model.version),
            (FAST_READ, 3): self._fast_read,
            (READ_SIGNATURE, 2): lambda _frame: Answer(self.signature),
            (PASSWORD_AUTHENTICATION, 5): self._authenticate,
        }

    def may_read(self, page: int) -> bool:
        reading_needs_it = self._access_now() & PROTECTS_READING and page >= self._auth0_now()
        return super().may_read(page) and (self.authenticated or not reading_needs_it)

    def may_write(self, page: int) -> bool:
        if page in {self.model.configuration, self.model.configuration + 1} and self._access & CONFIGURATION_CLOSED:
            return False
        return super().may_write(page) and (self.authenticated or page < self._auth0_now())

    def visible(self, page: int) -> bytes:
        return bytes(PAGE_BYTES) if page >= self.model.configuration + 2 else self.page(page)

    def locked_by_bits(self, page: int) -> bool:
        if page < 16:
            return super().locked_by_bits(page)
        if not self.model.locked_together or page >= self.model.configuration - 1:
            return False
        bits = int.from_bytes(self.page(self.model.configuration - 1)[:2], "little")
        return bool(bits >> (page - 16) // self.model.locked_together & 1)

    def one_time_pages(self) -> frozenset[int]:
        return frozenset({self.model.configuration - 1}) if self.model.locked_together else frozenset()

    def _latch(self) -> None:
        self._auth0, self._access = self.protected_from, self.page(self.model.configuration + 1)[0]

    def _auth0_now(self) -> int:
        return self._auth0 if self.latches else self.protected_from

    def _access_now(self) -> int:
        return self._access if self.latches else self.page(self.model.configuration + 1)[0]

    def _fast_read(self, frame: bytes) -> Answer:
        first, last = frame[1], frame[2]
        if first > last or not all(self.may_read(page) for page in range(first, last + 1)):
            return self.refuse()
        return Answer(b"".join(self.visible(page) for page in range(first, last + 1)))

    def _authenticate(self, frame: bytes) -> Answer:
        tries = self._access_now() & TRIES
        if tries and self.wrong_tries >= tries:
            return self.refuse(NAK_TRIES_USED_UP)
        if frame[1:] != self.password:
            self.wrong_tries += 1
            return self.refuse()
        self.authenticated, self.wrong_tries = True, 0
        return Answer(self.pack)
