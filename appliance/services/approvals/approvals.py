"""Asked for, agreed to or refused by another person, and then done: a table says what is done for each kind.

What is asked for is kept as it was asked; it is done in the commit in which the second person agrees, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from appliance.db import approvals as rows
from appliance.db.approvals import Approval
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.approval import ApprovalKind, ApprovalState
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import PersonId
from appliance.domain.problem import ProblemKind
from appliance.services import audit, problems
from appliance.services.announce import PersonChanged
from appliance.services.operators.authority import NotAllowed, is_manager, is_program, person_behind
from appliance.services.people import people
from appliance.services.reconciling import stop
from appliance.services.wallets import wallets

KEPT_PENDING_MS = 24 * 3_600_000
CLOCK = "clock"


def _top_up(db: Database, asked: Approval, key: str, by: By) -> None:
    wallets.top_up(db, asked.person, asked.amount_minor, asked.request["method"], key, by, note=asked.request["note"])


def _refund(db: Database, asked: Approval, key: str, by: By) -> None:
    wallets.refund(db, asked.person, asked.amount_minor, asked.request["method"], key, by, note=asked.request["note"])


def _correct(db: Database, asked: Approval, key: str, by: By) -> None:
    wallets.correct(db, asked.person, asked.amount_minor, asked.request["reason"], key, by)


DONE_BY: Mapping[ApprovalKind, Callable[[Database, Approval, str, By], None]] = {
    ApprovalKind.TOPUP: _top_up,
    ApprovalKind.REFUND: _refund,
    ApprovalKind.CORRECTION: _correct,
}


def ask(
    db: Database, kind: ApprovalKind, person: PersonId, amount_minor: int, request: dict[str, Any], key: str, by: By
) -> Approval:
    """Ask for it; the same form again asks once. `request` has `method` and `note`, or the `reason` of a correction.

    Raises:
        Conflict: It was decided already.
        MoneyStopped: Nothing is booked now, so nobody need agree to it.
    """
    stop.check(db)
    known = rows.by_key(db, f"{by.actor}|{key}")
    if known is not None and known.state is not ApprovalState.PENDING:
        raise Conflict("This was asked for before, and was decided.", "Look under Approvals.")
    if known is not None:
        return known
    found = people.account_of(db, person) if kind is ApprovalKind.TOPUP else people.need(db, person)
    person = found.id  # Money that is paid in for who is in a pool is the pool's.
    number = rows.add(db, kind, person, amount_minor, request, f"{by.actor}|{key}", by.actor, by.at_ms)
    audit.record(
        db,
        by,
        "approval.ask",
        f"person:{person}",
        approval=number,
        kind=kind,
        amount_minor=amount_minor,
        name=found.name,
    )
    problems.raise_problem(
        db, ProblemKind.APPROVAL, f"approval:{number}", by.at_ms,
        person=found.name, amount_minor=amount_minor, approval=number,
    )  # fmt: skip
    db.announce(PersonChanged(person))
    asked = rows.find(db, number)
    assert asked is not None
    return asked


def approve(db: Database, number: int, by: By) -> Approval:
    """Agree, as another person than who asked: it is done now, as theirs who asked.

    Raises:
        NotAllowed, Conflict, NotFound: Whoever agrees may not, or it waits no more.
        Refusal: It cannot be done any more; it goes on waiting.
    """
    asked = _need_pending(db, number, by)
    if is_program(by.actor):
        raise NotAllowed(
            "A program cannot agree to it: nobody stands behind its word.",
            "A manager or the owner agrees in the console.",
        )
    if is_same_person(db, asked.asked_by, by.actor):
        raise NotAllowed(
            "Who asked for it cannot agree to it, nor who made the token with which a program did.",
            "Another manager or the owner can.",
        )
    before = people.need(db, asked.person)
    DONE_BY[asked.kind](db, asked, f"approval-{number}", By(asked.asked_by, by.at_ms, second=by.actor))
    after = people.need(db, asked.person)
    _decide(db, asked, ApprovalState.APPROVED, by)
    audit.record(
        db, by, "approval.approve", f"person:{asked.person}",
        approval=number, kind=asked.kind, amount_minor=asked.amount_minor, asked_by=asked.asked_by, name=asked.name,
        before_minor=before.balance_minor, after_minor=after.balance_minor,
    )  # fmt: skip
    return asked


def is_same_person(db: Readable, one: str, other: str) -> bool:
    """Whether two actors are one person: a log-in, and a program whose token was made with it."""
    return person_behind(db, one) == person_behind(db, other)


def refuse(db: Database, number: int, by: By) -> Approval:
    """Say no; or, as who asked for it, take it back.

    Raises:
        NotAllowed, Conflict, NotFound: They may not, or it waits no more.
    """
    found = rows.find(db, number)
    mine = found is not None and found.asked_by == by.actor
    asked = _need_pending(db, number, by, anybody=mine)
    _decide(db, asked, ApprovalState.WITHDRAWN if mine else ApprovalState.REFUSED, by)
    audit.record(
        db, by, "approval.refuse", f"person:{asked.person}",
        approval=number, kind=asked.kind, amount_minor=asked.amount_minor, name=asked.name,
    )  # fmt: skip
    return asked


def expire(db: Database, now_ms: int) -> None:
    """What nobody has decided on for a day waits no more."""
    for asked in rows.pending(db):
        if now_ms - asked.asked_at_ms > KEPT_PENDING_MS:
            _decide(db, asked, ApprovalState.EXPIRED, By(CLOCK, now_ms))


def expire_all(db: Database, now_ms: int) -> int:
    """Nothing waits any more, for it may have been decided where these books do not know of; how many did."""
    found = rows.pending(db)
    for asked in found:
        _decide(db, asked, ApprovalState.EXPIRED, By(CLOCK, now_ms))
    return len(found)


def _need_pending(db: Readable, number: int, by: By, *, anybody: bool = False) -> Approval:
    found = rows.find(db, number)
    if found is None:
        raise NotFound("Nobody has asked for this.")
    if not anybody and not is_manager(db, by.actor):
        raise NotAllowed("A manager or the owner decides on this.")
    if found.state is not ApprovalState.PENDING:
        raise Conflict("This was decided already.")
    return found


def _decide(db: Database, asked: Approval, state: ApprovalState, by: By) -> None:
    rows.decide(db, asked.id, state, by.actor, by.at_ms)
    problems.clear_problem(db, ProblemKind.APPROVAL, f"approval:{asked.id}", by.at_ms)
    db.announce(PersonChanged(asked.person))
