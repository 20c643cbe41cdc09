"""What a person with all their cards, or a pool with all that it pays for, may use at most in a day and in a month of the site.

How limits are kept is in services/cards/limits.py.
"""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import limits as rows
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS, Limits, Whose
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import PersonId
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.cards import limits as enforced
from appliance.services.cards.limits import SoFar
from appliance.services.people.people import need


def of(db: Readable, person: PersonId) -> Limits:
    """The limits of a person or a pool; NO_LIMITS if there are none."""
    return rows.find(db, person)


def change(db: Database, person: PersonId, limits: Limits, by: By) -> None:
    """Set all of them. What runs is held to them with its next reading.

    Raises:
        NotFound: There is no such person.
        Invalid: A limit is out of bounds, or none of a day or a month.
    """
    found = need(db, person)
    check(limits)
    before = rows.find(db, person)
    rows.store(db, person, limits)
    changed = audit.changed(before, **{name: getattr(limits, name) for name in rows.COLUMNS})
    audit.record(db, by, "person.limits", f"person:{person}", name=found.name, changed=changed)
    db.announce(PersonChanged(person))


def so_far(db: Database, person: PersonId, now_ms: int) -> SoFar:
    """What a person or a pool has used. Asked of the writer, which knows what has not reached the disk yet."""
    whose = Whose.POOL if need(db, person).is_pool else Whose.PERSON
    return enforced.so_far_of(db, whose, person, now_ms)


def check(limits: Limits) -> None:
    """Refuse what makes no sense, and what only a card has."""
    enforced.check_amounts(limits)
    for name in (*enforced.BY_AMOUNT, "weekdays", "from_minute", "until_minute", "stations"):
        if name not in rows.COLUMNS and getattr(limits, name) != getattr(NO_LIMITS, name):
            raise Invalid(name, "Only a card has such a limit.")
