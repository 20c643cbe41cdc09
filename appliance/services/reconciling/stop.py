"""Money is stopped by a difference, and moves again when an owner says so. Every way to book at a desk comes past `check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.db.reconciling import stop as rows
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Refusal
from appliance.domain.ledger import TransferCode
from appliance.domain.problem import ProblemKind
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.services import audit, problems
from appliance.services.announce import SettingsChanged
from appliance.services.operators.authority import NotAllowed, is_owner, is_program
from appliance.services.texts import required

CLOCK = "clock"
GOES_ON = frozenset({TransferCode.OVER_SHORT, TransferCode.TO_SAFE})
"""What is booked at a desk all the same: a shift ends, and its drawer is counted. That is what one wants to know then."""
DIFFERENCES_MAX = 1_000
OF_ACCOUNTS = frozenset({DifferenceKind.BALANCE, DifferenceKind.RESERVED, DifferenceKind.EMPTY_DRAWER})


class MoneyStopped(Refusal):
    """The books do not agree with themselves, and nothing is booked before an owner has looked."""


def check(db: Database, code: TransferCode | None = None) -> None:
    """Refuse to move money while it is stopped. `code`: what is booked; None: something else that is for money.

    Raises:
        MoneyStopped: It is.
    """
    if code not in GOES_ON and rows.is_stopped(db):
        raise MoneyStopped(
            "Money is stopped: the books do not agree with themselves. Nothing was booked.",
            "An owner looks under Problems at what differs, and lets money move again.",
        )


def is_refused(db: Database, payer: Payer) -> bool:
    """Whether somebody may not begin now because it would cost them something."""
    return payer.tariff is not None and payer.holder.policy is not Policy.FREE and rows.is_stopped(db)


def report(db: Database, found: list[Difference], now_ms: int) -> bool:
    """What was found: money stops at the first difference that no owner has seen yet. Whether it is stopped now.

    What is found no more stays until an owner lifts it: money was moved since.
    """
    seen, stopped = rows.accepted(db), rows.find(db)
    known: list[dict[str, Any]] = stopped.details["differences"] if stopped is not None else []
    seen |= {one["name"] for one in known}
    new = list(_described(db, [one for one in found if one.name not in seen][: DIFFERENCES_MAX - len(known)]))
    if not new:
        return stopped is not None
    problems.raise_problem(db, ProblemKind.MONEY_STOPPED, rows.SUBJECT, now_ms, differences=known + new)
    audit.record(
        db,
        By(CLOCK, now_ms),
        "money.stop",
        "site",
        count=len(known) + len(new),
        differences=[one["name"] for one in new],
    )
    _changed(db)
    return True


def lift(db: Database, reason: str, by: By) -> None:
    """An owner has looked: these differences are known, and money moves again. Another one stops it anew.

    Raises:
        NotAllowed: Only an owner does that, and no program.
        Invalid: There is no reason.
        Conflict: It is not stopped.
    """
    if not is_owner(db, by.actor):
        raise NotAllowed("Only an owner lets money move again.", "Tell them what stands here.")
    if is_program(by.actor):
        raise NotAllowed(
            "A program cannot let money move again: nobody stands behind its word.", "An owner does it in the console."
        )
    reason = required("reason", reason)
    stopped = rows.find(db)
    if stopped is None:
        raise Conflict("Money is not stopped: there is nothing to lift.")
    names = [one["name"] for one in stopped.details["differences"]]
    problems.clear_problem(db, ProblemKind.MONEY_STOPPED, rows.SUBJECT, by.at_ms)
    audit.record(db, by, "money.lift", "site", reason=reason, count=len(names), differences=names)
    _changed(db)


def _changed(db: Database) -> None:
    rows.STOPPED.drop(db)
    db.announce(SettingsChanged())


def _described(db: Readable, found: list[Difference]) -> Iterator[dict[str, Any]]:
    """As it is kept and told, with the names of now."""
    accounts = rows.account_names(db) if found else {}
    for one in found:
        whose, person = accounts.get(one.number, ("", 0)) if one.kind in OF_ACCOUNTS else ("", 0)
        if one.kind is DifferenceKind.RECEIPTS:
            whose, person = rows.person_name(db, one.number), one.number
        yield {
            "name": one.name,
            "kind": one.kind,
            "number": one.number,
            "whose": whose,
            "person_id": person,
            "told_minor": one.told_minor,
            "moved_minor": one.moved_minor,
        }
