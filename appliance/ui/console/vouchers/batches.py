"""Batches of vouchers: the form that makes one, the sheet that is printed once, and what is left of it.

The sheet is the answer to the form itself. Sent again with its key (a reload, another paper) it shows the same codes as long as they
are kept; after that nobody can show them any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web
from markupsafe import Markup

from appliance.db import operators
from appliance.db import vouchers as rows
from appliance.db.engine.protocols import Readable
from appliance.db.vouchers import Batch
from appliance.domain.calendar import day_bounds
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import BatchId
from appliance.domain.paper_code import grouped
from appliance.domain.voucher import COUNT_MAX, VoucherState, printed_number
from appliance.services.vouchers import batches, codes, forms
from appliance.services.vouchers.batches import NewBatch
from appliance.ui.console.wallets.wallets import again, key_after, new_key, one_time_key, read_amount
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.listing import query
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import LANGUAGES, N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording.vouchers import STATES, State
from appliance.ui.writing.days import read_day
from appliance.ui.writing.qr import secret_qr_code

T = TypeVar("T")

ROWS_AT_ONCE = 20
PAPERS = {"a4": N_("A4"), "80": N_("80 mm")}
FIELDS = ("count", "amount_minor", "expires", "kind", "note")
KINDS = {"sale": N_("for sale"), "gift": N_("given away")}


@dataclass(frozen=True, slots=True)
class NewPage:
    """The form."""

    form: Form
    key: str
    most: int


@dataclass(frozen=True, slots=True)
class Words:
    """What stands on the paper, in one language."""

    tongue: str
    title: str
    amount: str
    until: str
    site: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One voucher as it is printed."""

    number: str
    code: str
    picture: Markup


@dataclass(frozen=True, slots=True)
class SheetPage:
    """All vouchers of a batch, to be printed now."""

    batch: Batch
    papers: list[Paper]
    """[]: it is too late for the codes."""
    words: list[Words]
    paper: str
    choices: list[tuple[str, str]]
    form: Form
    key: str
    fields: tuple[str, ...] = field(default=FIELDS)


@dataclass(frozen=True, slots=True)
class Listed:
    """A batch, and how many of its vouchers are in each state."""

    batch: Batch
    states: list[tuple[str, State, int]]
    by: str


@dataclass(frozen=True, slots=True)
class BatchesPage:
    """The newest first."""

    batches: list[Listed]
    older: str
    newest: str


@dataclass(frozen=True, slots=True)
class BatchPage:
    """One batch."""

    listed: Listed
    unsold: int


async def show_list(request: web.Request) -> web.Response:
    """`GET /vouchers/batches?before=`."""
    before = read_number(request.query.get("before", ""))
    found = await request.app[CONSOLE].store.read(_read_list, before)
    shown = found[:ROWS_AT_ONCE]
    older = query(request, before=str(shown[-1].batch.id)) if len(found) > ROWS_AT_ONCE else ""
    newest = query(request, before="") if before is not None else ""
    return render(request, "vouchers/batches.html", BatchesPage(shown, older, newest))


async def show(request: web.Request) -> web.Response:
    """`GET /vouchers/batches/{batch}`."""
    return render(request, "vouchers/batch.html", await _batch_page(request))


async def show_void(request: web.Request) -> web.Response:
    """`GET /vouchers/batches/{batch}/void`."""
    return render(request, "vouchers/void_rest.html", await _batch_page(request))


async def void_rest(request: web.Request) -> web.Response:
    """`POST /vouchers/batches/{batch}/void`: what nobody has bought."""
    batch = BatchId(number_of(request, "batch"))
    count = await request.app[CONSOLE].store.write(batches.void_rest, batch, asked_by(request))
    words = language.ngettext("{number} voucher is void.", "{number} vouchers are void.", count)
    return done(request, f"/vouchers/batches/{batch}", words.format(number=formats_of(request).number(count)))


async def show_new(request: web.Request) -> web.Response:
    """`GET /vouchers/new`."""
    return render(request, "vouchers/new.html", NewPage(Form(), new_key(), COUNT_MAX))


async def make(request: web.Request) -> web.Response:
    """`POST /vouchers/new`: makes them, and answers with the sheet."""
    form, console = await read_form(request), request.app[CONSOLE]
    try:
        key = one_time_key(form)
        new = _new_batch(request, form)
        printed = await asyncio.to_thread(codes.print_codes, console.vault, form.number("count"))
        batch = await console.store.write(forms.make, new, printed, key, asked_by(request))
    except Refusal as refusal:
        again_page = NewPage(again(form, refusal), key_after(form, refusal), COUNT_MAX)
        return render(request, "vouchers/new.html", again_page, status=refusal.status)
    found, kept = await console.store.read(_read_sheet, batch, console.clock())
    papers = await asyncio.to_thread(_drawn, found, codes.open_codes(console.vault, kept)) if kept is not None else []
    paper = form.text("paper") if form.text("paper") in PAPERS else "a4"
    choices = [(value, _(word)) for value, word in PAPERS.items()]
    page = SheetPage(found, papers, _in_all_languages(request, found), paper, choices, form, key)
    return render(request, "vouchers/sheet.html", page)


def _new_batch(request: web.Request, form: Form) -> NewBatch:
    kind = form.text("kind")
    if kind not in KINDS:
        raise Invalid("kind", N_("Choose whether they are for sale or given away."))
    return NewBatch(read_amount(request, form), kind == "gift", _expiry(request, form), form.text("note"))


def _expiry(request: web.Request, form: Form) -> int | None:
    """The end of the last day on which they can be redeemed; None: for ever."""
    if not form.text("expires"):
        return None
    day = read_day(form.text("expires"))
    if day is None:
        raise Invalid("expires", N_("This is no day."), N_("Write it as year-month-day."))
    expires_at_ms = day_bounds(day, request.app[CONSOLE].site.zone)[1]
    if expires_at_ms <= request.app[CONSOLE].clock():
        raise Invalid("expires", N_("This day is over already."))
    return expires_at_ms


def _drawn(batch: Batch, found: list[str]) -> list[Paper]:
    return [
        Paper(printed_number(batch.id, number), grouped(code), secret_qr_code(code))
        for number, code in enumerate(found, start=1)
    ]


def _in_all_languages(request: web.Request, batch: Batch) -> list[Words]:
    """The site's own first: whoever holds the paper may read any of them."""
    own = request.app[CONSOLE].site.language
    return [spoken(tongue, lambda: _words(request, batch)) for tongue in sorted(LANGUAGES, key=lambda one: one != own)]


def spoken(tongue: str, words: Callable[[], T]) -> T:
    """What is said in another language than the page's."""
    before = language.spoken()
    language.speak(tongue)
    try:
        return words()
    finally:
        language.speak(before)


def _words(request: web.Request, batch: Batch) -> Words:
    fmt = formats_of(request)
    until = (
        _("Good once, until the end of {day}.").format(day=fmt.day(batch.expires_at_ms - 1))
        if batch.expires_at_ms is not None
        else _("Good once, at any time.")
    )
    return Words(
        language.spoken(),
        _("Voucher for charging"),
        fmt.money(batch.amount_minor),
        until,
        request.app[CONSOLE].site.name,
    )


async def _batch_page(request: web.Request) -> BatchPage:
    listed = await request.app[CONSOLE].store.read(_read_one, BatchId(number_of(request, "batch")))
    return BatchPage(listed, next((count for name, _state, count in listed.states if name == VoucherState.MADE), 0))


def _read_list(db: Readable, before: int | None) -> list[Listed]:
    names = operators.names(db)
    return [_listed(db, batch, names) for batch in rows.batches(db, before=before, limit=ROWS_AT_ONCE + 1)]


def _read_one(db: Readable, batch: BatchId) -> Listed:
    return _listed(db, batches.need(db, batch), operators.names(db))


def _read_sheet(db: Readable, batch: BatchId, now_ms: int) -> tuple[Batch, bytes | None]:
    return batches.need(db, batch), rows.sheet(db, batch, now_ms)


def _listed(db: Readable, batch: Batch, names: dict[str, str]) -> Listed:
    counts = rows.states_of(db, batch.id)
    states = [(str(state), word, counts[state]) for state, word in STATES.items() if counts.get(state)]
    return Listed(batch, states, names.get(batch.actor, ""))


PAGE = Page(
    routes=[
        web.get("/vouchers/batches", show_list),
        web.get("/vouchers/batches/{batch}", show),
        web.get("/vouchers/batches/{batch}/void", show_void),
        web.post("/vouchers/batches/{batch}/void", void_rest),
        web.get("/vouchers/new", show_new),
        web.post("/vouchers/new", make),
    ]
)
