"""What the forms of the till do: each carries a key, so that a double click, a second tab and the back button do it once.

That the same key is one request, is in `idempotency`; what is done is in `shifts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.identifiers import ShiftId
from appliance.services import idempotency
from appliance.services.till import shifts
from appliance.services.till.shifts import Counterpart, Way


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a form."""

    shift: ShiftId
    repeated: bool
    """It was done before; now nothing was."""


def open_shift(db: Database, money: Cash, key: str, by: By) -> Done:
    """A shift begins."""
    return _once(db, ["shift.open", money.minor, money.pieces], key, by, lambda _: shifts.open_shift(db, money, by).id)


def move(
    db: Database, shift: ShiftId, way: Way, counterpart: Counterpart, amount_minor: int, reason: str, key: str, by: By
) -> Done:
    """Cash goes into a drawer or out of it."""
    request = ["shift.move", shift, way, counterpart, amount_minor, reason]
    return _once(
        db, request, key, by, lambda name: shifts.move(db, shift, way, counterpart, amount_minor, reason, name, by).id
    )


def close(
    db: Database, shift: ShiftId, counted: Cash, reason: str, hand_to: str, seen_seq: int, key: str, by: By
) -> Done:
    """A shift ends."""
    request = ["shift.close", shift, counted.minor, counted.pieces, reason, hand_to]

    def unit(_name: str) -> ShiftId:
        return shifts.close(db, shift, counted, reason, by, hand_to=hand_to, seen_seq=seen_seq).shift.id

    return _once(db, request, key, by, unit)


def _once(db: Database, request: list[object], key: str, by: By, unit: Callable[[str], ShiftId]) -> Done:
    def rendered(name: str) -> tuple[int, str]:
        return 200, orjson.dumps({"shift": unit(name)}).decode()

    stored = idempotency.once(db, by, key, orjson.dumps(request, default=str), rendered)
    return Done(ShiftId(orjson.loads(stored.body)["shift"]), stored.repeated)
