"""Card desks for programs: what lies on a reader, jobs for the cards, and what has become of a job.

A call that begins a job answers 202 at once; the job waits until a card lies on the reader, and nothing is booked before.
The shapes are in `shapes`, the stream of events and the way for readers on other computers in `events`.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.ledger import Method
from appliance.domain.roles import Role
from appliance.services.card_desk import forms, jobs, taps, undo
from appliance.services.ports.readers import DeskView
from appliance.ui.api.card_desk.shapes import (
    BATCH,
    BEGUN,
    DECOMMISSION,
    DESK,
    DESK_CARD,
    DESK_JOB,
    ISSUE,
    READER,
    RECHARGE,
    REPLACE,
    REWRITE,
    TAKE_OVER,
    UNDONE,
    KnownJob,
    all_on_readers,
    desk_as_json,
    job_as_json,
    known_job,
)
from appliance.ui.api.checks import moment_of
from appliance.ui.api.operations import EMPTY, PAGING, PREFIX, Answer, Body, Call, Operation, listed, once
from appliance.ui.frame.language import N_
from appliance.ui.frame.roles import may

Begin = Callable[[Database, str], int]
"""Records a job at the desk of this name."""


# --- desks -----------------------------------------------------------------------------------------------------------------


async def list_desks(call: Call) -> Answer:
    """`GET /desks`: those of this box first. There are few: `after` is how many were shown before."""
    views = call.console.desks.all()[call.after : call.after + call.limit + 1]
    return listed(
        await _desks_as_json(call, views), call.limit, lambda desk: desk, lambda _desk: call.after + call.limit
    )


async def show_desk(call: Call) -> Answer:
    """`GET /desks/{id}`."""
    view = call.console.desks.find(_name(call))
    if view is None:
        raise NotFound(N_("There is no such desk."))
    return Answer((await _desks_as_json(call, [view]))[0])


# --- what a desk is to do ----------------------------------------------------------------------------------------------------


async def issue(call: Call) -> Answer:
    """`POST /desks/{id}/issue`: for a person who is known, or for a new one by name."""
    body, by = call.body, call.by
    call.check_currency()
    if ("person_id" in body) == ("name" in body):
        raise Invalid("person_id", N_("Say who gets the card: either a person or a name."))
    expiry = body.get("expires_at")
    expires_at_ms = None if expiry is None else moment_of("expires_at", expiry)

    def begin(db: Database, desk: str) -> int:
        return jobs.begin_issue(
            db, desk, by,
            person=_person(body), name=body.get("name", ""), phone=body.get("phone", ""), group=_group(body),
            topup_minor=body.get("topup_minor", 0), method=_method(body), label=body.get("label", ""),
            expires_at_ms=expires_at_ms, overwrite=body.get("overwrite", False),
        )  # fmt: skip

    return await _begin(call, begin, needed=True)


async def take_over(call: Call) -> Answer:
    """`POST /desks/{id}/take-over`: what an earlier system has left on a card comes into its holder's wallet, once."""
    body, by, desk_key = call.body, call.by, call.console.desk_key
    call.check_currency()
    if "person_id" in body and "name" in body:
        raise Invalid("person_id", N_("Say who gets the card: either a person or a name."))
    old_minor, uid = body.get("old_minor", 0), body.get("uid", "")

    def begin(db: Database, desk: str) -> int:
        if "person_id" in body or "name" in body:
            job = jobs.begin_issue(
                db, desk, by, person=_person(body), name=body.get("name", ""), phone=body.get("phone", ""),
                group=_group(body), old=True, old_minor=old_minor,
            )  # fmt: skip
        else:
            job = jobs.begin_taking_over(db, desk, by, old_minor=old_minor)
        return forms.without_reader(db, job, uid, desk_key, by.at_ms) if uid else job

    return await _begin(call, begin, needed=True)


async def recharge(call: Call) -> Answer:
    """`POST /desks/{id}/recharge`: money for the wallet behind the card that lies there, or is laid next."""
    body, by = call.body, call.by
    call.check_currency()

    def begin(db: Database, desk: str) -> int:
        return jobs.begin_recharge(db, desk, body["amount_minor"], _method(body), by, card=_card(body, "card_id"))

    return await _begin(call, begin, needed=True)


async def read(call: Call) -> Answer:
    """`POST /desks/{id}/read`."""
    by = call.by
    return await _begin(call, lambda db, desk: jobs.begin_read(db, desk, by))


async def replace_at_desk(call: Call) -> Answer:
    """`POST /desks/{id}/replace`."""
    body, by = call.body, call.by

    def begin(db: Database, desk: str) -> int:
        old = CardId(body["old_card_id"])
        return jobs.begin_replace(db, desk, old, by, overwrite=body.get("overwrite", False))

    return await _begin(call, begin)


async def decommission(call: Call) -> Answer:
    """`POST /desks/{id}/decommission`."""
    body, by = call.body, call.by
    if body.get("rest", False) and not _may_pay_out(call):
        raise web.HTTPForbidden

    def begin(db: Database, desk: str) -> int:
        return jobs.begin_decommission(
            db, desk, by,
            card=_card(body, "card_id"), refund=body.get("refund", False), rest=body.get("rest", False),
            method=_method(body),
        )  # fmt: skip

    return await _begin(call, begin, needed=True)


async def rewrite(call: Call) -> Answer:
    """`POST /desks/{id}/rewrite`."""
    body, by = call.body, call.by

    def begin(db: Database, desk: str) -> int:
        card = CardId(body["card_id"])
        return jobs.begin_rewrite(db, desk, card, by, overwrite=body.get("overwrite", False))

    return await _begin(call, begin)


async def batch(call: Call) -> Answer:
    """`POST /desks/{id}/batch`."""
    body, by = call.body, call.by
    if "person_id" in body and "group_id" in body:
        raise Invalid("person_id", N_("Say for whom the cards are: either a person or a group."))

    def begin(db: Database, desk: str) -> int:
        return jobs.begin_batch(
            db, desk, body["count"], by,
            person=_person(body), group=_group(body), label=body.get("label", ""),
            overwrite=body.get("overwrite", False),
        )  # fmt: skip

    return await _begin(call, begin)


# --- jobs ------------------------------------------------------------------------------------------------------------------


async def show_job(call: Call) -> Answer:
    """`GET /desks/{id}/jobs/{job}`, also after the desk has gone."""
    return await _now(call)


async def cancel_job(call: Call) -> Answer:
    """`POST /desks/{id}/jobs/{job}/cancel`."""
    desk, job, now_ms = _name(call), call.number("job"), call.now_ms

    def unit(db: Database) -> None:
        jobs.cancel(db, job_at(db, desk, job).id, now_ms)

    await call.console.store.write(unit)
    return await _now(call)


async def accept_job(call: Call) -> Answer:
    """`POST /desks/{id}/jobs/{job}/accept`."""
    desk, job, by = _name(call), call.number("job"), call.by

    def unit(db: Database) -> None:
        taps.accept_unwritten(db, job_at(db, desk, job).id, by)

    await call.console.store.write(unit)
    return await _now(call)


async def undo_job(call: Call) -> Answer:
    """`POST /desks/{id}/jobs/{job}/undo`."""
    desk, job, by = _name(call), call.number("job"), call.by

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        return 200, {"job": job, "credit_note": undo.undo(db, job_at(db, desk, job).id, by)}

    return await once(call, unit)


# --- helpers ---------------------------------------------------------------------------------------------------------------


def job_at(db: Readable, desk: str, job: int) -> Job:
    """A job of this desk.

    Raises:
        NotFound: There is none of this number, or it is another desk's.
    """
    found = jobs.need(db, job)
    if found.desk != desk:
        raise NotFound("There is no such job.")
    return found


def waiting_or_open(db: Readable, desk: str) -> list[KnownJob]:
    """What is not over at a desk, the oldest first."""
    return [known_job(db, job) for job in reversed(rows.open_at(db, desk))]


async def _begin(call: Call, begin: Begin, *, needed: bool = False) -> Answer:
    """Record the job; repeated under its key it is the same job, even if the desk has gone meanwhile."""
    desk = _name(call)
    there = call.console.desks.find(desk) is not None

    def unit(db: Database, _name: str) -> tuple[int, Body]:
        if not there:
            raise NotFound(N_("There is no such desk."))
        return 202, {"job": begin(db, desk)}

    answer = await once(call, unit, needed=needed)
    location = f"{PREFIX}/desks/{quote(desk, safe='')}/jobs/{answer.body['job']}"
    return Answer(answer.body, answer.status, {**answer.headers, "Location": location})


async def _now(call: Call) -> Answer:
    desk, job = _name(call), call.number("job")
    return Answer(job_as_json(await call.console.store.read(lambda db: known_job(db, job_at(db, desk, job)))))


async def _desks_as_json(call: Call, views: list[DeskView]) -> list[Body]:
    console = call.console
    cards = await console.store.read(all_on_readers, [view.seen for view in views], console.desk_key.site_key)
    return [desk_as_json(view, card, call.currency) for view, card in zip(views, cards, strict=True)]


def _may_pay_out(call: Call) -> bool:
    """Money leaves a wallet through those who may refund it."""
    role = call.principal.role
    if role == Role.CASHIER and not call.console.settings().refund_cashier_minor:
        return False
    return may(role, "POST", f"{PREFIX}/people/{{id}}/refunds")


def _name(call: Call) -> str:
    return call.request.match_info["id"]


def _person(body: Body) -> PersonId | None:
    return PersonId(body["person_id"]) if "person_id" in body else None


def _group(body: Body) -> GroupId | None:
    return GroupId(body["group_id"]) if "group_id" in body else None


def _card(body: Body, name: str) -> CardId | None:
    return CardId(body[name]) if name in body else None


def _method(body: Body) -> str:
    return str(body.get("method", Method.CASH.value))


OPERATIONS = (
    Operation(
        "GET", "/desks", "Card desks, those of this box first", list_desks, DESK, query=PAGING, listed=True,
        parts=(READER, DESK_CARD),
    ),
    Operation("GET", "/desks/{id}", "One desk: its reader, and the card that lies there", show_desk, DESK),
    Operation(
        "POST", "/desks/{id}/issue", "A card for somebody, with a first top-up", issue, BEGUN, takes=ISSUE, status=202,
        key="needed",
    ),
    Operation(
        "POST", "/desks/{id}/take-over", "The balance of a card of an earlier system, once", take_over, BEGUN, takes=TAKE_OVER,
        status=202, key="needed",
    ),
    Operation(
        "POST", "/desks/{id}/recharge", "Money for the wallet behind a card", recharge, BEGUN, takes=RECHARGE, status=202,
        key="needed",
    ),
    Operation(
        "POST", "/desks/{id}/read", "Say what lies there", read, BEGUN, takes=EMPTY, status=202, key="possible"
    ),
    Operation(
        "POST", "/desks/{id}/replace", "A new card instead of a lost one", replace_at_desk, BEGUN, takes=REPLACE,
        status=202, key="possible",
    ),
    Operation(
        "POST", "/desks/{id}/decommission", "Take a card back: blocked, unlocked, emptied", decommission, BEGUN,
        takes=DECOMMISSION, status=202, key="needed",
    ),
    Operation(
        "POST", "/desks/{id}/rewrite", "Write a card anew, with a new link", rewrite, BEGUN, takes=REWRITE, status=202,
        key="possible",
    ),
    Operation(
        "POST", "/desks/{id}/batch", "A stack of cards, one after another", batch, BEGUN, takes=BATCH, status=202,
        key="possible",
    ),
    Operation("GET", "/desks/{id}/jobs/{job}", "What has become of a job", show_job, DESK_JOB),
    Operation(
        "POST", "/desks/{id}/jobs/{job}/cancel", "Nobody waits for it any more", cancel_job, DESK_JOB, takes=EMPTY
    ),
    Operation(
        "POST", "/desks/{id}/jobs/{job}/accept", "Use a card that cannot be written by its number only", accept_job,
        DESK_JOB, takes=EMPTY,
    ),
    Operation(
        "POST", "/desks/{id}/jobs/{job}/undo", "Take a job back, within a minute", undo_job, UNDONE, takes=EMPTY,
        key="needed",
    ),
)  # fmt: skip
