"""Receipts for money over the desk: numbered without gaps, never changed."""

from __future__ import annotations

from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.identifiers import PersonId
from appliance.services.wallets.receipts import need
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import CURRENCY, choice, moment, money, number_of, or_null, record, whole, words

RECEIPT = record(
    "Receipt",
    number=whole("Without gaps, from 1."),
    kind=choice("issue", "recharge", "refund", "return", "credit_note", "voucher"),
    at=moment(),
    site=words("Names are as they were then."),
    person_id=or_null(whole("null: of a voucher that was sold or paid back.")),
    person=words(),
    card_id=or_null(whole()),
    card_number=or_null(whole("The number printed on the card.")),
    amount_minor=money("Positive was taken, negative was given back; the deposit is part of it."),
    deposit_minor=money("Of the amount, for the card."),
    balance_minor=money("Of the wallet, after it."),
    currency=CURRENCY,
    method=words("cash, card, mobile or bank."),
    actor=words("Who: operator:3, token:2."),
    by=words("Their name."),
    corrects=or_null(whole("The receipt that this one takes back.")),
    corrected_by=or_null(whole("The receipt that takes this one back.")),
)


async def list_receipts(call: Call) -> Answer:
    """`GET /receipts`: the newest first; the next page goes on `after` the lowest number."""
    person = call.query.get("person")
    rows = await call.console.store.read(
        receipts.page,
        person=PersonId(person) if person is not None else None,
        before=call.after or None,
        limit=call.limit + 1,
    )
    return listed(rows, call.limit, lambda row: as_json(call, row), lambda row: row.number)


async def show_receipt(call: Call) -> Answer:
    """`GET /receipts/{number}`."""
    return Answer(as_json(call, await call.console.store.read(need, call.number("number"))))


def as_json(call: Call, receipt: Receipt) -> Body:
    """As JSON."""
    names = receipt.details
    return {
        "number": receipt.number,
        "kind": receipt.kind,
        "at": at(receipt.at_ms),
        "site": names["site"],
        "person_id": receipt.person_id,
        "person": names["person"],
        "card_id": receipt.card_id,
        "card_number": names["card"],
        "amount_minor": receipt.amount_minor,
        "deposit_minor": receipt.deposit_minor,
        "balance_minor": receipt.balance_minor,
        "currency": call.currency,
        "method": receipt.method,
        "actor": receipt.actor,
        "by": names["by"],
        "corrects": receipt.corrects,
        "corrected_by": receipt.corrected_by,
    }


OPERATIONS = (
    Operation(
        "GET", "/receipts", "Receipts, the newest first", list_receipts, RECEIPT, listed=True,
        query=(Parameter("person", number_of("the person")), *PAGING),
    ),
    Operation("GET", "/receipts/{number}", "One receipt", show_receipt, RECEIPT),
)  # fmt: skip
