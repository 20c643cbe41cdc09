"""What is done to one card at the desk after a question: block, unblock, replace, take back, write anew. The question says what
will happen, in a dialog over the desk's page; each is done once, however often its form is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.people.people import Person
from appliance.domain.authorization import Policy
from appliance.domain.by import By
from appliance.domain.cards.content import Origin
from appliance.domain.cards.tag import ReaderStatus, Seen
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId
from appliance.domain.roles import Role
from appliance.services.card_desk import forms, taps
from appliance.services.card_desk import jobs as service
from appliance.services.cards import cards as card_units
from appliance.services.people import people as people_units
from appliance.services.ports.readers import DeskView
from appliance.ui.console.card_desk.desk import path_of
from appliance.ui.console.card_desk.find import best_uid
from appliance.ui.console.card_desk.jobs import desk_of, to_desk
from appliance.ui.console.people.entered import done_for
from appliance.ui.console.wallets.wallets import (
    again,
    key_after,
    method_choices,
    new_key,
    one_time_key,
    shift_first,
)
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.forms.way_back import typed_before
from appliance.ui.frame.context import CONSOLE, Console, Page, asked_by, principal
from appliance.ui.frame.desks import all_desks
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.frame.roles import may
from appliance.ui.wording.card_desk import card_number

TYPED = ("refund", "rest", "method", "by_number")
"""What somebody chooses before a card comes back."""


@dataclass(frozen=True, slots=True)
class AskPage:
    """Before something is done to a card."""

    desk: str
    card: Card
    action: str
    title: str
    sentence: str
    button: str
    form: Form
    key: str
    lay_key: str
    """Of the form beside it that begins with the next card on the reader."""
    reader_off: bool
    reader_ready: bool
    desks: list[tuple[str, str]]
    """Where else it can be done with a reader: name in addresses and for people, with this desk; nothing if there is no choice."""
    at_reader: bool
    overwrite: bool
    """Whether something stands on the card which lies there that would be lost."""
    deposit_minor: int
    """What was taken for the card itself."""
    rest_minor: int
    """What is left in the wallet when this is the last card."""
    may_pay_rest: bool
    """Whether who asks may pay that out, too."""
    method_choices: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the question needs to know."""

    card: Card
    person: Person
    others: bool
    """Whether the person has another card that charges."""
    here: bool
    """Whether the card itself lies on the reader."""
    overwrite: bool
    """Whether something stands on the card that is to be written which would be lost."""


async def ask(request: web.Request) -> web.Response:
    """`GET /desk/{desk}/cards/{card}/{action}`: what will happen, before it does."""
    return await _ask(request, typed_before(request, TYPED), new_key())


async def act(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/cards/{card}/{action}`."""
    form = await read_form(request)
    action = ACTIONS.get(request.match_info["action"])
    if action is None:
        raise NotFound(N_("There is no such page."))
    card = CardId(number_of(request, "card"))
    try:
        return await action(request, desk_of(request), card, form)
    except Refusal as refusal:
        refused = shift_first(again(form, refusal), refusal, request.path, TYPED)
        return await _ask(request, refused, key_after(form, refusal), refusal.status)


async def block(request: web.Request, desk: DeskView, card: CardId, form: Form) -> web.Response:
    """It charges nowhere from now on."""
    console = request.app[CONSOLE]
    await console.store.write(card_units.block, card, form.text("reason"), asked_by(request))
    return done(request, f"{path_of(desk.id)}?card={card}", _("The card is blocked; it charges nowhere."))


async def unblock(request: web.Request, desk: DeskView, card: CardId, _form: Form) -> web.Response:
    """It charges again."""
    console = request.app[CONSOLE]
    await console.store.write(card_units.unblock, card, asked_by(request))
    person = (await console.store.read(card_units.need, card)).person_id
    return await done_for(request, person, _("The card is unblocked."), f"{path_of(desk.id)}?card={card}")


async def replace(request: web.Request, desk: DeskView, card: CardId, form: Form) -> web.Response:
    """Lost: the next card that is laid there takes its place; with a number, that one does at once."""
    uid, overwrite = best_uid(form.text("uid")), form.on("overwrite")
    if not uid and ("uid" in form.values or desk.reader.status is ReaderStatus.NONE):
        raise Invalid("uid", N_("This is not the number of a card."))

    def begin(db: Database, by: By) -> int:
        job = service.begin_replace(db, desk.id, card, by, overwrite=overwrite)
        if not uid:
            return job
        return forms.without_reader(db, job, uid, request.app[CONSOLE].desk_key, by.at_ms)

    return await _begin(request, desk, form, ("replace", desk.id, card, uid, overwrite), begin)


async def come_back(request: web.Request, desk: DeskView, card: CardId, form: Form) -> web.Response:
    """The card is given back; as ticked, its holder gets the deposit and what is in the wallet."""
    console = request.app[CONSOLE]
    refund, rest, method = form.on("refund"), form.on("rest"), form.text("method") or "cash"
    if rest and not _may_pay_out(request):
        raise web.HTTPForbidden

    def begin(db: Database, by: By) -> int:
        job = service.begin_decommission(db, desk.id, by, card=card, refund=refund, rest=rest, method=method)
        if not form.on("by_number"):
            return job
        uid = card_units.need(db, card).uid
        return forms.without_reader(db, job, uid, console.desk_key, by.at_ms)

    asked = ("return", desk.id, card, refund, rest, method, form.on("by_number"))
    return await _begin(request, desk, form, asked, begin)


async def rewrite(request: web.Request, desk: DeskView, card: CardId, form: Form) -> web.Response:
    """Its link has come into wrong hands, or it was never written."""

    def begin(db: Database, by: By) -> int:
        return service.begin_rewrite(db, desk.id, card, by, overwrite=form.on("overwrite"))

    return await _begin(request, desk, form, ("rewrite", desk.id, card, form.on("overwrite")), begin)


AT_READER = frozenset({"replace", "return", "rewrite"})
ACTIONS = {"block": block, "unblock": unblock, "replace": replace, "return": come_back, "rewrite": rewrite}


async def _begin(
    request: web.Request,
    desk: DeskView,
    form: Form,
    asked: tuple[object, ...],
    begin: Callable[[Database, By], int],
) -> web.Response:
    console = request.app[CONSOLE]
    by, key = asked_by(request), one_time_key(form)

    def unit(db: Database) -> int:
        return forms.begin_once(db, key, asked, by, lambda: begin(db, by))

    await console.store.write(unit)
    return to_desk(desk)


async def _ask(request: web.Request, form: Form, key: str, status: int = 200) -> web.Response:
    console, desk, action = request.app[CONSOLE], desk_of(request), request.match_info["action"]
    if action not in ACTIONS:
        raise NotFound(N_("There is no such page."))
    asked = await console.store.read(
        _read_asked, CardId(number_of(request, "card")), action, desk.seen, console.desk_key.site_key
    )
    comes_back, rest_minor = action == "return", 0
    if comes_back and asked.person.policy == Policy.PREPAID and not asked.others:
        rest_minor = asked.person.payable_minor
    title, sentence, button = QUESTIONS[action]
    words = {"name": asked.person.name, "number": card_number(asked.card.number)}
    shown = AskPage(
        desk=desk.id,
        card=asked.card,
        action=action,
        title=_(title).format(**words),
        sentence=_(sentence).format(**words),
        button=_(button).format(**words),
        form=form,
        key=key,
        lay_key=new_key(),
        reader_off=desk.reader.status is ReaderStatus.NONE,
        reader_ready=desk.reader.status is ReaderStatus.READY,
        desks=_choice_of_desks(console) if action in AT_READER else [],
        at_reader=asked.here,
        overwrite=asked.overwrite,
        deposit_minor=asked.card.deposit_minor if comes_back else 0,
        rest_minor=rest_minor,
        may_pay_rest=_may_pay_out(request),
        method_choices=method_choices(),
    )
    return render(request, "card_desk/ask.html", shown, status=status)


def _may_pay_out(request: web.Request) -> bool:
    """The money in a wallet leaves the house with a card as it does without one: through whoever may refund it."""
    role = principal(request).role
    if role == Role.CASHIER and not request.app[CONSOLE].settings().refund_cashier_minor:
        return False
    return may(role, "POST", "/people/{person}/refund")


def _choice_of_desks(console: Console) -> list[tuple[str, str]]:
    found = [(one.id, one.name) for one in all_desks(console) if one.reader.status is not ReaderStatus.NONE]
    return found if len(found) > 1 else []


def _read_asked(db: Readable, card: CardId, action: str, seen: Seen | None, site_key: bytes) -> Asked:
    found = card_units.need(db, card)
    described = taps.describe(db, seen, site_key) if seen is not None else None
    here = described is not None and described.card is not None and described.card.id == card
    free = described is not None and (described.card is None or card_units.has_come_back(described.card))
    to_be_written = free if action == "replace" else here
    return Asked(
        found,
        people_units.need(db, found.person_id),
        any(one.id != card and one.blocked_at_ms is None for one in cards.of_person(db, found.person_id)),
        here,
        to_be_written and described is not None and described.origin in (Origin.FOREIGN, Origin.COPIED),
    )


QUESTIONS: Mapping[str, tuple[str, str, str]] = {
    "block": (
        N_("Block card {number}"),
        N_(
            "It charges nowhere from now on, and what it charges at the moment is stopped. The money stays with {name}."
        ),
        N_("Block the card"),
    ),
    "unblock": (N_("Unblock card {number}"), N_("It charges again, on the account of {name}."), N_("Unblock")),
    "replace": (
        N_("A new card for {name}"),
        N_(
            "As soon as the new card is laid down, card {number} charges nowhere any more, for good, and what it charges at"
            " the moment is stopped. The money stays with {name}."
        ),
        N_("Replace the card"),
    ),
    "return": (
        N_("Card {number} comes back"),
        N_("{name} gives it back: it charges nowhere any more, is emptied, and may be given to somebody else."),
        N_("Take the card back"),
    ),
    "rewrite": (
        N_("Write card {number} anew"),
        N_("It gets a new link to its holder's page; the old link leads nowhere any more. The money stays as it is."),
        N_("Write it anew"),
    ),
}
"""Title, what will happen, and the verb."""

PAGE = Page(
    routes=[
        web.get("/desk/{desk}/cards/{card}/{action}", ask),
        web.post("/desk/{desk}/cards/{card}/{action}", act),
    ]
)
