"""The rule: which amounts need a second person. It stands where money moves, so that no way leads past it."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.services import settings
from appliance.services.operators import authority


class NeedsSecondPerson(Refusal):
    """Nothing was booked: another person must agree first."""


def check(db: Database, amount_minor: int, by: By) -> None:
    """Whether so much may be moved by one person alone; whoever is at the machine itself may.

    Raises:
        NeedsSecondPerson: It may not, and nobody has agreed yet.
    """
    most = settings.of(db).second_person_minor
    if most and abs(amount_minor) > most and not by.second and authority.role_of(db, by.actor) is not None:
        raise NeedsSecondPerson(
            "So much money at once needs a second person.",
            "Ask on the person's page: with the same form there, a manager is asked to agree.",
        )
