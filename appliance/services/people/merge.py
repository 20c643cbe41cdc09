"""Two people who are one: cards and money of the first go to the second, and the first is closed."""

from __future__ import annotations

from appliance.db.cards import cards
from appliance.db.engine.unit import Database
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.domain.ledger import TransferCode
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.approvals import second_person
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.people.groups import check_terms
from appliance.services.people.groups import need as need_group
from appliance.services.people.people import check_no_session, check_open, close, need
from appliance.services.wallets import wallets


def merge(db: Database, person: PersonId, into: PersonId, key: str, by: By) -> int:
    """Move all that a person has to another; how much money moved (minor units). `key` names the transfer for ever.

    Sessions stay with whom they were billed to.

    Raises:
        Refusal: They are the same, a session is open or in review, there is a debt, or so much money needs a second person.
    """
    if person == into:
        raise Refusal("This is the same person.", "Choose the other one.")
    found, target = need(db, person), need(db, into)
    check_open(found)
    check_open(target)
    if found.is_pool or target.is_pool:
        raise Refusal(
            "A pool is not merged.", "Take its people out, pay out what is in it, and let them join the other one."
        )
    check_terms(db, need_group(db, found.group_id), need_group(db, target.group_id), by)
    check_no_session(db, found)
    if found.balance_minor < 0:
        raise Refusal("{name} owes money.", "Let it be paid, or correct it, first.", name=found.name)
    if found.balance_minor:
        check_alone(db, target, found.balance_minor, by)
        wallets.book(
            db, f"merge|{key}", found.wallet, target.wallet, found.balance_minor, TransferCode.MERGE,
            f"{found.name} → {target.name}", by,
        )  # fmt: skip
    for card in cards.of_person(db, person):
        cards.change(
            db,
            card.id,
            person=into,
            label=card.label,
            transactions_max=card.transactions_max,
            expires_at_ms=card.expires_at_ms,
        )
    audit.record(db, by, "person.merge", f"person:{into}", name=found.name, amount_minor=found.balance_minor)
    close(db, person, by, merged_into=into)
    db.announce(PersonChanged(into))
    return found.balance_minor


def check_alone(db: Database, target: Person, amount_minor: int, by: By) -> None:
    """Refuse to bring so much into a wallet without a second person: parts that came into several wallets are one amount in one."""
    try:
        second_person.check(db, target.wallet, amount_minor, by)
    except NeedsSecondPerson:
        raise Refusal(
            "So much money needs a second person, and nobody can agree to people being one.",
            "Correct both balances first, which a second person can agree to.",
        ) from None
