"""The audit list: who did what to whom, in order of time."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from appliance.db import audit as rows
from appliance.db import operators
from appliance.db.audit import AuditRow, Subject
from appliance.db.engine.protocols import Readable
from appliance.domain.order import natural
from appliance.ui.forms.forms import read_number
from appliance.ui.forms.listing import Sort, query
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.wording.audit import THINGS, mentioned, sentence
from appliance.ui.wording.words import with_impersonal

ROWS = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One row in words."""

    seq: int
    at_ms: int
    who: str
    sentence: Markup


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the list."""

    entries: list[Entry]
    actors: list[tuple[str, str]]
    things: list[tuple[str, str]]
    actor: str
    action: str
    sort: Sort
    further: str
    """The next page."""


async def show(request: web.Request) -> web.Response:
    """`GET /audit?actor=operator:3&action=card.&sort=number&after=…`."""
    actor, action = request.query.get("actor", ""), request.query.get("action", "")
    sort = Sort.of(request, {"number": "-number"}, "-number")
    mark = read_number(request.query.get("after", "")) or 0
    found, names, subjects = await request.app[CONSOLE].store.read(_read, mark, actor, action, sort.falls)
    known = with_impersonal(names)
    fmt = formats_of(request)
    entries = [
        Entry(one.seq, one.at_ms, known.get(one.actor, one.actor), sentence(one, subjects, fmt)) for one in found
    ]
    # With the dot: "person." is about people, and not about what begins alike.
    things = sorted(((f"{thing}.", _(word)) for thing, word in THINGS.items()), key=lambda one: natural(one[1]))
    further = query(request, after=str(found[-1].seq)) if len(found) == ROWS else ""
    page = AuditPage(
        entries, sorted(known.items(), key=lambda one: natural(one[1])), things, actor, action, sort, further
    )
    return render(request, "audit/audit.html", page)


def _read(
    db: Readable, mark: int, actor: str, action: str, falls: bool
) -> tuple[list[AuditRow], dict[str, str], dict[str, Subject]]:
    before, after = (mark, None) if falls else (None, mark)
    found = rows.page(db, before=before, after=after, limit=ROWS, actor=actor, action=action)
    return found, operators.names(db), rows.subjects(db, mentioned(found))


PAGE = Page(routes=[web.get("/audit", show)])
