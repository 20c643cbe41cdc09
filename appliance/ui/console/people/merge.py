"""Two people who are one: choose the other, read what will happen, do it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.services.people import people
from appliance.services.wallets import form_bookings
from appliance.ui.console.people.entered import turned_back
from appliance.ui.console.wallets.wallets import again, key_after, new_key, one_time_key
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _, ngettext
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.writing.formats import Formats

FOUND_MAX = 8


@dataclass(frozen=True, slots=True)
class MergePage:
    """First who the other one is, then what will happen."""

    person: Person
    into: Person | None
    query: str
    found: list[Person]
    sentences: list[str]
    """What will happen; empty while the other one is chosen."""
    form: Form
    key: str


async def show(request: web.Request) -> web.Response:
    """`GET /people/{person}/merge?q=&into=`."""
    person = await request.app[CONSOLE].store.read(people.need, PersonId(number_of(request, "person")))
    return turned_back(request, person) or await _page(request, request.query.get("into", ""), Form(), new_key())


async def merge(request: web.Request) -> web.Response:
    """`POST /people/{person}/merge`: everything goes to `into`."""
    console, form, person = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "person"))
    try:
        key, into = one_time_key(form), PersonId(form.number("into"))
        await console.store.write(form_bookings.merge, person, into, key, asked_by(request))
    except Refusal as refusal:
        return await _page(request, form.text("into"), again(form, refusal), key_after(form, refusal), refusal.status)
    target = await console.store.read(people.need, into)
    return done(request, f"/people/{into}", _("Everything is with {name} now.").format(name=target.name))


async def _page(request: web.Request, into: str, form: Form, key: str, status: int = 200) -> web.Response:
    text = request.query.get("q", "").strip()[:100]
    number = read_number(into)
    person, target, found = await request.app[CONSOLE].store.read(
        _read, PersonId(number_of(request, "person")), PersonId(number) if number is not None else None, text
    )
    sentences = consequences(person, target, formats_of(request)) if target is not None else []
    page = MergePage(person, target, text, found, sentences, form, key)
    return render(request, "people/merge.html", page, status=status)


def consequences(person: Person, into: Person, fmt: Formats) -> list[str]:
    """What will happen, sentence by sentence."""
    cards = ngettext(
        "{count} card that charges goes to {name}.", "{count} cards that charge go to {name}.", person.cards
    )
    nothing = _("No card goes to {name}: there is none that charges.")
    money = _("{amount} goes from wallet to wallet.") if person.balance_minor else _("The wallet is empty.")
    found = [
        (cards if person.cards else nothing).format(count=fmt.number(person.cards), name=into.name),
        money.format(amount=fmt.money(person.balance_minor)),
    ]
    if into.group_id != person.group_id:
        found.append(_("The cards charge as the group {group} pays, from then on.").format(group=into.group))
    last = _(
        "Sessions and receipts of the past stay where they are. The account of {name} is closed, and can be opened again."
    )
    return [*found, last.format(name=person.name)]


def _read(
    db: Readable, person: PersonId, into: PersonId | None, text: str
) -> tuple[Person, Person | None, list[Person]]:
    found = people.need(db, person)
    # Without a search: who has the same name, or the same telephone.
    wanted = [text] if text else [found.name, *([found.phone] if found.phone else [])]
    hits = [one for word in wanted for one in people_search.people(db, text=word, limit=FOUND_MAX) if one.id != person]
    unique = list({one.id: one for one in hits}.values())[:FOUND_MAX]
    return found, people.need(db, into) if into is not None else None, unique


PAGE = Page(routes=[web.get("/people/{person}/merge", show), web.post("/people/{person}/merge", merge)])
