"""The demo's hardware that nobody needs to have: a drawer of cards, a reader to lay them on, and stations to hold them to.

The page exists only where the site has such a reader; neither the card desk nor the board knows the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.stations import stations
from appliance.domain.cards.tag import ReaderStatus
from appliance.domain.errors import NotFound
from appliance.services.announce import Announcement, DeskChanged, SessionChanged, StationChanged
from appliance.services.ports.demo import DemoCard, DemoConnector, DemoReader
from appliance.ui.forms.forms import Form, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page
from appliance.ui.frame.desks import all_desks
from appliance.ui.frame.language import N_
from appliance.ui.frame.render import render, render_part

KINDS = ("NTAG213", "NTAG216", "NTAG 424 DNA", "MIFARE Classic", "Telephone")
"""What comes out of the box."""
PATH = "/demo/reader"
SAID = {
    "Accepted": N_("Card accepted. The car charges."),
    "Stopped": N_("Thank you! Charging has ended."),
    "Blocked": N_("Refused: the card is blocked, a limit is reached, or the money does not suffice."),
    "Invalid": N_("Refused: nobody knows this card."),
    "Expired": N_("Refused: the card has expired."),
    "ConcurrentTx": N_("Refused: the card is charging elsewhere."),
    "Occupied": N_("In use. Try another place."),
    "Reserved": N_("Reserved for somebody else."),
    "Unavailable": N_("Out of service."),
    "offline": N_("No connection to the server."),
}
"""What stands on a charger's display after a card was held to it."""


@dataclass(frozen=True, slots=True)
class Charger:
    """A charging place, and what its display says."""

    id: str
    """`HALL-1/2`: the station and the EVSE."""
    name: str
    evse: int
    """Its number, where the station has several; 0 where it has one."""
    state: str
    """See `DemoConnector`."""
    energy_wh: int
    said: str
    card: int
    """Which one of the drawer would be held to it, if nobody chooses another."""


@dataclass(frozen=True, slots=True)
class DemoPage:
    """The drawer, the reader and the chargers."""

    cards: list[DemoCard]
    lying: DemoCard | None
    plugged: bool
    kinds: tuple[str, ...]
    chargers: list[Charger]


async def show(request: web.Request) -> web.Response:
    """`GET /demo/reader`."""
    console = request.app[CONSOLE]
    return render(request, "demo/demo.html", await _page(console, _reader(console)))


async def move(request: web.Request) -> web.Response:
    """`POST /demo/reader/{what}`: `lay`, `tear` (with a card), `take`, `plug`, `unplug`, `new` (with a kind)."""
    reader, form, what = _reader(request.app[CONSOLE]), await read_form(request), request.match_info["what"]
    try:
        # The simulated chip may be in the middle of an answer, and whoever touches its cards waits for that.
        await asyncio.to_thread(_move, reader, what, form)
    except KeyError:
        raise NotFound(N_("There is no such card.")) from None
    return web.Response(status=303, headers={"Location": PATH})


async def hold(request: web.Request) -> web.Response:
    """`POST /demo/reader/hold` with `card` and `place`: a driver holds a card to a charger."""
    console, form = request.app[CONSOLE], await read_form(request)
    reader = _reader(console)
    station, _slash, evse = form.text("place").rpartition("/")
    uid = {card.id: card.uid for card in await asyncio.to_thread(reader.cards)}.get(form.number("card"))
    if uid is None:
        raise NotFound(N_("There is no such card."))
    try:
        number = read_number(evse)
        if console.demo_chargers is None or number is None:
            raise KeyError(station)
        await console.demo_chargers.hold(uid, station, number)
    except KeyError:
        raise NotFound(N_("There is no such charger.")) from None
    return web.Response(status=303, headers={"Location": PATH + "#chargers"})


async def fragments(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The reader, the drawer and the chargers."""
    if console.demo_reader is None:
        return {}
    page = await _page(console, console.demo_reader)
    return {"demo-page": render_part(console, role, "demo/_demo.html", page=page)}


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether another card lies there, or something is new at a charger."""
    return isinstance(announcement, DeskChanged | SessionChanged | StationChanged)


def _reader(console: Console) -> DemoReader:
    if console.demo_reader is None:
        raise NotFound(N_("Only the demo has a simulated reader."))
    return console.demo_reader


def _move(reader: DemoReader, what: str, form: Form) -> None:
    match what:
        case "lay":
            reader.lay(form.number("card"))
        case "tear":
            reader.tear(form.number("card"))
        case "take":
            reader.take()
        case "plug" | "unplug":
            reader.set_plugged(what == "plug")
        case "new" if form.text("kind") in KINDS:
            reader.lay(reader.new_card(form.text("kind")).id)
        case _:
            raise NotFound(N_("There is no such page."))


async def _page(console: Console, reader: DemoReader) -> DemoPage:
    cards = await asyncio.to_thread(reader.cards)
    lying = next((card for card in cards if card.on_reader), None)
    # The port does not tell whether the lead is in; the desk behind it does.
    plugged = any(desk.reader.status is ReaderStatus.READY for desk in all_desks(console))
    places = console.demo_chargers.connectors() if console.demo_chargers is not None else []
    named = {known.identity: known for known in (await console.store.read(stations.names)).values()}
    chargers = [_charger(place, named.get(place.station), cards, lying) for place in places]
    return DemoPage(cards, lying, plugged, KINDS, chargers)


def _charger(
    place: DemoConnector, named: stations.Named | None, cards: list[DemoCard], lying: DemoCard | None
) -> Charger:
    name = named.name if named is not None and named.name else place.station
    several = named is not None and named.evses > 1
    held = next((card for card in cards if card.uid == place.card), None)
    likely = held or lying or next(iter(cards), None)
    return Charger(
        id=f"{place.station}/{place.evse}",
        name=name,
        evse=place.evse if several else 0,
        state=place.state,
        energy_wh=place.energy_wh,
        said=SAID.get(place.said, place.said),
        card=likely.id if likely is not None else 0,
    )


PAGE = Page(
    routes=[web.get(PATH, show), web.post(PATH + "/hold", hold), web.post(PATH + "/{what}", move)],
    live=[LiveView("demo", PATH, concerns, fragments)],
)
