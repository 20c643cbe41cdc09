"""Cards that nobody knows, shown at chargers: a list that lasts, and how one of them becomes somebody's card there and then."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.card_desk.jobs import Job
from appliance.db.cards import unknown as rows
from appliance.db.cards.cards import Card
from appliance.db.cards.unknown import Tag
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import payers, people_search
from appliance.db.people.payers import Payer
from appliance.domain.by import By
from appliance.domain.desk_job import Advice, DeskJobEvent
from appliance.domain.desk_request import Enrol, Learn
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.id_token import IdTokenType, is_random, is_remote, likeness, masked, stems
from appliance.domain.identifiers import PersonId, StationId
from appliance.services import audit, texts
from appliance.services.announce import UnknownTagSeen
from appliance.services.card_desk import charger_jobs
from appliance.services.cards import aliases
from appliance.services.cards import cards as card_units
from appliance.services.people import people

TAGS_MAX = 500
"""So many are kept, those that were shown last."""
SUGGESTIONS_MAX = 5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A card that an unknown one may be, and how it is like it (domain/id_token.py). Never more than a suggestion."""

    card: Card
    likeness: str


@dataclass(frozen=True, slots=True)
class UnknownTag:
    """A card that nobody knows, at one station."""

    tag: Tag
    is_random: bool
    """Its number changes at every tap: it can never be anybody's."""
    suggestions: tuple[Suggestion, ...]


def resolve(
    db: Database,
    station: StationId,
    token: str,
    payer: Payer | None,
    shown_at_ms: int,
    now_ms: int,
    id_token_type: IdTokenType = IdTokenType.UNKNOWN,
) -> Payer | None:
    """A station was shown `token`, which stands for `payer`, or for nobody: then it is taken by who waits for a card here, or
    put on the list. Who it stands for now.

    `shown_at_ms` is the station's word, `now_ms` ours.
    """
    job = charger_jobs.waiting(db, station, shown_at_ms, now_ms)
    if payer is not None:
        if job is not None and isinstance(job.request, Learn) and job.card_id == payer.card:
            # It reads the card in a way that is understood already.
            charger_jobs.finish(db, job, DeskJobEvent.ANSWERED, now_ms)
        return payer
    if job is not None and not is_remote(token) and token:
        if isinstance(job.request, Enrol):
            taken = enrol(db, job, job.request, token, id_token_type, now_ms)
        else:
            taken = aliases.learn(db, job, station, token, now_ms)
        if taken:
            return payers.by_token(db, token)
    note(db, station, token, id_token_type, now_ms)
    return None


def note(db: Database, station: StationId, token: str, id_token_type: IdTokenType, now_ms: int) -> None:
    """Put a card that nobody knows on the list."""
    if not token or is_remote(token):
        return
    if rows.note(db, token, id_token_type, station, now_ms):
        rows.forget_oldest(db, TAGS_MAX)
    db.announce(UnknownTagSeen(int(station), token))


def begin_enrol(db: Database, station: StationId, person: PersonId, by: By, label: str = "") -> int:
    """Wait for a new card of this person at a charger; the number of the desk's job.

    Raises:
        NotFound: There is no such person or station.
        Refusal: The person has left.
        NotAllowed: A manager gives them cards.
    """
    found = people.need(db, person)
    people.check_open(found)
    card_units.check_another(db, person, by)
    request = Enrol(person, texts.optional("label", label))
    job = charger_jobs.begin(db, station, request, by, person=person)
    audit.record(db, by, "station.enrol", f"station:{station}", person=int(person))
    return job


def enrol(db: Database, job: Job, request: Enrol, token: str, id_token_type: IdTokenType, now_ms: int) -> bool:
    """The card that was waited for was shown; whether it could be made the person's."""
    assert job.person_id is not None
    if is_random(token):
        charger_jobs.finish(db, job, DeskJobEvent.CANCELLED, now_ms, Advice.RANDOM)
        return False
    try:
        card = card_units.add(
            db, token, job.person_id, By(job.actor, now_ms), label=request.label, id_token_type=id_token_type
        )
    except Refusal:
        charger_jobs.finish(db, job, DeskJobEvent.CANCELLED, now_ms, Advice.TAKEN)
        return False
    charger_jobs.finish(db, job, DeskJobEvent.ANSWERED, now_ms, card=card)
    return True


def page(db: Readable, *, station: StationId | None = None, limit: int = 100, offset: int = 0) -> list[UnknownTag]:
    """The list, shown last first, with the cards that each may be. What is known by now is left out."""
    tags = [tag for tag in rows.page(db, station, limit, offset) if people_search.card_called(db, tag.token) is None]
    found = []
    cards = alike(db, [tag.token for tag in tags])
    for tag in tags:
        suggestions = [Suggestion(card, how) for card in cards if (how := likeness(tag.token, card.uid)) is not None]
        found.append(UnknownTag(tag, is_random(tag.token), tuple(suggestions[:SUGGESTIONS_MAX])))
    return found


def dismiss(db: Database, station: StationId, token: str, by: By) -> None:
    """It is of no interest; shown again, it is back.

    Raises:
        NotFound: It is not on the list.
    """
    if not rows.dismiss(db, token, station):
        raise NotFound("This card is not on the list any more.")
    audit.record(db, by, "station.forget_tag", f"station:{station}", token=masked(token))
    db.announce(UnknownTagSeen(int(station), token))


def alike(db: Readable, tokens: list[str]) -> list[Card]:
    """All cards that one of the tokens may be like."""
    ends = sorted({stem for token in tokens for stem in stems(token)})
    return rows.cards_like(db, ends) if ends else []
