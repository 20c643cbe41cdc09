"""Plain http on an installed site: nothing is served there but the way to https."""

from __future__ import annotations

from aiohttp import web

from appliance.ui.frame import security
from appliance.ui.frame.context import CONSOLE, Console


def create_redirect(console: Console, port: int) -> web.Application:
    """An application that sends every page to the same host, if that is one of ours, over https, at `port`."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            raise web.HTTPForbidden(text="Use https.")
        raise web.HTTPPermanentRedirect(
            request.url.with_scheme("https").with_port(port), headers={"Cache-Control": "no-store"}
        )

    app = web.Application(middlewares=[security.check_host])
    app[CONSOLE] = console
    app.router.add_route("*", "/{path:.*}", redirect)
    app.on_response_prepare.append(security.add_headers)
    return app
