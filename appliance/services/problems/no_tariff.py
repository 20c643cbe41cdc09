"""Whether charging has a price."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.db import tariffs
from appliance.db.engine.unit import Database
from appliance.domain.problem import ProblemKind
from appliance.services.problems.check import Facts, Finding, Found


def find(db: Database, _facts: Facts) -> Iterator[Found]:
    """No tariff is the default."""
    if tariffs.default(db) is None:
        yield Found("site")


CHECK = Finding(ProblemKind.NO_TARIFF, find)
