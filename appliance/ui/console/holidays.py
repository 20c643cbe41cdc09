"""The holidays of the site: one list, typed or copied for a year, by which lines of tariffs go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from appliance.db import holidays as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.calendar import day_of
from appliance.domain.errors import Invalid, Refusal
from appliance.services import holidays
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render


@dataclass(frozen=True, slots=True)
class HolidaysPage:
    """The list as a text, and the form that copies a year into it."""

    form: Form
    copying: Form
    copied: int
    """How many were copied just now; they are not saved yet."""


async def show(request: web.Request) -> web.Response:
    """`GET /settings/holidays`, with `country`, `subdivision` and `year`: these days are in the list, which is not saved yet."""
    console = request.app[CONSOLE]
    settings = console.settings()
    asked = {
        "country": request.query.get("country", settings.country).strip()[:2],
        "subdivision": request.query.get("subdivision", settings.subdivision).strip()[:10],
        "year": request.query.get("year", day_of(console.clock(), console.site.zone)[:4]).strip()[:4],
    }
    known = await console.store.read(rows.current)
    form, copying = edits.filled(_values(known)), Form(asked)
    if "year" not in request.query:
        return render(request, "settings/holidays.html", HolidaysPage(form, copying, 0))
    year = read_number(asked["year"]) or 0
    try:
        # The package reads files, and takes its time the first time.
        offered = await asyncio.to_thread(holidays.offered, asked["country"], asked["subdivision"], year)
    except Invalid as invalid:
        page = HolidaysPage(form, copying.refused(invalid), 0)
        return render(request, "settings/holidays.html", page, status=invalid.status)
    days = holidays.written(holidays.with_year(known, offered, year))
    form = Form({**form.values, "days": days})  # What it shows as standing is what stands.
    return render(request, "settings/holidays.html", HolidaysPage(form, copying, len(offered)))


async def change(request: web.Request) -> web.Response:
    """`POST /settings/holidays`."""
    console, form = request.app[CONSOLE], await read_form(request)
    settings = console.settings()
    copying = Form({"country": settings.country, "subdivision": settings.subdivision, "year": ""})
    try:
        await console.store.write(_store, form, asked_by(request))
    except Changed as changed:
        page = HolidaysPage(edits.again(changed), copying, 0)
        return render(request, "settings/holidays.html", page, status=changed.status)
    except Refusal as refusal:
        page = HolidaysPage(form.refused(refusal), copying, 0)
        return render(request, "settings/holidays.html", page, status=refusal.status)
    return done(request, "/settings/holidays", _("Saved. It counts for sessions that begin from now on."))


def _values(days: list[rows.Holiday]) -> dict[str, str]:
    return {"days": holidays.written(days)}


def _store(db: Database, form: Form, by: By) -> None:
    """A unit: the list as it was typed, if the form showed how things stand."""
    edits.need_unchanged(form, _values(_current(db)))
    holidays.change(db, holidays.read(form.text("days")), by)


def _current(db: Readable) -> list[rows.Holiday]:
    return rows.current(db)


PAGE = Page(routes=[web.get("/settings/holidays", show), web.post("/settings/holidays", change)])
