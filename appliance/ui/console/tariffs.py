"""Tariffs: prices without tax, and what they come to. A change makes a new version; sessions keep the one they began with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from appliance.db import tariffs as rows
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.tariffs import TariffRow
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Conflict, Invalid, NotFound, Refusal
from appliance.domain.money import Currency, format_price, parse_amount, parse_price
from appliance.domain.pricing.lines import Terms
from appliance.domain.tariff import (
    IDLE_GRACE_S_MAX,
    IN_MINOR,
    PRICE_MILLI_MAX,
    PRICES,
    TAX_BASIS_POINTS_MAX,
    Tariff,
    Usage,
    price,
)
from appliance.services import tariffs
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.forms.way_back import THEN, then_of
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording import price_lines
from appliance.ui.writing.formats import Formats

EXAMPLE = Usage(energy_wh=10_000, duration_s=7200)
PERCENT = Currency("%", 2)
"""Hundredths of a percent are read like an amount with two decimals."""


@dataclass(frozen=True, slots=True)
class TariffView:
    """A tariff in words."""

    row: TariffRow
    prices: list[tuple[str, str]]
    """Prices as they are read, each with what it is for."""
    taxes: str
    """Of a tariff with lines, with its minimum and maximum."""
    example: str
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class ListPage:
    """All that are in use."""

    tariffs: list[TariffView]


@dataclass(frozen=True, slots=True)
class TariffPage:
    """One tariff, or the form for a new one (None)."""

    shown: TariffView | None
    form: Form
    example: str
    """What the prices in the form come to; "" if they cannot be read."""


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before it becomes the default or goes out of use."""

    shown: TariffView
    default: str
    form: Form


async def show_list(request: web.Request) -> web.Response:
    """`GET /tariffs`."""
    found, groups = await request.app[CONSOLE].store.read(_listed)
    return render(request, "tariffs/list.html", ListPage([_view(request, row, groups) for row in found]))


async def show_new(request: web.Request) -> web.Response:
    """`GET /tariffs/new`."""
    return render(request, "tariffs/tariff.html", TariffPage(None, Form({THEN: then_of(request)}), ""))


async def add(request: web.Request) -> web.Response:
    """`POST /tariffs/new`; with `preview` it only says what the prices come to."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        tariff = read_tariff(form, currency_of(request))
        if form.on("preview"):
            return render(request, "tariffs/tariff.html", TariffPage(None, form, example(tariff, formats_of(request))))
        await console.store.write(tariffs.add, tariff, asked_by(request))
    except Refusal as refusal:
        return render(
            request, "tariffs/tariff.html", TariffPage(None, form.refused(refusal), ""), status=refusal.status
        )
    return done(
        request, then_of(request, form) or "/tariffs", _("The tariff {name} is there.").format(name=tariff.name)
    )


async def show(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}`."""
    found = await _find(request)
    form = edits.filled(form_of(found.row.tariff, currency_of(request)).values)
    return render(request, "tariffs/tariff.html", TariffPage(found, form, found.example))


async def change(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}`: a new version takes its place."""
    console, form = request.app[CONSOLE], await read_form(request)
    number = await console.store.read(tariffs.newest_version, number_of(request, "tariff"))
    if number is None:
        return _taken_out(request, form)
    found = await _view_of(request, number)
    try:
        tariff = read_tariff(form, currency_of(request))
        if form.on("preview"):
            page = TariffPage(found, form, example(tariff, formats_of(request)))
            return render(request, "tariffs/tariff.html", page)
        await console.store.write(_store_change, number, form, currency_of(request), asked_by(request))
    except Changed as changed:
        page = TariffPage(found, edits.again(changed), "")
        return render(request, "tariffs/tariff.html", page, status=changed.status)
    except Refusal as refusal:
        page = TariffPage(found, form.refused(refusal), "")
        return render(request, "tariffs/tariff.html", page, status=refusal.status)
    return done(request, "/tariffs", _("The new prices hold for sessions that begin from now on."))


def _store_change(db: Database, number: int, form: Form, currency: Currency, by: By) -> None:
    """A unit: the prices that were changed in the form, and all others as they are now.

    Raises:
        NotFound: It went out of use between two requests.
    """
    newest = tariffs.newest_version(db, number) or number
    if _one(db, newest)[0].tariff.terms is not None:
        raise Conflict(N_("A program has given this tariff lines by now."), N_("Look at it once more."))
    now = form_of(_one(db, newest)[0].tariff, currency)
    tariffs.change(db, newest, read_tariff(edits.merged(form, now.values), currency), by)


def _taken_out(request: web.Request, form: Form) -> web.Response:
    """What was typed for a tariff that went out of use meanwhile: it can be a new one."""
    refusal = Conflict(
        N_("Somebody has taken this tariff out of use in the meantime."), N_("Save it as a new tariff, or leave it.")
    )
    return render(request, "tariffs/tariff.html", TariffPage(None, form.refused(refusal), ""), status=refusal.status)


async def show_default(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}/default`."""
    return await _ask(request, "tariffs/default.html", Form())


async def make_default(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}/default`."""
    console = request.app[CONSOLE]
    await console.store.write(tariffs.make_default, number_of(request, "tariff"), asked_by(request))
    return done(request, "/tariffs", _("It holds for all groups without a tariff of their own."))


async def show_archive(request: web.Request) -> web.Response:
    """`GET /tariffs/{tariff}/archive`."""
    return await _ask(request, "tariffs/archive.html", Form())


async def archive(request: web.Request) -> web.Response:
    """`POST /tariffs/{tariff}/archive`."""
    console = request.app[CONSOLE]
    try:
        await console.store.write(tariffs.archive, number_of(request, "tariff"), asked_by(request))
    except Refusal as refusal:
        return await _ask(request, "tariffs/archive.html", Form().refused(refusal), refusal.status)
    return done(request, "/tariffs", _("The tariff is out of use; sessions that began with it keep it."))


def read_tariff(form: Form, currency: Currency) -> Tariff:
    """The prices of a form; an empty field costs nothing.

    Raises:
        Invalid: One cannot be read; `field` says which.
    """
    milli: dict[str, Any] = {
        of: parse_price(form.text(field), currency, field=field) if form.text(field) else 0
        for of, field in IN_MINOR.items()
    }
    for of, field in IN_MINOR.items():
        if milli[of] > PRICE_MILLI_MAX:
            raise Invalid(field, N_("Enter a price of zero or more. This one is negative or too large."))
    tax = parse_amount(form.text("tax_percent"), PERCENT, field="tax_percent") if form.text("tax_percent") else 0
    if tax > TAX_BASIS_POINTS_MAX:
        raise Invalid("tax_percent", N_("Between {least} and {most}."), least=0, most=100)
    minutes = form.number("idle_grace_min") if form.text("idle_grace_min") else 0
    if not 0 <= minutes <= IDLE_GRACE_S_MAX // 60:
        raise Invalid("idle_grace_min", N_("Between {least} and {most}."), least=0, most=IDLE_GRACE_S_MAX // 60)
    return tariffs.check(Tariff(0, form.text("name"), **milli, idle_grace_s=minutes * 60, tax_basis_points=tax))


def form_of(tariff: Tariff, currency: Currency) -> Form:
    """The form that this tariff would come from; what costs nothing stays empty."""
    values = {"name": tariff.name}
    for of, field in IN_MINOR.items():
        milli = getattr(tariff, of)
        values[field] = format_price(milli, currency) if milli else ""
    values["tax_percent"] = format_price(tariff.tax_basis_points * 1000, PERCENT) if tariff.tax_basis_points else ""
    values["idle_grace_min"] = str(tariff.idle_grace_s // 60) if tariff.idle_grace_s else ""
    return Form(values)


def example(tariff: Tariff, fmt: Formats) -> str:
    """What an ordinary charge costs; by lines that is asked of the hour, and nothing is said."""
    if tariff.terms is not None:
        return ""
    return _("{energy} kWh in {duration} cost {amount}, tax included.").format(
        energy=fmt.energy(EXAMPLE.energy_wh, 0),
        duration=fmt.duration(EXAMPLE.duration_s),
        amount=fmt.money(price(EXAMPLE, tariff).total_minor),
    )


def price_words(tariff: Tariff, currency: Currency, fmt: Formats) -> list[tuple[str, str]]:
    """What costs something: the price without tax and what it is for; of lines all, in the order in which they count."""
    if tariff.terms is not None:
        return [
            (price_written(line.price_milli, currency, fmt), price_lines.what_for(line, fmt))
            for line in tariff.terms.lines
        ]
    words = {
        "energy": _("per kWh"),
        "time": _("per minute"),
        "idle": _("per minute that the place is taken after charging"),
        "flat": _("per session"),
    }
    prices = [(getattr(tariff, field), words[kind]) for kind, field in PRICES.items()]
    return [(price_written(milli, currency, fmt), word) for milli, word in prices if milli]


def taxes_and_limits(terms: Terms, fmt: Formats) -> str:
    """`plus vat 5 % · at least ৳5.00`."""
    taxes = price_lines.taxes_in_words(terms, fmt)
    words = _("{taxes} included") if terms.tax_included else _("plus {taxes}")
    return " · ".join([words.format(taxes=taxes) if taxes else _("no tax"), *price_lines.limits_in_words(terms, fmt)])


def price_written(milli: int, currency: Currency, fmt: Formats) -> str:
    """A price in the reader's digits, with as many decimals as it has."""
    text = format_price(milli, currency)
    _whole, _point, fraction = text.partition(".")
    number = fmt.number(int(text.replace(".", "")), len(fraction))
    return f"{fmt.before_money}{number}{fmt.after_money}"


def _view(request: web.Request, row: TariffRow, groups: list[Group]) -> TariffView:
    fmt = formats_of(request)
    own = [group for group in groups if group.tariff_id == row.tariff.id]
    by_default = [group for group in groups if group.tariff_id is None and group.policy != Policy.FREE]
    return TariffView(
        row,
        price_words(row.tariff, currency_of(request), fmt),
        taxes_and_limits(row.tariff.terms, fmt) if row.tariff.terms is not None else "",
        example(row.tariff, fmt),
        own + (by_default if row.is_default else []),
    )


async def _find(request: web.Request) -> TariffView:
    return await _view_of(request, number_of(request, "tariff"))


async def _view_of(request: web.Request, number: int) -> TariffView:
    row, groups = await request.app[CONSOLE].store.read(_one, number)
    return _view(request, row, groups)


async def _ask(request: web.Request, template: str, form: Form, status: int = 200) -> web.Response:
    found, _groups = await request.app[CONSOLE].store.read(_listed)
    default = next((row.tariff.name for row in found if row.is_default), "")
    return render(request, template, AskPage(await _find(request), default, form), status=status)


def _listed(db: Readable) -> tuple[list[TariffRow], list[Group]]:
    return rows.current(db), group_rows.all_by_name(db)


def _one(db: Readable, number: int) -> tuple[TariffRow, list[Group]]:
    found = rows.show(db, number)
    if found is None:
        raise NotFound(N_("There is no such tariff."))
    return found, group_rows.all_by_name(db)


PAGE = Page(
    routes=[
        web.get("/tariffs", show_list),
        web.get("/tariffs/new", show_new),
        web.post("/tariffs/new", add),
        web.get("/tariffs/{tariff}", show),
        web.post("/tariffs/{tariff}", change),
        web.get("/tariffs/{tariff}/default", show_default),
        web.post("/tariffs/{tariff}/default", make_default),
        web.get("/tariffs/{tariff}/archive", show_archive),
        web.post("/tariffs/{tariff}/archive", archive),
    ]
)
