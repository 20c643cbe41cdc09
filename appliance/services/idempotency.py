"""The same request twice is one request: its stored answer is given again, and nothing moves a second time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from appliance.db import idempotency
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import Refusal

KEY_CHARS_MAX = 255


class KeyReused(Refusal):
    """The key was used for another request."""

    status = 422


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer: HTTP status and body (JSON)."""

    status: int
    body: str
    repeated: bool = False


def once(db: Database, by: By, key: str, request: bytes, unit: Callable[[str], tuple[int, str]]) -> Stored:
    """Run `unit` if this request is new, else give its stored answer.

    A key is its actor's own; `request` is all that tells one request from another (method, path, body). `unit` gets a name
    for its transfers that is unique for ever. A refusal of the unit stores nothing: it may be asked again.

    Raises:
        KeyReused: The key belongs to another request.
    """
    found = known(db, by.actor, key, request)
    if found is not None:
        return found
    name = sha256(f"{by.actor}\n{key}".encode()).hexdigest()[:32]
    status, body = unit(name)
    idempotency.store(db, by.actor, key, sha256(request).digest(), status, body, by.at_ms)
    return Stored(status, body)


def known(db: Readable, scope: str, key: str, request: bytes) -> Stored | None:
    """The stored answer to this request; None when the key is new.

    Raises:
        KeyReused: The key belongs to another request.
    """
    found = idempotency.find(db, scope, key)
    if found is None:
        return None
    digest, status, body = found
    if digest != sha256(request).digest():
        raise KeyReused("This Idempotency-Key was used for another request.", "Choose a new key for each new request.")
    return Stored(status, body, repeated=True)
