"""What a check is: it finds all that is wrong of one kind, and what it finds no longer is over."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from appliance.db import problems as rows
from appliance.db.engine.unit import Database
from appliance.db.problems import Problem
from appliance.domain.identifiers import StationId
from appliance.domain.problem import ProblemKind
from appliance.services import problems


@dataclass(frozen=True, slots=True)
class Facts:
    """What checks are told besides the books."""

    now_ms: int
    online: Collection[StationId] = frozenset()
    serving_since_ms: int = 0
    free_mb: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """Something that is wrong now."""

    subject: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that raises a kind of problem, and ends it."""

    kind: ProblemKind
    find: Callable[[Database, Facts], Iterable[Found]]

    def run(self, db: Database, facts: Facts) -> None:
        """Raise what is found, and clear what is found no more."""
        found = {one.subject: one.details for one in self.find(db, facts)}
        for problem in rows.lasting(db, self.kind):
            if problem.subject not in found:
                problems.clear_problem(db, self.kind, problem.subject, facts.now_ms)
        for subject, details in found.items():
            problems.raise_problem(db, self.kind, subject, facts.now_ms, **details)


@dataclass(frozen=True, slots=True)
class Ending:
    """A check that only ends problems which were raised where they happened."""

    kinds: tuple[ProblemKind, ...]
    is_over: Callable[[Database, Problem, Facts], bool]

    def run(self, db: Database, facts: Facts) -> None:
        """Clear those whose cause is gone."""
        for kind in self.kinds:
            for problem in rows.lasting(db, kind):
                if self.is_over(db, problem, facts):
                    problems.clear_problem(db, kind, problem.subject, facts.now_ms)


Check = Finding | Ending


def number_in(subject: str, what: str) -> int:
    """The number of `session:12`, asked for a `session`; 0 if it is none."""
    kind, _colon, rest = subject.partition(":")
    return int(rest) if kind == what and rest.isdecimal() else 0
