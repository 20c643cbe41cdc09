"""The PIN of a holder's page, as the staff set it. What it guards is on the drivers' listener."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards.cards import Card
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import CardId
from appliance.services.cards import cards, pin
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render
from appliance.ui.wording.card_desk import card_number


@dataclass(frozen=True, slots=True)
class PinPage:
    """A new PIN."""

    card: Card
    number: str
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /cards/{card}/pin`."""
    return await _page(request, Form())


async def change(request: web.Request) -> web.Response:
    """`POST /cards/{card}/pin`: a new one, instead of the one there was."""
    console, form = request.app[CONSOLE], await read_form(request)
    card = CardId(number_of(request, "card"))
    await console.store.read(cards.need, card)
    try:
        pin_hash = await asyncio.to_thread(pin.hash_pin, pin.check_pin(form.text("pin")))
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    await console.store.write(pin.set_pin, card, pin_hash, asked_by(request))
    return done(request, f"/cards/{card}", _("The holder's page asks for the PIN from now on."))


async def remove(request: web.Request) -> web.Response:
    """`POST /cards/{card}/pin/remove`."""
    console, card = request.app[CONSOLE], CardId(number_of(request, "card"))
    await console.store.write(pin.set_pin, card, "", asked_by(request))
    return done(request, f"/cards/{card}", _("The holder's page asks for no PIN any more."))


async def _page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    card = await request.app[CONSOLE].store.read(cards.need, CardId(number_of(request, "card")))
    return render(request, "cards/pin.html", PinPage(card, card_number(card.number), form), status=status)


PAGE = Page(
    routes=[
        web.get("/cards/{card}/pin", show),
        web.post("/cards/{card}/pin", change),
        web.post("/cards/{card}/pin/remove", remove),
    ]
)
