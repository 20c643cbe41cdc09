"""What devices are given so that they trust this box: the authority for browsers, and the one for chargers."""

from __future__ import annotations

from aiohttp import web

from appliance.services import site
from appliance.services.ports.certificates import Root
from appliance.ui.forms.forms import read_form
from appliance.ui.frame.context import CONSOLE, Page, asked_by
from appliance.ui.frame.language import _
from appliance.ui.frame.render import done


async def for_browsers(request: web.Request) -> web.Response:
    """`GET /ca.crt`: for the devices of the staff."""
    return _download(request.app[CONSOLE].certificates.browsers(), "forecourt-ca.crt")


async def for_stations(request: web.Request) -> web.Response:
    """`GET /stations-ca.crt`: for chargers that connect over TLS."""
    return _download(request.app[CONSOLE].certificates.stations(), "forecourt-chargers-ca.crt")


async def part(request: web.Request) -> web.Response:
    """`POST /stations/new/root`: chargers get an authority of their own, once somebody has read what that asks of them."""
    console, form = request.app[CONSOLE], await read_form(request)
    if not console.certificates.share_root():
        return done(request, "/stations/new", _("Chargers have a certificate authority of their own."))
    if not form.on("understood"):
        return done(request, "/stations/new", _("Nothing was changed: tick the sentence first."), "failed")
    await console.certificates.part_stations()
    root = console.certificates.stations()
    fingerprint = root.fingerprint if root is not None else ""
    await console.store.write(site.stations_got_root, fingerprint, asked_by(request))
    return done(request, "/stations/new", _("Chargers have a certificate authority of their own."))


def _download(root: Root | None, name: str) -> web.Response:
    if root is None:
        raise web.HTTPNotFound
    return web.Response(
        body=root.pem,
        content_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


PAGE = Page(
    routes=[
        web.get("/ca.crt", for_browsers),
        web.get("/stations-ca.crt", for_stations),
        web.post("/stations/new/root", part),
    ]
)
