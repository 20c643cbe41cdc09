"""Card desks as JSON: the shapes that come in and go out, and how a desk, a card on its reader and a job are shown.

What the calls do is in `desks`, the stream in `events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db.card_desk import jobs
from appliance.db.card_desk.jobs import Job
from appliance.db.engine.protocols import Readable
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.wallets import receipts
from appliance.domain.cards.content import ContentState, Origin
from appliance.domain.cards.tag import ReaderState, ReaderStatus, Seen
from appliance.domain.desk_job import Advice, DeskJobState
from appliance.domain.desk_request import DeskJobKind
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX
from appliance.domain.identifiers import CardId
from appliance.domain.ledger import Method
from appliance.services.card_desk import checks, taps
from appliance.services.card_desk.jobs import BATCH_MAX
from appliance.services.card_desk.taps import Described
from appliance.services.cards import cards as card_units
from appliance.services.ports.readers import DeskView
from appliance.services.texts import NAME_CHARS_MAX, TEXT_CHARS_MAX
from appliance.services.wallets.wallets import AMOUNT_MINOR_MAX
from appliance.ui.api.operations import Body, at
from appliance.ui.api.shapes import (
    CURRENCY,
    CURRENCY_ASKED,
    Schema,
    amount,
    choice,
    flag,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    ref_or_null,
    several,
    text,
    whole,
    with_example,
    words,
)
from appliance.ui.wording import card_desk

DESK_NAME: Schema = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"}
METHOD = choice(*Method, description="How the money comes or goes; cash if left out.")
TOP_UP = amount(AMOUNT_MINOR_MAX, "The first top-up, in minor units; nothing if left out.", least=0)
LABEL = text(TEXT_CHARS_MAX, "What is printed on it.")
OVERWRITE = flag("Take a card on which something else is written.")

READER = record(
    "DeskReader",
    state=choice(*ReaderStatus),
    name=words("What it calls itself; empty while none is known."),
    detail=words("The device, or what is in its way."),
    advice=words("What to do, as a sentence; empty when all is well."),
)
DESK_CARD = record(
    "DeskCard",
    uid=words("In normal form."),
    kind=words("The chip."),
    ours=flag("Whether this site gave it out, and it is no copy."),
    card_id=or_null(whole("null: nobody knows it.")),
    number=or_null(whole("The number printed on it.")),
    person_id=or_null(whole("Its holder.")),
    person=or_null(words()),
    label=words(),
    blocked=flag(),
    blocked_why=words(),
    content=or_null(choice(*ContentState, description="What is to stand on it.")),
    origin=choice(*Origin, description="What the record on it says."),
    writable=flag("Whether this kind of chip can be written."),
    locked=flag("Whether writing needs a key."),
    genuine={"type": ["boolean", "null"], "description": "Whether the maker's signature is right; null: it has none."},
    balance_minor=or_null(money("Of its holder's wallet.")),
    available_minor=or_null(money("What its holder can still spend; null: without limit, or no holder.")),
    currency=CURRENCY,
    advice=words("What is the matter with it, as a sentence; empty: nothing."),
    advice_code=words("The name of that sentence, which never changes."),
)
DESK = record(
    "Desk",
    id=words("What it is called in addresses."),
    name=words("What people call it."),
    remote=flag("Whether its reader is on another computer."),
    reader=READER.reference,
    card=ref_or_null(DESK_CARD),
)
DESK_JOB = record(
    "DeskJob",
    id=whole(),
    desk=words(),
    kind=words("issue, recharge, read, replace, decommission, rewrite, batch."),
    state=choice(*DeskJobState),
    card_id=or_null(whole("The card; of a batch, the last one.")),
    person_id=or_null(whole()),
    receipt=or_null(whole("The number of the receipt; null: no money moved.")),
    credit_note=or_null(whole("The number of the receipt that took it back.")),
    undone=flag("Whether it was taken back."),
    made=whole("Cards of a batch that are finished."),
    cards=several(whole("Cards of a batch, in their order.")),
    advice=words("What is the matter, or what to do, as a sentence; empty: nothing."),
    advice_code=words("The name of that sentence, which never changes."),
    created_at=moment(),
    changed_at=moment(),
)
BEGUN = record("DeskJobBegun", job=whole("Its number; see `/desks/{id}/jobs/{job}`."))
UNDONE = record(
    "DeskJobUndone", job=whole(), credit_note=or_null(whole("The receipt that takes the money back; null: none moved."))
)

ISSUE = with_example(
    form(
        "CardIssue",
        person_id=number_of("the holder, where known"),
        name=text(NAME_CHARS_MAX, "Or the name of a new person.", least=1),
        phone=text(100),
        group_id=number_of("the group of a new person"),
        topup_minor=TOP_UP,
        currency=CURRENCY_ASKED,
        method=METHOD,
        label=LABEL,
        expires_at=or_null(moment("From when it no longer charges; null: never.")),
        overwrite=OVERWRITE,
    ),
    name="Rahima Khatun",
    phone="+880 1712 345678",
    topup_minor=50_000,
    method="cash",
)
TAKE_OVER = with_example(
    form(
        "OldCardTakeOver",
        person_id=number_of("the holder, where known; left out, and without a name: the card is one of ours already"),
        name=text(NAME_CHARS_MAX, "Or the name of a new person.", least=1),
        phone=text(100),
        group_id=number_of("the group of a new person"),
        old_minor=amount(
            AMOUNT_MINOR_MAX,
            "What it was worth, by the old machine: a manager says so. Left out, the list or the card says it.",
        ),
        currency=CURRENCY_ASKED,
        uid=text(ID_TOKEN_CHARS_MAX, "Its number, where no reader reads it: booked at once, and not emptied.", least=1),
    ),
    name="Rahima Khatun",
    old_minor=50_000,
    uid="04 A1 B2 C3",
)
RECHARGE = with_example(
    form(
        "CardRecharge",
        ("amount_minor",),
        amount_minor=amount(AMOUNT_MINOR_MAX, "Minor units of the currency."),
        currency=CURRENCY_ASKED,
        method=METHOD,
        card_id=number_of("the only card that will do"),
    ),
    amount_minor=50_000,
    method="cash",
)
REPLACE = with_example(
    form("CardReplacement", ("old_card_id",), old_card_id=number_of("the lost card"), overwrite=OVERWRITE),
    old_card_id=17,
)
DECOMMISSION = with_example(
    form(
        "CardReturn",
        card_id=number_of("the only card that will do"),
        refund=flag("Give back the deposit."),
        rest=flag(
            "With the last card of a prepaid person, pay out the wallet. For who may refund; others are answered 403."
        ),
        method=METHOD,
    ),
    refund=True,
    method="cash",
)
REWRITE = with_example(
    form("CardRewrite", ("card_id",), card_id=number_of("the card"), overwrite=OVERWRITE), card_id=17
)
BATCH = with_example(
    form(
        "CardBatch",
        ("count",),
        count=whole("How many cards.", least=1, most=BATCH_MAX),
        person_id=number_of("the person who gets all of them"),
        group_id=number_of("or the group in which each gets a wallet of its own"),
        label=LABEL,
        overwrite=OVERWRITE,
    ),
    count=20,
    label="Fleet",
)


@dataclass(frozen=True, slots=True)
class OnReader:
    """A card that lies on a reader, with what the books say of it."""

    seen: Seen
    described: Described
    holder: Person | None


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job with what stands in other tables."""

    job: Job
    credit_note: int | None
    cards: tuple[CardId, ...]


def on_reader(db: Readable, seen: Seen | None, site_key: bytes) -> OnReader | None:
    """What the books say of the card that lies there."""
    if seen is None:
        return None
    described = taps.describe(db, seen, site_key)
    card = described.card
    holder = people.find(db, card.person_id) if card is not None and not card_units.has_come_back(card) else None
    return OnReader(seen, described, holder)


def all_on_readers(db: Readable, cards: Sequence[Seen | None], site_key: bytes) -> list[OnReader | None]:
    """The same for several desks."""
    return [on_reader(db, seen, site_key) for seen in cards]


def known_job(db: Readable, job: Job) -> KnownJob:
    """A job with its credit note and the cards of its batch."""
    receipt = receipts.find(db, job.receipt) if job.receipt is not None else None
    cards = tuple(jobs.cards_of_batch(db, job.id)) if job.kind is DeskJobKind.BATCH else ()
    return KnownJob(job, receipt.corrected_by if receipt is not None else None, cards)


def desk_as_json(view: DeskView, card: OnReader | None, currency: str) -> Body:
    """A desk as JSON."""
    return {
        "id": view.id,
        "name": view.name,
        "remote": view.remote,
        "reader": reader_as_json(view.reader),
        "card": card_as_json(card, currency) if card is not None else None,
    }


def reader_as_json(state: ReaderState) -> Body:
    """A reader as JSON."""
    return {
        "state": str(state.status),
        "name": state.name,
        "detail": state.detail,
        "advice": card_desk.reader_words(state).advice,
    }


def card_as_json(found: OnReader, currency: str) -> Body:
    """A card on a reader as JSON."""
    seen, described, holder = found.seen, found.described, found.holder
    card, code = described.card, objection_code(described)
    return {
        "uid": described.uid,
        "kind": described.kind,
        "ours": described.ours,
        "card_id": card.id if card is not None else None,
        "number": card.number if card is not None else None,
        "person_id": holder.id if holder is not None else None,
        "person": holder.name if holder is not None else None,
        "label": card.label if card is not None and holder is not None else "",
        "blocked": card is not None and card.blocked_at_ms is not None,
        "blocked_why": card.blocked_why if card is not None else "",
        "content": card.content if card is not None else None,
        "origin": str(described.origin),
        "writable": seen.writable,
        "locked": seen.locked,
        "genuine": seen.genuine,
        "balance_minor": holder.balance_minor if holder is not None else None,
        "available_minor": holder.available_minor if holder is not None else None,
        "currency": currency,
        "advice": card_desk.advice_sentence(code),
        "advice_code": code,
    }


def objection_code(described: Described) -> Advice:
    """What is the matter with a card that lies there."""
    if described.objection:
        return described.objection
    card, origin = described.card, described.origin
    if origin is Origin.COPIED or (card is not None and checks.is_copy(card, origin)):
        return Advice.COPIED
    if origin is Origin.FOREIGN and not described.ours:
        return Advice.FOREIGN
    blocked = described.ours and card is not None and card.blocked_at_ms is not None
    return Advice.BLOCKED if blocked else Advice.NONE


def job_as_json(known: KnownJob) -> Body:
    """A job as JSON."""
    job = known.job
    return {
        "id": job.id,
        "desk": job.desk,
        "kind": job.kind,
        "state": job.state,
        "card_id": job.card_id,
        "person_id": job.person_id,
        "receipt": job.receipt,
        "credit_note": known.credit_note,
        "undone": job.undone,
        "made": job.made,
        "cards": list(known.cards),
        "advice": card_desk.advice_sentence(job.advice),
        "advice_code": job.advice,
        "created_at": at(job.created_at_ms),
        "changed_at": at(job.changed_at_ms),
    }
