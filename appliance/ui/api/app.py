"""The API as one table: all calls of all subjects, and the pages that the console's application takes in."""

from __future__ import annotations

import asyncio

from aiohttp import web

from appliance.ui.api import (
    approvals,
    bills,
    cards,
    events,
    explanations,
    groups,
    holidays,
    ledger,
    openapi,
    people,
    place_tariffs,
    pools,
    pricing,
    problems,
    receipts,
    reconciling,
    report_lines,
    reports,
    sessions,
    shifts,
    statements,
    tariffs,
    vouchers,
)
from appliance.ui.api.card_desk import desks
from appliance.ui.api.card_desk import events as desk_events
from appliance.ui.api.operations import PREFIX, Operation, routes
from appliance.ui.api.stations import commands, stations
from appliance.ui.frame import monitoring
from appliance.ui.frame.context import Page

OPERATIONS: tuple[Operation, ...] = (
    *stations.OPERATIONS,
    *place_tariffs.OPERATIONS,
    *holidays.OPERATIONS,
    *commands.OPERATIONS,
    *sessions.OPERATIONS,
    *explanations.OPERATIONS,
    *people.OPERATIONS,
    *pools.OPERATIONS,
    *groups.OPERATIONS,
    *cards.OPERATIONS,
    *tariffs.OPERATIONS,
    *pricing.OPERATIONS,
    *desks.OPERATIONS,
    *vouchers.OPERATIONS,
    *receipts.OPERATIONS,
    *bills.OPERATIONS,
    *statements.OPERATIONS,
    *shifts.OPERATIONS,
    *reports.OPERATIONS,
    *report_lines.OPERATIONS,
    *ledger.OPERATIONS,
    *reconciling.OPERATIONS,
    *problems.OPERATIONS,
    *approvals.OPERATIONS,
)
DOCUMENT = openapi.Document(OPERATIONS)


async def show_document(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp passes it
    """`GET /openapi.json`, for every role: it says which version this is."""
    return web.Response(body=DOCUMENT.json, content_type="application/json")


def install(app: web.Application) -> None:
    """What the API keeps while the server runs."""
    app[ledger.CHECKING] = asyncio.Lock()
    events.install(app)
    desk_events.install(app)


PAGES = (
    Page(
        routes=[
            web.get(f"{PREFIX}/openapi.json", show_document),
            web.get(f"{PREFIX}/events", events.watch),
            web.get(f"{PREFIX}/desks/join", desk_events.join, allow_head=False),
            web.get(f"{PREFIX}/desks/{{id}}/events", desk_events.watch_desk),
            *routes(OPERATIONS),
        ],
        install=install,
    ),
    monitoring.PAGE,
)
"""For `create_console(…, more=PAGES)`: the API, and what monitoring programs ask."""
