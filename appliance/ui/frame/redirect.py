"""Plain http on an installed site: nothing is served there but the way to https."""

from __future__ import annotations

from aiohttp import web


def create_redirect(port: int) -> web.Application:
    """An application that sends every page to the same host, over https, at `port`."""

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "HEAD"):
            raise web.HTTPForbidden(text="Use https.")
        host = request.url.host or ""
        secure = request.url.with_scheme("https").with_port(port).with_host(host)
        raise web.HTTPPermanentRedirect(secure, headers={"Cache-Control": "no-store"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", redirect)
    return app
