"""What waits for a second person: listed, agreed to, refused."""

from __future__ import annotations

from appliance.db import approvals as rows
from appliance.db.approvals import Approval
from appliance.domain.approval import ApprovalKind, ApprovalState
from appliance.services.approvals import approvals
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import CURRENCY, choice, moment, money, or_null, record, whole, words

APPROVAL = record(
    "Approval",
    id=whole(),
    kind=choice(*ApprovalKind),
    person_id=whole(),
    amount_minor=money("As it was asked for; of a correction out of the wallet below zero."),
    currency=CURRENCY,
    reason=words("Of a correction; else the note."),
    asked_by=words("operator:3, token:2."),
    asked_at=moment(),
    state=choice(*ApprovalState),
    decided_by=words("Empty while it waits."),
    decided_at=or_null(moment()),
)


async def list_approvals(call: Call) -> Answer:
    """`GET /approvals`: the newest first."""
    found = await call.console.store.read(rows.page, call.after or None, call.limit + 1)
    return listed(found, call.limit, lambda one: as_json(call, one), lambda one: one.id)


async def agree(call: Call) -> Answer:
    """`POST /approvals/{id}/approve`."""
    await call.console.store.write(approvals.approve, call.number(), call.by)
    return await _now(call)


async def refuse(call: Call) -> Answer:
    """`POST /approvals/{id}/refuse`."""
    await call.console.store.write(approvals.refuse, call.number(), call.by)
    return await _now(call)


def as_json(call: Call, one: Approval) -> Body:
    """As JSON."""
    return {
        "id": one.id,
        "kind": one.kind,
        "person_id": one.person,
        "amount_minor": one.amount_minor,
        "currency": call.currency,
        "reason": one.request.get("reason") or one.request.get("note") or "",
        "asked_by": one.asked_by,
        "asked_at": at(one.asked_at_ms),
        "state": one.state,
        "decided_by": one.decided_by,
        "decided_at": at(one.decided_at_ms),
    }


async def _now(call: Call) -> Answer:
    found = await call.console.store.read(rows.find, call.number())
    assert found is not None, "it was just decided"
    return Answer(as_json(call, found))


OPERATIONS = (
    Operation(
        "GET", "/approvals", "What was asked for and needs a second person, the newest first", list_approvals, APPROVAL,
        query=PAGING, listed=True,
    ),
    Operation(
        "POST", "/approvals/{id}/approve", "Agree, as another one than who asked: it is done now", agree, APPROVAL, takes=EMPTY
    ),
    Operation("POST", "/approvals/{id}/refuse", "Say no, or take back what one asked for", refuse, APPROVAL, takes=EMPTY),
)  # fmt: skip
