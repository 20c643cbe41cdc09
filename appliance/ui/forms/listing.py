"""Lists in the address bar: which page of one is shown, in which order, and the links to the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from appliance.ui.forms.forms import read_number

PAGES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """Where in a list one is; links are "" where there is nowhere to go."""

    first: int
    """Number of the first row shown, from 1."""
    last: int
    count: int | None
    """None where nobody has counted."""
    before: str
    after: str

    @classmethod
    def of(cls, request: web.Request, number: int, found: int, count: int | None, rows_at_once: int) -> Paging:
        """Page `number` of a list, of which `found` rows were read: those of the page, and one more if there is one."""
        begin = (number - 1) * rows_at_once
        return cls(
            begin + 1,
            begin + min(found, rows_at_once),
            count,
            query(request, page=str(number - 1) if number > 2 else "") if number > 1 else "",
            query(request, page=str(number + 1)) if found > rows_at_once else "",
        )


def page_of(request: web.Request) -> int:
    """The page that is asked for; the first one for nonsense."""
    return read_number(request.query.get("page", ""), least=1, most=PAGES_MAX) or 1


def order_of(request: web.Request, orders: Collection[str], usual: str) -> str:
    """The order that is asked for; the usual one for nonsense."""
    wanted = request.query.get("order", usual)
    return wanted if wanted in orders else usual


def query(request: web.Request, **changes: str) -> str:
    """The address of this page with other parameters; "" leaves one out."""
    values: Mapping[str, str] = {**request.query, **changes}
    kept = {name: value for name, value in values.items() if value}
    return f"{request.path}?{urlencode(kept)}" if kept else request.path
