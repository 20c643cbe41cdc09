"""Signs that somebody charges with a copy of a card: it is at two chargers at once, or sooner than anybody could drive."""

from __future__ import annotations

from appliance.db.cards import cards
from appliance.db.engine.memory import Slots
from appliance.db.engine.unit import Database
from appliance.db.people.payers import Payer
from appliance.db.sessions import sessions
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.events import TransactionStarted
from appliance.domain.identifiers import CardId, StationId
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems import raise_problem

SHOWN_AT = Slots[CardId, tuple[StationId, int]]()
"""Where a card was shown last, and when, by its station's word."""


def check_start(
    db: Database, payer: Payer, station: StationId, status: AuthorizationStatus, event: TransactionStarted
) -> None:
    """A card was shown for a start. Where it was before is remembered only as long as the server runs."""
    card = payer.card
    assert card is not None
    if status is AuthorizationStatus.CONCURRENT_TX:
        other = sessions.elsewhere(db, payer.uid, station)
        if other is not None:
            report(db, ProblemKind.CARD_TWICE, card, station, other, event.received_at_ms)
        return
    patience_ms = settings.of(db).card_hop_s * 1000
    if not patience_ms or payer.holder.transactions_max > 1:
        return  # A card that many share is in many places.
    before = SHOWN_AT.get(db, card)
    SHOWN_AT.keep(db, card, (station, event.at_ms))
    if before is not None and before[0] != station and abs(event.at_ms - before[1]) < patience_ms:
        after_s = abs(event.at_ms - before[1]) // 1000
        report(db, ProblemKind.CARD_HOP, card, station, before[0], event.received_at_ms, after_s=after_s)


def report(
    db: Database, kind: ProblemKind, card: CardId, station: StationId, other: StationId, now_ms: int, **details: int
) -> None:
    """Say it, once for each card."""
    found = cards.find(db, card)
    assert found is not None
    raise_problem(
        db,
        kind,
        f"card:{card}",
        now_ms,
        station=int(station),
        other=int(other),
        number=found.number,
        person=found.person,
        **details,
    )
