"""Whether somebody who was entered could charge at this moment, and what is missing for it."""

from __future__ import annotations

from enum import Flag, auto

from appliance.db import tariffs
from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.domain import authorization
from appliance.domain.authorization import AuthorizationStatus, Holder, Policy
from appliance.domain.identifiers import PersonId
from appliance.services import settings
from appliance.services.people.groups import need as need_group
from appliance.services.people.people import account_of


class Missing(Flag):
    """What a person needs before they can charge."""

    NOTHING = 0
    CARD = auto()
    MONEY = auto()


def missing(db: Readable, person: PersonId, now_ms: int) -> Missing:
    """What a person who has not left needs before they can charge; a read query.

    Money is needed where something costs, as `services/sessions/authorization.py` decides it at the charger.
    """
    found = account_of(db, person)
    lacking = Missing.NOTHING
    if not any(charges(card.blocked_at_ms, card.expires_at_ms, now_ms) for card in cards.of_person(db, person)):
        lacking |= Missing.CARD
    group = need_group(db, found.group_id)
    available_minor = None if found.available_minor is None else found.available_minor + found.emergency_minor
    holder = Holder(
        Policy(found.policy), available_minor, False, None, False, 1, 0, group.minimum_minor, found.emergency_minor
    )
    pays = authorization.decide(holder, now_ms, minimum_minor=settings.load(db).minimum_minor)
    of_group = group.tariff_id
    costs = of_group is not None or tariffs.default(db) is not None
    if costs and pays is AuthorizationStatus.NO_CREDIT:
        lacking |= Missing.MONEY
    return lacking


def charges(blocked_at_ms: int | None, expires_at_ms: int | None, now_ms: int) -> bool:
    """Whether a card is neither blocked nor expired."""
    return blocked_at_ms is None and (expires_at_ms is None or expires_at_ms > now_ms)
