"""Cards: the list, a new one for a person, one card's page; block, unblock, replace."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from aiohttp import web

from appliance.db import directory, history, people
from appliance.db.directory import Cards
from appliance.db.people import Card, Person
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import CardId, PersonId
from appliance.services import enrolment
from appliance.ui.console.wallet import number_of
from appliance.ui.context import CONSOLE, Page, principal
from appliance.ui.days import read_day
from appliance.ui.forms import Form, read_form
from appliance.ui.language import N_, _
from appliance.ui.listing import Paging, order_of, page_of
from appliance.ui.render import done, render

ROWS_AT_ONCE = 100
SESSIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ListPage:
    """All cards, or those who were searched for."""

    cards: Cards
    text: str
    blocked: bool
    order: str
    paging: Paging


@dataclass(frozen=True, slots=True)
class NewPage:
    """A card for somebody."""

    person: Person
    form: Form


@dataclass(frozen=True, slots=True)
class CardPage:
    """One card."""

    card: Card
    form: Form
    expires: str
    """The last day on which it charges; "" for ever."""
    replaced_by: Card | None
    sessions: list[history.Session]


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before it is blocked or replaced."""

    card: Card
    form: Form


async def show_list(request: web.Request) -> web.Response:
    """`GET /cards?q=&blocked=&order=&page=`."""
    text, blocked = request.query.get("q", "")[:100], request.query.get("blocked") == "1"
    order, number = order_of(request, directory.CARD_ORDERS, "newest"), page_of(request)
    found = await request.app[CONSOLE].store.read(
        directory.cards, text=text, blocked=blocked, order=order, offset=(number - 1) * ROWS_AT_ONCE, limit=ROWS_AT_ONCE
    )
    paging = Paging.of(request, number, found.count, ROWS_AT_ONCE)
    return render(request, "cards/list.html", ListPage(found, text, blocked, order, paging))


async def show_new(request: web.Request) -> web.Response:
    """`GET /cards/new?person=&uid=`."""
    return await _new_page(request, Form({"uid": request.query.get("uid", "")[:255]}), request.query.get("person", ""))


async def add(request: web.Request) -> web.Response:
    """`POST /cards/new`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        person = PersonId(form.number("person"))
        card = await console.store.write(
            enrolment.add_card,
            form.text("uid"),
            person,
            principal(request).actor,
            console.clock(),
            label=form.text("label"),
            transactions_max=form.number("transactions_max") if form.text("transactions_max") else 1,
            expires_at_ms=_expires(request, form),
        )
    except Refusal as refusal:
        return await _new_page(request, form.refused(refusal), form.text("person"), refusal.status)
    found = await console.store.read(enrolment.need_card, card)
    return done(request, f"/people/{person}", _("{name} has a new card.").format(name=found.person))


async def show(request: web.Request) -> web.Response:
    """`GET /cards/{card}`."""
    return await _card_page(request, Form())


async def change(request: web.Request) -> web.Response:
    """`POST /cards/{card}`: what is printed on it, how many sessions at once, until when."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    try:
        await console.store.write(
            enrolment.change_card,
            card,
            principal(request).actor,
            console.clock(),
            label=form.text("label"),
            transactions_max=form.number("transactions_max"),
            expires_at_ms=_expires(request, form),
        )
    except Refusal as refusal:
        return await _card_page(request, form.refused(refusal), refusal.status)
    return done(request, f"/cards/{card}", _("Saved."))


async def show_block(request: web.Request) -> web.Response:
    """`GET /cards/{card}/block`."""
    return await _ask(request, "cards/block.html", Form())


async def block(request: web.Request) -> web.Response:
    """`POST /cards/{card}/block`."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    try:
        await console.store.write(
            enrolment.block_card, card, form.text("reason"), principal(request).actor, console.clock()
        )
    except Refusal as refusal:
        return await _ask(request, "cards/block.html", form.refused(refusal), refusal.status)
    found = await console.store.read(enrolment.need_card, card)
    return done(request, f"/people/{found.person_id}", _("The card is blocked; it charges nowhere."))


async def unblock(request: web.Request) -> web.Response:
    """`POST /cards/{card}/unblock`."""
    console, card = request.app[CONSOLE], CardId(number_of(request, "card"))
    await console.store.write(enrolment.unblock_card, card, principal(request).actor, console.clock())
    found = await console.store.read(enrolment.need_card, card)
    return done(request, f"/people/{found.person_id}", _("The card charges again."))


async def show_replace(request: web.Request) -> web.Response:
    """`GET /cards/{card}/replace`."""
    return await _ask(request, "cards/replace.html", Form())


async def replace(request: web.Request) -> web.Response:
    """`POST /cards/{card}/replace`: the money stays with the person."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    try:
        await console.store.write(
            enrolment.replace_card, card, form.text("uid"), principal(request).actor, console.clock()
        )
    except Refusal as refusal:
        return await _ask(request, "cards/replace.html", form.refused(refusal), refusal.status)
    found = await console.store.read(enrolment.need_card, card)
    return done(
        request,
        f"/people/{found.person_id}",
        _("{name} has a new card; the old one is blocked.").format(name=found.person),
    )


def _expires(request: web.Request, form: Form) -> int | None:
    """The end of the last day on which the card charges, as a form has it; None: for ever."""
    if not form.text("expires"):
        return None
    day = read_day(form.text("expires"))
    if day is None:
        raise Invalid("expires", N_("This is no day."), N_("Write it as year-month-day."))
    return day_bounds(day, request.app[CONSOLE].site.zone)[1]


async def _new_page(request: web.Request, form: Form, person: str, status: int = 200) -> web.Response:
    if not (person.isascii() and person.isdecimal() and len(person) < 17):
        raise web.HTTPNotFound
    found = await request.app[CONSOLE].store.read(enrolment.need_person, PersonId(int(person)))
    return render(request, "cards/new.html", NewPage(found, form), status=status)


async def _card_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    found, successor, sessions = await request.app[CONSOLE].store.read(_shown, CardId(number_of(request, "card")))
    expires = "" if found.expires_at_ms is None else day_of(found.expires_at_ms - 1, request.app[CONSOLE].site.zone)
    return render(request, "cards/card.html", CardPage(found, form, expires, successor, sessions), status=status)


async def _ask(request: web.Request, template: str, form: Form, status: int = 200) -> web.Response:
    found = await request.app[CONSOLE].store.read(enrolment.need_card, CardId(number_of(request, "card")))
    return render(request, template, AskPage(found, form), status=status)


def _shown(db: sqlite3.Connection, card: CardId) -> tuple[Card, Card | None, list[history.Session]]:
    found = enrolment.need_card(db, card)
    successor = people.find_card(db, found.replaced_by) if found.replaced_by is not None else None
    return found, successor, history.page(db, history.Filter(card=card), limit=SESSIONS_SHOWN)


PAGE = Page(
    routes=[
        web.get("/cards", show_list),
        web.get("/cards/new", show_new),
        web.post("/cards/new", add),
        web.get("/cards/{card}", show),
        web.post("/cards/{card}", change),
        web.get("/cards/{card}/block", show_block),
        web.post("/cards/{card}/block", block),
        web.post("/cards/{card}/unblock", unblock),
        web.get("/cards/{card}/replace", show_replace),
        web.post("/cards/{card}/replace", replace),
    ]
)
