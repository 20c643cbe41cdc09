"""Which chip lies there: told by how it talks, by SEL_RES, and by its version where it has one."""

from __future__ import annotations

from appliance.domain.cards.tag import Content, Keys, Kind, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent, Technology
from appliance.rfid.tags.felica import FelicaChip
from appliance.rfid.tags.link import Chip, Link
from appliance.rfid.tags.ntag import MODELS, PasswordChip
from appliance.rfid.tags.ntag424 import Ntag424Chip, is_ntag424
from appliance.rfid.tags.type2 import Type2Chip
from appliance.rfid.tags.type4 import Type4Chip
from appliance.rfid.tags.ultralight_c import AUTHENTICATE, CHALLENGE, UltralightC

ISO_DEP = 0x20
CLASSIC = 0x08
TNP3XXX = 0x01
"""A Classic of toys, which says 01."""
GET_VERSION = b"\x60"
PROBES = 2
"""How often a command must go without any answer, not even a no, before it is taken for unknown to the chip."""


class NumberOnly:
    """A card that is known by its UID and nothing else."""

    def __init__(self, link: Link, kind: Kind) -> None:
        self._seen = Seen(uid=link.uid, kind=kind)

    def see(self) -> Seen:
        """Its UID."""
        return self._seen

    def write(self, content: Content, keys: Keys) -> None:
        """It cannot carry our content."""
        del content, keys
        raise TagTrouble(Trouble.REFUSED)

    def wipe(self, keys: Keys) -> None:
        """There is nothing of ours on it."""
        del keys
        raise TagTrouble(Trouble.REFUSED)

    def is_locked_with(self, keys: Keys) -> bool:
        """It has no lock."""
        del keys
        return True


def recognise(link: Link) -> Chip:
    """The chip that lies there, freshly selected; afterwards it is selected still."""
    if link.field.technology is Technology.F:
        return FelicaChip(link)
    sak = link.field.sak
    if sak & ISO_DEP:
        return Ntag424Chip(link) if is_ntag424(link) else Type4Chip(link)
    if sak & CLASSIC or sak == TNP3XXX:
        return NumberOnly(link, Kind.CLASSIC)
    if sak == 0:
        return _type2(link)
    return NumberOnly(link, Kind.UNKNOWN)


def _type2(link: Link) -> Chip:
    version = _probe(link, GET_VERSION)
    if version:
        model = MODELS.get(version)
        return PasswordChip(link, model) if model else Type2Chip(link)
    challenge = _probe(link, AUTHENTICATE)
    if not challenge:
        return Type2Chip(link)
    link.sense()
    return UltralightC(link) if challenge[:1] == CHALLENGE else Type2Chip(link)


def _probe(link: Link, command: bytes) -> bytes:
    """The answer to a command that not all chips know; nothing from those that do not, which were selected again."""
    for _ in range(PROBES):
        try:
            return link.ask(command)
        except CardSilent as silent:
            link.sense()
            if silent.refused:
                break
    return b""
