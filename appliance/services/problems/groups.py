"""Like problems, told in one row: 400 chargers that lost their network are one thing to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.db import problems as rows
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.by import By
from appliance.domain.errors import NotFound
from appliance.domain.problem import row_keys, rule_of
from appliance.services.problems import acknowledge


@dataclass(frozen=True, slots=True)
class Group:
    """One row: a problem, or several that are alike, in the order in which they were given."""

    key: str
    members: tuple[Problem, ...]

    @property
    def since_ms(self) -> int:
        """When the first of them began."""
        return min(one.since_ms for one in self.members)

    @property
    def last_at_ms(self) -> int:
        """When one happened last."""
        return max(one.last_at_ms for one in self.members)

    @property
    def times(self) -> int:
        """How often something has happened; of what lasts, 1."""
        return sum(one.times for one in self.members) if rule_of(self.members[0].kind).happened else 1

    @property
    def newest(self) -> int:
        """The highest number among them."""
        return max(one.id for one in self.members)


def grouped(problems: Sequence[Problem]) -> list[Group]:
    """In the order in which each row's first problem stands."""
    found: dict[str, list[Problem]] = {}
    keys = row_keys([(one.kind, one.details) for one in problems])
    for key, problem in zip(keys, problems, strict=True):
        found.setdefault(key, []).append(problem)
    return [Group(key, tuple(members)) for key, members in found.items()]


def acknowledge_group(db: Database, key: str, newest: int, by: By) -> int:
    """Somebody has looked at a row, in which `newest` was the highest number; how many problems they saw there.

    Raises:
        NotFound: Nothing of it is open any more.
    """
    seen = [
        one
        for group in grouped(rows.open_problems(db))
        if group.key == key
        for one in group.members
        if one.id <= newest
    ]
    if not seen:
        raise NotFound("There is no such problem, or it is over already.")
    for one in seen:
        acknowledge(db, one.id, by)
    return len(seen)
