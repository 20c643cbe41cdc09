"""The rule: where cash goes. Whoever has a shift open takes it into the drawer of that shift; it stands where money moves, so that
no way leads past it.
"""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.till import shifts
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import AccountId
from appliance.domain.ledger import Method
from appliance.domain.roles import Role
from appliance.services import settings
from appliance.services.operators import authority
from appliance.services.reconciling import stop


class CashRefused(Refusal):
    """This cash can be neither taken nor given now; nothing was booked."""


class NeedsShift(CashRefused):
    """Whoever takes cash here has a shift."""


def into(db: Database, method: Method, by: By) -> AccountId:
    """The account on which money is booked that comes in.

    Raises:
        MoneyStopped: The books do not agree with themselves.
        NeedsShift: It is cash, the site wants a shift for it or a guard takes it, and there is none.
    """
    stop.check(db)
    if method is not Method.CASH:
        return method.account
    shift = shifts.open_of(db, by.actor)
    if shift is not None:
        return shift.account
    role = authority.role_of(db, by.actor)
    if role is Role.GUARD or (settings.of(db).cash_needs_shift and role is not None):
        raise NeedsShift(
            "Cash is taken and paid out in a shift here, and you have none open.", "Open your shift first."
        )
    return method.account


def out_of(db: Database, method: Method, amount_minor: int, by: By) -> AccountId:
    """The account on which money is booked that goes out.

    Raises:
        NeedsShift: As `into` says.
        CashRefused: It is more cash than can be in the drawer.
    """
    account = into(db, method, by)
    if method is Method.CASH and account != method.account:
        check_holds(db, account, amount_minor)
    return account


def check_holds(db: Database, account: AccountId, amount_minor: int) -> None:
    """Whether so much can be taken out of a drawer.

    Raises:
        CashRefused: It cannot.
    """
    if amount_minor > shifts.in_drawer_minor(db, account):
        raise CashRefused("There is not so much in the drawer.", "Put money in first, and book that.")
