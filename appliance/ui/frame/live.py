"""Pages that stay true: what changed is rendered by the same partial templates and sent to the browsers that show it.

A page names the views it shows (`board`, `station:CS-07`). Browsers that show the same view in the same language and
role share one channel: it is rendered once, at most four times a second, and only what differs is sent. The browser's side
is static/live.js.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import hdrs, web

from appliance.services.announce import Announcement
from appliance.services.operators import log_ins, tokens
from appliance.ui.frame import language
from appliance.ui.frame.auth import session_cookie
from appliance.ui.frame.context import Console, Fragments, LiveView, Page, principal
from appliance.ui.frame.roles import may, standing
from appliance.ui.frame.streams import Places, next_of

log = logging.getLogger(__name__)

RENDER_EVERY_S = 0.25
"""Least time between two renderings of a view; what comes after a quiet while is shown at once."""
HEARTBEAT_S = 15.0
RECHECK_S = 30.0
"""So soon, however much there is to show, a log-in that ended closes its streams."""
STREAMS_MAX = 200
STREAMS_OF_ONE_MAX = 20
"""Of one log-in: a tab that nobody looks at has none."""
VIEWS_MAX = 5
WAITING_MAX = 32
"""Updates a browser may be behind; one that is slower is cut off and comes back by itself."""
CHANGES_MAX = 500
RECONNECT_MS = 2000


@dataclass(slots=True, eq=False)
class Stream:
    """One browser's connection."""

    waiting: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))
    dead: bool = False

    def push(self, event: bytes | None) -> None:
        """Queue an event; None ends the stream. Who has not taken the earlier ones is cut off."""
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.dead = True


ChannelKey = tuple[str, str, str, str]
"""View, parameter, language, role."""


class Channel:
    """One view in one language for one role, and the browsers that show it."""

    def __init__(self, console: Console, view: LiveView, key: ChannelKey) -> None:
        self.view = view
        self.streams: set[Stream] = set()
        self.shown: dict[str, str] = {}
        self._console = console
        self._key = key
        self._changes: list[Announcement] | None = []
        self._dirty = asyncio.Event()
        self._rendering = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def join(self, stream: Stream) -> None:
        """From here on the stream is told; first of all, everything as it is."""
        # Before the first wait: whoever leaves meanwhile is not the last one.
        self.streams.add(stream)
        async with self._rendering:
            if self._task is None:
                self.shown = dict(await self._render(None))
                self._task = asyncio.create_task(self._run(), name=f"live {self.view.name}")
            stream.push(event("fragments", self.shown))

    async def leave(self, stream: Stream) -> None:
        """The last one turns off the light."""
        self.streams.discard(stream)
        if not self.streams and self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.wait([task])

    def hear(self, announcements: Sequence[Announcement]) -> None:
        """Note what concerns this view."""
        relevant = [each for each in announcements if self.view.concerns(each, self._key[1])]
        if not relevant:
            return
        if self._changes is not None:
            self._changes += relevant
            if len(self._changes) > CHANGES_MAX:
                self._changes = None
        self._dirty.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        rendered_s = loop.time()
        while True:
            changes: list[Announcement] | None = None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.view.refresh_s):
                    await self._dirty.wait()
                await asyncio.sleep(rendered_s + RENDER_EVERY_S - loop.time())
                self._dirty.clear()
                changes, self._changes = self._changes, []
            rendered_s = loop.time()
            try:
                async with self._rendering:
                    self._send(await self._render(changes))
            except Exception:
                log.exception("a live view failed", extra={"view": self.view.name})

    def _send(self, fragments: Fragments) -> None:
        different = {name: html for name, html in fragments.items() if self.shown.get(name) != html}
        if not different:
            return
        self.shown |= different
        message = event("fragments", different)
        for stream in self.streams:
            stream.push(message)

    async def _render(self, changes: Sequence[Announcement] | None) -> Fragments:
        _name, parameter, spoken, role = self._key
        language.speak(spoken)
        return await self.view.fragments(self._console, role, parameter, changes)


class Live:
    """All channels of a console."""

    def __init__(self, console: Console, pages: Sequence[Page]) -> None:
        self._console = console
        self._views = {view.name: view for page in pages for view in page.live}
        self._channels: dict[ChannelKey, Channel] = {}
        self._streams: set[Stream] = set()
        self._places = Places(STREAMS_MAX, STREAMS_OF_ONE_MAX)
        self._stop_listening = console.hub.listen(self._hear)

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """`GET /live?view=board&view=station:CS-07`: a stream of server-sent events."""
        views = self._wanted(request)
        with self._places.take(request):
            return await self._watch(request, views)

    async def _watch(self, request: web.Request, views: list[tuple[LiveView, str]]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        if request.method == hdrs.METH_HEAD:
            return response
        await response.write(f"retry: {RECONNECT_MS}\n\n".encode())
        stream = Stream()
        self._streams.add(stream)
        joined: list[Channel] = []
        try:
            for view, parameter in views:
                channel = self._channel(view, parameter, principal(request).role)
                joined.append(channel)
                await channel.join(stream)
            await self._serve(request, response, stream)
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            self._streams.discard(stream)
            for channel in joined:
                await self._leave(channel, stream)
        return response

    def channels(self) -> list[Channel]:
        """Those that somebody listens to."""
        return list(self._channels.values())

    async def close(self) -> None:
        """The program ends."""
        self._stop_listening()
        self._stop_listening = lambda: None
        for stream in tuple(self._streams):
            stream.push(None)

    async def _serve(self, request: web.Request, response: web.StreamResponse, stream: Stream) -> None:
        asked_s = time.monotonic()
        while not stream.dead:
            try:
                message = await next_of(stream.waiting, request, HEARTBEAT_S)
            except TimeoutError:
                message = b": still here\n\n"
            if message is None:
                return
            if time.monotonic() - asked_s >= RECHECK_S:
                if not await self._still_logged_in(request):
                    await response.write(event("ended", {}))
                    return
                asked_s = time.monotonic()
            await response.write(message)

    async def _still_logged_in(self, request: web.Request) -> bool:
        digest = tokens.hash_token(request.cookies.get(session_cookie(request), ""))
        visit = await self._console.store.read(log_ins.visit, digest, self._console.clock())
        takes_cash = self._console.settings().guards_take_cash
        return visit is not None and standing(visit.role, guards_take_cash=takes_cash) == principal(request).role

    def _wanted(self, request: web.Request) -> list[tuple[LiveView, str]]:
        wanted = []
        for text in request.query.getall("view", [])[:VIEWS_MAX]:
            name, _colon, parameter = text.partition(":")
            view = self._views.get(name)
            if view is None:
                raise web.HTTPNotFound
            if not may(principal(request).role, "GET", view.path):
                raise web.HTTPForbidden
            wanted.append((view, parameter))
        if not wanted:
            raise web.HTTPNotFound
        return wanted

    def _channel(self, view: LiveView, parameter: str, role: str) -> Channel:
        key = (view.name, parameter, language.spoken(), role)
        if key not in self._channels:
            self._channels[key] = Channel(self._console, view, key)
        return self._channels[key]

    async def _leave(self, channel: Channel, stream: Stream) -> None:
        channel.streams.discard(stream)
        if not channel.streams:
            # Out of the table first: who comes while its task ends gets a channel of its own.
            for key, each in tuple(self._channels.items()):
                if each is channel:
                    del self._channels[key]
        await channel.leave(stream)

    def _hear(self, announcements: list[Announcement]) -> None:
        for channel in self._channels.values():
            channel.hear(announcements)


LIVE = web.AppKey("live", Live)


def event(name: str, content: object) -> bytes:
    """One server-sent event; JSON has no line ends, so one line of data is enough."""
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(content) + b"\n\n"


async def watch(request: web.Request) -> web.StreamResponse:
    """The route."""
    return await request.app[LIVE].watch(request)
