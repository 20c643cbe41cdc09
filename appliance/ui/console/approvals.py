"""What waits for a second person, and what became of the last ones."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db import approvals as rows
from appliance.db import operators
from appliance.db.approvals import Approval
from appliance.db.engine.protocols import Readable
from appliance.domain.approval import ApprovalKind, ApprovalState
from appliance.services.approvals import approvals
from appliance.ui.forms.forms import number_of
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render
from appliance.ui.frame.roles import may
from appliance.ui.wording.words import with_impersonal

SHOWN = 50

KINDS = {
    ApprovalKind.TOPUP: N_("Top-up"),
    ApprovalKind.REFUND: N_("Refund"),
    ApprovalKind.CORRECTION: N_("Correction"),
}
STATES = {
    ApprovalState.PENDING: N_("waits"),
    ApprovalState.APPROVED: N_("agreed to"),
    ApprovalState.REFUSED: N_("refused"),
    ApprovalState.WITHDRAWN: N_("taken back"),
    ApprovalState.EXPIRED: N_("expired"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One of them, and what who reads it may do."""

    approval: Approval
    kind: str
    why: str
    state: str
    asked_by: str
    decided_by: str
    may_agree: bool
    may_refuse: bool
    mine: bool


@dataclass(frozen=True, slots=True)
class ApprovalsPage:
    """Those that wait first."""

    waiting: list[Line]
    over: list[Line]


async def show(request: web.Request) -> web.Response:
    """`GET /approvals`."""
    who = principal(request)
    pending, last, names, own = await request.app[CONSOLE].store.read(_read, who.actor)
    names = with_impersonal(names)
    manager = may(who.role, "POST", "/approvals/{approval}/approve")
    page = ApprovalsPage(
        [_line(one, names, who.actor, manager=manager, own=own) for one in pending],
        [
            _line(one, names, who.actor, manager=manager, own=own)
            for one in last
            if one.state is not ApprovalState.PENDING
        ],
    )
    return render(request, "approvals/approvals.html", page)


async def approve(request: web.Request) -> web.Response:
    """`POST /approvals/3/approve`: it is done now."""
    console = request.app[CONSOLE]
    asked = await console.store.write(approvals.approve, number_of(request, "approval"), asked_by(request))
    text = _("It is done for {name}.").format(name=asked.name)
    return done(request, "/approvals", text)


async def refuse(request: web.Request) -> web.Response:
    """`POST /approvals/3/refuse`: no; or taken back by who asked."""
    await request.app[CONSOLE].store.write(approvals.refuse, number_of(request, "approval"), asked_by(request))
    return done(request, "/approvals", _("Nothing was booked."))


def _read(db: Readable, actor: str) -> tuple[list[Approval], list[Approval], dict[str, str], frozenset[int]]:
    """What waits, the last ones, the names of all, and which of those that wait are the doing of `actor`, by a program too."""
    names = {f"operator:{one.id}": one.name for one in operators.every(db)}
    names |= {f"token:{one.id}": one.name for one in operators.tokens(db)}
    pending = rows.pending(db)
    own = frozenset(one.id for one in pending if approvals.is_same_person(db, one.asked_by, actor))
    return pending, rows.page(db, None, SHOWN), names, own


def _line(one: Approval, names: dict[str, str], actor: str, *, manager: bool, own: frozenset[int]) -> Line:
    mine, waits = one.asked_by == actor, one.state is ApprovalState.PENDING
    return Line(
        one,
        _(KINDS[one.kind]),
        one.request.get("reason") or one.request.get("note") or "",
        _(STATES[one.state]),
        names.get(one.asked_by, one.asked_by),
        names.get(one.decided_by, one.decided_by),
        may_agree=waits and manager and one.id not in own,
        may_refuse=waits and (manager or mine),
        mine=mine,
    )


PAGE = Page(
    routes=[
        web.get("/approvals", show),
        web.post("/approvals/{approval}/approve", approve),
        web.post("/approvals/{approval}/refuse", refuse),
    ]
)
