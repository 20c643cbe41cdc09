"""The audit list: who did what to whom. A use case records its row in the unit of work that does the thing."""

from __future__ import annotations

import orjson

from appliance.db import audit as rows
from appliance.db.engine.unit import Database
from appliance.domain.by import By

DETAIL_CHARS_MAX = 500


def record(db: Database, /, by: By, action: str, subject: str, **details: object) -> None:
    """Add a row, committed together with what it tells of.

    `action` is a thing and a verb (`card.block`); `subject` names what it was done to (`card:12`). No secret and no
    whole card number belongs into `details`.
    """
    short = {name: value[:DETAIL_CHARS_MAX] if isinstance(value, str) else value for name, value in details.items()}
    rows.append(db, by, action, subject, orjson.dumps(short, default=str).decode())


def changed(before: object, **after: object) -> dict[str, list[object]]:
    """The detail `changed` of a row: what differs of a record from what it was `before`, by field, as [was, is]."""
    return {name: [was, value] for name, value in after.items() if (was := getattr(before, name)) != value}
