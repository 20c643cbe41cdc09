"""Whether money is stopped, as every unit and query may ask: it is an open problem, so it outlives a restart (as in db/disk.py)."""

from __future__ import annotations

import orjson

from appliance.db import problems
from appliance.db.engine.memory import Slot
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.problem import ProblemKind

STOPPED = Slot[bool]()
SUBJECT = "money"


def is_stopped(db: Database) -> bool:
    """Whether nothing is booked at a desk and nobody who pays may begin; remembered by the writer."""
    stopped = STOPPED.get(db)
    if stopped is None:
        stopped = find(db) is not None
        STOPPED.keep(db, stopped)
    return stopped


def find(db: Readable) -> Problem | None:
    """The problem by which it is stopped, with what differs; None: money moves."""
    return problems.find_open(db, ProblemKind.MONEY_STOPPED, SUBJECT)


def accepted(db: Readable) -> set[str]:
    """The names of differences that an owner has looked at when money was let go on."""
    return {
        name
        for (details,) in db.execute("SELECT details FROM audit WHERE action = 'money.lift'")
        for name in orjson.loads(details)["differences"]
    }


def account_names(db: Readable) -> dict[int, tuple[str, int]]:
    """What the accounts are called: the name of whose wallet it is, and their number; else its own, and 0."""
    own: dict[int, tuple[str, int]] = {
        account: (name, 0) for account, name in db.execute("SELECT id, name FROM account WHERE kind <> 'wallet'")
    }
    return own | {
        account: (name, person) for account, name, person in db.execute("SELECT wallet_id, name, id FROM person")
    }


def person_name(db: Readable, person: int) -> str:
    """What somebody is called; "" if there is nobody."""
    row = db.execute("SELECT name FROM person WHERE id = ?", (person,)).fetchone()
    return row[0] if row is not None else ""
