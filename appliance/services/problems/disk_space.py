"""Room on the disk of the data directory."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems.check import Facts, Finding, Found


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """Less than the site wants to keep free."""
    if facts.free_mb < settings.of(db).disk_free_min_mb:
        yield Found("disk", {"free_mb": facts.free_mb})


CHECK = Finding(ProblemKind.DISK_SPACE, find)
