"""The staff: operators, what they are called, and their roles.

Units of work; passwords come in as hashes, because hashing takes a quarter of a second and the writer has none to spare.
How a browser carries its token is the pages' business.
"""

from __future__ import annotations

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.roles import Role
from appliance.domain.site import LANGUAGES
from appliance.services import audit

# --- passwords -----------------------------------------------------------------------------------------------------------

# --- the first owner -----------------------------------------------------------------------------------------------------


# --- operators -----------------------------------------------------------------------------------------------------------


def add(db: Database, *, login: str, name: str, role: str, password_hash: str, language: str, by: By) -> int:
    """A new operator's number.

    Raises:
        Invalid: A field cannot be used, or the login is taken.
    """
    login, name, role = normal_login(login), checked_name(name), checked_role(role)
    language = checked_language(language)
    operator = rows.insert(
        db, login=login, name=name, role=role, language=language, password_hash=password_hash, now_ms=by.at_ms
    )
    if operator is None:
        raise _login_taken()
    audit.record(db, by, "operator.add", f"operator:{operator}", login=login, name=name, role=role)
    return operator


def check_new(db: Readable, *, login: str, name: str, role: str) -> None:
    """Refuse what `add` would refuse, before a password is hashed for it.

    Raises:
        Invalid: A field cannot be used, or the login is taken.
    """
    checked_name(name)
    checked_role(role)
    if rows.has_login(db, normal_login(login)):
        raise _login_taken()


def change(db: Database, operator: int, *, name: str, role: str, language: str, by: By) -> None:
    """Change name, role or language. Who becomes less must log in again.

    Raises:
        NotFound, Invalid, Conflict: The last owner stays one.
    """
    known = _existing(db, operator)
    name, role, language = checked_name(name), checked_role(role), checked_language(language)
    if known.role == Role.OWNER and role != Role.OWNER:
        _another_owner(db, operator)
    rows.update(db, operator, name=name, role=role, language=language)
    if role != known.role:
        rows.end_log_ins(db, operator, by.at_ms)
    audit.record(
        db,
        by,
        "operator.change",
        f"operator:{operator}",
        name=name,
        role=role,
        was=known.role,
        changed=audit.changed(known, name=name, role=role, language=language),
    )


def disable(db: Database, operator: int, *, by: By) -> None:
    """Let them log in no longer, and end what they have open.

    Raises:
        NotFound, Conflict: The last owner stays.
    """
    if _existing(db, operator).role == Role.OWNER:
        _another_owner(db, operator)
    rows.set_disabled(db, operator, by.at_ms)
    rows.end_log_ins(db, operator, by.at_ms)
    audit.record(db, by, "operator.disable", f"operator:{operator}")


def enable(db: Database, operator: int, *, by: By) -> None:
    """Let them log in again."""
    _existing(db, operator)
    rows.set_disabled(db, operator, None)
    audit.record(db, by, "operator.enable", f"operator:{operator}")


def set_password(db: Database, operator: int, password_hash: str, *, by: By, stay: int = 0) -> None:
    """A new password ends all log-ins, but the one (`stay`) that it was changed from."""
    _existing(db, operator)
    rows.set_password_hash(db, operator, password_hash)
    rows.end_log_ins(db, operator, by.at_ms, but=stay)
    audit.record(db, by, "operator.password", f"operator:{operator}")


def set_language(db: Database, operator: int, language: str) -> None:
    """What they want to read in; "" for the site's.

    Raises:
        NotFound, Invalid: There is no such operator, or no such language.
    """
    known = _existing(db, operator)
    rows.update(db, operator, name=known.name, role=known.role, language=checked_language(language))


# --- log-ins -------------------------------------------------------------------------------------------------------------

# --- tokens --------------------------------------------------------------------------------------------------------------


# --- helpers -------------------------------------------------------------------------------------------------------------


def normal_login(login: str) -> str:
    """As it is kept and compared.

    Raises:
        Invalid: It is empty or too long.
    """
    normal = login.strip().casefold()
    if not 1 <= len(normal) <= 64 or not normal.isprintable():
        raise Invalid("login", "A log-in name has 1 to 64 characters.")
    return normal


def _login_taken() -> Invalid:
    return Invalid("login", "Somebody else has this log-in name.", "Choose another one.")


def checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= 100:
        raise Invalid("name", "A name has 1 to 100 characters.")
    return stripped


def checked_role(role: str) -> str:
    if role not in set(Role):
        raise Invalid("role", "There is no role {role}.", role=role)
    return str(role)


def checked_language(language: str) -> str:
    if language not in ("", *LANGUAGES):
        raise Invalid("language", "The language is en or bn.")
    return language


def _existing(db: Database, operator: int) -> rows.Operator:
    known = rows.find(db, operator)
    if known is None:
        raise NotFound("There is no such member of the staff.")
    return known


def _another_owner(db: Database, operator: int) -> None:
    if not set(rows.owners(db)) - {operator}:
        raise Refusal("A site needs an owner.", "Make somebody else an owner first.")
