"""The limits of people and pools as rows: of a person all their cards together, of a pool all that it pays for."""

from __future__ import annotations

from collections.abc import Mapping

from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.identifiers import PersonId

LIMITED = Slot[Mapping[PersonId, Limits]]()
"""All of them: so that of those who have none nothing is asked."""
COLUMNS = ("day_energy_wh", "day_minor", "month_energy_wh", "month_minor")
FIND = f"SELECT person_id, {', '.join(COLUMNS)} FROM person_limit"


def of(db: Database, person: PersonId) -> Limits:
    """The limits of a person or a pool; NO_LIMITS if there are none. The writer remembers them."""
    return all_limited(db).get(person, NO_LIMITS)


def all_limited(db: Database) -> Mapping[PersonId, Limits]:
    """Who has limits."""
    known = LIMITED.get(db)
    if known is None:
        known = {PersonId(row[0]): _limits(row[1:]) for row in db.execute(FIND)}
        LIMITED.keep(db, known)
    return known


def find(db: Readable, person: PersonId) -> Limits:
    """The same, asked of a connection that remembers nothing."""
    row = db.execute(f"{FIND} WHERE person_id = ?", (person,)).fetchone()
    return _limits(row[1:]) if row else NO_LIMITS


def store(db: Database, person: PersonId, limits: Limits) -> None:
    """Set the limits, instead of those that there were."""
    db.execute("DELETE FROM person_limit WHERE person_id = ?", (person,))
    if limits != NO_LIMITS:
        db.execute(
            f"INSERT INTO person_limit (person_id, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?)",
            (person, *(getattr(limits, name) for name in COLUMNS)),
        )
    LIMITED.drop(db)


def _limits(values: tuple[int | None, ...]) -> Limits:
    day_energy_wh, day_minor, month_energy_wh, month_minor = values
    return Limits(
        day_energy_wh=day_energy_wh, day_minor=day_minor, month_energy_wh=month_energy_wh, month_minor=month_minor
    )
