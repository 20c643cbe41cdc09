"""The outermost layer of every answer: headers that keep the browser narrow, and the check of the name we were called by.

A page of another site may let its own name point to this box (DNS rebinding) and would then count as ours; therefore the
console answers to addresses, `localhost` and the names it was given, and to nothing else.
"""

from __future__ import annotations

import ipaddress

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from appliance.ui.frame.context import CONSOLE

# Referrer-Policy is not `no-referrer`: with that, browsers send `Origin: null` from our own forms, and on plain http the
# Origin is all that tells them from another site's.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
TRANSPORT_SECURITY = "max-age=86400"
"""A day only: with an authority of the site's own, a longer one would lock people out after a new installation."""


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer only under names of our own."""
    if not is_ours(request.host, request.app[CONSOLE].addresses.hosts):
        return web.Response(
            status=421,
            text=f"This server does not answer to the name {request.host!r}. Open it by its address.\n",
        )
    return await handler(request)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal handler, so that streams and errors have the headers too."""
    headers: CIMultiDict[str] = response.headers
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if request.secure:
        headers.setdefault("Strict-Transport-Security", TRANSPORT_SECURITY)
    # Pages are never kept; files say themselves how long (`files.py`).
    headers.setdefault("Cache-Control", "no-store")


def is_ours(host: str, names: frozenset[str]) -> bool:
    """Whether a Host header names this box: a literal address, localhost, or one of `names`."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") and ":" in host.rsplit("]", 1)[-1] else host
    bare = name.strip("[]").rstrip(".").lower()
    if bare == "localhost" or bare in names:
        return True
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True
