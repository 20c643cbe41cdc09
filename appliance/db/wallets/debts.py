"""Whose balance is below nothing, or below what their group wants: found by the index of balances."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import flush
from appliance.db.people.people import PERSON, Person

BALANCE = "credit_posted - debit_posted"
WALLETS = "kind = 'wallet'"
"""Where this is said, the index of balances is the way to them."""


def owing(db: Readable, limit: int) -> list[Person]:
    """Who owes, the most first."""
    flush(db)
    rows = db.execute(
        f"{PERSON} WHERE {WALLETS} AND {BALANCE} < 0 ORDER BY {BALANCE}, account.id LIMIT :limit", {"limit": limit}
    )
    return [Person(*row) for row in rows]


def running_low(db: Readable, usual_minor: int, limit: int) -> list[Person]:
    """Who pays beforehand, has paid in before, can charge, and has little left, the least first."""
    flush(db)
    most = db.execute(
        "SELECT max(coalesce(low_minor, :usual)) FROM person_group WHERE policy = 'prepaid'", {"usual": usual_minor}
    ).fetchone()[0]
    rows = db.execute(
        f"""{PERSON} WHERE {WALLETS} AND {BALANCE} >= 0 AND {BALANCE} < :most AND {BALANCE} < coalesce(low_minor, :usual)
          AND policy = 'prepaid' AND closed_at_ms IS NULL AND pool_id IS NULL AND credit_posted > 0
          AND (is_pool = 1 OR EXISTS (SELECT 1 FROM card WHERE card.person_id = person.id AND blocked_at_ms IS NULL))
        ORDER BY {BALANCE}, account.id LIMIT :limit""",
        {"most": most or 0, "usual": usual_minor, "limit": limit},
    )
    return [Person(*row) for row in rows]
