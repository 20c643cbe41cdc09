"""Notes every statement that the program gives to SQLite, as it is written: with its parameters, not with their values."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from appliance.db.engine.protocols import Readable

PARAMETER = re.compile(r":(\w+)|\?")
QUOTED = re.compile(r"'(?:[^']|'')*'")


@contextmanager
def noted() -> Iterator[set[str]]:
    """The texts of all statements of connections that are opened within the block."""
    found: set[str] = set()
    connect = sqlite3.connect
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", _noting(connect, found))
        yield found


def _noting(connect: Callable[..., sqlite3.Connection], found: set[str]) -> Callable[..., sqlite3.Connection]:
    def noting_connect(
        *args: Any, factory: type[sqlite3.Connection] = sqlite3.Connection, **kwargs: Any
    ) -> sqlite3.Connection:
        class Noting(factory):  # type: ignore[misc,valid-type]  # whichever connection the program asks for
            """The same, and it notes."""

            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                found.add(sql)
                cursor: sqlite3.Cursor = super().execute(sql, *parameters)
                return cursor

            def executemany(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                found.add(sql)
                cursor: sqlite3.Cursor = super().executemany(sql, *parameters)
                return cursor

        return connect(*args, factory=Noting, **kwargs)

    return noting_connect


def plan_of(db: Readable, sql: str) -> list[str]:
    """The lines of the planner's answer; [] for what has no plan. It is not told the values of parameters."""
    names = [match[1] for match in PARAMETER.finditer(QUOTED.sub("", sql))]
    values: Any = dict.fromkeys(names) if names and names[0] else [None] * len(names)
    return [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
