"""Shifts: opened with a float, closed by a blind count. What is over or short is booked, and the drawer is empty again or the next one's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from appliance.db import ledger, operators
from appliance.db import site as sites
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.till import shifts as rows
from appliance.db.till.shifts import Moved, Shift
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.identifiers import ShiftId
from appliance.domain.ledger import AMOUNT_MINOR_MAX, CASH, EXPENSES, OVER_SHORT, TransferCode
from appliance.domain.problem import ProblemKind
from appliance.domain.roles import TAKES_MONEY, Role
from appliance.services import audit, problems, settings
from appliance.services.announce import ShiftChanged
from appliance.services.approvals import second_person
from appliance.services.operators import authority
from appliance.services.operators.authority import NotAllowed
from appliance.services.texts import optional
from appliance.services.till import drawers
from appliance.services.wallets import wallets


class Way(StrEnum):
    """Which way cash moves that has to do with nobody's wallet."""

    IN = "in"
    OUT = "out"


class Counterpart(StrEnum):
    """Where that comes from, or goes."""

    SAFE = "safe"
    """The safe, or the bank."""
    EXPENSES = "expenses"
    """Something was bought; or what was too much for it comes back."""


COUNTERPARTS = {Counterpart.SAFE: CASH, Counterpart.EXPENSES: EXPENSES}


class AlreadyOpen(Conflict):
    """Whoever opens a shift has one."""


class AlreadyClosed(Conflict):
    """It was closed before."""


class MovedMeanwhile(Conflict):
    """Money moved between the count and the end of the shift."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a shift came to so far, or in the end."""

    shift: Shift
    moved: list[Moved]
    expected_minor: int
    """What must be in the drawer, or had to be when it was counted."""

    @property
    def difference_minor(self) -> int | None:
        """Counted beyond what had to be there; below zero: missing. None while the shift is open."""
        return None if self.shift.counted is None else self.shift.counted.minor - self.expected_minor


@dataclass(frozen=True, slots=True)
class Closed:
    """A shift is over, and, where the drawer was handed over, another has begun."""

    shift: Shift
    following: Shift | None


def open_shift(db: Database, money: Cash, by: By) -> Shift:
    """A drawer for whoever opens it, with this money in it, out of the safe.

    Raises:
        AlreadyOpen: They have one.
        Conflict: All drawers are taken.
    """
    mine = rows.open_of(db, by.actor)
    if mine is not None:
        raise AlreadyOpen("You have a shift open already. Nothing was opened now.", "Close it first.")
    drawer = rows.free_drawer(db)
    if drawer is None:
        raise Conflict("All drawers are in use.", "Close a shift that nobody works in any more.")
    account = rows.account_of(db, drawer)
    if money.minor:
        # The float lies in the drawer before the shift begins, so its name is that of the shift that is about to.
        wallets.book(
            db,
            f"float|{ledger.newest(db)[0] + 1}",
            account,
            CASH,
            money.minor,
            TransferCode.FLOAT,
            f"drawer {drawer}",
            by,
        )
    shift = rows.begin(db, drawer, by.actor, money, by.at_ms)
    audit.record(db, by, "shift.open", f"shift:{shift.id}", drawer=drawer, amount_minor=money.minor)
    db.announce(ShiftChanged(shift.id))
    return shift


def move(
    db: Database, shift: ShiftId, way: Way, counterpart: Counterpart, amount_minor: int, reason: str, key: str, by: By
) -> Shift:
    """Cash into a drawer or out of it that has to do with nobody's wallet.

    Raises:
        AlreadyClosed, NotAllowed, NotFound: It is not open, or another's.
        Invalid: The amount is none, or what was bought is not named.
        CashRefused: There is not so much in the drawer.
    """
    found = need_open(db, shift, by)
    reason = optional("reason", reason)
    wallets.check_amount(amount_minor, AMOUNT_MINOR_MAX)
    if counterpart is Counterpart.EXPENSES and not reason:
        raise Invalid("reason", "Say what it is for.")
    other = COUNTERPARTS[counterpart]
    if way is Way.OUT:
        check_spending(db, counterpart, amount_minor, by)
        drawers.check_holds(db, found.account, amount_minor)
    debit, credit = (found.account, other) if way is Way.IN else (other, found.account)
    code = TransferCode.PAY_IN if way is Way.IN else TransferCode.PAY_OUT
    wallets.book(db, f"{code}|{key}", debit, credit, amount_minor, code, reason or counterpart, by)
    audit.record(
        db, by, "shift.pay_in" if way is Way.IN else "shift.pay_out", f"shift:{shift}",
        amount_minor=amount_minor, counterpart=counterpart, reason=reason,
    )  # fmt: skip
    db.announce(ShiftChanged(shift))
    return found


def close(
    db: Database,
    shift: ShiftId,
    counted: Cash,
    reason: str,
    by: By,
    *,
    hand_to: str = "",
    seen_seq: int | None = None,
) -> Closed:
    """Count, book what is over or short, and bring all of it to the safe; or hand the drawer with it to `hand_to`.

    `seen_seq`: the last row of the drawer when its difference was shown; what moved since would make it another.

    Raises:
        AlreadyClosed, NotAllowed, NotFound: It is not open, or another's.
        MovedMeanwhile: It is to be counted again.
        Refusal: Whoever is to take the drawer over cannot.
    """
    found = need_open(db, shift, by)
    if seen_seq is not None and rows.last_seq(db, found) != seen_seq:
        raise MovedMeanwhile("Money moved in this drawer since it was counted.", "Count again.")
    if hand_to:
        check_successor(db, hand_to, found)
    before, expected_minor = ledger.newest(db)[0], rows.in_drawer_minor(db, found.account)
    over_minor = counted.minor - expected_minor
    about = f"shift {shift}"
    if over_minor:
        debit, credit = (found.account, OVER_SHORT) if over_minor > 0 else (OVER_SHORT, found.account)
        wallets.book(db, f"count|{shift}", debit, credit, abs(over_minor), TransferCode.OVER_SHORT, about, by)
    if counted.minor and not hand_to:
        wallets.book(db, f"safe|{shift}", CASH, found.account, counted.minor, TransferCode.TO_SAFE, about, by)
    names = operators.names(db)
    details = {
        "site": sites.of(db).name,
        "holder": names.get(found.actor, ""),
        "closed_by": names.get(by.actor, ""),
        "next": names.get(hand_to, ""),
    }
    z_number = rows.end(db, found, before, expected_minor, counted, optional("reason", reason), by, details)
    audit.record(
        db, by, "shift.close", f"shift:{shift}",
        z=z_number, amount_minor=counted.minor, difference_minor=over_minor, reason=reason,
    )  # fmt: skip
    values = settings.of(db)
    if values.drawer_off_minor and abs(over_minor) >= values.drawer_off_minor:
        # Where cashiers are not told how much it is, the page of the shift tells managers alone.
        much: dict[str, object] = (
            {} if values.hide_drawer else {"amount_minor": abs(over_minor), "is_short": over_minor < 0}
        )
        if found.taken_over is not None:
            # Its float is that one's word.
            much["before"] = names.get(need(db, found.taken_over).actor, "")
        problems.raise_problem(
            db, ProblemKind.DRAWER_OFF, f"shift:{shift}", by.at_ms, shift=int(shift), who=details["holder"], **much
        )
    following = None
    if hand_to:
        following = rows.begin(db, found.drawer, hand_to, counted, by.at_ms, found.id)
        audit.record(
            db,
            by,
            "shift.hand_over",
            f"shift:{following.id}",
            drawer=found.drawer,
            amount_minor=counted.minor,
            to=hand_to,
        )
        db.announce(ShiftChanged(following.id))
    db.announce(ShiftChanged(shift))
    return Closed(need(db, shift), following)


def record_count(db: Database, shift: ShiftId, counted: Cash, by: By) -> Figures:
    """The difference is about to be shown: that it was is on record, for whoever counts again has seen it. Who is not told it has not.

    Raises:
        AlreadyClosed, NotAllowed, NotFound: It is not open, or another's.
    """
    found = figures(db, need_open(db, shift, by))
    if counted.minor != found.expected_minor and sees_expected(db, by.actor):
        audit.record(
            db, by, "shift.count", f"shift:{shift}",
            amount_minor=counted.minor, difference_minor=counted.minor - found.expected_minor,
        )  # fmt: skip
    return found


def figures(db: Readable, shift: Shift) -> Figures:
    """All that is shown of a shift."""
    expected = shift.expected_minor
    return Figures(
        shift, rows.moved(db, shift), rows.in_drawer_minor(db, shift.account) if expected is None else expected
    )


def sees_expected(db: Readable, actor: str) -> bool:
    """Whether somebody is told what must be in a drawer; a setting hides it from cashiers."""
    return not settings.load(db).hide_drawer or authority.is_manager(db, actor)


def successors(db: Readable, shift: Shift) -> list[tuple[str, str]]:
    """Who can take a drawer over: actor and name of all who may take money and have no shift."""
    allowed = TAKES_MONEY | {Role.GUARD} if settings.load(db).guards_take_cash else TAKES_MONEY
    busy = {one.actor for one in rows.every_open(db)}
    return [
        (f"operator:{one.id}", one.name)
        for one in operators.every(db)
        if one.disabled_at_ms is None and one.role in allowed and f"operator:{one.id}" not in busy | {shift.actor}
    ]


def check_successor(db: Readable, actor: str, shift: Shift) -> None:
    """Refuse whoever is no longer there, may not take money, or has a drawer.

    Raises:
        Invalid: They cannot take it over.
    """
    if actor not in dict(successors(db, shift)):
        raise Invalid("hand_to", "They cannot take the drawer over: they may not take money, or have a shift already.")


def check_spending(db: Database, counterpart: Counterpart, amount_minor: int, by: By) -> None:
    """What a cashier spends is bounded as other money that leaves the house through one person.

    Raises:
        NotAllowed: A manager does this.
    """
    most = settings.of(db).second_person_minor
    if counterpart is not Counterpart.EXPENSES or not most or authority.is_manager(db, by.actor):
        return
    if amount_minor > most:
        raise NotAllowed("So much cannot be spent by a cashier.", "A manager pays it out of this drawer.")
    if amount_minor + second_person.paid_alone_minor(db, EXPENSES, TransferCode.PAY_OUT, by) > most:
        raise NotAllowed(
            "With what you have spent within a day, so much cannot be spent by a cashier.",
            "A manager pays it out of this drawer.",
        )


def need(db: Readable, shift: int) -> Shift:
    """The shift, or NotFound."""
    found = rows.find(db, shift)
    if found is None:
        raise NotFound("There is no such shift.")
    return found


def need_seen(db: Readable, shift: int, actor: str) -> Shift:
    """The shift, for whoever has it and for managers.

    Raises:
        NotFound, NotAllowed: There is none, or it is another's.
    """
    found = need(db, shift)
    if found.actor != actor and not authority.is_manager(db, actor):
        raise NotAllowed("This is somebody else's shift.", "They see it, and managers do.")
    return found


def need_open(db: Readable, shift: int, by: By) -> Shift:
    """The same, while it goes on.

    Raises:
        AlreadyClosed: It is over.
    """
    found = need_seen(db, shift, by.actor)
    if not found.is_open:
        raise AlreadyClosed(
            "This shift was closed before, with Z report {number}. Nothing was booked now.", number=found.z_number
        )
    return found
