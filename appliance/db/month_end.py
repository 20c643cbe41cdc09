"""What the books came to in a month: accounts before and after it, and the newest rows of both chains at its end."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import ledger
from appliance.db.engine.protocols import Readable
from appliance.db.integrity.anchors import COLUMNS, Anchor
from appliance.db.takings import number_at, seq_at
from appliance.domain.ledger import FIRST_WALLET

MOVED = f"""
SELECT CASE WHEN debit >= {FIRST_WALLET} THEN 0 ELSE debit END, CASE WHEN credit >= {FIRST_WALLET} THEN 0 ELSE credit END, sum(amount_minor)
FROM transfer WHERE seq >= :from AND seq < :until AND op IN ('post', 'capture') GROUP BY 1, 2
"""
SHIFTS = "SELECT count(*), min(z_number), max(z_number) FROM shift WHERE closed_at_ms >= ? AND closed_at_ms < ?"


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """One account, or all wallets together: what it held before and after, credit minus debit, and what moved."""

    name: str
    kind: str
    before_minor: int
    in_minor: int
    out_minor: int

    @property
    def after_minor(self) -> int:
        """At the end of the month."""
        return self.before_minor + self.in_minor - self.out_minor


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The last row of a chain that was written before a moment; (0, b"") where there was none."""

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Papers:
    """How many were written, and the first and last number; 0 where there was none."""

    count: int
    first: int
    last: int


def accounts(db: Readable, from_ms: int, until_ms: int) -> list[AccountMonth]:
    """All accounts; what they hold now, less what has moved since."""
    begin, end = seq_at(db, "transfer", from_ms), seq_at(db, "transfer", until_ms)
    (newest,) = db.execute("SELECT coalesce(max(seq), 0) FROM transfer").fetchone()
    month, since = _moved(db, begin, end), _moved(db, end, newest + 1)
    found = []
    for account in ledger.accounts(db):
        in_minor, out_minor = month.get(account.id, (0, 0))
        later_in, later_out = since.get(account.id, (0, 0))
        before_minor = account.balance_minor - (later_in - later_out) - (in_minor - out_minor)
        found.append(AccountMonth(account.name, account.kind, before_minor, in_minor, out_minor))
    return found


def chain_end(db: Readable, table: str, until_ms: int) -> ChainEnd:
    """The end of the `transfer` chain, or that of `audit`."""
    before = seq_at(db, table, until_ms) - 1
    row = db.execute(f"SELECT seq, hash FROM {table} WHERE seq <= ? ORDER BY seq DESC LIMIT 1", (before,)).fetchone()
    return ChainEnd(row[0], row[1]) if row is not None else ChainEnd(0, b"")


def last_anchor(db: Readable, until_ms: int) -> Anchor | None:
    """The last one that was taken before a moment."""
    row = db.execute(
        f"SELECT {COLUMNS} FROM anchor WHERE at_ms < ? ORDER BY at_ms DESC LIMIT 1", (until_ms,)
    ).fetchone()
    return Anchor(*row) if row is not None else None


def receipts(db: Readable, from_ms: int, until_ms: int) -> Papers:
    """The receipts of the month."""
    bounds = number_at(db, from_ms), number_at(db, until_ms)
    row = db.execute("SELECT count(*), min(number), max(number) FROM receipt WHERE number >= ? AND number < ?", bounds)
    return _papers(row.fetchone())


def z_reports(db: Readable, from_ms: int, until_ms: int) -> Papers:
    """Those of shifts that were closed in the month."""
    return _papers(db.execute(SHIFTS, (from_ms, until_ms)).fetchone())


def _papers(row: tuple[int, int | None, int | None]) -> Papers:
    return Papers(row[0], row[1] or 0, row[2] or 0)


def _moved(db: Readable, begin: int, end: int) -> dict[int, tuple[int, int]]:
    """What came in and went out of each account in some rows of the ledger; 0: all wallets."""
    found: dict[int, tuple[int, int]] = {}
    for debit, credit, amount_minor in db.execute(MOVED, {"from": begin, "until": end}):
        if debit == credit:
            continue  # From one wallet to another.
        came, went = found.get(credit, (0, 0))
        found[credit] = (came + amount_minor, went)
        came, went = found.get(debit, (0, 0))
        found[debit] = (came, went + amount_minor)
    return found
