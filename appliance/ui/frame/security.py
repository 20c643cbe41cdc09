"""The outermost layer of every answer: headers that keep the browser narrow, and the check of the name we were called by.

A page of another site may let its own name point to this box (DNS rebinding) and would then count as ours; therefore pages
answer to the box's own names and addresses and to those of the settings, and to nothing else.
"""

from __future__ import annotations

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from appliance.domain import network
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.errors import API_PREFIX, as_problem
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import environment

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


MISDIRECTED = 421
HOST_CHARS_MAX = 100
LOCALHOST = "localhost"


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer only under names of our own."""
    return await handler(request) if is_ours(request) else misdirected(request)


def is_ours(request: web.Request) -> bool:
    """Whether a request names this box, and nothing else beside it: in its one Host header, and where its target is a whole URL.

    An address counts when it is one of the box's: at its start, or as the very one at which this request came in.
    """
    said = request.headers.getall(hdrs.HOST, [])
    name = network.host_in(said[0]) if len(said) == 1 else None
    if name is None or network.host_in(request.url.raw_authority) != name:
        return False
    console = request.app[CONSOLE]
    return (
        name == LOCALHOST
        or name in console.addresses.hosts
        or name in network.hosts(console.settings().host_names)
        or name == _met_at(request)
    )


def misdirected(request: web.Request) -> web.Response:
    """What whoever calls us by another name is told, in every language, because nothing is known of them: how to add it."""
    host = request.headers.get(hdrs.HOST, "")[:HOST_CHARS_MAX].encode(errors="replace").decode()
    if request.path.startswith(API_PREFIX):
        return as_problem(MISDIRECTED, _(TITLE), _(ADVICE), headers={"Connection": "close"})
    tongues = []
    for code in language.LANGUAGES:
        language.speak(code)
        message = _(MESSAGE).format(host=host)
        tongues.append((code, language.direction(code), _(TITLE), message, _(ADVICE), _(ADDING)))
    html = environment().get_template("misdirected.html").render(tongues=tongues)
    return web.Response(status=MISDIRECTED, text=html, content_type="text/html")


TITLE = N_("That is not a name of this box")
MESSAGE = N_("You have asked for “{host}”. That is none of the names and addresses of this box, so nothing is shown.")
ADVICE = N_("Open it by its address, as it was printed at installation.")
ADDING = N_(
    "If the name is right, an owner adds it: log in by the address, and enter it under Settings, “Further names of this box”."
)


def _met_at(request: web.Request) -> str | None:
    """The address of this box at which the request came in."""
    transport = request.transport
    name = transport.get_extra_info("sockname") if transport is not None else None
    return network.plain_address(str(name[0])) if name else None


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal handler, so that streams and errors have the headers too."""
    headers: CIMultiDict[str] = response.headers
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if request.secure:
        headers.setdefault("Strict-Transport-Security", TRANSPORT_SECURITY)
    # Pages are never kept; files say themselves how long (`files.py`).
    headers.setdefault("Cache-Control", "no-store")
