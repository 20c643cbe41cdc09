"""The audit list: who did what to whom, newest first."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from urllib.parse import urlencode

import orjson
from aiohttp import web

from appliance.db import audit as rows
from appliance.db import operators
from appliance.db.audit import AuditRow
from appliance.ui.context import CONSOLE, Page
from appliance.ui.language import _
from appliance.ui.render import render

ROWS = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One row, with names instead of numbers."""

    seq: int
    at_ms: int
    who: str
    action: str
    subject: str
    details: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AuditPage:
    """A page of the list."""

    entries: list[Entry]
    actors: list[tuple[str, str]]
    actor: str
    action: str
    older: str


async def show(request: web.Request) -> web.Response:
    """`GET /audit?actor=operator:3&action=card&before=…`."""
    actor, action, before = (request.query.get(name, "") for name in ("actor", "action", "before"))
    number = int(before) if before.isdecimal() and len(before) < 16 else None
    found, names = await request.app[CONSOLE].store.read(_read, number, actor, action)
    known = names | {"console": _("the console"), "clock": _("by itself")}
    entries = [
        Entry(one.seq, one.at_ms, known.get(one.actor, one.actor), one.action, one.subject, _details(one.details))
        for one in found
    ]
    kept = {name: value for name, value in (("actor", actor), ("action", action)) if value}
    older = f"?{urlencode({**kept, 'before': found[-1].seq})}" if len(found) == ROWS else ""
    return render(request, "audit/audit.html", AuditPage(entries, sorted(known.items()), actor, action, older))


def _read(db: sqlite3.Connection, before: int | None, actor: str, action: str) -> tuple[list[AuditRow], dict[str, str]]:
    return rows.page(db, before=before, limit=ROWS, actor=actor, action=action), operators.names(db)


def _details(text: str) -> list[tuple[str, str]]:
    found = orjson.loads(text)
    return [(str(name), str(value)) for name, value in found.items()] if isinstance(found, dict) else []


PAGE = Page(routes=[web.get("/audit", show)])
