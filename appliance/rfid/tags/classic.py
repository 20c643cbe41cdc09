"""MIFARE Classic, only for the balance that an earlier local system has written on it: read, and taken off again.

The cipher is the reader chip's; a card that says no must be selected anew before it hears anything (MF1S50, 9).
"""

from __future__ import annotations

from dataclasses import replace

from appliance.domain.cards.tag import ClearOld, Kind, OldWork, Seen, TagTrouble, Trouble
from appliance.rfid.field import CardSilent
from appliance.rfid.tags.link import Link

AUTHENTICATE_A, AUTHENTICATE_B = 0x60, 0x61
READ = 0x30
WRITE = 0xA0


def perform(link: Link, work: OldWork) -> Seen:
    """Read the balance; take it off, if that is asked for, and read back that it is.

    Raises:
        TagTrouble: LOCKED with another key; DIFFERENT, no such number stands there, or it is there still.
        CardSilent: It did not answer.
    """
    seen = Seen(uid=link.uid, kind=Kind.CLASSIC)
    data = _read(link, work)
    found = work.layout.read(data)
    if found is None:
        raise TagTrouble(Trouble.DIFFERENT)
    if not isinstance(work, ClearOld):
        return replace(seen, old_minor=found)
    if found:
        link.changed = True
        link.field.classic(bytes((WRITE, work.layout.block)) + work.layout.emptied(data))
        if work.layout.read(_read(link, work)) != 0:
            raise TagTrouble(Trouble.DIFFERENT)
    return replace(seen, old_minor=0)


def _read(link: Link, work: OldWork) -> bytes:
    """The block, after the card was selected anew and opened."""
    link.sense()
    command = AUTHENTICATE_B if work.layout.key_b else AUTHENTICATE_A
    try:
        link.field.classic(bytes((command, work.layout.block)) + work.key + bytes.fromhex(link.uid)[-4:])
    except CardSilent as silent:
        if silent.refused:
            raise TagTrouble(Trouble.LOCKED) from silent
        raise
    return link.field.classic(bytes((READ, work.layout.block)))
