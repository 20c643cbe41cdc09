"""Everybody by name and telephone, for comparing a list with the books. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.engine.protocols import Readable
from appliance.domain.identifiers import PersonId


@dataclass(slots=True)
class Known:
    """Somebody in the books, or in an earlier row of a list: then without a number yet."""

    person: PersonId | None
    name: str
    phone: str
    closed: bool = False


def everybody(db: Readable) -> list[Known]:
    """All people, those who have left last."""
    found = db.execute(
        "SELECT id, name, phone, closed_at_ms IS NOT NULL FROM person ORDER BY closed_at_ms IS NOT NULL, id"
    )
    return [Known(PersonId(row[0]), row[1], row[2], bool(row[3])) for row in found]
