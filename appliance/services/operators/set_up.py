"""The first owner, who is let in by a code that only this machine shows."""

from __future__ import annotations

import hashlib
import secrets

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.services.operators import operators
from appliance.services.people import groups

SETUP_CODE_VALID_MS = 24 * 3600 * 1000


SETUP_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that look alike."""


def setup_code(db: Database, now_ms: int) -> str | None:
    """A new one-time code with which the first owner is set up; None when somebody is. It replaces the one before."""
    if rows.exists(db):
        return None
    letters = [secrets.choice(SETUP_CODE_LETTERS) for _ in range(12)]
    code = "-".join("".join(letters[start : start + 4]) for start in (0, 4, 8))
    rows.set_setup_code(db, _hash_code(code), now_ms + SETUP_CODE_VALID_MS)
    return code


def first_owner(
    db: Database, *, code: str, login: str, name: str, password_hash: str, language: str, now_ms: int
) -> int:
    """Set up the owner with the code; the code no longer holds after this.

    Raises:
        Invalid: The code is another one or too old, or a field cannot be used.
        Conflict: Somebody was set up before.
    """
    check_not_set_up(db)
    check_setup_code(db, code, now_ms)
    operator = operators.add(
        db, login=login, name=name, role=Role.OWNER, password_hash=password_hash, language=language,
        by=By("console", now_ms),
    )  # fmt: skip
    rows.forget_setup_code(db)
    return operator


def open_prices(db: Database, operator: int, tariff: Tariff, group: str, now_ms: int) -> None:
    """The first prices, which hold for everybody, and a group whose people pay beforehand: with these the site can charge."""
    by = By(f"operator:{operator}", now_ms)
    tariffs.add(db, tariff, by)
    groups.add(db, group, Policy.PREPAID, by)


def check_not_set_up(db: Readable) -> None:
    """Raises Conflict: Somebody was set up before."""
    if rows.exists(db):
        raise Conflict("This site has been set up.", "Log in instead.")


def check_setup_code(db: Readable, code: str, now_ms: int) -> None:
    """Raises Invalid: The code is another one, or too old."""
    known = rows.setup_code(db)
    if known is None or not secrets.compare_digest(known[0], _hash_code(code)):
        raise Invalid("code", "This is not the set-up code.", "It was printed when the server was installed.")
    if known[1] <= now_ms:
        raise Invalid("code", "The set-up code is too old.", "Make a new one with `forecourt setup-code`.")


def _hash_code(code: str) -> str:
    return hashlib.sha256("".join(filter(str.isalnum, code.upper())).encode()).hexdigest()
