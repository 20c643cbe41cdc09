"""What a desk is doing and has just done, in words: the job on top of its page, the torn ones, and what was last."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import people
from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.desk_job import OPEN, Advice, DeskJobState
from appliance.domain.desk_request import Batch, DeskJobKind, Issue, Recharge, Request, card_meant
from appliance.services.card_desk.undo import UNDO_MS_MAX, may_undo
from appliance.ui.frame.language import _
from appliance.ui.wording.card_desk import EMPTYING, KINDS, WRITING, advice_sentence, card_number
from appliance.ui.wording.sessions import IN_METHODS
from appliance.ui.writing.formats import Formats

SHOWN_MS = 60_000
"""How long what is over stays on top of the page: as long as it can be taken back."""
LATEST = 6
QUIET = frozenset({"superseded", Advice.CANCELLED})
"""Ends that somebody at this desk brought about: they need not be told."""
OVER = frozenset(DeskJobState) - OPEN
TONES = {DeskJobState.DONE: "done", DeskJobState.FAILED: "failed", DeskJobState.TORN: "failed"}
ICONS = {
    DeskJobState.DONE: "circle-check",
    DeskJobState.FAILED: "circle-alert",
    DeskJobState.TORN: "circle-alert",
}


@dataclass(frozen=True, slots=True)
class JobDetails:
    """One job as it was read: with its card, its holder's name, its receipt, and whether it can be taken back."""

    job: Job
    card: Card | None
    name: str
    receipt: Receipt | None
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """All jobs that a desk's page shows."""

    current: JobDetails | None
    torn: list[JobDetails]
    latest: list[JobDetails]


@dataclass(frozen=True, slots=True)
class Step:
    """A job in words, with what can be done about it."""

    id: int
    desk: str
    state: DeskJobState
    tone: str
    """As notes are called: `waiting`, `done`, `failed`."""
    icon: str
    word: str
    sentence: str
    advice: str
    at_ms: int
    may_cancel: bool
    undo_until_ms: int
    """Until when it can be taken back; 0: not (any more)."""
    may_accept: bool
    """Whether the card may stay as it is, with half of it written or none."""
    gives: bool
    """Whether somebody is to have the card afterwards."""
    card_id: int | None
    receipt: int | None
    credit_note: int | None
    batch: bool


def read_progress(db: Readable, desk: str, now_ms: int) -> Progress:
    """What a desk does, what it has just done, and what is torn anywhere."""
    latest = rows.latest_at(db, desk, LATEST)
    under_way = [job for job in rows.open_at(db, desk) if job.state is not DeskJobState.TORN]
    over = [job for job in latest if is_news(job, now_ms)]
    current = next(iter(under_way or over), None)
    torn = [job for job in rows.torn(db) if current is None or job.id != current.id]
    past = [job for job in latest if job.state in OVER and job.advice not in QUIET]
    return Progress(
        read_details(db, current, now_ms) if current is not None else None,
        [read_details(db, job, now_ms) for job in torn],
        [read_details(db, job, now_ms) for job in past if current is None or job.id != current.id],
    )


def is_news(job: Job, now_ms: int) -> bool:
    """Whether it is over, and staff may not have seen it yet."""
    return (
        job.state in {*OVER, DeskJobState.TORN}
        and job.kind is not DeskJobKind.READ
        and job.advice not in QUIET
        and now_ms - job.changed_at_ms <= SHOWN_MS
    )


def step_of(about: JobDetails, fmt: Formats) -> Step:
    """The words for it."""
    job, kind = about.job, KINDS[about.job.kind]
    torn = job.state is DeskJobState.TORN
    return Step(
        id=job.id,
        desk=job.desk,
        state=job.state,
        tone=TONES.get(job.state, "waiting"),
        icon=ICONS.get(job.state, kind.icon),
        word=_(kind.word),
        sentence=sentence_of(about, fmt),
        advice=advice_sentence(job.advice) if job.advice != Advice.UNDONE else "",
        at_ms=job.changed_at_ms,
        may_cancel=job.state is DeskJobState.WAITING,
        undo_until_ms=job.changed_at_ms + UNDO_MS_MAX if about.may_undo else 0,
        may_accept=torn and job.card_id is not None,
        gives=job.kind is not DeskJobKind.DECOMMISSION,
        card_id=job.card_id,
        receipt=job.receipt,
        credit_note=about.receipt.corrected_by if about.receipt is not None else None,
        batch=job.kind is DeskJobKind.BATCH,
    )


def sentence_of(about: JobDetails, fmt: Formats) -> str:
    """What is going on, or has happened."""
    job, kind = about.job, KINDS[about.job.kind]
    values = {
        "name": about.name,
        "number": card_number(about.card.number) if about.card is not None else "",
        "amount": fmt.money(amount_of(about)),
        "balance": fmt.money(about.receipt.balance_minor) if about.receipt is not None else "",
        "made": fmt.number(job.made),
        "next": fmt.number(job.made + 1),
        "count": fmt.number(job.request.count if isinstance(job.request, Batch) else 0),
    }
    if job.undone:
        return _("{what}: taken back.").format(what=_(kind.word))
    if job.state is DeskJobState.FAILED:
        return _("{what}: nothing came of it.").format(what=_(kind.word))
    if job.state is DeskJobState.WRITING:
        return _(EMPTYING if job.kind is DeskJobKind.DECOMMISSION else WRITING)
    words = {DeskJobState.WAITING: kind.waiting, DeskJobState.TORN: kind.torn}.get(job.state, kind.done)
    return " ".join(filter(None, (_(words).format(**values), money_sentence(about, fmt))))


def amount_of(about: JobDetails) -> int:
    """What changes hands, in minor units: what the receipt says, or else what is to be paid in."""
    if about.receipt is not None:
        return abs(about.receipt.amount_minor)
    return about.job.request.amount_minor if isinstance(about.job.request, Recharge) else 0


def money_sentence(about: JobDetails, fmt: Formats) -> str:
    """What changed hands with a card that was given out or came back; "" if the sentence says so itself, or nothing did."""
    receipt = about.receipt
    if receipt is None or about.job.kind is DeskJobKind.RECHARGE or receipt.method not in IN_METHODS:
        return ""
    words = _("{amount} {method} taken.") if receipt.amount_minor > 0 else _("{amount} {method} given back.")
    return words.format(amount=fmt.money(abs(receipt.amount_minor)), method=_(IN_METHODS[receipt.method]))


def new_name(request: Request) -> str:
    """Of the person who is taken in with the card; "" if nobody is."""
    return request.name if isinstance(request, Issue) else ""


def read_details(db: Readable, job: Job, now_ms: int) -> JobDetails:
    """A job with its card, its holder and its receipt, and whether it can be taken back now."""
    meant = job.card_id if job.card_id is not None else card_meant(job.request)
    card = cards.find(db, meant) if meant is not None else None
    person = people.find(db, job.person_id) if job.person_id is not None else None
    name = person.name if person is not None else card.person if card is not None else new_name(job.request)
    receipt = receipts.find(db, job.receipt) if job.receipt is not None else None
    return JobDetails(job, card, name, receipt, may_undo(db, job, now_ms))
