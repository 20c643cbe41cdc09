"""The very first page of a site: with a one-time code its first owner is set up."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.db.engine.unit import Database
from appliance.domain.errors import Refusal
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services.operators import log_ins, operators, tokens
from appliance.services.operators import set_up as set_up_units
from appliance.ui.console.tariffs.flat_form import read_tariff
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame import auth
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import LANGUAGES, _, speak, spoken
from appliance.ui.frame.render import done, render

ADDRESS_ONLY = "setup"


@dataclass(frozen=True, slots=True)
class SetupPage:
    """The form; what makes browsers trust this box stands beneath it."""

    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /setup`, until somebody is set up."""
    if await request.app[CONSOLE].store.read(rows.exists):
        return web.Response(status=303, headers={"Location": "/login"})
    return _page(request, Form())


async def set_up(request: web.Request) -> web.Response:
    """`POST /setup`. The code counts as a password: guessing it is slowed down in the same way.

    Hashing comes last: nobody but who has the code makes this server work for it.
    """
    console, guard, address = request.app[CONSOLE], request.app[auth.GUARD], request.remote or ""
    form = await read_form(request)
    now_ms = console.clock()
    language = form.value("language") if form.value("language") in LANGUAGES else ""
    speak(language or spoken())
    try:
        tariff = _prices(request, form)
        await console.store.read(set_up_units.check_not_set_up)
        await auth.check_new_password(request, form.value("password"), form.text("login"), form.text("name"))
        await console.store.read(
            operators.check_new, login=form.value("login"), name=form.value("name"), role=Role.OWNER
        )
        guard.attempt(ADDRESS_ONLY, address, now_ms)
        await console.store.read(set_up_units.check_setup_code, form.value("code"), now_ms)
        guard.succeeded(ADDRESS_ONLY, address)
        password_hash = await request.app[auth.HASHING].hash(form.value("password"))
        owner = {
            "code": form.value("code"),
            "login": form.value("login"),
            "name": form.value("name"),
            "password_hash": password_hash,
            "language": language,
        }
        token = tokens.new_token()
        group = _("Customers") if tariff is not None else ""
        log_in = {"address": address, "browser": request.headers.get("User-Agent", "")}
        await console.store.write(_begin, owner, tariff, group, token, log_in, now_ms)
    except Refusal as refusal:
        return _page(request, form.refused(refusal), refusal.status)
    text = _("You are set up and logged in. Next: connect the first charger.")
    response = done(request, "/stations/new", text)
    auth.carry(request, response, token)
    return response


def _begin(
    db: Database,
    owner: dict[str, str],
    tariff: Tariff | None,
    group: str,
    token: str,
    log_in: dict[str, str],
    now_ms: int,
) -> None:
    """The first owner, the first prices, the first log-in: all of it, or nothing."""
    operator = set_up_units.first_owner(db, **owner, now_ms=now_ms)
    if tariff is not None:
        set_up_units.open_prices(db, operator, tariff, group, now_ms)
    log_ins.log_in(db, operator, token, **log_in, now_ms=now_ms)


def _prices(request: web.Request, form: Form) -> Tariff | None:
    """The tariff that the form asks for; None where the price is left for later."""
    fields = {name: form.text(name) for name in ("energy_minor_per_kwh", "tax_percent")}
    if not fields["energy_minor_per_kwh"]:
        return None
    return read_tariff(Form({"name": _("Standard"), **fields}), currency_of(request))


def _page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    return render(request, "operators/setup.html", SetupPage(form), status=status)


PAGE = Page(routes=[web.get("/setup", show), web.post("/setup", set_up)])
