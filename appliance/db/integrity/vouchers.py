"""Whether vouchers are as they were printed, and each is in the state into which its money and the audit list have brought it."""

from __future__ import annotations

from collections import Counter, defaultdict
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
SELECT voucher.id, batch_id, number, state, sold_at_ms, sold_by, receipt, over_at_ms, over_by, voucher.person_id, wallet_id, amount_minor, given_away
FROM voucher JOIN voucher_batch ON voucher_batch.id = batch_id LEFT JOIN person ON person.id = voucher.person_id ORDER BY batch_id, number
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
            actor,
            at_ms,
            *(found[name] for name in ("count", "amount_minor", "given_away", "expires_at_ms", "note", "codes")),
            found["count"],
        ]
        for actor, at_ms, details in db.execute("SELECT actor, at_ms, details FROM audit WHERE action = 'voucher.make'")
        for found in [orjson.loads(details)]
    }
    codes: dict[int, Any] = defaultdict(sha256)
    in_row: Counter[int] = Counter()
    for batch, number, is_in_row, code_hash in db.execute(
        """SELECT batch_id, number, CASE WHEN id - number = min(id - number) OVER (PARTITION BY batch_id) THEN 1 ELSE 0 END, code_hash
        FROM voucher ORDER BY batch_id, number"""
    ):
        codes[batch].update(code_hash)
        in_row[batch] += is_in_row if in_row[batch] == number - 1 else 0
    there = {
        batch: [
            actor, made_at_ms, count, amount_minor, bool(given_away), expires_at_ms, note[:500], codes[batch].hexdigest(), in_row[batch],
        ]
        for batch, actor, made_at_ms, count, amount_minor, given_away, expires_at_ms, note in db.execute(
            "SELECT id, actor, made_at_ms, count, amount_minor, given_away, expires_at_ms, note FROM voucher_batch"
        )
    }  # fmt: skip
    for batch in sorted(told.keys() | there.keys()):
        if told.get(batch) != there.get(batch):
            yield f"the batch of vouchers {batch} is other than it was made"


def _other_states(db: Readable) -> Iterator[str]:
    moved = {
        key: values
        for key, *values in db.execute(
            "SELECT key, debit, credit, amount_minor, at_ms, actor FROM transfer WHERE key >= 'voucher|' AND key < 'voucher}'"
        )
    }
    told = _on_record(db)
    bought = _bought(db)
    for row in db.execute(ROWS):
        number, batch, in_batch, state, sold_at_ms, sold_by, receipt, *over, wallet, amount_minor, given_away = row
        over_at_ms, over_by, person = over
        sale = moved.pop(transfer_key(VoucherId(number), VoucherState.SOLD), None)
        ends = {end: moved.pop(transfer_key(VoucherId(number), end), None) for end in ENDS}
        booked = {end: values for end, values in ends.items() if values is not None}
        from_account = ADJUSTMENTS if given_away else VOUCHERS
        is_sold = sold_at_ms is not None
        was_sold = None if sale is None else (*sale[1:3], sale[4], *bought.get(receipt, ()))
        fits = (
            was_sold
            == ((VOUCHERS, amount_minor, sold_by, printed_number(batch, in_batch), sold_at_ms) if is_sold else None)
            and (is_sold or (sold_by, receipt) == ("", None))
            and all(
                # The ledger's times never fall, so its row may be of a later moment.
                (debit, amount, actor) == (from_account, amount_minor, over_by)
                and (over_at_ms or 0) <= at_ms
                and (credit == wallet if end is VoucherState.REDEEMED else person is None)
                for end, (debit, credit, amount, at_ms, actor) in booked.items()
            )
            and (state in ENDS) == (over_at_ms is not None)
            and (state in ENDS or (over_by, person) == ("", None))
            and state in _possible(booked, told.get((batch, in_batch)), is_sold=is_sold)
        )
        if not fits:
            yield f"voucher {printed_number(batch, in_batch)} is {state}, and by the books it is not"
    for key in moved:
        yield f"the transfer {key} is of a voucher that there is not"


def _bought(db: Readable) -> dict[int, tuple[str, int]]:
    """What was bought, as it is printed, and when, by receipt."""
    return {
        number: (orjson.loads(details).get("voucher", ""), at_ms)
        for number, at_ms, details in db.execute("SELECT number, at_ms, details FROM receipt WHERE kind = 'voucher'")
    }


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
