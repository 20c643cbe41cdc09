"""Cards: whose they are, whether they charge, and what they may do at most."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db.cards import aliases, cards
from appliance.db.cards import limits as limit_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people_search
from appliance.db.stations import stations
from appliance.domain.by import By
from appliance.domain.cards.content import ContentState
from appliance.domain.cards.limits import EVERY_DAY, MINUTES_PER_DAY, Limits
from appliance.domain.errors import Invalid
from appliance.domain.id_token import ID_TOKEN_CHARS_MAX, normal_form
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.order import natural
from appliance.services.cards import cards as card_units
from appliance.services.cards import limits as limit_units
from appliance.services.cards.cards import TRANSACTIONS_MAX, need
from appliance.services.texts import TEXT_CHARS_MAX
from appliance.ui.api.checks import Parameter, moment_of
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    CURRENCY_ASKED,
    amount,
    choice,
    flag,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    several,
    text,
    whole,
    with_example,
    words,
)

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
    number=whole("The number printed on it, which is not its UID."),
    kind=words("The chip; empty: no reader of ours has seen it."),
    content=choice(*ContentState, description="What is to stand on the chip, or does."),
    deposit_minor=money("Taken for it, and given back with it."),
    currency=CURRENCY,
    aliases=several(words("What a charger calls it that reads its UID in a way of its own.")),
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
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FROM = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "description": "On the site's clock: 06:00."}
UNTIL = {
    "type": "string",
    "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    "description": "Before which. Not after from_time: over midnight. 24:00: the end of the day.",
}
AT_MOST = {
    "session_energy_wh": or_null(amount(limit_units.ENERGY_WH_MAX, "In one session; null: without limit.")),
    "session_minor": or_null(amount(limit_units.AMOUNT_MINOR_MAX, "For one session, with tax; null: without limit.")),
    "day_energy_wh": or_null(amount(limit_units.ENERGY_WH_MAX, "On one day of the site; null: without limit.")),
    "day_minor": or_null(amount(limit_units.AMOUNT_MINOR_MAX, "On one day of the site; null: without limit.")),
    "month_energy_wh": or_null(
        amount(limit_units.ENERGY_WH_MAX, "In one calendar month of the site; null: without limit.")
    ),
    "month_minor": or_null(
        amount(limit_units.AMOUNT_MINOR_MAX, "In one calendar month of the site; null: without limit.")
    ),
}
WHEN = {
    "weekdays": several(choice(*DAYS)) | {"description": "On which days; of a span over midnight, where it begins."},
    "from_time": FROM,
    "until_time": UNTIL,
}
WHERE = several(text(48)) | {"description": "At which stations; none: at all of them."}
LIMITS = record("CardLimits", card_id=whole(), **AT_MOST, **WHEN, stations=WHERE, currency=CURRENCY)
NEW_LIMITS = with_example(
    form("NewCardLimits", **AT_MOST, **WHEN, stations=WHERE, currency=CURRENCY_ASKED),
    day_minor=100_000,
    weekdays=list(DAYS[:5]),
    from_time="06:00",
    until_time="20:00",
)


@dataclass(frozen=True, slots=True)
class Known:
    """A card, and what chargers call it besides its UID."""

    card: Card
    aliases: list[str]


async def list_cards(call: Call) -> Answer:
    """`GET /cards`."""
    query = call.query
    rows = await call.console.store.read(
        _page, query.get("text", ""), query.get("uid"), query.get("person"), call.after, call.limit + 1
    )
    return listed(rows, call.limit, lambda row: as_json(call, row), lambda row: row.card.id)


async def show_card(call: Call) -> Answer:
    """`GET /cards/{id}`."""
    return await _now(call, CardId(call.number()))


async def add_card(call: Call) -> Answer:
    """`POST /cards`."""
    body = call.body
    card = await call.console.store.write(
        card_units.add,
        body["uid"],
        PersonId(body["person_id"]),
        call.by,
        label=body.get("label", ""),
        transactions_max=body.get("transactions_max", 1),
        expires_at_ms=_expiry(body),
    )
    return await _now(call, card, 201)


async def change_card(call: Call) -> Answer:
    """`PATCH /cards/{id}`: what is not named stays."""
    card = CardId(call.number())
    expiry = (_expiry(call.body),) if "expires_at" in call.body else None
    await call.console.store.write(_change, card, call.body, expiry, call.by)
    return await _now(call, card)


async def block(call: Call) -> Answer:
    """`POST /cards/{id}/block`."""
    card = CardId(call.number())
    await call.console.store.write(card_units.block, card, call.body.get("reason", ""), call.by)
    return await _now(call, card)


async def unblock(call: Call) -> Answer:
    """`POST /cards/{id}/unblock`."""
    card = CardId(call.number())
    await call.console.store.write(card_units.unblock, card, call.by)
    return await _now(call, card)


async def replace(call: Call) -> Answer:
    """`POST /cards/{id}/replace`: the new card."""
    card = CardId(call.number())
    new = await call.console.store.write(card_units.replace, card, call.body["uid"], call.by)
    return await _now(call, new, 201)


async def show_limits(call: Call) -> Answer:
    """`GET /cards/{id}/limits`."""
    return await _limits_now(call, CardId(call.number()))


async def set_limits(call: Call) -> Answer:
    """`PUT /cards/{id}/limits`: all of them; what is left out is not limited."""
    card = CardId(call.number())
    call.check_currency()
    await call.console.store.write(_set_limits, card, call.body, call.by)
    return await _limits_now(call, card)


def as_json(call: Call, known: Known) -> Body:
    """As JSON."""
    card = known.card
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
        "number": card.number,
        "kind": card.kind,
        "content": card.content,
        "deposit_minor": card.deposit_minor,
        "currency": call.currency,
        "aliases": known.aliases,
    }


def limits_as_json(call: Call, card: CardId, limits: Limits, identities: list[str]) -> Body:
    """Limits as JSON."""
    return {
        "card_id": card,
        "session_energy_wh": limits.session_energy_wh,
        "session_minor": limits.session_minor,
        "day_energy_wh": limits.day_energy_wh,
        "day_minor": limits.day_minor,
        "month_energy_wh": limits.month_energy_wh,
        "month_minor": limits.month_minor,
        "weekdays": [day for bit, day in enumerate(DAYS) if limits.weekdays >> bit & 1],
        "from_time": _clock_time(limits.from_minute),
        "until_time": _clock_time(limits.until_minute),
        "stations": identities,
        "currency": call.currency,
    }


def _expiry(body: Body) -> int | None:
    text = body.get("expires_at")
    return None if text is None else moment_of("expires_at", text)


def _page(db: Readable, text: str, uid: str | None, person: int | None, after: int, limit: int) -> list[Known]:
    if uid is not None:
        found = people_search.card_called(db, normal_form(uid))
        rows = [found] if found is not None and found.id > after else []
    elif person is not None:
        rows = [card for card in reversed(cards.of_person(db, PersonId(person))) if card.id > after][:limit]
    else:
        rows = people_search.cards_after(db, text=text, after=after, limit=limit)
    return [Known(card, aliases.of_card(db, card.id)) for card in rows]


async def _now(call: Call, card: CardId, status: int = 200) -> Answer:
    return Answer(as_json(call, await call.console.store.read(_known, card)), status)


def _known(db: Readable, card: CardId) -> Known:
    return Known(need(db, card), aliases.of_card(db, card))


def _change(db: Database, card: CardId, body: Body, expiry: tuple[int | None] | None, by: By) -> None:
    found = need(db, card)
    card_units.change(
        db,
        card,
        by,
        label=body.get("label", found.label),
        transactions_max=body.get("transactions_max", found.transactions_max),
        expires_at_ms=found.expires_at_ms if expiry is None else expiry[0],
    )


async def _limits_now(call: Call, card: CardId) -> Answer:
    limits, identities = await call.console.store.read(_limits, card)
    return Answer(limits_as_json(call, card, limits, identities))


def _limits(db: Readable, card: CardId) -> tuple[Limits, list[str]]:
    limits = limit_rows.find(db, need(db, card).id)
    names = stations.names(db)
    return limits, sorted((names[station].identity for station in limits.stations), key=natural)


def _set_limits(db: Database, card: CardId, body: Body, by: By) -> None:
    limits = Limits(
        session_energy_wh=body.get("session_energy_wh"),
        session_minor=body.get("session_minor"),
        day_energy_wh=body.get("day_energy_wh"),
        day_minor=body.get("day_minor"),
        month_energy_wh=body.get("month_energy_wh"),
        month_minor=body.get("month_minor"),
        weekdays=sum(1 << DAYS.index(day) for day in set(body["weekdays"])) if "weekdays" in body else EVERY_DAY,
        from_minute=_minute(body.get("from_time", "00:00")),
        until_minute=_minute(body.get("until_time", "24:00")) or MINUTES_PER_DAY,
        stations=frozenset(_station_id(db, identity) for identity in body.get("stations", ())),
    )
    limit_units.change(db, card, limits, by)


def _station_id(db: Readable, identity: str) -> int:
    found = stations.by_identity(db, identity)
    if found is None:
        raise Invalid("stations", "There is no such charger.")
    return int(found.id)


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _clock_time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


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
    Operation("GET", "/cards/{id}/limits", "What a card may do at most", show_limits, LIMITS),
    Operation(
        "PUT", "/cards/{id}/limits", "Set all limits of a card; what is left out is not limited", set_limits, LIMITS,
        takes=NEW_LIMITS,
    ),
)  # fmt: skip
