"""The list of tariffs; one becomes the default, or goes out of use. Prices are without tax, unless a tariff has it in them."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.domain.errors import Refusal
from appliance.services import tariffs
from appliance.ui.console.tariffs import views
from appliance.ui.console.tariffs.views import TariffView
from appliance.ui.forms.forms import Form, number_of
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, formats_of, render


@dataclass(frozen=True, slots=True)
class ListPage:
    """All that are in use."""

    tariffs: list[TariffView]


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before it becomes the default or goes out of use."""

    shown: TariffView
    default: str
    form: Form


async def show_list(request: web.Request) -> web.Response:
    """`GET /tariffs`."""
    facts = await request.app[CONSOLE].store.read(views.read_all)
    return render(request, "tariffs/list.html", ListPage(views.in_list(facts, formats_of(request))))


async def show_default(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}/default`."""
    return await _ask(request, "tariffs/default.html", Form())


async def make_default(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}/default`."""
    console = request.app[CONSOLE]
    await console.store.write(tariffs.make_default, number_of(request, "tariff"), asked_by(request))
    return done(request, "/tariffs", _("It holds for all groups without a tariff of their own."))


async def show_archive(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}/archive`."""
    return await _ask(request, "tariffs/archive.html", Form())


async def archive(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}/archive`."""
    console = request.app[CONSOLE]
    try:
        await console.store.write(tariffs.archive, number_of(request, "tariff"), asked_by(request))
    except Refusal as refusal:
        return await _ask(request, "tariffs/archive.html", Form().refused(refusal), refusal.status)
    return done(request, "/tariffs", _("The tariff is out of use; sessions that began with it keep it."))


async def _ask(request: web.Request, template: str, form: Form, status: int = 200) -> web.Response:
    found = await request.app[CONSOLE].store.read(views.read_one, number_of(request, "tariff"))
    default = next((row.tariff.name for row in found.facts.current if row.is_default), "")
    shown = views.view(found.row, found.facts, formats_of(request))
    return render(request, template, AskPage(shown, default, form), status=status)


PAGE = Page(
    routes=[
        web.get("/tariffs", show_list),
        web.get("/tariffs/{tariff}/default", show_default),
        web.post("/tariffs/{tariff}/default", make_default),
        web.get("/tariffs/{tariff}/archive", show_archive),
        web.post("/tariffs/{tariff}/archive", archive),
    ]
)
