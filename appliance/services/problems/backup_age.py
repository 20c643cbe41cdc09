"""Whether there is a backup of these days. A demo site needs none."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db import site as sites
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services import settings
from appliance.services.problems.check import Facts, Finding, Found

DAY_MS = 86_400_000


def find(db: Database, facts: Facts) -> Iterator[Found]:
    """A new site has as long as the others."""
    last_ms = sites.backup_at_ms(db)
    age_ms = facts.now_ms - (last_ms or sites.created_at_ms(db))
    if age_ms > settings.of(db).backup_age_max_days * DAY_MS and not sites.of(db).demo:
        yield Found("backup", {"last_ms": last_ms})


CHECK = Finding(ProblemKind.BACKUP_AGE, find)
