"""People: the list, a new one, one person's page, who they are. Their money is in `wallet`, their cards in `cards`."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import approvals, operators, reports, tariffs
from appliance.db.approvals import Approval
from appliance.db.cards import cards as card_rows
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.lists import Part, Window
from appliance.db.people import groups as group_rows
from appliance.db.people import people, people_search
from appliance.db.people.groups import Group
from appliance.db.people.people import Person
from appliance.db.people.people_search import Sums
from appliance.db.wallets import statement
from appliance.db.wallets.receipts import Receipt
from appliance.db.wallets.statement import Records
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.cards.limits import NO_LIMITS, Limits
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.roles import MANAGERS
from appliance.domain.tariff import Tariff
from appliance.services.cards.limits import SoFar
from appliance.services.people import limits
from appliance.services.people import people as people_units
from appliance.services.people.groups import may_choose, need
from appliance.services.wallets import form_bookings, undo
from appliance.services.wallets.form_bookings import NewPerson
from appliance.ui.console.people.entered import done_for
from appliance.ui.console.wallets import wallets
from appliance.ui.console.wallets.wallets import MoneyForm
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.listing import Paging, Sort
from appliance.ui.forms.way_back import THEN, then_of, typed_before, with_query
from appliance.ui.frame.context import CONSOLE, Console, Page, asked_by, principal
from appliance.ui.frame.desks import usual_desk
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording.cards import Bound, State, bounds
from appliance.ui.wording.cards import state_of as state_of_card
from appliance.ui.wording.sessions import POLICIES
from appliance.ui.wording.statement import Row, row_of

ROWS_AT_ONCE = 100
COLUMNS = {"name": "name", "phone": "phone", "balance": "balance"}
TYPED = ("name", "phone", "note", "language", "group_id", "uid", "label", "preset", "amount_minor", "method", THEN)
"""What somebody types about a new person."""
RECORDS_AT_ONCE = 30


@dataclass(frozen=True, slots=True)
class ListPage:
    """All people, or those who were searched for."""

    people: list[Person]
    sums: Sums | None
    """None: more than a page was found, and the rest is not counted."""
    groups: list[Group]
    text: str
    group: int | None
    closed: bool
    sort: Sort
    paging: Paging


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form for a new person."""

    money: MoneyForm
    groups: list[tuple[int, str]]
    tongues: list[tuple[str, str]]
    new_group: str
    """Where the group is made that this form needs; it leads back here."""


@dataclass(frozen=True, slots=True)
class EditPage:
    """Who they are."""

    person: Person
    form: Form
    groups: list[tuple[int, str]]
    tongues: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class LeavePage:
    """Before somebody is taken off the list."""

    person: Person
    form: Form


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """What one snapshot says about a person."""

    buys: wallets.Buys
    group: Group
    cards: list[Card]
    records: Records
    total: reports.Total
    paid_in_minor: int
    running: list[int]
    undoable: Receipt | None
    names: dict[str, str]
    waiting: list[Approval]
    """What was asked for and needs a second person."""
    members: list[Person]
    """Of a pool: who charges from it."""
    limits: Limits


@dataclass(frozen=True, slots=True)
class PersonPage:
    """Who, how much, what did they use."""

    person: Person
    policy: str
    policy_sentence: str
    limit_minor: int | None
    energy_wh: int | None
    tariff: str
    money: MoneyForm
    cards: list[tuple[Card, State]]
    desk: str
    """The desk that this browser works at."""
    rows: list[Row]
    older_ms: int | None
    older_shown: bool
    total: reports.Total
    paid_in_minor: int
    running: list[int]
    waiting: list[Approval]
    undoable: Receipt | None
    """What was just topped up here, and can be taken back."""
    account: Person
    """Who pays for them: themselves, or the pool that they are in."""
    low: bool
    members: list[Person]
    """Of a pool: who charges from it."""
    bounds: list[Bound]


async def show_list(request: web.Request) -> web.Response:
    """`GET /people?q=&group=&gone=&sort=&after=&before=`."""
    text = request.query.get("q", "")[:100]
    group = read_number(request.query.get("group", ""))
    closed = request.query.get("gone") == "1"
    sort = Sort.of(request, COLUMNS, "name")
    part, sums, groups = await request.app[CONSOLE].store.read(
        _listed, sort.window(request, ROWS_AT_ONCE), text, group, closed
    )
    page = ListPage(part.rows, sums, groups, text, group, closed, sort, Paging.of(request, part, lambda one: one.id))
    return render(request, "people/list.html", page)


async def show_new(request: web.Request) -> web.Response:
    """`GET /people/new?uid=`: with the UID of a card that somebody has just shown to a reader."""
    form = typed_before(request, TYPED)
    return await _new_page(request, form)


async def add(request: web.Request) -> web.Response:
    """`POST /people/new`: person, first card and first top-up are one unit of work: all of it, or nothing."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        amount_minor = wallets.read_choice(request, form) if form.text("preset") or form.text("amount_minor") else 0
        new = NewPerson(
            name=form.text("name"),
            group=GroupId(form.number("group_id")),
            phone=form.text("phone"),
            note=form.text("note"),
            language=language_of(form),
            uid=form.text("uid"),
            label=form.text("label"),
            amount_minor=amount_minor,
            method=form.text("method"),
            another=form.on("another"),
        )
        person = await console.store.write(form_bookings.take_in, new, wallets.one_time_key(form), asked_by(request))
    except Refusal as refusal:
        key = wallets.key_after(form, refusal)
        refused = wallets.shift_first(wallets.again(form, refusal), refusal, request.path, TYPED)
        return await _new_page(request, refused, key, refusal.status)
    return await done_for(request, person, _("Entered."), then_of(request, form))


async def show(request: web.Request) -> web.Response:
    """`GET /people/{person}?before=`."""
    before_ms = read_number(request.query.get("before", ""))
    console = request.app[CONSOLE]
    shown = await console.store.read(_facts, PersonId(number_of(request, "person")), before_ms, console.clock())
    found, account, records = shown.buys.person, shown.buys.account, shown.records
    policy, sentence = POLICIES[account.policy]
    used = await so_far_of(console, found.id, shown.limits, console.clock())
    page = PersonPage(
        person=found,
        policy=_(policy),
        policy_sentence=_(sentence),
        limit_minor=shown.group.limit_minor if account.policy == Policy.POSTPAID else None,
        energy_wh=shown.buys.energy_wh,
        tariff=shown.buys.tariff.name if shown.buys.tariff is not None else "",
        money=wallets.money_form(request, shown.buys.tariff, Form()),
        cards=[(card, state_of_card(card, request.app[CONSOLE].clock())) for card in shown.cards],
        desk=usual_desk(request).id,
        rows=[row_of(record, shown.names) for record in records.shown],
        older_ms=records.older_ms,
        older_shown=before_ms is not None,
        total=shown.total,
        paid_in_minor=shown.paid_in_minor,
        running=shown.running,
        waiting=shown.waiting,
        undoable=shown.undoable,
        account=account,
        low=shown.buys.low,
        members=shown.members,
        bounds=bounds(shown.limits, {}, formats_of(request), used),
    )
    return render(request, "people/person.html", page)


async def show_edit(request: web.Request) -> web.Response:
    """`GET /people/{person}/edit`."""
    return await _edit_page(request, None)


async def edit(request: web.Request) -> web.Response:
    """`POST /people/{person}/edit`."""
    console, form = request.app[CONSOLE], await read_form(request)
    person = PersonId(number_of(request, "person"))
    try:
        await console.store.write(_store_edit, person, form, asked_by(request))
    except Changed as changed:
        groups = {str(group): word for group, word in choices_of(await console.store.read(group_rows.all_by_name))}
        words = {"group_id": groups, "language": dict(tongues())}
        return await _edit_page(request, edits.again(changed, words), changed.status)
    except Refusal as refusal:
        return await _edit_page(request, form.refused(refusal), refusal.status)
    return done(request, f"/people/{person}", _("Saved."))


async def show_leave(request: web.Request) -> web.Response:
    """`GET /people/{person}/leave`."""
    return await _leave_page(request, Form())


async def leave(request: web.Request) -> web.Response:
    """`POST /people/{person}/leave`: their cards charge no more; nothing is deleted."""
    console, person = request.app[CONSOLE], PersonId(number_of(request, "person"))
    try:
        await console.store.write(people_units.close, person, asked_by(request))
    except Refusal as refusal:
        return await _leave_page(request, Form().refused(refusal), refusal.status)
    return done(request, f"/people/{person}", _("The account is closed. None of its cards charges any more."))


async def come_back(request: web.Request) -> web.Response:
    """`POST /people/{person}/return`."""
    console, person = request.app[CONSOLE], PersonId(number_of(request, "person"))
    await console.store.write(people_units.reopen, person, asked_by(request))
    return await done_for(request, person, _("The account is open again."))


def _store_edit(db: Database, person: PersonId, form: Form, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(people_units.need(db, person)))
    people_units.change(
        db,
        person,
        by,
        name=wanted.text("name"),
        phone=wanted.text("phone"),
        note=wanted.text("note"),
        language=language_of(wanted),
        group=GroupId(wanted.number("group_id")),
    )


def _values(person: Person) -> dict[str, str]:
    """Who they are, as the form has it."""
    return {
        "name": person.name,
        "phone": person.phone,
        "note": person.note,
        "language": person.language,
        "group_id": str(person.group_id),
    }


def _listed(
    db: Readable, window: Window, text: str, group: int | None, closed: bool
) -> tuple[Part[Person], Sums | None, list[Group]]:
    part = people_search.people_page(db, window, text=text, group=group, closed=closed)
    sums = None
    if not text.strip():
        sums = people_search.sums(db, group=group, closed=closed)
    elif not part.before and not part.after:
        sums = Sums(len(part.rows), sum(one.balance_minor for one in part.rows))
    return part, sums, group_rows.all_by_name(db)


def _facts(db: Readable, person: PersonId, before_ms: int | None, now_ms: int) -> PersonFacts:
    buys = wallets.what_it_buys(db, person)
    found, account = buys.person, buys.account
    return PersonFacts(
        buys,
        need(db, account.group_id),
        card_rows.of_person(db, person),
        statement.of_person(
            db, person, found.wallet, is_pool=found.is_pool, before_ms=before_ms, limit=RECORDS_AT_ONCE
        ),
        reports.pool_total(db, person) if found.is_pool else reports.person_total(db, person),
        statement.paid_in_minor(db, found.wallet),
        [int(session) for session in people.running_of(db, person)],
        undo.undoable(db, account.id, now_ms),
        operators.names(db),
        approvals.of_person(db, account.id),
        people.members(db, person) if found.is_pool else [],
        limits.of(db, person),
    )


async def so_far_of(console: Console, person: PersonId, limited: Limits, now_ms: int) -> SoFar | None:
    """What they have used of their limits, as the decision at a charger counts it; None where there is none."""
    return None if limited == NO_LIMITS else await console.store.write(limits.so_far, person, now_ms)


async def _new_page(request: web.Request, form: Form, key: str = "", status: int = 200) -> web.Response:
    tariff, groups = await request.app[CONSOLE].store.read(_for_new, principal(request).role)
    here = with_query("/people/new", uid=form.value("uid"), then=then_of(request, form))
    new_group = with_query("/groups/new", then=here)
    page = NewPage(wallets.money_form(request, tariff, form, key), choices_of(groups), tongues(), new_group)
    return render(request, "people/new.html", page, status=status)


async def _edit_page(request: web.Request, form: Form | None, status: int = 200) -> web.Response:
    person, role = PersonId(number_of(request, "person")), principal(request).role
    found, groups = await request.app[CONSOLE].store.read(_for_edit, person, role)
    form = form or edits.filled(_values(found))
    return render(request, "people/edit.html", EditPage(found, form, choices_of(groups), tongues()), status=status)


async def _leave_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    found = await request.app[CONSOLE].store.read(people_units.need, PersonId(number_of(request, "person")))
    return render(request, "people/leave.html", LeavePage(found, form), status=status)


def _for_new(db: Readable, role: str) -> tuple[Tariff | None, list[Group]]:
    return tariffs.default(db), open_to(db, role, None)


def _for_edit(db: Readable, person: PersonId, role: str) -> tuple[Person, list[Group]]:
    found = people_units.need(db, person)
    return found, open_to(db, role, need(db, found.group_id))


def open_to(db: Readable, role: str, before: Group | None) -> list[Group]:
    """The groups into which somebody of `role` may put a person who is in `before` now."""
    groups = group_rows.all_by_name(db)
    return groups if role in MANAGERS else [one for one in groups if may_choose(db, before, one)]


def choices_of(groups: list[Group]) -> list[tuple[int, str]]:
    """Groups as a form offers them: number, and name with how they pay."""
    return [(group.id, f"{group.name} · {_(POLICIES[group.policy][0])}") for group in groups]


def tongues() -> list[tuple[str, str]]:
    """Languages as a form offers them."""
    return [("", _("As the site")), *LANGUAGES.items()]


def language_of(form: Form) -> str:
    """The language that was chosen; "" for the site's."""
    language = form.text("language")
    if language and language not in LANGUAGES:
        raise Invalid("language", N_("There is no such language."))
    return language


PAGE = Page(
    routes=[
        web.get("/people", show_list),
        web.get("/people/new", show_new),
        web.post("/people/new", add),
        web.get("/people/{person}", show),
        web.get("/people/{person}/edit", show_edit),
        web.post("/people/{person}/edit", edit),
        web.get("/people/{person}/leave", show_leave),
        web.post("/people/{person}/leave", leave),
        web.post("/people/{person}/return", come_back),
        *wallets.ROUTES,
    ]
)
