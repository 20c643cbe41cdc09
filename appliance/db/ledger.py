"""Transfers, the only way in which money moves, and what the ledger says. The rules are in the schema's triggers."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, Rows
from appliance.db.sessions.open_sessions import IS_OPEN
from appliance.domain.by import By
from appliance.domain.identifiers import AccountId, SessionId
from appliance.domain.ledger import FIRST_HASH, FIRST_WALLET, Operation, TransferCode, fingerprint, hold_key

TRANSFER = Rows(
    "transfer(seq, key, op, debit, credit, amount_minor, hold, code, reference, actor, at_ms, prev_hash, hash)",
    width=13,
)
NEWEST_ROW = Slot[tuple[int, bytes, int]]()
"""Sequence number, hash and time of the last row."""
COLUMNS = "seq, key, op, debit, credit, amount_minor, hold, code, reference, actor, at_ms, prev_hash, hash"


STAFFS = ("topup|", "refund|", "correction|", "undo|", "voucher|", "pool|", "merge|", "oldcard|")
"""How the names of transfers begin that staff make with a wallet."""
UNDOES = "undo|"
"""How those begin that take back what a receipt says: its number stands in their reference, as `receipt 17`."""
MOVED = f"""
SELECT key, CASE WHEN key LIKE '{UNDOES}%' THEN coalesce((SELECT receipt.actor FROM receipt WHERE number = CAST(substr(reference, 9) AS BIGINT)), actor)
       ELSE actor END, amount_minor, at_ms FROM transfer
"""
OWN_ACCOUNTS = """
SELECT id, kind, name, credit_posted - debit_posted AS balance_minor, debit_pending FROM account WHERE id < ?
"""


@dataclass(frozen=True, slots=True)
class Balance:
    """What a wallet holds: all of it, and what of it can still be held or spent (None: without limit)."""

    balance_minor: int
    available_minor: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """One line of the trial balance; `balance_minor` is credit minus debit."""

    id: int
    kind: str
    name: str
    balance_minor: int
    held_minor: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A transfer as a statement shows it. `amount_minor` is positive into the account asked for, negative out of it."""

    seq: int
    at_ms: int
    code: str
    reference: str
    actor: str
    amount_minor: int
    key: str


def transfer(
    db: Database,
    op: Operation,
    key: str,
    *,
    debit: AccountId,
    credit: AccountId,
    amount_minor: int,
    code: TransferCode,
    reference: str,
    by: By,
    hold: str | None = None,
) -> None:
    """Append one row: post, hold, capture or void. `key` is its name for ever; a second row of that name is refused.

    The row goes in with the commit. If it breaks a rule (two cards empty one wallet in the same commit), the store
    rolls back and runs the units one by one, and then the balance that each of them sees is exact.

    Raises (at the commit, as IntegrityError): the key is taken, the account's floor is passed, the hold is
    another's or already resolved.
    """
    if type(amount_minor) is not int:
        # SQLite would store 5.0 and True as 5 and 1, and the hash would be that of another row for ever.
        raise TypeError(f"money is whole minor units, not {amount_minor!r}")
    tip = NEWEST_ROW.get(db) or newest(db)
    seq = tip[0] + 1
    at_ms = max(by.at_ms, tip[2])
    values = (seq, key, str(op), debit, credit, amount_minor, hold, str(code), reference, by.actor, at_ms)
    digest = fingerprint(tip[1], orjson.dumps(values))
    db.append(TRANSFER, (*values, tip[1], digest))
    db.touched.add(debit)
    db.touched.add(credit)
    NEWEST_ROW.keep(db, (seq, digest, at_ms))


def newest(db: Database) -> tuple[int, bytes, int]:
    """Sequence number, hash and time of the last row."""
    db.flush()
    row = db.execute("SELECT seq, hash, at_ms FROM transfer ORDER BY seq DESC LIMIT 1").fetchone()
    return row or (0, FIRST_HASH, 0)


def has_moved(db: Database, account: AccountId) -> bool:
    """Whether a transfer of this commit waits to move its money: what was read of it before is no longer so."""
    return account in db.touched


def balance(db: Readable, account: AccountId) -> Balance:
    """What is there and what is free, transfers of this commit included."""
    if isinstance(db, Database) and account in db.touched:
        db.flush()
    posted, pending, floor = db.execute(
        "SELECT credit_posted - debit_posted, debit_pending, floor_minor FROM account WHERE id = ?", (account,)
    ).fetchone()
    return Balance(posted, None if floor is None else posted - pending - floor)


def open_wallet(db: Database, name: str, floor_minor: int | None) -> AccountId:
    """A new wallet, empty."""
    row = db.execute(
        """INSERT INTO account (id, kind, name, floor_minor)
        VALUES (max(?, (SELECT coalesce(max(id), 0) + 1 FROM account)), 'wallet', ?, ?) RETURNING id""",
        (FIRST_WALLET, name, floor_minor),
    ).fetchone()
    return AccountId(row[0])


def set_floor(db: Database, account: AccountId, floor_minor: int | None) -> None:
    """Let the wallet fall to `floor_minor` and no further; IntegrityError if it is below that now."""
    db.flush()
    db.execute("UPDATE account SET floor_minor = ? WHERE id = ?", (floor_minor, account))


def find(db: Database, key: str) -> tuple[int, str, int, int, int] | None:
    """Sequence number, operation, debit, credit and amount of a transfer by its name."""
    db.flush()
    row: tuple[int, str, int, int, int] | None = db.execute(
        "SELECT seq, op, debit, credit, amount_minor FROM transfer WHERE key = ?", (key,)
    ).fetchone()
    return row


def accounts(db: Readable) -> list[Account]:
    """The site's own accounts, and before them all wallets in one line: id 0."""
    own = [Account(*row) for row in db.execute(f"{OWN_ACCOUNTS} ORDER BY id", (FIRST_WALLET,))]
    # What is held is summed up wallet by wallet: an index of it would cost each start and stop.
    held = db.execute("SELECT coalesce(sum(debit_pending), 0) FROM account WHERE id >= ?", (FIRST_WALLET,)).fetchone()[
        0
    ]
    return [Account(0, "wallet", "wallets", in_wallets_minor(db), held), *own]


def in_wallets_minor(db: Readable) -> int:
    """What all wallets hold together: each transfer takes from one account what it gives to another, so it is what the site's own lack."""
    return -int(
        db.execute(f"SELECT coalesce(sum(balance_minor), 0) FROM ({OWN_ACCOUNTS}) AS own", (FIRST_WALLET,)).fetchone()[
            0
        ]
    )


def trial_balance(db: Readable) -> list[Account]:
    """The same accounts, every wallet looked at: their sum is nothing only if the books are in order."""
    rows = db.execute(
        """SELECT CASE WHEN kind = 'wallet' THEN 0 ELSE id END, kind,
               CASE WHEN kind = 'wallet' THEN 'wallets' ELSE name END,
               sum(credit_posted - debit_posted), sum(debit_pending)
        FROM account GROUP BY 1, 2, 3 ORDER BY 1"""
    )
    return [Account(*row) for row in rows]


def statement(db: Readable, wallet: AccountId, *, before_seq: int | None = None, limit: int = 50) -> list[Entry]:
    """What moved on a wallet, newest first; holds are not movements."""
    rows = db.execute(
        """SELECT seq, at_ms, code, reference, actor, -amount_minor, key FROM transfer INDEXED BY transfer_debit
        WHERE debit = :wallet AND op IN ('post', 'capture') AND amount_minor > 0 AND seq < :before
        UNION ALL
        SELECT seq, at_ms, code, reference, actor, amount_minor, key FROM transfer
        WHERE credit = :wallet AND op = 'post' AND seq < :before
        ORDER BY seq DESC LIMIT :limit""",
        {"wallet": wallet, "before": before_seq or 2**62, "limit": limit},
    )
    return [Entry(*row) for row in rows]


def moved_by_staff(db: Database, wallet: AccountId, since_ms: int) -> list[tuple[str, str, int]]:
    """What staff have moved in a wallet since a moment, and what took it back: key, actor, and amount in either direction.

    The actor of what took something back is who had moved it.
    """
    db.flush()
    found: list[tuple[str, str, int]] = []
    for side in (f"{MOVED} WHERE credit = ? AND op = 'post' ORDER BY seq DESC",
                 f"{MOVED} WHERE debit = ? AND op = 'post' AND code NOT IN ('charge', 'tax', 'overrun') ORDER BY seq DESC"):  # fmt: skip
        for key, actor, amount_minor, at_ms in db.execute(side, (wallet,)):
            if at_ms < since_ms:
                break  # Time never runs backwards in the ledger, and no index goes by it.
            if key.startswith(STAFFS):
                found.append((key, actor, amount_minor))
    return found


def paid_since(db: Database, account: AccountId, code: TransferCode, since_ms: int) -> list[tuple[str, int]]:
    """What was paid on such an account for one purpose since a moment: actor and amount."""
    db.flush()
    found = []
    for actor, its_code, amount_minor, at_ms in db.execute(
        """SELECT actor, code, amount_minor, at_ms FROM transfer WHERE debit = ? AND op IN ('post', 'capture')
        ORDER BY seq DESC""",
        (account,),
    ):
        if at_ms < since_ms:
            break  # As above.
        if its_code == code:
            found.append((actor, amount_minor))
    return found


def transfers(
    db: Readable, *, before_seq: int | None = None, limit: int = 50
) -> list[tuple[int, str, str, int, int, int, str | None, str, str, str, int]]:
    """The journal itself, newest first: seq, key, op, debit, credit, amount, hold, code, reference, actor, at."""
    return db.execute(
        """SELECT seq, key, op, debit, credit, amount_minor, hold, code, reference, actor, at_ms
        FROM transfer WHERE seq < ? ORDER BY seq DESC LIMIT ?""",
        (before_seq or 2**62, limit),
    ).fetchall()


def verify(db: Readable, after_seq: int = 0, after_hash: bytes = FIRST_HASH) -> list[str]:
    """What is wrong in the books, computed from the rows alone; [] when all is well.

    The chain, every balance, every open hold and the sum of all accounts. With `after_seq` and the hash of that row
    only the chain behind it is checked; balances need the whole.
    """
    wrong: list[str] = []
    sums: dict[int, list[int]] = {}
    held: dict[str, int] = {}
    previous, number = after_hash, after_seq
    for row in db.execute(f"SELECT {COLUMNS} FROM transfer WHERE seq > ? ORDER BY seq", (after_seq,)):
        *values, prev_hash, digest = row
        number += 1
        if values[0] != number or prev_hash != previous or fingerprint(previous, orjson.dumps(values)) != digest:
            return [*wrong, f"the chain of the ledger breaks at row {values[0]}"]
        previous = digest
        _, key, op, debit, credit, amount, hold = values[:7]
        debited, credited = sums.setdefault(debit, [0, 0, 0, 0]), sums.setdefault(credit, [0, 0, 0, 0])
        debited[3] = credited[3] = number
        if op in (Operation.POST, Operation.CAPTURE):
            debited[1] += amount
            credited[0] += amount
        if op == Operation.HOLD:
            held[key] = amount
            debited[2] += amount
        elif hold is not None and hold in held:
            debited[2] -= held.pop(hold)
    if after_seq:
        return wrong
    found = {
        account: rest
        for account, *rest in db.execute("SELECT id, credit_posted, debit_posted, debit_pending, last_seq FROM account")
    }
    for account in sorted(found.keys() | sums.keys()):
        by_rows = sums.get(account, [0, 0, 0, 0])
        if found.get(account) != by_rows:
            wrong.append(
                f"account {account} says {found.get(account)}; by its rows it is {by_rows} (credit, debit, held, last row)"
            )
    open_slices = db.execute(f"SELECT coalesce(sum(slices), 0) FROM session WHERE {IS_OPEN}").fetchone()[0]
    still_open = held.keys() - holds_in_review(db)
    if len(still_open) != open_slices:
        wrong.append(f"{len(still_open)} holds are open, but open sessions have {open_slices}")
    return wrong


def holds_in_review(db: Readable) -> set[str]:
    """The names of what sessions in review may hold; one whose estimate was billed, or of an older program, holds nothing."""
    rows = db.execute("SELECT id, slices FROM session WHERE state = 'review' AND slices > 0")
    return {hold_key(SessionId(session), number) for session, slices in rows for number in range(1, slices + 1)}


def held_minor(db: Database, account: AccountId) -> int:
    """What is reserved on an account."""
    db.flush()
    return int(db.execute("SELECT debit_pending FROM account WHERE id = ?", (account,)).fetchone()[0])
