"""On whose name the bills of a person are made out, where the law asks for more than a name: one small form."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.people import Person
from appliance.db.wallets import bills
from appliance.domain.bill import Party
from appliance.domain.by import By
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.services.people.people import need
from appliance.services.wallets import buyers
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, render


@dataclass(frozen=True, slots=True)
class BuyerPage:
    """The form."""

    person: Person
    form: Form


async def show(request: web.Request) -> web.Response:
    """`GET /people/{person}/buyer`."""
    return await _page(request)


async def change(request: web.Request) -> web.Response:
    """`POST /people/{person}/buyer`."""
    console, form, person = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "person"))
    try:
        await console.store.write(_store, person, form, asked_by(request))
    except Changed as changed:
        return await _page(request, edits.again(changed), changed.status)
    except Refusal as refusal:
        return await _page(request, form.refused(refusal), refusal.status)
    return done(request, f"/people/{person}", _("Saved."))


def _store(db: Database, person: PersonId, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(buyers.of(db, person)))
    buyers.change(db, person, Party(*(wanted.text(name) for name in ("name", "address", "tax_number"))), by)


def _values(buyer: Party) -> dict[str, str]:
    return {"name": buyer.name, "address": buyer.address, "tax_number": buyer.tax_number}


async def _page(request: web.Request, form: Form | None = None, status: int = 200) -> web.Response:
    person, buyer = await request.app[CONSOLE].store.read(_read, PersonId(number_of(request, "person")))
    shown = BuyerPage(person, form or edits.filled(_values(buyer)))
    return render(request, "wallets/buyer.html", shown, status=status)


def _read(db: Readable, person: PersonId) -> tuple[Person, Party]:
    found = need(db, person)
    return found, bills.entered_buyer(db, found.wallet)


PAGE = Page(routes=[web.get("/people/{person}/buyer", show), web.post("/people/{person}/buyer", change)])
