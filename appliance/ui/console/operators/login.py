"""Logging in and out, and the page behind More on a phone."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.domain.errors import Refusal
from appliance.services.operators import log_ins
from appliance.services.operators.log_ins import Ending
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.forms.way_back import inside
from appliance.ui.frame import auth, browsers
from appliance.ui.frame.context import CONSOLE, Page, principal, somebody
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import render

ENDINGS = {
    str(Ending.ELSEWHERE): N_("Your log-in was ended: from another browser, or by somebody who looks after the staff."),
    str(Ending.UNUSED): N_("You were logged out, because nothing was done for a while."),
}
"""What whoever comes back to a log-in that ended is told."""


@dataclass(frozen=True, slots=True)
class LogInPage:
    """The form; `next` is where to go after it."""

    form: Form
    next: str
    too_late: bool
    """A form was sent after its log-in had ended."""
    kept: bool
    """What was typed into it is kept."""
    ended: str
    """Why the log-in before ended, in words; "" for none."""


@dataclass(frozen=True, slots=True)
class MorePage:
    """The whole navigation, for those who see only the bar at the bottom."""


async def show(request: web.Request) -> web.Response:
    """`GET /login`. A site without any operator is set up first."""
    if somebody(request) is not None:
        return web.Response(status=303, headers={"Location": "/"})
    if not await request.app[CONSOLE].store.read(rows.exists):
        return web.Response(status=303, headers={"Location": "/setup"})
    query = request.query
    page = LogInPage(
        Form(),
        _inside(query.get("next", "/")),
        "too_late" in query,
        "kept" in query,
        _(ENDINGS.get(query.get("ended", ""), "")),
    )
    return render(request, "operators/login.html", page)


async def log_in(request: web.Request) -> web.Response:
    """`POST /login`."""
    form = await read_form(request)
    target = _inside(form.value("next", "/"))
    try:
        begun = await auth.log_in(request, form.value("login"), form.value("password"))
    except Refusal as refusal:
        page = LogInPage(form.refused(refusal), target, too_late=False, kept=False, ended="")
        return render(request, "operators/login.html", page, status=refusal.status)
    response = web.Response(status=303, headers={"Location": target})
    auth.carry(request, response, begun.token, stays=begun.stays)
    browsers.mark(request, response, begun.operator)
    return response


async def log_out(request: web.Request) -> web.Response:
    """`POST /logout`."""
    console = request.app[CONSOLE]
    await console.store.write(log_ins.log_out, principal(request).log_in, console.clock())
    response = web.Response(status=303, headers={"Location": "/login", "Clear-Site-Data": '"cache"'})
    auth.drop(request, response)
    return response


async def here(_request: web.Request) -> web.Response:
    """`GET /here`: 204 while the log-in holds; else the way to a new one, as for every page. Scripts ask before they send a form."""
    return web.Response(status=204)


async def more(request: web.Request) -> web.Response:
    """`GET /more`."""
    return render(request, "operators/more.html", MorePage())


def _inside(target: str) -> str:
    """A path of ours; whatever else was asked for becomes the board."""
    return "/" if target.startswith("/login") else inside(target) or "/"


PAGE = Page(
    routes=[
        web.get("/login", show),
        web.post("/login", log_in),
        web.post("/logout", log_out),
        web.get("/here", here),
        web.get("/more", more),
    ]
)
