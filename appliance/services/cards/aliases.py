"""What chargers call cards whose UIDs they read in ways of their own: learned by showing the card, or told by the staff."""

from __future__ import annotations

from appliance.db.card_desk.jobs import Job
from appliance.db.cards import aliases as rows
from appliance.db.cards import cards, unknown
from appliance.db.cards.cards import Card
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.domain.by import By
from appliance.domain.desk_job import Advice, DeskJobEvent
from appliance.domain.desk_request import Learn
from appliance.domain.errors import Conflict, Invalid, NotFound
from appliance.domain.id_token import is_random, is_remote, likeness, masked, normal_form
from appliance.domain.identifiers import CardId, StationId
from appliance.services import audit
from appliance.services.announce import PersonChanged
from appliance.services.card_desk import charger_jobs
from appliance.services.people import people
from appliance.services.people.groups import check_lets_charge

OTHER = "other"
"""The likeness of a token that has nothing of the UID: only people can know that it is the same card."""


def begin_learn(db: Database, station: StationId, card: CardId, by: By) -> int:
    """Wait until this card is shown at a charger, to learn what it is called there; the number of the desk's job.

    Raises:
        NotFound: There is no such card or station.
        Refusal: Its holder's account is closed.
    """
    found = need_open(db, card)
    job = charger_jobs.begin(db, station, Learn(), by, card=card)
    audit.record(db, by, "station.learn", f"station:{station}", uid=masked(found.uid))
    return job


def learn(db: Database, job: Job, station: StationId, token: str, now_ms: int) -> bool:
    """A card that nobody knows was shown while one was waited for; whether the two are alike, and it is known now."""
    assert job.card_id is not None
    card = need(db, job.card_id)
    alike = likeness(token, card.uid)
    has_left = people.need(db, card.person_id).closed_at_ms is not None
    if alike is None or is_random(token) or has_left:
        why = Advice.RANDOM if is_random(token) else Advice.REFUSED if has_left else Advice.UNLIKE
        charger_jobs.finish(db, job, DeskJobEvent.CANCELLED, now_ms, why)
        return False
    keep(db, token, card, alike, station, By(job.actor, now_ms))
    charger_jobs.finish(db, job, DeskJobEvent.ANSWERED, now_ms)
    return True


def add(db: Database, token: str, card: CardId, by: By, *, station: StationId | None = None) -> None:
    """The staff say that this token is that card, whether or not the two are alike. `station`: where it was shown.

    Raises:
        NotFound: There is no such card.
        Refusal: Its holder's account is closed.
        Invalid: The token identifies nobody.
        Conflict: It is another card's UID or name.
        NotAllowed: It has nothing of the card's UID, and the holder pays later or not at all: it may be a stranger's card.
    """
    token = normal_form(token)
    found = need_open(db, card)
    if not token or is_random(token) or is_remote(token):
        raise Invalid("token", "This number changes at every tap: it identifies nobody.", "Take a card instead.")
    if token == found.uid or rows.find(db, token) == card:
        return
    owner = cards.by_uid(db, token)
    other = rows.find(db, token)
    if owner is None and other is not None:
        owner = cards.find(db, other)
    if owner is not None:
        raise Conflict("This is a card of {name} already.", name=owner.person)
    alike = likeness(token, found.uid)
    if alike is None:
        check_lets_charge(db, people.account_of(db, found.person_id).group_id, by)
    keep(db, token, found, alike or OTHER, station, by)


def remove(db: Database, token: str, by: By) -> None:
    """No card is called so any more.

    Raises:
        NotFound: None was.
    """
    card = rows.find(db, token)
    if card is None:
        raise NotFound("No card is called so.")
    rows.remove(db, token)
    audit.record(db, by, "card.unalias", f"card:{card}", token=masked(token))
    db.announce(PersonChanged(need(db, card).person_id))


def keep(db: Database, token: str, card: Card, alike: str, station: StationId | None, by: By) -> None:
    """Write it down: from now on the token is the card."""
    where = stations.show(db, station) if station is not None else None
    rows.add(db, token, card.id, alike, where.vendor if where else "", where.model if where else "", by.at_ms)
    unknown.forget(db, token)
    audit.record(db, by, "card.alias", f"card:{card.id}", token=masked(token))
    db.announce(PersonChanged(card.person_id))


def need_open(db: Database, card: CardId) -> Card:
    """The card of somebody who is here, or NotFound or Refusal."""
    found = need(db, card)
    people.check_open(people.need(db, found.person_id))
    return found


def need(db: Database, card: CardId) -> Card:
    """The card, or NotFound."""
    found = cards.find(db, card)
    if found is None:
        raise NotFound("There is no such card.")
    return found
