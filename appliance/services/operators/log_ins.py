"""Log-ins: begun, used, ended."""

from __future__ import annotations

from enum import StrEnum

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.services import audit, settings
from appliance.services.operators import tokens
from appliance.services.settings import Settings

ABSOLUTE_MS = 12 * 3600 * 1000
FOR_EVER_MS = -1
"""Before everything that happened."""


class Ending(StrEnum):
    """Why a log-in holds no more."""

    ELSEWHERE = "elsewhere"
    """Somebody has ended it: from another browser, by another password, another role, or by shutting out its operator."""
    UNUSED = "unused"
    """It was not used for as long as its role may be idle, or began too long ago."""


def log_in(db: Database, operator: int, token: str, *, address: str, browser: str, now_ms: int) -> int:
    """A new log-in's number; only the token's hash is kept."""
    log_in_id = rows.insert_log_in(db, operator, tokens.hash_token(token), address, browser[:200], now_ms)
    audit.record(db, By(f"operator:{operator}", now_ms), "operator.log_in", f"operator:{operator}", address=address)
    return log_in_id


def log_out(db: Database, log_in_id: int, now_ms: int) -> None:
    """It is over."""
    rows.end_log_in(db, log_in_id, now_ms)


def end_log_in(db: Database, log_in_id: int, *, operator: int, by: By) -> None:
    """End one of an operator's log-ins from elsewhere.

    Raises:
        NotFound: They have no such log-in.
    """
    if log_in_id not in {entry.id for entry in of_operator(db, operator, by.at_ms)}:
        raise NotFound("This log-in is over already.")
    rows.end_log_in(db, log_in_id, by.at_ms)
    audit.record(db, by, "operator.end_log_in", f"operator:{operator}")


def of_operator(db: Readable, operator: int, now_ms: int) -> list[rows.LogIn]:
    """The log-ins of an operator that still hold, newest first."""
    found = rows.find(db, operator)
    if found is None:
        return []
    idle_since_ms, began_since_ms = holds_since(settings.load(db), found.role, now_ms)
    return rows.log_ins(db, operator, idle_since_ms=idle_since_ms, began_since_ms=began_since_ms)


def visit(db: Readable, token_hash: bytes, now_ms: int) -> rows.Visit | None:
    """Who comes with this token, if the log-in still holds."""
    found = rows.visit(db, token_hash)
    if found is None:
        return None
    idle_since_ms, began_since_ms = holds_since(settings.load(db), found.role, now_ms)
    return found if found.seen_at_ms > idle_since_ms and found.began_at_ms > began_since_ms else None


def stays(db: Readable, operator: int) -> bool:
    """Whether the log-ins of this operator end only when somebody ends them."""
    found = rows.find(db, operator)
    return found is not None and not settings.load(db).idle_s(found.role)


def why_ended(db: Readable, token_hash: bytes) -> Ending | None:
    """Why a token opens nothing any more; None if it never did."""
    if rows.visit(db, token_hash) is not None:
        return Ending.UNUSED
    return Ending.ELSEWHERE if rows.has_log_in(db, token_hash) else None


def holds_since(values: Settings, role: str, now_ms: int) -> tuple[int, int]:
    """Since when a log-in of this role must have been used, and since when it must have begun, to hold now.

    Where a role may be idle for ever, its log-ins stay until somebody ends them: a board on a wall.
    """
    idle_s = values.idle_s(role)
    return (now_ms - idle_s * 1000, now_ms - ABSOLUTE_MS) if idle_s else (FOR_EVER_MS, FOR_EVER_MS)
