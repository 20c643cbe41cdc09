"""What programs and browsers prove themselves by: random, and kept as a hash only."""

from __future__ import annotations

import hashlib
import secrets

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.services import audit
from appliance.services.operators.operators import checked_name, checked_role

TOKEN_PREFIX = "fc_"  # noqa: S105 - what every token begins with, so that it is recognised where it was lost


def create_token(db: Database, name: str, role: str, *, by: By) -> str:
    """A new token for the API. It is shown this once; only its hash is kept.

    Raises:
        Invalid: A field cannot be used.
    """
    name, role = checked_name(name), checked_role(role)
    token = TOKEN_PREFIX + new_token()
    number = rows.insert_token(db, name, role, hash_token(token), by.at_ms)
    audit.record(db, by, "token.create", f"token:{number}", name=name, role=role)
    return token


def revoke_token(db: Database, token: int, *, by: By) -> None:
    """It no longer opens anything.

    Raises:
        NotFound: There is none that could be revoked.
    """
    if not rows.revoke_token(db, token, by.at_ms):
        raise NotFound("This token was revoked before.")
    audit.record(db, by, "token.revoke", f"token:{token}")


def new_token() -> str:
    """256 random bits, as text."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
