"""People and their money."""

from __future__ import annotations

from collections.abc import Callable

from appliance.db import ledger
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.ledger import Entry
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.approval import ApprovalKind
from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.domain.errors import Conflict
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.ledger import Method
from appliance.services.approvals import approvals
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.cards.limits import AMOUNT_MINOR_MAX as LIMIT_MINOR_MAX
from appliance.services.cards.limits import ENERGY_WH_MAX
from appliance.services.people import limits, people
from appliance.services.people.people import need
from appliance.services.texts import NAME_CHARS_MAX, TEXT_CHARS_MAX
from appliance.services.wallets import wallets
from appliance.services.wallets.wallets import AMOUNT_MINOR_MAX, Booked
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import EMPTY, PAGING, Answer, Body, Call, Operation, at, key_of, listed, once
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
    text,
    thing,
    whole,
    words,
)
from appliance.ui.frame.language import LANGUAGES

NAME = text(NAME_CHARS_MAX, least=1)
NOTE = text(TEXT_CHARS_MAX, lines=True)
SPEAKS = choice("", *LANGUAGES, description="Empty: the site's.")
METHOD = choice(*Method, description="cash if left out.")

PERSON = record(
    "Person",
    id=whole(),
    name=words(),
    phone=words(),
    note=words(),
    language=words("Empty: the site's."),
    group_id=whole(),
    group=words(),
    policy=words(),
    balance_minor=money("Of the wallet that pays for them: their own, or that of their pool."),
    held_minor=money("Of the balance, what is held for sessions that run or are in review."),
    available_minor=or_null(money("What can still be spent; null: without limit.")),
    currency=CURRENCY,
    cards=whole("How many that are not blocked."),
    created_at=moment(),
    closed_at=or_null(moment("When they left, or were merged into somebody else.")),
    merged_into=or_null(whole("With whom their cards and money are since then; null: with nobody else.")),
    is_pool=flag("A pool: several people charge from this wallet."),
    pool_id=or_null(whole("The pool from whose wallet they charge; null: from their own.")),
    own_balance_minor=money("What is in their own wallet; it rests while a pool pays."),
    tax_number=words("Of the buyer on their bills (`/people/{id}/buyer`), and on receipts."),
)
LIMITED = ("day_energy_wh", "day_minor", "month_energy_wh", "month_minor")
PERSON_LIMITS = record(
    "PersonLimits",
    person_id=whole("Of a pool: all that it pays for."),
    day_energy_wh=or_null(whole("In a day of the site; null: not limited.")),
    day_minor=or_null(money("The same in money, with tax.")),
    month_energy_wh=or_null(whole("In a calendar month of the site.")),
    month_minor=or_null(money("The same in money, with tax.")),
    used=thing(day_energy_wh=whole(), day_minor=money(), month_energy_wh=whole(), month_minor=money())
    | {"description": "What was used today and this month, by the last readings."},
    currency=CURRENCY,
)
NEW_PERSON_LIMITS = form(
    "NewPersonLimits",
    day_energy_wh=or_null(whole("Wh in a day of the site.", least=1, most=ENERGY_WH_MAX)),
    day_minor=or_null(amount(LIMIT_MINOR_MAX, "Minor units in a day of the site.")),
    month_energy_wh=or_null(whole("Wh in a calendar month of the site.", least=1, most=ENERGY_WH_MAX)),
    month_minor=or_null(amount(LIMIT_MINOR_MAX, "Minor units in a calendar month of the site.")),
    currency=CURRENCY_ASKED,
)
BOOKED = record(
    "Booked",
    person_id=whole("Whose wallet it is: of somebody in a pool, what is paid in is the pool's."),
    amount_minor=money(),
    balance_minor=money("After it."),
    available_minor=or_null(money("After it; null: without limit.")),
    currency=CURRENCY,
    receipt=or_null(whole("Its number; null: a correction has none.")),
)
ENTRY = record(
    "Entry",
    id=whole("The number of its row in the ledger."),
    at=moment(),
    code=words("topup, refund, charge, correction."),
    reference=words("The session's number, or why."),
    actor=words("Who: operator:3, token:2, station:17, clock."),
    amount_minor=money("Positive into the wallet, negative out of it."),
    currency=CURRENCY,
)
NEW_PERSON = form(
    "NewPerson",
    ("name", "group_id"),
    name=NAME,
    phone=text(100),
    note=NOTE,
    language=SPEAKS,
    group_id=number_of("their group"),
)
PERSON_CHANGE = form(
    "PersonChange", name=NAME, phone=text(100), note=NOTE, language=SPEAKS, group_id=number_of("their group")
)
PAYMENT = form(
    "Payment",
    ("amount_minor",),
    amount_minor=amount(AMOUNT_MINOR_MAX, "Minor units of the currency."),
    currency=CURRENCY_ASKED,
    method=METHOD,
    note=text(TEXT_CHARS_MAX),
)
CORRECTION = form(
    "Correction",
    ("amount_minor", "reason"),
    amount_minor=amount(AMOUNT_MINOR_MAX, "Into the wallet, or, below zero, out of it.", least=-AMOUNT_MINOR_MAX),
    currency=CURRENCY_ASKED,
    reason=text(TEXT_CHARS_MAX, least=1),
)

# --- people --------------------------------------------------------------------------------------------------------------


async def list_people(call: Call) -> Answer:
    """`GET /people`."""
    query = call.query
    rows = await call.console.store.read(
        _listed,
        text=query.get("text", ""),
        group=GroupId(query["group"]) if "group" in query else None,
        closed=query.get("closed", False),
        after=call.after,
        limit=call.limit + 1,
    )
    return listed(rows, call.limit, lambda row: as_json(call, *row), lambda row: row[0].id)


async def show_person(call: Call) -> Answer:
    """`GET /people/{id}`."""
    return await _now(call, PersonId(call.number()))


async def add_person(call: Call) -> Answer:
    """`POST /people`."""
    body = call.body
    person = await call.console.store.write(
        people.add,
        body["name"],
        GroupId(body["group_id"]),
        call.by,
        phone=body.get("phone", ""),
        note=body.get("note", ""),
        language=body.get("language", ""),
    )
    return await _now(call, person, 201)


async def change_person(call: Call) -> Answer:
    """`PATCH /people/{id}`: what is not named stays."""
    person = PersonId(call.number())
    await call.console.store.write(_change_person, person, call.body, call.by)
    return await _now(call, person)


async def close_person(call: Call) -> Answer:
    """`POST /people/{id}/close`."""
    person = PersonId(call.number())
    await call.console.store.write(people.close, person, call.by)
    return await _now(call, person)


async def reopen_person(call: Call) -> Answer:
    """`POST /people/{id}/reopen`."""
    person = PersonId(call.number())
    await call.console.store.write(people.reopen, person, call.by)
    return await _now(call, person)


# --- money ---------------------------------------------------------------------------------------------------------------


async def top_up(call: Call) -> Answer:
    """`POST /people/{id}/topups`."""
    return await _pay(call, wallets.top_up, ApprovalKind.TOPUP)


async def refund(call: Call) -> Answer:
    """`POST /people/{id}/refunds`."""
    return await _pay(call, wallets.refund, ApprovalKind.REFUND)


async def correct(call: Call) -> Answer:
    """`POST /people/{id}/corrections`."""
    call.check_currency()
    person, body, by = PersonId(call.number()), call.body, call.by

    def unit(db: Database, name: str) -> tuple[int, Body]:
        booked = wallets.correct(db, person, body["amount_minor"], body["reason"], name, by)
        return 201, booked_as(call, booked)

    return await _once_or_ask(call, unit, ApprovalKind.CORRECTION, {"reason": body["reason"]})


async def list_entries(call: Call) -> Answer:
    """`GET /people/{id}/ledger`."""
    rows = await call.console.store.read(_entries, PersonId(call.number()), call.after, call.limit + 1)
    return listed(rows, call.limit, lambda row: entry(call, row), lambda row: row.seq)


async def _pay(call: Call, move: Callable[..., Booked], kind: ApprovalKind) -> Answer:
    call.check_currency()
    person, body, by = PersonId(call.number()), call.body, call.by
    method, note = body.get("method", Method.CASH.value), body.get("note", "")

    def unit(db: Database, name: str) -> tuple[int, Body]:
        booked = move(db, person, body["amount_minor"], method, name, by, note=note)
        return 201, booked_as(call, booked)

    return await _once_or_ask(call, unit, kind, {"method": method, "note": note})


async def _once_or_ask(
    call: Call, unit: Callable[[Database, str], tuple[int, Body]], kind: ApprovalKind, request: Body
) -> Answer:
    """Book it, or ask for the second person that it needs: that is told as a refusal, for nothing was booked."""
    try:
        return await once(call, unit)
    except NeedsSecondPerson:
        person, amount_minor, key = PersonId(call.number()), call.body["amount_minor"], key_of(call, needed=True)
        asked = await call.console.store.write(
            approvals.ask, kind, person, amount_minor, request, f"api {key}", call.by
        )
        raise Conflict(
            "This needs a second person: nothing was booked.",
            "It waits as approval {approval} until another manager or the owner agrees.",
            approval=asked.id,
        ) from None


# --- helpers -------------------------------------------------------------------------------------------------------------


def as_json(call: Call, person: Person, account: Person) -> Body:
    """A person as JSON, with the money of the account that pays for them."""
    return {
        "id": person.id,
        "name": person.name,
        "phone": person.phone,
        "note": person.note,
        "language": person.language,
        "group_id": person.group_id,
        "group": person.group,
        "policy": account.policy,
        "balance_minor": account.balance_minor,
        "held_minor": account.held_minor,
        "available_minor": account.available_minor,
        "currency": call.currency,
        "cards": person.cards,
        "created_at": at(person.created_at_ms),
        "closed_at": at(person.closed_at_ms),
        "merged_into": person.merged_into,
        "is_pool": bool(person.is_pool),
        "pool_id": person.pool_id,
        "own_balance_minor": person.balance_minor,
        "tax_number": person.tax_number,
    }


def booked_as(call: Call, booked: Booked) -> Body:
    """What was moved, as JSON."""
    return {
        "person_id": booked.person,
        "amount_minor": booked.amount_minor,
        "balance_minor": booked.balance_minor,
        "available_minor": booked.available_minor,
        "currency": call.currency,
        "receipt": booked.receipt,
    }


def entry(call: Call, row: Entry) -> Body:
    """A line of a statement, as JSON."""
    return {
        "id": row.seq,
        "at": at(row.at_ms),
        "code": row.code,
        "reference": row.reference,
        "actor": row.actor,
        "amount_minor": row.amount_minor,
        "currency": call.currency,
    }


async def _now(call: Call, person: PersonId, status: int = 200) -> Answer:
    return Answer(as_json(call, *await call.console.store.read(_with_account, person)), status)


def _with_account(db: Readable, person: PersonId) -> tuple[Person, Person]:
    return need(db, person), people.account_of(db, person)


def _listed(
    db: Readable, *, text: str, group: GroupId | None, closed: bool, after: int, limit: int
) -> list[tuple[Person, Person]]:
    rows = people_search.people_after(db, text=text, group=group, closed=closed, after=after, limit=limit)
    return [(row, people.account_of(db, row.id) if row.pool_id else row) for row in rows]


def _change_person(db: Database, person: PersonId, body: Body, by: By) -> None:
    found = need(db, person)
    people.change(
        db,
        person,
        by,
        name=body.get("name", found.name),
        phone=body.get("phone", found.phone),
        note=body.get("note", found.note),
        language=body.get("language", found.language),
        group=GroupId(body.get("group_id", found.group_id)),
    )


def _entries(db: Readable, person: PersonId, before: int, limit: int) -> list[Entry]:
    return ledger.statement(db, need(db, person).wallet, before_seq=before or None, limit=limit)


async def show_person_limits(call: Call) -> Answer:
    """`GET /people/{id}/limits`, `GET /pools/{id}/limits`."""
    person = PersonId(call.number())
    await call.console.store.read(need, person)
    found = await call.console.store.read(limits.of, person)
    return Answer(await limits_as(call, person, found))


async def set_person_limits(call: Call) -> Answer:
    """`PUT /people/{id}/limits`, `PUT /pools/{id}/limits`: all of them; what is left out is not limited."""
    call.check_currency()
    person, body = PersonId(call.number()), call.body
    wanted = Limits(
        day_energy_wh=body.get("day_energy_wh"),
        day_minor=body.get("day_minor"),
        month_energy_wh=body.get("month_energy_wh"),
        month_minor=body.get("month_minor"),
    )
    await call.console.store.write(limits.change, person, wanted, call.by)
    return Answer(await limits_as(call, person, wanted))


async def limits_as(call: Call, person: PersonId, wanted: Limits) -> Body:
    """Limits as JSON, with what is used of them."""
    used = await call.console.store.write(limits.so_far, person, call.console.clock())
    return {
        "person_id": person,
        **{name: getattr(wanted, name) for name in LIMITED},
        "used": {name: getattr(used, name) for name in LIMITED},
        "currency": call.currency,
    }


OPERATIONS = (
    Operation("GET", "/people/{id}/limits", "What a person may use at most, with all their cards", show_person_limits, PERSON_LIMITS),
    Operation(
        "PUT", "/people/{id}/limits", "Set all limits of a person; what is left out is not limited", set_person_limits, PERSON_LIMITS,
        takes=NEW_PERSON_LIMITS,
    ),
    Operation(
        "GET", "/people", "People", list_people, PERSON, listed=True,
        query=(
            Parameter("text", text(100, "In the name, the phone number, the note or a card.")),
            Parameter("group", number_of("the group")),
            Parameter("closed", flag("Those who left, instead of those who are here.")),
            *PAGING,
        ),
    ),
    Operation("POST", "/people", "A new person, with an empty wallet", add_person, PERSON, takes=NEW_PERSON, status=201),
    Operation("GET", "/people/{id}", "One person", show_person, PERSON),
    Operation("PATCH", "/people/{id}", "Change a person", change_person, PERSON, takes=PERSON_CHANGE),
    Operation("POST", "/people/{id}/close", "Close the account", close_person, PERSON, takes=EMPTY),
    Operation("POST", "/people/{id}/reopen", "They are back", reopen_person, PERSON, takes=EMPTY),
    Operation(
        "POST", "/people/{id}/topups", "Money comes in", top_up, BOOKED, takes=PAYMENT, status=201, key="needed"
    ),
    Operation(
        "POST", "/people/{id}/refunds", "Money goes back out", refund, BOOKED, takes=PAYMENT, status=201, key="needed"
    ),
    Operation(
        "POST", "/people/{id}/corrections", "Set a mistake right", correct, BOOKED, takes=CORRECTION, status=201,
        key="needed",
    ),
    Operation(
        "GET", "/people/{id}/ledger", "What moved on the wallet, the newest first", list_entries, ENTRY, query=PAGING,
        listed=True,
    ),
)  # fmt: skip
