"""Refuses what another site made a browser send. Header-based: no form carries a token.

Browsers say where a request comes from: by Sec-Fetch-Site where the page is trustworthy (HTTPS or loopback), else by
Origin. Programs with a bearer token are exempt, because no browser adds that by itself.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance.domain.errors import Refusal
from appliance.ui.frame.context import PrincipalKind, somebody
from appliance.ui.frame.language import N_

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ForeignRequest(Refusal):
    """It did not come from our own pages."""

    status = 403


@web.middleware
async def refuse_foreign(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let pass what reads, what a program sends, and what our own pages sent."""
    who = somebody(request)
    if request.method in SAFE or (who is not None and who.kind == PrincipalKind.PROGRAM) or from_here(request):
        return await handler(request)
    raise ForeignRequest(
        N_("This came from another site's page."), N_("Open the console in its own tab and do it there.")
    )


def from_here(request: web.Request) -> bool:
    """Whether the browser says that a page of ours sent this. What says nothing at all is no browser's form."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc == request.host
