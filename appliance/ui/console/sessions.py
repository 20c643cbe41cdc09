"""Sessions: the list with its filters and exports, and one session's page: how much, for whom, why, at which prices."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import directory, history, people, records, stations
from appliance.db.history import Filter, Sample, Session
from appliance.db.people import Card, Person
from appliance.db.records import Movement
from appliance.db.stations import Station
from appliance.domain.calendar import day_bounds
from appliance.domain.errors import NotFound
from appliance.domain.id_token import masked
from appliance.domain.identifiers import CardId, PersonId, SessionId
from appliance.domain.tariff import Bill, Line, Tariff
from appliance.services import live_cost, review
from appliance.ui import charts, exports
from appliance.ui.charts import Curve
from appliance.ui.console.tariffs import price_written
from appliance.ui.console.wallet import currency_of, number_of
from appliance.ui.context import CONSOLE, Page, principal
from appliance.ui.days import read_day
from appliance.ui.exports import Column, Kind, Table
from appliance.ui.language import N_, _
from appliance.ui.listing import query
from appliance.ui.render import done, formats_of, render
from appliance.ui.session_words import (
    AUTHORIZATIONS,
    LINES,
    MOVEMENTS,
    SINGLE_MOVEMENTS,
    STATES,
    State,
    note_sentence,
    state_of,
    stop_sentence,
)

ROWS_AT_ONCE = 50
EXPORT_ROWS_AT_ONCE = 1000
EXPORT_ROWS_MAX = 500_000
MATCHES_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for, in the reader's terms and in the database's."""

    filter: Filter
    station: str
    state: str
    first: str
    last: str
    text: str
    person: Person | None
    matches: list[Person]
    """People among whom the reader must choose, because the text fits several."""
    card: Card | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What one snapshot says."""

    wanted: Wanted
    sessions: list[Session]
    totals: tuple[int, int, int]
    stations: list[Station]


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some sessions, the newest first, and the sums of all that fit."""

    wanted: Wanted
    sessions: list[Session]
    count: int
    energy_wh: int
    fee_minor: int
    stations: list[Station]
    states: list[tuple[str, str]]
    state_of: dict[str, State]
    older: str
    without_person: str
    chosen: list[tuple[str, str]]
    csv: str
    xlsx: str


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of the bill in words."""

    word: str
    quantity: str
    price: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What one snapshot says about a session."""

    session: Session
    tariff: Tariff | None
    bill: Bill
    samples: list[Sample]
    movements: list[Movement]
    card: Card | None
    messages_before: int


@dataclass(frozen=True, slots=True)
class SessionPage:
    """One session."""

    session: Session
    state: State
    duration_s: int
    cost_minor: int | None
    """Of a running one so far; None where nothing is billed."""
    lines: list[BillLine]
    bill: Bill
    tariff: Tariff | None
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
    note: str
    messages_before: int


async def show_list(request: web.Request) -> web.Response:
    """`GET /sessions?station=&person=&card=&state=&from=&to=&before=`."""
    before = request.query.get("before", "")
    listed = await request.app[CONSOLE].store.read(
        _listed, _asked(request), int(before) if before.isascii() and before.isdecimal() and len(before) < 17 else 0
    )
    sessions, wanted = listed.sessions[:ROWS_AT_ONCE], listed.wanted
    count, energy_wh, fee_minor = listed.totals
    kept = query(request, before="").partition("?")[2]
    page = ListPage(
        wanted,
        sessions,
        count,
        energy_wh,
        fee_minor,
        listed.stations,
        [(state, _(shown.word)) for state, shown in STATES.items()],
        STATES,
        query(request, before=str(sessions[-1].id)) if len(listed.sessions) > ROWS_AT_ONCE else "",
        query(request, person="", card="", before=""),
        [(person.name, query(request, person=str(person.id), before="")) for person in wanted.matches],
        f"/sessions.csv?{kept}",
        f"/sessions.xlsx?{kept}",
    )
    return render(request, "sessions/list.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /sessions.csv` and `.xlsx`, with the filters of the list."""
    store, fmt = request.app[CONSOLE].store, formats_of(request)
    listed = await store.read(_listed, _asked(request), 0)
    currency = currency_of(request).code
    count, energy_wh, fee_minor = listed.totals
    table = Table(
        name="sessions",
        title=_("Sessions"),
        columns=(
            Column(_("Session"), Kind.COUNT),
            Column(_("State")),
            Column(_("Station")),
            Column(_("Connector"), Kind.COUNT),
            Column(_("Person")),
            Column(_("Card")),
            Column(_("Began"), Kind.MOMENT),
            Column(_("Ended"), Kind.MOMENT),
            Column(_("Duration"), Kind.DURATION),
            Column(_("Meter at start (kWh)"), Kind.ENERGY),
            Column(_("Meter at end (kWh)"), Kind.ENERGY),
            Column(_("Energy (kWh)"), Kind.ENERGY),
            Column(_("Without tax ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Tax ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Fee ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Why it ended")),
        ),
        rows=_rows(request, listed.wanted.filter),
        totals=(
            None, _("Total"), None, count, None, None, None, None, None, None, None, energy_wh, None, None, fee_minor, None,
        ),
    )  # fmt: skip
    return await exports.send(request, table, request.match_info["ending"], fmt)


async def show(request: web.Request) -> web.Response:
    """`GET /sessions/{session}`."""
    console = request.app[CONSOLE]
    now_ms = console.clock()
    facts = await console.store.read(_facts, SessionId(number_of(request, "session")), now_ms)
    session = facts.session
    over = session.state in ("ended", "review", "failed")
    # A bill that is not the one which was booked would only confuse: nothing was billed, and the note says why.
    billed = session.state == "running" or (
        over and facts.bill.total_minor == session.fee_minor and session.fee_minor > 0
    )
    duration_s = session.duration_s
    if session.state == "running" and session.started_at_ms is not None:
        duration_s = max(0, now_ms - session.started_at_ms) // 1000
    points = charts.power_points(facts.samples)
    curve = charts.power_curve(points, _("Power during the session, in kilowatts"))
    page = SessionPage(
        session=session,
        state=state_of(session.state),
        duration_s=duration_s,
        cost_minor=facts.bill.total_minor if session.state == "running" else session.fee_minor if over else None,
        lines=_bill_lines(request, facts.bill.lines, facts.tariff) if billed and facts.tariff is not None else [],
        bill=facts.bill,
        tariff=facts.tariff,
        curve=curve,
        levels=charts.level_words(curve.chart.levels, 1000, formats_of(request)) if curve else [],
        samples=facts.samples,
        powers=dict(points),
        money=_money(facts.movements),
        movements=[(movement, _(SINGLE_MOVEMENTS[_kind(movement)])) for movement in facts.movements],
        card=facts.card,
        token=masked(session.id_token) if session.id_token else "",
        answer=_(AUTHORIZATIONS.get(session.authorization, "")) or session.authorization,
        stop=stop_sentence(session.stop_reason, session.stop_wanted, session.estimated) if over else "",
        note=note_sentence(session.note),
        messages_before=facts.messages_before,
    )
    return render(request, "sessions/session.html", page)


async def acknowledge(request: web.Request) -> web.Response:
    """`POST /sessions/{session}/acknowledge`: somebody has looked at it."""
    console, session = request.app[CONSOLE], SessionId(number_of(request, "session"))
    await console.store.write(review.acknowledge, session, principal(request).actor, console.clock())
    return done(request, f"/sessions/{session}", _("Noted: you have looked at it."))


@dataclass(frozen=True, slots=True)
class Asked:
    """The address bar, tidied; days that cannot be read do not matter."""

    station: str
    person: str
    card: str
    state: str
    first: str
    last: str
    from_ms: int | None
    to_ms: int | None


def _asked(request: web.Request) -> Asked:
    zone = request.app[CONSOLE].site.zone
    given = request.query
    first, last = read_day(given.get("from", "")), read_day(given.get("to", ""))
    state = given.get("state", "")
    return Asked(
        given.get("station", "")[:255],
        given.get("person", "").strip()[:100],
        given.get("card", ""),
        state if state in STATES else "",
        first or "",
        last or "",
        day_bounds(first, zone)[0] if first else None,
        day_bounds(last, zone)[1] if last else None,
    )


def _wanted(db: sqlite3.Connection, asked: Asked) -> Wanted:
    """The filter that was meant. A name that fits one person means that person; what fits nobody finds nothing."""
    station = stations.by_identity(db, asked.station) if asked.station else None
    person, matches = _person_meant(db, asked.person) if asked.person else (None, [])
    card = (
        people.find_card(db, CardId(int(asked.card)))
        if asked.card.isascii() and asked.card.isdecimal() and len(asked.card) < 17
        else None
    )
    found = Filter(
        station=station.id if station is not None else None,
        person=person.id if person is not None else PersonId(-1) if asked.person else None,
        card=card.id if card is not None else None,
        state=asked.state,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
    )
    return Wanted(
        found,
        station.identity if station else "",
        asked.state,
        asked.first,
        asked.last,
        asked.person,
        person,
        matches,
        card,
    )


def _person_meant(db: sqlite3.Connection, text: str) -> tuple[Person | None, list[Person]]:
    """The person of this number, or the only one whom the text fits; else those among whom to choose."""
    if text.isascii() and text.isdecimal() and len(text) < 10 and (by_number := people.find(db, PersonId(int(text)))):
        return by_number, []
    found = directory.people(db, text=text, limit=MATCHES_SHOWN).rows
    return (found[0], []) if len(found) == 1 else (None, found)


def _listed(db: sqlite3.Connection, asked: Asked, before: int) -> Listed:
    wanted = _wanted(db, asked)
    return Listed(
        wanted,
        history.page(db, wanted.filter, before=before, limit=ROWS_AT_ONCE + 1),
        history.totals(db, wanted.filter),
        stations.all_stations(db),
    )


def _facts(db: sqlite3.Connection, number: SessionId, now_ms: int) -> SessionFacts:
    session = history.show(db, number)
    if session is None:
        raise NotFound(N_("There is no such session."))
    return SessionFacts(
        session,
        history.tariff_of(db, session),
        live_cost.bill_now(db, session, now_ms),
        history.curve(db, number),
        records.of_session(db, number),
        people.find_card(db, session.card_id) if session.card_id is not None else None,
        records.message_before(db, (session.ended_at_ms or now_ms) + 60_000),
    )


async def _rows(request: web.Request, wanted: Filter) -> AsyncIterator[Sequence[exports.Row]]:
    store, before, sent = request.app[CONSOLE].store, 0, 0
    while sent < EXPORT_ROWS_MAX:
        found = await store.read(history.page, wanted, before=before, limit=EXPORT_ROWS_AT_ONCE)
        if not found:
            return
        yield [_row(session) for session in found]
        sent, before = sent + len(found), found[-1].id


def _row(session: Session) -> exports.Row:
    return (
        session.id,
        _(state_of(session.state).word),
        session.station,
        session.evse,
        session.person,
        masked(session.id_token) if session.id_token else "",
        session.started_at_ms,
        session.ended_at_ms,
        session.duration_s,
        session.meter_start_wh,
        session.meter_stop_wh,
        session.energy_wh,
        session.net_minor,
        session.tax_minor,
        session.fee_minor,
        stop_sentence(session.stop_reason, session.stop_wanted, session.estimated) if session.ended_at_ms else "",
    )


def _kind(movement: Movement) -> str:
    """Which entry of the words it is: by what it does, and for a posting by its code."""
    kind = movement.op if movement.op != "post" else movement.code
    return kind if kind in MOVEMENTS else "charge"


def _money(movements: Sequence[Movement]) -> list[tuple[str, int]]:
    """The sums of a session's movements in words; a hold of which a part was taken gave back the rest."""
    sums = dict.fromkeys(MOVEMENTS, 0)
    for movement in movements:
        sums[_kind(movement)] += movement.amount_minor
        if movement.hold_minor is not None:
            sums["void"] += movement.hold_minor - movement.amount_minor
    return [(_(MOVEMENTS[kind]), amount_minor) for kind, amount_minor in sums.items() if amount_minor]


def _bill_lines(request: web.Request, lines: Sequence[Line], tariff: Tariff) -> list[BillLine]:
    fmt, currency = formats_of(request), currency_of(request)
    prices = {
        "energy": (tariff.energy_milli_per_kwh, _("{price} a kWh")),
        "time": (tariff.time_milli_per_minute, _("{price} a minute")),
        "idle": (tariff.idle_milli_per_minute, _("{price} a minute")),
        "flat": (tariff.flat_milli, "{price}"),
    }
    found = []
    for line in lines:
        milli, words = prices[line.kind]
        quantity = _("{energy} kWh").format(energy=fmt.energy(line.quantity, 3)) if line.kind == "energy" else ""
        if line.kind in ("time", "idle"):
            quantity = fmt.duration(line.quantity)
        written = words.format(price=price_written(milli, currency, fmt))
        found.append(BillLine(_(LINES[line.kind]), quantity, written, line.amount_minor))
    return found


PAGE = Page(
    routes=[
        web.get("/sessions", show_list),
        web.get("/sessions.{ending}", export),
        web.get("/sessions/{session}", show),
        web.post("/sessions/{session}/acknowledge", acknowledge),
    ]
)
