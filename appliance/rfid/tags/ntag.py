"""NTAG213, 215, 216 and MIFARE Ultralight EV1: locked by a password of four bytes, and signed by their maker.

After the datasheets NTAG213/215/216 (rev. 3.2) and MF0ULx1 (rev. 3.3). The password goes over the air in clear: whoever
listens at the desk can open that one card, and no other.
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.domain.cards.tag import Keys, Kind, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags.link import Link
from appliance.rfid.tags.originality import is_genuine
from appliance.rfid.tags.type2 import FIRST_PAGE, Layout, LockableChip, Opened

AUTHENTICATE = 0x1B
READ_SIGNATURE = b"\x3c\x00"
FACTORY_PASSWORD = b"\xff\xff\xff\xff"
FACTORY_PACK = b"\x00\x00"
UNPROTECTED = 0xFF
PROTECTS_READING = 0x80
CONFIGURATION_CLOSED = 0x40
TRIES = 0x07
"""AUTHLIM: after so many wrong passwords the chip refuses all; 0 is without limit, and so we leave it."""
MIRRORS = 0xC0
"""The chip puts its UID or a counter into the message while it is read."""


@dataclass(frozen=True, slots=True)
class Model(Layout):
    """One of the chips."""

    configuration: int
    """The page CFG0; CFG1, PWD and PACK follow."""
    mirrors: bool
    """Whether it can mirror its UID; in the others these bits mean something else."""


def _ntag(kind: Kind, pages: int, data_bytes: int) -> Model:
    return Model(kind, pages, data_bytes, lock_page=pages - 5, configuration=pages - 4, mirrors=True)


MODELS = {
    bytes.fromhex("0004040201000F03"): _ntag(Kind.NTAG213, 45, 144),
    bytes.fromhex("0004040201001103"): _ntag(Kind.NTAG215, 135, 496),
    bytes.fromhex("0004040201001303"): _ntag(Kind.NTAG216, 231, 872),
    **{
        bytes.fromhex(version): model
        for small, large in (("0004030101000B03", "0004030101000E03"), ("0004030201000B03", "0004030201000E03"))
        for version, model in (
            (small, Model(Kind.ULTRALIGHT_EV1, 20, 48, lock_page=None, configuration=16, mirrors=False)),
            (large, Model(Kind.ULTRALIGHT_EV1, 41, 128, lock_page=36, configuration=37, mirrors=False)),
        )
    },
}
"""By the answer to GET_VERSION; the Ultralights come with two capacities of the antenna."""


class PasswordChip(LockableChip):
    """An NTAG or an Ultralight EV1."""

    layout: Model

    def __init__(self, link: Link, model: Model) -> None:
        super().__init__(link, model)
        self._cfg0, self._cfg1, self._pwd, self._pack = range(model.configuration, model.configuration + 4)

    def is_locked_with(self, keys: Keys) -> bool:
        """Whether pages from 4 on are closed to writing only, and password and PACK are ours."""
        if self.pages.get(self._cfg0)[3] != FIRST_PAGE or self._access() & PROTECTS_READING:
            return False
        return self._authenticate(keys.password) == keys.pack

    def _open(self, keys: Keys) -> Opened:
        limited = False
        try:
            locked = self._is_protected()
            limited = bool(self._access() & TRIES)
            closed = bool(self._access() & CONFIGURATION_CLOSED)
        except CardSilent as silent:
            if not silent.refused:
                raise
            # Even the configuration can be read only with the password.
            self.link.sense()
            locked, closed = True, False
        if closed and not (locked and self._is_as_wanted()):
            raise TagTrouble(Trouble.LOCKED)
        if not locked:
            return Opened.FREE
        pack = self._authenticate(keys.password)
        if pack is not None:
            return Opened.OURS if pack == keys.pack else Opened.OTHER
        # Where wrong tries are counted the next one could close the card for its owner, and none of ours counts them.
        if not limited and self._authenticate(FACTORY_PASSWORD) is not None:
            return Opened.OTHER
        raise TagTrouble(Trouble.LOCKED)

    def _lock(self) -> None:
        """CFG1 before CFG0, because on some chips AUTH0 takes effect at once."""
        self.pages.put(self._cfg1, self._wanted_cfg1())
        self.pages.put(self._cfg0, self._wanted_cfg0(FIRST_PAGE))

    def _unlock(self) -> None:
        self.pages.put(self._cfg0, self._wanted_cfg0(UNPROTECTED))
        self.pages.put(self._cfg1, self._wanted_cfg1())

    def _set_key(self, keys: Keys | None) -> None:
        password, pack = (keys.password, keys.pack) if keys else (FACTORY_PASSWORD, FACTORY_PACK)
        self.pages.put_secret(self._pwd, password)
        self.pages.put_secret(self._pack, pack + b"\0\0")

    def _has_makers_key(self) -> bool:
        return not self._access() & TRIES and self._authenticate(FACTORY_PASSWORD) == FACTORY_PACK

    def _is_locked(self) -> bool:
        return self._is_protected() or self._is_closed()

    def _is_genuine(self) -> bool | None:
        try:
            signature = self.link.ask(READ_SIGNATURE)
        except CardSilent as silent:
            if not silent.refused:
                raise
            self.link.sense()
            return False
        return is_genuine(self.kind, self.link.uid, signature)

    def _authenticate(self, password: bytes) -> bytes | None:
        """What the chip answers to its password (PACK); None to a wrong one, after which it was selected again."""
        try:
            pack = self.link.ask(bytes([AUTHENTICATE]) + password)
        except CardSilent as silent:
            if not silent.refused:
                raise
            self.link.sense()
            return None
        # Where reading was closed in the middle of a block, READ gave something else for the rest of it.
        self.pages.forget()
        return pack

    def _is_protected(self) -> bool:
        return self.pages.get(self._cfg0)[3] < self.layout.pages

    def _is_as_wanted(self) -> bool:
        return (
            self.pages.get(self._cfg0) == self._wanted_cfg0(FIRST_PAGE)
            and self.pages.get(self._cfg1) == self._wanted_cfg1()
        )

    def _access(self) -> int:
        return self.pages.get(self._cfg1)[0]

    def _wanted_cfg0(self, protect_from: int) -> bytes:
        now = self.pages.get(self._cfg0)
        first = now[0] & ~MIRRORS if self.layout.mirrors else now[0]
        return bytes((first, now[1], now[2], protect_from))

    def _wanted_cfg1(self) -> bytes:
        now = self.pages.get(self._cfg1)
        return bytes([now[0] & ~PROTECTS_READING]) + now[1:]
