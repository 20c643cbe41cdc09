"""Words of the card desk: how a reader is and what to do about it, what a job is doing, why a card will not do, receipts.

The names come from domain/cards/tag.py, domain/desk_job.py and domain/desk_request.py; here each has its sentence. What is shown where
is in console/card_desk/view.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.domain.cards.content import ContentState
from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.domain.desk_job import Advice
from appliance.domain.desk_request import DeskJobKind
from appliance.ui.frame.language import N_, _


@dataclass(frozen=True, slots=True)
class Words:
    """A state and what to do about it, not yet in the reader's language."""

    tone: str
    """As in words.py: free, waiting, fault or off."""
    icon: str
    word: str
    sentence: str
    advice: str = ""


READERS = {
    ReaderStatus.READY: Words("free", "nfc", N_("Reader ready"), N_("{name}")),
    ReaderStatus.LOOKING: Words(
        "waiting",
        "usb",
        N_("No reader"),
        N_("No card reader is plugged in."),
        N_("Plug one in: it is found by itself. A PN532 on a USB cable, an ACR122U or a Sony RC-S380 will do."),
    ),
    ReaderStatus.DENIED: Words(
        "fault",
        "lock",
        N_("Reader closed to us"),
        N_("A reader is there, but this program may not open it."),
        N_(
            "It belongs to {detail}. Run install.sh again as root, or add the service's user to that group, and restart."
        ),
    ),
    ReaderStatus.BUSY: Words(
        "fault",
        "hand",
        N_("Reader taken"),
        N_("Something else holds the reader: {detail}."),
        N_(
            "If that is a program, end it. If it is a driver of the kernel (pn533_usb, port100), run install.sh again as root,"
            " then unplug the reader and plug it in again."
        ),
    ),
    ReaderStatus.UNSUPPORTED: Words(
        "fault",
        "circle-slash",
        N_("Wrong reader"),
        N_("This reader cannot be driven: {detail}."),
        N_(
            "Use a PN532 on a USB cable, an ACR122U or a Sony RC-S380. Other readers work over PC/SC, if that is installed."
        ),
    ),
    ReaderStatus.DEAF: Words(
        "fault",
        "unplug",
        N_("Reader silent"),
        N_("Nothing answers at {detail}."),
        N_("Pull the reader out for ten seconds and plug it in again. A PN532 needs its switches at HSU (both off)."),
    ),
    ReaderStatus.NONE: Words(
        "off",
        "scan-line",
        N_("Without a reader"),
        N_("This site works without a card reader of its own."),
        N_("Type a card's number, or let a reader that types as a keyboard do it."),
    ),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of job: what it is called, and what is said of it while it waits, is written, is done, is torn."""

    icon: str
    word: str
    waiting: str
    done: str
    torn: str


KINDS = {
    DeskJobKind.ISSUE: Kind(
        "user-plus",
        N_("New card"),
        N_("Lay the new card for {name} on the reader."),
        N_("{name} has card {number}."),
        N_("{name} has card {number}, and all is booked, but the card was not finished."),
    ),
    DeskJobKind.RECHARGE: Kind(
        "banknote",
        N_("Top-up"),
        N_("Lay the card on the reader that gets {amount}."),
        N_("{amount} for {name}. The balance is {balance} now."),
        N_("{amount} for {name} is booked, but the card was not finished."),
    ),
    DeskJobKind.READ: Kind(
        "scan-line",
        N_("Read a card"),
        N_("A program asks for a card: lay it on the reader."),
        N_("The card was read."),
        N_("The card was not read to its end."),
    ),
    DeskJobKind.REPLACE: Kind(
        "replace",
        N_("Another card"),
        N_("Lay the new card for {name} on the reader."),
        N_("{name} has card {number} now; the old one charges nowhere."),
        N_("{name} has card {number} and the old one is dead, but the new card was not finished."),
    ),
    DeskJobKind.DECOMMISSION: Kind(
        "undo-2",
        N_("Card comes back"),
        N_("Lay the card on the reader that {name} gives back."),
        N_("Card {number} is back. It is empty and may be given to somebody else."),
        N_("Card {number} of {name} is back and charges nowhere, but it was not emptied."),
    ),
    DeskJobKind.REWRITE: Kind(
        "pen-line",
        N_("Write anew"),
        N_("Lay card {number} of {name} on the reader."),
        N_("Card {number} of {name} is written anew; its old link leads nowhere."),
        N_("Card {number} of {name} was not written to its end."),
    ),
    DeskJobKind.BATCH: Kind(
        "layers",
        N_("Stack of cards"),
        N_("Lay the next card on the reader: {next} of {count}."),
        N_("The stack is done. Cards: {made} of {count}."),
        N_("Card {number} of the stack was not finished."),
    ),
}
WRITING = N_("Leave the card where it is, it is being written.")
EMPTYING = N_("Leave the card where it is, it is being emptied.")

ADVICE: Mapping[str, str] = {
    # The job goes on waiting: the card that lies there will not do.
    Advice.RANDOM: N_("This chip tells another number at each tap, as telephones do. Take a real card."),
    Advice.SEVERAL: N_("More than one card lies on the reader. Take them away and lay one."),
    Advice.TAKEN: N_("This card belongs to somebody already. Take another one."),
    Advice.FOREIGN: N_("Something else is written on this card. Take a blank one, or say that it may be written over."),
    Advice.COPIED: N_("This is a copy: what stands on it was made for another chip. Take another card."),
    Advice.LOCKED: N_("This card is locked with a key that is not ours. Take another one."),
    Advice.UNKNOWN: N_("Nobody has this card here."),
    Advice.OTHER_CARD: N_("This is another card than the one that was meant. Lay that one."),
    Advice.BLOCKED: N_(
        "This card is blocked. Unblock it first, or take the money without a card on the person's page."
    ),
    Advice.CHARGING: N_("This card is charging a car. Stop the session first."),
    Advice.NOT_WRITABLE: N_("Nothing can be written on this kind of card. It is used by its number only."),
    Advice.OLD_TAKEN: N_("The balance of this card was taken over already. Nothing was booked now."),
    Advice.OLD_COPY: N_(
        "The balance of this card was taken over before, and was taken off the card: this is a copy with the same number. Nothing was booked. Keep it, and tell a manager."
    ),
    Advice.OLD_NOTHING: N_(
        "There is nothing on this card, and it stands on no list. A manager can type what it was worth."
    ),
    Advice.OLD_TOO_MUCH: N_(
        "There is more on this card than one card may bring. Nothing was booked: a manager looks at it."
    ),
    Advice.OLD_LOCKED: N_(
        "The key of the earlier system does not open this card. Nothing was booked: look whether it is that system's."
    ),
    Advice.OLD_UNREADABLE: N_(
        "The balance on this card cannot be read here: this reader cannot, or it stands elsewhere. Nothing was booked. It can come from the list, or a manager types it."
    ),
    Advice.MONEY_STOPPED: N_(
        "Nothing was booked: money is stopped, for the books do not agree with themselves. An owner looks under Problems."
    ),
    Advice.DRAWER: N_(
        "Nothing was booked: you have no shift open, or there is not so much in your drawer. Look at the till."
    ),
    Advice.SECOND_PERSON: N_(
        "So much within a day for this wallet needs a second person: ask on the page of the person. Nothing was booked."
    ),
    Advice.NEXT_CARD: N_("This one is done. Take it away and lay the next."),
    # The card is not what the books say.
    Advice.PRESENT_AGAIN: N_(
        "Lay the same card on the reader again: it is finished by itself, and nothing is booked twice."
    ),
    Advice.CANNOT_WRITE: N_(
        "The chip refuses. Try it once more; if it stays so, use it by its number only, or give another card."
    ),
    Advice.TOO_SMALL: N_("There is too little room on this chip. Use it by its number only, or give another card."),
    # Nothing came of it.
    Advice.SUPERSEDED: N_("Something else was begun at this desk."),
    Advice.CANCELLED: N_("It was given up. Nothing was booked."),
    Advice.RESTARTED: N_("The server was restarted while it waited. Nothing was booked: begin again."),
    Advice.EXPIRED: N_("No card was laid down for ten minutes. Nothing was booked: begin again."),
    Advice.UNDONE: N_("It was taken back."),
    Advice.REFUSED: N_(
        "Things have changed since this was begun: it cannot be done any more. Nothing was booked: begin again."
    ),
    Advice.UNLIKE: N_("The charger reads something that does not come from this card. Nothing was learned."),
}
"""What services say by name, in sentences."""

RECEIPTS = {
    "issue": N_("Card and first top-up"),
    "recharge": N_("Top-up"),
    "refund": N_("Refund"),
    "return": N_("Card returned"),
    "credit_note": N_("Credit note"),
    "voucher": N_("Voucher"),
}
"""Kinds of receipts."""

CONTENTS = {
    ContentState.NONE: N_("used by its number only"),
    ContentState.PENDING: N_("to be written: lay it on a reader"),
    ContentState.WRITTEN: N_("written and locked"),
    ContentState.WIPING: N_("to be emptied: lay it on a reader"),
    ContentState.WIPED: N_("empty"),
}
"""What is on a chip, as far as we put it there."""


def reader_words(state: ReaderState) -> Words:
    """How a reader is, in the reader's language, with its names filled in."""
    words = READERS[state.status]
    values = {"name": state.name or _("the reader"), "detail": state.detail or state.name or _("unknown")}
    return Words(
        words.tone,
        words.icon,
        _(words.word),
        _(words.sentence).format(**values),
        _(words.advice).format(**values),
    )


def advice_sentence(name: str) -> str:
    """What to do about a card; "" for nothing, and a name of another release as it is."""
    return _(ADVICE[name]) if name in ADVICE else name


def receipt_word(kind: str) -> str:
    """What a receipt is for."""
    return _(RECEIPTS[kind]) if kind in RECEIPTS else kind


def card_number(number: int) -> str:
    """As it is printed on the card: four digits at least, in Latin figures in every language."""
    return f"{number:04}"
