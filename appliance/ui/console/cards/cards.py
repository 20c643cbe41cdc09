"""Cards: the list, a new one for a person, one card's page; block, unblock.

A card is replaced at the desk (`card_desk/card_actions`). Limits, PIN, what chargers call a card, and lists of cards as files are in modules of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiohttp import web

from appliance.db.cards import aliases
from appliance.db.cards import cards as card_rows
from appliance.db.cards import limits as limit_rows
from appliance.db.cards.aliases import Alias
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.lists import Part, Window
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.db.sessions import session_list
from appliance.db.stations import stations
from appliance.db.stations.stations import Named, Station
from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.by import By
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.cards.content import ContentState
from appliance.domain.cards.limits import Limits
from appliance.domain.cards.tag import Seen
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import CardId, PersonId
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from appliance.ui.console.card_desk.find import best_uid
from appliance.ui.console.card_desk.view import standing_of
from appliance.ui.console.cards.limits import so_far_of
from appliance.ui.console.people.entered import done_for, turned_back
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.listing import Paging, Sort, query
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.desks import usual_desk
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.roles import may
from appliance.ui.wording.card_desk import CONTENTS, card_number, receipt_word
from appliance.ui.wording.cards import STATES, Bound, State, bounds, likeness_word, state_of
from appliance.ui.writing.days import read_day

ROWS_AT_ONCE = 100
COLUMNS = {"number": "number", "holder": "holder", "label": "label", "uid": "uid", "since": "-since"}
SESSIONS_SHOWN = 10
RECEIPTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One card of the list."""

    card: Card
    number: str
    label: str
    """What else stands on it."""
    state: State
    content: str
    """What a reader has yet to do with it; "" for nothing."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """All cards, or those who were searched for."""

    rows: list[Row]
    count: int | None
    """None: more than a page was found, and the rest is not counted."""
    text: str
    state: str
    states: list[tuple[str, str]]
    sort: Sort
    paging: Paging
    csv: str
    xlsx: str


@dataclass(frozen=True, slots=True)
class NewPage:
    """A card for somebody."""

    person: Person
    form: Form


@dataclass(frozen=True, slots=True)
class Known:
    """What one snapshot says about a card."""

    card: Card
    successor: Card | None
    person: Person
    aliases: list[Alias]
    limits: Limits
    names: dict[int, Named]
    stations: list[Station]
    receipts: list[Receipt]
    sessions: list[session_list.Session]


@dataclass(frozen=True, slots=True)
class CardPage:
    """One card: whose, does it charge, what may it do, what was it used for."""

    card: Card
    number: str
    label: str
    state: State
    standing: str
    """Why it does not charge; "" if it does."""
    form: Form
    expires: str
    """The last day on which it charges; "" for ever."""
    replaced_by: Card | None
    content: str
    seen: Seen | None
    """The card itself, where it lies on a reader now."""
    desk: str
    """The desk that this browser works at."""
    link: str
    """To its holder's page; "" where nobody knows the drivers' address."""
    limits: list[Bound]
    aliases: list[tuple[Alias, str]]
    stations: list[tuple[int, str]]
    receipts: list[tuple[Receipt, str]]
    sessions: list[session_list.Session]


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before it is blocked."""

    card: Card
    form: Form


async def show_list(request: web.Request) -> web.Response:
    """`GET /cards?q=&state=&sort=&after=&before=`."""
    console = request.app[CONSOLE]
    text, state = request.query.get("q", "")[:100], request.query.get("state", "")
    state = state if state in STATES else ""
    sort, now_ms = Sort.of(request, COLUMNS, "-since"), console.clock()
    part, count = await console.store.read(_listed, sort.window(request, ROWS_AT_ONCE), text, state, now_ms)
    kept = query(request, after="", before="", sort="").partition("?")[2]
    page = ListPage(
        rows=[_row(card, now_ms) for card in part.rows],
        count=count,
        text=text,
        state=state,
        states=[(name, _(word)) for name, word in STATES.items()],
        sort=sort,
        paging=Paging.of(request, part, lambda card: card.id),
        csv=f"/cards.csv?{kept}",
        xlsx=f"/cards.xlsx?{kept}",
    )
    return render(request, "cards/list.html", page)


async def show_new(request: web.Request) -> web.Response:
    """`GET /cards/new?person=&uid=`."""
    return await _new_page(request, Form({"uid": request.query.get("uid", "")[:255]}), request.query.get("person", ""))


async def add(request: web.Request) -> web.Response:
    """`POST /cards/new`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        person = PersonId(form.number("person"))
        card = await console.store.write(
            card_units.add,
            _uid(form),
            person,
            asked_by(request),
            label=form.text("label"),
            transactions_max=form.number("transactions_max") if form.text("transactions_max") else 1,
            expires_at_ms=_expires(form, request.app[CONSOLE].site.zone),
        )
    except Refusal as refusal:
        return await _new_page(request, form.refused(refusal), form.text("person"), refusal.status)
    found = await console.store.read(card_units.need, card)
    return done(request, f"/people/{person}", _("{name} has a new card.").format(name=found.person))


def _uid(form: Form) -> str:
    """The number of a new card; one that no usual card has is taken only if somebody says so.

    Raises:
        Invalid: It is unusual, and nobody has said that it is right.
    """
    typed = form.text("uid")
    uid = best_uid(typed)
    if typed and not uid and not form.on("unusual"):
        raise Invalid(
            "uid",
            N_("No usual card has this number: a UID has 8, 14, 16 or 20 hex digits."),
            N_("Correct it, or say below that it is right."),
        )
    return uid or typed


async def show(request: web.Request) -> web.Response:
    """`GET /cards/{card}`."""
    return await _card_page(request, None)


async def change(request: web.Request) -> web.Response:
    """`POST /cards/{card}`: what is printed on it, how many sessions at once, until when."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    try:
        await console.store.write(_store_change, card, form, console.site.zone, asked_by(request))
    except Changed as changed:
        return await _card_page(request, edits.again(changed), changed.status)
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
        await console.store.write(card_units.block, card, form.text("reason"), asked_by(request))
    except Refusal as refusal:
        return await _ask(request, "cards/block.html", form.refused(refusal), refusal.status)
    found = await console.store.read(card_units.need, card)
    return done(request, f"/people/{found.person_id}", _("The card is blocked; it charges nowhere."))


async def unblock(request: web.Request) -> web.Response:
    """`POST /cards/{card}/unblock`."""
    console, card = request.app[CONSOLE], CardId(number_of(request, "card"))
    await console.store.write(card_units.unblock, card, asked_by(request))
    found = await console.store.read(card_units.need, card)
    return await done_for(request, found.person_id, _("The card is unblocked."))


def _store_change(db: Database, card: CardId, form: Form, zone: ZoneInfo, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(card_units.need(db, card), zone))
    card_units.change(
        db,
        card,
        by,
        label=wanted.text("label"),
        transactions_max=wanted.number("transactions_max"),
        expires_at_ms=_expires(wanted, zone),
    )


def _values(card: Card, zone: ZoneInfo) -> dict[str, str]:
    """What may be changed of a card, as the form has it."""
    return {
        "label": card.label,
        "transactions_max": str(card.transactions_max),
        "expires": "" if card.expires_at_ms is None else day_of(card.expires_at_ms - 1, zone),
    }


def _expires(form: Form, zone: ZoneInfo) -> int | None:
    """The end of the last day on which the card charges, as a form has it; None: for ever."""
    if not form.text("expires"):
        return None
    day = read_day(form.text("expires"))
    if day is None:
        raise Invalid("expires", N_("This is no day."), N_("Write it as year-month-day."))
    return day_bounds(day, zone)[1]


async def _new_page(request: web.Request, form: Form, person: str, status: int = 200) -> web.Response:
    number = read_number(person)
    if number is None:
        raise web.HTTPNotFound
    found = await request.app[CONSOLE].store.read(people_units.need, PersonId(number))
    return turned_back(request, found) or render(request, "cards/new.html", NewPage(found, form), status=status)


async def _card_page(request: web.Request, form: Form | None, status: int = 200) -> web.Response:
    console, fmt = request.app[CONSOLE], formats_of(request)
    known = await console.store.read(_known, CardId(number_of(request, "card")))
    card, now_ms = known.card, console.clock()
    values = _values(card, console.site.zone)
    shown = values if may(principal(request).role, "POST", "/cards/{card}/limits") else {"label": values["label"]}
    lying = (desk.seen for desk in console.desks.all())
    page = CardPage(
        card=card,
        number=card_number(card.number),
        label=label_of(card),
        state=state_of(card, now_ms),
        standing=standing_of(card, known.person, fmt, now_ms),
        form=form or edits.filled(shown),
        expires=values["expires"],
        replaced_by=known.successor,
        content=_(CONTENTS[card.content]),
        seen=next((seen for seen in lying if seen is not None and seen.uid == card.uid), None),
        desk=usual_desk(request).id,
        link=f"{console.desk_key.link_base}{card.token}" if console.desk_key.link_base else "",
        limits=bounds(known.limits, known.names, fmt, await so_far_of(console, card.id, known.limits, now_ms)),
        aliases=[(alias, likeness_word(alias.likeness)) for alias in known.aliases],
        stations=[(station.id, station.name or station.identity) for station in known.stations],
        receipts=[(receipt, receipt_word(receipt.kind)) for receipt in known.receipts],
        sessions=known.sessions,
    )
    return render(request, "cards/card.html", page, status=status)


async def _ask(request: web.Request, template: str, form: Form, status: int = 200) -> web.Response:
    found = await request.app[CONSOLE].store.read(card_units.need, CardId(number_of(request, "card")))
    return render(request, template, AskPage(found, form), status=status)


def label_of(card: Card) -> str:
    """What is printed on a card besides its number; "" for nothing."""
    return "" if card.label == card_number(card.number) else card.label


def _row(card: Card, now_ms: int) -> Row:
    open_work = _(CONTENTS[card.content]) if card.content in (ContentState.PENDING, ContentState.WIPING) else ""
    return Row(card, card_number(card.number), label_of(card), state_of(card, now_ms), open_work)


def _listed(db: Readable, window: Window, text: str, state: str, now_ms: int) -> tuple[Part[Card], int | None]:
    part = people_search.cards_page(db, window, text=text, state=state, now_ms=now_ms)
    if not text.strip():
        return part, people_search.count_cards(db, state=state, now_ms=now_ms)
    return part, len(part.rows) if not part.before and not part.after else None


def _known(db: Readable, card: CardId) -> Known:
    found = card_units.need(db, card)
    return Known(
        card=found,
        successor=card_rows.find(db, found.replaced_by) if found.replaced_by is not None else None,
        person=people_units.need(db, found.person_id),
        aliases=aliases.listed(db, card),
        limits=limit_rows.find(db, card),
        names=stations.names(db),
        stations=stations.all_stations(db),
        receipts=receipts.page(db, card=card, limit=RECEIPTS_SHOWN),
        sessions=session_list.page(db, session_list.Filter(card=card), limit=SESSIONS_SHOWN),
    )


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
    ]
)
