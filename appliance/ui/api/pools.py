"""Pools: one wallet from which several people charge. A pool is an account as a person is: its money moves by the calls of people, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people as rows
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services.people import pools
from appliance.services.people.people import need as need_person
from appliance.services.people.pools import About, Own
from appliance.services.texts import NAME_CHARS_MAX, TEXT_CHARS_MAX
from appliance.ui.api import people as people_api
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import PAGING, Answer, Body, Call, Operation, at, listed, once
from appliance.ui.api.shapes import (
    CURRENCY,
    choice,
    flag,
    form,
    moment,
    money,
    number_of,
    or_null,
    record,
    text,
    whole,
    words,
)
from appliance.ui.frame.language import LANGUAGES

SPEAKS = choice("", *LANGUAGES, description="Of its receipts. Empty: the site's.")
POOL = record(
    "Pool",
    id=whole("It is also that of a person: `/people/{id}` and its calls take it."),
    name=words(),
    contact=words("Whom to ask for."),
    phone=words(),
    note=words(),
    language=words("Empty: the site's."),
    tax_number=words("Of the buyer on its bills (`/people/{id}/buyer`), and on its receipts."),
    hides_balance=flag("Its people do not see, on the page of their card, what is in it."),
    group_id=whole(),
    group=words(),
    policy=words("How it pays, and so everybody who charges from it."),
    balance_minor=money(),
    held_minor=money("Of the balance, what is held for sessions that run or are in review."),
    available_minor=or_null(money("What can still be spent; null: without limit.")),
    currency=CURRENCY,
    people=whole("How many charge from it."),
    created_at=moment(),
    closed_at=or_null(moment()),
)
ABOUT = {
    "name": text(NAME_CHARS_MAX, least=1),
    "group_id": number_of(
        "the group that says how it pays; if a new pool leaves it out, the first one that pays beforehand"
    ),
    "contact": text(TEXT_CHARS_MAX),
    "phone": text(100),
    "note": text(TEXT_CHARS_MAX, lines=True),
    "language": SPEAKS,
    "tax_number": text(TEXT_CHARS_MAX),
    "hides_balance": flag("Its people do not see, on the page of their card, what is in it."),
}
NEW_POOL = form("NewPool", ("name",), **ABOUT)
POOL_CHANGE = form("PoolChange", **ABOUT)
NEW_MEMBER = form(
    "NewPoolPerson",
    ("person_id",),
    person_id=number_of("the person"),
    own_money=choice(
        *Own,
        description="What becomes of the money that they have: `kept` for when they leave (if left out), or `moved` into the pool.",
    ),
)
MEMBER = record(
    "PoolPerson",
    pool_id=whole(),
    person_id=whole(),
    name=words(),
    phone=words(),
    cards=whole("How many that are not blocked."),
    own_balance_minor=money("Of their own, which rests while the pool pays."),
    moved_minor=money("What has just moved into the pool."),
    currency=CURRENCY,
)


async def list_pools(call: Call) -> Answer:
    """`GET /pools`."""
    found = await call.console.store.read(_listed, call.query.get("closed", False))
    after = [one for one in found if one[0].id > call.after]
    return listed(after, call.limit, lambda row: pool_as(call, *row), lambda row: row[0].id)


async def show_pool(call: Call) -> Answer:
    """`GET /pools/{id}`."""
    return await _now(call, PersonId(call.number()))


async def add_pool(call: Call) -> Answer:
    """`POST /pools`."""
    body, by = call.body, call.by

    def unit(db: Database, name: str) -> tuple[int, Body]:  # noqa: ARG001 - no transfer is named
        pool = pools.add(db, _about(body, pools.usual_group(db) if "group_id" not in body else None), by)
        return 201, pool_as(call, pools.need(db, pool), 0)

    return await once(call, unit, needed=False)


async def change_pool(call: Call) -> Answer:
    """`PATCH /pools/{id}`: what is not named stays."""
    pool = PersonId(call.number())
    await call.console.store.write(_change, pool, call.body, call.by)
    return await _now(call, pool)


async def close_pool(call: Call) -> Answer:
    """`DELETE /pools/{id}`: out of use, not out of the books."""
    pool = PersonId(call.number())
    await call.console.store.write(pools.close, pool, call.by)
    return await _now(call, pool)


async def list_members(call: Call) -> Answer:
    """`GET /pools/{id}/people`."""
    found = await call.console.store.read(_members, PersonId(call.number()))
    after = sorted((one for one in found if one.id > call.after), key=lambda one: one.id)
    return listed(after, call.limit, lambda row: member_as(call, row), lambda row: row.id)


async def add_member(call: Call) -> Answer:
    """`POST /pools/{id}/people`."""
    pool, person, by = PersonId(call.number()), PersonId(call.body["person_id"]), call.by
    own = Own(call.body.get("own_money", Own.KEPT))

    def unit(db: Database, name: str) -> tuple[int, Body]:
        moved_minor = pools.join(db, pool, person, own, name or f"{person}-{by.at_ms}", by)
        return 201, member_as(call, need_person(db, person), moved_minor)

    return await once(call, unit, needed=False)


async def remove_member(call: Call) -> Answer:
    """`DELETE /pools/{id}/people/{person}`."""
    pool, person = PersonId(call.number()), PersonId(call.number("person"))
    await call.console.store.write(pools.leave, pool, person, call.by)
    return await _now(call, pool)


def pool_as(call: Call, pool: Person, people: int) -> Body:
    """A pool as JSON."""
    return {
        "id": pool.id,
        "name": pool.name,
        "contact": pool.contact,
        "phone": pool.phone,
        "note": pool.note,
        "language": pool.language,
        "tax_number": pool.tax_number,
        "hides_balance": bool(pool.hides_balance),
        "group_id": pool.group_id,
        "group": pool.group,
        "policy": pool.policy,
        "balance_minor": pool.balance_minor,
        "held_minor": pool.held_minor,
        "available_minor": pool.available_minor,
        "currency": call.currency,
        "people": people,
        "created_at": at(pool.created_at_ms),
        "closed_at": at(pool.closed_at_ms),
    }


def member_as(call: Call, person: Person, moved_minor: int = 0) -> Body:
    """Somebody who charges from a pool, as JSON."""
    return {
        "pool_id": person.pool_id,
        "person_id": person.id,
        "name": person.name,
        "phone": person.phone,
        "cards": person.cards,
        "own_balance_minor": person.balance_minor,
        "moved_minor": moved_minor,
        "currency": call.currency,
    }


async def _now(call: Call, pool: PersonId) -> Answer:
    return Answer(pool_as(call, *await call.console.store.read(_with_people, pool)))


def _with_people(db: Readable, pool: PersonId) -> tuple[Person, int]:
    return pools.need(db, pool), len(rows.members(db, pool))


def _listed(db: Readable, closed: bool) -> list[tuple[Person, int]]:
    found = sorted(rows.pools(db, closed=closed), key=lambda one: one.id)
    return [(one, len(rows.members(db, one.id))) for one in found]


def _members(db: Readable, pool: PersonId) -> list[Person]:
    return rows.members(db, pools.need(db, pool).id)


def _about(body: Body, group: GroupId | None) -> About:
    given = {name: body[name] for name in ABOUT if name in body and name != "group_id"}
    return About(group=group or GroupId(body["group_id"]), **given)


def _change(db: Database, pool: PersonId, body: Body, by: By) -> None:
    found = pools.need(db, pool)
    as_it_is = About(
        found.name,
        found.group_id,
        found.contact,
        found.phone,
        found.note,
        found.language,
        found.tax_number,
        bool(found.hides_balance),
    )
    given = {("group" if name == "group_id" else name): value for name, value in body.items()}
    pools.change(db, pool, replace(as_it_is, **given), by)


def of_pool(do: Callable[[Call], Awaitable[Answer]]) -> Callable[[Call], Awaitable[Answer]]:
    """What is done with a person's wallet, done with a pool's; NotFound for who is none."""

    async def handler(call: Call) -> Answer:
        await call.console.store.read(pools.need, PersonId(call.number()))
        return await do(call)

    handler.__name__ = f"{do.__name__}_of_pool"  # By which the document calls it.
    return handler


OPERATIONS = (
    Operation(
        "GET", "/pools", "Pools: one wallet, several people", list_pools, POOL, listed=True,
        query=(Parameter("closed", flag("Those that were closed, instead of those that are used.")), *PAGING),
    ),
    Operation("POST", "/pools", "A new pool, with an empty wallet", add_pool, POOL, takes=NEW_POOL, status=201, key="possible"),
    Operation("GET", "/pools/{id}", "One pool", show_pool, POOL),
    Operation("PATCH", "/pools/{id}", "Change a pool", change_pool, POOL, takes=POOL_CHANGE),
    Operation("DELETE", "/pools/{id}", "Close a pool that is empty; its people pay for themselves again", close_pool, POOL),
    Operation("GET", "/pools/{id}/people", "Who charges from it", list_members, MEMBER, query=PAGING, listed=True),
    Operation(
        "POST", "/pools/{id}/people", "Somebody charges from it from now on", add_member, MEMBER, takes=NEW_MEMBER,
        status=201, key="possible",
    ),
    Operation(
        "DELETE", "/pools/{id}/people/{person}", "Somebody pays for themselves again; what moved into the pool stays there",
        remove_member, POOL,
    ),
    Operation(
        "POST", "/pools/{id}/topups", "Money comes in", of_pool(people_api.top_up), people_api.BOOKED, takes=people_api.PAYMENT,
        status=201, key="needed",
    ),
    Operation(
        "POST", "/pools/{id}/refunds", "Money goes back out", of_pool(people_api.refund), people_api.BOOKED, takes=people_api.PAYMENT,
        status=201, key="needed",
    ),
    Operation(
        "POST", "/pools/{id}/corrections", "Set a mistake right", of_pool(people_api.correct), people_api.BOOKED,
        takes=people_api.CORRECTION, status=201, key="needed",
    ),
    Operation(
        "GET", "/pools/{id}/ledger", "What moved on the wallet, the newest first", of_pool(people_api.list_entries), people_api.ENTRY,
        query=PAGING, listed=True,
    ),
    Operation("GET", "/pools/{id}/limits", "What all that it pays for may come to", of_pool(people_api.show_person_limits), people_api.PERSON_LIMITS),
    Operation(
        "PUT", "/pools/{id}/limits", "Set all limits of a pool; what is left out is not limited", of_pool(people_api.set_person_limits),
        people_api.PERSON_LIMITS, takes=people_api.NEW_PERSON_LIMITS,
    ),
)  # fmt: skip
