"""The demo's reader without hardware: a drawer of cards to lay on it, to take off, and to pull away at the worst moment.

The page exists only where the site has such a reader; the card desk beside it does not know the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.domain.errors import NotFound
from appliance.domain.tag import ReaderStatus
from appliance.services.announce import Announcement, DeskChanged
from appliance.services.ports import ToyCard, ToyReader
from appliance.ui.context import CONSOLE, Console, Page
from appliance.ui.desks import all_desks
from appliance.ui.forms import Form, read_form
from appliance.ui.language import N_
from appliance.ui.live import Fragments, LiveView
from appliance.ui.render import render, render_part

KINDS = ("NTAG213", "NTAG216", "NTAG 424 DNA", "MIFARE Classic", "Telephone")
"""What comes out of the box."""
PATH = "/demo/reader"


@dataclass(frozen=True, slots=True)
class ToyPage:
    """The drawer and the reader."""

    cards: list[ToyCard]
    lying: ToyCard | None
    plugged: bool
    kinds: tuple[str, ...]


async def show(request: web.Request) -> web.Response:
    """`GET /demo/reader`."""
    console = request.app[CONSOLE]
    return render(request, "toy/toy.html", await _page(console, _toy(console)))


async def move(request: web.Request) -> web.Response:
    """`POST /demo/reader/{what}`: `lay`, `tear` (with a card), `take`, `plug`, `unplug`, `new` (with a kind)."""
    toy, form, what = _toy(request.app[CONSOLE]), await read_form(request), request.match_info["what"]
    try:
        # The simulated chip may be in the middle of an answer, and whoever touches its cards waits for that.
        await asyncio.to_thread(_move, toy, what, form)
    except KeyError:
        raise NotFound(N_("There is no such card.")) from None
    return web.Response(status=303, headers={"Location": PATH})


async def fragments(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The reader and the drawer."""
    if console.toy_reader is None:
        return {}
    page = await _page(console, console.toy_reader)
    return {"toy": render_part(console, role, "toy/_toy.html", page=page)}


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether another card lies there."""
    return isinstance(announcement, DeskChanged)


def _toy(console: Console) -> ToyReader:
    if console.toy_reader is None:
        raise NotFound(N_("Only the demo has a simulated reader."))
    return console.toy_reader


def _move(toy: ToyReader, what: str, form: Form) -> None:
    match what:
        case "lay":
            toy.lay(form.number("card"))
        case "tear":
            toy.tear(form.number("card"))
        case "take":
            toy.take()
        case "plug" | "unplug":
            toy.set_plugged(what == "plug")
        case "new" if form.text("kind") in KINDS:
            toy.lay(toy.new_card(form.text("kind")).id)
        case _:
            raise NotFound(N_("There is no such page."))


async def _page(console: Console, toy: ToyReader) -> ToyPage:
    cards = await asyncio.to_thread(toy.cards)
    # The port does not tell whether the lead is in; the desk behind it does.
    plugged = any(desk.reader.status is ReaderStatus.READY for desk in all_desks(console))
    return ToyPage(cards, next((card for card in cards if card.on_reader), None), plugged, KINDS)


PAGE = Page(
    routes=[web.get(PATH, show), web.post(PATH + "/{what}", move)],
    live=[LiveView("toy", PATH, concerns, fragments)],
)
