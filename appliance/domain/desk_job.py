"""The rules of what is asked of a card desk, or of a charger that waits for a card: its states, and what moves it. Pure.

Theory. A job is from the request to what came of it. Nothing is booked before a card lies there; what is booked then is never
taken back by the card.

`waiting`: for a card that will do. No money has moved, so it may be given up at any time.

`writing`: all is booked in the commit of the tap, and the card is being made to agree with it. It cannot be given up.

`torn`: what was booked stands, and the card does not agree: it was pulled away, cannot be written, or the power failed.
It is open until the card comes back, to any desk, or is accepted as it is, or the job is undone.

`done`: card and books agree, or there was nothing to write. Within a minute its money may be taken back by opposite entries; it
stays done, and says that it was undone.

`failed`: nothing came of it, or it was undone while it was torn.

A batch goes back from `writing` to `waiting` with each card but the last, and given up is done with what it has made.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from appliance.domain.transitions import follow


class DeskJobState(StrEnum):
    """How far it is; these words are stored."""

    WAITING = "waiting"
    WRITING = "writing"
    DONE = "done"
    TORN = "torn"
    FAILED = "failed"


class DeskJobEvent(StrEnum):
    """What moves a job."""

    ASKED = "asked"
    """Somebody wants it."""
    OBJECTED = "objected"
    """The card that lies there will not do."""
    BOOKED = "booked"
    """A card lies there that will do."""
    RETURNED = "returned"
    """The card that was booked for lies there, once more."""
    MISSED = "missed"
    """The card could not be written, or was pulled away."""
    AGREED = "agreed"
    """The card is as the books say, or is accepted as it is."""
    NEXT = "next"
    """The same, and more cards of the batch are to come."""
    ANSWERED = "answered"
    """It is over without writing: the card was read, enrolled or learned, or a batch ends with what it has made."""
    CANCELLED = "cancelled"
    """It is given up: taken back, superseded, expired, or the card shown is the wrong one."""
    UNDONE = "undone"
    """Its money was taken back."""


class Advice(StrEnum):
    """What is the matter with a job or a card, or what to do about it: names of sentences; these words are stored."""

    NONE = ""
    # The job goes on waiting: the card that lies there will not do.
    RANDOM = "random"
    SEVERAL = "several"
    TAKEN = "taken"
    FOREIGN = "foreign"
    COPIED = "copied"
    LOCKED = "locked"
    UNKNOWN = "unknown"
    OTHER_CARD = "other_card"
    BLOCKED = "blocked"
    CHARGING = "charging"
    NOT_WRITABLE = "not_writable"
    NEXT_CARD = "next_card"
    SECOND_PERSON = "second_person"
    DRAWER = "drawer"
    MONEY_STOPPED = "money_stopped"
    OLD_TAKEN = "old_taken"
    OLD_COPY = "old_copy"
    OLD_NOTHING = "old_nothing"
    OLD_TOO_MUCH = "old_too_much"
    OLD_LOCKED = "old_locked"
    OLD_UNREADABLE = "old_unreadable"
    # The card is not what the books say.
    PRESENT_AGAIN = "present_again"
    CANNOT_WRITE = "cannot_write"
    TOO_SMALL = "too_small"
    # Nothing came of it.
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    RESTARTED = "restarted"
    EXPIRED = "expired"
    UNDONE = "undone"
    REFUSED = "refused"
    UNLIKE = "unlike"


TRANSITIONS: Mapping[tuple[DeskJobState | None, DeskJobEvent], DeskJobState] = MappingProxyType(
    {
        (None, DeskJobEvent.ASKED): DeskJobState.WAITING,
        (DeskJobState.WAITING, DeskJobEvent.OBJECTED): DeskJobState.WAITING,
        (DeskJobState.WAITING, DeskJobEvent.BOOKED): DeskJobState.WRITING,
        (DeskJobState.WAITING, DeskJobEvent.ANSWERED): DeskJobState.DONE,
        (DeskJobState.WAITING, DeskJobEvent.CANCELLED): DeskJobState.FAILED,
        (DeskJobState.WRITING, DeskJobEvent.RETURNED): DeskJobState.WRITING,
        (DeskJobState.WRITING, DeskJobEvent.MISSED): DeskJobState.TORN,
        (DeskJobState.WRITING, DeskJobEvent.AGREED): DeskJobState.DONE,
        (DeskJobState.WRITING, DeskJobEvent.NEXT): DeskJobState.WAITING,
        (DeskJobState.TORN, DeskJobEvent.RETURNED): DeskJobState.WRITING,
        (DeskJobState.TORN, DeskJobEvent.MISSED): DeskJobState.TORN,
        (DeskJobState.TORN, DeskJobEvent.AGREED): DeskJobState.DONE,
        (DeskJobState.TORN, DeskJobEvent.NEXT): DeskJobState.WAITING,
        (DeskJobState.TORN, DeskJobEvent.UNDONE): DeskJobState.FAILED,
        (DeskJobState.DONE, DeskJobEvent.UNDONE): DeskJobState.DONE,
    }
)


OPEN = frozenset({DeskJobState.WAITING, DeskJobState.WRITING, DeskJobState.TORN})


def after(state: DeskJobState | None, event: DeskJobEvent) -> DeskJobState:
    """The state that an event leads to; see TRANSITIONS."""
    return follow(TRANSITIONS, state, event)
