"""What does not agree in the money, and how an owner lets it move again."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.reconciling import stop as rows
from appliance.domain.errors import Refusal
from appliance.services.reconciling import stop
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render
from appliance.ui.wording import reconciling as wording
from appliance.ui.writing.formats import formats

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One difference, and where it can be looked at."""

    sentence: str
    href: str


@dataclass(frozen=True, slots=True)
class MoneyPage:
    """What differs, and the form in which an owner says why it may go on."""

    since_ms: int | None
    """None: money moves."""
    lines: list[Line]
    more: int
    """How many are not shown."""
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /problems/money`."""
    return await _page(request, Form())


async def lift(request: web.Request) -> web.Response:
    """`POST /problems/money/lift`: an owner has looked."""
    form = await read_form(request)
    try:
        await request.app[CONSOLE].store.write(stop.lift, form.text("reason"), asked_by(request))
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    return done(request, "/problems", _("Money moves again. What differs is on record, with your reason."))


async def _page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    stopped, site = await console.store.read(rows.find), console.site
    fmt = formats(site.currency, site.exponent, site.zone)
    found = stopped.details["differences"] if stopped is not None else []
    lines = [Line(wording.sentence(one, fmt), wording.href(one)) for one in found[:SHOWN]]
    since_ms = stopped.since_ms if stopped is not None else None
    page = MoneyPage(since_ms, lines, len(found) - len(lines), form)
    return render(request, "problems/money.html", page, status=status)


PAGE = Page(routes=[web.get("/problems/money", show), web.post("/problems/money/lift", lift)])
