"""What does not agree when the money is reconciled: the same things that are told in two ways, and by how much they differ."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class DifferenceKind(StrEnum):
    """What is compared; these words are stored."""

    CHAIN = "chain"
    """A row of the ledger with the one before it."""
    BALANCE = "balance"
    """What an account says it holds, with its transfers."""
    RESERVED = "reserved"
    """What an account says is held on it, with the holds that are open."""
    HOLDS = "holds"
    """What a session says it holds, with the holds that are open in its name."""
    BILL = "bill"
    """What a session costs, with what was captured for it."""
    RECEIPTS = "receipts"
    """What somebody has paid in and got back by their receipts, with the ledger."""
    DRAWER = "drawer"
    """What must be, or had to be, in the drawer of a shift, with its float and its movements."""
    EMPTY_DRAWER = "empty_drawer"
    """What an account of a drawer holds at which nobody has a shift, with nothing."""
    VOUCHERS = "vouchers"
    """What is owed for vouchers, with the vouchers that were sold and not used."""
    VOUCHER_RECEIPTS = "voucher_receipts"
    """What was paid for vouchers and paid back by the receipts, with the ledger."""
    OLD_CARDS = "old_cards"
    """What was taken over from old cards, with the ledger."""


class Difference(NamedTuple):
    """Two figures that must be one. Of a broken chain both are 0."""

    kind: DifferenceKind
    number: int
    """Of the account, the session, the person, the shift or the row; 0 where there is one only."""
    told_minor: int
    """What is said of it."""
    moved_minor: int
    """What it is by what has moved."""

    @property
    def name(self) -> str:
        """What it is known again by: the same difference stays the same while money goes on moving."""
        return f"{self.kind}:{self.number}:{self.told_minor - self.moved_minor}"
