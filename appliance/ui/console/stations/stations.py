"""Charging stations: the list, and for each the page that answers why it is so and what can be done.

Commands to a connector are in `commands`, the message log in `messages`, settings inside the charger in `variables`, how it proves who it
is in `security`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db import board as board_rows
from appliance.db import holidays, problems
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Session
from appliance.db.stations import newcomers
from appliance.db.stations import stations as rows
from appliance.db.stations.newcomers import Newcomer
from appliance.db.stations.stations import Named, Station
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound, Refusal
from appliance.domain.order import natural
from appliance.domain.problem import ProblemKind
from appliance.domain.station import StationState
from appliance.domain.tariff import Tariff
from appliance.services import place_tariffs
from appliance.services.announce import Announcement, ProblemsChanged, SessionChanged, StationChanged
from appliance.services.problems.private import without_cards
from appliance.services.stations import admission
from appliance.services.stations import qr_codes as sticker_codes
from appliance.ui.console.board.board import tiles_of
from appliance.ui.console.board.tiles import Tile
from appliance.ui.console.stations import place_tariff
from appliance.ui.console.stations.common import refused_words, station_of, station_path, versions_of
from appliance.ui.console.stations.greatest_power import PowerLine, power_words, powers_of, store_powers
from appliance.ui.forms import edits
from appliance.ui.forms.edits import Changed
from appliance.ui.forms.forms import NUMBER_MAX, Form, read_form
from appliance.ui.forms.listing import Sort
from appliance.ui.forms.way_back import THEN, then_of
from appliance.ui.frame.context import CONSOLE, Addresses, Console, Fragments, LiveView, Page, asked_by, principal
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.frame.render import done, formats_of, render, render_part
from appliance.ui.frame.roles import SEES_CARDS, may
from appliance.ui.wording.driver import prices, tax_words
from appliance.ui.wording.price_lines import Said
from appliance.ui.wording.problems import Described, describe
from appliance.ui.writing.formats import formats

RECENT_SESSIONS = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A station in the list."""

    station: Station
    online: bool
    tiles: list[Tile]


COLUMNS: dict[str, Callable[[Line], str | int]] = {
    "name": lambda line: natural(line.station.name),
    "now": lambda line: natural(" ".join(tile.word for tile in line.tiles)),
    "model": lambda line: natural(f"{line.station.vendor} {line.station.model}".strip()),
    "firmware": lambda line: natural(line.station.firmware),
    "address": lambda line: natural(line.station.remote_address),
    "seen": lambda line: NUMBER_MAX if line.online else line.station.seen_at_ms or 0,
}
"""What the list is sorted by. It is whole: a site has hundreds of chargers at most."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """All stations; the knocking and the retired ones apart."""

    lines: list[Line]
    sort: Sort
    knocking: list[Station]
    retired: list[Station]
    addresses: Addresses


@dataclass(frozen=True, slots=True)
class StationPage:
    """One station."""

    station: Station
    stickers: list[tuple[int, str]]
    """For each of its EVSEs the address that its sticker leads to."""
    prices: list[Said]
    """As drivers read them."""
    tax: str
    online: bool
    tiles: list[Tile]
    troubles: list[Described]
    sessions: list[Session]
    newcomers: list[Newcomer]
    """Devices that say its name, and wait."""
    forms: dict[str, Form]
    """That of its name, that of its place, and that of its power."""
    powers: list[PowerLine]
    triggers: tuple[str, ...]
    addresses: Addresses
    mended: int
    """How many of its messages were not as they should be, and read all the same, since the server started."""
    tariffs_here: list[tuple[str, str]]
    """Which tariffs hold here instead of those of the groups: where, and the name."""


@dataclass(frozen=True, slots=True)
class NewPage:
    """How to connect a charger, who knocks meanwhile, and a form to enter it beforehand."""

    form: Form
    addresses: Addresses
    knocking: list[board_rows.Knocking]


@dataclass(frozen=True, slots=True)
class ApprovePage:
    """A knocking station asks for its name."""

    station: Station
    form: Form


@dataclass(frozen=True, slots=True)
class RetirePage:
    """Sure?"""

    station: Station


# --- the list ------------------------------------------------------------------------------------------------------------


async def show_list(request: web.Request) -> web.Response:
    """`GET /stations?sort=`."""
    console, role = request.app[CONSOLE], principal(request).role
    approved, knocking, retired, places, running, parked = await console.store.read(_read_list)
    online = console.stations.online()
    by_station: dict[int, list[Tile]] = {}
    for one in tiles_of(places, running, parked, console, role, console.clock()):
        by_station.setdefault(one.station, []).append(one)
    lines = [Line(one, one.id in online, by_station.get(one.id, [])) for one in approved]
    sort = Sort.of(request, {name: "-seen" if name == "seen" else name for name in COLUMNS}, "name")
    lines.sort(key=COLUMNS[sort.column], reverse=sort.falls)
    page = ListPage(lines, sort, knocking, retired, console.addresses)
    return render(request, "stations/list.html", page)


def _read_list(
    db: Readable,
) -> tuple[
    list[Station],
    list[Station],
    list[Station],
    list[board_rows.ConnectorTile],
    dict[tuple[int, int], board_rows.Running],
    dict[tuple[int, int], board_rows.Parked],
]:
    return (
        rows.all_stations(db),
        rows.all_stations(db, StationState.KNOCKING),
        rows.all_stations(db, StationState.RETIRED),
        board_rows.connectors(db),
        board_rows.running(db),
        board_rows.parked(db),
    )


async def show_new(request: web.Request) -> web.Response:
    """`GET /stations/new`."""
    return await _new_page(request, Form({THEN: then_of(request)}))


async def add(request: web.Request) -> web.Response:
    """`POST /stations/new`: enter a station before it has ever connected."""
    console, form = request.app[CONSOLE], await read_form(request)
    identity = form.text("id")
    try:
        await console.store.write(admission.register, identity, form.text("name"), None, None, asked_by(request))
    except Refusal as refusal:
        return await _new_page(request, form.refused(refusal), refusal.status)
    text = _("{identity} is entered. It appears as soon as it connects.").format(identity=identity)
    return done(request, then_of(request, form) or station_path(identity), text)


async def _new_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    page = NewPage(form, console.addresses, await console.store.read(board_rows.knocking))
    return render(request, "stations/new.html", page, status=status)


async def knocks(console: Console, role: str, _parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """Who knocks while somebody reads how to connect."""
    knocking = await console.store.read(board_rows.knocking)
    return {"knocking": render_part(console, role, "board/_knocking.html", knocking=knocking)}


# --- one station ---------------------------------------------------------------------------------------------------------


async def show(request: web.Request) -> web.Response:
    """`GET /stations/CS-07`."""
    return await _station_page(request)


async def rename(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/name`: what it is called, or where it stands."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    what = "place" if "place" in form.values else "name"
    try:
        said = await console.store.write(_store_word, station.identity, what, form, asked_by(request))
    except Changed as changed:
        return await _station_page(request, {what: edits.again(changed)}, status=changed.status)
    except Refusal as refusal:
        return await _station_page(request, {what: form.refused(refusal)}, status=refusal.status)
    text = _("Saved.") if what == "place" else _("It is called {name} now.").format(name=said)
    return done(request, station_path(station.identity), text)


def _store_word(db: Database, identity: str, what: str, form: Form, by: By) -> str:
    """A unit: its name, or where it stands; what it is then."""
    station = rows.by_identity(db, identity)
    if station is None:
        raise NotFound("There is no such charger.")
    said = edits.merged(form, {what: _words(station)[what]}).text(what)
    store = admission.place if what == "place" else admission.rename
    store(db, station.id, said, by)
    return said


def _words(station: Station) -> dict[str, str]:
    """What staff call it, and where it stands, as the forms have it."""
    return {"name": station.name, "place": station.place}


async def set_power(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/power`: how much its connectors can give, in kW; empty if nobody knows."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    try:
        await console.store.write(store_powers, station.identity, form, asked_by(request))
    except Changed as changed:
        return await _station_page(request, {"power": edits.again(changed)}, status=changed.status)
    except Refusal as refusal:
        return await _station_page(request, {"power": form.refused(refusal)}, status=refusal.status)
    return done(request, station_path(station.identity), _("Saved."))


async def show_approve(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/approve`."""
    return render(request, "stations/approve.html", ApprovePage(await station_of(request), Form()))


async def approve(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/approve`: let it in, under a name, with a password if it takes one. It boots again by itself."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    if station.state == StationState.APPROVED and form.text("name") not in ("", station.name):
        raise Conflict(N_("It was let in already, as {name}."), N_("Rename it on its page."), name=station.name)
    hash_password = console.hash_station_password if form.on("password") else None
    answer = await console.control.approve(
        station.id, form.text("name"), form.text("peer"), hash_password, principal(request).actor
    )
    name = form.text("name") or station.identity
    text = _("{name} is in. It says what it has within a minute.").format(name=name)
    if answer is not None and not answer.accepted:
        note = _("It took no password ({why}), so it is known by its device only; see Security on its page.")
        text = f"{text} {note.format(why=refused_words(answer))}"
    return done(request, "/", text)


async def dismiss_address(request: web.Request) -> web.Response:
    """`POST /stations/dismiss` with `address`: turn away all that knock from there."""
    console, form = request.app[CONSOLE], await read_form(request)
    address = form.text("address")
    count = await console.store.write(admission.dismiss_address, address, asked_by(request))
    text = ngettext(
        "{count} charger at {address} was turned away.", "{count} chargers at {address} were turned away.", count
    )
    return done(request, "/stations", text.format(count=formats_of(request).number(count), address=address))


async def admit(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/admit` with `peer`: this device is the station from now on."""
    console, form, station = request.app[CONSOLE], await read_form(request), await station_of(request)
    await console.store.write(admission.admit, station.id, form.text("peer"), asked_by(request))
    text = _("{name} is let in from there as soon as it tries again.").format(name=station.name)
    return done(request, station_path(station.identity), text)


async def dismiss(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/dismiss`: turn a knocking one away; it may knock again."""
    console, station = request.app[CONSOLE], await station_of(request)
    await console.store.write(admission.dismiss, station.id, asked_by(request))
    return done(request, "/stations", _("{identity} was turned away.").format(identity=station.identity))


async def show_retire(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/retire`."""
    return render(request, "stations/retire.html", RetirePage(await station_of(request)))


async def retire(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/retire`: off the board for good, its sessions stay."""
    console, station = request.app[CONSOLE], await station_of(request)
    await console.store.write(admission.retire, station.id, asked_by(request))
    return done(request, "/stations", _("{name} is retired. Its sessions stay in the books.").format(name=station.name))


async def _station_page(
    request: web.Request, forms: Mapping[str, Form] | None = None, *, status: int = 200
) -> web.Response:
    console = request.app[CONSOLE]
    page = await load(console, principal(request).role, request.match_info["identity"], forms or {})
    if page is None:
        await station_of(request)  # Says what is wrong.
        raise web.HTTPNotFound
    return render(request, "stations/station.html", page, status=status)


async def load(console: Console, role: str, identity: str, forms: Mapping[str, Form]) -> StationPage | None:
    """The page of a station; None if there is none. `forms` are those that come back."""
    found = await console.store.read(_read_station, identity)
    if found is None:
        return None
    station, places, running, parked, troubles, sessions, codes, waiting, tariff, days = found
    now_ms, site = console.clock(), console.site
    fmt = formats(site.currency, site.exponent, site.zone)
    names = {int(station.id): Named(station.identity, station.name, len({one.evse for one in station.connectors}))}
    return StationPage(
        station=station,
        stickers=stickers(codes, console.addresses) if station.state == StationState.APPROVED else [],
        prices=prices(tariff, fmt, now_ms, days) if tariff is not None else [],
        tax=tax_words(tariff, fmt) if tariff is not None else "",
        online=console.stations.is_online(station.id),
        tiles=tiles_of(places, running, parked, console, role, now_ms),
        # Devices that wait have a place of their own on the page.
        troubles=[
            describe(one if role in SEES_CARDS else without_cards(one), names, fmt, now_ms)
            for one in troubles
            if not waiting or one.kind != ProblemKind.NEWCOMER
        ],
        sessions=sessions if may(role, "GET", "/sessions/{session}") else [],
        newcomers=waiting,
        forms={
            **{name: edits.filled({name: value}) for name, value in _words(station).items()},
            "power": edits.filled(power_words(station)),
            **forms,
        },
        powers=powers_of(station),
        triggers=triggers_of(console, station),
        addresses=console.addresses,
        mended=console.counters.mended[identity],
        tariffs_here=place_tariff.in_words(await console.store.read(place_tariff.tariffs_here, station), fmt),
    )


def triggers_of(console: Console, station: Station) -> tuple[str, ...]:
    """What it may be asked to send."""
    return tuple(dict.fromkeys(name for one in versions_of(console, station) for name in one.triggers))


def stickers(codes: dict[int, str], addresses: Addresses) -> list[tuple[int, str]]:
    """Where the stickers of these EVSEs lead; none where drivers' pages are not served."""
    return [(evse, f"{addresses.drivers[0]}c/{code}") for evse, code in codes.items() if addresses.drivers]


def _read_station(
    db: Readable, identity: str
) -> (
    tuple[
        Station,
        list[board_rows.ConnectorTile],
        dict[tuple[int, int], board_rows.Running],
        dict[tuple[int, int], board_rows.Parked],
        list[problems.Problem],
        list[Session],
        dict[int, str],
        list[Newcomer],
        Tariff | None,
        frozenset[str],
    ]
    | None
):
    station = rows.by_identity(db, identity)
    if station is None:
        return None
    return (
        station,
        board_rows.connectors(db, station.id),
        board_rows.running(db, station.id),
        board_rows.parked(db, station.id),
        problems.of_subject(db, f"station:{station.id}"),
        session_list.page(db, session_list.Filter(station=station.id), limit=RECENT_SESSIONS),
        sticker_codes.codes(db, station.id),
        newcomers.of_station(db, station.id),
        _one_tariff(db, station),
        holidays.days_now(db),
    )


def _one_tariff(db: Readable, station: Station) -> Tariff | None:
    """That of all its connectors; None where they differ, which the page says by their names."""
    found = [place_tariffs.usual_at(db, station.id, evse) for evse in {one.evse for one in station.connectors} or {1}]
    return found[0] if all(one == found[0] for one in found) else None


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """What moves on a station's page."""
    page = await load(console, role, parameter, {})
    if page is None:
        raise NotFound("There is no such charger.")
    return {
        "station-now": render_part(
            console, role, "stations/_now.html",
            station=page.station, online=page.online, tiles=page.tiles, troubles=page.troubles,
            newcomers=page.newcomers,
        )
    }  # fmt: skip


def concerns(announcement: Announcement, _parameter: str) -> bool:
    """Any station's change makes it look; it is rendered only where somebody watches, and sent only if it differs."""
    return isinstance(announcement, (StationChanged, SessionChanged, ProblemsChanged))


PAGE = Page(
    routes=[
        web.get("/stations", show_list),
        web.get("/stations/new", show_new),
        web.post("/stations/new", add),
        web.post("/stations/dismiss", dismiss_address),
        web.get("/stations/{identity}", show),
        web.post("/stations/{identity}/name", rename),
        web.post("/stations/{identity}/power", set_power),
        web.get("/stations/{identity}/approve", show_approve),
        web.post("/stations/{identity}/approve", approve),
        web.post("/stations/{identity}/dismiss", dismiss),
        web.post("/stations/{identity}/admit", admit),
        web.get("/stations/{identity}/retire", show_retire),
        web.post("/stations/{identity}/retire", retire),
    ],
    live=[
        LiveView("station", "/stations/{identity}", concerns, fragments),
        LiveView("knocking", "/stations/new", concerns, knocks),
    ],
)
