"""Receipts as rows: numbered without gaps, in series (a restored site begins another), never changed. The rules are in the schema's triggers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.lists import Listed, Part, Window
from appliance.domain.by import By
from appliance.domain.identifiers import CardId, PersonId


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money that changed hands: positive was taken, negative was given back. `details` are names as they were then."""

    number: int
    kind: str
    at_ms: int
    actor: str
    person_id: PersonId | None
    """None: a voucher was sold or paid back, to whoever had it."""
    card_id: CardId | None
    amount_minor: int
    deposit_minor: int
    method: str
    balance_minor: int
    corrects: int | None
    corrected_by: int | None
    details: dict[str, Any]


RECEIPT = """
SELECT number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method, balance_minor, corrects,
       (SELECT later.number FROM receipt AS later WHERE later.corrects = receipt.number), details
FROM receipt
"""
LIST = Listed("receipt", "number", {"number": ("number",), "amount": ("amount_minor", "number")})
"""When is in the order of numbers. Whose, and how it was paid, is asked for, and sorted by nothing: no index gives it."""


def add(
    db: Database,
    *,
    kind: str,
    person: PersonId | None,
    card: CardId | None,
    amount_minor: int,
    deposit_minor: int,
    method: str,
    balance_minor: int,
    corrects: int | None,
    by: By,
    details: dict[str, Any],
) -> int:
    """The next receipt; its number."""
    row = db.execute(
        """INSERT INTO receipt (number, kind, at_ms, actor, person_id, card_id, amount_minor, deposit_minor, method,
                                balance_minor, corrects, details)
        VALUES ((SELECT CASE WHEN newest < receipts_from THEN receipts_from ELSE newest + 1 END
            FROM site, (SELECT coalesce(max(number), 0) AS newest FROM receipt) AS given), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING number""",
        (
            kind, by.at_ms, by.actor, person, card, amount_minor, deposit_minor, method, balance_minor, corrects,
            orjson.dumps(details).decode(),
        ),
    ).fetchone()  # fmt: skip
    return int(row[0])


def find(db: Readable, number: int) -> Receipt | None:
    """One receipt."""
    row = db.execute(RECEIPT + "WHERE number = ?", (number,)).fetchone()
    return _receipt(row) if row else None


def page(
    db: Readable,
    *,
    person: PersonId | None = None,
    card: CardId | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Receipt]:
    """The newest first, with a number below `before`."""
    return part(db, Window("number", falls=True, mark=before or 0, rows=limit), person=person, card=card).rows


def part(db: Readable, window: Window, *, person: PersonId | None = None, card: CardId | None = None) -> Part[Receipt]:
    """A page of all, of a person's or of a card's. Raises KeyError for an order there is not."""
    asked = {"person_id": person, "card_id": card}
    values = {name: value for name, value in asked.items() if value is not None}
    # Only what is asked for stands in the query, or it would find no index.
    found = LIST.part(db, RECEIPT, [f"{name} = :{name}" for name in values], values, window)
    return found.of(lambda rows: [_receipt(row) for row in rows])


def _receipt(row: tuple[Any, ...]) -> Receipt:
    values: tuple[Any, ...] = (*row[:-1], orjson.loads(row[-1]))
    return Receipt(*values)
