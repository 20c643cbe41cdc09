"""What the page of a desk asks for: a form sent twice is one job, and cards without a reader are served by their number.

A number that was typed, scanned by a reader that types, or told by a telephone counts as a card of which only the UID was
seen; the steps are those of services/card_desk/steps.py.
"""

from __future__ import annotations

from collections.abc import Callable

import orjson

from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.cards.tag import Kind, Seen, Trouble
from appliance.domain.desk_job import Advice, DeskJobState
from appliance.domain.errors import Conflict, Invalid, Refusal
from appliance.domain.id_token import HEX, UID_CHARS, is_random, normal_form
from appliance.domain.identifiers import CardId
from appliance.services import idempotency
from appliance.services.card_desk import jobs, taps
from appliance.services.card_desk.taps import DeskKey
from appliance.services.cards import cards as card_units
from appliance.services.wallets import wallets


def begin_once(db: Database, key: str, request: tuple[object, ...], by: By, begin: Callable[[], int]) -> int:
    """The job that `begin` records; the same form again gets the number of the first one. `request` is what was asked for.

    Raises:
        KeyReused: The form was sent before with something else in it.
    """

    def unit(_name: str) -> tuple[int, str]:
        return 200, orjson.dumps({"job": begin()}).decode()

    asked = orjson.dumps([str(part) for part in request])
    stored = idempotency.once(db, by, key, asked, unit)
    return int(orjson.loads(stored.body)["job"])


def without_reader(db: Database, job: int, uid: str, key: DeskKey, now_ms: int) -> int:
    """Serve a job that was just begun with a card of which nothing but the UID is known.

    Raises:
        Invalid: The text is no UID, or one that changes at each tap.
        Conflict: The card will not do for this job.
    """
    seen = by_number(db, uid)
    plan = taps.tapped(db, jobs.need(db, job).desk, seen, key, now_ms)
    found = jobs.need(db, job)
    if found.state is DeskJobState.WAITING:
        raise unsuitable(found.advice)
    if plan.card is not None and plan.work is not None:
        # Something stands on the chip that only a reader can change.
        taps.failed(db, plan.card, Trouble.GONE, now_ms)
    return job


def recharge_by_number(db: Database, card: CardId, amount_minor: int, method: str, key: str, by: By) -> int:
    """Money for the wallet behind a card that does not lie on a reader; the number of the receipt. Once for each key."""

    def unit(name: str) -> tuple[int, str]:
        found = card_units.need(db, card)
        if found.blocked_at_ms is not None:
            raise Refusal("This card is blocked.", "Unblock it first.")
        booked = wallets.top_up(db, found.person_id, amount_minor, method, name, by, card=card)
        return 200, orjson.dumps({"receipt": booked.receipt}).decode()

    asked = orjson.dumps(["recharge by number", str(card), str(amount_minor), method])
    stored = idempotency.once(db, by, key, asked, unit)
    return int(orjson.loads(stored.body)["receipt"])


def another_card(db: Database, job: int, desk: str, by: By) -> int:
    """The card of a torn job is given up for a new one; the job that waits for that one at `desk`."""
    found = jobs.need(db, job)
    if found.card_id is None:
        raise Refusal("This card is not waiting to be written.")
    taps.accept_unwritten(db, job, by)
    return jobs.begin_replace(db, desk, found.card_id, by)


def by_number(db: Readable, text: str) -> Seen:
    """What a reader would see of a card of which nothing but the UID is known."""
    uid = normal_form(text)
    if len(uid) not in UID_CHARS or not HEX.fullmatch(uid):
        raise Invalid("uid", "This is not the number of a card.", "Scan it again, or read it off the card.")
    if is_random(uid):
        raise Invalid(
            "uid",
            "This number changes at every tap, as those of telephones do: it identifies nobody.",
            "Take a card instead.",
        )
    known = cards.by_uid(db, uid)
    return Seen(uid, Kind(known.kind) if known is not None and known.kind in set(Kind) else Kind.UNKNOWN)


def unsuitable(advice: str) -> Refusal:
    """Why a card will not do, as a refusal."""
    match advice:
        case Advice.TAKEN:
            return Conflict("This card belongs to somebody already.", "Take another one.")
        case Advice.CHARGING:
            return Conflict("This card is charging a car.", "Stop the session first.")
        case Advice.OTHER_CARD:
            return Conflict("This is another card than the one that was meant.", "Take that one.")
        case Advice.UNKNOWN:
            return Conflict("Nobody has this card here.", "Give it to somebody first.")
        case Advice.OLD_TAKEN | Advice.OLD_COPY:
            return Conflict("The balance of this card was taken over already. Nothing was booked now.")
        case Advice.OLD_NOTHING:
            return Conflict("This card stands on no list.", "A manager can type what it was worth.")
        case Advice.OLD_TOO_MUCH:
            return Conflict("This is more than one card may bring.", "The owner says under Settings how much.")
        case Advice.MONEY_STOPPED:
            return Conflict(
                "Money is stopped: the books do not agree with themselves. Nothing was booked.",
                "An owner looks under Problems at what differs, and lets money move again.",
            )
        case _:
            return Conflict("This card will not do.", "Take another one.")
