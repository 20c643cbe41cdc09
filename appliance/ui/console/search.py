"""One field for everything: people, cards, stations, sessions. A single exact hit is opened at once."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Session
from appliance.db.stations import stations
from appliance.domain.order import natural
from appliance.domain.words import folded, has_each, wanted
from appliance.ui.console.stations.common import station_path
from appliance.ui.forms.forms import read_number
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.render import render
from appliance.ui.frame.roles import may

EACH_MAX = 10


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found, as far as the role may see it."""

    query: str
    people: list[Person]
    """These and the chargers: one more than is shown, where there are more."""
    card: Card | None
    stations: list[tuple[str, str]]
    """Identity and name."""
    session: Session | None
    most: int = EACH_MAX
    """So many of a kind are shown."""


async def show(request: web.Request) -> web.Response:
    """`GET /search?q=…`."""
    query, role = request.query.get("q", "").strip()[:100], principal(request).role
    if not query:
        return render(request, "search/search.html", SearchPage("", [], None, [], None))
    page = await request.app[CONSOLE].store.read(_find, query)
    page = SearchPage(
        query,
        page.people if may(role, "GET", "/people/{person}") else [],
        page.card if may(role, "GET", "/people/{person}") else None,
        page.stations if may(role, "GET", "/stations/{identity}") else [],
        page.session if may(role, "GET", "/sessions/{session}") else None,
    )
    target = _only_hit(page)
    if target:
        return web.Response(status=303, headers={"Location": target})
    return render(request, "search/search.html", page)


def _find(db: Readable, query: str) -> SearchPage:
    number = read_number(query.lstrip("#"))
    session = session_list.show(db, number) if number is not None else None
    called = [(one.identity, one.name) for one in stations.names(db).values()]
    words = {one: folded(" ".join(one)) for one in called}
    looked_for = wanted(words.values(), query)
    found = [one for one in called if has_each(words[one], looked_for)]
    return SearchPage(
        query,
        people_search.people(db, text=query, limit=EACH_MAX + 1),
        people_search.card_meant(db, query),
        sorted(found, key=lambda one: natural(one[1]))[: EACH_MAX + 1],
        session,
    )


def _only_hit(page: SearchPage) -> str:
    """Where to go when there is exactly one thing to find; "" otherwise."""
    hits = [f"/people/{page.card.person_id}"] if page.card is not None else []
    hits += [f"/people/{one.id}" for one in page.people]
    hits += [station_path(identity) for identity, _name in page.stations]
    hits += [f"/sessions/{page.session.id}"] if page.session else []
    return hits[0] if len(set(hits)) == 1 else ""


PAGE = Page(routes=[web.get("/search", show)])
