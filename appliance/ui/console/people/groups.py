"""Groups: who pays how. Prepaid, on account, or free; with which limit, at which prices."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import tariffs
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people import groups as group_rows
from appliance.db.people.groups import Group
from appliance.db.tariffs import TariffRow
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.errors import Invalid, Refusal
from appliance.domain.identifiers import GroupId
from appliance.domain.money import Currency, format_amount, parse_amount
from appliance.services.people import groups
from appliance.services.people.groups import Thresholds
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.forms.way_back import THEN, then_of
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.wording.sessions import POLICIES


@dataclass(frozen=True, slots=True)
class ListPage:
    """All groups, with the name of their tariff by its number."""

    groups: list[Group]
    tariffs: dict[int, str]
    default: str
    policies: dict[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GroupPage:
    """A group, or the form for a new one (None)."""

    group: Group | None
    form: Form
    policies: list[tuple[str, str, str]]
    tariffs: list[tuple[str, str]]


async def show_list(request: web.Request) -> web.Response:
    """`GET /groups`."""
    found, prices = await request.app[CONSOLE].store.read(_listed)
    names = {row.tariff.id: row.tariff.name for row in prices}
    default = next((row.tariff.name for row in prices if row.is_default), "")
    return render(request, "people/groups.html", ListPage(found, names, default, POLICIES))


async def show_new(request: web.Request) -> web.Response:
    """`GET /groups/new`."""
    return await _page(request, None, Form({"policy": Policy.PREPAID, THEN: then_of(request)}))


async def add(request: web.Request) -> web.Response:
    """`POST /groups/new`."""
    console, form = request.app[CONSOLE], await read_form(request)
    try:
        limit_minor, tariff, thresholds = _read(form, currency_of(request))
        await console.store.write(
            groups.add,
            form.text("name"),
            form.text("policy"),
            asked_by(request),
            limit_minor=limit_minor,
            tariff_id=tariff,
            thresholds=thresholds,
        )
    except Refusal as refusal:
        return await _page(request, None, form.refused(refusal), refusal.status)
    return done(
        request, then_of(request, form) or "/groups", _("The group {name} is there.").format(name=form.text("name"))
    )


async def show(request: web.Request) -> web.Response:
    """`GET /groups/{group}`."""
    found = await request.app[CONSOLE].store.read(groups.need, GroupId(number_of(request, "group")))
    return await _page(request, found, edits.filled(_values(found, currency_of(request))))


async def change(request: web.Request) -> web.Response:
    """`POST /groups/{group}`."""
    console, form, group = request.app[CONSOLE], await read_form(request), GroupId(number_of(request, "group"))
    found = await console.store.read(groups.need, group)
    try:
        await console.store.write(_store_change, group, form, currency_of(request), asked_by(request))
    except Changed as changed:
        return await _page(request, found, changed, changed.status)
    except Refusal as refusal:
        return await _page(request, found, form.refused(refusal), refusal.status)
    return done(request, "/groups", _("Saved."))


def _store_change(db: Database, group: GroupId, form: Form, currency: Currency, by: By) -> None:
    """A unit: what was changed in the form, and nothing else."""
    wanted = edits.merged(form, _values(groups.need(db, group), currency))
    limit_minor, tariff, thresholds = _read(wanted, currency)
    groups.change(
        db, group, wanted.text("name"), wanted.text("policy"), by,
        limit_minor=limit_minor, tariff_id=tariff, thresholds=thresholds,
    )  # fmt: skip


def _values(group: Group, currency: Currency) -> dict[str, str]:
    """A group as the form has it."""
    thresholds = {
        "minimum_minor": group.minimum_minor,
        "emergency_minor": group.emergency_minor or None,
        "low_minor": group.low_minor,
    }
    return {
        "name": group.name,
        "policy": group.policy,
        "limit_minor": "" if group.limit_minor is None else format_amount(group.limit_minor, currency),
        **{name: "" if value is None else format_amount(value, currency) for name, value in thresholds.items()},
        "tariff_id": "" if group.tariff_id is None else str(group.tariff_id),
    }


def _read(form: Form, currency: Currency) -> tuple[int | None, int | None, Thresholds]:
    """Limit, tariff and thresholds. A limit means something for groups on account only, thresholds for those that pay beforehand."""

    def amount(name: str) -> int | None:
        text = form.text(name) if form.text("policy") == Policy.PREPAID else ""
        return parse_amount(text, currency, field=name) if text else None

    limit_minor = None
    if form.text("limit_minor") and form.text("policy") == Policy.POSTPAID:
        limit_minor = parse_amount(form.text("limit_minor"), currency, field="limit_minor")
    tariff = form.text("tariff_id")
    number = read_number(tariff)
    if tariff and number is None:
        raise Invalid("tariff_id", N_("There is no such tariff."))
    thresholds = Thresholds(amount("minimum_minor"), amount("emergency_minor") or 0, amount("low_minor"))
    return limit_minor, number, thresholds


async def _page(request: web.Request, group: Group | None, form: Form | Changed, status: int = 200) -> web.Response:
    _groups, prices = await request.app[CONSOLE].store.read(_listed)
    choices = [("", _("The default tariff")), *((str(row.tariff.id), row.tariff.name) for row in prices)]
    policies = [(policy, _(word), _(sentence)) for policy, (word, sentence) in POLICIES.items()]
    if isinstance(form, Changed):
        words = {"policy": {policy: word for policy, word, _sentence in policies}, "tariff_id": dict(choices)}
        form = edits.again(form, words)
    return render(request, "people/group.html", GroupPage(group, form, policies, choices), status=status)


def _listed(db: Readable) -> tuple[list[Group], list[TariffRow]]:
    return group_rows.all_by_name(db), tariffs.current(db)


PAGE = Page(
    routes=[
        web.get("/groups", show_list),
        web.get("/groups/new", show_new),
        web.post("/groups/new", add),
        web.get("/groups/{group}", show),
        web.post("/groups/{group}", change),
    ]
)
