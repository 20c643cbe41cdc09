"""Whose money is running low, and who owes: what is said wherever somebody's balance is shown, and the list of those to call.

What is owed is a balance below nothing, of whoever pays later and of whoever ran into emergency credit; a top-up pays it first, for it is the same
balance. The wallet of somebody in a pool is looked at as the pool's (services/people/pools.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import ledger
from appliance.db.engine.protocols import Readable
from appliance.db.people.people import Person
from appliance.db.wallets import debts as rows
from appliance.domain.authorization import Policy
from appliance.services import settings

LISTED_MAX = 100
ENTRIES_MAX = 200
"""So many movements back it is looked since when somebody owes."""


@dataclass(frozen=True, slots=True)
class Debt:
    """Somebody owes."""

    person: Person
    amount_minor: int
    since_ms: int | None
    """Since when their balance is below nothing; None: for longer than was looked back."""


@dataclass(frozen=True, slots=True)
class ToCall:
    """Who owes, the most first, and whose money is running low, the least first; of each list the first LISTED_MAX."""

    debts: list[Debt]
    low: list[Person]


def low_minor(person: Person, usual_minor: int) -> int:
    """Below what somebody calls them; 0: never. `usual_minor` is the site's setting."""
    if person.policy != Policy.PREPAID or person.closed_at_ms is not None:
        return 0
    return usual_minor if person.low_minor is None else person.low_minor


def is_low(db: Readable, person: Person) -> bool:
    """Whether the money of whoever pays beforehand is running low."""
    return person.balance_minor < low_minor(person, settings.load(db).low_balance_minor)


def to_call(db: Readable) -> ToCall:
    """Both lists."""
    owing = rows.owing(db, LISTED_MAX)
    return ToCall(
        [Debt(one, -one.balance_minor, owed_since(db, one)) for one in owing],
        rows.running_low(db, settings.load(db).low_balance_minor, LISTED_MAX),
    )


def owed_since(db: Readable, person: Person) -> int | None:
    """Since when the balance has been below nothing without a break, as far as is looked back."""
    balance_minor = person.balance_minor
    for entry in ledger.statement(db, person.wallet, limit=ENTRIES_MAX):
        balance_minor -= entry.amount_minor
        if balance_minor >= 0:
            return entry.at_ms
    return None
