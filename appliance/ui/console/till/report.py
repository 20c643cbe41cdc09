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
from appliance.ui.console.wallets.receipts import paper_of, papers_of, remember_paper
from appliance.ui.forms.forms import number_of
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page, principal
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


async def show(request: web.Request) -> web.Response:
    """`GET /till/shifts/{shift}?paper=`."""
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
    )
    return remember_paper(request, render(request, "till/report.html", page), paper)


def _read(db: Readable, number: int, actor: str) -> tuple[Figures, dict[str, str], bool, ShiftId | None]:
    shift = service.need_seen(db, number, actor)
    return (
        service.figures(db, shift),
        operators.names(db),
        service.sees_expected(db, actor),
        rows.following(db, shift),
    )


PAGE = Page(routes=[web.get("/till/shifts/{shift}", show)])
