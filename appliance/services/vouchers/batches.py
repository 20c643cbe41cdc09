"""Batches of vouchers: made and printed, and voided as far as nobody has bought them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from appliance.db import vouchers as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.vouchers import Batch
from appliance.domain.by import By
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.identifiers import BatchId
from appliance.domain.voucher import VoucherEvent, VoucherState, after, as_ranges
from appliance.services import audit, settings
from appliance.services.ports.vault import Vault
from appliance.services.texts import optional
from appliance.services.vouchers.codes import Printed, open_codes
from appliance.services.wallets.wallets import check_amount

SHEET_KEPT_MS = 15 * 60_000
"""So long the codes of a batch can be printed again by whoever has made it: paper jams, and answers get lost on the way."""
EXPIRED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What is to be printed; `amount_minor` is that of each voucher."""

    amount_minor: int
    given_away: bool = False
    expires_at_ms: int | None = None
    note: str = ""


def make(db: Database, new: NewBatch, printed: Printed, by: By) -> BatchId:
    """A batch. Its codes can be had by `sheet` for a quarter of an hour, and then no more."""
    check_amount(new.amount_minor)
    most = settings.of(db).second_person_minor
    if most and new.amount_minor > most:
        raise Invalid(
            "amount_minor",
            "So much money at once needs a second person, so no voucher is worth more than that.",
            "Make more vouchers of less.",
        )
    if new.expires_at_ms is not None and new.expires_at_ms <= by.at_ms:
        raise Invalid("expires_at", "This time is over already.")
    note = optional("note", new.note)
    batch = rows.add_batch(
        db, code_hashes=printed.hashes, amount_minor=new.amount_minor, given_away=new.given_away,
        expires_at_ms=new.expires_at_ms, note=note, by=by,
    )  # fmt: skip
    rows.keep_sheet(db, batch, printed.sealed, by.at_ms + SHEET_KEPT_MS)
    audit.record(
        db, by, "voucher.make", f"voucher_batch:{batch}", batch=batch, count=len(printed.hashes),
        amount_minor=new.amount_minor, given_away=new.given_away, expires_at_ms=new.expires_at_ms, note=note,
        codes=sha256(b"".join(printed.hashes)).hexdigest(),
    )  # fmt: skip
    return batch


def sheet(db: Readable, vault: Vault | None, batch: BatchId, now_ms: int) -> list[str]:
    """The codes of a batch, in the order of its numbers; [] when it is too late for them."""
    sealed = rows.sheet(db, batch, now_ms)
    return open_codes(vault, sealed) if sealed is not None else []


def void_rest(db: Database, batch: BatchId, by: By) -> int:
    """Void what nobody has bought of a batch; how many. What was sold stays good: it is somebody's.

    Raises:
        Refusal: There is nothing left.
    """
    found = need(db, batch)
    numbers = rows.numbers_in(db, found.id, VoucherState.MADE)
    if not numbers:
        raise Refusal("No voucher of this batch is left that could be voided.")
    rows.void_numbers(db, batch, VoucherState.MADE, after(VoucherState.MADE, VoucherEvent.VOIDED), by)
    audit.record(db, by, "voucher.void", f"voucher_batch:{batch}", batch=batch, numbers=as_ranges(numbers))
    return len(numbers)


def expire(db: Database, now_ms: int) -> int:
    """Put down of some vouchers that their time is over; how many. Codes that were sealed for a while are forgotten, too."""
    rows.forget_sheets(db, now_ms)
    found = rows.expired(db, now_ms, EXPIRED_AT_ONCE)
    for voucher, state in found:
        rows.set_state(db, voucher, after(state, VoucherEvent.EXPIRED))
    return len(found)


def need(db: Readable, batch: BatchId) -> Batch:
    """One batch, or NotFound."""
    found = rows.find_batch(db, batch)
    if found is None:
        raise NotFound("There is no such batch of vouchers.")
    return found
