"""Batches of vouchers for tests, with their codes."""

from __future__ import annotations

from appliance.domain.identifiers import BatchId
from appliance.host.secrets import SealingKey
from appliance.services.vouchers import batches, codes
from appliance.services.vouchers.batches import NewBatch
from appliance.services.vouchers.codes import Asked
from tests.support.books import SECRET, Books

VAULT = SealingKey(SECRET)


def printed(
    books: Books,
    amount_minor: int = 5_000,
    *,
    count: int = 3,
    given_away: bool = False,
    expires_at_ms: int | None = None,
    note: str = "",
) -> tuple[BatchId, list[str]]:
    """A batch, and its codes in the order of their numbers."""
    new = NewBatch(amount_minor, given_away, expires_at_ms, note)
    batch = batches.make(books.db, new, codes.print_codes(VAULT, count), books.by)
    return batch, batches.sheet(books.db, VAULT, batch, books.now_ms)


def asked(text: str) -> Asked:
    """What somebody types."""
    return codes.read(VAULT, text)
