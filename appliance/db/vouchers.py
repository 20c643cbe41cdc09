"""Vouchers and their batches as rows. Of a code only its hash is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database, flush
from appliance.domain.by import By
from appliance.domain.identifiers import BatchId, PersonId, VoucherId
from appliance.domain.voucher import VoucherState, printed_number


@dataclass(frozen=True, slots=True)
class Batch:
    """What was printed at once; `amount_minor` is that of each voucher."""

    id: BatchId
    count: int
    amount_minor: int
    given_away: bool
    expires_at_ms: int | None
    note: str
    actor: str
    made_at_ms: int


@dataclass(frozen=True, slots=True)
class Voucher:
    """One voucher, with what it has of its batch."""

    id: VoucherId
    batch_id: BatchId
    number: int
    state: VoucherState
    sold_at_ms: int | None
    sold_by: str
    receipt: int | None
    over_at_ms: int | None
    over_by: str
    person_id: PersonId | None
    person: str
    amount_minor: int
    expires_at_ms: int | None
    note: str
    made_by: str
    made_at_ms: int
    given_away: bool

    @property
    def name(self) -> str:
        """As it is printed: `12-7`."""
        return printed_number(self.batch_id, self.number)

    def has_expired(self, now_ms: int) -> bool:
        """Whether its time is over, put down as that already or not."""
        return self.expires_at_ms is not None and self.expires_at_ms <= now_ms


@dataclass(frozen=True, slots=True)
class Paper:
    """A voucher, as far as it matters whether it was used."""

    id: VoucherId
    batch_id: int
    number: int
    code_hash: bytes
    state: VoucherState


BATCH = "SELECT id, count, amount_minor, given_away, expires_at_ms, note, actor, made_at_ms FROM voucher_batch"
VOUCHER = """
SELECT voucher.id, batch_id, voucher.number, state, sold_at_ms, sold_by, receipt, over_at_ms, over_by, person_id, coalesce(person.name, ''),
  amount_minor, expires_at_ms, voucher_batch.note, voucher_batch.actor, made_at_ms, given_away
FROM voucher JOIN voucher_batch ON voucher_batch.id = batch_id LEFT JOIN person ON person.id = person_id
"""
OWED = "sold_at_ms IS NOT NULL AND state IN ('sold', 'expired', 'held')"
"""What was paid for it, nobody has had yet."""

# --- batches -------------------------------------------------------------------------------------------------------------


def add_batch(
    db: Database,
    *,
    code_hashes: Sequence[bytes],
    amount_minor: int,
    given_away: bool,
    expires_at_ms: int | None,
    note: str,
    by: By,
) -> BatchId:
    """A batch with its vouchers, a code each, numbered from 1."""
    row = db.execute(
        """INSERT INTO voucher_batch (id, count, amount_minor, given_away, expires_at_ms, note, actor, made_at_ms)
        VALUES ((SELECT CASE WHEN newest < voucher_batches_from THEN voucher_batches_from ELSE newest + 1 END
            FROM site, (SELECT coalesce(max(id), 0) AS newest FROM voucher_batch) AS made), ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (len(code_hashes), amount_minor, int(given_away), expires_at_ms, note, by.actor, by.at_ms),
    ).fetchone()
    db.executemany(
        "INSERT INTO voucher (batch_id, number, code_hash) VALUES (?, ?, ?)",
        [(row[0], number, code_hash) for number, code_hash in enumerate(code_hashes, start=1)],
    )
    return BatchId(row[0])


def find_batch(db: Readable, batch: BatchId) -> Batch | None:
    """One batch."""
    row = db.execute(f"{BATCH} WHERE id = ?", (batch,)).fetchone()
    return _batch(row) if row else None


def batches(db: Readable, *, before: int | None = None, limit: int = 20) -> list[Batch]:
    """The newest first, with a number below `before`."""
    rows = db.execute(f"{BATCH} WHERE id < ? ORDER BY id DESC LIMIT ?", (before or 2**62, limit))
    return [_batch(row) for row in rows]


def states_of(db: Readable, batch: BatchId) -> dict[VoucherState, int]:
    """How many vouchers of a batch are in each state."""
    rows = db.execute("SELECT state, count(*) FROM voucher WHERE batch_id = ? GROUP BY state", (batch,))
    return {VoucherState(state): count for state, count in rows}


def numbers_in(db: Readable, batch: BatchId, state: VoucherState) -> list[int]:
    """The numbers of the vouchers of a batch that are in a state, rising."""
    rows = db.execute("SELECT number FROM voucher WHERE batch_id = ? AND state = ? ORDER BY number", (batch, state))
    return [number for (number,) in rows]


def void_numbers(db: Database, batch: BatchId, before: VoucherState, after: VoucherState, by: By) -> None:
    """All vouchers of a batch that are in one state come into another, which is their last."""
    db.execute(
        "UPDATE voucher SET state = ?, over_at_ms = ?, over_by = ? WHERE batch_id = ? AND state = ?",
        (after, by.at_ms, by.actor, batch, before),
    )


# --- vouchers ------------------------------------------------------------------------------------------------------------


def find(db: Readable, voucher: VoucherId) -> Voucher | None:
    """One voucher."""
    return _one(db, "voucher.id = ?", voucher)


def by_code_hash(db: Readable, code_hash: bytes) -> Voucher | None:
    """The voucher with a code."""
    return _one(db, "code_hash = ?", code_hash)


def is_code(db: Readable, code_hash: bytes) -> bool:
    """Whether a voucher was printed with a code."""
    return db.execute("SELECT 1 FROM voucher WHERE code_hash = ?", (code_hash,)).fetchone() is not None


def by_number(db: Readable, batch: int, number: int) -> Voucher | None:
    """The voucher that is called so on its paper."""
    return _one(db, "batch_id = ? AND voucher.number = ?", batch, number)


def page(
    db: Readable,
    *,
    state: VoucherState | None = None,
    batch: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Voucher]:
    """The newest first, with a number below `before`."""
    # Only what is asked for stands in the query, or it would find no index.
    asked = ("AND state = :state " if state is not None else "") + (
        "AND batch_id = :batch " if batch is not None else ""
    )
    rows = db.execute(
        f"{VOUCHER} WHERE voucher.id < :before {asked}ORDER BY voucher.id DESC LIMIT :limit",
        {"before": before or 2**62, "state": state, "batch": batch, "limit": limit},
    )
    return [_voucher(row) for row in rows]


def set_sold(db: Database, voucher: VoucherId, state: VoucherState, receipt: int, by: By) -> None:
    """Somebody has paid for it. The transfer comes first: the schema looks for it."""
    flush(db)
    db.execute(
        "UPDATE voucher SET state = ?, sold_at_ms = ?, sold_by = ?, receipt = ? WHERE id = ?",
        (state, by.at_ms, by.actor, receipt, voucher),
    )


def set_over(db: Database, voucher: VoucherId, state: VoucherState, by: By, *, person: PersonId | None = None) -> None:
    """It comes into its last state. The transfer, if there is one, comes first: the schema looks for it."""
    flush(db)
    db.execute(
        "UPDATE voucher SET state = ?, over_at_ms = ?, over_by = ?, person_id = ? WHERE id = ?",
        (state, by.at_ms, by.actor, person, voucher),
    )


def set_state(db: Database, voucher: VoucherId, state: VoucherState) -> None:
    """It is in another state, and no money has moved."""
    flush(db)
    db.execute("UPDATE voucher SET state = ? WHERE id = ?", (state, voucher))


def expired(db: Readable, now_ms: int, limit: int) -> list[tuple[VoucherId, VoucherState]]:
    """Some whose time is over, and that are in a state as if it were not."""
    rows = db.execute(
        """SELECT voucher.id, state FROM voucher_batch JOIN voucher ON batch_id = voucher_batch.id
        WHERE expires_at_ms <= ? AND state IN ('made', 'sold') LIMIT ?""",
        (now_ms, limit),
    )
    return [(VoucherId(voucher), VoucherState(state)) for voucher, state in rows]


def any_unused(db: Readable) -> bool:
    """Whether somebody may come with one."""
    return db.execute("SELECT 1 FROM voucher WHERE state IN ('made', 'sold') LIMIT 1").fetchone() is not None


def owed_minor(db: Readable) -> int:
    """What was paid for vouchers that nobody has used, by the vouchers themselves."""
    row = db.execute(
        f"""SELECT coalesce(sum(amount_minor), 0) FROM voucher JOIN voucher_batch ON voucher_batch.id = batch_id
        WHERE {OWED}"""
    ).fetchone()
    return int(row[0])


def papers(db: Readable) -> Iterator[Paper]:
    """All of them, in the order of their numbers."""
    for number, batch, in_batch, code_hash, state in db.execute(
        "SELECT id, batch_id, number, code_hash, state FROM voucher ORDER BY id"
    ):
        yield Paper(VoucherId(number), batch, in_batch, bytes(code_hash), VoucherState(state))


# --- sheets --------------------------------------------------------------------------------------------------------------


def keep_sheet(db: Database, batch: BatchId, sealed: bytes, until_at_ms: int) -> None:
    """The codes of a batch, sealed, for a while."""
    db.execute(
        "INSERT INTO voucher_sheet (batch_id, sealed, until_at_ms) VALUES (?, ?, ?)", (batch, sealed, until_at_ms)
    )


def sheet(db: Readable, batch: BatchId, now_ms: int) -> bytes | None:
    """The same; None when the while is over."""
    row = db.execute(
        "SELECT sealed FROM voucher_sheet WHERE batch_id = ? AND until_at_ms > ?", (batch, now_ms)
    ).fetchone()
    return bytes(row[0]) if row else None


def forget_sheets(db: Database, now_ms: int) -> None:
    """Those whose while is over."""
    db.execute("DELETE FROM voucher_sheet WHERE until_at_ms <= ?", (now_ms,))


# --- inside --------------------------------------------------------------------------------------------------------------


def _one(db: Readable, condition: str, *values: object) -> Voucher | None:
    row = db.execute(f"{VOUCHER} WHERE {condition}", values).fetchone()
    return _voucher(row) if row else None


def _batch(row: Sequence[Any]) -> Batch:
    number, count, amount_minor, given_away, *rest = row
    return Batch(BatchId(number), count, amount_minor, bool(given_away), *rest)


def _voucher(row: Sequence[Any]) -> Voucher:
    number, batch, in_batch, state, *rest, given_away = row
    values: tuple[Any, ...] = (number, batch, in_batch, VoucherState(state), *rest, bool(given_away))
    return Voucher(*values)
