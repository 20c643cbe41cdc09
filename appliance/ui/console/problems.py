"""Problems: what needs a hand, what to do about it, and what has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.problems import Problem
from appliance.db.stations import stations
from appliance.db.stations.stations import Named
from appliance.services import problems as service
from appliance.services.announce import Announcement, ProblemsChanged
from appliance.services.problems import groups
from appliance.ui.forms.forms import number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.wording.problems import Described, DescribedGroup, describe, describe_group
from appliance.ui.writing.formats import formats

HISTORY_ROWS = 50


@dataclass(frozen=True, slots=True)
class ProblemsPage:
    """Rows of open ones, the urgent first; those that last and were dismissed; and a page of those that are over."""

    open: list[DescribedGroup]
    aside: list[DescribedGroup]
    over: list[Described]
    older: int | None


async def show(request: web.Request) -> web.Response:
    """`GET /problems?before=…`."""
    page = await load(request.app[CONSOLE], read_number(request.query.get("before", "")))
    return render(request, "problems/problems.html", page)


async def acknowledge(request: web.Request) -> web.Response:
    """`POST /problems/12/acknowledge`: somebody has looked at it."""
    console = request.app[CONSOLE]
    number = number_of(request, "problem")
    await console.store.write(service.acknowledge, number, asked_by(request))
    return done(request, "/problems", _("Dismissed. It comes back if it happens anew."))


async def acknowledge_group(request: web.Request) -> web.Response:
    """`POST /problems/acknowledge`: somebody has looked at a row, as far as they saw it."""
    console, form = request.app[CONSOLE], await read_form(request)
    newest = read_number(form.text("newest")) or 0
    await console.store.write(groups.acknowledge_group, form.text("row"), newest, asked_by(request))
    return done(request, "/problems", _("Dismissed. It comes back if it happens anew."))


async def load(console: Console, before: int | None = None) -> ProblemsPage:
    """What there is now."""
    found = await console.store.read(_read, before)
    site, now_ms = console.site, console.clock()
    fmt = formats(site.currency, site.exponent, site.zone)

    def rows_of(problems: Sequence[Problem]) -> list[DescribedGroup]:
        rows = [describe_group(one, found.names, fmt, now_ms) for one in groups.grouped(problems)]
        return sorted(rows, key=lambda one: not one.urgent)

    over = [describe(one, found.names, fmt, now_ms) for one in found.over]
    older = found.over[-1].id if len(found.over) == HISTORY_ROWS else None
    return ProblemsPage(rows_of(found.open), rows_of(found.dismissed), over, older)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read in one go."""

    names: dict[int, Named]
    open: list[Problem]
    dismissed: list[Problem]
    over: list[Problem]


def _read(db: Readable, before: int | None) -> Snapshot:
    return Snapshot(
        stations.names(db),
        problems.open_problems(db),
        problems.dismissed(db),
        problems.history(db, before, HISTORY_ROWS),
    )


async def fragments(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The list of open ones."""
    page = await load(console)
    return {"open-problems": render_part(console, role, "problems/_open.html", open=page.open, aside=page.aside)}


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether there is another problem, or one less."""
    return isinstance(announcement, ProblemsChanged)


PAGE = Page(
    routes=[
        web.get("/problems", show),
        web.post("/problems/acknowledge", acknowledge_group),
        web.post("/problems/{problem}/acknowledge", acknowledge),
    ],
    live=[LiveView("problems", "/problems", concerns, fragments)],
)
