"""Receipts for money over the desk. Whoever moves the money writes the receipt in the same unit of work."""

from __future__ import annotations

from appliance.db import ledger, operators
from appliance.db import site as sites
from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.ledger import WITHOUT_MONEY

PAGE = 500


def write(
    db: Database,
    kind: str,
    person: PersonId,
    amount_minor: int,
    method: str,
    by: By,
    *,
    card: CardId | None = None,
    deposit_minor: int = 0,
    corrects: int | None = None,
    voucher: str = "",
    member: str = "",
    debt_minor: int = 0,
) -> int:
    """The receipt for money that was just moved; its number.

    `amount_minor` is what the customer gave (positive) or got back (negative), of which `deposit_minor` for the card, and
    `debt_minor` for what was owed. `person` is whose wallet it is; a pool's has a `member` where it is paid for one.
    Names go into the receipt as they are now: it stays true when they change.
    """
    found = people.find(db, person)
    assert found is not None
    about = cards.find(db, card) if card is not None else None
    return receipts.add(
        db,
        kind=kind,
        person=person,
        card=card,
        amount_minor=amount_minor,
        deposit_minor=deposit_minor,
        method=method,
        balance_minor=ledger.balance(db, found.wallet).balance_minor,
        corrects=corrects,
        by=by,
        details={
            "site": sites.of(db).name,
            "person": found.name,
            "language": found.language,
            "card": about.number if about is not None else None,
            "label": about.label if about is not None else "",
            "by": operators.names(db).get(by.actor, ""),
            **({"voucher": voucher} if voucher else {}),
            **({"member": member} if member else {}),
            **({"debt_minor": debt_minor} if debt_minor else {}),
            **({"tax_number": found.tax_number} if found.tax_number else {}),
        },
    )


def write_for_voucher(
    db: Database, kind: str, amount_minor: int, method: str, voucher: str, by: By, *, corrects: int | None = None
) -> int:
    """The receipt for a voucher that was just sold or paid back, to whoever had it; its number."""
    return receipts.add(
        db,
        kind=kind,
        person=None,
        card=None,
        amount_minor=amount_minor,
        deposit_minor=0,
        method=method,
        balance_minor=0,
        corrects=corrects,
        by=by,
        details={
            "site": sites.of(db).name,
            "person": "",
            "language": "",
            "card": None,
            "label": "",
            "by": operators.names(db).get(by.actor, ""),
            "voucher": voucher,
        },
    )


def taken_since(db: Readable, since_ms: int) -> dict[str, dict[str, int]]:
    """What was taken since a moment, what was given back taken off: minor units by actor and by way of paying. A voucher that pays
    was taken when it was sold.
    """
    taken: dict[str, dict[str, int]] = {}
    before = None
    while page := receipts.page(db, before=before, limit=PAGE):
        for one in page:
            if one.at_ms < since_ms:
                return taken  # Numbers and times rise together, and no index goes by time.
            if one.method in WITHOUT_MONEY:
                continue
            by_method = taken.setdefault(one.actor, {})
            by_method[one.method] = by_method.get(one.method, 0) + one.amount_minor
        before = page[-1].number
    return taken


def need(db: Readable, number: int) -> Receipt:
    """One receipt, or NotFound."""
    found = receipts.find(db, number)
    if found is None:
        raise NotFound("There is no such receipt.")
    return found
