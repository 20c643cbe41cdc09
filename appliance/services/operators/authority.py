"""What the books may be asked for by whom, where that hangs on more than the page: on how a group pays, or on an amount."""

from __future__ import annotations

from appliance.db import audit
from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.domain.errors import Refusal
from appliance.domain.roles import MANAGERS, Role


class NotAllowed(Refusal):
    """Somebody else may."""

    status = 403


def role_of(db: Readable, actor: str) -> Role | None:
    """The role of one of the staff or of a program; None for whoever is at the machine itself, and for the program's own doings."""
    kind, _colon, number = actor.partition(":")
    if not number.isdecimal():
        return None
    found = rows.role_of(db, kind, int(number))
    return Role(found) if found is not None else None


def is_manager(db: Readable, actor: str) -> bool:
    """Whether they may change how people pay."""
    role = role_of(db, actor)
    return role is None or role in MANAGERS


def is_owner(db: Readable, actor: str) -> bool:
    """Whether they may change what holds managers, too."""
    return role_of(db, actor) in (None, Role.OWNER)


def is_program(actor: str) -> bool:
    """Whether it comes with a token instead of a log-in."""
    return actor.startswith("token:")


def person_behind(db: Readable, actor: str) -> str:
    """Whose doing it is: a program's is that of who made its token; everybody else's is their own."""
    return audit.last_actor(db, "token.create", actor) or actor if is_program(actor) else actor
