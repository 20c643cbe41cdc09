"""A card is shown: may it charge?"""

from __future__ import annotations

from appliance.db.engine.unit import Database
from appliance.db.people import payers
from appliance.db.sessions import start_requests
from appliance.domain.authorization import Authorization, AuthorizationStatus
from appliance.domain.id_token import IdTokenType
from appliance.domain.identifiers import StationId
from appliance.services.cards import unknown
from appliance.services.sessions.decision import judge


def authorize(
    db: Database,
    station: StationId,
    id_token: str,
    now_ms: int,
    id_token_type: IdTokenType = IdTokenType.UNKNOWN,
) -> Authorization:
    """What the station is told about a card that was only shown, `id_token` in normal form."""
    payer = payers.by_token(db, id_token, id_token_type)
    if payer is None and start_requests.is_open(db, station, id_token):
        return Authorization(AuthorizationStatus.ACCEPTED)
    payer = unknown.shown(db, station, id_token, payer, now_ms, now_ms, id_token_type)
    if payer is None:
        return Authorization(AuthorizationStatus.INVALID)
    return judge(db, payer, station, now_ms, starting=False)
