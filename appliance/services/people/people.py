"""People: who may charge here, and how they pay."""

from __future__ import annotations

from appliance.db import ledger
from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people, people_search
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services import audit, texts
from appliance.services.announce import PersonChanged
from appliance.services.cards import revocation
from appliance.services.people.groups import check_lets_charge, check_terms, floor_of, move_floor
from appliance.services.people.groups import need as need_group


def add(
    db: Database,
    name: str,
    group: GroupId,
    by: By,
    *,
    phone: str = "",
    note: str = "",
    language: str = "",
    is_pool: bool = False,
) -> PersonId:
    """A new person, or a pool (services/people/pools.py), with an empty wallet."""
    name = texts.required("name", name)
    found = need_group(db, group)
    check_terms(db, None, found, by)
    wallet = ledger.open_wallet(db, "wallet", floor_of(found.policy, found.limit_minor, found.emergency_minor))
    person = people.add(
        db,
        name=name,
        phone=texts.telephone(phone),
        note=texts.optional("note", note),
        language=language,
        group=group,
        wallet=wallet,
        now_ms=by.at_ms,
        is_pool=is_pool,
    )
    audit.record(db, by, "person.create", f"person:{person}", name=name, group=found.name)
    db.announce(PersonChanged(person))
    return person


def change(
    db: Database, person: PersonId, by: By, *, name: str, phone: str, note: str, language: str, group: GroupId
) -> None:
    """Who they are and how they pay."""
    found = need(db, person)
    name = texts.required("name", name)
    target = need_group(db, group)
    if group != found.group_id:
        check_terms(db, need_group(db, found.group_id), target, by)
        floor_minor = floor_of(target.policy, target.limit_minor, target.emergency_minor)
        move_floor(db, found.wallet, floor_minor)
    phone = texts.telephone(phone) if phone != found.phone else phone
    note = texts.optional("note", note)
    people.change(
        db,
        person,
        name=name,
        phone=phone,
        note=note,
        language=language,
        group=group,
    )
    audit.record(
        db, by, "person.change", f"person:{person}", name=name, group=target.name, before=found.group,
        changed=audit.changed(found, name=name, phone=phone, note=note, language=language, group=target.name),
    )  # fmt: skip
    db.announce(PersonChanged(person))


def close(db: Database, person: PersonId, by: By, *, merged_into: PersonId | None = None) -> None:
    """They have left, or are `merged_into` somebody else: no card of theirs charges any more.

    Raises:
        Refusal: There is money in the wallet, or a debt, or a session is open or in review.
    """
    found = need(db, person)
    check_no_session(db, found)
    if found.balance_minor:
        raise Refusal("The balance of {name} is not zero.", "Refund it, or let it be paid, first.", name=found.name)
    if found.pool_id is not None:
        people.set_pool(db, person, None)
        audit.record(db, by, "pool.leave", f"person:{person}", pool=found.pool_id, pool_name=found.pool_name)
    people.set_closed(db, person, by.at_ms, merged_into)
    for card in cards.of_person(db, person):
        revocation.announce_revoked(db, card)
    audit.record(db, by, "person.close", f"person:{person}")
    db.announce(PersonChanged(person))


def check_no_session(db: Readable, person: Person) -> None:
    """Refuse while money of this person is, or may be, somebody's decision to come.

    Raises:
        Refusal: A session is open, or waits for somebody's look.
    """
    if people.running_of(db, person.id):
        raise Refusal("{name} has a session running.", "Stop it first.", name=person.name)
    if waiting := people.in_review(db, person.id):
        raise Refusal(
            "Session {session} of {name} is still to be looked at.",
            "Decide on its page what is billed for it.",
            session=str(waiting[0]),
            name=person.name,
        )


def reopen(db: Database, person: PersonId, by: By) -> None:
    """The account is open again.

    Raises:
        NotAllowed: They pay later or not at all, which only a manager lets them.
    """
    check_lets_charge(db, need(db, person).group_id, by)
    people.set_closed(db, person, None)
    audit.record(db, by, "person.reopen", f"person:{person}")
    db.announce(PersonChanged(person))


def account_of(db: Readable, person: PersonId) -> Person:
    """Whose wallet pays for somebody, and takes what is paid in for them: their own, or that of the pool that they are in.

    Raises:
        NotFound: There is no such person.
    """
    found = need(db, person)
    return found if found.pool_id is None else need(db, found.pool_id)


def check_open(person: Person) -> None:
    """Refuse what only those who are here can have.

    Raises:
        Refusal: They have left, or are somebody else by now.
    """
    if person.merged_into is not None:
        raise Refusal(
            "{name} was merged into {other}.", "Go on with {other}.", name=person.name, other=person.merged_name
        )
    if person.closed_at_ms is not None:
        raise Refusal("The account of {name} is closed.", "Open it again first.", name=person.name)


def check_not_here(db: Readable, name: str, phone: str) -> None:
    """Whether nobody is here yet whom these words mean: a new person is asked about once.

    Raises:
        HereAlready: Somebody has this name, in whatever order, or this telephone.
    """
    found = people_search.alike(db, name, texts.telephone(phone))
    if found:
        raise HereAlready(
            "Somebody with this name or telephone is here already. Nothing is entered yet.",
            "Look who it is, or say that it is another person.",
            found,
        )


class HereAlready(Refusal):
    """Perhaps somebody is entered twice; whoever enters them may say that it is another one."""

    def __init__(self, message: str, advice: str, people: list[Person]) -> None:
        super().__init__(message, advice)
        self.people = people


def need(db: Readable, person: PersonId) -> Person:
    """The person, or NotFound."""
    found = people.find(db, person)
    if found is None:
        raise NotFound("There is no such person.")
    return found
