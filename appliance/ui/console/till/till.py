"""The till: whoever takes money finds a person by card, telephone or name, and what must be in the drawer stands beside it.

The forms are those of a person's page (`wallets.wallets`): they come back here by `then`. What is done with the shift is in `shifts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.reconciling import stop
from appliance.db.till import shifts as rows
from appliance.db.wallets import receipts
from appliance.db.wallets.receipts import Receipt
from appliance.domain.cards.tag import ReaderStatus
from appliance.domain.identifiers import CardId, PersonId
from appliance.services.announce import Announcement, DeskChanged, DeskNews
from appliance.services.card_desk.taps import Described, describe
from appliance.services.cards import cards as card_units
from appliance.services.ports.readers import DeskView
from appliance.services.till import shifts as service
from appliance.services.till.shifts import Figures
from appliance.services.wallets import undo
from appliance.ui.console.card_desk.find import Found, find
from appliance.ui.console.wallets.receipts import Line, line_of
from appliance.ui.console.wallets.wallets import Buys, MoneyForm, money_form, what_it_buys
from appliance.ui.forms.forms import Form, read_number
from appliance.ui.forms.way_back import with_query
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, principal
from appliance.ui.frame.desks import find_desk, usual_desk
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render, render_part
from appliance.ui.frame.roles import GUARD_AT_TILL, SEES_PHONES, Route, may
from appliance.ui.wording.card_desk import card_number
from appliance.ui.wording.sessions import POLICIES
from appliance.ui.wording.till import Takings, takings_of

LATEST_SHOWN = 6
LATEST_READ = 60
"""Receipts that are looked through for one's own."""


@dataclass(frozen=True, slots=True)
class Action:
    """One of the large buttons: what is done with whoever is found."""

    do: str
    icon: str
    word: str
    hint: str
    key: str
    path: str
    route: Route
    """Shown to those who may use it."""


ACTIONS = (
    Action("topup", "banknote", N_("Top up"), N_("Money into a wallet"), "F2", "/till?do=topup", ("POST", "/people/{person}/topup")),
    Action(
        "voucher", "ticket", N_("Sell a voucher"), N_("A code on paper, for money"), "F4", "/vouchers/sell?then=/till",
        ("GET", "/vouchers/sell"),
    ),
    Action(
        "refund", "undo-2", N_("Refund"), N_("Money back out of a wallet"), "F8", "/till?do=refund",
        ("GET", "/people/{person}/refund"),
    ),
    Action("balance", "wallet", N_("Balance"), N_("Look, take nothing"), "F9", "/till?do=balance", ("GET", "/till")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Customer:
    """Who stands at the till."""

    buys: Buys
    card: Card | None
    policy: str
    number: str
    """Of the card."""
    money: MoneyForm
    here: str
    """This page about them."""


@dataclass(frozen=True, slots=True)
class TillPage:
    """The page."""

    shift: Figures | None
    takings: Takings | None
    sees_expected: bool
    needs_shift: bool
    money_stopped: bool
    do: str
    actions: list[Action]
    found: Found | None
    customer: Customer | None
    latest: list[Line]
    undoable: Receipt | None
    desk_id: str
    """The desk whose reader tells who comes; "" for none."""
    described: Described | None
    """What lies there."""
    card: Card | None
    """Whose card it is, if it is ours."""


async def show(request: web.Request) -> web.Response:
    """`GET /till?do=&q=&person=&card=`."""
    console, fmt = request.app[CONSOLE], formats_of(request)
    do = request.query.get("do", "")
    role = principal(request).role
    actions = [one for one in ACTIONS if may(role, *one.route)]
    do = do if do in {one.do for one in actions} else ""
    text = request.query.get("q", "").strip()
    found = await console.store.read(partial(find, names_only=role not in SEES_PHONES), text) if text else None
    if found is not None and (target := only_hit(found, do)):
        return web.Response(status=303, headers={"Location": target})
    card, person = read_number(request.query.get("card", "")), read_number(request.query.get("person", ""))
    actor = principal(request).actor
    figures, sees, stopped, buys, about, latest, undoable = await console.store.read(
        _read, actor, card, person, console.clock()
    )
    if buys is not None and do == "refund":
        # Asked for before anybody was found: on to the form that stands.
        target = with_query(f"/people/{buys.person.id}/refund", then="/till")
        return web.Response(status=303, headers={"Location": target})
    desk = usual_desk(request)
    page = TillPage(
        figures,
        takings_of(figures, fmt) if figures is not None else None,
        sees,
        console.settings().cash_needs_shift or role == GUARD_AT_TILL,
        stopped,
        do,
        actions,
        found,
        _customer(request, buys, about) if buys is not None else None,
        [line_of(one) for one in latest],
        undoable,
        "" if desk.reader.status is ReaderStatus.NONE else desk.id,
        *await _lying(console, desk),
    )
    return render(request, "till/till.html", page)


def only_hit(found: Found, do: str) -> str:
    """The till with the one that was found; "" where none or several were."""
    if found.card is not None and not card_units.has_come_back(found.card):
        return with_query("/till", card=str(found.card.id), do=do)
    return with_query("/till", person=str(found.people[0].id), do=do) if len(found.people) == 1 else ""


def _customer(request: web.Request, buys: Buys, card: Card | None) -> Customer:
    here = with_query("/till", card=str(card.id)) if card is not None else f"/till?person={buys.person.id}"
    return Customer(
        buys, card, _(POLICIES[buys.account.policy][0]), card_number(card.number) if card is not None else "",
        money_form(request, buys.tariff, Form()), here,
    )  # fmt: skip


Read = tuple[Figures | None, bool, bool, Buys | None, Card | None, list[Receipt], Receipt | None]


def _read(db: Readable, actor: str, card: int | None, person: int | None, now_ms: int) -> Read:
    shift = rows.open_of(db, actor)
    about = card_units.need(db, CardId(card)) if card is not None else None
    whose = about.person_id if about is not None else PersonId(person) if person is not None else None
    mine = [one for one in receipts.page(db, limit=LATEST_READ) if one.actor == actor][:LATEST_SHOWN]
    return (
        service.figures(db, shift) if shift is not None else None,
        service.sees_expected(db, actor),
        stop.find(db) is not None,
        what_it_buys(db, whose) if whose is not None else None,
        about,
        mine,
        undo.undoable(db, mine[0].person_id, now_ms) if mine and mine[0].person_id is not None else None,
    )


# --- live ------------------------------------------------------------------------------------------------------------------


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """Who lies on the reader: the page goes there by itself while nobody types."""
    desk = find_desk(console, parameter)
    described, card = await _lying(console, desk) if desk is not None else (None, None)
    return {"till-tap": render_part(console, role, "till/_tap.html", card=card, described=described, desk_id=parameter)}


async def _lying(console: Console, desk: DeskView) -> tuple[Described | None, Card | None]:
    """What lies on a reader, and whose it is."""
    if desk.seen is None:
        return None, None
    described = await console.store.read(describe, desk.seen, console.desk_key.site_key)
    return described, described.card if described.ours else None


def concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether another card lies there."""
    return (
        isinstance(announcement, DeskChanged)
        and announcement.desk == parameter
        and announcement.what is not DeskNews.PROGRESS
    )


PAGE = Page(routes=[web.get("/till", show)], live=[LiveView("till", "/till", concerns, fragments)])
