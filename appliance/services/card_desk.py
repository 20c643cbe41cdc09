"""A card lies on the reader: what is booked, and what is to be written on it.

Every action is ledger first: `tapped` books all of it in one commit and says what must stand on the card; the desk writes
it, reads it back and reports `written` or `failed`. What must stand on a card is in the card's own row, so that after a
pulled card, a pulled reader or a power cut the next tap of this card, at any desk, finishes what was begun, once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from appliance.db import desk_jobs as rows
from appliance.db import people
from appliance.db.connection import Database
from appliance.db.desk_jobs import Job
from appliance.db.people import Card
from appliance.domain import card_content
from appliance.domain.authorization import Policy
from appliance.domain.card_content import Origin
from appliance.domain.errors import Refusal
from appliance.domain.id_token import normal_form
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.ledger import DEPOSITS
from appliance.domain.tag import Content, Kind, Seen, Trouble, Wipe, Work, Write
from appliance.services import audit, cash_desk, desk_jobs, enrolment, problems, receipts
from appliance.services.announce import DeskChanged, PersonChanged


@dataclass(frozen=True, slots=True)
class DeskKey:
    """What cards of this site are written with."""

    site_key: bytes
    link_base: str
    """`http://192.168.1.10:8081/card/`: the token of the card follows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the desk is to do with the card that lies there."""

    card: CardId | None = None
    work: Work | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The card that lies there, as people and programs are told. `ours`: this site gave it out, and it is no copy."""

    uid: str
    kind: str
    ours: bool
    card: Card | None
    origin: Origin
    objection: str
    """Why it can be given to nobody: `random`, `several`; "" if it can, or is."""


class Unsuitable(Exception):
    """The card that lies there will not do for this job; the argument names the sentence."""


# --- the steps -------------------------------------------------------------------------------------------------------------


def tapped(db: Database, desk: str, seen: Seen, key: DeskKey, now_ms: int) -> Plan:
    """A card was laid down, or a job begun while it lies there: book what waits, and say what is to be written."""
    known = people.card_by_uid(db, normal_form(seen.uid))
    if known is not None and not seen.several and seen.kind is not Kind.UNKNOWN:
        people.set_kind(db, known.id, seen.kind)
    job = rows.waiting_at(db, desk)
    card = known.id if known is not None else None
    if job is not None:
        try:
            if objection(seen):
                raise Unsuitable(objection(seen))
            card = STEPS[job.kind](db, job, seen, known, key, now_ms) or card
        except Unsuitable as why:
            desk_jobs.advise(db, job, str(why), now_ms)
    if card is None or objection(seen):
        return Plan()
    work = wanted(db, card, seen, key)
    if work is None:
        settle(db, card, now_ms)
    else:
        for unfinished in rows.unfinished_of(db, card):
            rows.set_state(db, unfinished.id, "writing", now_ms)
            db.announce(DeskChanged(unfinished.desk, "progress", unfinished.id))
    return Plan(card, work)


def written(db: Database, card: CardId, now_ms: int) -> None:
    """The card was written, or emptied, and read back."""
    found = enrolment.need_card(db, card)
    people.set_content(db, card, {"pending": "written", "wiping": "wiped"}.get(found.content, found.content))
    settle(db, card, now_ms)
    db.announce(PersonChanged(found.person_id))


def failed(db: Database, card: CardId, trouble: Trouble, now_ms: int) -> None:
    """The card is not what it should be: what was booked stands, and the job is open until the card comes back."""
    for job in rows.unfinished_of(db, card):
        desk_jobs.tear(db, job, now_ms, ADVICE_ABOUT.get(trouble, "cannot_write"))


def settle(db: Database, card: CardId, now_ms: int) -> None:
    """Card and books agree: all that was begun with it is done."""
    problems.clear_problem(db, "torn_card", f"card:{card}", now_ms)
    for job in rows.unfinished_of(db, card):
        if job.kind == "batch" and rows.count_made(db, job.id) < job.request["count"]:
            rows.set_state(db, job.id, "waiting", now_ms)
            db.announce(DeskChanged(job.desk, "progress", job.id))
        else:
            desk_jobs.end(db, job, "done", now_ms, job.advice if job.kind == "read" else "")


def accept_unwritten(db: Database, job: int, actor: str, now_ms: int) -> None:
    """The card cannot be written: it is used by its UID alone, which is all that chargers look at."""
    found = desk_jobs.need(db, job)
    if found.state != "torn" or found.card_id is None:
        raise Refusal("This card is not waiting to be written.")
    people.set_content(db, found.card_id, "none")
    audit.record(db, actor, "card.accept", f"card:{found.card_id}", now_ms)
    settle(db, found.card_id, now_ms)


def wanted(db: sqlite3.Connection, card: CardId, seen: Seen, key: DeskKey) -> Work | None:
    """What is to be done so that the chip agrees with the card's row; None if it does."""
    found = enrolment.need_card(db, card)
    keys = card_content.keys(key.site_key, seen.uid)
    if found.content == "pending":
        record = card_content.sign(key.site_key, seen.uid, found.number, found.issue)
        return Write(seen.uid, Content(key.link_base + found.token, record), keys)
    if found.content == "wiping":
        return Wipe(seen.uid, keys)
    return None


def describe(db: sqlite3.Connection, seen: Seen, site_key: bytes) -> Described:
    """The card that lies there."""
    uid = normal_form(seen.uid)
    known = people.card_by_uid(db, uid)
    origin = origin_of(seen, site_key, known)
    ours = known is not None and not enrolment.has_come_back(known) and not is_copy(known, origin)
    return Described(uid, str(seen.kind), ours, known, origin, objection(seen))


def objection(seen: Seen) -> str:
    """Why this card can be given to nobody."""
    if seen.several:
        return "several"
    return "random" if seen.random else ""


def origin_of(seen: Seen, site_key: bytes, card: Card | None = None) -> Origin:
    """What stands on the chip; with `card`, the row of this UID, a record of an earlier issue counts as copied too."""
    record = card_content.read(site_key, seen.uid, seen.content.record)
    if record.origin is Origin.BLANK and (seen.foreign or seen.content.link):
        return Origin.FOREIGN
    if record.origin is Origin.OURS and card is not None and card.content == "written":
        return Origin.OURS if (record.number, record.issue) == (card.number, card.issue) else Origin.COPIED
    return record.origin


def is_copy(card: Card, origin: Origin) -> bool:
    """Whether the chip with this card's UID lacks what was written on the card: somebody has copied the UID."""
    return card.content == "written" and origin is not Origin.OURS


# --- one step for each kind of job -----------------------------------------------------------------------------------------


def issue(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """Person, card, top-up, deposit and receipt in one commit."""
    request = job.request
    check_free(seen, known, key, overwrite=request["overwrite"])
    person = request["person_id"]
    if person is None:
        group = GroupId(request["group_id"])
        person = enrolment.add_person(db, request["name"], group, job.actor, now_ms, phone=request["phone"])
    card = give_out(db, job, PersonId(person), seen, now_ms, request["label"], request["expires_at_ms"])
    receipt = take_money(db, job, PersonId(person), card, now_ms)
    rows.set_result(db, job.id, person=PersonId(person), card=card, receipt=receipt)
    rows.set_state(db, job.id, "writing", now_ms)
    return card


def take_money(db: Database, job: Job, person: PersonId, card: CardId, now_ms: int) -> int | None:
    """The first top-up and the deposit, with one receipt; None where nothing is paid."""
    topup, deposit, method = (job.request[name] for name in ("topup_minor", "deposit_minor", "method"))
    if topup:
        cash_desk.pay_in(db, person, topup, method, f"desk-{job.id}", job.actor, now_ms)
    if deposit:
        source = cash_desk.method_of(method).account
        cash_desk.book(
            db, f"deposit|desk-{job.id}", source, DEPOSITS, deposit, "deposit", f"card {card}", job.actor, now_ms
        )
        people.set_deposit(db, card, deposit)
    if not topup + deposit:
        return None
    return receipts.write(
        db, "issue", person, topup + deposit, method, job.actor, now_ms, card=card, deposit_minor=deposit
    )


def recharge(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """Top up the wallet behind the card."""
    card = check_ours(db, job, seen, known, key, now_ms)
    if card.blocked_at_ms is not None:
        raise Unsuitable("blocked")
    request = job.request
    booked = cash_desk.top_up(
        db,
        card.person_id,
        request["amount_minor"],
        request["method"],
        f"desk-{job.id}",
        job.actor,
        now_ms,
        card=card.id,
    )
    rows.set_result(db, job.id, person=card.person_id, card=card.id, receipt=booked.receipt)
    rows.set_state(db, job.id, "writing", now_ms)
    return card.id


def read(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId | None:
    """Say what lies there; nothing changes."""
    origin = origin_of(seen, key.site_key, known)
    if known is None or enrolment.has_come_back(known):
        told = str(origin) if origin in (Origin.FOREIGN, Origin.COPIED) else "unknown"
        desk_jobs.end(db, job, "done", now_ms, told)
        return None
    rows.set_result(db, job.id, person=known.person_id, card=known.id)
    rows.set_state(db, job.id, "writing", now_ms, "copied" if is_copy(known, origin) else "")
    return known.id


def replace(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """The old card dies, the new one takes its place; the money is the person's and stays where it is."""
    check_free(seen, known, key, overwrite=job.request["overwrite"])
    old = CardId(job.request["card_id"])
    note_block(db, job, enrolment.need_card(db, old))
    card = enrolment.replace_card(db, old, seen.uid, job.actor, now_ms, kind=seen.kind)
    begin_content(db, card, seen)
    rows.set_result(db, job.id, card=card)
    rows.set_state(db, job.id, "writing", now_ms)
    return card


def decommission(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """The card comes back: blocked, its deposit and the rest of the wallet given back as far as that was asked for, and emptied."""
    card = check_ours(db, job, seen, known, key, now_ms, copies=False)
    if people.running_on_card(db, card.uid):
        raise Unsuitable("charging")
    receipt = give_back(db, job, card, now_ms)
    note_block(db, job, card)
    if card.blocked_at_ms is None:
        enrolment.block_card(db, card.id, "returned", job.actor, now_ms)
    else:
        people.set_blocked(db, card.id, now_ms, "returned", card.replaced_by)
    if card.content in ("pending", "written"):
        people.set_content(db, card.id, "wiping")
    rows.set_result(db, job.id, person=card.person_id, card=card.id, receipt=receipt)
    rows.set_state(db, job.id, "writing", now_ms)
    return card.id


def give_back(db: Database, job: Job, card: Card, now_ms: int) -> int | None:
    """As far as the job says so: the deposit, and with the last card of a prepaid person what is in the wallet.

    The number of the receipt; None where nothing is given back.
    """
    person = enrolment.need_person(db, card.person_id)
    method = job.request["method"]
    deposit = card.deposit_minor if job.request["refund"] else 0
    others = [one for one in people.cards_of(db, card.person_id) if one.id != card.id and one.blocked_at_ms is None]
    rest = 0
    if job.request["rest"] and person.policy == Policy.PREPAID and not others:
        rest = max(0, person.balance_minor - person.held_minor)
    if rest:
        cash_desk.pay_out(db, card.person_id, rest, method, f"desk-{job.id}", job.actor, now_ms)
    if deposit:
        target = cash_desk.method_of(method).account
        name = f"deposit|desk-{job.id}"
        cash_desk.book(db, name, DEPOSITS, target, deposit, "deposit", f"card {card.id}", job.actor, now_ms)
        people.set_deposit(db, card.id, 0)
    total = rest + deposit
    if not total:
        return None
    return receipts.write(
        db, "return", card.person_id, -total, method, job.actor, now_ms, card=card.id, deposit_minor=-deposit
    )


def rewrite(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """A new link and a new record for a card that is out already."""
    if known is None or enrolment.has_come_back(known):
        raise Unsuitable("unknown")
    if known.id != job.request["card_id"]:
        raise Unsuitable("other_card")
    if not seen.writable:
        raise Unsuitable("not_writable")
    check_content(seen, key, overwrite=job.request["overwrite"])
    people.renew_link(db, known.id, enrolment.new_token())
    people.set_content(db, known.id, "pending")
    rows.set_state(db, job.id, "writing", now_ms)
    return known.id


def batch(db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int) -> CardId:
    """One more card of a stack, with a wallet of its own unless it is for somebody."""
    if known is not None and known.id in rows.cards_of_batch(db, job.id):
        raise Unsuitable("next_card")
    request = job.request
    check_free(seen, known, key, overwrite=request["overwrite"])
    person = request["person_id"]
    if person is None:
        group = GroupId(request["group_id"])
        person = enrolment.add_person(db, request["label"] or "Card", group, job.actor, now_ms)
    card = give_out(db, job, PersonId(person), seen, now_ms, request["label"], None)
    if request["person_id"] is None:
        name_after_card(db, PersonId(person), card, request["label"])
    rows.add_to_batch(db, job.id, card)
    rows.set_result(db, job.id, card=card)
    rows.set_state(db, job.id, "writing", now_ms)
    return card


STEPS: dict[str, Callable[[Database, Job, Seen, Card | None, DeskKey, int], CardId | None]] = {
    "issue": issue,
    "recharge": recharge,
    "read": read,
    "replace": replace,
    "decommission": decommission,
    "rewrite": rewrite,
    "batch": batch,
}

ADVICE_ABOUT = {
    Trouble.GONE: "present_again",
    Trouble.TORN: "present_again",
    Trouble.OTHER_CARD: "present_again",
    Trouble.LOCKED: "locked",
    Trouble.TOO_SMALL: "too_small",
}

# --- helpers ---------------------------------------------------------------------------------------------------------------


def check_free(seen: Seen, known: Card | None, key: DeskKey, *, overwrite: bool) -> None:
    """Whether the card that lies there can be given to somebody."""
    if known is not None and not enrolment.has_come_back(known):
        raise Unsuitable("taken")
    check_content(seen, key, overwrite=overwrite)


def check_content(seen: Seen, key: DeskKey, *, overwrite: bool) -> None:
    """Whether what stands on it may be written over."""
    origin = origin_of(seen, key.site_key)
    if origin in (Origin.FOREIGN, Origin.COPIED) and not overwrite:
        raise Unsuitable(str(origin))
    if seen.writable and seen.locked and origin is Origin.FOREIGN:
        raise Unsuitable("locked")


def check_ours(
    db: Database, job: Job, seen: Seen, known: Card | None, key: DeskKey, now_ms: int, *, copies: bool = True
) -> Card:
    """The card that lies there, if it is the one that is meant and no copy of it."""
    if known is None or enrolment.has_come_back(known):
        raise Unsuitable("unknown")
    if job.request["card_id"] not in (None, known.id):
        raise Unsuitable("other_card")
    if copies and is_copy(known, origin_of(seen, key.site_key, known)):
        number = f"{known.number:04}"
        problems.raise_problem(db, "card_copy", f"card:{known.id}", now_ms, number=number, person=known.person)
        raise Unsuitable("copied")
    return known


def give_out(
    db: Database, job: Job, person: PersonId, seen: Seen, now_ms: int, label: str, expires_at_ms: int | None
) -> CardId:
    """The card's row, and what is to stand on the chip."""
    card = enrolment.add_card(
        db, seen.uid, person, job.actor, now_ms, label=label, expires_at_ms=expires_at_ms, kind=seen.kind
    )
    begin_content(db, card, seen)
    return card


def begin_content(db: Database, card: CardId, seen: Seen) -> None:
    """Where the chip can carry it, our content is to be written."""
    people.set_content(db, card, "pending" if seen.writable else "none")


def note_block(db: Database, job: Job, card: Card) -> None:
    """How a card was blocked before, for the case that the job is taken back."""
    rows.note(db, job, blocked=[card.blocked_at_ms, card.blocked_why, card.replaced_by])


def name_after_card(db: Database, person: PersonId, card: CardId, label: str) -> None:
    """Nobody knows yet who will have a card of a stack; the wallet is called as the card is."""
    found, number = enrolment.need_person(db, person), enrolment.need_card(db, card).number
    people.change(
        db, person, name=f"{label or 'Card'} {number:04}", phone="", note="", language="", group=found.group_id
    )
