"""A page of a list that people sort: found by the row that it begins after or ends before, and never by counting rows.

Each order is that of an index, read forwards or backwards: a page costs the same wherever in the list it is. Where it is not (a
few rows of a long table, which are looked at anyway), the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from appliance.db.engine.protocols import Readable

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows are wanted: `rows` of them, the first ones, those after `mark`, or the last ones before it (`backwards`)."""

    sort: str
    falls: bool = False
    mark: int = 0
    """The number of a row; 0: none."""
    backwards: bool = False
    rows: int = 100


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some rows of a list in its order, and whether there are others before and after them."""

    rows: list[T]
    before: bool
    after: bool

    def of(self, make: Callable[[list[T]], list[U]]) -> Part[U]:
        """The same rows as something else."""
        return Part(make(self.rows), self.before, self.after)


@dataclass(frozen=True, slots=True)
class Listed:
    """A table as a list."""

    tables: str
    """Where the terms of its orders are found: what stands behind FROM."""
    number: str
    """The column by which a row is called."""
    orders: Mapping[str, Sequence[str]]
    """Terms that rise together; the last one tells rows apart that are the same in all others."""

    def part(
        self, db: Readable, select: str, conditions: Sequence[str], values: Mapping[str, object], window: Window
    ) -> Part[tuple[Any, ...]]:
        """What `select` says of the rows in the window. Raises KeyError for an order that there is not."""
        terms, falls = self.orders[window.sort], window.falls is not window.backwards
        asked, more = list(conditions), dict(values)
        if window.mark and (key := self._key(db, terms, window.mark, values)) is not None:
            more |= {f"key_{place}": value for place, value in enumerate(key)}
            names = ", ".join(f":key_{place}" for place in range(len(key)))
            # The first bound is what an index of an expression is entered by; the second one alone would only be looked at.
            asked.append(f"({terms[0]}) {'<=' if falls else '>='} :key_0")
            asked.append(f"({', '.join(terms)}) {'<' if falls else '>'} ({names})")
        order = ", ".join(f"{term} DESC" if falls else term for term in terms)
        found = db.execute(
            f"{select} WHERE {' AND '.join(asked) or 'TRUE'} ORDER BY {order} LIMIT :rows",
            {**more, "rows": window.rows + 1},
        ).fetchall()
        further, rows = len(found) > window.rows, found[: window.rows]
        if not window.backwards:
            return Part(rows, bool(window.mark), further)
        if not further:
            # What was before is less than a page by now: then this is the first one.
            return self.part(db, select, conditions, values, replace(window, mark=0, backwards=False))
        return Part(rows[::-1], before=True, after=True)

    def _key(
        self, db: Readable, terms: Sequence[str], mark: int, values: Mapping[str, object]
    ) -> tuple[object, ...] | None:
        """Where a row stands in the order; None if there is no such row."""
        if list(terms) == [self.number]:
            return (mark,)
        key: tuple[object, ...] | None = db.execute(
            f"SELECT {', '.join(terms)} FROM {self.tables} WHERE {self.number} = :mark", {**values, "mark": mark}
        ).fetchone()
        return key
