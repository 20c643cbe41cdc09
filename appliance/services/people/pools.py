"""Pools: one wallet from which several people charge, a company's or a family's. A pool is an account as a person is (`person.is_pool`): money
is taken for it, paid out and corrected by the same functions, and its group says how it pays.

Whoever is in a pool charges from its wallet and on its terms; their own wallet rests, and is theirs again when they leave. Which wallet pays
for somebody is `people.account_of`; which pool paid for a session stands in the session (`session.pool_id`), and stays there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups, people
from appliance.db.people.people import Person
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.ledger import TransferCode
from appliance.services import audit, texts
from appliance.services.announce import PersonChanged
from appliance.services.approvals import second_person
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.operators.authority import NotAllowed, is_manager
from appliance.services.people import people as people_units
from appliance.services.people.groups import check_terms
from appliance.services.people.groups import need as need_group
from appliance.services.people.people import check_no_session, check_open
from appliance.services.wallets import buyers, wallets


class Own(StrEnum):
    """What becomes of the money that somebody has of their own when they join."""

    KEPT = "kept"
    """It stays in their own wallet, and is theirs again when they leave."""
    MOVED = "moved"
    """It goes into the pool, and stays there."""


@dataclass(frozen=True, slots=True)
class About:
    """What a pool is, besides its wallet."""

    name: str
    group: GroupId
    contact: str = ""
    phone: str = ""
    note: str = ""
    language: str = ""
    tax_number: str = ""
    hides_balance: bool = False
    """Whether those who charge from it do not see, on the page of their card, what is in it."""


def add(db: Database, about: About, by: By) -> PersonId:
    """A new pool, with an empty wallet and nobody in it."""
    pool = people_units.add(
        db, about.name, about.group, by, phone=about.phone, note=about.note, language=about.language, is_pool=True
    )
    set_rest(db, pool, about, by)
    return pool


def change(db: Database, pool: PersonId, about: About, by: By) -> None:
    """What it is called, whom to ask for, how it pays."""
    found = need(db, pool)
    people_units.change(
        db, pool, by, name=about.name, phone=about.phone, note=about.note, language=about.language, group=about.group
    )
    set_rest(db, pool, about, by)
    changed = audit.changed(found, contact=about.contact.strip(), hides_balance=about.hides_balance)
    if changed:
        audit.record(db, by, "pool.change", f"person:{pool}", name=about.name, changed=changed)


def set_rest(db: Database, pool: PersonId, about: About, by: By) -> None:
    """Contact, who sees the balance, and the tax number, which is that of the buyer on its bills."""
    contact = texts.optional("contact", about.contact)
    people.set_contact(db, pool, contact=contact, hides_balance=about.hides_balance)
    buyers.change(db, pool, replace(buyers.of(db, pool), tax_number=about.tax_number), by)


def join(db: Database, pool: PersonId, person: PersonId, own: Own, key: str, by: By) -> int:
    """Somebody charges from the wallet of a pool from now on; how much of their own money moved there. `key` names the transfer for ever.

    Raises:
        NotFound: There is no such pool or person.
        Conflict: They are in a pool already.
        Refusal: They owe money, a session of theirs is open or in review, or an account is closed.
        NotAllowed: Their terms would be others, or money of theirs moves, which only a manager grants.
        MoneyStopped: Money of theirs would move, and the books do not agree with themselves.
    """
    found, joined = people_units.need(db, person), need(db, pool)
    check_open(joined)
    check_open(found)
    if found.is_pool:
        raise Invalid("person_id", "A pool cannot be in another pool.")
    if found.pool_id is not None:
        raise Conflict(
            "{name} is in the pool {pool} already.", "Take them out of that one first.",
            name=found.name, pool=found.pool_name,
        )  # fmt: skip
    check_terms(db, need_group(db, found.group_id), need_group(db, joined.group_id), by)
    check_no_session(db, found)
    if found.balance_minor < 0:
        raise Refusal("{name} owes money.", "Let it be paid, or correct it, first.", name=found.name)
    moved_minor = found.balance_minor if own is Own.MOVED else 0
    if moved_minor:
        check_move(db, found, joined, moved_minor, by)
        wallets.book(
            db, f"pool|{key}", found.wallet, joined.wallet, moved_minor, TransferCode.POOL,
            f"{found.name} → {joined.name}", by,
        )  # fmt: skip
    people.set_pool(db, person, pool)
    audit.record(
        db, by, "pool.join", f"person:{person}",
        pool=pool, pool_name=joined.name, name=found.name, amount_minor=moved_minor, kept_minor=found.balance_minor - moved_minor,
    )  # fmt: skip
    announce(db, pool, person)
    return moved_minor


def check_move(db: Database, person: Person, pool: Person, amount_minor: int, by: By) -> None:
    """Refuse to move so much of somebody's money into a pool: it leaves a wallet, as a refund does, and comes into another.

    Raises:
        NotAllowed: A manager does that.
        Refusal: It needs a second person.
    """
    if not is_manager(db, by.actor):
        raise NotAllowed(
            "A manager moves somebody's own money into a pool.",
            "Let them join and keep it, or ask a manager to add them.",
        )
    try:
        for wallet in (person.wallet, pool.wallet):
            second_person.check(db, wallet, amount_minor, by)
    except NeedsSecondPerson:
        raise Refusal(
            "So much money needs a second person, and nobody can agree to somebody joining a pool.",
            "Let them join and keep it; then correct both balances, which a second person can agree to.",
        ) from None


def leave(db: Database, pool: PersonId, person: PersonId, by: By) -> None:
    """Somebody pays for themselves again, out of what is in their own wallet; what moved into the pool stays there.

    Raises:
        NotFound: They are not in this pool.
        NotAllowed: Their own terms are others, which only a manager grants.
        Refusal: A session of theirs is open or in review, for which the pool pays.
    """
    found, left = people_units.need(db, person), need(db, pool)
    if found.pool_id != pool:
        raise NotFound("{name} is not in this pool.", name=found.name)
    check_terms(db, need_group(db, left.group_id), need_group(db, found.group_id), by)
    check_no_session(db, found)
    people.set_pool(db, person, None)
    audit.record(db, by, "pool.leave", f"person:{person}", pool=pool, pool_name=left.name, name=found.name)
    announce(db, pool, person)


def close(db: Database, pool: PersonId, by: By) -> None:
    """It is used no more, and whoever is in it pays for themselves again.

    Raises:
        Refusal: There is money in it, or a debt, or a session for which it pays is open or in review.
    """
    found = need(db, pool)
    check_open(found)
    check_no_session(db, found)
    if found.balance_minor:
        raise Refusal("The balance of {name} is not zero.", "Refund it, or let it be paid, first.", name=found.name)
    for member in people.members(db, pool):
        leave(db, pool, member.id, by)
    people_units.close(db, pool, by)


def announce(db: Database, pool: PersonId, person: PersonId) -> None:
    """Both are others than before."""
    db.announce(PersonChanged(pool))
    db.announce(PersonChanged(person))


def usual_group(db: Readable) -> GroupId:
    """The group of a pool of which nobody says how it pays: the first one that pays beforehand.

    Raises:
        Invalid: There is none.
    """
    found = [group for group in groups.all_by_name(db) if group.policy == Policy.PREPAID]
    if not found:
        raise Invalid("group_id", "There is no group that pays beforehand: say which group it is.")
    return min(group.id for group in found)


def need(db: Readable, pool: PersonId) -> Person:
    """The pool, or NotFound."""
    found = people.find(db, pool)
    if found is None or not found.is_pool:
        raise NotFound("There is no such pool.")
    return found
