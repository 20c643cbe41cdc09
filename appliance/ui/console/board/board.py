"""The board: what is happening now? One tile for each connector, figures above, and who knocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, partial

from aiohttp import web

from appliance.db import board as rows
from appliance.db import problems, reports
from appliance.db.board import Knocking, Today
from appliance.db.engine.protocols import Readable
from appliance.db.reports import Total
from appliance.domain.calendar import day_of
from appliance.domain.identifiers import StationId
from appliance.domain.order import natural
from appliance.domain.places import places
from appliance.domain.session import SessionState, bill_until
from appliance.domain.station import connector_in_use
from appliance.domain.words import wanted
from appliance.services.announce import Announcement, ProblemsChanged, SessionChanged, SettingsChanged, StationChanged
from appliance.services.stations.private_messages import masked_words
from appliance.ui.console.board.groups import TILES_MAX, Cell, Group, cell_of, groups_of
from appliance.ui.console.board.hands import Hand, hands_of
from appliance.ui.console.board.states import Filter, State, filters
from appliance.ui.console.board.tiles import Reader, Tile, tile
from appliance.ui.console.stations.common import station_of
from appliance.ui.forms.forms import number_of, read_number
from appliance.ui.frame.context import CONSOLE, Addresses, Console, Fragments, LiveView, Page, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render, render_part
from appliance.ui.frame.roles import SEES_CARDS, may
from appliance.ui.writing.days import Span, month_of, today_of
from appliance.ui.writing.formats import Formats, formats

FIND_CHARS_MAX = 60
FILTERED_LEAST = 13
"""Fewer connectors are seen at a glance."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands on top. The day's sums hold what runs now, as far as it was measured."""

    power_w: int
    energy_wh: int
    fee_minor: int
    sessions: int
    charging: int
    problems: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a new site needs, and the list that it will stand in."""

    path: str
    sentence: str
    done: bool


@dataclass(frozen=True, slots=True)
class Period:
    """What came of the sessions of some days that have ended, and of as many days before them; and where they are reported."""

    word: str
    before: str
    total: Total
    total_before: Total
    href: str


@dataclass(frozen=True, slots=True)
class BoardPage:
    """The whole board."""

    tiles: list[Tile]
    """Faults first, then as people count."""
    groups: list[Group]
    """The same by place, where there are so many that they are shown as cells; else empty."""
    hands: list[Hand]
    filters: list[Filter]
    """Empty where there are so few that all are seen at a glance."""
    figures: Figures
    knocking: list[Knocking]
    addresses: Addresses
    begin: list[Step]
    """What is still to be made before anybody can charge; empty once all is there."""
    cells: list[tuple[Group, list[Cell]]] = field(default_factory=list)
    show: str = ""
    """The filter that a browser asked for. All is on its page all the same: what is not wanted is hidden."""
    find: str = ""
    wanted: tuple[str, ...] = ()
    """What of it is looked for in the words of each connector."""
    overview: list[Period] = field(default_factory=list)
    """Empty for who may not read reports."""


@dataclass(frozen=True, slots=True)
class PeekPage:
    """A connector alone."""

    tiles: list[Tile]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read in one go."""

    places: list[rows.ConnectorTile]
    running: list[rows.Running]
    parked: dict[tuple[int, int], rows.Parked]
    today: Today
    knocking: list[Knocking]
    problems: int
    begun: rows.Begun


async def show(request: web.Request) -> web.Response:
    """`GET /`."""
    console = request.app[CONSOLE]
    page = await load(console, principal(request).role)
    show, find = request.query.get("show", ""), request.query.get("find", "").strip()[:FIND_CHARS_MAX]
    page = laid_out(page, formats_of(request), show, find)
    if may(principal(request).role, "GET", "/reports"):
        page = replace(page, overview=await _overview(console))
    return render(request, "board/board.html", page)


def periods_of(today: str) -> list[Span]:
    """The day, the week and the month that go on."""
    now = date.fromisoformat(today)
    monday = now - timedelta(days=now.weekday())
    return [Span(today, today), Span(monday.isoformat(), (monday + timedelta(days=6)).isoformat()), month_of(now)]


def _totals(db: Readable, spans: Sequence[Span]) -> list[tuple[Total, Total]]:
    """What came of each, and of as long a time before it."""
    pairs = [(span, span.moved(-1)) for span in spans]
    return [
        (reports.total(db, now.first, now.last), reports.total(db, before.first, before.last)) for now, before in pairs
    ]


async def _overview(console: Console) -> list[Period]:
    spans = periods_of(today_of(console.clock(), console.site.zone))
    words = ((_("Today"), _("yesterday")), (_("This week"), _("last week")), (_("This month"), _("last month")))
    return [
        Period(*named, *totals, f"/reports?from={span.first}&to={span.last}")
        for named, span, totals in zip(words, spans, await console.store.read(_totals, spans), strict=True)
    ]


def laid_out(page: BoardPage, fmt: Formats, show: str = "", find: str = "") -> BoardPage:
    """The whole board as a browser is sent it: with every cell, and narrowed."""
    known = show if any(one.name == show for one in page.filters) else ""
    cells = [(group, [cell_of(one, group.place, fmt) for one in group.tiles]) for group in page.groups]
    words = [cell.words for _, there in cells for cell in there] or [one.words for one in page.tiles]
    return replace(page, cells=cells, show=known, find=find, wanted=wanted(words, find))


async def peek(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/2?connector=1`: one tile, of a connector that the board shows as a cell."""
    console, role = request.app[CONSOLE], principal(request).role
    station = await station_of(request)
    evse, connector = number_of(request, "evse"), read_number(request.query.get("connector", ""))
    tiles = tiles_of(*await console.store.read(_read_station, station.id), console, role, console.clock())
    wanted = f"tile-{station.id}-{evse}-"
    there = [one for one in tiles if one.id.startswith(wanted) and connector in (None, int(one.id[len(wanted) :]))]
    if not there:
        raise web.HTTPNotFound
    return render(request, "board/peek.html", PeekPage(there))


def _read_station(
    db: Readable, station: StationId
) -> tuple[list[rows.ConnectorTile], dict[tuple[int, int], rows.Running], dict[tuple[int, int], rows.Parked]]:
    return rows.connectors(db, station), rows.running(db, station), rows.parked(db, station)


async def load(console: Console, role: str) -> BoardPage:
    """The board as this role sees it now."""
    now_ms = console.clock()
    snapshot = await console.store.read(read, day_of(now_ms, console.site.zone))
    return build(snapshot, console, role, now_ms)


def read(db: Readable, day: str) -> Snapshot:
    """All that the board shows, of one moment."""
    return Snapshot(
        rows.connectors(db),
        rows.all_running(db),
        rows.parked(db),
        rows.today(db, day),
        rows.knocking(db),
        problems.count_rows(db),
        rows.begun(db),
    )


def build(snapshot: Snapshot, console: Console, role: str, now_ms: int) -> BoardPage:
    """The page out of what was read."""
    tiles = tiles_of(snapshot.places, rows.by_evse(snapshot.running), snapshot.parked, console, role, now_ms)
    running = [one for one in snapshot.running if one.state == SessionState.RUNNING]
    figures = Figures(
        power_w=sum(one.power_w for one in tiles),
        energy_wh=snapshot.today.energy_wh + sum(one.energy_wh for one in running),
        fee_minor=snapshot.today.fee_minor + sum(bill_until(one, now_ms).total_minor for one in running),
        sessions=snapshot.today.sessions + len(running),
        charging=sum(one.tone == "charging" for one in tiles),
        problems=snapshot.problems,
    )
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    where = places({one.station: (one.name, one.place) for one in snapshot.places})
    groups = groups_of(tiles, where) if len(tiles) > TILES_MAX else []
    knocking = snapshot.knocking if may(role, "GET", "/stations/{identity}/approve") else []
    return BoardPage(
        tiles=sorted(tiles, key=lambda one: one.state is not State.FAULT),
        groups=groups,
        hands=hands_of(tiles, where, fmt),
        filters=filters(((one.state, one.need) for one in tiles), fmt) if len(tiles) >= FILTERED_LEAST else [],
        figures=figures,
        knocking=knocking,
        addresses=console.addresses,
        begin=first_steps(snapshot.begun, role),
    )


def first_steps(begun: rows.Begun, role: str) -> list[Step]:
    """For a site that is just made: what this role can do so that it charges. Nothing once that is done."""
    steps = [
        Step("/tariffs", N_("Say what charging costs"), begun.tariff),
        Step("/stations", N_("Connect the first charger"), begun.station),
        Step("/people", N_("Enter the first person, with a card"), begun.person),
    ]
    possible = [step for step in steps if may(role, "GET", f"{step.path}/new")]
    return possible if not all(step.done for step in possible) else []


def tiles_of(
    places: Sequence[rows.ConnectorTile],
    running: dict[tuple[int, int], rows.Running],
    parked: dict[tuple[int, int], rows.Parked],
    console: Console,
    role: str,
    now_ms: int,
) -> list[Tile]:
    """The tiles of these connectors."""
    site = console.site
    opens_stations = may(role, "GET", "/stations/{identity}")
    fmt = formats(site.currency, site.exponent, site.zone)
    reader = Reader(fmt, cache(partial(may, role)), now_ms, opens_stations)
    online = console.stations.online()
    found = []
    used = in_use(places)
    for place in sorted(places, key=natural_order):
        if place.info and role not in SEES_CARDS:
            place = replace(place, info=masked_words(place.info))  # noqa: PLW2901  # as this role sees it
        evse = place.station, place.evse
        # A start request without a connector stands on the station's first one until the station says where it began.
        session = running.get(evse) or (running.get((place.station, 0)) if place.evse <= 1 else None)
        here = place.connectors <= 1 or used[evse] == place.connector
        found.append(
            tile(
                place,
                session if here else None,
                parked.get(evse) if here else None,
                online=StationId(place.station) in online,
                reader=reader,
                taken_beside=not here and (session is not None or evse in parked),
            )
        )
    return found


def in_use(places: Sequence[rows.ConnectorTile]) -> dict[tuple[int, int], int]:
    """Of EVSEs with several connectors, the one at which stands what runs on the EVSE."""
    several: dict[tuple[int, int], list[rows.ConnectorTile]] = {}
    for place in places:
        if place.connectors > 1:
            several.setdefault((place.station, place.evse), []).append(place)
    return {evse: connector_in_use(there).connector for evse, there in several.items()}


def natural_order(place: rows.ConnectorTile) -> tuple[str, int, int, int]:
    """By name as people count: Gate 2 before Gate 10."""
    return natural(place.name), place.station, place.evse, place.connector


async def fragments(console: Console, role: str, _parameter: str, changes: Sequence[Announcement] | None) -> Fragments:
    """The parts of the board that these changes concern."""
    page = await load(console, role)
    touched = None
    if changes is not None:
        touched = {change.station for change in changes if isinstance(change, (StationChanged, SessionChanged))}
    if page.groups:
        parts = _cells(console, role, page.groups, touched)
    else:
        parts = {
            one.id: render_part(console, role, "board/_tile_alone.html", tile=one)
            for one in page.tiles
            if touched is None or one.station in touched
        }
    parts |= {f"count-{one.name}": str(one.number) for one in page.filters}
    parts["hands"] = render_part(console, role, "board/_hands.html", hands=page.hands, many=bool(page.groups))
    parts["figures"] = render_part(console, role, "board/_figures.html", figures=page.figures)
    parts["begin"] = render_part(console, role, "board/_begin.html", begin=page.begin).strip()
    parts["knocking"] = render_part(console, role, "board/_knocking.html", knocking=page.knocking)
    return parts


def _cells(console: Console, role: str, groups: Sequence[Group], touched: set[int] | None) -> dict[str, str]:
    """The cells of the stations that were touched (None: all), and what stands above their places."""
    parts: dict[str, str] = {}
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    for group in groups:
        there = [one for one in group.tiles if touched is None or one.station in touched]
        for one in there:
            cell = cell_of(one, group.place, fmt)
            parts[f"cell-{one.id}"] = render_part(console, role, "board/_cell_alone.html", cell=cell)
        if there:
            parts[group.id] = render_part(console, role, "board/_place.html", group=group)
    return parts


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether the board looks different after this."""
    return isinstance(announcement, (StationChanged, SessionChanged, ProblemsChanged, SettingsChanged))


PAGE = Page(
    routes=[web.get("/", show), web.get(r"/stations/{identity}/{evse:\d+}", peek)],
    live=[LiveView("board", "/", concerns, fragments)],
)
