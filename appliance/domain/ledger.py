"""The accounts of a site and the names of its transfers. What the rows may be is enforced by the schema's triggers."""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256

from appliance.domain.identifiers import AccountId, SessionId

REVENUE = AccountId(1)
TAX = AccountId(2)
OVERRUN = AccountId(3)
ADJUSTMENTS = AccountId(4)
CASH = AccountId(5)
"""What lies in no drawer: in the safe, or taken where nobody has a shift."""
DEPOSITS = AccountId(9)
"""What was taken for cards that are still out; theirs again when the card comes back."""
OVER_SHORT = AccountId(20)
"""What was counted in drawers beyond what had to be there, or below it."""
EXPENSES = AccountId(21)
"""What was bought with cash out of a drawer."""
DRAWERS_MAX = 70
VOUCHERS = AccountId(12)
"""What was paid for vouchers that nobody has used yet: owed to whoever has the paper."""
OLD_CARDS = AccountId(13)
"""What was on cards of an earlier local system, and is owed to people here: nobody has paid for it here."""
FIRST_WALLET = 100
FIRST_HASH = bytes(32)
AMOUNT_MINOR_MAX = 100_000_000_000


class Operation(StrEnum):
    """What a row of the ledger does."""

    POST = "post"
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"


class TransferCode(StrEnum):
    """What a transfer is for."""

    TOPUP = "topup"
    REFUND = "refund"
    CORRECTION = "correction"
    MERGE = "merge"
    POOL = "pool"
    DEPOSIT = "deposit"
    CHARGE = "charge"
    TAX = "tax"
    OVERRUN = "overrun"
    FLOAT = "float"
    PAY_IN = "pay_in"
    PAY_OUT = "pay_out"
    OVER_SHORT = "over_short"
    TO_SAFE = "to_safe"
    VOUCHER_SALE = "voucher_sale"
    VOUCHER_REFUND = "voucher_refund"
    VOUCHER_WRITE_OFF = "voucher_write_off"


class Method(StrEnum):
    """How money comes in or goes out at the desk."""

    CASH = "cash"
    CARD = "card"
    MOBILE = "mobile"
    BANK = "bank"

    @property
    def account(self) -> AccountId:
        """The account it is booked on: the safe, or what a provider owes the site. Cash of a shift is in its drawer instead."""
        return ACCOUNT_OF_METHOD[self]


BY_VOUCHER = "voucher"
"""What stands in the place of a method where a voucher paid: no money comes in then."""

BY_OLD_CARD = "old_card"
"""The same where the balance of an old card was taken over."""
WITHOUT_MONEY = frozenset({BY_VOUCHER, BY_OLD_CARD})

ACCOUNT_OF_METHOD = {
    Method.CASH: CASH,
    Method.CARD: AccountId(6),
    Method.MOBILE: AccountId(7),
    Method.BANK: AccountId(8),
}


def drawer_account(drawer: int) -> AccountId:
    """Where the cash in a drawer is booked; they are numbered from 1 to DRAWERS_MAX."""
    return AccountId(29 + drawer)


def hold_key(session: SessionId, number: int) -> str:
    """The name of a session's slice `number`, counted from 1."""
    return f"hold|{session}|{number}"


def end_key(session: SessionId, number: int) -> str:
    """The name of the capture or void of that slice."""
    return f"end|{session}|{number}"


def fingerprint(previous: bytes, values: bytes) -> bytes:
    """The hash of a row: over the hash of the row before it and all its columns."""
    return sha256(previous + values).digest()
