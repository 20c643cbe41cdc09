"""What happens at a card desk as server-sent events, and the websocket by which a reader on another computer joins as one.

What travels over that websocket is none of this module's business (services/ports/readers.py: Channel).
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType, web

from appliance.db.card_desk.jobs import find
from appliance.domain.cards.tag import ReaderState, ReaderStatus
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.services.announce import Announcement, DeskChanged, DeskNews
from appliance.ui.api.card_desk.desks import waiting_or_open
from appliance.ui.api.card_desk.shapes import DESK_NAME, card_as_json, job_as_json, known_job, on_reader, reader_as_json
from appliance.ui.api.events import EVENTS, sent, still_may
from appliance.ui.frame.context import CONSOLE, Console, PrincipalKind, principal
from appliance.ui.frame.language import N_
from appliance.ui.frame.streams import Places
from appliance.ui.writing.formats import sentences

MESSAGE_BYTES_MAX = 64 * 1024
HEARTBEAT_S = 20.0
RECHECK_S = 60.0
"""A token that was revoked loses its desk within this time."""
SEND_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 3.0
REASON_BYTES_MAX = 120
CLOSE_REFUSED = 4409
"""The desk may not join; the reason says why."""
JOINED = web.AppKey("joined", set[web.WebSocketResponse])
PLACES = web.AppKey("places of desks", Places)
DESKS_MAX = 100
DESKS_OF_ONE_MAX = 20
"""Of one token."""


async def watch_desk(request: web.Request) -> web.StreamResponse:
    """`GET /desks/{id}/events`: first how it is now, then what changes, once it is committed."""
    desk, console = request.match_info["id"], request.app[CONSOLE]
    if console.desks.find(desk) is None:
        raise NotFound(N_("There is no such desk."))

    def wants(announcement: Announcement) -> bool:
        return isinstance(announcement, DeskChanged) and announcement.desk == desk

    async def tell(announcement: Announcement) -> bytes | None:
        assert isinstance(announcement, DeskChanged)
        return await _event(console, desk, announcement.what, announcement.job)

    async def begin() -> bytes:
        first = [await _event(console, desk, what, None) for what in (DeskNews.READER, DeskNews.CARD)]
        jobs = await console.store.read(waiting_or_open, desk)
        first += [sent(DeskNews.PROGRESS, job_as_json(job)) for job in jobs]
        return b"".join(event or b"" for event in first)

    return await request.app[EVENTS].stream(request, wants, tell, begin)


async def join(request: web.Request) -> web.StreamResponse:
    """`GET /desks/join?name=…`: returns when the reader has gone.

    Only for programs with a token: a browser sends its cookie whoever's page asks it to, a token never.
    """
    if principal(request).kind != PrincipalKind.PROGRAM:
        raise web.HTTPForbidden
    name = request.query.get("name", "")
    if not re.fullmatch(DESK_NAME["pattern"], name) or name == "join":
        raise Invalid("name", N_("A desk is called by small letters, digits and hyphens between them, at most 32."))
    with request.app[PLACES].take(request):
        return await _join(request, name)


async def _join(request: web.Request, name: str) -> web.StreamResponse:
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S, max_msg_size=MESSAGE_BYTES_MAX, timeout=CLOSE_TIMEOUT_S, compress=False
    )
    await socket.prepare(request)
    joined = request.app[JOINED]
    joined.add(socket)
    try:
        await request.app[CONSOLE].desks.join(name, SocketChannel(request, socket))
        await socket.close()
    except Refusal as refusal:
        reason = " ".join(sentences(refusal)).strip().encode()[:REASON_BYTES_MAX].decode(errors="ignore")
        await socket.close(code=CLOSE_REFUSED, message=reason.encode())
    finally:
        joined.discard(socket)
    return socket


def install(app: web.Application) -> None:
    """Before the server starts."""
    app[JOINED] = set()
    app[PLACES] = Places(DESKS_MAX, DESKS_OF_ONE_MAX)
    app.on_shutdown.append(_close_all)


@dataclass(slots=True)
class SocketChannel:
    """A websocket as the desks know it."""

    request: web.Request
    socket: web.WebSocketResponse
    checked_at: float = 0.0
    """When the token was last looked up; time.monotonic()."""

    def __post_init__(self) -> None:
        self.checked_at = time.monotonic()

    async def send(self, text: str) -> None:
        """Send one text; ConnectionError when it is closed, or takes nothing any more."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await self.socket.send_str(text)
        except TimeoutError:
            raise ConnectionAbortedError("the desk does not read") from None

    async def receive(self) -> str | None:
        """The next text; None when it is closed, what came is no text, or the token does not hold any more."""
        while await self._may_stay():
            try:
                message = await self.socket.receive(timeout=RECHECK_S)
            except TimeoutError:
                continue
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is WSMsgType.BINARY:
                await self.socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
            return None
        await self.socket.close(code=WSCloseCode.POLICY_VIOLATION)
        return None

    async def _may_stay(self) -> bool:
        if time.monotonic() - self.checked_at < RECHECK_S:
            return True
        self.checked_at = time.monotonic()
        return await still_may(self.request)


async def _event(console: Console, desk: str, what: DeskNews, job: int | None) -> bytes | None:
    """An event with how things are by now; None when there is nothing to tell."""
    view = console.desks.find(desk)
    if what is DeskNews.READER:
        return sent(what, reader_as_json(view.reader if view is not None else ReaderState(ReaderStatus.LOOKING)))
    if what is DeskNews.CARD:
        seen = view.seen if view is not None else None
        card = await console.store.read(on_reader, seen, console.desk_key.site_key)
        return sent(what, card_as_json(card, console.site.currency)) if card is not None else sent(DeskNews.GONE, {})
    if what is DeskNews.GONE:
        return sent(what, {})
    row = await console.store.read(lambda db: find(db, job)) if job is not None else None
    if row is None:
        return None
    return sent(what, job_as_json(await console.store.read(known_job, row)))


async def _close_all(app: web.Application) -> None:
    sockets: set[web.WebSocketResponse] = app[JOINED]
    for socket in list(sockets):
        await socket.close(code=WSCloseCode.GOING_AWAY)
