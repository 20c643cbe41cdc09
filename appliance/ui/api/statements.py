"""Statements: a wallet and a month, as programs read it."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.domain import statement as rules
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import PersonId
from appliance.domain.statement import Entry, Section, Settled
from appliance.services.people import pools
from appliance.services.statements import statements
from appliance.services.statements.statements import Statement
from appliance.ui.api.bills import PARTY, party
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import Answer, Body, Call, Operation, at
from appliance.ui.api.shapes import (
    CURRENCY,
    choice,
    flag,
    moment,
    money,
    number_of,
    or_null,
    record,
    several,
    text,
    whole,
    words,
)
from appliance.ui.frame.language import N_

STATEMENT_ENTRY = record(
    "StatementEntry",
    section=choice(*Section),
    at=moment(),
    amount_minor=money(
        "Positive into the wallet, negative out of it; all that a session took at its end is one entry."
    ),
    balance_minor=money("After it."),
    session_id=or_null(whole()),
    code=words("As in the ledger."),
    reference=words(),
    transfer_id=whole("The last row of the ledger that it stands for."),
)
STATEMENT = record(
    "Statement",
    number=or_null(whole("Without gaps; null: the month runs, nothing moved in it, or it was before statements were numbered.")),
    person_id=or_null(whole()),
    person=words("Names are as they were then."),
    month=words("2026-11, by the site's days."),
    runs=flag("Whether the month is not over yet."),
    issued_at=or_null(moment()),
    seller=PARTY.reference,
    buyer=PARTY.reference,
    balance_before_minor=money(),
    sessions_minor=money("Below zero: it went out of the wallet. So are refunds."),
    topups_minor=money(),
    refunds_minor=money(),
    corrections_minor=money(),
    balance_after_minor=money("The sum of all these."),
    currency=CURRENCY,
    state=choice(*Settled, description="What became of what is owed on account."),
    due_at=or_null(moment()),
    paid_since_minor=money("What came in after its end."),
    entries=several(STATEMENT_ENTRY.reference),
)  # fmt: skip


async def show_statement(call: Call) -> Answer:
    """`GET /statements?person=&month=`, or `?pool=`: without a month the one that runs."""
    console = call.console
    month = call.query.get("month") or rules.month_of(call.now_ms, console.site.zone)
    if ("person" in call.query) == ("pool" in call.query):
        raise Invalid("person", N_("Say whose statement is meant: either a person or a pool."))
    if "pool" in call.query:
        await console.store.read(pools.need, PersonId(call.query["pool"]))
    holder = PersonId(call.query["pool" if "pool" in call.query else "person"])
    return Answer(_as_json(call, await console.store.read(_read, holder, month, call.now_ms)))


def _read(db: Readable, person: PersonId, month: str, now_ms: int) -> Statement:
    return statements.of_person(db, person, month, now_ms)


def _as_json(call: Call, one: Statement) -> Body:
    return {
        "number": one.number,
        "person_id": one.person,
        "person": one.names.person,
        "month": one.month,
        "runs": one.runs,
        "issued_at": at(one.issued_at_ms),
        "seller": party(one.names.seller),
        "buyer": party(one.names.buyer),
        "balance_before_minor": one.before_minor,
        "sessions_minor": one.sums.sessions,
        "topups_minor": one.sums.topups,
        "refunds_minor": one.sums.refunds,
        "corrections_minor": one.sums.corrections,
        "balance_after_minor": one.after_minor,
        "currency": call.currency,
        "state": str(one.state),
        "due_at": at(one.due_at_ms),
        "paid_since_minor": one.paid_since_minor,
        "entries": [_entry(entry) for entry in one.entries],
    }


def _entry(one: Entry) -> Body:
    return {
        "section": str(one.section),
        "at": at(one.at_ms),
        "amount_minor": one.amount_minor,
        "balance_minor": one.balance_minor,
        "session_id": one.session,
        "code": one.code,
        "reference": one.reference,
        "transfer_id": one.seq,
    }


OPERATIONS = (
    Operation(
        "GET", "/statements", "What happened to the wallet of a person or a pool in a month", show_statement, STATEMENT,
        query=(
            Parameter("person", number_of("the person; or the pool says whose it is")),
            Parameter("pool", number_of("the pool")),
            Parameter("month", text(7, "2026-11; left out: the month that runs.")),
        ),
        parts=(STATEMENT_ENTRY, PARTY),
    ),
)  # fmt: skip
