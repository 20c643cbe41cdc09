"""What forms of the console do with vouchers: each carries a key, so that a double click and the back button do it once.

What tells one request from another has codes as hashes only, for its own hash is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import orjson

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.identifiers import BatchId, PersonId
from appliance.services import idempotency
from appliance.services.vouchers import batches, vouchers
from appliance.services.vouchers.batches import NewBatch
from appliance.services.vouchers.codes import Asked, Printed
from appliance.services.vouchers.vouchers import Moved
from appliance.services.wallets.form_bookings import request_of


@dataclass(frozen=True, slots=True)
class Redeemed:
    """What went into a wallet, now or by the same form before."""

    amount_minor: int
    balance_minor: int
    """Then."""
    receipt: int
    repeated: bool


def make(db: Database, new: NewBatch, printed: Printed, key: str, by: By) -> BatchId:
    """A batch; the same form again names the same one, and its first codes."""

    def unit(_name: str) -> tuple[int, str]:
        return 200, orjson.dumps({"batch": batches.make(db, new, printed, by)}).decode()

    request = request_of("vouchers", len(printed.hashes), *asdict(new).values())
    return BatchId(orjson.loads(idempotency.once(db, by, key, request, unit).body)["batch"])


def sell(db: Database, asked: Asked, count: int, method: str, key: str, by: By) -> list[Moved]:
    """Money comes in for a voucher, or for several at once."""

    def unit(_name: str) -> tuple[int, str]:
        return 200, orjson.dumps([asdict(one) for one in vouchers.sell_many(db, asked, count, method, by)]).decode()

    request = request_of("voucher sale", method, count, *_named(asked))
    return [Moved(**one) for one in orjson.loads(idempotency.once(db, by, key, request, unit).body)]


def void(db: Database, asked: Asked, method: str, key: str, by: By) -> Moved:
    """A voucher is worth nothing any more."""
    return _moved(db, key, by, ("voucher void", method), asked, lambda: vouchers.void(db, asked, method, by))


def redeem(db: Database, asked: Asked, person: PersonId, key: str, by: By) -> Redeemed:
    """What it is worth goes into a wallet."""

    def unit(_name: str) -> tuple[int, str]:
        booked = vouchers.redeem(db, asked, person, by)
        body = {
            "amount_minor": booked.amount_minor, "balance_minor": booked.balance_minor, "receipt": booked.receipt,
        }  # fmt: skip
        return 200, orjson.dumps(body).decode()

    stored = idempotency.once(db, by, key, request_of("voucher", person, *_named(asked)), unit)
    return Redeemed(**orjson.loads(stored.body), repeated=stored.repeated)


def _moved(db: Database, key: str, by: By, what: tuple[str, ...], asked: Asked, unit: Callable[[], Moved]) -> Moved:
    stored = idempotency.once(
        db, by, key, request_of(*what, *_named(asked)), lambda _name: (200, orjson.dumps(asdict(unit())).decode())
    )
    return Moved(**orjson.loads(stored.body))


def _named(asked: Asked) -> tuple[object, ...]:
    return (asked.code_hash.hex() if asked.code_hash is not None else "", asked.number)
