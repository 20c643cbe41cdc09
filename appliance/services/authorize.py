"""A card is shown: may it charge?"""

from __future__ import annotations

from appliance.db import payers, sessions
from appliance.db.connection import Database
from appliance.db.payers import Payer
from appliance.domain.authorization import Authorization, AuthorizationStatus, decide
from appliance.domain.identifiers import StationId
from appliance.services import settings


def authorize(db: Database, station: StationId, id_token: str, now_ms: int) -> Authorization:
    """What the station is told about a card that was only shown, `id_token` in normal form."""
    payer = payers.by_token(db, id_token)
    if payer is None:
        wished = sessions.is_wished_for(db, station, id_token)
        return Authorization(AuthorizationStatus.ACCEPTED if wished else AuthorizationStatus.INVALID)
    return judge(db, payer, now_ms, starting=False)


def judge(db: Database, payer: Payer, now_ms: int, *, starting: bool) -> Authorization:
    """The decision about a known card, with the token that all cards of its holder share, if there are several."""
    minimum = settings.of(db).minimum_minor
    status = decide(payer.holder, now_ms, minimum_minor=minimum, starting=starting)
    if payer.tariff is None and status is AuthorizationStatus.NO_CREDIT:
        status = AuthorizationStatus.ACCEPTED  # Nothing to pay, so nothing to pay with is needed.
    return Authorization(status, group_token(payer))


def group_token(payer: Payer) -> str | None:
    """One token for all cards of a person, so that each may stop what another started (1.6: parentIdTag)."""
    return f"PERSON{payer.person}" if payer.cards > 1 else None
