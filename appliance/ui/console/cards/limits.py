"""What one card may do at most: the form. What the limits mean and when they are kept is in services/cards/limits.py."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards import limits as rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.stations import stations
from appliance.db.stations.stations import Station
from appliance.domain.by import By
from appliance.domain.cards.limits import EVERY_DAY, MINUTES_PER_DAY, NO_LIMITS, Limits
from appliance.domain.digits import WESTERN
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import CardId
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.services.cards import cards
from appliance.services.cards import limits as service
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Page, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording.card_desk import card_number
from appliance.ui.wording.cards import clock, day_names

KWH = Currency("kWh", 3)
"""Energies are typed as amounts are: any digits, either decimal mark."""
PLACE = "station-"
"""How the fields of chargers begin."""
ENERGIES = ("session_energy_wh", "day_energy_wh", "month_energy_wh")
AMOUNTS = ("session_minor", "day_minor", "month_minor")
CLOCK = re.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)(?::00)?")


@dataclass(frozen=True, slots=True)
class LimitsPage:
    """The limits of a card as they are, or as they were typed."""

    card: Card
    number: str
    form: Form
    days: list[tuple[str, str, bool]]
    """Name of the field, word, whether the card charges on it."""
    places: list[tuple[str, str, bool]]
    """The same for the chargers."""
    any_place: bool


async def show(request: web.Request) -> web.Response:
    """`GET /cards/{card}/limits`."""
    return await _page(request, None)


async def change(request: web.Request) -> web.Response:
    """`POST /cards/{card}/limits`: all of them at once; what is left empty is no limit."""
    console, form = request.app[CONSOLE], await read_form(request)
    card = CardId(number_of(request, "card"))
    try:
        limits = await console.store.write(_store_change, card, form, currency_of(request), asked_by(request))
    except Changed as changed:
        return await _page(request, edits.again(changed), changed.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    sentence = _("The card has no limits.") if limits == NO_LIMITS else _("The limits are kept from now on.")
    return done(request, f"/cards/{card}", sentence)


def _store_change(db: Database, card: CardId, form: Form, currency: Currency, by: By) -> Limits:
    """A unit: what was changed in the form, and nothing else. The limits as they are then."""
    limits = read_limits(edits.merged(form, form_of(rows.find(db, card), currency).values), currency)
    service.change(db, card, limits, by)
    return limits


async def so_far_of(console: Console, card: CardId, limits: Limits, now_ms: int) -> service.SoFar | None:
    """What a card has used of its limits, as the decision at a charger counts it; None where nothing is counted."""
    if not service.is_counted(limits):
        return None
    return await console.store.write(service.so_far, card, now_ms)


def read_limits(form: Form, currency: Currency) -> Limits:
    """The limits of a form.

    Raises:
        Invalid: A field cannot be read.
    """
    energies = {name: parse_amount(form.text(name), KWH, name) for name in ENERGIES if form.text(name)}
    amounts = {name: parse_amount(form.text(name), currency, name) for name in AMOUNTS if form.text(name)}
    ticked = (read_number(name.removeprefix(PLACE)) for name in form.values if name.startswith(PLACE) and form.on(name))
    places = frozenset(number for number in ticked if number is not None)
    if form.text("where") == "some" and not places:
        raise Invalid("stations", N_("Choose at least one charger."), N_("Or let the card charge at all of them."))
    return Limits(
        **energies,
        **amounts,
        weekdays=sum(1 << day for day in range(7) if form.on(f"day-{day}")),
        from_minute=read_clock(form, "from_minute", 0) % MINUTES_PER_DAY,
        until_minute=read_clock(form, "until_minute", MINUTES_PER_DAY) or MINUTES_PER_DAY,
        stations=places if form.text("where") == "some" else frozenset(),
    )


def read_clock(form: Form, name: str, empty: int) -> int:
    """A time of the day in minutes; `empty` for none.

    Raises:
        Invalid: It is none.
    """
    text = form.text(name).translate(WESTERN)
    if not text:
        return empty
    found = CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else MINUTES_PER_DAY + 1
    if minute > MINUTES_PER_DAY:
        raise Invalid(name, N_("This is no time of the day."), N_("Write it as hours and minutes, such as 18:30."))
    return minute


def form_of(limits: Limits, currency: Currency) -> Form:
    """The limits as the form shows them."""
    values = {
        name: format_amount(getattr(limits, name), KWH).rstrip("0").rstrip(".")
        for name in ENERGIES
        if getattr(limits, name) is not None
    }
    values |= {
        name: format_amount(getattr(limits, name), currency) for name in AMOUNTS if getattr(limits, name) is not None
    }
    if (limits.from_minute, limits.until_minute) != (0, MINUTES_PER_DAY):
        values["from_minute"] = clock(limits.from_minute)
        # Browsers know no 24:00.
        values["until_minute"] = clock(limits.until_minute % MINUTES_PER_DAY)
    values |= {f"day-{day}": "1" for day in range(7) if (limits.weekdays or EVERY_DAY) >> day & 1}
    values |= {f"{PLACE}{station}": "1" for station in limits.stations}
    return Form({**values, "where": "some" if limits.stations else "all"})


async def _page(request: web.Request, form: Form | None, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    card, limits, places = await console.store.read(_read, CardId(number_of(request, "card")))
    shown = form or edits.filled(form_of(limits, currency_of(request)).values)
    page = LimitsPage(
        card=card,
        number=card_number(card.number),
        form=shown,
        days=[(f"day-{day}", word, shown.on(f"day-{day}")) for day, word in enumerate(day_names(formats_of(request)))],
        places=[(f"{PLACE}{one.id}", one.name or one.identity, shown.on(f"{PLACE}{one.id}")) for one in places],
        any_place=shown.text("where") != "some",
    )
    return render(request, "cards/limits.html", page, status=status)


def _read(db: Readable, card: CardId) -> tuple[Card, Limits, list[Station]]:
    return cards.need(db, card), rows.find(db, card), stations.all_stations(db)


PAGE = Page(routes=[web.get("/cards/{card}/limits", show), web.post("/cards/{card}/limits", change)])
