"""Whom to call: who owes, since when, and whose money is running low."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.people import groups
from appliance.db.people.people import Person
from appliance.services import settings
from appliance.services.wallets import notices
from appliance.services.wallets.notices import Debt, ToCall
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.render import render


@dataclass(frozen=True, slots=True)
class DebtsPage:
    """Both lists."""

    debts: list[Debt]
    owed_minor: int
    """By those who are listed."""
    low: list[Person]
    never: bool
    """Nobody has said yet how little is too little."""


async def show(request: web.Request) -> web.Response:
    """`GET /debts`."""
    found, never = await request.app[CONSOLE].store.read(_read)
    owed_minor = sum(one.amount_minor for one in found.debts)
    return render(request, "people/debts.html", DebtsPage(found.debts, owed_minor, found.low, never))


def _read(db: Readable) -> tuple[ToCall, bool]:
    never = not settings.load(db).low_balance_minor and not any(one.low_minor for one in groups.all_by_name(db))
    return notices.to_call(db), never


PAGE = Page(routes=[web.get("/debts", show)])
