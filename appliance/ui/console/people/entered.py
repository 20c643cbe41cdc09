"""After somebody was entered, came back, or has a card again: what was done, and whether they can charge now; and who has left."""

from __future__ import annotations

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.db.people.people import Person
from appliance.domain.errors import Refusal
from appliance.domain.identifiers import PersonId
from appliance.services.people import people, readiness
from appliance.services.people.readiness import Missing
from appliance.ui.frame.context import CONSOLE
from appliance.ui.frame.render import done
from appliance.ui.wording.people import readiness_sentence
from appliance.ui.writing.formats import sentences


async def done_for(request: web.Request, person: PersonId, what: str, location: str = "") -> web.Response:
    """Go on to the person's page, or to `location`, which says `what` once, and what is needed before they can charge."""
    console = request.app[CONSOLE]
    name, missing = await console.store.read(_named, person, console.clock())
    text = f"{what} {readiness_sentence(name, missing)}"
    return done(request, location or f"/people/{person}", text, "waiting" if missing else "done")


def turned_back(request: web.Request, person: Person) -> web.Response | None:
    """Where somebody has left: instead of a form that could only be refused, the way to their page, which says so."""
    try:
        people.check_open(person)
    except Refusal as refusal:
        return done(request, f"/people/{person.id}", " ".join(filter(None, sentences(refusal))), "waiting")
    return None


def _named(db: Readable, person: PersonId, now_ms: int) -> tuple[str, Missing]:
    return people.need(db, person).name, readiness.missing(db, person, now_ms)
