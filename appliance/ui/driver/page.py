"""A page for a phone: its frame and what every one of them is told. What it shows is told by `app` and `card`."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.render import environment, names_for

LOOKUPS_AT_ONCE = 8
LOOKUPS = web.AppKey("lookups", asyncio.Semaphore)
"""Of what strangers ask for, so many at a time are looked for in the books."""


def respond(request: web.Request, template: str, status: int = 200, *, query: str = "", **names: Any) -> web.Response:
    """The page of `driver/{template}`. `query` is what its links to itself carry on, such as `?t=…`."""
    console = request.app[CONSOLE]
    everywhere = {
        "site_name": console.site.name,
        "demo": console.site.demo,
        "language": language.spoken(),
        "direction": language.direction(language.spoken()),
        "path": request.path,
        "query": query,
    }
    html = environment().get_template(f"driver/{template}").render(names_for(console, None) | everywhere | names)
    response = web.Response(text=html, content_type="text/html", status=status)
    response.enable_compression()
    return response
