"""The changes that a command on the machine may make, by name, with plain arguments and results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.db.restoring import Replaced
from appliance.db.secrets import OwnerKey
from appliance.domain.by import By
from appliance.services import audit, restoring, secrets
from appliance.services.operators import operators, set_up, tokens
from appliance.services.restoring import Restored

ACTOR = "console"
"""Whoever has a shell on the box."""


def create_token(db: Database, now_ms: int, *, name: str, role: str) -> str:
    """A new API token; it is shown this once."""
    return tokens.create_token(db, name, role, by=By(ACTOR, now_ms))


def add_operator(
    db: Database, now_ms: int, *, login: str, name: str, role: str, password_hash: str, language: str
) -> int:
    """A new member of the staff; the password was checked and hashed by the caller, for hashing is slow on purpose."""
    return operators.add(
        db, login=login, name=name, role=role, language=language, password_hash=password_hash, by=By(ACTOR, now_ms)
    )


def new_setup_code(db: Database, now_ms: int) -> str | None:
    """A new one-time code for the set-up page; None once somebody can log in."""
    return set_up.setup_code(db, now_ms)


def backed_up(db: Database, now_ms: int) -> None:
    """A backup was made, and verified."""
    sites.backed_up(db, now_ms)


def set_owner_key(db: Database, now_ms: int, *, public: str, enclosed: str) -> None:
    """The owner's key (both in hex), whose words the caller has shown or is about to."""
    secrets.set_owner_key(db, OwnerKey(bytes.fromhex(public), bytes.fromhex(enclosed)), By(ACTOR, now_ms))


def restored(db: Database, now_ms: int, *, replaced: Replaced | None) -> Restored:
    """These books are a backup's; see `restoring.restored`."""
    return restoring.restored(db, now_ms, by=By(ACTOR, now_ms), replaced=replaced)


def accept_books(db: Database, now_ms: int, *, wrong: list[str]) -> None:
    """Somebody has looked at what does not add up, and takes the books as they are; what is kept beside them is begun anew."""
    audit.record(db, By(ACTOR, now_ms), "site.accept_books", "site", wrong=wrong)


CHANGES: dict[str, Callable[..., Any]] = {
    "token.create": create_token,
    "operator.add": add_operator,
    "setup.code": new_setup_code,
    "backup.made": backed_up,
    "owner_key.set": set_owner_key,
    "books.accept": accept_books,
}
