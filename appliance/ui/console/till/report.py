"""The report of a shift: X while it is open, Z once it is closed; on a roll of 58 or 80 mm or on A4."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators
from appliance.db.engine.protocols import Readable
from appliance.db.till import shifts as rows
from appliance.domain.identifiers import ShiftId
from appliance.services.till import shifts as service
from appliance.services.till.shifts import Figures
from appliance.ui.console.printing import print_paper, print_to
from appliance.ui.console.wallets.receipts import paper_of, papers_of, remember_paper
from appliance.ui.forms.forms import number_of
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.language import _
from appliance.ui.frame.render import FACTS, formats_of, render
from appliance.ui.wording.till import Takings, takings_of


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A shift on paper."""

    figures: Figures
    takings: Takings
    site: str
    holder: str
    closed_by: str
    sees_expected: bool
    following: ShiftId | None
    following_holder: str
    is_mine: bool
    pieces: list[tuple[str, int, int]]
    """Note or coin, how many, what they come to."""
    paper: str
    papers: list[tuple[str, str, str]]
    tongue: str
    print_to: str
    """Where the form goes that prints on the printer of receipts; "" where only the browser prints."""
    again: bool
    """Printing it has failed."""


async def show(request: web.Request) -> web.Response:
    """`GET /till/shifts/{shift}?paper=`."""
    _page, response = await _render(request)
    return remember_paper(request, response, paper_of(request))


async def print_one(request: web.Request) -> web.Response:
    """`POST /till/shifts/{shift}/print`: on the printer of receipts."""
    page, response = await _render(request)
    shift = page.figures.shift
    what = _("X report") if shift.is_open else _("Z report {number}").format(number=shift.z_number)
    return await print_paper(request, response.text or "", what, f"/till/shifts/{shift.id}")


async def _render(request: web.Request) -> tuple[ReportPage, web.Response]:
    console, fmt = request.app[CONSOLE], formats_of(request)
    actor = principal(request).actor
    figures, names, sees, following = await console.store.read(_read, number_of(request, "shift"), actor)
    shift, paper = figures.shift, paper_of(request)
    page = ReportPage(
        figures,
        takings_of(figures, fmt),
        str(shift.details.get("site") or request[FACTS].site_name),
        str(shift.details.get("holder") or names.get(shift.actor, shift.actor)),
        str(shift.details.get("closed_by", "")),
        sees,
        following,
        str(shift.details.get("next", "")),
        shift.actor == actor,
        [(fmt.money(value), count, value * count) for value, count in (shift.counted or shift.float).pieces],
        paper,
        papers_of(request),
        language.spoken(),
        print_to(request, f"/till/shifts/{shift.id}"),
        request.query.get("again") == "1",
    )
    return page, render(request, "till/report.html", page)


def _read(db: Readable, number: int, actor: str) -> tuple[Figures, dict[str, str], bool, ShiftId | None]:
    shift = service.need_seen(db, number, actor)
    return (
        service.figures(db, shift),
        operators.names(db),
        service.sees_expected(db, actor),
        rows.following(db, shift),
    )


PAGE = Page(routes=[web.get("/till/shifts/{shift}", show), web.post("/till/shifts/{shift}/print", print_one)])
