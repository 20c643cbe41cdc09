"""What a server does that cannot even open its books, because the disk is full to the last byte: it says so, and waits for room."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack

from aiohttp import web

from appliance.host import systemd
from appliance.host.addresses import Address
from appliance.host.disk import Disk
from appliance.host.listeners import Listeners, listen

log = logging.getLogger(__name__)

LOOK_S = 2.0
PAGE = """<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Forecourt</title>
<p lang="en">The disk of this server is full, so nothing can be written and chargers cannot be served.
Make room on it. Nothing is lost, and it goes on by itself.</p>
<p lang="bn">এই সার্ভারের ডিস্ক ভরে গেছে, তাই কিছু লেখা যাচ্ছে না এবং চার্জারগুলো চলছে না।
ডিস্কে জায়গা খালি করুন। কিছুই হারায়নি, এরপর সার্ভার নিজে থেকেই চলবে।</p>
"""
"""In both languages: which is the site's stands in the books."""


async def wait_for_room(disk: Disk, console: Address, stop: asyncio.Event) -> bool:
    """Say on the console's address that there is no room, until there is; False if the server is to end before.

    Raises:
        PortTaken: The address cannot be bound.
    """
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    listeners = Listeners()
    async with AsyncExitStack() as stack:
        await listen(stack, listeners, "console", application, console, None)
        print(f"disk-full {listeners.urls['console']}", flush=True)  # noqa: T201  # as the other listeners are told
        log.critical("the disk is full; waiting for room", extra={"folder": str(disk.folder)})
        systemd.ready("The disk is full: waiting for room.")
        while not stop.is_set():
            systemd.alive()
            if await asyncio.to_thread(disk.make_room):
                return True
            try:
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
            except TimeoutError:
                continue
    return False


async def answer(request: web.Request) -> web.Response:  # noqa: ARG001 - one shape for all
    """Whatever is asked for."""
    return web.Response(
        status=503, text=PAGE, content_type="text/html", headers={"Retry-After": "10", "Cache-Control": "no-store"}
    )
