"""The rows of the ledger, added up: all of them, or those since a place up to which they were added up before."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.ledger import COLUMNS
from appliance.domain.identifiers import AccountId
from appliance.domain.ledger import FIRST_HASH, FIRST_WALLET, REVENUE, Operation, TransferCode, fingerprint
from appliance.domain.reconciling import Difference, DifferenceKind

ROWS_IN_A_GO = 4_000
"""After so many the others have the processor for a moment: chargers are served meanwhile."""
PAUSE_S = 0.0001
UNDO = "undo|"


@dataclass(slots=True)
class Sums:
    """What the rows come to up to `seq`: of each account what it has and what of it is held, and the holds that are open."""

    seq: int = 0
    hash: bytes = FIRST_HASH
    receipt: int = 0
    """The number of the newest receipt that was compared."""
    has_minor: dict[int, int] = field(default_factory=dict)
    reserved_minor: dict[int, int] = field(default_factory=dict)
    held_minor: dict[str, int] = field(default_factory=dict)

    def copy(self) -> Sums:
        """To be gone on with, while this one stays."""
        has, reserved, held = dict(self.has_minor), dict(self.reserved_minor), dict(self.held_minor)
        return Sums(self.seq, self.hash, self.receipt, has, reserved, held)


@dataclass(slots=True)
class Moved:
    """What the rows that were read have moved for sessions, by number, into and out of wallets at the desk, and for vouchers."""

    sessions: dict[int, int] = field(default_factory=dict)
    desk: dict[int, int] = field(default_factory=dict)
    vouchers_minor: int = 0
    broken: list[Difference] = field(default_factory=list)


def add_up(db: Readable, sums: Sums) -> Moved:
    """Read what has come since `sums`, and bring them up to date."""
    moved = Moved()
    previous, number = sums.hash, sums.seq
    has, reserved, held = sums.has_minor, sums.reserved_minor, sums.held_minor
    dumps = orjson.dumps
    for row in db.execute(f"SELECT {COLUMNS} FROM transfer WHERE seq > ? ORDER BY seq", (number,)):
        seq, key, op, debit, credit, amount, hold, code, reference = row[:9]
        number += 1
        digest = row[12]
        if seq != number or row[11] != previous or fingerprint(previous, dumps(row[:11])) != digest:
            moved.broken.append(Difference(DifferenceKind.CHAIN, seq, 0, 0))
            number = seq
        previous = digest
        if op == Operation.HOLD:
            held[key] = amount
            reserved[debit] = reserved.get(debit, 0) + amount
        else:
            if hold is not None:
                reserved[debit] = reserved.get(debit, 0) - held.pop(hold, 0)
            if amount:
                has[debit] = has.get(debit, 0) - amount
                has[credit] = has.get(credit, 0) + amount
                if code != TransferCode.TAX and REVENUE in (debit, credit):
                    _add_session(moved, reference, amount if credit == REVENUE else -amount)
                else:
                    _add_desk(moved, key, code, debit, credit, amount)
        if not number % ROWS_IN_A_GO:
            time.sleep(PAUSE_S)
    sums.seq, sums.hash = number, previous
    return moved


def paid_for(db: Readable, session: int) -> int:
    """What was taken for one session, all its rows found by their names."""
    total = 0
    for prefix in ("end", "fee", "over|fee", "fix", "over|fix"):
        for debit, amount in db.execute(
            """SELECT debit, amount_minor FROM transfer WHERE (key = :name OR (key >= :from AND key < :until)) AND op <> 'void'""",
            {"name": f"{prefix}|{session}", "from": f"{prefix}|{session}|", "until": f"{prefix}|{session}}}"},
        ):
            total += -amount if debit == REVENUE else amount
    return total


def _add_session(moved: Moved, reference: str, amount: int) -> None:
    if reference.isdecimal():
        session = int(reference)
        moved.sessions[session] = moved.sessions.get(session, 0) + amount


def _add_desk(moved: Moved, key: str, code: str, debit: AccountId, credit: AccountId, amount: int) -> None:
    """What has a receipt. What is taken back in a minute is a correction, from or into a wallet."""
    if code == TransferCode.TOPUP:
        _add_wallet(moved, credit, amount)
    elif code == TransferCode.REFUND:
        _add_wallet(moved, debit, -amount)
    elif code == TransferCode.CORRECTION and key.startswith(UNDO):
        _add_wallet(moved, credit, amount)
        _add_wallet(moved, debit, -amount)
    elif code == TransferCode.VOUCHER_SALE:
        moved.vouchers_minor += amount
    elif code == TransferCode.VOUCHER_REFUND:
        moved.vouchers_minor -= amount


def _add_wallet(moved: Moved, account: AccountId, amount: int) -> None:
    """Deposits for cards, and drawers, are no wallets: receipts are compared without them."""
    if account >= FIRST_WALLET:
        moved.desk[account] = moved.desk.get(account, 0) + amount


def hash_of(db: Readable, seq: int) -> bytes | None:
    """The hash of a row; None if it is gone."""
    row = db.execute("SELECT hash FROM transfer WHERE seq = ?", (seq,)).fetchone()
    return row[0] if row is not None else None
