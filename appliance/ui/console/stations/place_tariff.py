"""Which tariff holds at a charger and at each of its connectors: the page, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import place_tariffs as rows
from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.place_tariffs import WHOLE
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.services import place_tariffs
from appliance.ui.console.stations.common import station_of, station_path
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render
from appliance.ui.writing.formats import Formats


@dataclass(frozen=True, slots=True)
class PlaceTariffPage:
    """A choice for the charger, and one for each connector where it has several."""

    station: Station
    evses: list[int]
    options: list[tuple[str, str]]
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/tariff`."""
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/tariff`."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    try:
        await console.store.write(_store, station, form, asked_by(request))
    except Changed as changed:
        return await _page(request, edits.again(changed), status=changed.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), status=refusal.status)
    return done(request, station_path(station), _("Saved. It counts for sessions that begin from now on."))


async def _page(request: web.Request, form: Form | None = None, status: int = 200) -> web.Response:
    console, station = request.app[CONSOLE], await station_of(request)
    filled, current = await console.store.read(_known, station)
    options = [("", _("that of the group that pays"))]
    options += [(str(row.tariff.id), row.tariff.name) for row in current if not row.waits(console.clock())]
    page = PlaceTariffPage(station, evses_of(station), options, form or edits.filled(filled))
    return render(request, "stations/place_tariff.html", page, status=status)


def evses_of(station: Station) -> list[int]:
    """Those that can have a tariff of their own: where there is but one, it is the charger's."""
    evses = sorted({one.evse for one in station.connectors})
    return evses if len(evses) > 1 else []


def _known(db: Readable, station: Station) -> tuple[dict[str, str], list[tariffs.TariffRow]]:
    return _words(db, station), tariffs.current(db)


def _words(db: Readable, station: Station) -> dict[str, str]:
    places = rows.all_of(db)
    return {field(evse): str(places.get((station.id, evse), "")) for evse in (WHOLE, *evses_of(station))}


def tariffs_here(db: Readable, station: Station) -> list[tuple[int, str]]:
    """By EVSE, or for the whole charger, the name of the tariff that holds there; a read query."""
    found = []
    for evse in (WHOLE, *evses_of(station)):
        tariff = tariffs.find(db, rows.all_of(db).get((station.id, evse)))
        if tariff is not None:
            found.append((evse, tariff.name))
    return found


def in_words(here: list[tuple[int, str]], fmt: Formats) -> list[tuple[str, str]]:
    """Where, and its name."""
    return [(_("Connector {number}").format(number=fmt.number(evse)) if evse else "", name) for evse, name in here]


def field(evse: int) -> str:
    """The field of an EVSE, or of the charger."""
    return f"tariff-{evse}"


def _store(db: Database, station: Station, form: Form, by: By) -> None:
    """A unit: as the form says, if it showed how things stand."""
    said = edits.merged(form, _words(db, station))
    for evse in (WHOLE, *evses_of(station)):
        text = said.text(field(evse))
        place_tariffs.put(db, station.id, evse, int(text) if text.isdecimal() else None, by)


PAGE = Page(
    routes=[web.get("/stations/{identity}/tariff", show), web.post("/stations/{identity}/tariff", change)],
)
