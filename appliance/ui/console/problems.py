"""Problems: what needs a hand, what to do about it, and what has passed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import problems
from appliance.db.engine.protocols import Readable
from appliance.db.problems import Problem
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Session
from appliance.db.stations import stations
from appliance.db.stations.stations import Named
from appliance.domain.identifiers import SessionId
from appliance.domain.problem import ProblemKind
from appliance.domain.session import SessionState
from appliance.services import problems as service
from appliance.services.announce import Announcement, ProblemsChanged
from appliance.services.problems import groups
from appliance.services.problems.check import number_in
from appliance.services.problems.private import without_cards
from appliance.services.sessions.review import Choice
from appliance.ui.console.sessions.session import choices_of
from appliance.ui.forms.forms import number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by, principal
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.frame.roles import SEES_CARDS
from appliance.ui.wording.problems import Described, DescribedGroup, describe, describe_group
from appliance.ui.writing.formats import formats

HISTORY_ROWS = 50
DECISIONS_MAX = 50
"""So many sessions, those that wait longest last, are decided about on this page; the others on their own."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A session that waits for somebody to say what is billed, and what it may be."""

    session: Session
    choices: list[Choice]


@dataclass(frozen=True, slots=True)
class ProblemsPage:
    """Rows of open ones, the urgent first; those that last and were dismissed; and a page of those that are over."""

    open: list[DescribedGroup]
    aside: list[DescribedGroup]
    over: list[Described]
    older: int | None
    decisions: dict[int, Decision]
    """What may be decided right here, by problem."""


async def show(request: web.Request) -> web.Response:
    """`GET /problems?before=…`."""
    before = read_number(request.query.get("before", ""))
    page = await load(request.app[CONSOLE], principal(request).role, before)
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


async def load(console: Console, role: str, before: int | None = None) -> ProblemsPage:
    """What there is now, as somebody of this role may see it."""
    found = await console.store.read(_read, before)
    site, now_ms = console.site, console.clock()
    fmt = formats(site.currency, site.exponent, site.zone)

    def seen(problems: Sequence[Problem]) -> list[Problem]:
        return list(problems if role in SEES_CARDS else map(without_cards, problems))

    def rows_of(problems: Sequence[Problem]) -> list[DescribedGroup]:
        rows = [describe_group(one, found.names, fmt, now_ms) for one in groups.grouped(seen(problems))]
        return sorted(rows, key=lambda one: not one.urgent)

    over = [describe(one, found.names, fmt, now_ms) for one in seen(found.over)]
    older = found.over[-1].id if len(found.over) == HISTORY_ROWS else None
    decisions = {problem: Decision(one, choices_of(one)) for problem, one in found.undecided.items()}
    return ProblemsPage(rows_of(found.open), rows_of(found.dismissed), over, older, decisions)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read in one go."""

    names: dict[int, Named]
    open: list[Problem]
    dismissed: list[Problem]
    over: list[Problem]
    undecided: dict[int, Session]
    """Sessions that wait for a decision, by problem."""


def _read(db: Readable, before: int | None) -> Snapshot:
    found, dismissed = problems.open_problems(db), problems.dismissed(db)
    reviews = [one for one in (*found, *dismissed) if one.kind == ProblemKind.REVIEW][:DECISIONS_MAX]
    sessions = {one.id: session_list.show(db, SessionId(number_in(one.subject, "session"))) for one in reviews}
    return Snapshot(
        stations.names(db),
        found,
        dismissed,
        problems.history(db, before, HISTORY_ROWS),
        {number: one for number, one in sessions.items() if one is not None and one.state == SessionState.REVIEW},
    )


async def fragments(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The list of open ones."""
    page = await load(console, role)
    names = {name: getattr(page, name) for name in ("open", "aside", "decisions")}
    return {"open-problems": render_part(console, role, "problems/_open.html", **names)}


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
