"""Vouchers at the till: sold for money, and redeemed into somebody's wallet.

Each form carries a key made when it was shown, so that a double click, a reload and the back button do it once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.db.vouchers import Voucher
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.services.people import people
from appliance.services.till.drawers import NeedsShift
from appliance.services.vouchers import forms, vouchers
from appliance.services.vouchers.codes import Asked
from appliance.services.vouchers.vouchers import Moved
from appliance.services.wallets import wallets
from appliance.ui.console.wallets.wallets import (
    again,
    key_after,
    method_choices,
    new_key,
    one_time_key,
    shift_first,
)
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.way_back import then_of, with_query
from appliance.ui.frame import voucher_codes
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _, ngettext
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.voucher_codes import beside_code, read_voucher
from appliance.ui.wording.sessions import IN_METHODS
from appliance.ui.writing.formats import Formats

FOUND_MAX = 20


@dataclass(frozen=True, slots=True)
class SellPage:
    """The form, and the receipt of what was sold just now."""

    form: Form
    key: str
    methods: list[tuple[str, str]]
    receipt: int | None
    """Of the only one, or the first of several."""
    then: str
    """Where one came from, and goes on."""
    sentence: str = ""
    """What will be sold, once it is confirmed; "" before."""


@dataclass(frozen=True, slots=True)
class RedeemPage:
    """A code for somebody."""

    person: Person
    form: Form
    key: str


@dataclass(frozen=True, slots=True)
class WhosePage:
    """Whose wallet it goes into."""

    query: str
    people: list[Person]


async def show_sell(request: web.Request) -> web.Response:
    """`GET /vouchers/sell?number=12-7&method=cash&receipt=123`."""
    receipt, known = (
        read_number(request.query.get("receipt", "")),
        {"code": "number", "method": "method", "count": "count"},
    )
    form = Form({field: request.query[name] for field, name in known.items() if request.query.get(name)})
    return render(request, "vouchers/sell.html", SellPage(form, new_key(), method_choices(), receipt, then_of(request)))


async def sell(request: web.Request) -> web.Response:
    """`POST /vouchers/sell`: money comes in at once."""
    form, console, fmt = await read_form(request), request.app[CONSOLE], formats_of(request)
    asked = None
    try:
        key, asked = one_time_key(form), await read_voucher(request, form.text("code"))
        count, method = form.number("count") if form.text("count") else 1, str(wallets.method_of(form.text("method")))
        if count > 1 and not form.on("confirmed"):
            papers = await console.store.read(vouchers.for_sale, asked, count, console.clock())
            named = Form({**form.values, "code": papers[0].name})  # A code need not stand in another page.
            page = SellPage(
                named, key, method_choices(), None, then_of(request, form), _for_sale_sentence(papers, method, fmt)
            )
            return render(request, "vouchers/sell.html", page)
        sold = await console.store.write(forms.sell, asked, count, method, key, asked_by(request))
    except Refusal as refusal:
        refused = await _refused_sale(request, form, refusal, asked)
        page = SellPage(refused, key_after(form, refusal), method_choices(), None, then_of(request, form))
        return render(request, "vouchers/sell.html", page, status=refusal.status)
    sentence, then, receipt = _sold_sentence(sold, method, fmt), then_of(request, form), sold[0].receipt
    if form.value("print") and len(sold) == 1:
        return done(request, with_query(f"/receipts/{receipt}", print="1", back=then or "/vouchers/sell"), sentence)
    return done(request, then or f"/vouchers/sell?receipt={receipt}", sentence)


async def show_whose(request: web.Request) -> web.Response:
    """`GET /vouchers/redeem?q=`: first, whose wallet it goes into."""
    query = request.query.get("q", "").strip()
    found = (
        await request.app[CONSOLE].store.read(people_search.people_after, text=query, after=0, limit=FOUND_MAX)
        if query
        else []
    )
    return render(request, "vouchers/whose.html", WhosePage(query, found))


async def show_redeem(request: web.Request) -> web.Response:
    """`GET /people/{person}/voucher`."""
    return render(request, "vouchers/redeem.html", RedeemPage(await _person(request), Form(), new_key()))


async def redeem(request: web.Request) -> web.Response:
    """`POST /people/{person}/voucher`."""
    form, console, fmt = await read_form(request), request.app[CONSOLE], formats_of(request)
    person = await _person(request)
    try:
        key, asked = one_time_key(form), await read_voucher(request, form.text("code"), code_only=True)
        redeemed = await console.store.write(forms.redeem, asked, person.id, key, asked_by(request))
    except Refusal as refusal:
        page = RedeemPage(person, again(form, beside_code(refusal)), key_after(form, refusal))
        return render(request, "vouchers/redeem.html", page, status=refusal.status)
    now = await _person(request)
    words = (
        _("This voucher was redeemed for {name} before; nothing was booked now. The balance is {balance} now.")
        if redeemed.repeated
        else _("A voucher of {amount} was redeemed for {name}. The balance is {balance} now.")
    )
    sentence = words.format(
        amount=fmt.money(redeemed.amount_minor), name=person.name, balance=fmt.money(now.balance_minor)
    )
    return done(request, f"/people/{person.id}", sentence, "waiting" if redeemed.repeated else "done")


def _for_sale_sentence(papers: Sequence[Voucher], method: str, fmt: Formats) -> str:
    sentence = ngettext(
        "{number} voucher, {first} to {last}, for {amount}, {method}.",
        "{number} vouchers, {first} to {last}, for {amount}, {method}.",
        len(papers),
    )
    return sentence.format(
        number=fmt.number(len(papers)), first=papers[0].name, last=papers[-1].name,
        amount=fmt.money(sum(one.amount_minor for one in papers)), method=_(IN_METHODS[method]),
    )  # fmt: skip


def _sold_sentence(sold: Sequence[Moved], method: str, fmt: Formats) -> str:
    if len(sold) == 1:
        return _("Voucher {number} was sold for {amount}, {method}.").format(
            number=sold[0].name, amount=fmt.money(sold[0].amount_minor), method=_(IN_METHODS[method])
        )
    return _("Vouchers {first} to {last} were sold for {amount}, {method}: receipts {begin} to {end}.").format(
        first=sold[0].name, last=sold[-1].name, amount=fmt.money(sum(one.amount_minor for one in sold)),
        method=_(IN_METHODS[method]), begin=sold[0].receipt, end=sold[-1].receipt,
    )  # fmt: skip


async def _refused_sale(request: web.Request, form: Form, refusal: Refusal, asked: Asked | None) -> Form:
    if asked is None or not isinstance(refusal, NeedsShift):
        return again(form, beside_code(refusal))
    # Its code is not for the address bar, and its number is enough to sell it.
    found = await request.app[CONSOLE].store.read(vouchers.need, asked)
    return shift_first(
        again(form, refusal),
        refusal,
        with_query(request.path, number=found.name, then=then_of(request, form)),
        ("method", "count"),
    )


async def _person(request: web.Request) -> Person:
    return await request.app[CONSOLE].store.read(people.need, PersonId(number_of(request, "person")))


PAGE = Page(
    routes=[
        web.get("/vouchers/sell", show_sell),
        web.post("/vouchers/sell", sell),
        web.get("/vouchers/redeem", show_whose),
        web.get("/people/{person}/voucher", show_redeem),
        web.post("/people/{person}/voucher", redeem),
    ],
    install=voucher_codes.install,
)
