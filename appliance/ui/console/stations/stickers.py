"""The stickers of all connectors, as a sheet to print: the picture that a phone scans, and the same in letters beneath it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from appliance.db.engine.protocols import Readable
from appliance.db.stations.stations import Station
from appliance.domain.order import natural
from appliance.services.stations import qr_codes
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.render import formats_of, render
from appliance.ui.writing.formats import Formats
from appliance.ui.writing.qr import qr_code

CODE_GROUP = 4
"""So many letters people read at a glance."""


@dataclass(frozen=True, slots=True)
class Sticker:
    """One sticker: of an EVSE."""

    name: str
    address: str
    code: str
    """As it is printed: two groups of capitals."""
    picture: Markup


@dataclass(frozen=True, slots=True)
class SheetPage:
    """All stickers, or those of one station."""

    stickers: list[Sticker]
    station: str
    """Its name; "" for all."""
    start: str
    """Where the code can be typed; "" where no pages for drivers are served."""


async def show(request: web.Request) -> web.Response:
    """`GET /stickers?station=CS-07`."""
    console, identity = request.app[CONSOLE], request.query.get("station", "")
    found = await console.store.read(_coded, identity)
    if identity and not found:
        raise web.HTTPNotFound
    start = next(iter(console.addresses.drivers), "")
    fmt = formats_of(request)
    stickers = await asyncio.to_thread(_drawn, found, start, fmt) if start else []
    page = SheetPage(stickers, found[0][0].name if identity else "", start)
    return render(request, "stations/stickers.html", page)


def printed(code: str) -> str:
    """A code as it stands on a sticker."""
    return f"{code[:CODE_GROUP]} {code[CODE_GROUP:]}".upper()


def _coded(db: Readable, identity: str) -> list[tuple[Station, dict[int, str]]]:
    return [(station, codes) for station, codes in qr_codes.all_codes(db) if identity in ("", station.identity)]


def _drawn(found: list[tuple[Station, dict[int, str]]], start: str, fmt: Formats) -> list[Sticker]:
    return [
        Sticker(
            f"{station.name} · {fmt.number(evse)}" if len(codes) > 1 else station.name,
            f"{start}c/{code}",
            printed(code),
            qr_code(f"{start}c/{code}"),
        )
        for station, codes in sorted(found, key=lambda one: natural(one[0].name))
        for evse, code in codes.items()
    ]


PAGE = Page(routes=[web.get("/stickers", show)])
