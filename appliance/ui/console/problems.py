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
from appliance.domain.problem import RULES
from appliance.services import problems as service
from appliance.services.announce import Announcement, ProblemsChanged
from appliance.ui.forms.forms import number_of, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.wording.problems import Described, describe
from appliance.ui.writing.formats import formats

HISTORY_ROWS = 50
BY_HAND = frozenset(kind for kind, rule in RULES.items() if rule.happened)


@dataclass(frozen=True, slots=True)
class ProblemsPage:
    """Open ones, the urgent first; and a page of those that are over."""

    open: list[Described]
    over: list[Described]
    older: int | None
    by_hand: frozenset[str]


async def show(request: web.Request) -> web.Response:
    """`GET /problems?before=…`."""
    page = await load(request.app[CONSOLE], read_number(request.query.get("before", "")))
    return render(request, "problems/problems.html", page)


async def acknowledge(request: web.Request) -> web.Response:
    """`POST /problems/12/acknowledge`: somebody has looked at it."""
    console = request.app[CONSOLE]
    number = number_of(request, "problem")
    await console.store.write(service.acknowledge, number, asked_by(request))
    return done(request, "/problems", _("Noted. It is under the past ones."))


async def load(console: Console, before: int | None = None) -> ProblemsPage:
    """What there is now."""
    names, current, past = await console.store.read(_read, before)
    site, now_ms = console.site, console.clock()
    fmt = formats(site.currency, site.exponent, site.zone)
    open_ones = sorted((describe(one, names, fmt, now_ms) for one in current), key=lambda one: not one.urgent)
    over = [describe(one, names, fmt, now_ms) for one in past]
    return ProblemsPage(open_ones, over, past[-1].id if len(past) == HISTORY_ROWS else None, BY_HAND)


def _read(db: Readable, before: int | None) -> tuple[dict[int, Named], list[Problem], list[Problem]]:
    return stations.names(db), problems.open_problems(db), problems.history(db, before, HISTORY_ROWS)


async def fragments(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The list of open ones."""
    page = await load(console)
    return {"open-problems": render_part(console, role, "problems/_open.html", open=page.open, by_hand=page.by_hand)}


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether there is another problem, or one less."""
    return isinstance(announcement, ProblemsChanged)


PAGE = Page(
    routes=[web.get("/problems", show), web.post("/problems/{problem}/acknowledge", acknowledge)],
    live=[LiveView("problems", "/problems", concerns, fragments)],
)
