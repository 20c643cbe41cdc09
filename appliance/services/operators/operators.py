"""The staff: set-up of the first owner, operators and their roles, log-ins, tokens of the API, and what a password must be.

Units of work; passwords come in as hashes, because hashing takes a quarter of a second and the writer has none to spare.
How a browser carries its token is the pages' business.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

import bcrypt

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.roles import Role
from appliance.domain.site import LANGUAGES
from appliance.services import audit

BCRYPT_COST = 12
PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 256
SETUP_CODE_VALID_MS = 24 * 3600 * 1000
SETUP_CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that look alike."""
IDLE_MS = 30 * 60 * 1000
ABSOLUTE_MS = 12 * 3600 * 1000
TOKEN_PREFIX = "fc_"  # noqa: S105 - what every token begins with, so that it is recognised where it was lost
COMMON = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "123456", "654321", "abcdef", "qwerty", "qwertz", "azerty", "asdfgh",
    "zxcvbn", "1q2w3e", "letmein", "welcome", "iloveyou", "admin", "administrator", "operator", "root", "master",
    "monkey", "dragon", "football", "cricket", "princess", "sunshine", "superman", "batman", "bangladesh", "dhaka",
    "india", "allah", "bismillah", "changeme", "default", "secret", "forecourt", "charging", "charger", "station",
    "electric", "ocpp",
)  # fmt: skip
"""What people choose first. A password that is little more than one of these is refused."""

# --- passwords -----------------------------------------------------------------------------------------------------------


def hash_password(password: str) -> str:
    """About a quarter of a second. bcrypt reads 72 bytes at most, hence the digest before it."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(BCRYPT_COST)).decode()


def password_matches(password: str, password_hash: str) -> bool:
    """About a quarter of a second, whatever comes out."""
    return bcrypt.checkpw(_digest(password), password_hash.encode())


def check_password(password: str, *, login: str, name: str, site_name: str) -> None:
    """Refuse what is guessed first.

    Raises:
        Invalid: Too short, too long, or hardly more than a name or a pattern.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        raise Invalid(
            "password",
            "The password is too short.",
            "Use at least {least} characters; three or four words make a good one.",
            least=PASSWORD_CHARS_MIN,
        )
    if len(password) > PASSWORD_CHARS_MAX:
        raise Invalid("password", "The password is longer than {most} characters.", most=PASSWORD_CHARS_MAX)
    plain = "".join(filter(str.isalnum, password.lower()))
    own_words = [word for text in (login, name, site_name) for word in _words(text)]
    rest = plain
    for word in sorted({*COMMON, *own_words}, key=len, reverse=True):
        rest = rest.replace(word, "")
    rest = "".join(character for index, character in enumerate(rest) if not _continues(rest, index))
    if len(rest) < 5 or len(set(plain)) < 5:
        raise Invalid(
            "password",
            "This password is among the first that are guessed.",
            "Leave out names, the site, and rows of keys or digits.",
        )


# --- the first owner -----------------------------------------------------------------------------------------------------


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
    operator = add(
        db, login=login, name=name, role=Role.OWNER, password_hash=password_hash, language=language, actor="console",
        now_ms=now_ms,
    )  # fmt: skip
    rows.forget_setup_code(db)
    return operator


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


# --- operators -----------------------------------------------------------------------------------------------------------


def add(
    db: Database, *, login: str, name: str, role: str, password_hash: str, language: str, actor: str, now_ms: int
) -> int:
    """A new operator's number.

    Raises:
        Invalid: A field cannot be used, or the login is taken.
    """
    login, name, role = normal_login(login), _checked_name(name), _checked_role(role)
    language = _checked_language(language)
    operator = rows.insert(
        db, login=login, name=name, role=role, language=language, password_hash=password_hash, now_ms=now_ms
    )
    if operator is None:
        raise _login_taken()
    audit.record(db, actor, "operator.add", f"operator:{operator}", now_ms, login=login, name=name, role=role)
    return operator


def check_new(db: Readable, *, login: str, name: str, role: str) -> None:
    """Refuse what `add` would refuse, before a password is hashed for it.

    Raises:
        Invalid: A field cannot be used, or the login is taken.
    """
    _checked_name(name)
    _checked_role(role)
    if rows.has_login(db, normal_login(login)):
        raise _login_taken()


def change(db: Database, operator: int, *, name: str, role: str, language: str, actor: str, now_ms: int) -> None:
    """Change name, role or language. Who becomes less must log in again.

    Raises:
        NotFound, Invalid, Conflict: The last owner stays one.
    """
    known = _existing(db, operator)
    name, role, language = _checked_name(name), _checked_role(role), _checked_language(language)
    if known.role == Role.OWNER and role != Role.OWNER:
        _another_owner(db, operator)
    rows.update(db, operator, name=name, role=role, language=language)
    if role != known.role:
        rows.end_log_ins(db, operator, now_ms)
    audit.record(db, actor, "operator.change", f"operator:{operator}", now_ms, name=name, role=role, was=known.role)


def disable(db: Database, operator: int, *, actor: str, now_ms: int) -> None:
    """Let them log in no longer, and end what they have open.

    Raises:
        NotFound, Conflict: The last owner stays.
    """
    if _existing(db, operator).role == Role.OWNER:
        _another_owner(db, operator)
    rows.set_disabled(db, operator, now_ms)
    rows.end_log_ins(db, operator, now_ms)
    audit.record(db, actor, "operator.disable", f"operator:{operator}", now_ms)


def enable(db: Database, operator: int, *, actor: str, now_ms: int) -> None:
    """Let them log in again."""
    _existing(db, operator)
    rows.set_disabled(db, operator, None)
    audit.record(db, actor, "operator.enable", f"operator:{operator}", now_ms)


def set_password(db: Database, operator: int, password_hash: str, *, actor: str, now_ms: int, stay: int = 0) -> None:
    """A new password ends all log-ins, but the one (`stay`) that it was changed from."""
    _existing(db, operator)
    rows.set_password_hash(db, operator, password_hash)
    rows.end_log_ins(db, operator, now_ms, but=stay)
    audit.record(db, actor, "operator.password", f"operator:{operator}", now_ms)


def set_language(db: Database, operator: int, language: str) -> None:
    """What they want to read in; "" for the site's.

    Raises:
        NotFound, Invalid: There is no such operator, or no such language.
    """
    known = _existing(db, operator)
    rows.update(db, operator, name=known.name, role=known.role, language=_checked_language(language))


# --- log-ins -------------------------------------------------------------------------------------------------------------


def log_in(db: Database, operator: int, token: str, *, address: str, browser: str, now_ms: int) -> int:
    """A new log-in's number; only the token's hash is kept."""
    log_in_id = rows.insert_log_in(db, operator, hash_token(token), address, browser[:200], now_ms)
    audit.record(db, f"operator:{operator}", "operator.log_in", f"operator:{operator}", now_ms, address=address)
    return log_in_id


def log_out(db: Database, log_in_id: int, now_ms: int) -> None:
    """It is over."""
    rows.end_log_in(db, log_in_id, now_ms)


def end_log_in(db: Database, log_in_id: int, *, operator: int, actor: str, now_ms: int) -> None:
    """End one of an operator's log-ins from elsewhere.

    Raises:
        NotFound: They have no such log-in.
    """
    known = rows.log_ins(db, operator, idle_since_ms=now_ms - IDLE_MS, began_since_ms=now_ms - ABSOLUTE_MS)
    if log_in_id not in {entry.id for entry in known}:
        raise NotFound("This log-in is over already.")
    rows.end_log_in(db, log_in_id, now_ms)
    audit.record(db, actor, "operator.end_log_in", f"operator:{operator}", now_ms)


def visit(db: Readable, token_hash: bytes, now_ms: int) -> rows.Visit | None:
    """Who comes with this token, if the log-in still holds."""
    return rows.visit(db, token_hash, idle_since_ms=now_ms - IDLE_MS, began_since_ms=now_ms - ABSOLUTE_MS)


# --- tokens --------------------------------------------------------------------------------------------------------------


def create_token(db: Database, name: str, role: str, *, actor: str, now_ms: int) -> str:
    """A new token for the API. It is shown this once; only its hash is kept.

    Raises:
        Invalid: A field cannot be used.
    """
    name, role = _checked_name(name), _checked_role(role)
    token = TOKEN_PREFIX + new_token()
    number = rows.insert_token(db, name, role, hash_token(token), now_ms)
    audit.record(db, actor, "token.create", f"token:{number}", now_ms, name=name, role=role)
    return token


def revoke_token(db: Database, token: int, *, actor: str, now_ms: int) -> None:
    """It no longer opens anything.

    Raises:
        NotFound: There is none that could be revoked.
    """
    if not rows.revoke_token(db, token, now_ms):
        raise NotFound("This token was revoked before.")
    audit.record(db, actor, "token.revoke", f"token:{token}", now_ms)


def new_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()


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


def _digest(password: str) -> bytes:
    return base64.b64encode(hashlib.sha256(password.encode()).digest())


def _hash_code(code: str) -> str:
    return hashlib.sha256("".join(filter(str.isalnum, code.upper())).encode()).hexdigest()


def _words(text: str) -> list[str]:
    return [word for word in "".join(c if c.isalnum() else " " for c in text.lower()).split() if len(word) >= 3]


def _continues(text: str, index: int) -> bool:
    """Whether a character only repeats or counts on from the one before it: aaa, 1234, dcba."""
    return index > 0 and abs(ord(text[index]) - ord(text[index - 1])) <= 1


def _checked_name(name: str) -> str:
    stripped = name.strip()
    if not 1 <= len(stripped) <= 100:
        raise Invalid("name", "A name has 1 to 100 characters.")
    return stripped


def _checked_role(role: str) -> str:
    if role not in set(Role):
        raise Invalid("role", "There is no role {role}.", role=role)
    return str(role)


def _checked_language(language: str) -> str:
    if language not in ("", *LANGUAGES):
        raise Invalid("language", "The language is en or bn.")
    return language


def _existing(db: Database, operator: int) -> rows.Operator:
    known = rows.find(db, operator)
    if known is None:
        raise NotFound("There is no such operator.")
    return known


def _another_owner(db: Database, operator: int) -> None:
    if not set(rows.owners(db)) - {operator}:
        raise Refusal("A site needs an owner.", "Make somebody else an owner first.")
