"""Settings that stand in the database and that this release cannot read."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems.check import Facts, Finding, Found


def find(db: Database, _facts: Facts) -> Iterator[Found]:
    """All of them are one problem."""
    if names := settings.unread(db):
        yield Found("settings", {"names": names})


CHECK = Finding(ProblemKind.UNREAD_SETTING, find)
