"""Cards: whose they are, and whether they charge."""

from __future__ import annotations

import sqlite3

from appliance.db import people
from appliance.db.connection import Database
from appliance.db.people import Card
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX, normal_form
from appliance.domain.identifiers import CardId, PersonId
from appliance.services import enrolment
from appliance.services.enrolment import TEXT_CHARS_MAX, TRANSACTIONS_MAX, need_card
from appliance.ui.api.checks import Parameter, moment_of
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import flag, form, moment, number_of, or_null, record, text, whole, words

UID = text(ID_TOKEN_CHARS_MAX, "In any of the usual ways: with colons, with blanks, in small letters.", least=1)
LABEL = text(TEXT_CHARS_MAX, "What is printed on it.")
AT_ONCE = whole("How many sessions at once.", least=1, most=TRANSACTIONS_MAX)
EXPIRES = or_null(moment("From when it no longer charges; null: never."))
CARD = record(
    "Card",
    id=whole(),
    uid=words("In normal form."),
    person_id=whole(),
    person=words(),
    label=words(),
    transactions_max=whole("How many sessions at once."),
    expires_at=or_null(moment()),
    blocked=flag(),
    blocked_at=or_null(moment()),
    blocked_why=words(),
    replaced_by=or_null(whole("The card that was given out instead.")),
    created_at=moment(),
)
NEW_CARD = form(
    "NewCard",
    ("uid", "person_id"),
    uid=UID,
    person_id=number_of("its holder"),
    label=LABEL,
    transactions_max=AT_ONCE,
    expires_at=EXPIRES,
)
CARD_CHANGE = form("CardChange", label=LABEL, transactions_max=AT_ONCE, expires_at=EXPIRES)
BLOCK = form("Block", reason=text(TEXT_CHARS_MAX))
REPLACEMENT = form("Replacement", ("uid",), uid=UID)


async def list_cards(call: Call) -> Answer:
    """`GET /cards`."""
    query = call.query
    rows = await call.console.store.read(
        _page, query.get("text", ""), query.get("uid"), query.get("person"), call.after, call.limit + 1
    )
    return listed(rows, call.limit, shown, lambda row: row.id)


async def show_card(call: Call) -> Answer:
    """`GET /cards/{id}`."""
    return await _now(call, CardId(call.number()))


async def add_card(call: Call) -> Answer:
    """`POST /cards`."""
    body = call.body
    card = await call.console.store.write(
        enrolment.add_card,
        body["uid"],
        PersonId(body["person_id"]),
        call.actor,
        call.now_ms,
        label=body.get("label", ""),
        transactions_max=body.get("transactions_max", 1),
        expires_at_ms=_expiry(body),
    )
    return await _now(call, card, 201)


async def change_card(call: Call) -> Answer:
    """`PATCH /cards/{id}`: what is not named stays."""
    card = CardId(call.number())
    expiry = (_expiry(call.body),) if "expires_at" in call.body else None
    await call.console.store.write(_change, card, call.body, expiry, call.actor, call.now_ms)
    return await _now(call, card)


async def block(call: Call) -> Answer:
    """`POST /cards/{id}/block`."""
    card = CardId(call.number())
    await call.console.store.write(enrolment.block_card, card, call.body.get("reason", ""), call.actor, call.now_ms)
    return await _now(call, card)


async def unblock(call: Call) -> Answer:
    """`POST /cards/{id}/unblock`."""
    card = CardId(call.number())
    await call.console.store.write(enrolment.unblock_card, card, call.actor, call.now_ms)
    return await _now(call, card)


async def replace(call: Call) -> Answer:
    """`POST /cards/{id}/replace`: the new card."""
    card = CardId(call.number())
    new = await call.console.store.write(enrolment.replace_card, card, call.body["uid"], call.actor, call.now_ms)
    return await _now(call, new, 201)


def shown(card: Card) -> Body:
    """As JSON."""
    return {
        "id": card.id,
        "uid": card.uid,
        "person_id": card.person_id,
        "person": card.person,
        "label": card.label,
        "transactions_max": card.transactions_max,
        "expires_at": at(card.expires_at_ms),
        "blocked": card.blocked_at_ms is not None,
        "blocked_at": at(card.blocked_at_ms),
        "blocked_why": card.blocked_why,
        "replaced_by": card.replaced_by,
        "created_at": at(card.created_at_ms),
    }


def _expiry(body: Body) -> int | None:
    text = body.get("expires_at")
    return None if text is None else moment_of("expires_at", text)


def _page(db: sqlite3.Connection, text: str, uid: str | None, person: int | None, after: int, limit: int) -> list[Card]:
    if uid is not None:
        found = people.card_by_uid(db, normal_form(uid))
        rows = [found] if found is not None and found.id > after else []
    elif person is not None:
        rows = [card for card in reversed(people.cards_of(db, PersonId(person))) if card.id > after][:limit]
    else:
        rows = people.cards(db, text=text, after=after, limit=limit)
    return rows


async def _now(call: Call, card: CardId, status: int = 200) -> Answer:
    return Answer(shown(await call.console.store.read(need_card, card)), status)


def _change(db: Database, card: CardId, body: Body, expiry: tuple[int | None] | None, actor: str, now_ms: int) -> None:
    found = need_card(db, card)
    enrolment.change_card(
        db,
        card,
        actor,
        now_ms,
        label=body.get("label", found.label),
        transactions_max=body.get("transactions_max", found.transactions_max),
        expires_at_ms=found.expires_at_ms if expiry is None else expiry[0],
    )


OPERATIONS = (
    Operation(
        "GET", "/cards", "Cards", list_cards, CARD, listed=True,
        query=(
            Parameter("text", text(100, "In the UID, the label or the holder's name.")),
            Parameter("uid", UID),
            Parameter("person", number_of("the holder")),
            *PAGING,
        ),
    ),
    Operation("POST", "/cards", "A card for a person", add_card, CARD, takes=NEW_CARD, status=201),
    Operation("GET", "/cards/{id}", "One card", show_card, CARD),
    Operation("PATCH", "/cards/{id}", "Change a card", change_card, CARD, takes=CARD_CHANGE),
    Operation("POST", "/cards/{id}/block", "It charges nowhere; what it charges now is stopped", block, CARD, takes=BLOCK),
    Operation("POST", "/cards/{id}/unblock", "It may charge again", unblock, CARD, takes=EMPTY),
    Operation(
        "POST", "/cards/{id}/replace", "Another card instead of a lost one", replace, CARD, takes=REPLACEMENT, status=201
    ),
)  # fmt: skip
