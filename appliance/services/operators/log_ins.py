"""Log-ins: begun, used, ended."""

from __future__ import annotations

from appliance.db import operators as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.services import audit
from appliance.services.operators import tokens

IDLE_MS = 30 * 60 * 1000


ABSOLUTE_MS = 12 * 3600 * 1000


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
    known = rows.log_ins(db, operator, idle_since_ms=by.at_ms - IDLE_MS, began_since_ms=by.at_ms - ABSOLUTE_MS)
    if log_in_id not in {entry.id for entry in known}:
        raise NotFound("This log-in is over already.")
    rows.end_log_in(db, log_in_id, by.at_ms)
    audit.record(db, by, "operator.end_log_in", f"operator:{operator}")


def visit(db: Readable, token_hash: bytes, now_ms: int) -> rows.Visit | None:
    """Who comes with this token, if the log-in still holds."""
    return rows.visit(db, token_hash, idle_since_ms=now_ms - IDLE_MS, began_since_ms=now_ms - ABSOLUTE_MS)
