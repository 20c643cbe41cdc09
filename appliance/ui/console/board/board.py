"""The board: what is happening now? One tile for each connector, figures above, and who knocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

from aiohttp import web

from appliance.db import board as rows
from appliance.db import problems
from appliance.db.board import Knocking, Today
from appliance.db.engine.protocols import Readable
from appliance.domain.calendar import day_of
from appliance.domain.identifiers import StationId
from appliance.domain.session import SessionState, bill_until
from appliance.domain.station import connector_in_use
from appliance.services.announce import Announcement, ProblemsChanged, SessionChanged, SettingsChanged, StationChanged
from appliance.ui.console.board.tiles import Reader, Tile, tile
from appliance.ui.frame.context import CONSOLE, Addresses, Console, Fragments, LiveView, Page, principal
from appliance.ui.frame.language import N_
from appliance.ui.frame.render import render, render_part
from appliance.ui.frame.roles import may
from appliance.ui.writing.formats import formats
from appliance.ui.writing.order import natural


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
class BoardPage:
    """The whole board."""

    tiles: list[Tile]
    figures: Figures
    knocking: list[Knocking]
    addresses: Addresses
    begin: list[Step]
    """What is still to be made before anybody can charge; empty once all is there."""


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
    return render(request, "board/board.html", page)


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
    knocking = snapshot.knocking if may(role, "GET", "/stations/{identity}/approve") else []
    return BoardPage(tiles, figures, knocking, console.addresses, first_steps(snapshot.begun, role))


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


def natural_order(place: rows.ConnectorTile) -> tuple[list[tuple[int, int, str]], int, int, int]:
    """By name as people count: Gate 2 before Gate 10."""
    return natural(place.name), place.station, place.evse, place.connector


async def fragments(console: Console, role: str, _parameter: str, changes: Sequence[Announcement] | None) -> Fragments:
    """The parts of the board that these changes concern."""
    page = await load(console, role)
    touched = None
    if changes is not None:
        touched = {change.station for change in changes if isinstance(change, (StationChanged, SessionChanged))}
    parts = {
        one.id: render_part(console, role, "board/_tile_alone.html", tile=one)
        for one in page.tiles
        if touched is None or one.station in touched
    }
    parts["figures"] = render_part(console, role, "board/_figures.html", figures=page.figures)
    parts["begin"] = render_part(console, role, "board/_begin.html", begin=page.begin).strip()
    parts["knocking"] = render_part(console, role, "board/_knocking.html", knocking=page.knocking)
    return parts


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Whether the board looks different after this."""
    return isinstance(announcement, (StationChanged, SessionChanged, ProblemsChanged, SettingsChanged))


PAGE = Page(routes=[web.get("/", show)], live=[LiveView("board", "/", concerns, fragments)])
