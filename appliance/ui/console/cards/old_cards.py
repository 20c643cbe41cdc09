"""Cards of an earlier system: a list of them, the key they are closed with, and taking one over at the desk."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import old_cards as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.old_cards import OldCard, OldState
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.people.people import Person
from appliance.domain.authorization import Policy
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.id_token import masked
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.money import Currency, parse_amount
from appliance.services import old_cards, settings
from appliance.services.card_desk import forms, jobs
from appliance.services.people import people as people_units
from appliance.services.people.spreadsheets import text_of
from appliance.services.settings import Settings
from appliance.ui.console.card_desk.desk import path_of
from appliance.ui.console.people.importing import read_file
from appliance.ui.console.wallets.wallets import again, currency_of, key_after, new_key, one_time_key
from appliance.ui.forms.forms import Form, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.desks import usual_desk
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording.sessions import POLICIES

SHOWN = 50
STATES = {
    OldState.LISTED: N_("on the list"),
    OldState.BOOKED: N_("taken over, not emptied"),
    OldState.CLEARED: N_("taken over"),
}
HEADS = {"uid", "card", "number", "কার্ড", "নম্বর"}
"""How the first line of a list with heads begins."""
LIST_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One of them."""

    card: OldCard
    number: str
    state: str


@dataclass(frozen=True, slots=True)
class OldCardsPage:
    """What there is, and the forms."""

    form: Form
    key: str
    most_minor: int
    layout: str
    has_key: bool
    figures: list[tuple[str, int, int]]
    lines: list[Line]
    groups: list[tuple[int, str]]
    group_id: int
    person: Person | None
    desk: str


async def show(request: web.Request) -> web.Response:
    """`GET /cards/old?person=`."""
    return await _page(request, Form(), new_key())


async def take(request: web.Request) -> web.Response:
    """`POST /cards/old`: the desk waits for the card; with a number typed, it is served without a reader."""
    console, form, by = request.app[CONSOLE], await read_form(request), asked_by(request)
    desk, uid = usual_desk(request), form.text("uid")
    desk_key = console.desk_key
    try:
        key = one_time_key(form)
        person = PersonId(form.number("person")) if form.text("person") else None
        group = GroupId(form.number("group_id")) if form.text("group_id") else None
        typed = form.text("old_minor")
        old_minor = parse_amount(typed, currency_of(request), field="old_minor") if typed else 0

        def unit(db: Database) -> int:
            def begin() -> int:
                if person is None and not form.text("name"):
                    job = jobs.begin_taking_over(db, desk.id, by, old_minor=old_minor)
                else:
                    job = jobs.begin_issue(
                        db, desk.id, by, person=person, name=form.text("name"), group=group, old=True, old_minor=old_minor,
                    )  # fmt: skip
                return forms.without_reader(db, job, uid, desk_key, by.at_ms) if uid else job

            asked = ("old card", desk.id, person, form.text("name"), group, old_minor, uid)
            return forms.begin_once(db, key, asked, by, begin)

        await console.store.write(unit)
    except Refusal as refusal:
        return await _page(request, again(form, refusal), key_after(form, refusal), refusal.status)
    if uid:
        return done(request, "/cards/old", _("The balance of this old card is in the wallet now."))
    return web.Response(status=303, headers={"Location": path_of(desk.id)})


async def bring_list(request: web.Request) -> web.Response:
    """`POST /cards/old/list`: a CSV file of number, amount and name."""
    console, by = request.app[CONSOLE], asked_by(request)
    try:
        _name, data = await read_file(request)
        cards = await asyncio.to_thread(read_list, data, currency_of(request))
        listed = await console.store.write(old_cards.put_on_list, cards, by)
    except Refusal as refusal:
        return await _page(request, Form().refused(refusal), new_key(), refusal.status)
    sentence = ngettext("{number} old card waits on the list now.", "{number} old cards wait on the list now.", listed)
    return done(request, "/cards/old", sentence.format(number=formats_of(request).number(listed)))


async def set_key(request: web.Request) -> web.Response:
    """`POST /cards/old/key`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        await console.store.write(old_cards.set_key, console.vault, form.text("key_hex"), asked_by(request))
    except Refusal as refusal:
        # What was typed is a secret: it is not shown again.
        return await _page(request, Form().refused(refusal), new_key(), refusal.status)
    return done(request, "/cards/old", _("The key is kept, sealed. Nobody is shown it again."))


def read_list(data: bytes, currency: Currency) -> list[tuple[str, int, str]]:
    """Number, amount in minor units and name of each card; a first line with heads is left out.

    Raises:
        Refusal: It is no text, or a line says something else.
    """
    text = text_of(data)
    first = text.partition("\n")[0]
    lines = csv.reader(text.splitlines(), delimiter=";" if first.count(";") > first.count(",") else ",")
    found = []
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line]
        if not any(cells) or (number == 1 and cells[0].lower() in HEADS):
            continue
        if len(cells) < LIST_COLUMNS - 1:
            raise Invalid("file", N_("Line {line} has not a number and an amount."), line=str(number))
        found.append((cells[0], parse_amount(cells[1], currency, field="file"), " ".join(cells[2:LIST_COLUMNS])))
    if not found:
        raise Invalid("file", N_("The file is empty."))
    return found


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read in one go."""

    newest: list[OldCard]
    sums: dict[OldState, tuple[int, int]]
    groups: Sequence[Group]
    person: Person | None
    has_key: bool
    settings: Settings


def _read(db: Readable, person: int | None) -> Snapshot:
    return Snapshot(
        rows.newest(db, SHOWN), rows.sums(db), group_rows.all_by_name(db),
        people_units.need(db, PersonId(person)) if person is not None else None, old_cards.has_key(db), settings.load(db),
    )  # fmt: skip


async def _page(request: web.Request, form: Form, key: str, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    found = await console.store.read(_read, read_number(form.text("person") or request.query.get("person", "")))
    page = OldCardsPage(
        form, key, found.settings.old_card_max_minor, found.settings.old_card_layout, found.has_key,
        [(_(STATES[state]), *found.sums[state]) for state in OldState if state in found.sums],
        [Line(one, masked(one.uid), _(STATES[one.state])) for one in found.newest],
        [(group.id, f"{group.name} · {_(POLICIES[group.policy][0])}") for group in found.groups],
        next((int(group.id) for group in found.groups if group.policy == Policy.PREPAID), 0),
        found.person, usual_desk(request).id,
    )  # fmt: skip
    return render(request, "cards/old.html", page, status=status)


PAGE = Page(
    routes=[
        web.get("/cards/old", show),
        web.post("/cards/old", take),
        web.post("/cards/old/list", bring_list),
        web.post("/cards/old/key", set_key),
    ]
)
