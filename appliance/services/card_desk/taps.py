"""A card lies on the reader: what is booked, and what is to be written on it.

Every action is ledger first: `tapped` books all of it in one commit and says what must stand on the card; the desk writes
it, reads it back and reports `written` or `failed`. What must stand on a card is in the card's own row, so that after a
pulled card, a pulled reader or a power cut the next tap of this card, at any desk, finishes what was begun, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cards import content
from appliance.domain.cards.content import ContentState, Origin
from appliance.domain.cards.tag import AnyWork, Content, Kind, ReadOld, Seen, Trouble, Wipe, Write
from appliance.domain.desk_job import Advice, DeskJobEvent, DeskJobState, after
from appliance.domain.desk_request import Batch, Issue, Read, Recharge
from appliance.domain.errors import Refusal
from appliance.domain.id_token import normal_form
from appliance.domain.identifiers import CardId
from appliance.domain.problem import ProblemKind
from appliance.services import audit, old_cards, problems
from appliance.services.announce import DeskChanged, DeskNews, PersonChanged
from appliance.services.card_desk import jobs
from appliance.services.card_desk.checks import Unsuitable, is_copy, origin_of
from appliance.services.card_desk.steps import take_step
from appliance.services.cards import cards as card_units
from appliance.services.ports.vault import Vault

ADVICE_ABOUT: Mapping[Trouble, Advice] = {
    Trouble.GONE: Advice.PRESENT_AGAIN,
    Trouble.TORN: Advice.PRESENT_AGAIN,
    Trouble.OTHER_CARD: Advice.PRESENT_AGAIN,
    Trouble.LOCKED: Advice.LOCKED,
    Trouble.TOO_SMALL: Advice.TOO_SMALL,
}
NOT_READ: Mapping[Trouble, Advice] = {
    Trouble.LOCKED: Advice.OLD_LOCKED,
    Trouble.DIFFERENT: Advice.OLD_UNREADABLE,
    Trouble.REFUSED: Advice.OLD_UNREADABLE,
}
AFTER_WORK: Mapping[ContentState, ContentState] = {
    ContentState.PENDING: ContentState.WRITTEN,
    ContentState.WIPING: ContentState.WIPED,
}


@dataclass(frozen=True, slots=True)
class DeskKey:
    """What cards of this site are written with."""

    site_key: bytes
    link_base: str
    """`http://192.168.1.10:8081/card/`: the token of the card follows."""
    vault: Vault | None = None
    """For the key of old cards."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What the desk is to do with the card that lies there."""

    card: CardId | None = None
    """None: it is nobody's so far, and only looked at."""
    work: AnyWork | None = None


@dataclass(frozen=True, slots=True)
class Described:
    """The card that lies there, as people and programs are told. `ours`: this site gave it out, and it is no copy."""

    uid: str
    kind: str
    ours: bool
    card: Card | None
    origin: Origin
    objection: Advice
    """Why it can be given to nobody: `RANDOM`, `SEVERAL`; `NONE` if it can, or is."""


def tapped(db: Database, desk: str, seen: Seen, key: DeskKey, now_ms: int) -> Plan:
    """A card was laid down, or a job begun while it lies there: book what waits, and say what is to be written."""
    known = cards.by_uid(db, normal_form(seen.uid))
    if known is not None and not seen.several and seen.kind is not Kind.UNKNOWN:
        cards.set_kind(db, known.id, seen.kind)
    job = rows.waiting_at(db, desk)
    card = known.id if known is not None else None
    if job is not None:
        try:
            if (found := objection(seen)) is not Advice.NONE:
                raise Unsuitable(found)
            if (first := to_be_read(db, job, seen, key)) is not None:
                return Plan(work=first)
            card = take_step(db, job, seen, known, key.site_key, now_ms) or card
        except Unsuitable as why:
            jobs.advise(db, job, why.advice, now_ms)
    if card is None or objection(seen):
        return Plan()
    work = wanted(db, card, seen, key)
    if work is None:
        settle(db, card, now_ms)
    else:
        for unfinished in rows.unfinished_of(db, card):
            rows.set_state(db, unfinished.id, after(unfinished.state, DeskJobEvent.RETURNED), now_ms)
            db.announce(DeskChanged(unfinished.desk, DeskNews.PROGRESS, unfinished.id))
    return Plan(card, work)


def to_be_read(db: Database, job: Job, seen: Seen, key: DeskKey) -> ReadOld | None:
    """What the reader is to say first of a card whose balance is taken over."""
    if not isinstance(job.request, Issue | Recharge) or not job.request.old:
        return None
    return old_cards.reading_of(db, seen, job.request.old_minor, key.vault)


def not_read(db: Database, desk: str, trouble: Trouble, now_ms: int) -> None:
    """What an old card says could not be read; the job goes on waiting."""
    job = rows.waiting_at(db, desk)
    if job is not None:
        jobs.advise(db, job, NOT_READ.get(trouble, Advice.PRESENT_AGAIN), now_ms)


def written(db: Database, card: CardId, now_ms: int) -> None:
    """The card was written, or emptied, and read back."""
    found = card_units.need(db, card)
    if old_cards.waits_for_clearing(db, found.uid):
        old_cards.cleared(db, card, found.uid, By("clock", now_ms))
    cards.set_content(db, card, AFTER_WORK.get(found.content, found.content))
    settle(db, card, now_ms)
    db.announce(PersonChanged(found.person_id))


def failed(db: Database, card: CardId, trouble: Trouble, now_ms: int) -> None:
    """The card is not what it should be: what was booked stands, and the job is open until the card comes back."""
    for job in rows.unfinished_of(db, card):
        jobs.tear(db, job, now_ms, ADVICE_ABOUT.get(trouble, Advice.CANNOT_WRITE))


def settle(db: Database, card: CardId, now_ms: int) -> None:
    """Card and books agree: all that was begun with it is done."""
    problems.clear_problem(db, ProblemKind.TORN_CARD, f"card:{card}", now_ms)
    for job in rows.unfinished_of(db, card):
        if isinstance(job.request, Batch) and rows.count_made(db, job.id) < job.request.count:
            rows.set_state(db, job.id, after(job.state, DeskJobEvent.NEXT), now_ms)
            db.announce(DeskChanged(job.desk, DeskNews.PROGRESS, job.id))
        else:
            jobs.end(
                db,
                job,
                DeskJobEvent.AGREED,
                now_ms,
                Advice(job.advice) if isinstance(job.request, Read) else Advice.NONE,
            )


def accept_unwritten(db: Database, job: int, by: By) -> None:
    """The card cannot be written: it is used by its UID alone, which is all that chargers look at."""
    found = jobs.need(db, job)
    if found.state is not DeskJobState.TORN or found.card_id is None:
        raise Refusal("This card is not waiting to be written.")
    cards.set_content(db, found.card_id, ContentState.NONE)
    audit.record(db, by, "card.accept", f"card:{found.card_id}")
    settle(db, found.card_id, by.at_ms)


def wanted(db: Readable, card: CardId, seen: Seen, key: DeskKey) -> AnyWork | None:
    """What is to be done so that the chip agrees with the card's row; None if it does."""
    found = card_units.need(db, card)
    keys = content.keys(key.site_key, seen.uid)
    if found.content is ContentState.PENDING:
        record = content.sign(key.site_key, seen.uid, found.number, found.issue)
        return Write(seen.uid, Content(key.link_base + found.token, record), keys)
    if found.content is ContentState.WIPING:
        return Wipe(seen.uid, keys)
    return old_cards.clearing_of(db, seen, key.vault)


def describe(db: Readable, seen: Seen, site_key: bytes) -> Described:
    """The card that lies there."""
    uid = normal_form(seen.uid)
    known = cards.by_uid(db, uid)
    origin = origin_of(seen, site_key, known)
    ours = known is not None and not card_units.has_come_back(known) and not is_copy(known, origin)
    return Described(uid, str(seen.kind), ours, known, origin, objection(seen))


def objection(seen: Seen) -> Advice:
    """Why this card can be given to nobody."""
    if seen.several:
        return Advice.SEVERAL
    return Advice.RANDOM if seen.random else Advice.NONE
