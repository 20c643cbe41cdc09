"""What the forms of a desk's page do: give out a card, recharge it, and say what becomes of a job. Each form carries a key of its
own and the card that was shown, so that it is done once, and never to the card of somebody who came next. What is asked
before it is done stands in `card_actions`.
"""

from __future__ import annotations

from aiohttp import web

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.engine.unit import Database
from appliance.domain.calendar import day_bounds
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.services.card_desk import forms, taps
from appliance.services.card_desk import jobs as service
from appliance.services.card_desk import undo as undoing
from appliance.services.ports.readers import DeskView
from appliance.ui.console.card_desk.desk import TYPED, page, path_of
from appliance.ui.console.card_desk.find import best_uid
from appliance.ui.console.card_desk.view import Chosen
from appliance.ui.console.wallets.wallets import again, key_after, one_time_key, read_choice, shift_first
from appliance.ui.forms.forms import Form, number_of, read_form
from appliance.ui.forms.way_back import with_query
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.desks import need_desk, usual_desk
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of
from appliance.ui.writing.days import read_day

FIELDS = ("person", "name", "phone", "group_id", "method", "label", "expires", "overwrite", "uid")
"""All that tells one form for a new card from another, besides the amount."""


# --- giving out and recharging -----------------------------------------------------------------------------------------------


async def issue(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/issue`: for the card on the reader, for the next one that is laid there, or by its number."""
    console, form = request.app[CONSOLE], await read_form(request)
    desk, by = desk_of(request), asked_by(request)
    person = PersonId(form.number("person")) if form.text("person") else None
    uid = best_uid(form.text("uid"))
    try:
        key = one_time_key(form)
        amount_minor = read_choice(request, form) if form.text("preset") or form.text("amount_minor") else 0
        expires_at_ms = _expires(request, form)
        if form.text("uid") and not uid:
            raise Invalid("uid", N_("This is not the number of a card."))

        def unit(db: Database) -> int:
            def begin() -> int:
                job = service.begin_issue(
                    db, desk.id, by,
                    person=person, name=form.text("name"), phone=form.text("phone"),
                    group=GroupId(form.number("group_id")) if form.text("group_id") else None,
                    topup_minor=amount_minor, method=form.text("method") or "cash", label=form.text("label"),
                    expires_at_ms=expires_at_ms, overwrite=form.on("overwrite"),
                    another=form.on("another"),
                )  # fmt: skip
                return forms.without_reader(db, job, uid, console.desk_key, by.at_ms) if uid else job

            asked = ("issue", desk.id, amount_minor, *(form.text(name) for name in FIELDS))
            return forms.begin_once(db, key, asked, by, begin)

        await console.store.write(unit)
    except Refusal as refusal:
        chosen = Chosen(person=person, uid=uid) if person is not None or uid else None
        return await _refused(request, desk, form, refusal, chosen)
    return to_desk(desk)


async def recharge(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/recharge`: the card that was shown, and no other."""
    console, form = request.app[CONSOLE], await read_form(request)
    desk, by = desk_of(request), asked_by(request)
    card = CardId(form.number("card"))
    by_number = form.text("at") == "number"
    try:
        key, amount_minor = one_time_key(form), read_choice(request, form)
        method = form.text("method")

        def unit(db: Database) -> int:
            if by_number:
                return forms.recharge_by_number(db, card, amount_minor, method, key, by)
            asked = ("recharge", desk.id, card, amount_minor, method)
            return forms.begin_once(
                db, key, asked, by, lambda: service.begin_recharge(db, desk.id, amount_minor, method, by, card=card)
            )

        number = await console.store.write(unit)
    except Refusal as refusal:
        return await _refused(request, desk, form, refusal, Chosen(card=card))
    wants_print = form.on("print")
    if not by_number:
        return to_desk(desk, f"?print={number}" if wants_print else "")
    if wants_print:
        location = f"/receipts/{number}?print=1&back={path_of(desk.id)}"
        return web.Response(status=303, headers={"Location": location})
    sentence = _("{amount} is booked. Receipt {number}.").format(
        amount=formats_of(request).money(amount_minor), number=number
    )
    return done(request, f"{path_of(desk.id)}?card={card}", sentence)


# --- what becomes of a job ---------------------------------------------------------------------------------------------------


async def cancel(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/jobs/{job}/cancel`: nobody waits for it any more."""
    console, job = request.app[CONSOLE], await _job(request)
    await console.store.write(service.cancel, job.id, console.clock())
    return to_desk(usual_desk(request))


async def undo(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/jobs/{job}/undo`: a slip is taken back; with money, by a credit note."""
    console, job = request.app[CONSOLE], await _job(request)
    number = await console.store.write(undoing.undo, job.id, asked_by(request))
    if number is None:
        sentence = _("It was taken back.")
    else:
        sentence = _("It was taken back; credit note {number} says so.").format(number=number)
    return done(request, path_of(usual_desk(request).id), sentence)


async def accept(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/jobs/{job}/accept`: the card stays as it is."""
    console, job = request.app[CONSOLE], await _job(request)
    await console.store.write(taps.accept_unwritten, job.id, asked_by(request))
    return done(request, path_of(usual_desk(request).id), _("The card is used by its number only."))


async def another(request: web.Request) -> web.Response:
    """`POST /desk/{desk}/jobs/{job}/another`: the card that cannot be written is given up for a new one."""
    console, job = request.app[CONSOLE], await _job(request)
    desk = usual_desk(request)
    await console.store.write(forms.another_card, job.id, desk.id, asked_by(request))
    return to_desk(desk)


# --- helpers ---------------------------------------------------------------------------------------------------------------


async def _refused(
    request: web.Request, desk: DeskView, form: Form, refusal: Refusal, chosen: Chosen | None
) -> web.Response:
    about = {"card": chosen.card, "person": chosen.person, "uid": chosen.uid} if chosen is not None else {}
    path = with_query(path_of(desk.id), **{name: str(value) for name, value in about.items() if value})
    refused = shift_first(again(form, refusal), refusal, path, TYPED)
    return await page(request, desk, chosen=chosen, form=refused, key=key_after(form, refusal), status=refusal.status)


async def _job(request: web.Request) -> Job:
    """The job of the address; one of another desk is none of this one's."""
    found = await request.app[CONSOLE].store.read(rows.find, number_of(request, "job"))
    if found is None or found.desk != request.match_info["desk"]:
        raise NotFound(N_("There is no such job."))
    return found


def desk_of(request: web.Request) -> DeskView:
    """The desk of the address."""
    return need_desk(request.app[CONSOLE], request.match_info["desk"])


def to_desk(desk: DeskView, more: str = "") -> web.Response:
    """On to its page."""
    return web.Response(status=303, headers={"Location": path_of(desk.id) + more})


def _expires(request: web.Request, form: Form) -> int | None:
    """The end of the last day on which the card charges; None: for ever."""
    if not form.text("expires"):
        return None
    day = read_day(form.text("expires"))
    if day is None:
        raise Invalid("expires", N_("This is no day."), N_("Write it as year-month-day."))
    return day_bounds(day, request.app[CONSOLE].site.zone)[1]


PAGE = Page(
    routes=[
        web.post("/desk/{desk}/issue", issue),
        web.post("/desk/{desk}/recharge", recharge),
        web.post("/desk/{desk}/jobs/{job}/cancel", cancel),
        web.post("/desk/{desk}/jobs/{job}/undo", undo),
        web.post("/desk/{desk}/jobs/{job}/accept", accept),
        web.post("/desk/{desk}/jobs/{job}/another", another),
    ]
)
