"""The drivers' listener: what a phone shows after scanning a charger's sticker, and nothing of the console."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.domain.errors import Refusal
from appliance.services.stations import qr_codes
from appliance.services.stations.qr_codes import QrPlace
from appliance.ui.driver import card
from appliance.ui.driver.page import respond
from appliance.ui.forms.bodies import STRANGERS_BYTES_MAX
from appliance.ui.frame import files, language, security
from appliance.ui.frame.context import CONSOLE, Console
from appliance.ui.wording.words import UNKNOWN, Status, status_of
from appliance.ui.writing.formats import sentences

CODE = "{code:[A-Za-z2-7]{8}}"
LOOKUPS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class PlacePage:
    """A connector, its price, and how to begin here."""

    place: QrPlace | None
    status: Status
    offline: bool


LOOKUPS = web.AppKey("lookups", asyncio.Semaphore)


def create_drivers(console: Console) -> web.Application:
    """The application that the drivers' listener serves."""
    app = web.Application(middlewares=[speak, security.check_host], client_max_size=STRANGERS_BYTES_MAX)
    app[CONSOLE] = console
    app[LOOKUPS] = asyncio.Semaphore(LOOKUPS_AT_ONCE)
    app.router.add_get("/", start)
    app.router.add_get(f"/c/{CODE}", show)
    card.install(app)
    files.add_files(app)
    app.on_response_prepare.append(security.add_headers)
    return app


@web.middleware
async def speak(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The phone's language, or the one that was chosen, or the site's."""
    site = request.app[CONSOLE].site
    wanted = request.query.get("lang") or language.preferred(request.headers.get("Accept-Language", ""))
    language.speak(wanted or site.language)
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return _page(request, PlacePage(None, UNKNOWN, offline=False), status=404)
    except Refusal as refusal:
        # What no phone sends: our own pages are told theirs by the view.
        return web.Response(status=refusal.status, text=" ".join(filter(None, sentences(refusal))) + "\n")


async def start(request: web.Request) -> web.Response:
    """No code: say where it is."""
    return _page(request, PlacePage(None, UNKNOWN, offline=False))


async def show(request: web.Request) -> web.Response:
    """The connector of a sticker."""
    console = request.app[CONSOLE]
    async with request.app[LOOKUPS]:
        place = await console.store.read(qr_codes.find, request.match_info["code"])
    if place is None:
        raise web.HTTPNotFound
    offline = not console.stations.is_online(place.station)
    return _page(request, PlacePage(place, _status(place), offline))


def _status(place: QrPlace) -> Status:
    """In our words; one of the vendor's own says nothing to a driver."""
    if not place.status:
        return UNKNOWN
    return status_of(place.status, place.charging_state, place.finer_status, runs=place.taken)


def _page(request: web.Request, page: PlacePage, status: int = 200) -> web.Response:
    return respond(request, "place.html", status, page=page)
