"""Whether the card that lies on the reader will do for a job: whose it is, what stands on it, and whether it is a copy.
Nothing here changes anything, but a copy that is found out is a problem on record.
"""

from __future__ import annotations

from appliance.db.cards.cards import Card
from appliance.db.engine.unit import Database
from appliance.domain.cards import content
from appliance.domain.cards.content import ContentState, Origin
from appliance.domain.cards.tag import Seen
from appliance.domain.desk_job import Advice
from appliance.domain.identifiers import CardId
from appliance.domain.problem import ProblemKind
from appliance.services import problems
from appliance.services.cards import cards


class Unsuitable(Exception):
    """The card that lies there will not do for this job."""

    def __init__(self, advice: Advice) -> None:
        super().__init__(advice)
        self.advice = advice


def check_free(seen: Seen, known: Card | None, site_key: bytes, *, overwrite: bool) -> None:
    """Whether the card that lies there can be given to somebody."""
    if known is not None and not cards.has_come_back(known):
        raise Unsuitable(Advice.TAKEN)
    check_content(seen, site_key, overwrite=overwrite)


def check_content(seen: Seen, site_key: bytes, *, overwrite: bool) -> None:
    """Whether what stands on it may be written over."""
    origin = origin_of(seen, site_key)
    if origin in (Origin.FOREIGN, Origin.COPIED) and not overwrite:
        raise Unsuitable(Advice(origin))
    if seen.writable and seen.locked and origin is Origin.FOREIGN:
        raise Unsuitable(Advice.LOCKED)


def check_ours(
    db: Database,
    meant: CardId | None,
    seen: Seen,
    known: Card | None,
    site_key: bytes,
    now_ms: int,
    *,
    copies: bool = True,
) -> Card:
    """The card that lies there, if it is the one that is meant (None: any) and no copy of it."""
    if known is None or cards.has_come_back(known):
        raise Unsuitable(Advice.UNKNOWN)
    if meant not in (None, known.id):
        raise Unsuitable(Advice.OTHER_CARD)
    if copies and is_copy(known, origin_of(seen, site_key, known)):
        number = f"{known.number:04}"
        problems.raise_problem(
            db, ProblemKind.CARD_COPY, f"card:{known.id}", now_ms, number=number, person=known.person
        )
        raise Unsuitable(Advice.COPIED)
    return known


def origin_of(seen: Seen, site_key: bytes, card: Card | None = None) -> Origin:
    """What stands on the chip; with `card`, the row of this UID, a record of an earlier issue counts as copied too."""
    record = content.read(site_key, seen.uid, seen.content.record)
    if record.origin is Origin.BLANK and (seen.foreign or seen.content.link):
        return Origin.FOREIGN
    if record.origin is Origin.OURS and card is not None and card.content is ContentState.WRITTEN:
        return Origin.OURS if (record.number, record.issue) == (card.number, card.issue) else Origin.COPIED
    return record.origin


def is_copy(card: Card, origin: Origin) -> bool:
    """Whether the chip with this card's UID lacks what was written on the card: somebody has copied the UID."""
    return card.content is ContentState.WRITTEN and origin is not Origin.OURS
