"""Shifts as rows, and what moved while each was open. What is in a drawer is what its account says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db import ledger
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cash import Cash
from appliance.domain.identifiers import AccountId, ShiftId
from appliance.domain.ledger import DRAWERS_MAX, Method, drawer_account

EVER = 2**62


@dataclass(frozen=True, slots=True)
class Shift:
    """One shift of somebody at a drawer. What is from its end is None while it is open."""

    id: ShiftId
    drawer: int
    account: AccountId
    actor: str
    taken_over: ShiftId | None
    opened_at_ms: int
    opened_seq: int
    float: Cash
    closed_at_ms: int | None
    closed_by: str | None
    closed_seq: int | None
    expected_minor: int | None
    counted: Cash | None
    reason: str | None
    z_number: int | None
    details: dict[str, Any]
    """Names as they were when it was closed."""

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_at_ms is None


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved in a shift for one reason in one way: so many bookings in, so many out."""

    method: Method
    code: str
    times_in: int
    in_minor: int
    times_out: int
    out_minor: int


SHIFT = """
SELECT id, drawer, account_id, actor, taken_over, opened_at_ms, opened_seq, float_minor, float_pieces, closed_at_ms, closed_by,
       closed_seq, expected_minor, counted_minor, counted_pieces, reason, z_number, details
FROM shift
"""
MOVED = """
SELECT code, sum(CASE WHEN in_minor > 0 THEN 1 ELSE 0 END), sum(in_minor), sum(CASE WHEN out_minor > 0 THEN 1 ELSE 0 END),
       sum(out_minor)
FROM (
  SELECT code, amount_minor AS in_minor, 0 AS out_minor, actor FROM transfer INDEXED BY transfer_debit
  WHERE debit = :account AND op IN ('post', 'capture') AND seq > :after AND seq <= :until
  UNION ALL
  SELECT code, 0, amount_minor, actor FROM transfer INDEXED BY transfer_credit
  WHERE credit = :account AND op = 'post' AND seq > :after AND seq <= :until) AS one
"""


def open_of(db: Readable, actor: str) -> Shift | None:
    """The shift that somebody has open now."""
    row = db.execute(f"{SHIFT} WHERE actor = ? AND closed_at_ms IS NULL", (actor,)).fetchone()
    return _shift(row) if row else None


def every_open(db: Readable) -> list[Shift]:
    """All that go on, by their drawers."""
    return [_shift(row) for row in db.execute(f"{SHIFT} WHERE closed_at_ms IS NULL ORDER BY drawer")]


def find(db: Readable, shift: int) -> Shift | None:
    """One shift."""
    row = db.execute(f"{SHIFT} WHERE id = ?", (shift,)).fetchone()
    return _shift(row) if row else None


def page(db: Readable, *, actor: str = "", before: int | None = None, limit: int = 50) -> list[Shift]:
    """The newest first, with a number below `before`; those of one actor, or all."""
    whose = "AND actor = :actor " if actor else ""
    rows = db.execute(
        f"{SHIFT} WHERE id < :before {whose}ORDER BY id DESC LIMIT :limit",
        {"before": before or EVER, "actor": actor, "limit": limit},
    )
    return [_shift(row) for row in rows]


def following(db: Readable, shift: Shift) -> ShiftId | None:
    """The shift that took the drawer over."""
    row = db.execute("SELECT id FROM shift WHERE taken_over = ?", (shift.id,)).fetchone()
    return ShiftId(row[0]) if row else None


def free_drawer(db: Readable) -> int | None:
    """The first drawer at which nobody works; None: all are taken."""
    taken = {drawer for (drawer,) in db.execute("SELECT drawer FROM shift WHERE closed_at_ms IS NULL")}
    return next((drawer for drawer in range(1, DRAWERS_MAX + 1) if drawer not in taken), None)


def account_of(db: Database, drawer: int) -> AccountId:
    """The account of a drawer, which is made when it is used first."""
    account = drawer_account(drawer)
    db.execute(
        "INSERT INTO account (id, kind, name) VALUES (?, 'cash', ?) ON CONFLICT (id) DO NOTHING",
        (account, f"drawer {drawer}"),
    )
    return account


def begin(db: Database, drawer: int, actor: str, money: Cash, now_ms: int, taken_over: ShiftId | None = None) -> Shift:
    """A shift that is open from here in the ledger on; its float is in the drawer already."""
    row = db.execute(
        """INSERT INTO shift (drawer, account_id, actor, taken_over, opened_at_ms, opened_seq, float_minor, float_pieces)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id""",
        (
            drawer, drawer_account(drawer), actor, taken_over, now_ms, ledger.newest(db)[0], money.minor,
            _written(money),
        ),
    ).fetchone()  # fmt: skip
    found = find(db, row[0])
    assert found is not None
    return found


def end(
    db: Database, shift: Shift, closed_seq: int, expected_minor: int, counted: Cash, reason: str, by: By,
    details: dict[str, Any],
) -> int:  # fmt: skip
    """The shift is over; the number of its Z report. A restored site numbers on in another series, as with receipts."""
    row = db.execute(
        """UPDATE shift SET closed_at_ms = ?, closed_by = ?, closed_seq = ?, expected_minor = ?, counted_minor = ?,
            counted_pieces = ?, reason = ?, details = ?, z_number = (
              SELECT CASE WHEN newest < receipts_from THEN receipts_from ELSE newest + 1 END
              FROM site, (SELECT coalesce(max(z_number), 0) AS newest FROM shift) AS given)
        WHERE id = ? AND closed_at_ms IS NULL RETURNING z_number""",
        (
            by.at_ms, by.actor, closed_seq, expected_minor, counted.minor, _written(counted), reason,
            orjson.dumps(details).decode(), shift.id,
        ),
    ).fetchone()  # fmt: skip
    return int(row[0])


def in_drawer_minor(db: Readable, account: AccountId) -> int:
    """What must be in a drawer now: cash that comes in is a debit."""
    return -ledger.balance(db, account).balance_minor


def last_seq(db: Readable, shift: Shift) -> int:
    """The last row of the ledger that touched the drawer."""
    if isinstance(db, Database):
        db.flush()
    return int(db.execute("SELECT last_seq FROM account WHERE id = ?", (shift.account,)).fetchone()[0])


def moved(db: Readable, shift: Shift) -> list[Moved]:
    """What was taken and given back in a shift so far, or until it was closed: all that went through its drawer, and what its
    holder took in other ways. The float is not among it, nor what was booked when it was closed.
    """
    if isinstance(db, Database):
        db.flush()
    bounds = {"after": shift.opened_seq, "until": EVER if shift.closed_seq is None else shift.closed_seq}
    found: list[Moved] = []
    for method in Method:
        is_cash = method is Method.CASH
        account = shift.account if is_cash else method.account
        whose = "" if is_cash else "WHERE actor = :actor "
        rows = db.execute(
            f"{MOVED}{whose}GROUP BY code ORDER BY code", {**bounds, "account": account, "actor": shift.actor}
        )
        found += [Moved(method, *row) for row in rows]
    return found


def _shift(row: tuple[Any, ...]) -> Shift:
    begin, (float_minor, float_pieces), end, (counted_minor, counted_pieces) = row[:7], row[7:9], row[9:13], row[13:15]
    counted = None if counted_minor is None else Cash(counted_minor, _pieces(counted_pieces))
    values: tuple[Any, ...] = (
        *begin,
        Cash(float_minor, _pieces(float_pieces)),
        *end,
        counted,
        *row[15:17],
        orjson.loads(row[17] or "{}"),
    )
    return Shift(*values)


def _pieces(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((value, count) for value, count in orjson.loads(text))


def _written(cash: Cash) -> str:
    return orjson.dumps(cash.pieces).decode()
