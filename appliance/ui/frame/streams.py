"""How many streams there may be: in all, of one log-in or token, and of one person; and when their other side has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from aiohttp import web

from appliance.ui.frame.context import Principal, principal

RETRY_AFTER_S = 10
LOOK_EVERY_S = 1.0
"""How soon a stream that nobody reads any more is noticed while there is nothing to tell."""
SEVERAL = 3
"""So many times as much as one log-in may somebody have who has logged in at several places."""

T = TypeVar("T")


class Places:
    """For all streams of one kind."""

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: dict[int, tuple[web.Request, Principal]] = {}

    @contextmanager
    def take(self, request: web.Request) -> Iterator[None]:
        """A place, for as long as the block lasts and its client is there.

        Raises:
            HTTPServiceUnavailable: There is none.
        """
        who = principal(request)
        there = [one for held, one in self._taken.values() if not has_left(held)]
        same = [one for one in there if one.actor == who.actor]
        here = [one for one in same if one.log_in == who.log_in]
        if len(there) >= self._most or len(here) >= self._most_of_one or len(same) >= self._most_of_one * SEVERAL:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": str(RETRY_AFTER_S)})
        self._taken[id(request)] = request, who
        try:
            yield
        finally:
            del self._taken[id(request)]


def has_left(request: web.Request) -> bool:
    """Whether the connection of a request is over."""
    transport = request.transport
    return transport is None or transport.is_closing()


async def next_of(queue: asyncio.Queue[T], request: web.Request, within_s: float) -> T:
    """What comes next.

    Raises:
        TimeoutError: Nothing came within the time.
        ConnectionResetError: Whoever would be told has left.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + within_s
    while True:
        try:
            async with asyncio.timeout(min(LOOK_EVERY_S, until_s - loop.time())):
                return await queue.get()
        except TimeoutError:
            if has_left(request):
                raise ConnectionResetError("the client has left") from None
            if loop.time() >= until_s:
                raise
