"""Whether vouchers are as they were printed, and each is in the state into which its money and the audit list have brought it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.sql import marks
from appliance.db.vouchers import owed_minor
from appliance.domain.identifiers import VoucherId
from appliance.domain.ledger import ADJUSTMENTS, VOUCHERS
from appliance.domain.voucher import VoucherState, printed_number, transfer_key

ENDS = (VoucherState.REDEEMED, VoucherState.VOIDED, VoucherState.WRITTEN_OFF)
WORDS = {
    "voucher.void": VoucherState.VOIDED,
    "voucher.refund": VoucherState.VOIDED,
    "voucher.hold": VoucherState.HELD,
    "voucher.release": None,
}
"""What the audit list says of single vouchers, and what they are by it."""
ROWS = """
SELECT voucher.id, batch_id, number, code_hash, state, sold_at_ms IS NOT NULL, amount_minor, given_away
FROM voucher JOIN voucher_batch ON voucher_batch.id = batch_id ORDER BY batch_id, number
"""


def wrong_vouchers(db: Readable) -> Iterator[str]:
    """One sentence for each kind of thing that is wrong."""
    yield from _outstanding(db)
    yield from islice(_other_batches(db), 1)
    yield from islice(_other_states(db), 1)
    yield from _receipts(db)


def _outstanding(db: Readable) -> Iterator[str]:
    """What is owed for vouchers is what was paid for those that nobody has used."""
    (account,) = db.execute("SELECT credit_posted - debit_posted FROM account WHERE id = ?", (VOUCHERS,)).fetchone()
    if account != (owed := owed_minor(db)):
        yield f"the account of vouchers says {account}; by the vouchers that were sold and not used it is {owed}"


def _other_batches(db: Readable) -> Iterator[str]:
    """Each batch is on record as it is, with all its codes."""
    told = {
        found["batch"]: [
            found[name] for name in ("count", "amount_minor", "given_away", "expires_at_ms", "note", "codes")
        ]
        for (details,) in db.execute("SELECT details FROM audit WHERE action = 'voucher.make'")
        for found in [orjson.loads(details)]
    }
    codes: dict[int, Any] = defaultdict(sha256)
    for batch, code_hash in db.execute("SELECT batch_id, code_hash FROM voucher ORDER BY batch_id, number"):
        codes[batch].update(code_hash)
    there = {
        batch: [count, amount_minor, bool(given_away), expires_at_ms, note[:500], codes[batch].hexdigest()]
        for batch, count, amount_minor, given_away, expires_at_ms, note in db.execute(
            "SELECT id, count, amount_minor, given_away, expires_at_ms, note FROM voucher_batch"
        )
    }
    for batch in sorted(told.keys() | there.keys()):
        if told.get(batch) != there.get(batch):
            yield f"the batch of vouchers {batch} is other than it was made"


def _other_states(db: Readable) -> Iterator[str]:
    moved = {
        key: values
        for key, *values in db.execute(
            "SELECT key, debit, credit, amount_minor FROM transfer WHERE key >= 'voucher|' AND key < 'voucher}'"
        )
    }
    told = _on_record(db)
    for number, batch, in_batch, _hash, state, is_sold, amount_minor, given_away in db.execute(ROWS):
        sale = moved.pop(transfer_key(VoucherId(number), VoucherState.SOLD), None)
        ends = {end: moved.pop(transfer_key(VoucherId(number), end), None) for end in ENDS}
        booked = {end: rows for end, rows in ends.items() if rows is not None}
        from_account = ADJUSTMENTS if given_away else VOUCHERS
        fits = (
            bool(is_sold) == (sale is not None)
            and (sale is None or sale[1:] == [VOUCHERS, amount_minor])
            and all((debit, amount) == (from_account, amount_minor) for debit, _, amount in booked.values())
            and state in _possible(booked, told.get((batch, in_batch)), is_sold=bool(is_sold))
        )
        if not fits:
            yield f"voucher {printed_number(batch, in_batch)} is {state}, and by the books it is not"
    for key in moved:
        yield f"the transfer {key} is of a voucher that there is not"


def _possible(booked: dict[VoucherState, Any], told: VoucherState | None, *, is_sold: bool) -> set[str]:
    """The states that a voucher may be in, by its money and by the audit list."""
    if booked:
        return set(booked) if len(booked) == 1 else set()
    if told is not None:
        return {told} if told is not VoucherState.VOIDED or not is_sold else set()
    return {VoucherState.SOLD if is_sold else VoucherState.MADE, VoucherState.EXPIRED}


def _on_record(db: Readable) -> dict[tuple[int, int], VoucherState | None]:
    """What the audit list says last, by batch and number."""
    told: dict[tuple[int, int], VoucherState | None] = {}
    for action, details in db.execute(
        f"SELECT action, details FROM audit WHERE action IN ({marks(WORDS)}) ORDER BY seq", tuple(WORDS)
    ):
        found = orjson.loads(details)
        for first, last in found["numbers"]:
            told |= {(found["batch"], number): WORDS[action] for number in range(first, last + 1)}
    return told


def _receipts(db: Readable) -> Iterator[str]:
    """Who bought a voucher, or was paid back for one, has a receipt."""
    (booked,) = db.execute(
        """SELECT coalesce(sum(CASE WHEN code = 'voucher_sale' THEN amount_minor ELSE -amount_minor END), 0)
        FROM transfer WHERE code IN ('voucher_sale', 'voucher_refund')"""
    ).fetchone()
    (said,) = db.execute("SELECT coalesce(sum(amount_minor), 0) FROM receipt WHERE person_id IS NULL").fetchone()
    if booked != said:
        yield f"the money for vouchers is {booked} by the ledger, {said} by the receipts"
