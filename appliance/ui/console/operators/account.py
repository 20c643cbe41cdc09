"""One's own account: password, language, and the browsers one is logged in with."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.db.operators import LogIn
from appliance.domain.errors import Invalid, Refusal
from appliance.services.operators import log_ins as log_in_units
from appliance.services.operators import operators
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.frame import auth
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import LANGUAGES, N_, _, speak
from appliance.ui.frame.render import FACTS, done, render


@dataclass(frozen=True, slots=True)
class AccountPage:
    """What belongs to who is logged in."""

    login: str
    language: str
    log_ins: list[tuple[LogIn, str]]
    """With a short name of the browser."""
    current: int
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /account`."""
    return await _page(request, Form())


async def change_password(request: web.Request) -> web.Response:
    """`POST /account/password`: with the old one; it ends the other log-ins."""
    console, form, who = request.app[CONSOLE], await read_form(request), principal(request)
    try:
        await auth.check_new_password(request, form.value("password"), who.login, who.name)
        current = await console.store.read(rows.password_hash, who.id)
        if not await auth.compared(request, who.login, who.id, form.value("current"), current):
            raise Invalid("current", N_("This is not your password."))
        password_hash = await request.app[auth.HASHING].hash(form.value("password"), auth.Lane.BROWSER)
        await console.store.write(operators.set_password, who.id, password_hash, by=asked_by(request), stay=who.log_in)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), status=refusal.status)
    return done(request, "/account", _("You have a new password. Your other log-ins have ended."))


async def change_language(request: web.Request) -> web.Response:
    """`POST /account/language`."""
    console, form = request.app[CONSOLE], await read_form(request)
    chosen = form.value("language") if form.value("language") in LANGUAGES else ""
    await console.store.write(operators.set_language, principal(request).id, chosen)
    speak(chosen or request[FACTS].site_language)
    return done(request, "/account", _("Stored."))


async def end_log_in(request: web.Request) -> web.Response:
    """`POST /account/log-ins/3/end`."""
    console, who = request.app[CONSOLE], principal(request)
    await console.store.write(
        log_in_units.end_log_in, number_of(request, "log_in"), operator=who.id, by=asked_by(request)
    )
    return done(request, "/account", _("That browser is logged out."))


async def _page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    console, who = request.app[CONSOLE], principal(request)
    found = await console.store.read(log_in_units.of_operator, who.id, console.clock())
    log_ins = [(one, browser_name(one.browser)) for one in found]
    page = AccountPage(who.login, who.language, log_ins, who.log_in, form)
    return render(request, "operators/account.html", page, status=status)


def browser_name(user_agent: str) -> str:
    """Browser and system, roughly: enough to tell one's own devices apart."""
    browsers = (
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    )
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"), ("Linux", "Linux"),
    )  # fmt: skip
    names = [next((name for mark, name in marks if mark in user_agent), "") for marks in (browsers, systems)]
    return ", ".join(filter(None, names)) or user_agent[:40] or "?"


PAGE = Page(
    routes=[
        web.get("/account", show),
        web.post("/account/password", change_password),
        web.post("/account/language", change_language),
        web.post("/account/log-ins/{log_in}/end", end_log_in),
    ]
)
