"""A stack of cards, one after another: how many and for whom, then the sheet with their numbers, which is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.card_desk import jobs as rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.people.people import Person
from appliance.domain.authorization import Policy
from appliance.domain.desk_request import Batch
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services.announce import Announcement, DeskChanged
from appliance.services.card_desk import forms
from appliance.services.card_desk import jobs as service
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from appliance.services.ports.readers import DeskView
from appliance.ui.console.card_desk.desk import path_of
from appliance.ui.console.card_desk.progress import JobDetails, Step, read_details, step_of
from appliance.ui.console.card_desk.view import need_number
from appliance.ui.console.wallets.wallets import again, key_after, new_key, one_time_key
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by
from appliance.ui.frame.desks import need_desk
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import render, render_part
from appliance.ui.wording.card_desk import Words, card_number, reader_words
from appliance.ui.wording.sessions import POLICIES
from appliance.ui.writing.formats import formats

UID_END_CHARS = 8
"""Enough to tell the cards of one box apart, whose UIDs begin alike and end in the same byte."""


@dataclass(frozen=True, slots=True)
class NewPage:
    """How many, and for whom."""

    desk: DeskView
    reader: Words
    form: Form
    key: str
    groups: list[tuple[int, str]]
    group_id: int
    person: Person | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One card of the sheet."""

    number: str
    uid_end: str
    card: Card


@dataclass(frozen=True, slots=True)
class SheetPage:
    """The stack as far as it is made."""

    job: int
    step: Step
    entries: list[Entry]
    count: int
    made: int
    label: str
    began_ms: int


async def show_new(request: web.Request) -> web.Response:
    """`GET /desk/{desk}/batch?person=`."""
    return await _new_page(request, Form(), new_key(), request.query.get("person", ""))


async def begin(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/batch`: the first card may be laid down."""
    console, form = request.app[CONSOLE], await read_form(request)
    desk, by = need_desk(console, request.match_info["desk"]), asked_by(request)
    try:
        key, count = one_time_key(form), form.number("count")
        person = PersonId(form.number("person")) if form.text("person") else None
        group = GroupId(form.number("group_id")) if form.text("group_id") else None

        def unit(db: Database) -> int:
            return forms.begin_once(
                db, key, ("batch", desk.id, count, person, group, form.text("label"), form.on("overwrite")), by,
                lambda: service.begin_batch(
                    db, desk.id, count, by, person=person, group=group, label=form.text("label"),
                    overwrite=form.on("overwrite"),
                ),
            )  # fmt: skip

        job = await console.store.write(unit)
    except Refusal as refusal:
        return await _new_page(
            request, again(form, refusal), key_after(form, refusal), form.text("person"), refusal.status
        )
    return web.Response(status=303, headers={"Location": f"{path_of(desk.id)}/batch/{job}"})


async def show(request: web.Request) -> web.Response:
    """`GET /desk/{desk}/batch/{job}`: the progress, and the sheet."""
    page = await load(request.app[CONSOLE], number_of(request, "job"))
    if page is None or page.step.desk != request.match_info["desk"]:
        raise NotFound(N_("There is no such job."))
    return render(request, "card_desk/batch_sheet.html", page)


async def load(console: Console, job: int) -> SheetPage | None:
    """The stack as it is now; None if that is no stack."""
    now_ms = console.clock()
    found = await console.store.read(_read_sheet, job, now_ms)
    if found is None:
        return None
    request, about, cards = found
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    return SheetPage(
        job=job,
        step=step_of(about, fmt),
        entries=[Entry(card_number(card.number), card.uid[-UID_END_CHARS:], card) for card in cards],
        count=request.count,
        made=about.job.made,
        label=request.label,
        began_ms=about.job.created_at_ms,
    )


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """How far it is, and the sheet."""
    job = read_number(parameter)
    page = await load(console, job) if job is not None else None
    if page is None:
        return {}
    return {
        "batch-now": render_part(console, role, "card_desk/_batch_now.html", page=page),
        "batch-sheet": render_part(console, role, "card_desk/_batch_sheet.html", page=page),
    }


def concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether this stack went on."""
    return isinstance(announcement, DeskChanged) and str(announcement.job) == parameter


def _read_sheet(db: Readable, job: int, now_ms: int) -> tuple[Batch, JobDetails, list[Card]] | None:
    found = rows.find(db, job)
    if found is None or not isinstance(found.request, Batch):
        return None
    return (
        found.request,
        read_details(db, found, now_ms),
        [card_units.need(db, card) for card in rows.cards_of_batch(db, job)],
    )


async def _new_page(request: web.Request, form: Form, key: str, person: str, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    desk = need_desk(console, request.match_info["desk"])
    number = PersonId(need_number(person)) if person else None
    groups, about = await console.store.read(_read_new, number)
    page = NewPage(
        desk,
        reader_words(desk.reader),
        form,
        key,
        [(group.id, f"{group.name} · {_(POLICIES[group.policy][0])}") for group in groups],
        next((int(group.id) for group in groups if group.policy == Policy.PREPAID), 0),
        about,
    )
    return render(request, "card_desk/batch_new.html", page, status=status)


def _read_new(db: Readable, person: PersonId | None) -> tuple[list[Group], Person | None]:
    return group_rows.all_by_name(db), people_units.need(db, person) if person is not None else None


PAGE = Page(
    routes=[
        web.get("/desk/{desk}/batch", show_new),
        web.post("/desk/{desk}/batch", begin),
        web.get("/desk/{desk}/batch/{job}", show),
    ],
    live=[LiveView("batch", "/desk/{desk}/batch/{job}", concerns, fragments)],
)
