"""Stored answers to requests that moved money."""

from __future__ import annotations

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database


def find(db: Readable, scope: str, key: str) -> tuple[bytes, int, str] | None:
    """Hash of the request, status and body of the answer."""
    row: tuple[bytes, int, str] | None = db.execute(
        "SELECT request_hash, status, response FROM idempotency WHERE scope = ? AND key = ?", (scope, key)
    ).fetchone()
    return row


def store(db: Database, scope: str, key: str, request_hash: bytes, status: int, body: str, now_ms: int) -> None:
    """Keep an answer."""
    db.execute(
        "INSERT INTO idempotency (scope, key, request_hash, status, response, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (scope, key, request_hash, status, body, now_ms),
    )
