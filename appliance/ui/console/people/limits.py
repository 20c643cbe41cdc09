"""What a person with all their cards, or a pool, may use at most: the form. How limits are kept is in services/cards/limits.py."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.services.people import limits as service
from appliance.services.people.people import need
from appliance.ui.console.cards.limits import KWH
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render


@dataclass(frozen=True, slots=True)
class LimitsPage:
    """The limits as they are, or as they were typed."""

    person: Person
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /people/{person}/limits`."""
    return await _page(request, None)


async def change(request: web.Request) -> web.Response:
    """`POST /people/{person}/limits`: all of them at once; what is left empty is no limit."""
    console, form = request.app[CONSOLE], await read_form(request)
    person = PersonId(number_of(request, "person"))
    try:
        limits = await console.store.write(_store_change, person, form, currency_of(request), asked_by(request))
    except Changed as changed:
        return await _page(request, edits.again(changed), changed.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    sentence = _("Nothing is limited.") if limits == NO_LIMITS else _("The limits are kept from now on.")
    return done(request, f"/people/{person}", sentence)


def _store_change(db: Database, person: PersonId, form: Form, currency: Currency, by: By) -> Limits:
    """A unit: what was changed in the form, and nothing else. The limits as they are then."""
    limits = read_limits(edits.merged(form, values_of(service.of(db, person), currency)), currency)
    service.change(db, person, limits, by)
    return limits


def read_limits(form: Form, currency: Currency) -> Limits:
    """The limits of a form.

    Raises:
        Invalid: A field cannot be read.
    """

    def read(name: str, unit: Currency) -> int | None:
        return parse_amount(form.text(name), unit, name) if form.text(name) else None

    return Limits(
        day_energy_wh=read("day_energy_wh", KWH),
        day_minor=read("day_minor", currency),
        month_energy_wh=read("month_energy_wh", KWH),
        month_minor=read("month_minor", currency),
    )


def values_of(limits: Limits, currency: Currency) -> dict[str, str]:
    """The limits as the form has them; what is not limited is empty."""

    def written(most: int | None, unit: Currency) -> str:
        text = "" if most is None else format_amount(most, unit)
        return text.rstrip("0").rstrip(".") if unit is KWH and "." in text else text

    return {
        "day_energy_wh": written(limits.day_energy_wh, KWH),
        "day_minor": written(limits.day_minor, currency),
        "month_energy_wh": written(limits.month_energy_wh, KWH),
        "month_minor": written(limits.month_minor, currency),
    }


async def _page(request: web.Request, form: Form | None, status: int = 200) -> web.Response:
    person, limits = await request.app[CONSOLE].store.read(_read, PersonId(number_of(request, "person")))
    shown = form or edits.filled(values_of(limits, currency_of(request)))
    return render(request, "people/limits.html", LimitsPage(person, shown), status=status)


def _read(db: Readable, person: PersonId) -> tuple[Person, Limits]:
    return need(db, person), service.of(db, person)


PAGE = Page(routes=[web.get("/people/{person}/limits", show), web.post("/people/{person}/limits", change)])
