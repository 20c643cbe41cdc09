"""Lists in the address bar: which page of one is shown, sorted by what, and the links to the others.

`sort=fee` is the smallest fee first, `sort=-fee` the largest; `after=` and `before=` say which row the page goes on from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web

from appliance.db.lists import Part, Window
from appliance.ui.forms.forms import read_number

T = TypeVar("T")
FALLS = "-"


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column a list is sorted, and what a click on the head of each would do."""

    column: str
    falls: bool
    asked: str
    """As the address has it; "" for the usual order."""
    links: Mapping[str, str]
    """By column. One that is not in it cannot be sorted by."""

    @classmethod
    def of(cls, request: web.Request, columns: Mapping[str, str], usual: str, place: str = "") -> Sort:
        """What is asked for; the usual order for nonsense.

        `columns`: each with how it is sorted at the first click. `place`: where in its page the list is.
        """
        wanted = request.query.get("sort", usual)
        wanted = wanted if wanted.removeprefix(FALLS) in columns else usual
        column, falls = wanted.removeprefix(FALLS), wanted.startswith(FALLS)
        turned = {**columns, column: column if falls else f"{FALLS}{column}"}
        there = f"#{place}" if place else ""
        links = {
            name: query(request, sort="" if to == usual else to, after="", before="") + there
            for name, to in turned.items()
        }
        return cls(column, falls, "" if wanted == usual else wanted, links)

    @property
    def direction(self) -> str:
        """For `aria-sort`."""
        return "descending" if self.falls else "ascending"

    def window(self, request: web.Request, rows: int) -> Window:
        """The page that is asked for: the first one for nonsense."""
        after = read_number(request.query.get("after", "")) or 0
        before = 0 if after else read_number(request.query.get("before", "")) or 0
        return Window(self.column, self.falls, after or before, bool(before), rows)


@dataclass(frozen=True, slots=True)
class Paging:
    """Links to the pages beside this one; "" where there is none."""

    before: str
    after: str

    @classmethod
    def of(cls, request: web.Request, part: Part[T], number: Callable[[T], int]) -> Paging:
        """Of a page whose rows are called by these numbers."""
        return cls(
            query(request, before=str(number(part.rows[0])), after="") if part.before and part.rows else "",
            query(request, after=str(number(part.rows[-1])), before="") if part.after else "",
        )


def query(request: web.Request, **changes: str) -> str:
    """The address of this page with other parameters; "" leaves one out."""
    values: Mapping[str, str] = {**request.query, **changes}
    kept = {name: value for name, value in values.items() if value}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
