"""Whether a card that is known may charge."""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.people import people
from appliance.db.people.payers import Payer
from appliance.domain import authorization as rules
from appliance.domain.authorization import ACCEPTED, Authorization, AuthorizationStatus
from appliance.domain.identifiers import StationId
from appliance.services import settings
from appliance.services.announce import CardRefused
from appliance.services.cards import limits
from appliance.services.reconciling import stop


def decide(db: Database, payer: Payer, station: StationId, now_ms: int, *, starting: bool) -> Authorization:
    """The decision about a known card, with the token that all cards of its holder share, if there are several."""
    minimum = settings.of(db).minimum_minor
    status = rules.decide(payer.holder, now_ms, minimum_minor=minimum, starting=starting)
    if payer.tariff is None and status is AuthorizationStatus.NO_CREDIT:
        status = ACCEPTED  # Nothing to pay, so nothing to pay with is needed.
    limited_by = ""
    if status is ACCEPTED and (starting or not payer.holder.running):
        status, limited_by = limits.decide_start(db, payer, station, now_ms)
    return Authorization(status, group_token(payer), limited_by)


def unless_stopped(
    db: Database, payer: Payer, authorization: Authorization, *, has_begun: bool = False, lets_stop: bool = False
) -> Authorization:
    """The same; while money is stopped nobody begins who would have to pay.

    `has_begun`: it was told late, and is billed. `lets_stop`: who charges is let in, with any card of theirs.
    """
    if has_begun or not (authorization.accepted and stop.is_refused(db, payer)):
        return authorization
    if lets_stop and people.running_of(db, payer.person):
        return authorization
    return authorization._replace(status=AuthorizationStatus.NOT_AT_THIS_TIME)


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
