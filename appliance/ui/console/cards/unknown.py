"""Cards that nobody knows, as chargers were shown them: make one a card, say that it is one of ours, or dismiss it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.db.stations import stations
from appliance.domain.by import By
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.id_token import likeness
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.services.announce import Announcement, UnknownTagSeen
from appliance.services.cards import aliases, unknown
from appliance.services.cards import cards as card_units
from appliance.services.cards.unknown import TAGS_MAX, UnknownTag
from appliance.ui.forms.forms import Form, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.wording.card_desk import card_number
from appliance.ui.wording.cards import likeness_word

ROWS_AT_ONCE = 100
FOUND_MAX = 8
TOKEN_CHARS_MAX = 255


@dataclass(frozen=True, slots=True)
class Guess:
    """A card of ours that an unknown one may be."""

    card: Card
    number: str
    likeness: str


@dataclass(frozen=True, slots=True)
class Row:
    """One unknown card at one charger."""

    found: UnknownTag
    guesses: list[Guess]


@dataclass(frozen=True, slots=True)
class ListPage:
    """The list, shown last first."""

    rows: list[Row]
    station: int | None
    stations: list[tuple[int, str]]
    view: str


@dataclass(frozen=True, slots=True)
class MakePage:
    """Whose card it becomes."""

    token: str
    station: int
    place: str
    query: str
    people: list[Person]
    cards: list[Guess]
    """Cards of ours that it may be instead: those that were searched for, or are like it."""
    form: Form


@dataclass(frozen=True, slots=True)
class AliasPage:
    """Before it is said to be one of our cards."""

    token: str
    station: int
    place: str
    card: Card
    number: str
    likeness: str
    """In words; "" if nothing in the number says so."""
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /cards/unknown?station=`."""
    station = read_number(request.query.get("station", ""))
    found, places = await request.app[CONSOLE].store.read(_read_list, station)
    view = f"unknown-cards:{station or ''}".rstrip(":")
    return render(request, "cards/unknown.html", ListPage(found, station, places, view))


async def show_make(request: web.Request) -> web.Response:
    """`GET /cards/unknown/new?token=&station=&q=`."""
    token, station = _asked(request.query.get("token", ""), request.query.get("station", ""))
    return await _make_page(request, token, station, Form())


async def make(request: web.Request) -> web.Response:
    """`POST /cards/unknown/new`: a new card of `person`."""
    console, form = request.app[CONSOLE], await read_form(request)
    token, station = _asked(form.text("token"), form.text("station"))
    try:
        person = PersonId(form.number("person"))
        card = await console.store.write(card_units.add, token, person, asked_by(request))
    except Refusal as refusal:
        return await _make_page(request, token, station, form.refused(refusal), refusal.status)
    found = await console.store.read(card_units.need, card)
    return done(
        request,
        f"/cards/{card}",
        _("{name} has card {number}.").format(name=found.person, number=card_number(found.number)),
    )


async def show_alias(request: web.Request) -> web.Response:
    """`GET /cards/unknown/same?token=&station=&card=`."""
    token, station = _asked(request.query.get("token", ""), request.query.get("station", ""))
    return await _alias_page(request, token, station, request.query.get("card", ""), Form())


async def alias(request: web.Request) -> web.Response:
    """`POST /cards/unknown/same`: it is that card, read in another way."""
    console, form = request.app[CONSOLE], await read_form(request)
    token, station = _asked(form.text("token"), form.text("station"))
    card, by = _card(form.text("card")), asked_by(request)
    try:
        await console.store.write(_add_alias, token, station, card, by)
    except Refusal as refusal:
        return await _alias_page(request, token, station, form.text("card"), form.refused(refusal), refusal.status)
    return done(request, f"/cards/{card}", _("It is known now: whoever shows it charges on this card."))


async def dismiss(request: web.Request) -> web.Response:
    """`POST /cards/unknown/dismiss`: it is of no interest; shown again, it is back."""
    console, form = request.app[CONSOLE], await read_form(request)
    token, station = _asked(form.text("token"), form.text("station"))
    await console.store.write(unknown.dismiss, StationId(station), token, asked_by(request))
    return done(request, "/cards/unknown", _("Dismissed. If it is shown again, it is back."))


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """The list."""
    found, _places = await console.store.read(_read_list, read_number(parameter))
    return {"unknown-list": render_part(console, role, "cards/_unknown.html", rows=found)}


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether one was shown."""
    return isinstance(announcement, UnknownTagSeen)


def _add_alias(db: Database, token: str, station: int, card: CardId, by: By) -> None:
    aliases.add(db, token, card_units.need(db, card).id, by, station=StationId(station))


async def _make_page(request: web.Request, token: str, station: int, form: Form, status: int = 200) -> web.Response:
    text = request.query.get("q", "").strip()[:100]
    place, found, cards = await request.app[CONSOLE].store.read(_read_make, token, station, text)
    page = MakePage(token, station, place, text, found, cards, form)
    return render(request, "cards/unknown_new.html", page, status=status)


async def _alias_page(
    request: web.Request, token: str, station: int, card: str, form: Form, status: int = 200
) -> web.Response:
    place, found = await request.app[CONSOLE].store.read(_read_alias, station, _card(card))
    how = likeness(token, found.uid)
    page = AliasPage(
        token, station, place, found, card_number(found.number), likeness_word(how) if how is not None else "", form
    )
    return render(request, "cards/unknown_same.html", page, status=status)


def _read_list(db: Readable, station: int | None) -> tuple[list[Row], list[tuple[int, str]]]:
    shown = [
        one
        for offset in range(0, TAGS_MAX, ROWS_AT_ONCE)
        for one in unknown.page(db, station=StationId(station) if station else None, limit=ROWS_AT_ONCE, offset=offset)
    ]
    places = [(int(one.id), one.name or one.identity) for one in stations.all_stations(db)]
    return [Row(one, [_guess(each.card, each.likeness) for each in one.suggestions]) for one in shown], places


def _read_make(db: Readable, token: str, station: int, text: str) -> tuple[str, list[Person], list[Guess]]:
    place = _place(db, station)
    if not text:
        alike = [(card, how) for card in unknown.alike(db, [token]) if (how := likeness(token, card.uid))]
        return place, [], [_guess(card, how) for card, how in alike[:FOUND_MAX]]
    cards = people_search.cards(db, text=text, state="charging", limit=FOUND_MAX)
    return (
        place,
        people_search.people(db, text=text, limit=FOUND_MAX),
        [_guess(card, likeness(token, card.uid) or "") for card in cards],
    )


def _read_alias(db: Readable, station: int, card: CardId) -> tuple[str, Card]:
    return _place(db, station), card_units.need(db, card)


def _place(db: Readable, station: int) -> str:
    found = stations.names(db).get(station)
    return (found.name or found.identity) if found is not None else ""


def _guess(card: Card, how: str) -> Guess:
    return Guess(card, card_number(card.number), likeness_word(how))


def _asked(token: str, station: str) -> tuple[str, int]:
    """What a form or the address bar speaks of."""
    number = read_number(station)
    if not 0 < len(token) <= TOKEN_CHARS_MAX or number is None:
        raise NotFound(N_("This card is not on the list any more."))
    return token, number


def _card(text: str) -> CardId:
    number = read_number(text)
    if number is None:
        raise NotFound(N_("There is no such card."))
    return CardId(number)


PAGE = Page(
    routes=[
        web.get("/cards/unknown", show),
        web.get("/cards/unknown/new", show_make),
        web.post("/cards/unknown/new", make),
        web.get("/cards/unknown/same", show_alias),
        web.post("/cards/unknown/same", alias),
        web.post("/cards/unknown/dismiss", dismiss),
    ],
    live=[LiveView("unknown-cards", "/cards/unknown", concerns, fragments)],
)
