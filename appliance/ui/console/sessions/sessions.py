"""Sessions: the list with its filters in the address bar, its sums and its files. One session's page is in `session`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import operators, report_lines
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.lists import Part, Window
from appliance.db.people import people, people_search
from appliance.db.people.people import Person
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Filter, Session
from appliance.db.stations import stations
from appliance.db.stations.stations import Station
from appliance.domain.calendar import day_bounds
from appliance.domain.id_token import masked
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.session import usage_until
from appliance.domain.tariff import Usage
from appliance.ui.console.sessions import explanation, session
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.forms import read_number
from appliance.ui.forms.listing import Paging, Sort, query
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.language import _, ngettext
from appliance.ui.frame.render import formats_of, render
from appliance.ui.frame.roles import SEES_PHONES
from appliance.ui.wording.sessions import STATES, State, state_of
from appliance.ui.writing import exports
from appliance.ui.writing.days import read_day, unread_days
from appliance.ui.writing.exports import Column, Kind, Table
from appliance.ui.writing.formats import Formats

ROWS_AT_ONCE = 50
COLUMNS = {"began": "-began", "duration": "-duration", "energy": "-energy", "fee": "-fee"}
"""Chargers, people and states are chosen above the list."""
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
    lines: list[tuple[str, str, str]]
    """What a report's line asked for besides: field, value, and what it is called."""


@dataclass(slots=True)
class Summed:
    """How many sessions that are over, and what they came to."""

    count: int = 0
    energy_wh: int = 0
    fee_minor: int = 0

    def add(self, one: Session) -> None:
        """One more session, if it is over."""
        if one.has_ended:
            self.count += 1
            self.energy_wh += one.energy_wh
            self.fee_minor += one.fee_minor


@dataclass(frozen=True, slots=True)
class Listed:
    """What one snapshot says."""

    part: Part[Session]
    totals: tuple[int, int, int] | None
    stations: list[Station]


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some sessions, and the sums of all that fit; of a long time the report has them."""

    wanted: Wanted
    left_out: str
    """Why it does not keep to the days that were asked for; "" where it does."""
    sessions: list[Session]
    usages: dict[int, Usage]
    """What each of them used, or has used so far."""
    summed: Summed | None
    report: str
    stations: list[Station]
    states: list[tuple[str, str]]
    state_of: dict[str, State]
    sort: Sort
    paging: Paging
    without_person: str
    without_lines: str
    chosen: list[tuple[str, str]]
    card_name: str
    """Of the card that was asked for; its number only as far as the list shows it."""
    csv: str
    xlsx: str


async def show_list(request: web.Request) -> web.Response:
    """`GET /sessions?station=&person=&card=&state=&from=&to=&sort=&after=&before=`."""
    console, now_ms = request.app[CONSOLE], request.app[CONSOLE].clock()
    wanted, by_figures = await console.store.read(_wanted_and_how, _asked(request), now_ms)
    sort = Sort.of(request, COLUMNS if by_figures else {"began": COLUMNS["began"]}, "-began")
    listed = await console.store.read(_listed, wanted.filter, sort.window(request, ROWS_AT_ONCE), now_ms)
    sessions = listed.part.rows
    first = {"before": "", "after": ""}
    # A file is in the order of time: its pieces are read one after the other.
    kept = query(request, **first, sort="").partition("?")[2]
    page = ListPage(
        wanted,
        unread_days(request.query.get("from", ""), request.query.get("to", "")),
        sessions,
        {one.id: usage_until(one, now_ms) for one in sessions},
        Summed(*listed.totals) if listed.totals is not None else None,
        query(request, **first, state="", person="", card="", sort="").replace("/sessions", "/reports", 1),
        listed.stations,
        [(state, _(shown.word)) for state, shown in STATES.items()],
        STATES,
        sort,
        Paging.of(request, listed.part, lambda one: one.id),
        query(request, **first, person="", card=""),
        query(request, **first, group="", tariff="", evse="", by=""),
        [(person.name, query(request, **first, person=str(person.id))) for person in wanted.matches],
        (wanted.card.label or masked(wanted.card.uid)) if wanted.card is not None else "",
        f"/sessions.csv?{kept}",
        f"/sessions.xlsx?{kept}",
    )
    return render(request, "sessions/list.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /sessions.csv` and `.xlsx`, with the filters of the list."""
    store, fmt = request.app[CONSOLE].store, formats_of(request)
    wanted = await store.read(_wanted, _asked(request))
    currency, summed = currency_of(request).code, Summed()
    table = Table(
        name="sessions",
        title=_("Sessions"),
        columns=(
            Column(_("Session"), Kind.COUNT),
            Column(_("State")),
            Column(_("Charger")),
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
            Column(_("Pool")),
        ),
        rows=_rows(request, wanted.filter, summed),
        totals=lambda: (
            None, _ended(summed.count, fmt), None, None, None, None, None, None, None, None, None, summed.energy_wh, None, None,
            summed.fee_minor, None, None,
        ),
    )  # fmt: skip
    return await exports.send(request, table, request.match_info["ending"], fmt)


def _ended(count: int, fmt: Formats) -> str:
    """What the sums are the sums of."""
    return ngettext("{number} session that ended", "{number} sessions that ended", count).format(
        number=fmt.number(count)
    )


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
    evse: int | None
    group: int | None
    tariff: int | None
    by: str
    """What a report's line asks for; only with days, of which all sessions are looked at."""
    names_only: bool
    """Whoever asks may not see telephone numbers, notes and card numbers: nobody is found by them."""


def _asked(request: web.Request) -> Asked:
    zone = request.app[CONSOLE].site.zone
    given = request.query
    first, last = read_day(given.get("from", "")), read_day(given.get("to", ""))
    state = given.get("state", "")
    line = {name: read_number(given.get(name, "")) if first and last else None for name in ("evse", "group", "tariff")}
    return Asked(
        given.get("station", "")[:255],
        given.get("person", "").strip()[:100],
        given.get("card", ""),
        state if state in STATES else "",
        first or "",
        last or "",
        day_bounds(first, zone)[0] if first else None,
        day_bounds(last, zone)[1] if last else None,
        line["evse"],
        line["group"],
        line["tariff"],
        given.get("by", "")[:100] if first and last else "",
        principal(request).role not in SEES_PHONES,
    )


def _wanted(db: Readable, asked: Asked) -> Wanted:
    """The filter that was meant. A name that fits one person means that person; what fits nobody finds nothing."""
    station = stations.by_identity(db, asked.station) if asked.station else None
    person, matches = _person_meant(db, asked.person, names_only=asked.names_only) if asked.person else (None, [])
    is_pool = person is not None and person.is_pool
    number = read_number(asked.card)
    card = cards.find(db, CardId(number)) if number is not None else None
    found = Filter(
        station=station.id if station is not None else None,
        person=None if is_pool else person.id if person is not None else PersonId(-1) if asked.person else None,
        pool=person.id if person is not None and is_pool else None,
        card=card.id if card is not None else None,
        state=asked.state,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        evse=asked.evse,
        group=asked.group,
        tariff=asked.tariff,
        requested_by=asked.by,
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
        _lines_named(db, asked),
    )


def _lines_named(db: Readable, asked: Asked) -> list[tuple[str, str, str]]:
    numbers = (("group", report_lines.By.GROUPS, asked.group), ("tariff", report_lines.By.TARIFFS, asked.tariff))
    named = [
        (name, str(value), report_lines.name_of(db, by, str(value))) for name, by, value in numbers if value is not None
    ]
    if asked.evse is not None:
        named.append(("evse", str(asked.evse), str(asked.evse)))
    if asked.by:
        named.append(("by", asked.by, operators.names(db).get(asked.by, asked.by)))
    return named


def _wanted_and_how(db: Readable, asked: Asked, now_ms: int) -> tuple[Wanted, bool]:
    """The filter, and whether what it finds can be sorted by what it came to."""
    wanted = _wanted(db, asked)
    return wanted, session_list.sorts_by_figures(db, wanted.filter, now_ms)


def _person_meant(db: Readable, text: str, *, names_only: bool) -> tuple[Person | None, list[Person]]:
    """The person of this number, or the only one whom the text fits; else those among whom to choose."""
    number = read_number(text)
    if number is not None and (by_number := people.find(db, PersonId(number))):
        return by_number, []
    found = people_search.people(db, text=text, limit=MATCHES_SHOWN, names_only=names_only)
    return (found[0], []) if len(found) == 1 else (None, found)


def _listed(db: Readable, wanted: Filter, window: Window, now_ms: int) -> Listed:
    return Listed(
        session_list.part(db, wanted, window, now_ms),
        session_list.totals(db, wanted, now_ms),
        stations.all_stations(db),
    )


async def _rows(request: web.Request, wanted: Filter, summed: Summed) -> AsyncIterator[Sequence[exports.Row]]:
    """The sessions of the file, which are summed on the way."""
    store, before, sent = request.app[CONSOLE].store, 0, 0
    while sent < EXPORT_ROWS_MAX:
        found = await store.read(session_list.page, wanted, before=before, limit=EXPORT_ROWS_AT_ONCE)
        if not found:
            return
        for one in found:
            summed.add(one)
        yield [_row(one) for one in found]
        sent, before = sent + len(found), found[-1].id


def _row(one: Session) -> exports.Row:
    # What has not ended has no figures yet; with them the columns would not add up to the sums beneath.
    duration_s, energy_wh, net_minor, tax_minor, fee_minor = (
        (one.duration_s, one.energy_wh, one.net_minor, one.tax_minor, one.fee_minor) if one.has_ended else (None,) * 5
    )
    return (
        one.id,
        _(state_of(one.state).word),
        one.station,
        one.evse,
        one.person,
        masked(one.id_token) if one.id_token else "",
        one.started_at_ms,
        one.ended_at_ms,
        duration_s,
        one.meter_start_wh,
        one.meter_stop_wh,
        energy_wh,
        net_minor,
        tax_minor,
        fee_minor,
        session.stop_of(one) if one.ended_at_ms else "",
        one.pool,
    )


PAGE = Page(
    routes=[
        web.get("/sessions", show_list),
        web.get("/sessions.{ending}", export),
        *session.ROUTES,
        *explanation.ROUTES,
    ],
    live=[session.LIVE_VIEW],
)
