"""Operators, their log-ins and the API's tokens, as rows. Secrets stand here as hashes only."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.order import natural
from appliance.domain.roles import Role

SETUP_CODE = "setup.code_hash"
SETUP_EXPIRES = "setup.expires_at_ms"


@dataclass(frozen=True, slots=True)
class Operator:
    """A member of the staff."""

    id: int
    login: str
    name: str
    role: str
    language: str
    created_at_ms: int
    disabled_at_ms: int | None
    seen_at_ms: int | None
    """When one of their log-ins was last used."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """One browser that an operator is logged in with."""

    id: int
    operator_id: int
    address: str
    browser: str
    began_at_ms: int
    seen_at_ms: int


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes with a log-in that holds."""

    log_in: int
    operator: int
    login: str
    name: str
    role: str
    language: str
    began_at_ms: int
    seen_at_ms: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the frame of every page shows, whoever asks."""

    site_name: str
    site_language: str
    problems: int
    """Rows of open ones."""
    approval_waits: bool
    """Whether anything needs a second person now."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program that may use the API."""

    id: int
    name: str
    role: str
    created_at_ms: int
    revoked_at_ms: int | None


OPERATOR = """
SELECT id, login, name, role, language, created_at_ms, disabled_at_ms,
       (SELECT max(seen_at_ms) FROM operator_session WHERE operator_session.operator_id = operator.id)
FROM operator
"""


def every(db: Readable) -> list[Operator]:
    """All operators, those who may log in first."""
    found = [Operator(*row) for row in db.execute(OPERATOR)]
    return sorted(found, key=lambda one: (one.disabled_at_ms is not None, natural(one.name), one.id))


def find(db: Readable, operator: int) -> Operator | None:
    """One operator."""
    row = db.execute(OPERATOR + "WHERE id = ?", (operator,)).fetchone()
    return Operator(*row) if row else None


def names(db: Readable) -> dict[str, str]:
    """Actor strings and the names behind them: `operator:3` is Nasrin."""
    found = {f"operator:{row[0]}": str(row[1]) for row in db.execute("SELECT id, name FROM operator")}
    found |= {f"token:{row[0]}": str(row[1]) for row in db.execute("SELECT id, name FROM api_token")}
    return found


def exists(db: Readable) -> bool:
    """Whether anybody was ever set up."""
    return db.execute("SELECT 1 FROM operator LIMIT 1").fetchone() is not None


def has_login(db: Readable, login: str) -> bool:
    """Whether somebody has this log-in name, also one who may log in no longer."""
    return db.execute("SELECT 1 FROM operator WHERE login = ?", (login,)).fetchone() is not None


def credentials(db: Readable, login: str) -> tuple[int, str] | None:
    """Number and password hash of an operator who may log in."""
    row: tuple[int, str] | None = db.execute(
        "SELECT id, password_hash FROM operator WHERE login = ? AND disabled_at_ms IS NULL", (login,)
    ).fetchone()
    return row


def logged_in_from(db: Readable, address: str) -> set[int]:
    """Which operators have logged in from an address, as far back as log-ins are kept."""
    rows = db.execute("SELECT DISTINCT operator_id FROM operator_session WHERE address = ?", (address,))
    return {row[0] for row in rows}


def role_of(db: Readable, kind: str, number: int) -> str | None:
    """The role of an `operator` or a `token`; None if there is none."""
    table = {"operator": "operator", "token": "api_token"}.get(kind)
    row = db.execute(f"SELECT role FROM {table} WHERE id = ?", (number,)).fetchone() if table else None
    return row[0] if row else None


def site_words(db: Readable) -> list[str]:
    """What everybody at the site knows the names of: chargers, groups, tariffs, and the city of its clock."""
    rows = db.execute(
        """SELECT name FROM station WHERE state = 'approved' UNION SELECT identity FROM station WHERE state = 'approved'
        UNION SELECT name FROM person_group UNION SELECT name FROM tariff UNION SELECT timezone FROM site"""
    )
    return [row[0] for row in rows]


def password_hash(db: Readable, operator: int) -> str:
    """The hash of their password."""
    return str(db.execute("SELECT password_hash FROM operator WHERE id = ?", (operator,)).fetchone()[0])


def insert(
    db: Database, *, login: str, name: str, role: str, language: str, password_hash: str, now_ms: int
) -> int | None:
    """A new operator's number; None if the login is taken."""
    row = db.execute(
        """INSERT INTO operator (login, name, role, language, password_hash, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (login) DO NOTHING RETURNING id""",
        (login, name, role, language, password_hash, now_ms),
    ).fetchall()
    return int(row[0][0]) if row else None


def update(db: Database, operator: int, *, name: str, role: str, language: str) -> None:
    """Change what is not secret."""
    db.execute("UPDATE operator SET name = ?, role = ?, language = ? WHERE id = ?", (name, role, language, operator))


def set_disabled(db: Database, operator: int, disabled_at_ms: int | None) -> None:
    """Let an operator log in no longer, or again."""
    db.execute("UPDATE operator SET disabled_at_ms = ? WHERE id = ?", (disabled_at_ms, operator))


def set_password_hash(db: Database, operator: int, password_hash: str) -> None:
    """A new password."""
    db.execute("UPDATE operator SET password_hash = ? WHERE id = ?", (password_hash, operator))


def owners(db: Readable) -> list[int]:
    """The owners who may log in."""
    rows = db.execute("SELECT id FROM operator WHERE role = ? AND disabled_at_ms IS NULL", (Role.OWNER,))
    return [int(row[0]) for row in rows]


def facts(db: Readable) -> Facts:
    """What the frame of every page shows."""
    name, language, approval_waits = db.execute(
        "SELECT name, language, EXISTS (SELECT 1 FROM approval WHERE state = 'pending') FROM site"
    ).fetchone()
    return Facts(name, language, problems.count_rows(db), bool(approval_waits))


# --- log-ins -------------------------------------------------------------------------------------------------------------


def visit(db: Readable, token_hash: bytes) -> Visit | None:
    """Who comes with this token, if nobody has ended the log-in or shut out its operator; how old it may be others say."""
    row = db.execute(
        """SELECT operator_session.id, operator.id, operator.login, operator.name, operator.role, operator.language,
            operator_session.began_at_ms, operator_session.seen_at_ms
        FROM operator_session JOIN operator ON operator.id = operator_session.operator_id
        WHERE token_hash = ? AND ended_at_ms IS NULL AND operator.disabled_at_ms IS NULL""",
        (token_hash,),
    ).fetchone()
    return Visit(*row) if row else None


def has_log_in(db: Readable, token_hash: bytes) -> bool:
    """Whether there ever was a log-in with this token."""
    return db.execute("SELECT 1 FROM operator_session WHERE token_hash = ?", (token_hash,)).fetchone() is not None


def insert_log_in(db: Database, operator: int, token_hash: bytes, address: str, browser: str, now_ms: int) -> int:
    """A new log-in's number."""
    row = db.execute(
        """INSERT INTO operator_session (token_hash, operator_id, address, browser, began_at_ms, seen_at_ms)
        VALUES (?, ?, ?, ?, ?, ?) RETURNING id""",
        (token_hash, operator, address, browser, now_ms, now_ms),
    ).fetchone()
    return int(row[0])


def touch(db: Database, log_in: int, now_ms: int) -> None:
    """It was used."""
    db.execute("UPDATE operator_session SET seen_at_ms = max(seen_at_ms, ?) WHERE id = ?", (now_ms, log_in))


def end_log_in(db: Database, log_in: int, now_ms: int) -> None:
    """It is over."""
    db.execute("UPDATE operator_session SET ended_at_ms = ? WHERE id = ? AND ended_at_ms IS NULL", (now_ms, log_in))


def end_log_ins(db: Database, operator: int, now_ms: int, *, but: int = 0) -> None:
    """All of an operator's log-ins are over, `but` one."""
    db.execute(
        "UPDATE operator_session SET ended_at_ms = ? WHERE operator_id = ? AND id <> ? AND ended_at_ms IS NULL",
        (now_ms, operator, but),
    )


def log_ins(db: Readable, operator: int, *, idle_since_ms: int, began_since_ms: int) -> list[LogIn]:
    """The log-ins that still hold, newest first."""
    rows = db.execute(
        """SELECT id, operator_id, address, browser, began_at_ms, seen_at_ms FROM operator_session
        WHERE operator_id = ? AND ended_at_ms IS NULL AND seen_at_ms > ? AND began_at_ms > ? ORDER BY seen_at_ms DESC""",
        (operator, idle_since_ms, began_since_ms),
    )
    return [LogIn(*row) for row in rows]


# --- tokens of the API ---------------------------------------------------------------------------------------------------


def insert_token(db: Database, name: str, role: str, token_hash: bytes, now_ms: int) -> int:
    """A new token's number."""
    row = db.execute(
        "INSERT INTO api_token (name, role, token_hash, created_at_ms) VALUES (?, ?, ?, ?) RETURNING id",
        (name, role, token_hash, now_ms),
    ).fetchone()
    return int(row[0])


def token(db: Readable, token_hash: bytes) -> ApiToken | None:
    """Whose token this is, if it was not revoked."""
    row = db.execute(
        """SELECT id, name, role, created_at_ms, revoked_at_ms FROM api_token
        WHERE token_hash = ? AND revoked_at_ms IS NULL""",
        (token_hash,),
    ).fetchone()
    return ApiToken(*row) if row else None


def revoked_token(db: Readable, token_hash: bytes) -> int | None:
    """Which token it was before it was revoked; None: never one."""
    row = db.execute("SELECT id FROM api_token WHERE token_hash = ?", (token_hash,)).fetchone()
    return int(row[0]) if row else None


def tokens(db: Readable) -> list[ApiToken]:
    """All tokens, those in force first."""
    rows = db.execute(
        "SELECT id, name, role, created_at_ms, revoked_at_ms FROM api_token ORDER BY revoked_at_ms IS NOT NULL, id DESC"
    )
    return [ApiToken(*row) for row in rows]


def revoke_token(db: Database, token: int, now_ms: int) -> bool:
    """Whether there was one to revoke."""
    found = db.execute("UPDATE api_token SET revoked_at_ms = ? WHERE id = ? AND revoked_at_ms IS NULL", (now_ms, token))
    return found.rowcount == 1


# --- the set-up code -----------------------------------------------------------------------------------------------------


def set_setup_code(db: Database, code_hash: str, expires_at_ms: int) -> None:
    """Keep the code's hash; the code before it no longer holds."""
    for name, value in ((SETUP_CODE, code_hash), (SETUP_EXPIRES, str(expires_at_ms))):
        db.execute(
            "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, value),
        )


def setup_code(db: Readable) -> tuple[str, int] | None:
    """The code's hash and when it ends to hold."""
    rows = dict(
        db.execute("SELECT name, value FROM setting WHERE name IN (?, ?)", (SETUP_CODE, SETUP_EXPIRES)).fetchall()
    )
    return (rows[SETUP_CODE], int(rows[SETUP_EXPIRES])) if len(rows) == 2 else None


def forget_setup_code(db: Database) -> None:
    """It was used."""
    db.execute("DELETE FROM setting WHERE name IN (?, ?)", (SETUP_CODE, SETUP_EXPIRES))
