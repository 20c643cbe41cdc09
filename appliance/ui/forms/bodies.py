"""The body of a request, read whole: no longer, and not for longer, than whoever sends it may take. Nothing else reads one.

Somebody without a log-in has a form with a few fields to send at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from appliance.domain.errors import Refusal
from appliance.ui.frame.context import somebody
from appliance.ui.frame.language import N_

BODY_BYTES_MAX = 1 << 20
BODY_S = 60.0
STRANGERS_BYTES_MAX = 16 * 1024
STRANGERS_S = 10.0


class TooLarge(Refusal):
    """The body is longer than any such request needs."""

    status = 413


class TooSlow(Refusal):
    """The body did not come to its end in time."""

    status = 408


class Broken(Refusal):
    """The body is not what its head says: its chunks or its compression cannot be read."""

    status = 400


async def read_body(request: web.Request, most: int = BODY_BYTES_MAX) -> bytes:
    """All of it.

    Raises:
        TooLarge, TooSlow, Broken: There is more than `most` bytes, or than a stranger may send; it drips; it cannot be read.
    """
    most = most if somebody(request) else min(most, STRANGERS_BYTES_MAX)
    if (request.content_length or 0) > most:
        raise too_large(most)
    body = bytearray()
    async with in_time(request):
        while part := await request.content.readany():
            body += part
            if len(body) > most:
                raise too_large(most)
    return bytes(body)


@asynccontextmanager
async def in_time(request: web.Request) -> AsyncIterator[None]:
    """Read the body within this, if not by `read_body`.

    Raises:
        TooSlow, Broken: It drips, or cannot be read.
    """
    try:
        async with asyncio.timeout(BODY_S if somebody(request) else STRANGERS_S):
            yield
    except TimeoutError:
        raise TooSlow(N_("The request did not arrive in time."), N_("Try again in a moment.")) from None
    except web.RequestPayloadError:
        raise Broken(N_("The request cannot be read.")) from None


def too_large(most: int) -> TooLarge:
    """The refusal of a body that is longer."""
    return TooLarge(N_("A request has at most {most} bytes."), most=most)
