"""The holder's page: what the link on a card opens on a phone. Whoever has the card sees it, unless it has a PIN.

An NTAG 424 DNA makes a new link at each tap; its page is shown after a real tap only, and for a few minutes after it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace

from aiohttp import hdrs, web

from appliance.domain.cards.content import ContentState
from appliance.domain.cards.tag import Kind
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.identifiers import SessionId
from appliance.domain.statement import month_of, moved
from appliance.services.cards import holder_page
from appliance.services.cards import pin as card_pin
from appliance.services.cards.holder_page import Holder
from appliance.services.sessions import explaining
from appliance.services.statements import statements
from appliance.ui.driver.page import LOOKUPS, respond
from appliance.ui.forms.forms import Form, read_form
from appliance.ui.frame import language
from appliance.ui.frame.auth import Guard, TooSoon
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.language import N_
from appliance.ui.frame.render import formats_of
from appliance.ui.wording import card_desk
from appliance.ui.wording.cards import Bound, bounds
from appliance.ui.wording.explanations import explained_in_words
from appliance.ui.wording.statement import word_of
from appliance.ui.wording.statements import month_word, written

log = logging.getLogger(__name__)

TOKEN = "{token:[0-9a-f]{24}}"  # noqa: S105  # the shape of one
PIN_CHECKS_AT_ONCE = 2
MONTHS_SHOWN = 6
READINGS_SHOWN_MAX = 300

PINS = web.AppKey("pins", Guard)
LINKS = web.AppKey("links", Guard)
"""Apart from the PINs: links cost nothing to try, and must not push out what is remembered of those."""
PIN_CHECKS = web.AppKey("pin_checks", asyncio.Semaphore)


@dataclass(frozen=True, slots=True)
class HolderPage:
    """What is shown: all of it, the question for the PIN, or that the card must be tapped."""

    holder: Holder | None
    open: bool
    """Whether the balance and the records are shown."""
    tap_again: bool
    form: Form


def install(app: web.Application) -> None:
    """Add the page to the drivers' application."""
    app[PINS], app[LINKS] = Guard(), Guard()
    app[PIN_CHECKS] = asyncio.Semaphore(PIN_CHECKS_AT_ONCE)
    app.router.add_get(f"/card/{TOKEN}", show)
    app.router.add_post(f"/card/{TOKEN}", unlock)
    app.router.add_get(f"/card/{TOKEN}/statements/{{month}}", show)
    app.router.add_post(f"/card/{TOKEN}/statements/{{month}}", unlock)
    app.router.add_get(f"/card/{TOKEN}/sessions/{{session:[0-9]{{1,15}}}}", show)
    app.router.add_post(f"/card/{TOKEN}/sessions/{{session:[0-9]{{1,15}}}}", unlock)


async def show(request: web.Request) -> web.Response:
    """`GET /card/{token}?p=&m=`, as a phone opens it when the card is held to it; and `/statements/{month}` and
    `/sessions/{session}` beneath, behind the same doors.
    """
    found = await _find(request)
    if found is None:
        return _page(request, HolderPage(None, open=False, tap_again=False, form=Form()), 404)
    if not proves_itself(found):
        return await _opened(request, HolderPage(found, open=not found.pin_hash, tap_again=False, form=Form()))
    console, token = request.app[CONSOLE], found.card.token
    # Whoever only asks what is there (HEAD) uses no tap up, and is given no ticket for it.
    if "p" in request.query and request.method == hdrs.METH_GET:
        tapped = await console.store.write(
            holder_page.tap, console.desk_key.site_key, found.card.id, request.query["p"], request.query.get("m", "")
        )
        if tapped:
            ticket = holder_page.ticket(console.desk_key.site_key, token, console.clock())
            return web.Response(status=303, headers={"Location": f"/card/{token}?t={ticket}"})
    if not _may_look(request, token):
        return _page(request, HolderPage(found, open=False, tap_again=True, form=Form()), 403)
    return await _opened(request, HolderPage(found, open=not found.pin_hash, tap_again=False, form=Form()))


async def unlock(request: web.Request) -> web.Response:
    """`POST /card/{token}`: the PIN. The answer is the page; nothing is remembered on the phone."""
    found, form = await _find(request), await read_form(request)
    if found is None:
        return _page(request, HolderPage(None, open=False, tap_again=False, form=Form()), 404)
    if proves_itself(found) and not _may_look(request, found.card.token):
        return _page(request, HolderPage(found, open=False, tap_again=True, form=Form()), 403)
    try:
        if found.pin_hash:
            await _check_pin(request, found, form)
    except Invalid as wrong:
        return _page(request, HolderPage(found, open=False, tap_again=False, form=form.refused(wrong)), wrong.status)
    except Refusal as refusal:
        refused = form.refused(Invalid("pin", refusal.message, refusal.advice, **refusal.values))
        return _page(request, HolderPage(found, open=False, tap_again=False, form=refused), refusal.status)
    return await _opened(request, HolderPage(found, open=True, tap_again=False, form=Form()))


def proves_itself(found: Holder) -> bool:
    """Whether the chip makes a new link at each tap, so that an old one is worth nothing."""
    return found.card.kind == Kind.NTAG424 and found.card.content is ContentState.WRITTEN


async def _find(request: web.Request) -> Holder | None:
    """The card of the link, whoever else tries links out behind the same address: nobody guesses one. Who tries is put on record, ever more seldom."""
    console, address = request.app[CONSOLE], request.remote or ""
    async with request.app[LOOKUPS]:
        found = await console.store.read(holder_page.find, request.match_info["token"])
    if found is None:
        with suppress(TooSoon):
            request.app[LINKS].attempt("", address, console.clock())
            log.info("no card has this link", extra={"address": address})
    return found


async def _check_pin(request: web.Request, found: Holder, form: Form) -> None:
    """A guess counts before it is compared, so that of many at once only the first few are. It counts for this card, and for this
    card there: nobody waits because a phone behind the same address guesses at another card.
    """
    pin = card_pin.check_pin(form.text("pin"))
    guesses, name = request.app[PINS], str(found.card.id)
    place = f"{name} at {request.remote}"
    guesses.attempt(name, place, request.app[CONSOLE].clock())
    async with request.app[PIN_CHECKS]:
        right = await asyncio.to_thread(card_pin.matches, pin, found.pin_hash)
    if not right:
        raise Invalid("pin", N_("This is not the PIN of the card."))
    guesses.succeeded(name, place)


def _may_look(request: web.Request, token: str) -> bool:
    console = request.app[CONSOLE]
    return holder_page.ticket_holds(console.desk_key.site_key, token, request.query.get("t", ""), console.clock())


async def _opened(request: web.Request, page: HolderPage) -> web.Response:
    """The month or the session that was asked for, if whoever asks is let in; else the page of the card."""
    if "session" in request.match_info and page.open and page.holder:
        return await _session(request, page, page.holder)
    month = request.match_info.get("month", "")
    if not (month and page.open and page.holder):
        return _page(request, page)
    if not page.holder.has_statements:
        raise web.HTTPNotFound
    console = request.app[CONSOLE]
    try:
        found = await console.store.read(statements.read, page.holder.person.id, month, console.clock())
    except Invalid:
        raise web.HTTPNotFound from None
    shown = written(found.statement, found.sessions, formats_of(request))
    query, back = _ticket(request, page), f"/card/{page.holder.card.token}"
    named = bool(page.holder.pin_hash)
    return respond(
        request, "statement.html", query=query, shown=shown, back=back, tongue=language.spoken(), named=named
    )


async def _session(request: web.Request, page: HolderPage, holder: Holder) -> web.Response:
    """How the amount of a session came about, for whoever charged in it; another's is not there."""
    console, number = request.app[CONSOLE], SessionId(int(request.match_info["session"]))
    try:
        found = await console.store.read(explaining.explain, number, console.clock())
    except NotFound:
        raise web.HTTPNotFound from None
    if found.session.person_id != holder.person.id:
        raise web.HTTPNotFound
    explained = explained_in_words(found.explained, found.session.tariff, found.readings, formats_of(request))
    return respond(
        request, "session.html", query=_ticket(request, page), found=found, explained=explained,
        readings=found.readings[:READINGS_SHOWN_MAX], more=len(found.readings) > READINGS_SHOWN_MAX,
        back=f"/card/{holder.card.token}",
    )  # fmt: skip


def _page(request: web.Request, page: HolderPage, status: int = 200) -> web.Response:
    rows = [(record, word_of(record)) for record in page.holder.records] if page.holder and page.open else []
    limits = bounds_of(request, page.holder) if page.holder and page.open else []
    return respond(
        request, "card.html", status, query=_ticket(request, page), page=page, rows=rows, limits=limits, card_number=card_desk.card_number,
        months=_months(request) if page.open and page.holder and page.holder.has_statements else [],
    )  # fmt: skip


def bounds_of(request: web.Request, holder: Holder) -> list[Bound]:
    """What the card and its holder may use at most; where the card charges they see at the charger."""
    fmt = formats_of(request)
    return [bound for one in holder.limits for bound in bounds(replace(one, stations=frozenset()), {}, fmt)]


def _ticket(request: web.Request, page: HolderPage) -> str:
    """What links to the same card carry on."""
    return f"?t={request.query['t']}" if page.holder and _may_look(request, page.holder.card.token) else ""


def _months(request: web.Request) -> list[tuple[str, str]]:
    """The months whose statements are offered, and their names, the newest first."""
    console, fmt = request.app[CONSOLE], formats_of(request)
    now = month_of(console.clock(), console.site.zone)
    return [(month, month_word(month, fmt)) for month in (moved(now, -number) for number in range(MONTHS_SHOWN))]
