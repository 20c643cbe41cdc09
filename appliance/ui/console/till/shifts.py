"""What is done with a shift: opened, cash put in and taken out, counted, closed or handed over; and the list of all.

Each form carries a key, so that a double click, a second tab and the back button do it once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.till import shifts as rows
from appliance.db.till.shifts import Shift
from appliance.domain.by import By
from appliance.domain.calendar import day_bounds, day_of
from appliance.domain.cash import Cash, may_want_fiscal
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import ShiftId
from appliance.domain.ledger import Method
from appliance.services.operators import authority
from appliance.services.till import forms
from appliance.services.till import shifts as service
from appliance.services.till.shifts import AlreadyClosed, AlreadyOpen, Counterpart, Figures, MovedMeanwhile, Way
from appliance.services.wallets import receipts
from appliance.ui.console.till.pieces import Pieces, pieces_of, read_cash
from appliance.ui.console.wallets.wallets import again, key_after, new_key, one_time_key, read_amount
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.listing import query
from appliance.ui.forms.way_back import THEN, then_of
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.roles import GUARD_AT_TILL
from appliance.ui.wording.sessions import METHODS
from appliance.ui.wording.till import Takings, takings_of
from appliance.ui.writing.formats import Formats, sentences

View = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROWS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class OpenPage:
    """The float is counted."""

    pieces: Pieces
    form: Form
    key: str
    then: str
    safe: bool
    """Whether cash is taken without a shift, too."""
    wants_fiscal: bool
    """Whether the law here may want a device in the till that this one has not."""


@dataclass(frozen=True, slots=True)
class PayPage:
    """Cash in or out that has to do with nobody's wallet."""

    shift: Shift
    holder: str
    way: str
    form: Form
    key: str


@dataclass(frozen=True, slots=True)
class CountPage:
    """The drawer is counted; what must be in it is not here."""

    shift: Shift
    holder: str
    pieces: Pieces
    form: Form
    others: Takings
    """What is not in the drawer, to be compared with the terminal."""


@dataclass(frozen=True, slots=True)
class DifferencePage:
    """It was counted: close with it, or count again."""

    shift: Shift
    holder: str
    form: Form
    fields: list[tuple[str, str]]
    """What was typed, to be sent again."""
    key: str
    seen_seq: int
    counted_minor: int
    expected_minor: int | None
    """None: hidden."""
    over_minor: int
    """Counted beyond what must be there; 0 while that is hidden."""
    successors: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """A shift in the list."""

    shift: Shift
    holder: str
    takings: Takings
    expected_minor: int | None
    over_minor: int | None


@dataclass(frozen=True, slots=True)
class TodayRow:
    """What one of the staff, or a program, has taken today, with a shift or without."""

    name: str
    by_method: list[int]
    """As the head of the table has them."""
    minor: int


@dataclass(frozen=True, slots=True)
class ListPage:
    """Those that go on, and those that are over."""

    running: list[Row]
    methods: list[str]
    """Ways of paying that were used today."""
    today: list[TodayRow]
    """Of managers: by who took it."""
    over: list[Row]
    is_manager: bool
    older: str
    newest: str


# --- opening ---------------------------------------------------------------------------------------------------------------


async def show_open(request: web.Request) -> web.Response:
    """`GET /till/open?then=`."""
    mine = await request.app[CONSOLE].store.read(rows.open_of, principal(request).actor)
    if mine is not None:
        return web.Response(status=303, headers={"Location": then_of(request) or "/till"})
    return _open_page(request, Form({THEN: then_of(request)}))


async def open_shift(request: web.Request) -> web.Response:
    """`POST /till/open`: and on to the page that needed it."""
    form = await read_form(request)
    try:
        key, money = one_time_key(form), read_cash(request, form)
        opened = await request.app[CONSOLE].store.write(forms.open_shift, money, key, asked_by(request))
    except AlreadyOpen as refusal:
        return done(request, then_of(request, form) or "/till", sentences(refusal)[0], "waiting")
    except Refusal as refusal:
        return _open_page(request, again(form, refusal), key_after(form, refusal), refusal.status)
    amount = formats_of(request).money(money.minor)
    words = (
        _("The shift was opened before; nothing was opened now.")
        if opened.repeated
        else _("Your shift is open, with {amount} in the drawer.")
    )
    return done(
        request, then_of(request, form) or "/till", words.format(amount=amount), "waiting" if opened.repeated else "done"
    )  # fmt: skip


def _open_page(request: web.Request, form: Form, key: str = "", status: int = 200) -> web.Response:
    settings = request.app[CONSOLE].settings()
    page = OpenPage(
        pieces_of(request, form), form, key or new_key(), then_of(request, form),
        not (settings.cash_needs_shift or principal(request).role == GUARD_AT_TILL),
        may_want_fiscal(settings.country, request.app[CONSOLE].site.timezone),
    )  # fmt: skip
    return render(request, "till/open.html", page, status=status)


# --- cash in and out -------------------------------------------------------------------------------------------------------


async def show_pay(request: web.Request) -> web.Response:
    """`GET /till/shifts/{shift}/pay?way=`."""
    way = Way.IN if request.query.get("way") == Way.IN else Way.OUT
    shift, holder = await request.app[CONSOLE].store.read(_need_open, number_of(request, "shift"), asked_by(request))
    return render(request, "till/pay.html", PayPage(shift, holder, way, Form(), new_key()))


async def pay(request: web.Request) -> web.Response:
    """`POST /till/shifts/{shift}/pay`."""
    form, number, by = await read_form(request), ShiftId(number_of(request, "shift")), asked_by(request)
    store = request.app[CONSOLE].store
    way = Way.IN if form.text("way") == Way.IN else Way.OUT
    try:
        key, amount_minor = one_time_key(form), read_amount(request, form)
        if form.text("counterpart") not in tuple(Counterpart):
            raise Invalid("counterpart", N_("Choose what it is for."))
        counterpart = Counterpart(form.text("counterpart"))
        moved = await store.write(forms.move, number, way, counterpart, amount_minor, form.text("reason"), key, by)
    except AlreadyClosed:
        raise
    except Refusal as refusal:
        shift, holder = await store.read(_need_open, number, by)
        page = PayPage(shift, holder, way, again(form, refusal), key_after(form, refusal))
        return render(request, "till/pay.html", page, status=refusal.status)
    amount = formats_of(request).money(amount_minor)
    if moved.repeated:
        words = _("{amount} had been booked before; nothing was booked now.")
    elif way is Way.IN:
        words = _("{amount} was put into the drawer.")
    else:
        words = _("{amount} was taken out of the drawer.")
    return done(request, _back_to(request, await store.read(service.need, number)), words.format(amount=amount))


# --- the end ---------------------------------------------------------------------------------------------------------------


async def show_count(request: web.Request) -> web.Response:
    """`GET /till/shifts/{shift}/count`."""
    return await _count_page(request, Form())


async def count(request: web.Request) -> web.Response:
    """`POST /till/shifts/{shift}/count`: what it comes to; nothing is booked yet. With `again` the fields come back."""
    form, number, by = await read_form(request), ShiftId(number_of(request, "shift")), asked_by(request)
    try:
        if form.on("again"):
            return await _count_page(request, form)
        money = read_cash(request, form)
        return await _difference_page(request, form, number, money, by)
    except AlreadyClosed:
        raise
    except Refusal as refusal:
        return await _count_page(request, again(form, refusal), refusal.status)


async def close(request: web.Request) -> web.Response:
    """`POST /till/shifts/{shift}/close`."""
    form, number, by = await read_form(request), ShiftId(number_of(request, "shift")), asked_by(request)
    store = request.app[CONSOLE].store
    money = None
    try:
        key, money = one_time_key(form), read_cash(request, form)
        if form.on("different") and not form.text("reason"):
            raise Invalid("reason", N_("Say what you know about the difference, or that you know nothing."))
        closed = await store.write(
            forms.close, number, money, form.text("reason"), form.text("hand_to"), form.number("seen_seq"), key, by
        )
    except AlreadyClosed:
        raise
    except MovedMeanwhile as refusal:
        return await _count_page(request, again(form, refusal), refusal.status)
    except Refusal as refusal:
        if money is None:
            return await _count_page(request, again(form, refusal), refusal.status)
        return await _difference_page(request, again(form, refusal), number, money, by, refusal.status)
    location = f"/till/shifts/{closed.shift}"
    if closed.repeated:
        return done(request, location, _("The shift was closed before; nothing was booked now."), "waiting")
    shift = await store.read(service.need, closed.shift)
    words = _("The shift is closed: Z report {number}.").format(number=shift.z_number)
    return done(request, location, words)


async def _count_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    figures, holder = await request.app[CONSOLE].store.read(
        _open_figures, number_of(request, "shift"), asked_by(request)
    )
    page = CountPage(
        figures.shift, holder, pieces_of(request, form), form, takings_of(figures, formats_of(request))
    )  # fmt: skip
    return render(request, "till/count.html", page, status=status)


async def _difference_page(
    request: web.Request, form: Form, number: ShiftId, money: Cash, by: By, status: int = 200
) -> web.Response:
    figures, holder, seen_seq, successors, sees = await request.app[CONSOLE].store.write(_counted, number, money, by)
    fields = [(name, value) for name, value in form.values.items() if name[:1] == "n" and name[1:].isdecimal()]
    fields += [("amount_minor", form.value("amount_minor"))] if not fields else []
    expected_minor = figures.expected_minor if sees else None
    over_minor = 0 if expected_minor is None else money.minor - expected_minor
    page = DifferencePage(
        figures.shift, holder, form, fields, key_of(form), seen_seq, money.minor, expected_minor, over_minor, successors
    )
    return render(request, "till/difference.html", page, status=status)


def key_of(form: Form) -> str:
    """That of the form that comes back, else a new one."""
    return form.text("key") or new_key()


def _counted(
    db: Database, number: ShiftId, money: Cash, by: By
) -> tuple[Figures, str, int, list[tuple[str, str]], bool]:
    figures = service.record_count(db, number, money, by)
    return (
        figures,
        operators.names(db).get(figures.shift.actor, ""),
        rows.last_seq(db, figures.shift),
        service.successors(db, figures.shift),
        service.sees_expected(db, by.actor),
    )


# --- all of them -----------------------------------------------------------------------------------------------------------


async def show_list(request: web.Request) -> web.Response:
    """`GET /till/shifts?before=`: cashiers see their own."""
    before = read_number(request.query.get("before", ""))
    actor = principal(request).actor
    console, fmt = request.app[CONSOLE], formats_of(request)
    running, over, is_manager = await console.store.read(_page, actor, before)
    methods: list[Method] = []
    today: list[TodayRow] = []
    if is_manager and before is None:
        since_ms = day_bounds(day_of(console.clock(), console.site.zone), console.site.zone)[0]
        methods, today = await console.store.read(_today, since_ms)
    page = ListPage(
        [_row(one, fmt) for one in running],
        [_(METHODS[method]) for method in methods],
        today,
        [_row(one, fmt) for one in over[:ROWS_AT_ONCE]],
        is_manager,
        query(request, before=str(over[ROWS_AT_ONCE - 1][0].shift.id)) if len(over) > ROWS_AT_ONCE else "",
        query(request, before="") if before is not None else "",
    )
    return render(request, "till/shifts.html", page)


Listed = tuple[Figures, str, bool]


def _page(db: Readable, actor: str, before: int | None) -> tuple[list[Listed], list[Listed], bool]:
    is_manager, names = authority.is_manager(db, actor), operators.names(db)
    sees = service.sees_expected(db, actor)
    whose = "" if is_manager else actor
    running = [one for one in rows.every_open(db) if is_manager or one.actor == actor]
    over = [one for one in rows.page(db, actor=whose, before=before, limit=ROWS_AT_ONCE + 1) if not one.is_open]
    shown = [
        [(service.figures(db, one), names.get(one.actor, one.actor), sees) for one in some] for some in (running, over)
    ]
    return shown[0], shown[1], is_manager


def _today(db: Readable, since_ms: int) -> tuple[list[Method], list[TodayRow]]:
    taken, names = receipts.taken_since(db, since_ms), operators.names(db)
    used = [method for method in Method if any(method in one for one in taken.values())]
    rows_of = [
        TodayRow(names.get(actor, actor), [one.get(method, 0) for method in used], sum(one.values()))
        for actor, one in taken.items()
    ]
    return used, sorted(rows_of, key=lambda one: one.name)


def _row(listed: Listed, fmt: Formats) -> Row:
    figures, holder, sees = listed
    return Row(
        figures.shift, holder, takings_of(figures, fmt), figures.expected_minor if sees else None,
        figures.difference_minor if sees else None,
    )  # fmt: skip


# --- helpers ---------------------------------------------------------------------------------------------------------------


def _need_open(db: Readable, number: int, by: By) -> tuple[Shift, str]:
    shift = service.need_open(db, number, by)
    return shift, operators.names(db).get(shift.actor, shift.actor)


def _open_figures(db: Readable, number: int, by: By) -> tuple[Figures, str]:
    shift, holder = _need_open(db, number, by)
    return service.figures(db, shift), holder


def unless_over(view: View) -> View:
    """A view of a shift that goes on; one that was closed before is shown as it ended, and a sentence says so."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await view(request)
        except AlreadyClosed as refusal:
            return done(request, f"/till/shifts/{number_of(request, 'shift')}", sentences(refusal)[0], "waiting")

    return guarded


def _back_to(request: web.Request, shift: Shift) -> str:
    """To the till of whoever has it; a manager goes back to the shift."""
    return "/till" if shift.actor == principal(request).actor else f"/till/shifts/{shift.id}"


PAGE = Page(
    routes=[
        web.get("/till/open", show_open),
        web.post("/till/open", open_shift),
        web.get("/till/shifts", show_list),
        web.get("/till/shifts/{shift}/pay", unless_over(show_pay)),
        web.post("/till/shifts/{shift}/pay", unless_over(pay)),
        web.get("/till/shifts/{shift}/count", unless_over(show_count)),
        web.post("/till/shifts/{shift}/count", unless_over(count)),
        web.post("/till/shifts/{shift}/close", unless_over(close)),
    ]
)
