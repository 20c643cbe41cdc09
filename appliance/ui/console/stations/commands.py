"""Start, stop, unlock, take out of service, reset: each a small form that says what will happen, then the charger's answer.

“Accepted” means that the charger will try; what it really does the board shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from appliance.db import board
from appliance.db.engine.protocols import Readable
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.db.sessions import session_list
from appliance.db.stations.stations import Station
from appliance.domain.errors import Conflict, Invalid, Refusal
from appliance.domain.identifiers import PersonId, StationId
from appliance.domain.station import EVSE_MAX
from appliance.services.ports.stations import CommandAnswer, CommandFailed
from appliance.services.sessions import start_requests
from appliance.ui.console.stations.common import refused_words, station_of, station_path
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.errors import command_failure
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.frame.roles import MANAGERS, SEES_PHONES, may

FOUND_MAX = 8
ANSWER_WAIT_S = 35.0


@dataclass(frozen=True, slots=True)
class StartPage:
    """Whom to start for: found people, or those who charged here last."""

    station: Station
    name: str
    evse: int
    query: str
    people: list[Person]
    recent: bool
    form: Form
    is_manager: bool
    """Whether who asks starts for those, too, who pay later or not at all."""


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """A sentence with the consequence, then one button with a verb."""

    title: str
    name: str
    consequence: str
    verb: str
    action: str
    danger: bool
    options: list[tuple[str, str]]
    """Values and words of a choice named `how`, if there is one."""
    back: str = "/"


# --- starting ------------------------------------------------------------------------------------------------------------


async def show_start(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/1/start?q=…`."""
    return await _start_page(request, Form())


async def start(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/1/start` with `person` or `card`."""
    console, form = request.app[CONSOLE], await read_form(request)
    station, evse = await station_of(request), _evse(request)
    try:
        card = form.text("card")
        person = PersonId(form.number("person")) if form.text("person") else None
        if person is None and not card:
            raise Invalid("card", N_("Say who is to charge: a person or a card."))
        if card and (meant := await console.store.read(people_search.card_meant, card)) is not None:
            card = meant.uid
        start_request = await console.control.start(
            station.id, evse, principal(request).actor, person=person, card=card
        )
        async with asyncio.timeout(ANSWER_WAIT_S):
            answer = await asyncio.shield(start_request.answer)
    except TimeoutError:
        answer = CommandAnswer(False, "timeout")
    except Refusal as refusal:
        return await _start_page(request, form.refused(refusal), status=refusal.status)
    name = _place(request, station, evse)
    if answer.accepted:
        text = _("{name}: the charger has accepted. Charging begins once the car is plugged in.").format(name=name)
        return done(request, "/", text, "waiting")
    return done(request, "/", f"{name}: {refused_words(answer)}", "failed")


async def _start_page(request: web.Request, form: Form, *, status: int = 200) -> web.Response:
    console = request.app[CONSOLE]
    station, evse = await station_of(request), _evse(request)
    query = request.query.get("q", "").strip()[:100]
    if query:
        names_only = principal(request).role not in SEES_PHONES
        found = await console.store.read(people_search.people, text=query, limit=FOUND_MAX, names_only=names_only)
    else:
        found = await console.store.read(board.recent_people, station.id, FOUND_MAX)
    is_manager = principal(request).role in MANAGERS
    page = StartPage(station, _place(request, station, evse), evse, query, found, not query, form, is_manager)
    return render(request, "stations/start.html", page, status=status)


# --- the others ----------------------------------------------------------------------------------------------------------


async def show_stop(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/1/stop`."""
    station, evse = await station_of(request), _evse(request)
    who = await request.app[CONSOLE].store.read(_name_of_payer, station.id, evse) or _("The driver")
    return _confirm(
        request,
        title=_("Stop charging?"),
        name=_place(request, station, evse),
        consequence=_("{who} pays for what was charged so far; what was held beyond that is free again.").format(
            who=who
        ),
        verb=_("Stop"),
        action=f"{station_path(station.identity)}/{evse}/stop",
        danger=True,
    )


async def stop(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/1/stop`: the transaction that runs there, or the start request that waits there."""
    console, station, evse = request.app[CONSOLE], await station_of(request), _evse(request)
    session = await console.store.read(start_requests.running_on, station.id, evse)
    if session is None:
        raise Conflict(N_("No session runs on this connector."), N_("It may have ended a moment ago."))

    async def ask() -> CommandAnswer:
        return await console.control.stop(session, principal(request).actor)

    # Where a stop fails, the session's page tells more, and ends it if the charger has forgotten it.
    page = f"/sessions/{session}" if may(principal(request).role, "GET", "/sessions/{session}") else "/"
    return await _command(request, station, evse, ask, _("the charger is stopping."), failed_at=page)


async def show_unlock(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/1/unlock?connector=…`: without a connector the one in use."""
    station, evse, connector = await station_of(request), _evse(request), _connector(request)
    return _confirm(
        request,
        title=_("Unlock the plug?"),
        name=_place(request, station, evse),
        consequence=_("The charger lets go of the cable. If a car is charging, that ends."),
        verb=_("Unlock"),
        action=f"{station_path(station.identity)}/{evse}/unlock" + (f"?connector={connector}" if connector else ""),
    )


async def unlock(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/1/unlock?connector=…`: without a connector the one in use."""
    console, station, evse = request.app[CONSOLE], await station_of(request), _evse(request)

    async def ask() -> CommandAnswer:
        return await console.control.unlock(station.id, evse, _connector(request), principal(request).actor)

    return await _command(request, station, evse, ask, _("the plug is unlocked."))


async def show_close(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/1/close`."""
    station, evse = await station_of(request), _evse(request)
    return _confirm(
        request,
        title=_("Take out of service?"),
        name=_place(request, station, evse),
        consequence=_(
            "Drivers can no longer charge here until somebody opens it again. A session that runs goes on to its end."
        ),
        verb=_("Take out of service"),
        action=f"{station_path(station.identity)}/{evse}/close",
    )


async def close(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/1/close`."""
    return await _set_operative(request, operative=False, told=_("it is out of service."))


async def show_open(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/1/open`."""
    station, evse = await station_of(request), _evse(request)
    return _confirm(
        request,
        title=_("Open again?"),
        name=_place(request, station, evse),
        consequence=_("Drivers can charge here again."),
        verb=_("Open again"),
        action=f"{station_path(station.identity)}/{evse}/open",
    )


async def open_again(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/1/open`."""
    return await _set_operative(request, operative=True, told=_("it is open again."))


async def show_reset(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/reset`."""
    station = await station_of(request)
    return _confirm(
        request,
        title=_("Restart the charger?"),
        name=station.name,
        consequence=_("It ends running sessions, restarts, and comes back after a minute or two."),
        verb=_("Restart"),
        action=f"{station_path(station.identity)}/reset",
        danger=True,
        options=[("soft", _("Gently: sessions are ended in order")), ("hard", _("At once, as if the power had gone"))],
    )


async def reset(request: web.Request) -> web.Response:
    """`POST /stations/CS-07/reset`."""
    console, station, form = request.app[CONSOLE], await station_of(request), await read_form(request)

    async def ask() -> CommandAnswer:
        return await console.control.reset(station.id, principal(request).actor, hard=form.value("how") == "hard")

    return await _command(request, station, 0, ask, _("the charger is restarting."))


# --- helpers -------------------------------------------------------------------------------------------------------------


def _name_of_payer(db: Readable, station: StationId, evse: int) -> str:
    """Who charges there; "" if nobody knows."""
    number = start_requests.running_on(db, station, evse)
    session = session_list.show(db, number) if number is not None else None
    return session.person if session is not None else ""


async def _set_operative(request: web.Request, *, operative: bool, told: str) -> web.Response:
    console, station, evse = request.app[CONSOLE], await station_of(request), _evse(request)

    async def ask() -> CommandAnswer:
        return await console.control.set_operative(station.id, evse, operative, principal(request).actor)

    return await _command(request, station, evse, ask, told)


async def _command(
    request: web.Request,
    station: Station,
    evse: int,
    ask: Callable[[], Awaitable[CommandAnswer]],
    told: str,
    failed_at: str = "/",
) -> web.Response:
    """Ask the charger, and say on the board, or where it has failed, what it answered."""
    name = _place(request, station, evse)
    try:
        answer = await ask()
    except CommandFailed as failure:
        return done(request, failed_at, f"{name}: {command_failure(failure)}", "failed")
    if not answer.accepted:
        return done(request, failed_at, f"{name}: {refused_words(answer)}", "failed")
    if answer.status == "Scheduled":
        told = _("the charger will do it when its session is over.")
    return done(request, "/", f"{name}: {told}", "done")


def _confirm(
    request: web.Request,
    *,
    title: str,
    name: str,
    consequence: str,
    verb: str,
    action: str,
    danger: bool = False,
    options: list[tuple[str, str]] | None = None,
) -> web.Response:
    page = ConfirmPage(title, name, consequence, verb, action, danger, options or [])
    return render(request, "stations/confirm.html", page)


def _evse(request: web.Request) -> int:
    return number_of(request, "evse", most=EVSE_MAX)


def _connector(request: web.Request) -> int:
    number = read_number(request.query.get("connector", "0"), most=EVSE_MAX)
    if number is None:
        raise web.HTTPNotFound
    return number


def _place(request: web.Request, station: Station, evse: int) -> str:
    several = len({connector.evse for connector in station.connectors}) > 1
    return f"{station.name} · {formats_of(request).number(evse)}" if several and evse else station.name


ACTIONS = (
    ("start", show_start, start),
    ("stop", show_stop, stop),
    ("unlock", show_unlock, unlock),
    ("close", show_close, close),
    ("open", show_open, open_again),
)

PAGE = Page(
    routes=[
        *(web.get(f"/stations/{{identity}}/{{evse}}/{name}", show) for name, show, _do in ACTIONS),
        *(web.post(f"/stations/{{identity}}/{{evse}}/{name}", do) for name, _show, do in ACTIONS),
        web.get("/stations/{identity}/reset", show_reset),
        web.post("/stations/{identity}/reset", reset),
    ]
)
