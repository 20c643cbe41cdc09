"""Money of one person, at the desk: top up, pay out, correct.

Each form carries a key made when it was shown, so that a double click, a reload and the back button move money once.
What is dangerous is said in a sentence first and done by a second button.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace

from aiohttp import web

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.people import groups
from appliance.db.people.people import Person
from appliance.domain.approval import ApprovalKind
from appliance.domain.authorization import Policy
from appliance.domain.errors import Invalid, Refusal, TooLittleMoney
from appliance.domain.identifiers import PersonId
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.domain.tariff import Tariff, Usage, affordable_wh, price
from appliance.services.approvals import approvals
from appliance.services.approvals.second_person import NeedsSecondPerson
from appliance.services.idempotency import KeyReused
from appliance.services.people.people import HereAlready, account_of, need
from appliance.services.till.drawers import NeedsShift
from appliance.services.wallets import form_bookings, notices, undo, wallets
from appliance.services.wallets.form_bookings import Moved
from appliance.ui.console.people.entered import turned_back
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.way_back import THEN, inside, then_of, typed_before, with_query
from appliance.ui.frame.context import CONSOLE, asked_by, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.roles import may
from appliance.ui.wording.people import who_words
from appliance.ui.wording.sessions import IN_METHODS, METHODS

PRESET_KWH = (10, 25, 50, 100)
PRESETS_WITHOUT_PRICE = (10, 20, 50, 100)
"""Major units, where nothing has a price yet."""
PRESET_STEPS = (1, 2, 5)
KEY_CHARS_MAX = 64
TYPED = ("preset", "amount_minor", "method", "note", THEN)
"""What somebody types in these forms."""
OPENS_SHIFT = "opens_shift"
"""Among what is wrong with a form: the link to what is needed first."""


@dataclass(frozen=True, slots=True)
class Buys:
    """What a wallet is good for."""

    person: Person
    account: Person
    """Who pays for them: themselves, or the pool that they are in."""
    tariff: Tariff | None
    energy_wh: int | None
    """None: nothing limits it, or nobody knows."""
    low: bool
    """There is so little left that they should be told."""


@dataclass(frozen=True, slots=True)
class MoneyForm:
    """What every form that moves money shows."""

    form: Form
    key: str
    presets: list[tuple[str, str]]
    """Amounts as they are sent, and as they are read."""
    methods: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TopUpPage:
    """The form on a page of its own, after a mistake."""

    person: Person
    money: MoneyForm
    then: str
    """The page that waits for it; "": the person's."""


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """Refund or correction: first the form, then what it will do."""

    person: Person
    form: Form
    key: str
    methods: list[tuple[str, str]]
    sentence: str
    """What will happen; "" while the form is filled in."""
    button: str
    then: str = ""
    """The page that waits for it; "": the person's."""


async def show_top_up(request: web.Request) -> web.Response:
    """`GET /people/{person}/topup`."""
    buys = await _buys(request)
    page = TopUpPage(buys.person, money_form(request, buys.tariff, typed_before(request, TYPED)), then_of(request))
    return turned_back(request, buys.person) or render(request, "wallets/topup.html", page)


async def top_up(request: web.Request) -> web.Response:
    """`POST /people/{person}/topup`: moves the money at once; it is money that came in."""
    person, form = number_of(request, "person"), await read_form(request)
    console = request.app[CONSOLE]
    try:
        amount_minor = read_choice(request, form)
        moved = await console.store.write(
            form_bookings.top_up, PersonId(person), amount_minor, form.text("method"), form.text("note"), one_time_key(form),
            asked_by(request),
        )  # fmt: skip
    except NeedsSecondPerson:
        return await _ask(request, form, ApprovalKind.TOPUP, read_choice(request, form))
    except Refusal as refusal:
        buys = await _buys(request)
        refused = shift_first(again(form, refusal), refusal, request.path, TYPED)
        money = money_form(request, buys.tariff, refused, key_after(form, refusal))
        page = TopUpPage(buys.person, money, then_of(request, form))
        return render(request, "wallets/topup.html", page, status=refusal.status)
    found = (await _buys(request)).account
    fmt = formats_of(request)
    words = (
        _("{amount} {method} for {name} had been booked before; nothing was booked now. The balance is {balance} now.")
        if moved.repeated
        else _("{amount} {method} for {name}. The balance is {balance} now.")
    )
    sentence = words.format(
        amount=fmt.money(amount_minor),
        method=_(IN_METHODS[form.text("method")]),
        name=found.name,
        balance=fmt.money(moved.balance_minor),
    )
    return _done(request, person, sentence, moved, form)


async def undo_top_up(request: web.Request) -> web.Response:
    """`POST /people/{person}/undo`: what was just topped up goes back where it came from."""
    person, form = number_of(request, "person"), await read_form(request)
    note = await request.app[CONSOLE].store.write(undo.undo, form.number("receipt"), asked_by(request))
    found = (await _buys(request)).person
    sentence = _("The top-up was taken back; credit note {number}. The balance is {balance} now.")
    balance = formats_of(request).money(found.balance_minor)
    return done(request, _next(request, form, person), sentence.format(number=note, balance=balance))


async def show_refund(request: web.Request) -> web.Response:
    """`GET /people/{person}/refund`: all that is free, unless something else is typed."""
    found = (await _buys(request)).person
    free_minor = found.payable_minor
    typed = typed_before(request, TYPED)
    if free_minor and not typed.text("amount_minor"):
        typed = replace(typed, values={**typed.values, "amount_minor": format_amount(free_minor, currency_of(request))})
    return render(request, "wallets/refund.html", _confirm_page(found, typed, new_key()))


async def refund(request: web.Request) -> web.Response:
    """`POST /people/{person}/refund`: says what will happen, and does it when it is sent again with `confirmed`."""
    person, form = number_of(request, "person"), await read_form(request)
    console, fmt = request.app[CONSOLE], formats_of(request)
    found = (await _buys(request)).person
    try:
        key = one_time_key(form)
        amount_minor = read_amount(request, form)
        method = wallets.method_of(form.text("method"))
        if not form.on("confirmed"):
            wallets.check_refund(found, amount_minor)
            sentence = _("{amount} goes out {method} to {name}. The balance becomes {balance}.").format(
                amount=fmt.money(amount_minor),
                method=_(IN_METHODS[method]),
                name=found.name,
                balance=fmt.money(found.balance_minor - amount_minor),
            )
            button = _("Pay out {amount}").format(amount=fmt.money(amount_minor))
            return render(request, "wallets/refund.html", _confirm_page(found, form, key, sentence, button))
        moved = await console.store.write(
            form_bookings.refund, PersonId(person), amount_minor, str(method), form.text("note"), key, asked_by(request)
        )
    except NeedsSecondPerson:
        return await _ask(request, form, ApprovalKind.REFUND, read_amount(request, form))
    except Refusal as refusal:
        refused = shift_first(again(form, _beside_amount(refusal)), refusal, request.path, TYPED)
        page = _confirm_page(found, refused, key_after(form, refusal))
        return render(request, "wallets/refund.html", page, status=refusal.status)
    words = (
        _("{amount} had been paid out to {name} before; nothing was booked now. The balance is {balance} now.")
        if moved.repeated
        else _("{amount} was paid out to {name}. The balance is {balance} now.")
    )
    sentence = words.format(amount=fmt.money(amount_minor), name=found.name, balance=fmt.money(moved.balance_minor))
    return _done(request, person, sentence, moved, form)


async def show_correction(request: web.Request) -> web.Response:
    """`GET /people/{person}/correction?session=`: with a session, its number stands in the reason already."""
    found = (await _buys(request)).person
    session = read_number(request.query.get("session", ""))
    reason = "" if session is None else _("Session {number}: ").format(number=formats_of(request).number(session))
    return render(request, "wallets/correction.html", _confirm_page(found, Form({"reason": reason}), new_key()))


async def correct(request: web.Request) -> web.Response:
    """`POST /people/{person}/correction`: like a refund, in either direction, with a reason."""
    person, form = number_of(request, "person"), await read_form(request)
    console, fmt = request.app[CONSOLE], formats_of(request)
    found = (await _buys(request)).person
    try:
        key = one_time_key(form)
        amount_minor = read_amount(request, form)
        if form.text("direction") not in ("in", "out"):
            raise Invalid("direction", N_("Choose whether the money goes in or out."))
        signed = amount_minor if form.text("direction") == "in" else -amount_minor
        if not form.text("reason"):
            raise Invalid("reason", N_("A correction needs a reason."))
        if not form.on("confirmed"):
            wallets.check_correction(found, signed)
            words = (
                _("{amount} is added to the wallet of {name}. The balance becomes {balance}.")
                if signed > 0
                else _("{amount} is taken from the wallet of {name}. The balance becomes {balance}.")
            )
            balance = fmt.money(found.balance_minor + signed)
            sentence = words.format(amount=fmt.money(amount_minor), name=found.name, balance=balance)
            page = _confirm_page(found, form, key, sentence, _("Correct the balance"))
            return render(request, "wallets/correction.html", page)
        moved = await console.store.write(
            form_bookings.correct, PersonId(person), signed, form.text("reason"), key, asked_by(request)
        )
    except NeedsSecondPerson:
        sign = 1 if form.text("direction") == "in" else -1
        return await _ask(request, form, ApprovalKind.CORRECTION, sign * read_amount(request, form))
    except Refusal as refusal:
        page = _confirm_page(found, again(form, _beside_amount(refusal)), key_after(form, refusal))
        return render(request, "wallets/correction.html", page, status=refusal.status)
    words = (
        _("This correction for {name} had been booked before; nothing was booked now. The balance is {balance} now.")
        if moved.repeated
        else _("The balance of {name} was corrected to {balance}.")
    )
    return _done(request, person, words.format(name=found.name, balance=fmt.money(moved.balance_minor)), moved, form)


# --- what a wallet is good for -------------------------------------------------------------------------------------------------


def what_it_buys(db: Readable, person: PersonId) -> Buys:
    """A person, their prices, and how far their money goes.

    Raises:
        NotFound: There is no such person.
    """
    found, account = need(db, person), account_of(db, person)
    group = groups.find(db, account.group_id)
    of_group = group.tariff_id if group is not None else None
    tariff = tariffs.default(db) if of_group is None else tariffs.find(db, of_group)
    energy_wh = None
    if account.policy != Policy.FREE and tariff is not None and account.available_minor is not None:
        energy_wh = affordable_wh(tariff, max(0, account.available_minor))
    return Buys(found, account, tariff, energy_wh, notices.is_low(db, account))


# --- pieces of forms -------------------------------------------------------------------------------------------------------


def money_form(request: web.Request, tariff: Tariff | None, form: Form, key: str = "") -> MoneyForm:
    """The pieces of a form that takes money in."""
    currency, fmt = currency_of(request), formats_of(request)
    amounts = presets(tariff, currency)
    return MoneyForm(
        form,
        key or new_key(),
        [(format_amount(amount, currency), fmt.money_short(amount)) for amount in amounts],
        method_choices(),
    )


def presets(tariff: Tariff | None, currency: Currency) -> list[int]:
    """Four amounts (minor units) that people would pay in: what 10, 25, 50 and 100 kWh cost, as a banknote's figure."""
    unit = int(10**currency.exponent)
    per_kwh_minor = price(Usage(100_000, 0), replace(tariff, flat_milli=0)).total_minor if tariff is not None else 0
    found: list[int] = []
    for kwh, fallback in zip(PRESET_KWH, PRESETS_WITHOUT_PRICE, strict=True):
        wanted = per_kwh_minor * kwh // 100 or fallback * unit
        amount = round_figure(max(wanted, unit))
        while found and amount <= found[-1]:
            amount = round_figure(amount + amount // 2 + 1)
        found.append(amount)
    return found


def round_figure(amount_minor: int) -> int:
    """The nearest of 1, 2, 5, 10, 20, 50 … to a positive amount."""
    power = 1
    while power * 10 <= amount_minor:
        power *= 10
    figures = [power * step for step in (*PRESET_STEPS, 10)]
    return min(figures, key=lambda figure: abs(figure - amount_minor))


def read_choice(request: web.Request, form: Form) -> int:
    """The amount of a form with presets: the chosen one, or what was typed beside them."""
    chosen, typed = form.text("preset"), form.text("amount_minor")
    if chosen in ("", "other"):
        return read_amount(request, form)
    if typed:
        raise Invalid("amount_minor", N_("There is an amount chosen and another one typed."), N_("Leave one of them."))
    return parse_amount(chosen, currency_of(request), field="amount_minor")


def read_amount(request: web.Request, form: Form) -> int:
    """The amount that was typed, in minor units."""
    return parse_amount(form.text("amount_minor"), currency_of(request), field="amount_minor")


def again(form: Form, refusal: Refusal) -> Form:
    """The form with what was wrong. It is asked to confirm once more."""
    values = {name: value for name, value in form.values.items() if name != "confirmed"}
    if isinstance(refusal, HereAlready):
        form = replace(form, places=[(f"/people/{one.id}", who_words(one)) for one in refusal.people])
    return replace(form, values=values).refused(refusal)


def shift_first(form: Form, refusal: Refusal, path: str, names: Collection[str]) -> Form:
    """Where a shift is needed first: the form with a link that opens one and comes back to `path` with what was typed."""
    if not isinstance(refusal, NeedsShift):
        return form
    back = with_query(path, **{name: form.text(name) for name in names})
    return form.wrong(OPENS_SHIFT, with_query("/till/open", then=back))


def key_after(form: Form, refusal: Refusal) -> str:
    """The same key as long as nothing was booked under it."""
    return new_key() if isinstance(refusal, KeyReused) or not form.text("key") else form.text("key")[:KEY_CHARS_MAX]


def one_time_key(form: Form) -> str:
    """The key that came with the form."""
    key = form.text("key")
    if not 16 <= len(key) <= KEY_CHARS_MAX:
        raise Refusal(N_("This form was not complete."), N_("Open it again and fill it in anew."))
    return key


def new_key() -> str:
    """A key for one form."""
    return secrets.token_urlsafe(18)


def method_choices() -> list[tuple[str, str]]:
    """How money comes in or goes out."""
    return [(method, _(word)) for method, word in METHODS.items()]


def currency_of(request: web.Request) -> Currency:
    """The site's currency."""
    site = request.app[CONSOLE].site
    return Currency(site.currency, site.exponent)


async def _ask(request: web.Request, form: Form, kind: ApprovalKind, amount_minor: int) -> web.Response:
    """Another person must agree first."""
    person = PersonId(number_of(request, "person"))
    wanted = {"reason": form.text("reason")} if kind is ApprovalKind.CORRECTION else {
        "method": form.text("method"), "note": form.text("note"),
    }  # fmt: skip
    await request.app[CONSOLE].store.write(
        approvals.ask, kind, person, amount_minor, wanted, one_time_key(form), asked_by(request)
    )
    text = _("Nothing was booked yet: this needs a second person. It waits under Approvals.")
    return done(request, _next(request, form, person), text, "waiting")


def _confirm_page(person: Person, form: Form, key: str, sentence: str = "", button: str = "") -> ConfirmPage:
    return ConfirmPage(person, form, key, method_choices(), sentence, button, inside(form.value(THEN)))


def _beside_amount(refusal: Refusal) -> Refusal:
    """Too little money is a word about the amount that was typed."""
    if isinstance(refusal, TooLittleMoney):
        return Invalid("amount_minor", refusal.message, refusal.advice, **refusal.values)
    return refusal


def _done(request: web.Request, person: int, sentence: str, moved: Moved, form: Form) -> web.Response:
    """On to the page that waits for it, else the person's; it says whether money moved or had moved before. Or to the paper first."""
    then = _next(request, form, person)
    if form.on("print") and moved.receipt is not None and not moved.repeated:
        return done(request, with_query(f"/receipts/{moved.receipt}", print="1", back=then), sentence)
    return done(request, then, sentence, "waiting" if moved.repeated else "done")


def _next(request: web.Request, form: Form, person: int) -> str:
    """The page that waits for the form; else the person's, or the till where they may not see that."""
    home = f"/people/{person}" if may(principal(request).role, "GET", "/people/{person}") else "/till"
    return then_of(request, form) or home


async def _buys(request: web.Request) -> Buys:
    return await request.app[CONSOLE].store.read(what_it_buys, PersonId(number_of(request, "person")))


ROUTES = [
    web.get("/people/{person}/topup", show_top_up),
    web.post("/people/{person}/topup", top_up),
    web.post("/people/{person}/undo", undo_top_up),
    web.get("/people/{person}/refund", show_refund),
    web.post("/people/{person}/refund", refund),
    web.get("/people/{person}/correction", show_correction),
    web.post("/people/{person}/correction", correct),
]
