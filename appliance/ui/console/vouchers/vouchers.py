"""Vouchers: the list, each one with what has become of it, and what managers do with one."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import ledger, operators
from appliance.db import vouchers as rows
from appliance.db.engine.protocols import Readable
from appliance.db.vouchers import Batch, Voucher
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import BatchId, VoucherId
from appliance.domain.ledger import VOUCHERS
from appliance.domain.voucher import OVER, VoucherState
from appliance.services.vouchers import batches, forms, vouchers
from appliance.services.vouchers.codes import Asked
from appliance.ui.console.wallets.wallets import (
    again,
    key_after,
    method_choices,
    new_key,
    one_time_key,
    shift_first,
)
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.listing import query
from appliance.ui.forms.way_back import typed_before
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.voucher_codes import beside_code, read_voucher
from appliance.ui.wording.sessions import IN_METHODS
from appliance.ui.wording.vouchers import STATES, State, sentence_of, state_of

ROWS_AT_ONCE = 50
TYPED = ("method",)
"""What somebody chooses before one is voided."""


@dataclass(frozen=True, slots=True)
class Line:
    """One voucher in the list."""

    voucher: Voucher
    state: State


@dataclass(frozen=True, slots=True)
class Listed:
    """What the list shows, read in one go."""

    vouchers: list[Voucher]
    batch: Batch | None
    owed_minor: int


@dataclass(frozen=True, slots=True)
class ListPage:
    """The newest first."""

    lines: list[Line]
    owed_minor: int
    """For vouchers that were sold and that nobody has used."""
    state: str
    states: list[tuple[str, str]]
    batch: Batch | None
    form: Form
    older: str
    newest: str


@dataclass(frozen=True, slots=True)
class VoucherPage:
    """One voucher."""

    voucher: Voucher
    state: State
    standing: str
    names: dict[str, str]
    """Of the staff."""
    can_be_voided: bool
    can_be_written_off: bool
    key: str


@dataclass(frozen=True, slots=True)
class VoidPage:
    """Before one is voided: what will happen, and how the money goes back."""

    voucher: Voucher
    form: Form
    key: str
    methods: list[tuple[str, str]]
    """[]: nobody had paid for it."""


@dataclass(frozen=True, slots=True)
class WriteOffPage:
    """Before an owner keeps what was paid for one."""

    voucher: Voucher


async def show_list(request: web.Request) -> web.Response:
    """`GET /vouchers?state=&batch=&before=`."""
    return await _list(request, Form())


async def find(request: web.Request) -> web.Response:
    """`POST /vouchers/find`: by its number or its code, which is not for the address bar."""
    form = await read_form(request)
    try:
        found = await request.app[CONSOLE].store.read(vouchers.need, await read_voucher(request, form.text("code")))
    except Refusal as refusal:
        return await _list(request, form.refused(beside_code(refusal)), refusal.status)
    return web.Response(status=303, headers={"Location": f"/vouchers/{found.id}"})


async def show(request: web.Request) -> web.Response:
    """`GET /vouchers/{voucher}`."""
    voucher = VoucherId(number_of(request, "voucher"))
    found, names = await request.app[CONSOLE].store.read(_read, voucher)
    is_owed = found.state is VoucherState.EXPIRED and found.sold_at_ms is not None
    page = VoucherPage(
        found, state_of(found), sentence_of(found), names,
        can_be_voided=found.state not in OVER, can_be_written_off=is_owed, key=new_key(),
    )  # fmt: skip
    return render(request, "vouchers/voucher.html", page)


async def show_void(request: web.Request) -> web.Response:
    """`GET /vouchers/{voucher}/void`."""
    return await _void_page(request, typed_before(request, TYPED), new_key())


async def void(request: web.Request) -> web.Response:
    """`POST /vouchers/{voucher}/void`."""
    voucher, form = VoucherId(number_of(request, "voucher")), await read_form(request)
    console, fmt = request.app[CONSOLE], formats_of(request)
    found = await console.store.read(vouchers.need_by_id, voucher)
    try:
        asked = Asked(number=(found.batch_id, found.number))
        moved = await console.store.write(forms.void, asked, form.text("method"), one_time_key(form), asked_by(request))
    except Refusal as refusal:
        refused = shift_first(again(form, refusal), refusal, request.path, TYPED)
        return await _void_page(request, refused, key_after(form, refusal), refusal.status)
    if moved.receipt is None:
        return done(request, f"/vouchers/{voucher}", _("Voucher {number} is void.").format(number=moved.name))
    words = _("Voucher {number} is void, and {amount} went back {method}: credit note {receipt}.")
    method = form.text("method")
    sentence = words.format(
        number=moved.name, amount=fmt.money(moved.amount_minor), receipt=moved.receipt,
        method=_(IN_METHODS[method]) if method in IN_METHODS else "",
    )  # fmt: skip
    return done(request, f"/vouchers/{voucher}", sentence)


async def show_write_off(request: web.Request) -> web.Response:
    """`GET /vouchers/{voucher}/write-off`."""
    voucher = VoucherId(number_of(request, "voucher"))
    found = await request.app[CONSOLE].store.read(vouchers.need_by_id, voucher)
    return render(request, "vouchers/write_off.html", WriteOffPage(found))


async def write_off(request: web.Request) -> web.Response:
    """`POST /vouchers/{voucher}/write-off`."""
    voucher = VoucherId(number_of(request, "voucher"))
    moved = await request.app[CONSOLE].store.write(vouchers.write_off, voucher, asked_by(request))
    sentence = _("{amount} of voucher {number} is the site's now.").format(
        amount=formats_of(request).money(moved.amount_minor), number=moved.name
    )
    return done(request, f"/vouchers/{voucher}", sentence)


async def release(request: web.Request) -> web.Response:
    """`POST /vouchers/{voucher}/release`."""
    voucher = VoucherId(number_of(request, "voucher"))
    await request.app[CONSOLE].store.write(vouchers.release, voucher, asked_by(request))
    return done(request, f"/vouchers/{voucher}", _("It is no longer held."))


async def _list(request: web.Request, form: Form, status: int = 200) -> web.Response:
    wanted = request.query.get("state", "")
    state = VoucherState(wanted) if wanted in list(VoucherState) else None
    batch, before = read_number(request.query.get("batch", "")), read_number(request.query.get("before", ""))
    found = await request.app[CONSOLE].store.read(_read_list, state, batch, before)
    shown = found.vouchers[:ROWS_AT_ONCE]
    page = ListPage(
        [Line(one, state_of(one)) for one in shown],
        found.owed_minor,
        str(state or ""),
        [("", _("all vouchers")), *((str(each), _(word.word)) for each, word in STATES.items())],
        found.batch,
        form,
        query(request, before=str(shown[-1].id)) if len(found.vouchers) > ROWS_AT_ONCE else "",
        query(request, before="") if before is not None else "",
    )
    return render(request, "vouchers/list.html", page, status=status)


async def _void_page(request: web.Request, form: Form, key: str, status: int = 200) -> web.Response:
    voucher = VoucherId(number_of(request, "voucher"))
    found = await request.app[CONSOLE].store.read(vouchers.need_by_id, voucher)
    page = VoidPage(found, form, key, method_choices() if found.sold_at_ms is not None else [])
    return render(request, "vouchers/void.html", page, status=status)


def _read(db: Readable, voucher: VoucherId) -> tuple[Voucher, dict[str, str]]:
    return vouchers.need_by_id(db, voucher), operators.names(db)


def _read_list(db: Readable, state: VoucherState | None, batch: int | None, before: int | None) -> Listed:
    about = batches.need(db, BatchId(batch)) if batch is not None else None
    found = rows.page(db, state=state, batch=batch, before=before, limit=ROWS_AT_ONCE + 1)
    return Listed(found, about, ledger.balance(db, VOUCHERS).balance_minor)


PAGE = Page(
    routes=[
        web.get("/vouchers", show_list),
        web.post("/vouchers/find", find),
        web.get("/vouchers/{voucher}", show),
        web.get("/vouchers/{voucher}/void", show_void),
        web.post("/vouchers/{voucher}/void", void),
        web.get("/vouchers/{voucher}/write-off", show_write_off),
        web.post("/vouchers/{voucher}/write-off", write_off),
        web.post("/vouchers/{voucher}/release", release),
    ]
)
