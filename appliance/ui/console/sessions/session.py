"""One session's page: how much, for whom, why it ended, its power, its price lines, how its money moved. Live while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.sessions import lines as line_rows
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Sample, Session
from appliance.db.wallets import bills, statement
from appliance.db.wallets.bills import Paper
from appliance.db.wallets.statement import Movement
from appliance.domain.bill import paper_lines
from appliance.domain.errors import NotFound
from appliance.domain.id_token import masked
from appliance.domain.identifiers import SessionId
from appliance.domain.ledger import AMOUNT_MINOR_MAX, Operation, TransferCode
from appliance.domain.pricing.lines import Charged
from appliance.domain.session import OVER, SessionState, as_lines, bill_until, usage_until
from appliance.domain.site import Site
from appliance.domain.tariff import Bill, Tariff, Usage
from appliance.services.announce import Announcement, SessionChanged
from appliance.services.sessions import closing, explaining, review
from appliance.services.sessions.review import Choice
from appliance.services.signed_meter import evidence
from appliance.services.signed_meter.evidence import Evidence
from appliance.ui.console.stations.commands import ConfirmPage
from appliance.ui.forms.forms import number_of, read_form, read_number
from appliance.ui.forms.way_back import then_of
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.wording import price_lines
from appliance.ui.wording.bill_lines import BillLine, bill_lines
from appliance.ui.wording.sessions import (
    AUTHORIZATIONS,
    LIMITED_BY,
    MOVEMENTS,
    SINGLE_MOVEMENTS,
    State,
    contradiction_sentence,
    state_of,
    stop_sentence,
)
from appliance.ui.wording.signed import Signed, signed_words
from appliance.ui.writing import charts
from appliance.ui.writing.charts import Curve
from appliance.ui.writing.formats import formats

SIGNED_TYPES = {"xml": "application/xml", "ocmf": "text/plain"}
LOG_AFTER_END_MS = 60_000
"""The message log is shown from this long after a session's end, so that what followed it is seen too."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What one snapshot says about a session."""

    session: Session
    samples: list[Sample]
    movements: list[Movement]
    card: Card | None
    messages_before: int
    lines: list[Charged]
    """Of its bill, if its tariff has lines."""
    to_come: Bill | None
    """What it costs by its lines, while it is not billed."""
    papers: list[Paper]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One session."""

    session: Session
    state: State
    usage: Usage
    cost_minor: int | None
    """Of a running one so far; None where nothing is billed."""
    lines: list[BillLine]
    bill: Bill
    choices: list[Choice]
    """What it may be billed for, while it waits for somebody to say so; the bill that is shown is that of the first."""
    tariff: Tariff | None
    taxes: str
    """Of a tariff with lines; "" for none."""
    curve: Curve | None
    levels: list[str]
    samples: list[Sample]
    powers: dict[int, int]
    money: list[tuple[str, int]]
    """What happened to the money, and how much of it."""
    movements: list[tuple[Movement, str]]
    card: Card | None
    token: str
    answer: str
    stop: str
    limited: str
    """Which limit refused it, or is reached; "" for none."""
    note: str
    messages_before: int
    papers: list[Paper]
    """Its bill, and those before it with their credit notes."""
    signed: Signed | None
    """What the meter has signed; None: nothing."""


async def show(request: web.Request) -> web.Response:
    """`GET /sessions/{session}`."""
    console, number = request.app[CONSOLE], SessionId(number_of(request, "session"))
    return render(request, "sessions/session.html", await load(console, number))


async def show_close(request: web.Request) -> web.Response:
    """`GET /sessions/{session}/close`."""
    console, number = request.app[CONSOLE], SessionId(number_of(request, "session"))
    session = await console.store.read(_running, number)
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    consequence = _(
        "Only if the charger is gone, or knows nothing of this session: a car that charges goes on charging. "
        "{who} pays for the {energy} kWh of the last reading; what was held beyond that is free again. "
        "If the charger tells of the end later, the bill is set right."
    )
    page = ConfirmPage(
        title=_("End it without the charger?"),
        name=session.station,
        consequence=consequence.format(who=session.person or _("The driver"), energy=fmt.energy(session.energy_wh)),
        verb=_("End it here"),
        action=f"/sessions/{number}/close",
        danger=True,
        options=[],
        back=f"/sessions/{number}",
    )
    return render(request, "stations/confirm.html", page)


async def close(request: web.Request) -> web.Response:
    """`POST /sessions/{session}/close`: without the charger."""
    console, session = request.app[CONSOLE], SessionId(number_of(request, "session"))
    await console.store.write(closing.close_by_hand, session, asked_by(request))
    return done(request, f"/sessions/{session}", _("The session is ended, and billed up to its last reading."))


async def acknowledge(request: web.Request) -> web.Response:
    """`POST /sessions/{session}/acknowledge`: somebody has looked at it."""
    console, session = request.app[CONSOLE], SessionId(number_of(request, "session"))
    form = await read_form(request)
    await console.store.write(review.acknowledge, session, asked_by(request))
    return done(request, then_of(request, form) or f"/sessions/{session}", _("Noted: you have looked at it."))


async def bill(request: web.Request) -> web.Response:
    """`POST /sessions/{session}/bill`: somebody has looked at it, and says which figure is right."""
    console, session = request.app[CONSOLE], SessionId(number_of(request, "session"))
    form = await read_form(request)
    energy_wh = form.number("energy_wh") if form.text("energy_wh") else None
    await console.store.write(review.bill, session, asked_by(request), energy_wh)
    return done(request, then_of(request, form) or f"/sessions/{session}", _("The session is billed."))


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """What moves on the page while the session runs."""
    number = read_number(parameter)
    if number is None:
        raise NotFound(N_("There is no such session."))
    page = await load(console, SessionId(number))
    parts = {"answer": "sessions/_answer.html", "bill": "sessions/_bill.html"}
    names = {name: getattr(page, name) for name in page.__slots__}
    return {name: render_part(console, role, template, **names) for name, template in parts.items()}


def concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether it tells of this session."""
    return isinstance(announcement, SessionChanged) and str(announcement.session) == parameter


async def load(console: Console, number: SessionId) -> SessionPage:
    """The page of a session as it is now.

    Raises:
        NotFound: There is none.
    """
    now_ms = console.clock()
    return build(await console.store.read(_facts, number, now_ms), console.site, now_ms)


def build(facts: SessionFacts, site: Site, now_ms: int) -> SessionPage:
    """The page out of what was read."""
    fmt = formats(site.currency, site.exponent, site.zone)
    session, tariff = facts.session, facts.session.tariff
    usage = usage_until(session, now_ms)
    bill = _bill(facts, now_ms)
    runs, over = session.state == SessionState.RUNNING, session.state in OVER
    choices = choices_of(session)
    waits = bool(choices) and not session.fee_minor
    if waits:
        bill = facts.to_come or choices[0].bill
    # A bill that is not the one which was booked would only confuse: nothing was billed, and the note says why.
    billed = runs or waits or (over and bill.total_minor == session.fee_minor and session.fee_minor > 0)
    points = charts.power_points(facts.samples)
    curve = charts.power_curve(points, _("Power during the session, in kilowatts"))
    return SessionPage(
        session=session,
        state=state_of(session.state),
        usage=usage,
        cost_minor=bill.total_minor if runs else session.fee_minor if over else None,
        lines=bill_lines(paper_lines(bill), tariff, fmt) if billed and tariff is not None else [],
        bill=bill,
        choices=choices,
        tariff=tariff,
        taxes=price_lines.taxes_in_words(tariff.terms, fmt) if tariff is not None and tariff.terms is not None else "",
        curve=curve,
        levels=charts.level_words(curve.chart.levels, 1000, fmt) if curve else [],
        samples=facts.samples,
        powers=dict(points),
        money=_money(facts.movements),
        movements=[(movement, _(SINGLE_MOVEMENTS[_kind(movement)])) for movement in facts.movements],
        card=facts.card,
        token=masked(session.id_token) if session.id_token else "",
        answer=_(AUTHORIZATIONS.get(session.authorization, "")) or session.authorization,
        stop=stop_of(session) if over else "",
        limited=_(LIMITED_BY[session.limited_by]) if session.limited_by in LIMITED_BY else "",
        note=contradiction_sentence(session.note, [fmt.energy(one.usage.energy_wh, 3) for one in session.figures]),
        messages_before=facts.messages_before,
        papers=facts.papers,
        signed=signed_words(facts.evidence, session.energy_wh) if facts.evidence.pieces else None,
    )


def stop_of(session: Session) -> str:
    """Why it ended, in words."""
    return stop_sentence(session.stop_reason, session.stop_wanted, session.estimated, session.limited_by)


def choices_of(session: Session) -> list[Choice]:
    """What a session may be billed for that waits for somebody to say so, the likeliest first: what can be billed at all."""
    return [one for one in review.choices(session) if one.bill.total_minor <= AMOUNT_MINOR_MAX]


def _running(db: Readable, number: SessionId) -> Session:
    found = session_list.show(db, number)
    if found is None or found.state != SessionState.RUNNING:
        raise NotFound(N_("There is no such session running."))
    return found


def _facts(db: Readable, number: SessionId, now_ms: int) -> SessionFacts:
    session = session_list.show(db, number)
    if session is None:
        raise NotFound(N_("There is no such session."))
    return SessionFacts(
        session,
        session_list.curve(db, number),
        statement.of_session(db, number),
        cards.find(db, session.card_id) if session.card_id is not None else None,
        statement.message_before(db, (session.ended_at_ms or now_ms) + LOG_AFTER_END_MS),
        line_rows.of_session(db, number),
        explaining.lines_to_come(db, session),
        bills.of_session(db, number),
        evidence.of_session(db, number, session.station_id, session.evse),
    )


def _kind(movement: Movement) -> str:
    """Which entry of the words it is: by what it does, and for a posting by its code."""
    kind = movement.op if movement.op != Operation.POST else movement.code
    return kind if kind in MOVEMENTS else TransferCode.CHARGE


def _money(movements: Sequence[Movement]) -> list[tuple[str, int]]:
    """The sums of a session's movements in words; a hold of which a part was taken gave back the rest."""
    sums = dict.fromkeys(MOVEMENTS, 0)
    for movement in movements:
        sums[_kind(movement)] += movement.amount_minor
        if movement.hold_minor is not None:
            sums["void"] += movement.hold_minor - movement.amount_minor
    return [(_(MOVEMENTS[kind]), amount_minor) for kind, amount_minor in sums.items() if amount_minor]


def _bill(facts: SessionFacts, now_ms: int) -> Bill:
    """What it costs, or cost; the lines of a bill by lines are kept with it."""
    session = facts.session
    if facts.to_come is not None and session.state not in OVER:
        return facts.to_come
    if session.tariff is None or session.tariff.terms is None or session.state not in OVER:
        return bill_until(session, now_ms)
    return Bill(as_lines(facts.lines), session.net_minor, session.tax_minor, session.fee_minor)


async def signed_file(request: web.Request) -> web.Response:
    """`GET /sessions/{session}/signed.xml`, for transparency software; `.ocmf` is what was signed, a line for each."""
    number, ending = SessionId(number_of(request, "session")), request.match_info["ending"]
    session, found = await request.app[CONSOLE].store.read(_signed, number)
    if not any(piece.container for piece in found.pieces) or ending not in SIGNED_TYPES:
        raise web.HTTPNotFound
    lines = [piece.container.text for piece in found.pieces if piece.container is not None]
    return web.Response(
        text=evidence.as_xml(session.id, found) if ending == "xml" else "\n".join(lines) + "\n",
        content_type=SIGNED_TYPES[ending],
        headers={"Content-Disposition": f'attachment; filename="session-{session.id}.{ending}"'},
    )


def _signed(db: Readable, number: SessionId) -> tuple[Session, Evidence]:
    session = session_list.show(db, number)
    if session is None:
        raise NotFound(N_("There is no such session."))
    return session, evidence.of_session(db, number, session.station_id, session.evse)


ROUTES = [
    web.get("/sessions/{session}/signed.{ending}", signed_file),
    web.get("/sessions/{session}", show),
    web.get("/sessions/{session}/close", show_close),
    web.post("/sessions/{session}/close", close),
    web.post("/sessions/{session}/acknowledge", acknowledge),
    web.post("/sessions/{session}/bill", bill),
]
LIVE_VIEW = LiveView("session", "/sessions/{session}", concerns, fragments)
