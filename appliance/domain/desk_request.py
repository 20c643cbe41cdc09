"""What can be asked of a card desk, or of a charger that waits for a card: for each kind of job a class, with all that its step has
to know. How they are stored is in db/card_desk/requests.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, assert_never

from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.ledger import Method


class DeskJobKind(StrEnum):
    """What is done with the card; these words are stored."""

    ISSUE = "issue"
    RECHARGE = "recharge"
    READ = "read"
    REPLACE = "replace"
    DECOMMISSION = "decommission"
    REWRITE = "rewrite"
    BATCH = "batch"
    ENROL = "enrol"
    LEARN = "learn"


@dataclass(frozen=True, slots=True)
class Block:
    """How a card was blocked before a job blocked it, so that it can be as it was when the job is taken back."""

    at_ms: int | None
    """None: it was not."""
    why: str
    replaced_by: CardId | None


@dataclass(frozen=True, slots=True)
class Issue:
    """A card for a person who is known, or for a new one by name, with a first top-up and the deposit of that day."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.ISSUE
    person_id: PersonId | None
    name: str
    phone: str
    group_id: GroupId | None
    """Of a new person."""
    topup_minor: int
    deposit_minor: int
    method: Method
    label: str
    expires_at_ms: int | None
    overwrite: bool
    """Here and below: a card on which something else is written will do."""
    old: bool = False
    """Here and below: what an earlier local system has written on it is taken over."""
    old_minor: int = 0
    """Here and below: what a manager says that it was; 0: what the list or the card says."""


@dataclass(frozen=True, slots=True)
class Recharge:
    """Money for the wallet behind a card."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.RECHARGE
    amount_minor: int
    method: Method
    card_id: CardId | None
    """The only card that will do; None: any of ours."""
    old: bool = False
    old_minor: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """Say what lies there."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.READ


@dataclass(frozen=True, slots=True)
class Replace:
    """A new card instead of a lost one."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.REPLACE
    card_id: CardId
    """The lost one."""
    overwrite: bool
    blocked: Block | None = None
    """Of the lost card; None until it is replaced."""


@dataclass(frozen=True, slots=True)
class Decommission:
    """A card comes back."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.DECOMMISSION
    card_id: CardId | None
    """The only card that will do; None: any of ours."""
    refund: bool
    """Give back the deposit."""
    rest: bool
    """Pay out, with the last card of a prepaid person, what is in the wallet."""
    method: Method
    blocked: Block | None = None
    """None until the card lies there."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Write a card anew, with a new link."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.REWRITE
    card_id: CardId
    overwrite: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """A stack of cards, all for one person, or each with a wallet of its own in a group."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.BATCH
    count: int
    person_id: PersonId | None
    group_id: GroupId | None
    label: str
    overwrite: bool


@dataclass(frozen=True, slots=True)
class Enrol:
    """The next card that a charger is shown is this person's."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.ENROL
    person_id: PersonId
    label: str


@dataclass(frozen=True, slots=True)
class Learn:
    """The next card that a charger is shown is the job's, whatever the charger calls it."""

    kind: ClassVar[DeskJobKind] = DeskJobKind.LEARN


ReaderRequest = Issue | Recharge | Read | Replace | Decommission | Rewrite | Batch
"""For a card on a reader."""
ChargerRequest = Enrol | Learn
"""For a card shown at a charger."""
Request = ReaderRequest | ChargerRequest


def card_meant(request: Request) -> CardId | None:
    """The card that was named when the job was begun."""
    match request:
        case Recharge() | Replace() | Decommission() | Rewrite():
            return request.card_id
        case Issue() | Read() | Batch() | Enrol() | Learn():
            return None
        case _:
            assert_never(request)
