"""A top-up from a person's page, taken back within a minute: by an opposite entry and a credit note, as at the desk."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.wallets import receipts as rows
from appliance.db.wallets.receipts import Receipt
from appliance.domain.by import By
from appliance.domain.errors import Refusal, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.domain.ledger import WITHOUT_MONEY, TransferCode
from appliance.domain.roles import Role
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.operators import authority
from appliance.services.operators.authority import NotAllowed
from appliance.services.people.people import check_open, need
from appliance.services.till import drawers
from appliance.services.wallets import receipts, wallets

UNDO_MS_MAX = 60_000


def undoable(db: Readable, person: PersonId, now_ms: int) -> Receipt | None:
    """The top-up of a person that `undo` would take back now; what is done with a card is taken back at the desk."""
    newest = rows.page(db, person=person, limit=1)
    try:
        return check(db, newest[0].number, now_ms) if newest else None
    except Refusal:
        return None


def undo(db: Database, number: int, by: By) -> int:
    """Take back the top-up that has this receipt; the number of the credit note.

    Raises:
        Refusal: As `check` says; or a guard took none of it.
    """
    receipt = check(db, number, by.at_ms)
    if receipt.actor != by.actor and authority.role_of(db, by.actor) is Role.GUARD:
        raise NotAllowed("Somebody else took this money.", "They take it back, or a cashier does.")
    assert receipt.person_id is not None
    person = need(db, receipt.person_id)
    drawer = drawers.out_of(db, wallets.method_of(receipt.method), receipt.amount_minor, by)
    key, reason = f"undo|receipt-{number}", f"receipt {number}"
    wallets.book(db, key, person.wallet, drawer, receipt.amount_minor, TransferCode.CORRECTION, reason, by)
    note = receipts.write(
        db, "credit_note", receipt.person_id, -receipt.amount_minor, receipt.method, by, corrects=number
    )
    audit.record(db, by, "person.undo", f"person:{person.id}", amount_minor=receipt.amount_minor, name=person.name)
    db.announce(PersonChanged(receipt.person_id))
    return note


def check(db: Readable, number: int, now_ms: int) -> Receipt:
    """The receipt of a top-up that can be taken back.

    Raises:
        Refusal: The minute is over, it is none, a voucher paid, or it was taken back.
        TooLittleMoney: Part of the money is spent or held.
    """
    receipt = receipts.need(db, number)
    is_over = receipt.corrected_by is not None or now_ms - receipt.at_ms > UNDO_MS_MAX
    is_other = receipt.kind != "recharge" or receipt.card_id is not None or receipt.method in WITHOUT_MONEY
    if is_other or is_over or receipt.person_id is None:
        raise Refusal("This cannot be taken back any more.", "Correct it on the page of the person.")
    person = need(db, receipt.person_id)
    check_open(person)
    if person.available_minor is not None and receipt.amount_minor > person.available_minor:
        raise TooLittleMoney("Part of the money is spent or held already.", "Pay out what is left, as a refund.")
    return receipt
