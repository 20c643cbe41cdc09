"""One voucher: sold, redeemed, voided, written off, let go again after a restore. Each happens once, whoever asks how often.

The money has the voucher's number in its name, so the ledger itself refuses a second time; the schema lets no voucher change without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db import vouchers as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.vouchers import Paper, Voucher
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.identifiers import AccountId, PersonId, VoucherId
from appliance.domain.ledger import ADJUSTMENTS, BY_VOUCHER, VOUCHERS, TransferCode
from appliance.domain.voucher import VoucherEvent, VoucherState, after, as_ranges, transfer_key
from appliance.services import audit, settings
from appliance.services.announce import PersonChanged
from appliance.services.approvals import second_person
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.operators import authority
from appliance.services.operators.authority import NotAllowed, is_manager, is_owner
from appliance.services.people.people import account_of, check_open
from appliance.services.people.people import need as need_person
from appliance.services.till import drawers
from appliance.services.vouchers.codes import Asked
from appliance.services.wallets import receipts, wallets
from appliance.services.wallets.wallets import Booked

SOLD_AT_ONCE_MAX = 200


class NoSuchVoucher(NotFound):
    """Nobody has printed it: a guess, or a paper from elsewhere."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was paid or paid back for a voucher."""

    voucher: VoucherId
    name: str
    amount_minor: int
    receipt: int | None
    """None: nobody had paid for it."""


def sell(db: Database, asked: Asked, method: str, by: By) -> Moved:
    """Money comes in for a voucher, with a receipt; from now on it can be redeemed.

    Raises:
        NoSuchVoucher, Conflict: There is none, or it cannot be sold (any more).
        NeedsShift: Cash is taken in a shift here.
    """
    found = need(db, asked)
    _refuse_unsaleable(found, by.at_ms)
    _check_alone(db, None, found.amount_minor, by)
    source = drawers.into(db, wallets.method_of(method), by)
    state = after(found.state, VoucherEvent.SOLD)
    key = transfer_key(found.id, state)
    wallets.book(db, key, source, VOUCHERS, found.amount_minor, TransferCode.VOUCHER_SALE, f"voucher {found.name}", by)
    receipt = receipts.write_for_voucher(db, "voucher", found.amount_minor, method, found.name, by)
    rows.set_sold(db, found.id, state, receipt, by)
    audit.record(
        db, by, "voucher.sell", f"voucher:{found.id}",
        name=found.name, amount_minor=found.amount_minor, method=method, receipt=receipt,
    )  # fmt: skip
    return Moved(found.id, found.name, found.amount_minor, receipt)


def for_sale(db: Readable, asked: Asked, count: int, now_ms: int) -> list[Voucher]:
    """That many vouchers of one batch, from the one that somebody names on, in the order of their numbers.

    Raises:
        Invalid: It is none, or too many at once.
        NoSuchVoucher, Conflict: One of them there is not, or it cannot be sold (any more).
    """
    if not 1 <= count <= SOLD_AT_ONCE_MAX:
        raise Invalid("count", "Between {least} and {most}.", least=1, most=SOLD_AT_ONCE_MAX)
    first = need(db, asked)
    found = [need(db, Asked(number=(first.batch_id, first.number + more))) for more in range(count)]
    for one in found:
        _refuse_unsaleable(one, now_ms)
    return found


def sell_many(db: Database, asked: Asked, count: int, method: str, by: By) -> list[Moved]:
    """All of them, or none: each with a receipt of its own, so that each can be paid back by itself.

    Raises:
        As `for_sale` and `sell` say; also where they come together to what needs a second person.
    """
    papers = for_sale(db, asked, count, by.at_ms)
    _check_alone(db, None, sum(one.amount_minor for one in papers), by)
    return [sell(db, Asked(number=(one.batch_id, one.number)), method, by) for one in papers]


def redeem(db: Database, asked: Asked, person: PersonId, by: By) -> Booked:
    """What a voucher is worth goes into a wallet, with a receipt.

    Raises:
        NoSuchVoucher, Conflict: There is none, or it was redeemed, is not sold, has expired or is void.
        Refusal: The account of that person is closed.
    """
    found, payee = need(db, asked), account_of(db, person)
    check_open(need_person(db, person))
    _refuse_over(found, by.at_ms)
    if found.state is VoucherState.MADE and not found.given_away:
        raise Conflict("Voucher {name} is not sold yet: it is worth nothing.", "Sell it first.", name=found.name)
    check_open(payee)
    # Who has sold it, too, moves its money alone, as with a top-up.
    if found.given_away or authority.person_behind(db, found.sold_by) == authority.person_behind(db, by.actor):
        _check_alone(db, payee.wallet, found.amount_minor, by)
    state = after(found.state, VoucherEvent.REDEEMED)
    key, source = transfer_key(found.id, state), ADJUSTMENTS if found.given_away else VOUCHERS
    wallets.book(db, key, source, payee.wallet, found.amount_minor, TransferCode.TOPUP, f"voucher {found.name}", by)
    audit.record(
        db, by, "person.topup", f"person:{payee.id}",
        amount_minor=found.amount_minor, method=BY_VOUCHER, name=payee.name, voucher=found.name,
    )  # fmt: skip
    debt_minor = min(found.amount_minor, max(0, -payee.balance_minor))
    receipt = receipts.write(
        db, "recharge", payee.id, found.amount_minor, BY_VOUCHER, by, voucher=found.name, debt_minor=debt_minor
    )
    rows.set_over(db, found.id, state, by, person=payee.id)
    db.announce(PersonChanged(payee.id))
    return wallets.booked(db, payee.id, key, found.amount_minor, receipt)


def void(db: Database, asked: Asked, method: str, by: By) -> Moved:
    """A voucher is worth nothing any more. What was paid for it goes back, by `method` or, if that is "", the way it came.

    Raises:
        NotAllowed: A manager does that.
        NoSuchVoucher, Conflict: There is none, or it is over already.
        CashRefused: It is more cash than is in the drawer, or needs a shift.
    """
    if not is_manager(db, by.actor):
        raise NotAllowed("A manager voids vouchers.")
    found = need(db, asked)
    _refuse_ended(found)
    state = after(found.state, VoucherEvent.VOIDED)
    about = {"batch": found.batch_id, "numbers": [[found.number, found.number]], "name": found.name}
    if found.receipt is None:
        audit.record(db, by, "voucher.void", f"voucher:{found.id}", **about)
        rows.set_over(db, found.id, state, by)
        return Moved(found.id, found.name, found.amount_minor, None)
    method = method or receipts.need(db, found.receipt).method
    _check_paid_back(db, found, by)
    target = drawers.out_of(db, wallets.method_of(method), found.amount_minor, by)
    key, reference = transfer_key(found.id, state), f"voucher {found.name}"
    wallets.book(db, key, VOUCHERS, target, found.amount_minor, TransferCode.VOUCHER_REFUND, reference, by)
    note = receipts.write_for_voucher(
        db, "credit_note", -found.amount_minor, method, found.name, by, corrects=found.receipt
    )
    audit.record(
        db, by, "voucher.refund", f"voucher:{found.id}", **about, amount_minor=found.amount_minor, method=method, receipt=note
    )  # fmt: skip
    rows.set_over(db, found.id, state, by)
    return Moved(found.id, found.name, found.amount_minor, note)


def write_off(db: Database, voucher: VoucherId, by: By) -> Moved:
    """What was paid for a voucher that has expired is the site's from now on: an owner says so, once.

    Raises:
        NotAllowed: Only an owner does that.
        Conflict: It has not expired, or nobody paid for it.
    """
    if not is_owner(db, by.actor):
        raise NotAllowed("Only an owner writes vouchers off.")
    found = need_by_id(db, voucher)
    if found.state is not VoucherState.EXPIRED or found.receipt is None:
        raise Conflict("Only a voucher that was sold and has expired can be written off.")
    state = after(found.state, VoucherEvent.WRITTEN_OFF)
    key, reference = transfer_key(found.id, state), f"voucher {found.name}"
    wallets.book(db, key, VOUCHERS, ADJUSTMENTS, found.amount_minor, TransferCode.VOUCHER_WRITE_OFF, reference, by)
    audit.record(db, by, "voucher.write_off", f"voucher:{found.id}", name=found.name, amount_minor=found.amount_minor)
    rows.set_over(db, found.id, state, by)
    return Moved(found.id, found.name, found.amount_minor, None)


def hold(db: Database, papers: Sequence[Paper], by: By) -> None:
    """These may have been used where the books do not know of: nothing is done with them before somebody has looked."""
    by_batch: dict[int, list[int]] = defaultdict(list)
    for paper in papers:
        rows.set_state(db, paper.id, after(paper.state, VoucherEvent.HELD))
        by_batch[paper.batch_id].append(paper.number)
    for batch, numbers in by_batch.items():
        audit.record(db, by, "voucher.hold", f"voucher_batch:{batch}", batch=batch, numbers=as_ranges(numbers))


def release(db: Database, voucher: VoucherId, by: By) -> None:
    """Somebody has looked at a voucher that is held since a restore: it is good again, as far as these books know it.

    Raises:
        NotAllowed: A manager does that.
        Conflict: It is not held.
    """
    if not is_manager(db, by.actor):
        raise NotAllowed("A manager looks at vouchers that are held.")
    found = need_by_id(db, voucher)
    if found.state is not VoucherState.HELD:
        raise Conflict("Voucher {name} is not held.", name=found.name)
    event = VoucherEvent.RELEASED if found.sold_at_ms is None else VoucherEvent.RELEASED_SOLD
    rows.set_state(db, found.id, after(found.state, event))
    audit.record(
        db, by, "voucher.release", f"voucher:{found.id}",
        batch=found.batch_id, numbers=[[found.number, found.number]], name=found.name,
    )  # fmt: skip


def guessed(db: Database, address: str, by: By) -> None:
    """Put on record that somebody typed a code that was never printed, and not by a slip of the finger: that has a check."""
    audit.record(db, by, "voucher.guess", "site", address=address)


def need(db: Readable, asked: Asked) -> Voucher:
    """The voucher that somebody names, or NoSuchVoucher."""
    if asked.code_hash is not None:
        found = rows.by_code_hash(db, asked.code_hash)
    else:
        found = rows.by_number(db, *asked.number) if asked.number is not None else None
    if found is None:
        raise no_such_voucher()
    return found


def need_by_id(db: Readable, voucher: VoucherId) -> Voucher:
    """The voucher of a page, or NoSuchVoucher."""
    found = rows.find(db, voucher)
    if found is None:
        raise no_such_voucher()
    return found


def no_such_voucher() -> NoSuchVoucher:
    """The refusal."""
    return NoSuchVoucher("There is no such voucher.", "Compare the code with the paper.")


def _check_alone(db: Database, wallet: AccountId | None, amount_minor: int, by: By) -> None:
    """Refuse what would need a second person: an amount of less than it was when the vouchers were printed."""
    try:
        second_person.check(db, wallet, amount_minor, by)
    except NeedsSecondPerson:
        raise Conflict(
            "So much money at once needs a second person, and nobody can agree to a voucher.",
            "The owner says under Settings from which amount on.",
        ) from None


def _check_paid_back(db: Database, found: Voucher, by: By) -> None:
    """The same of money that goes out for vouchers: many small ones within a day are one large."""
    _check_alone(db, None, found.amount_minor, by)
    most = settings.of(db).second_person_minor
    if not most or authority.role_of(db, by.actor) is None:
        return
    if found.amount_minor + second_person.paid_alone_minor(db, VOUCHERS, TransferCode.VOUCHER_REFUND, by) > most:
        raise Conflict(
            "With what you have paid back for vouchers within a day, this needs a second person.",
            "Let another manager do it, or wait until tomorrow.",
        )


def _refuse_ended(found: Voucher) -> None:
    """Refuse what nothing happens to any more, in a sentence that says what has."""
    if found.state is VoucherState.REDEEMED:
        raise Conflict("Voucher {name} was redeemed already: nothing was booked now.", name=found.name)
    if found.state is VoucherState.VOIDED:
        raise Conflict("Voucher {name} is void: it is worth nothing.", name=found.name)
    if found.state is VoucherState.WRITTEN_OFF:
        raise Conflict("Voucher {name} has expired, and was written off.", "Ask a manager.", name=found.name)


def _refuse_unsaleable(found: Voucher, now_ms: int) -> None:
    """Refuse what nobody can buy."""
    _refuse_over(found, now_ms)
    if found.given_away:
        raise Conflict("Voucher {name} is given away: it is worth its amount without being sold.", name=found.name)
    if found.state is VoucherState.SOLD:
        raise Conflict("Voucher {name} was sold already.", "Take another one.", name=found.name)


def _refuse_over(found: Voucher, now_ms: int) -> None:
    """Refuse what can be neither sold nor redeemed."""
    _refuse_ended(found)
    if found.state is VoucherState.HELD:
        raise Conflict(
            "Voucher {name} is held: the books were restored, and it may have been used since their backup.",
            "A manager looks at it first.",
            name=found.name,
        )
    if found.state is VoucherState.EXPIRED or found.has_expired(now_ms):
        raise Conflict("Voucher {name} has expired.", "A manager can pay it back.", name=found.name)
