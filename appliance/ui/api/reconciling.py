"""Whether money is stopped, and by what, for programs. Letting it move again is an owner's, in the console."""

from __future__ import annotations

from appliance.db.reconciling import stop as rows
from appliance.ui.api.operations import Answer, Call, Operation, at
from appliance.ui.api.shapes import CURRENCY, flag, moment, money, or_null, record, several, whole, words
from appliance.ui.wording.reconciling import sentence
from appliance.ui.writing.formats import formats

DIFFERENCE = record(
    "Difference",
    kind=words(
        "chain, balance, reserved, holds, bill, receipts, drawer, empty_drawer, vouchers or voucher_receipts: what was compared."
    ),
    number=whole("Of the account, the session, the person, the shift or the row; 0 where there is one only."),
    told_minor=money("What is said of it."),
    moved_minor=money("What it is by what has moved."),
    sentence=words("For people."),
)
RECONCILIATION = record(
    "Reconciliation",
    stopped=flag("Whether nothing is booked and nobody who pays may begin."),
    since=or_null(moment()),
    differences=several(DIFFERENCE.reference),
    currency=CURRENCY,
)


async def show(call: Call) -> Answer:
    """`GET /reconciliation`."""
    stopped, site = await call.console.store.read(rows.find), call.console.site
    fmt = formats(site.currency, site.exponent, site.zone)
    names = ("kind", "number", "told_minor", "moved_minor")
    found = stopped.details["differences"] if stopped is not None else []
    return Answer(
        {
            "stopped": stopped is not None,
            "since": at(stopped.since_ms) if stopped is not None else None,
            "differences": [{name: one[name] for name in names} | {"sentence": sentence(one, fmt)} for one in found],
            "currency": call.currency,
        }
    )


OPERATIONS = (
    Operation(
        "GET",
        "/reconciliation",
        "Whether money is stopped, and what differs",
        show,
        RECONCILIATION,
        parts=(DIFFERENCE,),
    ),
)
