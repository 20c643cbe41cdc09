"""Pools: the list, a new one, who charges from one, and its end. A pool's own page is that of an account, `people`: its money moves there."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import people as rows
from appliance.db.people import people_search
from appliance.db.people.groups import Group
from appliance.db.people.people import Person
from appliance.domain.by import By
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services.people import people as people_units
from appliance.services.people import pools
from appliance.services.people.groups import need as need_group
from appliance.services.people.pools import About, Own
from appliance.services.wallets import form_bookings
from appliance.ui.console.people.people import choices_of, language_of, open_to, tongues
from appliance.ui.console.wallets.wallets import again, key_after, new_key, one_time_key
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render

FOUND_MAX = 8
FIELDS = ("name", "contact", "phone", "tax_number", "note")


@dataclass(frozen=True, slots=True)
class ListPage:
    """All pools, each with how many charge from it."""

    rows: list[tuple[Person, int]]
    closed: bool


@dataclass(frozen=True, slots=True)
class PoolPage:
    """A pool, or the form for a new one (None)."""

    pool: Person | None
    form: Form
    groups: list[tuple[int, str]]
    tongues: list[tuple[str, str]]
    key: str


@dataclass(frozen=True, slots=True)
class AddPage:
    """First who it is, then what becomes of their own money."""

    pool: Person
    person: Person | None
    query: str
    found: list[Person]
    form: Form
    key: str


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before somebody is taken out, or the pool is closed."""

    pool: Person
    person: Person | None
    form: Form


async def show_list(request: web.Request) -> web.Response:
    """`GET /pools?closed=`."""
    closed = request.query.get("closed") == "1"
    found = await request.app[CONSOLE].store.read(_listed, closed)
    return render(request, "pools/list.html", ListPage(found, closed))


async def show(request: web.Request) -> web.Response:
    """`GET /pools/{pool}`: its page is that of an account."""
    pool = await request.app[CONSOLE].store.read(pools.need, PersonId(number_of(request, "pool")))
    return web.Response(status=303, headers={"Location": f"/people/{pool.id}"})


async def show_new(request: web.Request) -> web.Response:
    """`GET /pools/new`."""
    return await _form_page(request, None, Form(), new_key())


async def add(request: web.Request) -> web.Response:
    """`POST /pools/new`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        key = one_time_key(form)
        pool = await console.store.write(form_bookings.add_pool, _about(form), key, asked_by(request))
    except Refusal as refusal:
        return await _form_page(request, None, again(form, refusal), key_after(form, refusal), refusal.status)
    sentence = _("The pool {name} is there. Now say who charges from it.").format(name=form.text("name"))
    return done(request, f"/people/{pool}", sentence)


async def show_edit(request: web.Request) -> web.Response:
    """`GET /pools/{pool}/edit`."""
    pool = await request.app[CONSOLE].store.read(pools.need, PersonId(number_of(request, "pool")))
    return await _form_page(request, pool, edits.filled(_values(pool)), "")


async def edit(request: web.Request) -> web.Response:
    """`POST /pools/{pool}/edit`."""
    console, form, number = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "pool"))
    pool = await console.store.read(pools.need, number)
    try:
        await console.store.write(_store_edit, number, form, asked_by(request))
    except Changed as changed:
        groups, _group = await console.store.read(_groups, principal(request).role, pool)
        words = {"group_id": {str(one): word for one, word in choices_of(groups)}, "language": dict(tongues())}
        return await _form_page(request, pool, edits.again(changed, words), "", changed.status)
    except Refusal as refusal:
        return await _form_page(request, pool, form.refused(refusal), "", refusal.status)
    return done(request, f"/people/{number}", _("Saved."))


async def show_add(request: web.Request) -> web.Response:
    """`GET /pools/{pool}/add?q=&person=`."""
    return await _add_page(request, request.query.get("person", ""), Form(), new_key())


async def add_person(request: web.Request) -> web.Response:
    """`POST /pools/{pool}/add`: somebody charges from it from now on."""
    console, form, pool = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "pool"))
    try:
        key, person, own = one_time_key(form), PersonId(form.number("person")), _own(form)
        moved_minor = await console.store.write(form_bookings.join_pool, pool, person, own, key, asked_by(request))
    except Refusal as refusal:
        return await _add_page(
            request, form.text("person"), again(form, refusal), key_after(form, refusal), refusal.status
        )
    joined = await console.store.read(people_units.need, person)
    sentence = _("{name} charges from this pool now.").format(name=joined.name)
    if moved_minor:
        moved = _("{amount} went into it.").format(amount=formats_of(request).money(moved_minor))
        sentence = f"{sentence} {moved}"
    return done(request, f"/people/{pool}", sentence)


async def show_remove(request: web.Request) -> web.Response:
    """`GET /pools/{pool}/remove?person=`."""
    return await _ask_page(request, "pools/remove.html", request.query.get("person", ""), Form())


async def remove(request: web.Request) -> web.Response:
    """`POST /pools/{pool}/remove`."""
    console, form, pool = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "pool"))
    try:
        await console.store.write(pools.leave, pool, PersonId(form.number("person")), asked_by(request))
    except Refusal as refusal:
        refused = form.refused(refusal)
        return await _ask_page(request, "pools/remove.html", form.text("person"), refused, refusal.status)
    return done(request, f"/people/{pool}", _("Taken out: they pay for themselves again."))


async def show_close(request: web.Request) -> web.Response:
    """`GET /pools/{pool}/close`."""
    return await _ask_page(request, "pools/close.html", "", Form())


async def close(request: web.Request) -> web.Response:
    """`POST /pools/{pool}/close`."""
    console, pool = request.app[CONSOLE], PersonId(number_of(request, "pool"))
    try:
        await console.store.write(pools.close, pool, asked_by(request))
    except Refusal as refusal:
        return await _ask_page(request, "pools/close.html", "", Form().refused(refusal), refusal.status)
    return done(request, "/pools", _("The pool is closed. Everybody in it pays for themselves again."))


# --- what is read and shown ------------------------------------------------------------------------------------------------


def _listed(db: Readable, closed: bool) -> list[tuple[Person, int]]:
    return [(one, len(rows.members(db, one.id))) for one in rows.pools(db, closed=closed)]


async def _form_page(
    request: web.Request, pool: Person | None, form: Form, key: str, status: int = 200
) -> web.Response:
    groups, usual = await request.app[CONSOLE].store.read(_groups, principal(request).role, pool)
    if not form.value("group_id") and usual:
        form = Form({**form.values, "group_id": str(usual)}, form.errors, form.places)
    page = PoolPage(pool, form, choices_of(groups), tongues(), key)
    return render(request, "pools/pool.html", page, status=status)


def _groups(db: Readable, role: str, pool: Person | None) -> tuple[list[Group], int]:
    """The groups among which somebody of `role` may choose, and the usual one of them; 0: none."""
    found = open_to(db, role, need_group(db, pool.group_id) if pool is not None else None)
    return found, next((int(one.id) for one in found if one.policy == "prepaid"), 0)


async def _add_page(request: web.Request, person: str, form: Form, key: str, status: int = 200) -> web.Response:
    text, number = request.query.get("q", "").strip()[:100], read_number(person)
    pool, found, hits = await request.app[CONSOLE].store.read(
        _read_add, PersonId(number_of(request, "pool")), PersonId(number) if number is not None else None, text
    )
    return render(request, "pools/add.html", AddPage(pool, found, text, hits, form, key), status=status)


def _read_add(
    db: Readable, pool: PersonId, person: PersonId | None, text: str
) -> tuple[Person, Person | None, list[Person]]:
    found = people_search.people(db, text=text, limit=FOUND_MAX) if text else []
    hits = [one for one in found if not one.is_pool]
    return pools.need(db, pool), people_units.need(db, person) if person is not None else None, hits


async def _ask_page(request: web.Request, template: str, person: str, form: Form, status: int = 200) -> web.Response:
    number = read_number(person)
    pool, found, _hits = await request.app[CONSOLE].store.read(
        _read_add, PersonId(number_of(request, "pool")), PersonId(number) if number is not None else None, ""
    )
    if template == "pools/remove.html" and (found is None or found.pool_id != pool.id):
        return done(request, f"/people/{pool.id}", _("They are not in this pool."), "waiting")
    return render(request, template, AskPage(pool, found, form), status=status)


# --- forms -----------------------------------------------------------------------------------------------------------------


def _store_edit(db: Database, pool: PersonId, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    pools.change(db, pool, _about(edits.merged(form, _values(pools.need(db, pool)))), by)


def _values(pool: Person) -> dict[str, str]:
    """A pool as the form has it."""
    values = {name: str(getattr(pool, name)) for name in FIELDS}
    hides = "1" if pool.hides_balance else ""
    return {**values, "language": pool.language, "group_id": str(pool.group_id), "hides_balance": hides}


def _about(form: Form) -> About:
    fields = {name: form.text(name) for name in FIELDS}
    return About(
        group=GroupId(form.number("group_id")),
        language=language_of(form),
        hides_balance=form.on("hides_balance"),
        **fields,
    )


def _own(form: Form) -> Own:
    try:
        return Own(form.text("own") or Own.KEPT)
    except ValueError:
        raise Invalid("own", N_("Say whether their money stays theirs, or goes into the pool.")) from None


PAGE = Page(
    routes=[
        web.get("/pools", show_list),
        web.get("/pools/new", show_new),
        web.post("/pools/new", add),
        web.get("/pools/{pool}", show),
        web.get("/pools/{pool}/edit", show_edit),
        web.post("/pools/{pool}/edit", edit),
        web.get("/pools/{pool}/add", show_add),
        web.post("/pools/{pool}/add", add_person),
        web.get("/pools/{pool}/remove", show_remove),
        web.post("/pools/{pool}/remove", remove),
        web.get("/pools/{pool}/close", show_close),
        web.post("/pools/{pool}/close", close),
    ]
)
