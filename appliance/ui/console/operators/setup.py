"""The very first page of a site: with a one-time code its first owner is set up."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators as rows
from appliance.domain.errors import Refusal
from appliance.domain.roles import Role
from appliance.services.operators import operators
from appliance.services.operators import set_up as set_up_units
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame import auth
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import LANGUAGES
from appliance.ui.frame.render import render

ADDRESS_ONLY = "setup"


@dataclass(frozen=True, slots=True)
class SetupPage:
    """The form, and what makes browsers trust this box."""

    form: Form
    ca_fingerprint: str


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
    try:
        await console.store.read(set_up_units.check_not_set_up)
        await auth.check_new_password(request, form.value("password"), form.text("login"), form.text("name"))
        await console.store.read(
            operators.check_new, login=form.value("login"), name=form.value("name"), role=Role.OWNER
        )
        guard.attempt(ADDRESS_ONLY, address, now_ms)
        await console.store.read(set_up_units.check_setup_code, form.value("code"), now_ms)
        guard.succeeded(ADDRESS_ONLY, address)
        password_hash = await request.app[auth.HASHING].hash(form.value("password"))
        await console.store.write(
            set_up_units.first_owner,
            code=form.value("code"),
            login=form.value("login"),
            name=form.value("name"),
            password_hash=password_hash,
            language=language,
            now_ms=now_ms,
        )
    except Refusal as refusal:
        return _page(request, form.refused(refusal), refusal.status)
    return web.Response(status=303, headers={"Location": f"/login?ready&next=/stations/new&lang={language}"})


def _page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    root = request.app[CONSOLE].certificates.browsers()
    page = SetupPage(form, root.fingerprint if root is not None else "")
    return render(request, "operators/setup.html", page, status=status)


PAGE = Page(routes=[web.get("/setup", show), web.post("/setup", set_up)])
