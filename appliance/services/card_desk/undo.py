"""A slip at the card desk, taken back within a minute: the books by opposite entries and a credit note, the card by what
is to stand on it from now on. Nothing is deleted.
"""

from __future__ import annotations

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cards.content import ContentState
from appliance.domain.desk_job import TRANSITIONS, Advice, DeskJobEvent, DeskJobState, after
from appliance.domain.desk_request import Block, Decommission, DeskJobKind, Issue, Recharge, Replace
from appliance.domain.errors import Refusal, TooLittleMoney
from appliance.domain.identifiers import CardId
from appliance.domain.ledger import DEPOSITS, TransferCode
from appliance.domain.problem import ProblemKind
from appliance.services import audit, problems
from appliance.services.announce import DeskChanged, DeskNews, PersonChanged
from appliance.services.card_desk.jobs import need
from appliance.services.cards import cards as card_units
from appliance.services.cards import revocation
from appliance.services.people import people as people_units
from appliance.services.till import drawers
from appliance.services.wallets import receipts, wallets

UNDO_MS_MAX = 60_000
MOVES_CARD = frozenset({DeskJobKind.ISSUE, DeskJobKind.REPLACE, DeskJobKind.DECOMMISSION})
"""Kinds of jobs after which a card is somebody else's, or nobody's."""
UNDOABLE = MOVES_CARD | {DeskJobKind.RECHARGE}


def may_undo(db: Readable, job: Job, now_ms: int) -> bool:
    """Whether `undo` would take it back now: what is offered is what is done."""
    try:
        check(db, job, now_ms)
    except Refusal:
        return False
    return True


def undo(db: Database, job: int, by: By) -> int | None:
    """Take a job back; the number of the credit note, None where no money had moved.

    Raises:
        Refusal: As `check` says.
    """
    found = need(db, job)
    card = check(db, found, by.at_ms)
    number = _money_back(db, found, by)
    match found.request:
        case Issue() as request:
            _take_card_back(db, card, by.at_ms)
            if goes_with_card(db, found, request, card):
                people_units.close(db, card.person_id, by)
        case Replace(card_id=old, blocked=Block() as blocked):
            _revive_old_card(db, old, card, blocked)
            _take_card_back(db, card, by.at_ms)
        case Decommission(blocked=Block() as blocked):
            _hand_out_again(db, card, blocked)
        case Recharge():
            pass  # The money was all.
        case request:
            raise AssertionError(f"this cannot be taken back: {request}")
    rows.set_undone(db, found.id)
    state = after(found.state, DeskJobEvent.UNDONE)
    if state is not found.state:
        rows.set_state(db, found.id, state, by.at_ms, Advice.UNDONE)
        if not rows.unfinished_of(db, card.id):
            problems.clear_problem(db, ProblemKind.TORN_CARD, f"card:{card.id}", by.at_ms)
    audit.record(db, by, "desk.undo", f"card:{card.id}", job=found.id, kind=found.kind)
    db.announce(PersonChanged(card.person_id))
    # The card may still lie there: the desk looks what is to stand on it now.
    db.announce(DeskChanged(found.desk, DeskNews.PROGRESS, found.id))
    return number


# --- whether it can be -----------------------------------------------------------------------------------------------------


def check(db: Readable, job: Job, now_ms: int) -> Card:
    """The card of a job that can be taken back.

    Raises:
        Refusal: The minute is over, there is nothing to take back, or something was built on it since.
        TooLittleMoney: Part of the money is spent or held.
    """
    over = job.undone or now_ms - job.changed_at_ms > UNDO_MS_MAX
    if job.kind not in UNDOABLE or (job.state, DeskJobEvent.UNDONE) not in TRANSITIONS or over or job.card_id is None:
        raise Refusal("This cannot be taken back any more.", "Correct it on the page of the person.")
    if isinstance(job.request, Issue | Recharge) and job.request.old:
        raise Refusal("A balance that was taken over from an old card stays.", "Correct it on the page of the person.")
    card = card_units.need(db, job.card_id)
    check_nothing_since(db, job, card)
    if cards.running_on_card(db, card.uid):
        raise Refusal("The card is charging a car already.", "Stop the session first.")
    check_holder(db, job, card)
    return card


def check_nothing_since(db: Readable, job: Job, card: Card) -> None:
    """Refuse what would contradict what was done with the card since.

    Raises:
        Refusal: It is being written, or was given to somebody else, replaced or taken back.
    """
    later = rows.later_of(db, card.id, job.id)
    if any(one.state is DeskJobState.WRITING for one in later):
        raise Refusal("The card is being written.", "Wait until it is done.")
    match job.request:
        case Recharge():
            return
        case Decommission():
            as_left = card_units.has_come_back(card)
        case Replace(card_id=replaced):
            old = card_units.need(db, replaced)
            as_left = is_out(card) and old.replaced_by == card.id and not card_units.has_come_back(old)
        case _:
            as_left = is_out(card)
    if not as_left or any(one.kind in MOVES_CARD for one in later):
        raise Refusal("Something was done with this card since.", "Take that back first.")


def check_holder(db: Readable, job: Job, card: Card) -> None:
    """Refuse what the wallet cannot give, and what would leave money, a debt or a card with somebody who is gone.

    Raises:
        Refusal: They have left, or came to other money or another session meanwhile and are more than this card.
        TooLittleMoney: Part of the money is spent or held.
    """
    receipt = receipts.need(db, job.receipt) if job.receipt is not None else None
    person = people_units.need(db, (receipt.person_id if receipt is not None else None) or card.person_id)
    people_units.check_open(person)
    from_wallet = receipt.amount_minor - receipt.deposit_minor if receipt is not None else 0
    if from_wallet > 0 and person.available_minor is not None and from_wallet > person.available_minor:
        raise TooLittleMoney("Part of the money is spent or held already.", "Pay out what is left, as a refund.")
    if isinstance(job.request, Issue) and goes_with_card(db, job, job.request, card):
        people_units.check_no_session(db, person)
        if person.balance_minor != from_wallet:
            raise Refusal(
                "The balance of {name} is not zero.", "Refund it, or let it be paid, first.", name=person.name
            )


def goes_with_card(db: Readable, job: Job, request: Issue, card: Card) -> bool:
    """Whether the holder was taken in with this very card and has no other: they have never been here."""
    taken_in = request.person_id is None and job.person_id == card.person_id
    return taken_in and not others_of(db, card)


def is_out(card: Card) -> bool:
    """Whether somebody has it: it was neither replaced nor given back."""
    return card.replaced_by is None and not card_units.has_come_back(card)


def others_of(db: Readable, card: Card) -> list[Card]:
    """What other cards its holder can charge with."""
    return [one for one in cards.of_person(db, card.person_id) if one.id != card.id and one.blocked_at_ms is None]


# --- helpers ---------------------------------------------------------------------------------------------------------------


def _money_back(db: Database, job: Job, by: By) -> int | None:
    """Opposite entries for all that the job's receipt says, and the credit note."""
    if job.receipt is None:
        return None
    receipt = receipts.need(db, job.receipt)
    assert receipt.person_id is not None
    person = people_units.need(db, receipt.person_id)
    method = wallets.method_of(receipt.method)
    drawer = (
        drawers.out_of(db, method, receipt.amount_minor, by)
        if receipt.amount_minor > 0
        else drawers.into(db, method, by)
    )
    from_wallet = receipt.amount_minor - receipt.deposit_minor
    for name, account, amount in (("", person.wallet, from_wallet), ("-deposit", DEPOSITS, receipt.deposit_minor)):
        if amount:
            debit, credit = (account, drawer) if amount > 0 else (drawer, account)
            key, reason = f"undo|desk-{job.id}{name}", f"receipt {receipt.number}"
            wallets.book(db, key, debit, credit, abs(amount), TransferCode.CORRECTION, reason, by)
    if receipt.card_id is not None and receipt.deposit_minor:
        cards.set_deposit(db, receipt.card_id, max(0, -receipt.deposit_minor))
    return receipts.write(
        db, "credit_note", receipt.person_id, -receipt.amount_minor, receipt.method, by,
        card=receipt.card_id, deposit_minor=-receipt.deposit_minor, corrects=receipt.number,
    )  # fmt: skip


def _revive_old_card(db: Database, old: CardId, new: Card, blocked: Block) -> None:
    """It is what it was; a card that was blocked as lost stays so."""
    cards.set_deposit(db, old, new.deposit_minor)
    cards.set_deposit(db, new.id, 0)
    cards.set_blocked(db, old, blocked.at_ms, blocked.why, blocked.replaced_by)


def _hand_out_again(db: Database, card: Card, blocked: Block) -> None:
    """It is its holder's again, blocked if it was before, and is written anew where it was emptied."""
    cards.set_blocked(db, card.id, blocked.at_ms, blocked.why, blocked.replaced_by)
    if card.content in (ContentState.WIPING, ContentState.WIPED):
        cards.set_content(db, card.id, ContentState.PENDING)


def _take_card_back(db: Database, card: Card, now_ms: int) -> None:
    cards.set_blocked(db, card.id, now_ms, "undone")
    if card.content in (ContentState.PENDING, ContentState.WRITTEN):
        cards.set_content(db, card.id, ContentState.WIPING)
    revocation.revoke(db, card, now_ms)
