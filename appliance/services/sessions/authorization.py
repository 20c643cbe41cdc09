"""Whether a card that is known may charge."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.domain import authorization as rules
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.identifiers import StationId
from appliance.services import settings
from appliance.services.announce import CardRefused
from appliance.services.cards import limits


def decide(db: Database, payer: Payer, station: StationId, now_ms: int, *, starting: bool) -> Authorization:
    """The decision about a known card, with the token that all cards of its holder share, if there are several."""
    minimum = settings.of(db).minimum_minor
    status = rules.decide(payer.holder, now_ms, minimum_minor=minimum, starting=starting)
    if payer.tariff is None and status is AuthorizationStatus.NO_CREDIT:
        status = AuthorizationStatus.ACCEPTED  # Nothing to pay, so nothing to pay with is needed.
    limited_by = ""
    if status is AuthorizationStatus.ACCEPTED and (starting or not payer.holder.running):
        status, limited_by = limits.decide_start(db, payer, station, now_ms)
    return Authorization(status, group_token(payer), limited_by)


def announce_refused(db: Database, station: StationId, id_token: str, authorization: Authorization) -> Authorization:
    """The same; whoever watches for cards that are tried out hears of it once it is told."""
    if not authorization.accepted:
        db.announce(CardRefused(int(station), id_token))
    return authorization


def group_token(payer: Payer) -> str | None:
    """One token for all cards of a person, so that each may stop what another started (1.6: parentIdTag); so may a card what
    was started from here under its own UID, where the charger calls it something else.
    """
    return f"PERSON{payer.person}" if payer.cards > 1 else None
