"""`GET /api/v1/events`: what changes at the site, as server-sent events, each once it is committed.

An event says what has changed, not how it is now: whoever wants to know asks. Streams are bounded in number and in what
waits for them; a client that does not read is cut off and comes back. The streams of card desks (`card_desk/events`) are served
here too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson
from aiohttp import hdrs, web

from appliance.db import operators
from appliance.db.engine.protocols import Readable
from appliance.db.stations import stations
from appliance.services.announce import (
    AdmissionChanged,
    Announcement,
    Hub,
    PersonChanged,
    ProblemsChanged,
    SessionChanged,
    SettingsChanged,
    StationChanged,
)
from appliance.services.operators.log_ins import visit as visit_of
from appliance.services.operators.tokens import hash_token
from appliance.ui.api.shapes import or_null, record, whole, words
from appliance.ui.frame.auth import session_cookie
from appliance.ui.frame.context import CONSOLE, PrincipalKind, principal
from appliance.ui.frame.roles import standing
from appliance.ui.frame.streams import Places, next_of

STREAMS_MAX = 32
STREAMS_OF_ONE_MAX = 8
"""Of one token."""
WAITING_MAX = 512
HEARTBEAT_S = 15.0
RECHECK_S = 30.0
"""So soon, however much there is to tell, a token that was revoked is found out."""
RECONNECT_MS = 3000

EVENT = record(
    "Event",
    station=or_null(words("What the station calls itself.")),
    evse=or_null(whole("0: the station as a whole.")),
    connector=or_null(whole("The older name of `evse`.")),
    session_id=or_null(whole()),
    person_id=or_null(whole()),
    what=words("requested, started, measured, ended, failed, review or stop_wanted of a session; else changed."),
)
"""The data of an event; its name is `station`, `session`, `person`, `problems` or `settings`."""


TOLD = (StationChanged, SessionChanged, PersonChanged, ProblemsChanged, SettingsChanged)
"""What `/events` tells of."""

Wants = Callable[[Announcement], bool]
Tell = Callable[[Announcement], Awaitable[bytes | None]]
"""The event for an announcement; None: there is nothing to tell any more."""
Begin = Callable[[], Awaitable[bytes]]
"""The events with which a stream begins."""


@dataclass(slots=True, eq=False)
class Stream:
    """One client."""

    transport: asyncio.BaseTransport | None
    wants: Wants
    waiting: asyncio.Queue[Announcement | None] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def push(self, announcement: Announcement | None) -> None:
        """Queue it; None ends the stream. Who has fallen behind is cut off."""
        try:
            self.waiting.put_nowait(announcement)
        except asyncio.QueueFull:
            if isinstance(self.transport, asyncio.WriteTransport):
                self.transport.abort()


class Events:
    """All streams of a console."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self._places = Places(STREAMS_MAX, STREAMS_OF_ONE_MAX)
        self._identities: dict[int, str] = {}

    def listen(self, hub: Hub) -> None:
        """Hear what is announced, for as long as the program runs."""
        hub.listen(self._forget_identities, AdmissionChanged)
        hub.listen(self._hear)

    async def close(self, _app: web.Application) -> None:
        """The program ends."""
        for stream in tuple(self._streams):
            stream.push(None)

    async def stream(
        self, request: web.Request, wants: Wants, tell: Tell, begin: Begin | None = None
    ) -> web.StreamResponse:
        """Serve one client until it goes."""
        with self._places.take(request):
            return await self._stream(request, wants, tell, begin)

    async def _stream(self, request: web.Request, wants: Wants, tell: Tell, begin: Begin | None) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        if request.method == hdrs.METH_HEAD:
            return response
        stream = Stream(request.transport, wants)
        self._streams.add(stream)
        try:
            await response.prepare(request)
            await response.write(f"retry: {RECONNECT_MS}\n\n".encode())
            if begin is not None:
                await response.write(await begin())
            await self._serve(request, response, stream, tell)
        except ConnectionError:
            pass
        finally:
            self._streams.discard(stream)
        return response

    def _forget_identities(self, announcements: list[Announcement]) -> None:
        for one in announcements:
            if isinstance(one, AdmissionChanged):
                self._identities.pop(one.station, None)  # Its row may be another's now.

    def _hear(self, announcements: list[Announcement]) -> None:
        for stream in tuple(self._streams):
            for announcement in filter(stream.wants, announcements):
                stream.push(announcement)

    async def _serve(self, request: web.Request, response: web.StreamResponse, stream: Stream, tell: Tell) -> None:
        asked_s = time.monotonic()
        while True:
            event: bytes | None
            try:
                announcement = await next_of(stream.waiting, request, HEARTBEAT_S)
            except TimeoutError:
                event = b": still here\n\n"
            else:
                if announcement is None:
                    return
                event = await tell(announcement)
            if time.monotonic() - asked_s >= RECHECK_S:
                if not await still_may(request):
                    return
                asked_s = time.monotonic()
            if event is not None:
                await response.write(event)

    async def event(self, request: web.Request, announcement: Announcement) -> bytes:
        """What `/events` says of an announcement."""
        event: dict[str, object] = {
            "station": None, "evse": None, "connector": None, "session_id": None, "person_id": None, "what": "changed",
        }  # fmt: skip
        name = "settings"
        match announcement:
            case StationChanged():
                name = "station"
                event |= {
                    "station": await self._identity(request, announcement.station),
                    "evse": announcement.evse,
                    "connector": announcement.evse,
                }
            case SessionChanged():
                name = "session"
                event |= {
                    "station": await self._identity(request, announcement.station),
                    "evse": announcement.evse,
                    "connector": announcement.evse,
                    "session_id": announcement.session,
                    "person_id": announcement.person,
                    "what": announcement.what,
                }
            case PersonChanged():
                name = "person"
                event |= {"person_id": announcement.person}
            case ProblemsChanged():
                name = "problems"
        return sent(name, event)

    async def _identity(self, request: web.Request, station: int) -> str | None:
        """Identities change only with an announcement: the row of a station that was turned away is given to the next."""
        if station not in self._identities:
            names = await request.app[CONSOLE].store.read(stations.names)
            self._identities = {number: named.identity for number, named in names.items()}
        return self._identities.get(station)


def sent(name: str, content: dict[str, object]) -> bytes:
    """An event as it goes out."""
    return f"event: {name}\ndata: ".encode() + orjson.dumps(content) + b"\n\n"


EVENTS = web.AppKey("events", Events)


def install(app: web.Application) -> None:
    """Before the server starts."""
    events = app[EVENTS] = Events()
    events.listen(app[CONSOLE].hub)
    app.on_shutdown.append(events.close)


async def watch(request: web.Request) -> web.StreamResponse:
    """`GET /events`."""
    events = request.app[EVENTS]
    return await events.stream(request, lambda one: isinstance(one, TOLD), lambda one: events.event(request, one))


async def still_may(request: web.Request) -> bool:
    """Whether the token or the log-in that opened the stream still holds."""
    console, who = request.app[CONSOLE], principal(request)
    if who.kind == PrincipalKind.OPERATOR:
        digest = hash_token(request.cookies.get(session_cookie(request), ""))
        visit = await console.store.read(visit_of, digest, console.clock())
        takes_cash = console.settings().guards_take_cash
        return visit is not None and standing(visit.role, guards_take_cash=takes_cash) == who.role
    return await console.store.read(_holds, who.id)


def _holds(db: Readable, token: int) -> bool:
    return any(one.id == token and one.revoked_at_ms is None for one in operators.tokens(db))
