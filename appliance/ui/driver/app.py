"""The drivers' listener: what a phone shows after scanning a charger's sticker, and nothing of the console."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.domain.errors import Refusal
from appliance.services.stations import qr_codes
from appliance.services.stations.qr_codes import QrPlace
from appliance.ui.driver import card
from appliance.ui.driver.page import LOOKUPS, LOOKUPS_AT_ONCE, respond
from appliance.ui.forms.bodies import STRANGERS_BYTES_MAX
from appliance.ui.frame import files, language, security
from appliance.ui.frame.context import CONSOLE, Console
from appliance.ui.frame.render import formats_of
from appliance.ui.wording.driver import Answer, answer_of, prices, tax_words
from appliance.ui.wording.price_lines import Said
from appliance.ui.writing.formats import sentences

CODE_CHARS_MAX = 60


@dataclass(frozen=True, slots=True)
class PlacePage:
    """A connector, its price, and what to do here."""

    place: QrPlace
    answer: Answer
    prices: list[Said]
    tax: str


@dataclass(frozen=True, slots=True)
class WhichPage:
    """No connector: the field for the code under the picture, and what was wrong with the one that was given."""

    typed: str = ""
    unknown: bool = False


def create_drivers(console: Console) -> web.Application:
    """The application that the drivers' listener serves."""
    app = web.Application(middlewares=[speak, security.check_host], client_max_size=STRANGERS_BYTES_MAX)
    app[CONSOLE] = console
    app[LOOKUPS] = asyncio.Semaphore(LOOKUPS_AT_ONCE)
    app.router.add_get("/", start)
    app.router.add_get("/c", find)
    app.router.add_get("/c/{code}", show)
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
        return _which(request, WhichPage(), status=404)
    except Refusal as refusal:
        # What no phone sends: our own pages are told theirs by the view.
        return web.Response(status=refusal.status, text=" ".join(filter(None, sentences(refusal))) + "\n")


async def start(request: web.Request) -> web.Response:
    """No code: ask for it."""
    return _which(request, WhichPage())


async def find(request: web.Request) -> web.Response:
    """`GET /c?code=`: the code as somebody typed it, where a phone could not read the picture."""
    text = request.query.get("code", "")[:CODE_CHARS_MAX]
    code = qr_codes.typed(text)
    if not code:
        return _which(request, WhichPage())
    if await _place(request, code) is None:
        return _which(request, WhichPage(text.strip(), unknown=True), status=404)
    language_kept = f"?lang={quote(request.query['lang'])}" if "lang" in request.query else ""
    return web.Response(status=303, headers={"Location": f"/c/{quote(code)}{language_kept}"})


async def show(request: web.Request) -> web.Response:
    """The connector of a sticker."""
    code = request.match_info["code"][:CODE_CHARS_MAX]
    place = await _place(request, code)
    if place is None:
        return _which(request, WhichPage(code, unknown=True), status=404)
    console, fmt = request.app[CONSOLE], formats_of(request)
    answer = answer_of(place, offline=not console.stations.is_online(place.station))
    tariff = place.tariff
    page = PlacePage(
        place,
        answer,
        prices(tariff, fmt, console.clock(), place.holidays) if tariff else [],
        tax_words(tariff, fmt) if tariff else "",
    )
    return respond(request, "place.html", page=page)


async def _place(request: web.Request, code: str) -> QrPlace | None:
    async with request.app[LOOKUPS]:
        return await request.app[CONSOLE].store.read(qr_codes.find, code)


def _which(request: web.Request, page: WhichPage, status: int = 200) -> web.Response:
    query = f"?code={quote(page.typed)}" if request.path == "/c" and page.typed else ""
    return respond(request, "which.html", status, query=query, page=page)
