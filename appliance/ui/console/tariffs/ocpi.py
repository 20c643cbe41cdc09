"""A tariff as a file: the Tariff object of OCPI 2.2.1, out and in. What a file says is shown in the editor before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson
from aiohttp import hdrs, web

from appliance.domain.errors import Invalid, Refusal
from appliance.domain.tariff import Tariff
from appliance.domain.units import parse_rfc3339
from appliance.services import tariffs
from appliance.ui.api.checks import Unreadable, object_of, validator
from appliance.ui.api.ocpi_tariffs import OCPI_TARIFF, in_its_words, name_of, read_from_ocpi
from appliance.ui.api.tariffs import in_ocpi
from appliance.ui.console.people.importing import read_file
from appliance.ui.console.tariffs import line_form, views
from appliance.ui.console.tariffs.editor import page_of_import
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.forms import Form, number_of
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.writing.formats import sentences

FILE_BYTES_MAX = 64 * 1024
CHECK = validator(OCPI_TARIFF.schema)


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Which file, and what was wrong with the one before."""

    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /tariffs/import`."""
    return render(request, "tariffs/import.html", ImportPage(Form()))


async def read(request: web.Request) -> web.Response:
    """`POST /tariffs/import`: the editor, filled with what the file says."""
    console = request.app[CONSOLE]
    try:
        _name, content = await read_file(request, N_("Choose the file of a tariff, then press the button."))
        form = _form_of(request, content)
    except Refusal as refusal:
        where = refusal.field if isinstance(refusal, Invalid) else ""
        said = " ".join(filter(None, [*sentences(refusal), where and _("In the file: {path}.").format(path=where)]))
        return render(request, "tariffs/import.html", ImportPage(Form().wrong("file", said)), status=refusal.status)
    return page_of_import(request, await console.store.read(views.read_all), form)


async def write(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}/ocpi.json`; a line that OCPI cannot say is named on the page of the tariff."""
    console, number = request.app[CONSOLE], number_of(request, "tariff")
    found = await console.store.read(views.read_one, number)
    try:
        body = in_ocpi(found.row, console.site)
    except Invalid as refusal:
        return done(request, f"/tariffs/{number}", " ".join(filter(None, sentences(refusal))), "failed")
    headers = {hdrs.CONTENT_DISPOSITION: f'attachment; filename="tariff-{number}.json"'}
    return web.Response(
        body=orjson.dumps(body, option=orjson.OPT_INDENT_2), content_type="application/json", headers=headers
    )


def _form_of(request: web.Request, content: bytes) -> Form:
    """The form of the lines that a file says.

    Raises:
        Unreadable, Invalid: It says none, or what lines cannot say; the field is its path in the file.
    """
    if len(content) > FILE_BYTES_MAX:
        raise Unreadable(N_("This file is longer than any tariff."))
    site, currency = request.app[CONSOLE].site, currency_of(request)
    body = object_of(content, OCPI_TARIFF.schema, CHECK)
    if body["currency"] != site.currency:
        raise Invalid(
            "currency", N_("Its currency is {theirs}, and that of this site is {ours}."), theirs=body["currency"][:3],
            ours=site.currency,
        )  # fmt: skip
    terms, name = read_from_ocpi(body, site.exponent), name_of(body)
    in_its_words(partial(tariffs.check, Tariff(0, name, terms=terms)), body)
    begin_ms = parse_rfc3339(body["start_date_time"]) if "start_date_time" in body else None
    begins = {}
    if begin_ms is not None and begin_ms > request.app[CONSOLE].clock():
        local = datetime.fromtimestamp(begin_ms / 1000, site.zone)
        begins = {"from_day": f"{local:%Y-%m-%d}", "from_clock": f"{local:%H:%M}"}
    return Form({**line_form.form_of(name, terms, currency).values, **begins})


PAGE = Page(
    routes=[
        web.get("/tariffs/import", show),
        web.post("/tariffs/import", read),
        web.get("/tariffs/{tariff}/ocpi.json", write),
    ]
)
