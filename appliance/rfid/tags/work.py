"""The two things that are done with a card: looking at it, and working on it, with what can go wrong in between.

How a kind of chip is read and written stands in the modules beside this one; here is what holds for all of them.
"""

from __future__ import annotations

from appliance.domain.cards.tag import AnyWork, ClearOld, Content, Kind, ReadOld, Seen, TagTrouble, Trouble, Work, Write
from appliance.domain.id_token import is_random
from appliance.rfid.field import CardField, CardSilent
from appliance.rfid.tags import classic
from appliance.rfid.tags.link import Link
from appliance.rfid.tags.recognise import recognise

ATTEMPTS = 3
"""How often work is begun anew when a card that is still there did not answer: it lay badly, or was moved."""


def inspect(field: CardField) -> Seen:
    """What the card is and what stands on it. The card was selected; afterwards it is in any state.

    Raises:
        TagTrouble: GONE, it was taken away meanwhile.
        ReaderGone: The reader failed.
    """
    if is_random(field.uid):
        return Seen(uid=field.uid, kind=Kind.TYPE4 if field.sak & 0x20 else Kind.UNKNOWN, random=True)
    link = Link(field)
    for _ in range(ATTEMPTS):
        try:
            return recognise(link).see()
        except CardSilent:
            link.sense()
    return Seen(uid=field.uid, kind=Kind.UNKNOWN)


def perform(field: CardField, work: AnyWork) -> Seen:
    """Do the work, and say what the card is afterwards, read back after a new selection.

    Raises:
        TagTrouble: It came to nothing, and why.
        ReaderGone: The reader failed; the card may hold half of it.
    """
    if field.uid != work.uid:
        raise TagTrouble(Trouble.OTHER_CARD)
    if is_random(field.uid):
        raise TagTrouble(Trouble.REFUSED)
    link = Link(field)
    try:
        for _ in range(ATTEMPTS):
            try:
                return classic.perform(link, work) if isinstance(work, ReadOld | ClearOld) else _attempt(link, work)
            except CardSilent as silent:
                link.sense()
                if silent.refused:
                    break
    except TagTrouble as trouble:
        if trouble.trouble is Trouble.GONE and link.changed:
            raise TagTrouble(Trouble.TORN) from trouble
        raise
    raise TagTrouble(Trouble.REFUSED)


def _attempt(link: Link, work: Work) -> Seen:
    link.sense()
    chip = recognise(link)
    if isinstance(work, Write):
        chip.write(work.content, work.keys)
    else:
        chip.wipe(work.keys)
    link.sense()
    known_as, chip = type(chip), recognise(link)
    if type(chip) is not known_as:
        raise CardSilent("it was taken for another chip")
    seen = chip.see()
    if isinstance(work, Write):
        right = seen.content == work.content and chip.is_locked_with(work.keys)
    else:
        right = seen.content == Content() and not seen.foreign and not seen.locked
    if not right:
        raise TagTrouble(Trouble.DIFFERENT)
    return seen
