"""Cards: given to a person, changed, blocked, replaced. The wallet is the person's, and stays."""

from __future__ import annotations

import secrets

from appliance.db import audit as audit_rows
from appliance.db import ledger
from appliance.db.cards import aliases, cards, limits, unknown
from appliance.db.cards.cards import Card, CardGiven
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX, IdTokenType, is_random, masked, normal_form, reversed_form
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.ledger import ADJUSTMENTS, DEPOSITS, Operation, TransferCode
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.cards import revocation
from appliance.services.cards.limits import of_holder
from appliance.services.operators.authority import NotAllowed, is_manager
from appliance.services.people import groups
from appliance.services.people import people as people_
from appliance.services.texts import optional

TRANSACTIONS_MAX = 1000


CAME_BACK = frozenset({"returned", "undone"})
"""Why a card is blocked that lies in the drawer and may be given to somebody else."""


def add(
    db: Database,
    uid: str,
    person: PersonId,
    by: By,
    *,
    label: str = "",
    transactions_max: int = 1,
    expires_at_ms: int | None = None,
    kind: str = "",
    id_token_type: IdTokenType = IdTokenType.UNKNOWN,
) -> CardId:
    """A card for a person; its UID may be written in any of the usual ways. One that came back gets a new holder.

    `kind` is the chip, where a reader of ours has seen it; `id_token_type` what a station has told.

    Raises:
        Invalid: There is no UID, it is longer than chargers can tell, or it is one that changes at every tap.
        Conflict: Somebody has this card.
        Refusal: The person's account is closed.
        NotAllowed: A manager gives it.
    """
    check_another(db, person, by)
    if transactions_max != 1:
        check_bounds(db, by)
    inherited = of_holder(db, person)
    card = _give_out(
        db, uid, person, by, label=label, transactions_max=transactions_max, expires_at_ms=expires_at_ms, kind=kind,
        id_token_type=id_token_type,
    )  # fmt: skip
    limits.store(db, card, inherited)
    return card


def check_another(db: Database, person: PersonId, by: By) -> None:
    """Whether they may give a person another card: it lets more charge, and what limits one card does not count what others use.

    Raises:
        NotAllowed: The person pays later or not at all, or is limited, and only a manager lets them have more.
    """
    found = people_.need(db, person)
    groups.check_lets_charge(db, people_.account_of(db, person).group_id, by)
    if of_holder(db, person) != NO_LIMITS and not is_manager(db, by.actor):
        raise NotAllowed(
            "A manager does this: the card of {name} has limits, and with another one they would be passed.",
            "A lost card you can replace: the new one has the same limits.",
            name=found.name,
        )


def check_bounds(db: Readable, by: By) -> None:
    """Whether they may say how much a card may do.

    Raises:
        NotAllowed: Only a manager may.
    """
    if not is_manager(db, by.actor):
        raise NotAllowed("A manager sets until when a card charges, and how many sessions at once.")


def _give_out(
    db: Database,
    uid: str,
    person: PersonId,
    by: By,
    *,
    label: str = "",
    transactions_max: int,
    expires_at_ms: int | None,
    kind: str,
    id_token_type: IdTokenType = IdTokenType.UNKNOWN,
) -> CardId:
    normal = normal_form(uid)
    if not normal:
        raise Invalid("uid", "A card has a UID.")
    if len(uid) > ID_TOKEN_CHARS_MAX:
        raise Invalid("uid", "A card's number has at most {most} characters.", most=ID_TOKEN_CHARS_MAX)
    if is_random(normal):
        raise Invalid(
            "uid",
            "This number changes at every tap, as those of telephones do: it identifies nobody.",
            "Take a card instead.",
        )
    check_transactions_max(transactions_max)
    found = people_.need(db, person)
    people_.check_open(found)
    known = cards.by_uid(db, normal)
    if known is not None and not has_come_back(known):
        raise Conflict("This card belongs to {name} already.", name=known.person)
    alias = aliases.find(db, normal)
    if alias is not None:
        raise Conflict("A charger calls the card of {name} so.", name=need(db, alias).person)
    check_direction(db, normal)
    given = CardGiven(
        person, optional("label", label), transactions_max, expires_at_ms, new_token(), kind, id_token_type
    )
    if known is None:
        card = cards.add(db, normal, given, by.at_ms)
    else:
        card = known.id
        if known.person_id != person and limits.of(db, card) != NO_LIMITS:
            check_limits_go(db, known, by)
        keep_deposit(db, known, by)
        cards.reissue(db, card, given, by.at_ms)
        db.announce(PersonChanged(known.person_id))
    unknown.forget(db, normal)
    audit.record(db, by, "card.create", f"card:{card}", uid=masked(normal), person=int(person), name=found.name)
    db.announce(PersonChanged(person))
    return card


def check_limits_go(db: Database, card: Card, by: By) -> None:
    """Whether they may give somebody else a card that came back with limits: its former holder, who stays, would have none any more.

    Raises:
        NotAllowed: Only a manager may.
    """
    holder = people_.need(db, card.person_id)
    if holder.closed_at_ms is None and not is_manager(db, by.actor):
        raise NotAllowed(
            "A manager does this: the card has the limits of {name}, who gave it back.",
            "Take another card.",
            name=holder.name,
        )


def check_direction(db: Readable, uid: str) -> None:
    """Whether no card has these bytes the other way round: chargers read in both directions, so it would be one card of two people.

    Raises:
        Conflict: Somebody has it.
    """
    backwards = reversed_form(uid)
    if backwards is None or backwards == uid:
        return
    known, alias = cards.by_uid(db, backwards), aliases.find(db, backwards)
    owner = known if known is not None and not has_come_back(known) else need(db, alias) if alias is not None else None
    if owner is not None:
        raise Conflict(
            "This is the number of a card of {name}, with its bytes in the other direction: chargers would take both for one.",
            "Read the card at the desk, and enter the number as it is shown there.",
            name=owner.person,
        )


def keep_deposit(db: Database, card: Card, by: By) -> None:
    """A deposit that was not given back with the card is the site's once the card goes to somebody else."""
    if not card.deposit_minor:
        return
    ledger.transfer(
        db,
        Operation.POST,
        f"deposit-kept|{card.id}|{card.issue}",
        debit=DEPOSITS,
        credit=ADJUSTMENTS,
        amount_minor=card.deposit_minor,
        code=TransferCode.DEPOSIT,
        reference=f"card {card.id}",
        by=by,
    )


def has_come_back(card: Card) -> bool:
    """Whether it lies in the drawer and may be given to somebody else."""
    return card.blocked_at_ms is not None and card.blocked_why in CAME_BACK


def new_token() -> str:
    """The opaque end of a card's link: 96 bits, which nobody guesses."""
    return secrets.token_hex(12)


def change(db: Database, card: CardId, by: By, *, label: str, transactions_max: int, expires_at_ms: int | None) -> None:
    """What is printed on it, how many sessions at once, until when.

    Raises:
        NotAllowed: More than the label is changed, and not by a manager.
    """
    found = need(db, card)
    check_transactions_max(transactions_max)
    if (transactions_max, expires_at_ms) != (found.transactions_max, found.expires_at_ms):
        check_bounds(db, by)
    label = optional("label", label)
    cards.change(
        db,
        card,
        person=found.person_id,
        label=label,
        transactions_max=transactions_max,
        expires_at_ms=expires_at_ms,
    )
    if expires_at_ms is not None and expires_at_ms <= by.at_ms:
        revocation.announce_revoked(db, found)
    audit.record(
        db, by, "card.change", f"card:{card}", label=label,
        changed=audit.changed(found, label=label, transactions_max=transactions_max, expires_at_ms=expires_at_ms),
    )  # fmt: skip
    db.announce(PersonChanged(found.person_id))


def block(db: Database, card: CardId, why: str, by: By) -> None:
    """It charges nowhere from now on; what it charges at the moment is stopped."""
    found = need(db, card)
    if found.blocked_at_ms is not None:
        return
    cards.set_blocked(db, card, by.at_ms, optional("reason", why))
    revocation.revoke(db, found, by.at_ms)
    audit.record(db, by, "card.block", f"card:{card}", uid=masked(found.uid), why=why)
    db.announce(PersonChanged(found.person_id))


def unblock(db: Database, card: CardId, by: By) -> None:
    """It may charge again."""
    found = need(db, card)
    if found.replaced_by is not None:
        raise Refusal("This card was replaced by another.", "Give out the new card; this one stays blocked.")
    if has_come_back(found):
        raise Refusal("This card has come back, and nobody has it.", "Issue a card to the person instead.")
    people_.check_open(people_.need(db, found.person_id))
    check_block(db, found, by)
    cards.set_blocked(db, card, None, "")
    audit.record(db, by, "card.unblock", f"card:{card}", uid=masked(found.uid))
    db.announce(PersonChanged(found.person_id))


def replace(db: Database, card: CardId, uid: str, by: By, *, kind: str = "") -> CardId:
    """A new card instead of a lost one, with its limits and its deposit: the old one is blocked for good, the money stays
    with the person.
    """
    found = need(db, card)
    check_replaceable(db, found, by)
    new = _give_out(
        db,
        uid,
        found.person_id,
        by,
        transactions_max=found.transactions_max,
        expires_at_ms=found.expires_at_ms,
        kind=kind,
    )
    limits.copy(db, card, new)
    cards.set_deposit(db, new, found.deposit_minor)
    cards.set_deposit(db, card, 0)
    cards.set_blocked(db, card, by.at_ms, "replaced", new)
    revocation.revoke(db, found, by.at_ms)
    audit.record(db, by, "card.replace", f"card:{card}", uid=masked(found.uid), new=int(new))
    return new


def check_replaceable(db: Database, card: Card, by: By) -> None:
    """Whether another card may take its place; also at night, when it was lost and no manager is there.

    Raises:
        Refusal: Nobody has it.
        NotAllowed: A manager has blocked it.
    """
    if card.replaced_by is not None:
        raise Refusal("This card was replaced by another.")
    if has_come_back(card):
        raise Refusal("This card has come back, and nobody has it.", "Issue a card to the person instead.")
    check_block(db, card, by)


def check_block(db: Database, card: Card, by: By) -> None:
    """Whether they may lift the block of a card, or go round it with another: one that a manager has set stays where people pay later.

    Raises:
        NotAllowed: It was a manager, and only one lets it charge again.
    """
    if card.blocked_at_ms is not None and is_manager(db, audit_rows.last_actor(db, "card.block", f"card:{card.id}")):
        groups.check_lets_charge(db, people_.account_of(db, card.person_id).group_id, by)


def need(db: Readable, card: CardId) -> Card:
    """The card, or NotFound."""
    found = cards.find(db, card)
    if found is None:
        raise NotFound("There is no such card.")
    return found


def check_transactions_max(number: int) -> None:
    """How many sessions a card may have at once."""
    if not 1 <= number <= TRANSACTIONS_MAX:
        raise Invalid("transactions_max", "Between {least} and {most}.", least=1, most=TRANSACTIONS_MAX)
