"""Secrets of the site that no backup could bring back on another box."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services import secrets
from appliance.services.problems.check import Facts, Finding, Found


def find(db: Database, _facts: Facts) -> Iterator[Found]:
    """There are some, and no owner's key."""
    if secrets.needs_owner_key(db):
        yield Found("site")


CHECK = Finding(ProblemKind.OWNER_KEY_MISSING, find)
