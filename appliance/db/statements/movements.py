"""What moved on a wallet between two rows of the ledger, and which wallets moved at all."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import flush
from appliance.domain.identifiers import AccountId
from appliance.domain.ledger import FIRST_WALLET
from appliance.domain.statement import Moved

OUT_OF = "FROM transfer INDEXED BY transfer_debit WHERE debit = :wallet AND op IN ('post', 'capture') AND seq > :after AND seq <= :until"
INTO = "FROM transfer WHERE credit = :wallet AND op = 'post' AND seq > :after AND seq <= :until"


def between(db: Readable, wallet: AccountId, after_seq: int, until_seq: int) -> list[Moved]:
    """In the order of the ledger; holds are no movements."""
    flush(db)
    rows = db.execute(
        f"""SELECT seq, at_ms, code, reference, actor, -amount_minor, key {OUT_OF} AND amount_minor > 0
        UNION ALL SELECT seq, at_ms, code, reference, actor, amount_minor, key {INTO} ORDER BY seq""",
        {"wallet": wallet, "after": after_seq, "until": until_seq},
    )
    return [Moved(*row) for row in rows]


def moved_minor(db: Readable, wallet: AccountId, after_seq: int, until_seq: int) -> int:
    """By how much the balance changed."""
    flush(db)
    row = db.execute(
        f"SELECT (SELECT coalesce(sum(amount_minor), 0) {INTO}) - (SELECT coalesce(sum(amount_minor), 0) {OUT_OF})",
        {"wallet": wallet, "after": after_seq, "until": until_seq},
    ).fetchone()
    return int(row[0])


def paid_since_minor(db: Readable, wallet: AccountId, after_seq: int) -> int:
    """What came in after a row of the ledger, less what staff took out again: what pays debts of before."""
    flush(db)
    row = db.execute(
        """SELECT (SELECT coalesce(sum(amount_minor), 0) FROM transfer WHERE credit = :wallet AND op = 'post' AND seq > :after)
          - (SELECT coalesce(sum(amount_minor), 0) FROM transfer
             WHERE debit = :wallet AND seq > :after AND op = 'post' AND code NOT IN ('charge', 'tax', 'overrun'))""",
        {"wallet": wallet, "after": after_seq},
    ).fetchone()
    return int(row[0])


def last_before(db: Readable, at_ms: int) -> int:
    """The last row of the ledger before a moment; 0 if there is none. Found by halving: times and numbers rise together."""
    flush(db)
    low, high = 1, db.execute("SELECT coalesce(max(seq), 0) + 1 FROM transfer").fetchone()[0]
    while low < high:
        middle = (low + high) // 2
        if db.execute("SELECT at_ms FROM transfer WHERE seq = ?", (middle,)).fetchone()[0] < at_ms:
            low = middle + 1
        else:
            high = middle
    return int(low) - 1


def wallets_moved(db: Readable, after_seq: int, until_seq: int) -> list[AccountId]:
    """The wallets on which anything was booked, in order."""
    flush(db)
    rows = db.execute(
        """SELECT wallet FROM (
          SELECT debit AS wallet FROM transfer WHERE seq > :after AND seq <= :until AND op IN ('post', 'capture') AND amount_minor > 0
          UNION SELECT credit FROM transfer WHERE seq > :after AND seq <= :until AND op = 'post') AS moved
        WHERE wallet >= :first ORDER BY wallet""",
        {"after": after_seq, "until": until_seq, "first": FIRST_WALLET},
    )
    return [AccountId(row[0]) for row in rows]
