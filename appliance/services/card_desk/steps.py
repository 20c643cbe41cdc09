"""One step for each kind of job, taken when a card lies there that will do: all that is booked, in the commit of the tap, and
what is to stand on the card from then on. What is tapped when, and what becomes of the writing, is in `taps`.
"""

from __future__ import annotations

import dataclasses
from typing import assert_never

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.reconciling.stop import is_stopped
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.cards.content import ContentState, Origin
from appliance.domain.cards.tag import Seen
from appliance.domain.desk_job import Advice, DeskJobEvent, after
from appliance.domain.desk_request import (
    Batch,
    Block,
    Decommission,
    Enrol,
    Issue,
    Learn,
    Read,
    Recharge,
    Replace,
    Request,
    Rewrite,
)
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.ledger import DEPOSITS, Method, TransferCode
from appliance.services import old_cards
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.card_desk import jobs
from appliance.services.card_desk.checks import Unsuitable, check_content, check_free, check_ours, is_copy, origin_of
from appliance.services.cards import cards as card_units
from appliance.services.old_cards import NotTakenOver
from appliance.services.people import people as people_units
from appliance.services.till import drawers
from appliance.services.till.drawers import CashRefused
from appliance.services.wallets import receipts, wallets
from appliance.services.wallets.wallets import OnReceipt


def take_step(db: Database, job: Job, seen: Seen, known: Card | None, site_key: bytes, now_ms: int) -> CardId | None:
    """Do what the job is for, with the card that lies there, whose row is `known`; the card it is about from now on.

    Raises:
        Unsuitable: The card will not do, and nothing has changed.
    """
    if moves_money(job.request) and is_stopped(db):
        raise Unsuitable(Advice.MONEY_STOPPED)
    match job.request:
        case Issue() as request:
            return issue(db, job, request, seen, known, site_key, now_ms)
        case Recharge() as request:
            return recharge(db, job, request, seen, known, site_key, now_ms)
        case Read():
            return read(db, job, seen, known, site_key, now_ms)
        case Replace() as request:
            return replace(db, job, request, seen, known, site_key, now_ms)
        case Decommission() as request:
            return decommission(db, job, request, seen, known, site_key, now_ms)
        case Rewrite() as request:
            return rewrite(db, job, request, seen, known, site_key, now_ms)
        case Batch() as request:
            return batch(db, job, request, seen, known, site_key, now_ms)
        case Enrol() | Learn():
            raise AssertionError("no card is laid on a charger")
        case _:
            assert_never(job.request)


def issue(
    db: Database, job: Job, request: Issue, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """Person, card, top-up, deposit and receipt in one commit."""
    old_minor = old_amount(db, request, seen, known, now_ms)
    check_free(seen, known, site_key, overwrite=request.overwrite)
    if request.topup_minor + request.deposit_minor:
        check_cash(db, request.method, By(job.actor, now_ms))
    person = request.person_id
    if person is None:
        assert request.group_id is not None
        person = people_units.add(db, request.name, request.group_id, By(job.actor, now_ms), phone=request.phone)
    card = give_out(db, job, person, seen, now_ms, request.label, request.expires_at_ms)
    receipt = take_money(db, job, request, person, card, now_ms)
    if old_minor:
        receipt = old_cards.take_over(db, card_units.need(db, card), old_minor, By(job.actor, now_ms))
    rows.set_result(db, job.id, person=person, card=card, receipt=receipt)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return card


def take_money(db: Database, job: Job, request: Issue, person: PersonId, card: CardId, now_ms: int) -> int | None:
    """The first top-up and the deposit, with one receipt; None where nothing is paid."""
    topup, deposit, method = request.topup_minor, request.deposit_minor, request.method
    by = By(job.actor, now_ms)
    account, on_receipt = person, OnReceipt(member="", debt_minor=0)
    if topup:
        paid = wallets.pay_in(db, person, topup, method, f"desk-{job.id}", by)
        account, on_receipt = paid.account, paid.on_receipt
    if deposit:
        name = f"deposit|desk-{job.id}"
        source = drawers.into(db, method, by)
        wallets.book(db, name, source, DEPOSITS, deposit, TransferCode.DEPOSIT, f"card {card}", by)
        cards.set_deposit(db, card, deposit)
    if not topup + deposit:
        return None
    return receipts.write(
        db, "issue", account, topup + deposit, method, by, card=card, deposit_minor=deposit, **on_receipt
    )


def recharge(
    db: Database, job: Job, request: Recharge, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """Top up the wallet behind the card."""
    card = check_ours(db, request.card_id, seen, known, site_key, now_ms)
    if card.blocked_at_ms is not None:
        raise Unsuitable(Advice.BLOCKED)
    amount_minor, name = request.amount_minor, f"desk-{job.id}"
    by, old_minor = By(job.actor, now_ms), old_amount(db, request, seen, known, now_ms)
    try:
        receipt = (
            old_cards.take_over(db, card, old_minor, by)
            if old_minor
            else wallets.top_up(db, card.person_id, amount_minor, request.method, name, by, card=card.id).receipt
        )
    except NeedsSecondPerson:
        raise Unsuitable(Advice.SECOND_PERSON) from None
    except CashRefused:
        raise Unsuitable(Advice.DRAWER) from None
    rows.set_result(db, job.id, person=card.person_id, card=card.id, receipt=receipt)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return card.id


def read(db: Database, job: Job, seen: Seen, known: Card | None, site_key: bytes, now_ms: int) -> CardId | None:
    """Say what lies there; nothing changes."""
    origin = origin_of(seen, site_key, known)
    if known is None or card_units.has_come_back(known):
        advice = Advice(origin) if origin in (Origin.FOREIGN, Origin.COPIED) else Advice.UNKNOWN
        jobs.end(db, job, DeskJobEvent.ANSWERED, now_ms, advice)
        return None
    rows.set_result(db, job.id, person=known.person_id, card=known.id)
    rows.set_state(
        db,
        job.id,
        after(job.state, DeskJobEvent.BOOKED),
        now_ms,
        Advice.COPIED if is_copy(known, origin) else Advice.NONE,
    )
    return known.id


def replace(
    db: Database, job: Job, request: Replace, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """The old card dies, the new one takes its place; the money is the person's and stays where it is."""
    check_free(seen, known, site_key, overwrite=request.overwrite)
    old = card_units.need(db, request.card_id)
    card = card_units.replace(db, old.id, seen.uid, By(job.actor, now_ms), kind=seen.kind)
    begin_content(db, card, seen)
    rows.set_request(db, job.id, dataclasses.replace(request, blocked=block_of(old)))
    rows.set_result(db, job.id, card=card)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return card


def decommission(
    db: Database, job: Job, request: Decommission, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """The card comes back: blocked, its deposit and the rest of the wallet given back as far as that was asked for, and emptied."""
    card = check_ours(db, request.card_id, seen, known, site_key, now_ms, copies=False)
    if cards.running_on_card(db, card.uid):
        raise Unsuitable(Advice.CHARGING)
    receipt = give_back(db, job, request, card, now_ms)
    rows.set_request(db, job.id, dataclasses.replace(request, blocked=block_of(card)))
    if card.blocked_at_ms is None:
        card_units.block(db, card.id, "returned", By(job.actor, now_ms))
    else:
        cards.set_blocked(db, card.id, now_ms, "returned", card.replaced_by)
    if card.content in (ContentState.PENDING, ContentState.WRITTEN):
        cards.set_content(db, card.id, ContentState.WIPING)
    rows.set_result(db, job.id, person=card.person_id, card=card.id, receipt=receipt)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return card.id


def give_back(db: Database, job: Job, request: Decommission, card: Card, now_ms: int) -> int | None:
    """As far as the job says so: the deposit, and with the last card of a prepaid person what is in the wallet.

    The number of the receipt; None where nothing is given back.
    """
    person = people_units.need(db, card.person_id)
    deposit = card.deposit_minor if request.refund else 0
    others = [one for one in cards.of_person(db, card.person_id) if one.id != card.id and one.blocked_at_ms is None]
    rest = 0
    if request.rest and person.policy == Policy.PREPAID and not others and not person.is_pool:
        rest = person.payable_minor
    by = By(job.actor, now_ms)
    if rest + deposit:
        check_cash(db, request.method, by, rest + deposit)
    if rest:
        try:
            wallets.pay_out(db, card.person_id, rest, request.method, f"desk-{job.id}", by)
        except NeedsSecondPerson:
            raise Unsuitable(Advice.SECOND_PERSON) from None
    if deposit:
        name, target = f"deposit|desk-{job.id}", drawers.out_of(db, request.method, deposit, by)
        wallets.book(db, name, DEPOSITS, target, deposit, TransferCode.DEPOSIT, f"card {card.id}", by)
        cards.set_deposit(db, card.id, 0)
    total = rest + deposit
    if not total:
        return None
    return receipts.write(
        db, "return", card.person_id, -total, request.method, by, card=card.id, deposit_minor=-deposit
    )


def rewrite(
    db: Database, job: Job, request: Rewrite, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """A new link and a new record for a card that is out already."""
    if known is None or card_units.has_come_back(known):
        raise Unsuitable(Advice.UNKNOWN)
    if known.id != request.card_id:
        raise Unsuitable(Advice.OTHER_CARD)
    if not seen.writable:
        raise Unsuitable(Advice.NOT_WRITABLE)
    check_content(seen, site_key, overwrite=request.overwrite)
    cards.renew_link(db, known.id, card_units.new_token())
    cards.set_content(db, known.id, ContentState.PENDING)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return known.id


def batch(
    db: Database, job: Job, request: Batch, seen: Seen, known: Card | None, site_key: bytes, now_ms: int
) -> CardId:
    """One more card of a stack, with a wallet of its own unless it is for somebody."""
    if known is not None and known.id in rows.cards_of_batch(db, job.id):
        raise Unsuitable(Advice.NEXT_CARD)
    check_free(seen, known, site_key, overwrite=request.overwrite)
    person = request.person_id
    if person is None:
        assert request.group_id is not None
        person = people_units.add(db, request.label or "Card", request.group_id, By(job.actor, now_ms))
    card = give_out(db, job, person, seen, now_ms, request.label, None)
    if request.person_id is None:
        name_after_card(db, person, card, request.label)
    rows.add_to_batch(db, job.id, card)
    rows.set_result(db, job.id, card=card)
    rows.set_state(db, job.id, after(job.state, DeskJobEvent.BOOKED), now_ms)
    return card


# --- helpers ---------------------------------------------------------------------------------------------------------------


def moves_money(request: Request) -> bool:
    """Whether anything may be paid in or out."""
    match request:
        case Issue():
            return request.old or bool(request.topup_minor + request.deposit_minor)
        case Recharge():
            return True
        case Decommission():
            return request.refund or request.rest
        case Read() | Replace() | Rewrite() | Batch() | Enrol() | Learn():
            return False
        case _:
            assert_never(request)


def old_amount(db: Database, request: Issue | Recharge, seen: Seen, known: Card | None, now_ms: int) -> int:
    """What is taken over from the card that lies there; 0 where the job is none of that.

    Raises:
        Unsuitable: Nothing is.
    """
    if not request.old:
        return 0
    try:
        return old_cards.amount_of(db, seen, request.old_minor, known, now_ms)
    except NotTakenOver as why:
        raise Unsuitable(Advice(why.why)) from None


def check_cash(db: Database, method: Method, by: By, out_minor: int = 0) -> None:
    """Whether the money of this job can be taken, or so much of it be paid out.

    Raises:
        Unsuitable: The drawer is missing, or has not so much.
    """
    try:
        drawers.out_of(db, method, out_minor, by)
    except CashRefused:
        raise Unsuitable(Advice.DRAWER) from None


def give_out(
    db: Database, job: Job, person: PersonId, seen: Seen, now_ms: int, label: str, expires_at_ms: int | None
) -> CardId:
    """The card's row, and what is to stand on the chip."""
    card = card_units.add(
        db, seen.uid, person, By(job.actor, now_ms), label=label, expires_at_ms=expires_at_ms, kind=seen.kind
    )
    begin_content(db, card, seen)
    return card


def begin_content(db: Database, card: CardId, seen: Seen) -> None:
    """Where the chip can carry it, our content is to be written."""
    cards.set_content(db, card, ContentState.PENDING if seen.writable else ContentState.NONE)


def block_of(card: Card) -> Block:
    """How it is blocked now, for the case that what follows is taken back."""
    return Block(card.blocked_at_ms, card.blocked_why, card.replaced_by)


def name_after_card(db: Database, person: PersonId, card: CardId, label: str) -> None:
    """Nobody knows yet who will have a card of a stack; the wallet is called as the card is."""
    found, number = people_units.need(db, person), card_units.need(db, card).number
    people.change(
        db, person, name=f"{label or 'Card'} {number:04}", phone="", note="", language="", group=found.group_id
    )
