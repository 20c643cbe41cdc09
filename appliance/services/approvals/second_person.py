"""The rule: which amounts need a second person. It stands where money moves, so that no way leads past it.

What counts is all that one person has moved alone in one wallet within a day, so that many small amounts are one large.
"""

from __future__ import annotations

from appliance.db import ledger, vouchers
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import AccountId, VoucherId
from appliance.domain.ledger import TransferCode
from appliance.domain.roles import Role
from appliance.services import settings
from appliance.services.operators import authority


class NeedsSecondPerson(Refusal):
    """Nothing was booked: another person must agree first."""


DAY_MS = 86_400_000
AGREED = "|approval-"
"""In the name of a transfer that somebody has agreed to."""
UNDO, REFUND, VOUCHER = "undo|", "refund|", "voucher|"


def check(db: Database, wallet: AccountId | None, amount_minor: int, by: By) -> None:
    """Whether so much may be moved by one person alone; whoever is at the machine itself may. `wallet` is None where nobody has it yet.

    Raises:
        NeedsSecondPerson: It may not, and nobody has agreed yet.
    """
    most = settings.of(db).second_person_minor
    if not most or by.second or authority.role_of(db, by.actor) is None:
        return
    if abs(amount_minor) > most:
        raise NeedsSecondPerson(
            "So much money at once needs a second person.",
            "Ask on the person's page: with the same form there, a manager is asked to agree.",
        )
    if amount_minor and wallet is not None and moved_alone_minor(db, wallet, by) + abs(amount_minor) > most:
        raise NeedsSecondPerson(
            "With what you have moved in this wallet within a day, this needs a second person.",
            "Ask on the person's page: with the same form there, a manager is asked to agree.",
        )


def check_cashier(db: Database, wallet: AccountId, amount_minor: int, by: By) -> None:
    """Whether a cashier may pay so much back to one person.

    Raises:
        NeedsSecondPerson: It is more than the setting allows them within a day, and no manager has agreed yet.
    """
    if by.second or authority.role_of(db, by.actor) is not Role.CASHIER:
        return
    most = settings.of(db).refund_cashier_minor
    if amount_minor > most or amount_minor + moved_alone_minor(db, wallet, by, REFUND) > most:
        raise NeedsSecondPerson(
            "A cashier cannot pay back so much alone.",
            "Ask on the person's page: with the same form there, a manager is asked to agree.",
        )


def paid_alone_minor(db: Database, account: AccountId, code: TransferCode, by: By) -> int:
    """What one person has paid alone on an account of the site in the day before, for one purpose."""
    person = authority.person_behind(db, by.actor)
    return sum(
        amount_minor
        for actor, amount_minor in ledger.paid_since(db, account, code, by.at_ms - DAY_MS)
        if authority.person_behind(db, actor) == person
    )


def moved_alone_minor(db: Database, wallet: AccountId, by: By, only: str = "") -> int:
    """What one person has moved in a wallet in the day before, in whichever direction; what was taken back does not count.

    `only`: how the names of what counts begin.
    """
    person = authority.person_behind(db, by.actor)
    return sum(
        -amount_minor if key.startswith(UNDO) else amount_minor
        for key, actor, amount_minor in ledger.moved_by_staff(db, wallet, by.at_ms - DAY_MS)
        if AGREED not in key
        and key.startswith(only)
        and authority.person_behind(db, actor) == person
        and not (key.startswith(VOUCHER) and is_of_two(db, key, person))
    )


def is_of_two(db: Database, key: str, person: str) -> bool:
    """Whether somebody else has sold the voucher of this transfer: whoever redeems it then has not moved it alone."""
    found = vouchers.find(db, VoucherId(int(key.split("|")[1])))
    return found is not None and found.sold_at_ms is not None and authority.person_behind(db, found.sold_by) != person
