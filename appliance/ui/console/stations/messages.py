"""The message log of a station: every frame, to be filtered, read and taken away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from aiohttp import hdrs, web

from appliance.db.stations import message_log
from appliance.db.stations.message_log import Message
from appliance.db.stations.stations import Station
from appliance.services.foreign_json import read_json
from appliance.services.stations.private_messages import without_cards
from appliance.ui.console.stations.common import station_of
from appliance.ui.forms.forms import read_number
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.render import render
from appliance.ui.frame.roles import SEES_CARDS

ROWS = 50
EXPORT_ROWS_MAX = 20_000
EXPORT_ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A message with its JSON laid out for reading."""

    message: Message
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class MessagesPage:
    """One page of the log, and what it was asked for."""

    station: Station
    exchanges: list[Exchange]
    actions: tuple[str, ...]
    action: str
    direction: str
    wrong: bool
    older: str
    """Address of the next page; "" if there is none."""
    export: str


async def show(request: web.Request) -> web.Response:
    """`GET /stations/CS-07/messages?action=…&direction=in&wrong=1&before=…`."""
    station, asked = await station_of(request), request.query
    action, direction, wrong = asked.get("action", ""), asked.get("direction", ""), asked.get("wrong") == "1"
    direction = direction if direction in ("in", "out") else ""
    page = await request.app[CONSOLE].store.read(
        message_log.page,
        station.id,
        read_number(asked.get("before", "")),
        ROWS,
        action=action or None,
        direction=direction or None,
        violations_only=wrong,
    )
    filters = {"action": action, "direction": direction, "wrong": "1" if wrong else ""}
    kept = {name: value for name, value in filters.items() if value}
    older = f"?{urlencode({**kept, 'before': page.before_id})}" if page.before_id is not None else ""
    # A station that was given new firmware may have spoken another version before.
    versions = request.app[CONSOLE].stations.versions()
    actions = tuple(dict.fromkeys(name for one in versions for name in one.messages))
    exchanges = [Exchange(one, pretty(one.request), pretty(one.answer)) for one in shown_to(request, page.messages)]
    return render(
        request,
        "stations/messages.html",
        MessagesPage(station, exchanges, actions, action, direction, wrong, older, f"?{urlencode(kept)}"),
    )


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /stations/CS-07/messages.jsonl`: one JSON object in a line, newest first."""
    station, asked = await station_of(request), request.query
    response = web.StreamResponse(
        headers={
            "Content-Type": "application/jsonl; charset=utf-8",
            "Content-Disposition": f'attachment; filename="messages-{station.id}.jsonl"',
        }
    )
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    before, sent = None, 0
    while sent < EXPORT_ROWS_MAX:
        page = await request.app[CONSOLE].store.read(
            message_log.page,
            station.id,
            before,
            EXPORT_ROWS_AT_ONCE,
            action=asked.get("action") or None,
            direction=asked.get("direction") or None,
            violations_only=asked.get("wrong") == "1",
        )
        # To mask a thousand long messages takes seconds, in which chargers are answered.
        shown = await asyncio.to_thread(shown_to, request, page.messages)
        await response.write(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in shown))
        sent += len(page.messages)
        before = page.before_id
        if before is None:
            break
    return response


def shown_to(request: web.Request, messages: list[Message]) -> list[Message]:
    """The messages as whoever asks may see them."""
    return messages if principal(request).role in SEES_CARDS else [without_cards(one) for one in messages]


def pretty(text: str | None) -> str:
    """JSON with a line for each value; whatever is no JSON stays as it is."""
    if not text:
        return ""
    try:
        return orjson.dumps(read_json(text), option=orjson.OPT_INDENT_2).decode()
    except ValueError:
        return text


PAGE = Page(
    routes=[
        web.get("/stations/{identity}/messages", show),
        web.get("/stations/{identity}/messages.jsonl", export),
    ]
)
