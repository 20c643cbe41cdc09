"""What the forms of the console book: each carries a key, so that a double click and the back button move money once.

What is booked is in `wallets`, `people` and `cards` and `merge`; that the same key is one request, in `idempotency`. What a card desk
begins is in `card_desk.forms`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services import idempotency
from appliance.services.cards import cards
from appliance.services.idempotency import Stored
from appliance.services.people import merge as merging
from appliance.services.people import people, pools
from appliance.services.people.pools import About, Own
from appliance.services.wallets import wallets


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is taken in, with, as far as they were typed, a first card and a first top-up."""

    name: str
    group: GroupId
    phone: str = ""
    note: str = ""
    language: str = ""
    uid: str = ""
    label: str = ""
    amount_minor: int = 0
    method: str = "cash"
    another: bool = False
    """Also if somebody like that is here already."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a form that moves money came to."""

    balance_minor: int
    """As it is now: after a repeated form it may be another than right after the booking."""
    repeated: bool
    """The form was booked before; now nothing was."""
    receipt: int | None = None
    """The number of the receipt; a correction has none."""


def top_up(db: Database, person: PersonId, amount_minor: int, method: str, note: str, key: str, by: By) -> Moved:
    """Money comes in."""

    def unit(name: str) -> tuple[int, str]:
        return 200, body_of(wallets.top_up(db, person, amount_minor, method, name, by, note=note))

    request = request_of("topup", person, amount_minor, method, note)
    stored = idempotency.once(db, by, key, request, unit)
    return moved(db, people.account_of(db, person).id, stored)


def refund(db: Database, person: PersonId, amount_minor: int, method: str, note: str, key: str, by: By) -> Moved:
    """Money goes out."""

    def unit(name: str) -> tuple[int, str]:
        return 200, body_of(wallets.refund(db, person, amount_minor, method, name, by, note=note))

    request = request_of("refund", person, amount_minor, method, note)
    return moved(db, person, idempotency.once(db, by, key, request, unit))


def correct(db: Database, person: PersonId, amount_minor: int, reason: str, key: str, by: By) -> Moved:
    """A correction in either direction."""

    def unit(name: str) -> tuple[int, str]:
        return 200, body_of(wallets.correct(db, person, amount_minor, reason, name, by))

    request = request_of("correction", person, amount_minor, reason)
    return moved(db, person, idempotency.once(db, by, key, request, unit))


def take_in(db: Database, new: NewPerson, key: str, by: By) -> PersonId:
    """A person, their first card and their first top-up: all of it, or nothing; the same form twice is one person."""

    def unit(name: str) -> tuple[int, str]:
        if not new.another:
            people.check_not_here(db, new.name, new.phone)
        person = people.add(db, new.name, new.group, by, phone=new.phone, note=new.note, language=new.language)
        if new.uid:
            cards.add(db, new.uid, person, by, label=new.label)
        if new.amount_minor:
            wallets.top_up(db, person, new.amount_minor, new.method, name, by)
        return 200, orjson.dumps({"person": person}).decode()

    request = request_of(
        "person",
        new.name,
        new.phone,
        new.note,
        new.language,
        new.group,
        new.uid,
        new.label,
        new.method,
        new.amount_minor,
    )
    return PersonId(orjson.loads(idempotency.once(db, by, key, request, unit).body)["person"])


def add_pool(db: Database, about: About, key: str, by: By) -> PersonId:
    """A new pool; the same form twice is one."""

    def unit(_name: str) -> tuple[int, str]:
        return 200, orjson.dumps({"pool": pools.add(db, about, by)}).decode()

    request = request_of("pool", *asdict(about).values())
    return PersonId(orjson.loads(idempotency.once(db, by, key, request, unit).body)["pool"])


def join_pool(db: Database, pool: PersonId, person: PersonId, own: Own, key: str, by: By) -> int:
    """Somebody charges from a pool from now on; how much of their own money moved there (minor units)."""

    def unit(name: str) -> tuple[int, str]:
        return 200, orjson.dumps({"moved_minor": pools.join(db, pool, person, own, name, by)}).decode()

    stored = idempotency.once(db, by, key, request_of("join", pool, person, own), unit)
    return int(orjson.loads(stored.body)["moved_minor"])


def merge(db: Database, person: PersonId, into: PersonId, key: str, by: By) -> int:
    """Two people become one; how much money moved (minor units)."""

    def unit(name: str) -> tuple[int, str]:
        moved_minor = merging.merge(db, person, into, name, by)
        return 200, orjson.dumps({"moved_minor": moved_minor}).decode()

    stored = idempotency.once(db, by, key, request_of("merge", person, into), unit)
    return int(orjson.loads(stored.body)["moved_minor"])


def body_of(booked: wallets.Booked) -> str:
    """What is kept of a booking for the same form sent again."""
    return orjson.dumps(
        {"amount_minor": booked.amount_minor, "balance_minor": booked.balance_minor, "receipt": booked.receipt}
    ).decode()


def moved(db: Database, person: PersonId, stored: Stored) -> Moved:
    """With the balance of the wallet that was meant read anew: the stored one is that of the booking."""
    receipt = orjson.loads(stored.body).get("receipt")
    return Moved(people.need(db, person).balance_minor, stored.repeated, receipt)


def request_of(*parts: object) -> bytes:
    """All that tells one form from another."""
    return orjson.dumps([str(part) for part in parts])
