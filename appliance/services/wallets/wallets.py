"""Money at the desk: top-ups, refunds, corrections. Each has a key of its own, so that asking twice pays once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from appliance.db import ledger
from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.errors import Invalid, TooLittleMoney
from appliance.domain.identifiers import AccountId, CardId, PersonId
from appliance.domain.ledger import ADJUSTMENTS, Method, Operation, TransferCode
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.approvals import second_person
from appliance.services.people.people import account_of, check_open, need
from appliance.services.reconciling import stop
from appliance.services.texts import optional
from appliance.services.till import drawers
from appliance.services.wallets import receipts

AMOUNT_MINOR_MAX = 100_000_000


@dataclass(frozen=True, slots=True)
class Booked:
    """Money was moved: the transfer's key, and the wallet after it."""

    key: str
    amount_minor: int
    balance_minor: int
    available_minor: int | None
    person: PersonId
    """Whose wallet it is."""
    receipt: int | None = None
    """The number of the receipt; a correction has none."""


class OnReceipt(TypedDict):
    """Of a top-up, what its receipt says besides the amount."""

    member: str
    debt_minor: int


@dataclass(frozen=True, slots=True)
class PaidIn:
    """Into which account money came, and what of it was owed."""

    account: PersonId
    member: str
    """For whom it was paid, where that is somebody who charges from a pool; else ""."""
    debt_minor: int
    """What of it pays what was owed before."""

    @property
    def on_receipt(self) -> OnReceipt:
        """What the receipt says of it."""
        return {"member": self.member, "debt_minor": self.debt_minor}


def top_up(
    db: Database,
    person: PersonId,
    amount_minor: int,
    method: str,
    key: str,
    by: By,
    *,
    note: str = "",
    card: CardId | None = None,
) -> Booked:
    """Money comes in for whoever pays for a person: themselves, or their pool; with a receipt. `key` names this top-up for ever
    (see `idempotent`); `card` is the one that was shown.
    """
    paid = pay_in(db, person, amount_minor, method, key, by, note=note)
    number = receipts.write(db, "recharge", paid.account, amount_minor, method, by, card=card, **paid.on_receipt)
    return booked(db, paid.account, f"topup|{key}", amount_minor, number)


def pay_in(
    db: Database, person: PersonId, amount_minor: int, method: str, key: str, by: By, *, note: str = ""
) -> PaidIn:
    """The money of a top-up, for those who write the receipt themselves."""
    asked, found = need(db, person), account_of(db, person)
    check_amount(amount_minor)
    second_person.check(db, found.wallet, amount_minor, by)
    source = drawers.into(db, method_of(method), by)
    check_open(asked)
    check_open(found)
    book(db, f"topup|{key}", source, found.wallet, amount_minor, TransferCode.TOPUP, note or method, by)
    member = asked.name if asked.id != found.id else ""
    audit.record(
        db, by, "person.topup", f"person:{found.id}", amount_minor=amount_minor, method=method, name=found.name,
        **({"member": member} if member else {}),
    )  # fmt: skip
    db.announce(PersonChanged(found.id))
    return PaidIn(found.id, member, min(amount_minor, max(0, -found.balance_minor)))


def refund(
    db: Database, person: PersonId, amount_minor: int, method: str, key: str, by: By, *, note: str = ""
) -> Booked:
    """Money goes back out of a wallet, with a receipt: at most what is there and not held.

    Raises:
        TooLittleMoney: There is less than that.
    """
    pay_out(db, person, amount_minor, method, key, by, note=note)
    number = receipts.write(db, "refund", person, -amount_minor, method, by)
    return booked(db, person, f"refund|{key}", amount_minor, number)


def pay_out(
    db: Database, person: PersonId, amount_minor: int, method: str, key: str, by: By, *, note: str = ""
) -> None:
    """The money of a refund, for those who write the receipt themselves."""
    found = need(db, person)
    check_own_money(found, amount_minor, found.payable_minor)
    check_refund(found, amount_minor)
    second_person.check(db, found.wallet, amount_minor, by)
    second_person.check_cashier(db, found.wallet, amount_minor, by)
    target = drawers.out_of(db, method_of(method), amount_minor, by)
    book(db, f"refund|{key}", found.wallet, target, amount_minor, TransferCode.REFUND, note or method, by)
    audit.record(db, by, "person.refund", f"person:{person}", amount_minor=amount_minor, method=method, name=found.name)
    db.announce(PersonChanged(person))


def correct(db: Database, person: PersonId, amount_minor: int, reason: str, key: str, by: By) -> Booked:
    """Set a mistake right: a positive amount into the wallet, a negative one out of it. It needs a reason."""
    found = need(db, person)
    check_own_money(found, -amount_minor, found.payable_minor)
    check_correction(found, amount_minor)
    reason = optional("reason", reason)
    if not reason:
        raise Invalid("reason", "A correction needs a reason.")
    second_person.check(db, found.wallet, amount_minor, by)
    debit, credit = (ADJUSTMENTS, found.wallet) if amount_minor > 0 else (found.wallet, ADJUSTMENTS)
    book(db, f"correction|{key}", debit, credit, abs(amount_minor), TransferCode.CORRECTION, reason, by)
    audit.record(
        db, by, "person.correct", f"person:{person}", amount_minor=amount_minor, reason=reason, name=found.name
    )
    return booked(db, person, f"correction|{key}", amount_minor)


def check_own_money(person: Person, amount_minor: int, own_minor: int) -> None:
    """Refuse to take more out of somebody's own wallet than is there, where a pool pays for them: it is the pool's to pay out.

    Raises:
        TooLittleMoney: It is, and the pool's money is meant.
    """
    if person.pool_id is not None and amount_minor > own_minor:
        raise TooLittleMoney(
            "{name} charges from the pool {pool}: of their own there is less than that.",
            "Pay out or correct the pool's money on the page of the pool.",
            name=person.name,
            pool=person.pool_name,
        )


def check_refund(person: Person, amount_minor: int) -> None:
    """Whether so much may go back out; asked before somebody confirms it, and again when it is booked.

    Raises:
        Invalid, TooLittleMoney: It may not.
    """
    check_amount(amount_minor)
    if amount_minor > person.payable_minor:
        raise TooLittleMoney(
            "The wallet of {name} has less than that.",
            "What is held for a session cannot be paid out.",
            name=person.name,
        )


def check_correction(person: Person, amount_minor: int) -> None:
    """The same for a correction, in either direction; out of a wallet goes at most what is available."""
    check_amount(abs(amount_minor))
    if amount_minor > 0:
        check_open(person)
    if amount_minor < 0 and person.available_minor is not None and -amount_minor > person.available_minor:
        raise TooLittleMoney("The wallet of {name} has less than that.", name=person.name)


def book(
    db: Database,
    key: str,
    debit: AccountId,
    credit: AccountId,
    amount_minor: int,
    code: TransferCode,
    reference: str,
    by: By,
) -> None:
    """Post one transfer.

    Raises:
        MoneyStopped: The books do not agree with themselves.
    """
    stop.check(db, code)
    ledger.transfer(
        db,
        Operation.POST,
        key,
        debit=debit,
        credit=credit,
        amount_minor=amount_minor,
        code=code,
        reference=reference[:200],
        by=by,
    )


def booked(db: Database, person: PersonId, key: str, amount_minor: int, receipt: int | None = None) -> Booked:
    """The wallet after it."""
    found = people.find(db, person)
    assert found is not None
    db.announce(PersonChanged(person))
    return Booked(key, amount_minor, found.balance_minor, found.available_minor, person, receipt)


def method_of(text: str) -> Method:
    """How money comes in."""
    try:
        return Method(text)
    except ValueError:
        raise Invalid("method", "The method is cash, card, mobile or bank.") from None


def check_amount(amount_minor: int, most_minor: int = AMOUNT_MINOR_MAX) -> None:
    """More than nothing, and no slip of the keyboard."""
    if amount_minor <= 0:
        raise Invalid("amount_minor", "Enter an amount above zero.")
    if amount_minor > most_minor:
        raise Invalid("amount_minor", "So much is never booked at once.", "Check the number of digits.")
