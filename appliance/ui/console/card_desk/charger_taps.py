"""A card shown at a charger instead of a desk: a new one for somebody, or one of ours whose name there is to be learned.

What was begun has a page of its own, which says what to do and how it ends. Whoever wonders what a charger was shown by
strangers looks at `unknown_tags`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.db.card_desk import jobs as rows
from appliance.db.card_desk.jobs import Job
from appliance.db.cards import aliases as alias_rows
from appliance.db.cards import cards
from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.db.stations import stations
from appliance.db.stations.stations import Named, Station
from appliance.domain.desk_job import Advice, DeskJobState
from appliance.domain.desk_request import DeskJobKind
from appliance.domain.errors import NotFound, Refusal
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.services.announce import Announcement, DeskChanged
from appliance.services.card_desk import jobs
from appliance.services.card_desk.charger_jobs import DESK, VALID_MS
from appliance.services.cards import aliases, unknown
from appliance.services.people import people as people_units
from appliance.ui.console.people.entered import turned_back
from appliance.ui.forms.forms import Form, number_of, read_form, read_number
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page, asked_by
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import done, render, render_part
from appliance.ui.wording.card_desk import card_number

REFRESH_S = 5.0
"""The time that is left is told as often."""

ENDINGS: Mapping[str, str] = {
    Advice.EXPIRED: N_("Nobody showed a card within two minutes."),
    Advice.SUPERSEDED: N_("Something else was begun at this charger."),
    Advice.CANCELLED: N_("It was given up."),
    Advice.RESTARTED: N_("The server was restarted while it waited."),
    Advice.RANDOM: N_(
        "What was shown tells another number at each tap, as telephones do: it identifies nobody. Take a card."
    ),
    Advice.TAKEN: N_("The card that was shown belongs to somebody already."),
    Advice.UNLIKE: N_(
        "The charger reads something that does not come from this card, so nothing was learned. If it was this card all the"
        " same, say so in the list of unknown cards."
    ),
}
"""Why nothing came of it."""


@dataclass(frozen=True, slots=True)
class EnrolPage:
    """At which charger."""

    person: Person
    stations: list[tuple[int, str]]
    form: Form


@dataclass(frozen=True, slots=True)
class Tap:
    """What was begun at a charger, in words."""

    id: int
    kind: DeskJobKind
    state: DeskJobState
    """Not `WRITING` or `TORN`: a charger writes nothing."""
    tone: str
    icon: str
    title: str
    sentence: str
    left_s: int
    """How long the charger waits yet."""
    person: Person | None
    card: Card | None
    number: str
    station: StationId
    station_name: str
    back: str
    back_word: str


@dataclass(frozen=True, slots=True)
class TapPage:
    """One such job."""

    tap: Tap


async def show_enrol(request: web.Request) -> web.Response:
    """`GET /people/{person}/enrol`."""
    return await _enrol_page(request, Form())


async def enrol(request: web.Request) -> web.Response:
    """`POST /people/{person}/enrol`: the next card that is shown at a charger is theirs."""
    console, form, person = request.app[CONSOLE], await read_form(request), PersonId(number_of(request, "person"))
    try:
        station = StationId(form.number("station"))
        label = form.text("label")
        job = await console.store.write(unknown.begin_enrol, station, person, asked_by(request), label)
    except Refusal as refusal:
        return await _enrol_page(request, form.refused(refusal), refusal.status)
    return web.Response(status=303, headers={"Location": f"/cards/taps/{job}"})


async def learn(request: web.Request) -> web.Response:
    """`POST /cards/{card}/learn`: the next card that is shown at a charger is this one."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    station = StationId(form.number("station"))
    job = await console.store.write(aliases.begin_learn, station, card, asked_by(request))
    return web.Response(status=303, headers={"Location": f"/cards/taps/{job}"})


async def unlearn(request: web.Request) -> web.Response:
    """`POST /cards/{card}/aliases/remove`: no charger calls it so any more."""
    console, form, card = request.app[CONSOLE], await read_form(request), CardId(number_of(request, "card"))
    token = form.text("token")
    if await console.store.read(alias_rows.find, token) != card:
        raise NotFound(N_("The card is not called so."))
    await console.store.write(aliases.remove, token, asked_by(request))
    return done(request, f"/cards/{card}", _("Forgotten: a charger that reads it so refuses it from now on."))


async def show_tap(request: web.Request) -> web.Response:
    """`GET /cards/taps/{job}`: what to do at the charger, and what came of it."""
    tap = await load(request.app[CONSOLE], number_of(request, "job"))
    if tap is None:
        raise NotFound(N_("There is no such job."))
    return render(request, "card_desk/tap.html", TapPage(tap))


async def cancel(request: web.Request) -> web.Response:
    """`POST /cards/taps/{job}/cancel`."""
    console, job = request.app[CONSOLE], number_of(request, "job")
    tap = await load(console, job)
    if tap is None:
        raise NotFound(N_("There is no such job."))
    if tap.state is DeskJobState.WAITING:
        await console.store.write(jobs.cancel, job, console.clock())
    return web.Response(status=303, headers={"Location": tap.back})


async def load(console: Console, job: int) -> Tap | None:
    """The job in words; None if it is none of a charger."""
    read = await console.store.read(_read_tap, job)
    return _tap(*read, console.clock()) if read is not None else None


async def fragments(console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None) -> Fragments:
    """How it stands."""
    job = read_number(parameter)
    tap = await load(console, job) if job is not None else None
    return {"tap-now": render_part(console, role, "card_desk/_charger_tap.html", tap=tap)} if tap is not None else {}


def concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether it went on."""
    return isinstance(announcement, DeskChanged) and str(announcement.job) == parameter


def station_choices(found: Sequence[Station]) -> list[tuple[int, str]]:
    """Chargers as a form offers them."""
    return [(station.id, station.name or station.identity) for station in found]


def _tap(job: Job, person: Person | None, card: Card | None, names: dict[int, Named], now_ms: int) -> Tap:
    station = StationId(int(job.desk.removeprefix(DESK)))
    place = (names[station].name or names[station].identity) if station in names else ""
    name = person.name if person is not None else card.person if card is not None else ""
    number = card_number(card.number) if card is not None else ""
    values = {"name": name, "place": place, "number": number}
    if job.kind is DeskJobKind.ENROL:
        titles = {
            DeskJobState.WAITING: N_("Tap the new card at {place} now"),
            DeskJobState.DONE: N_("{name} has card {number}"),
            DeskJobState.FAILED: N_("No new card"),
        }
        sentences = {
            DeskJobState.WAITING: N_(
                "Hold it to the charger as if to charge. It becomes a card of {name}, and the charge may begin at once."
            ),
            DeskJobState.DONE: N_("It charges from now on."),
        }
        back = f"/people/{person.id}" if person is not None else "/people"
    else:
        titles = {
            DeskJobState.WAITING: N_("Tap card {number} at {place} now"),
            DeskJobState.DONE: N_("{place} knows card {number} now"),
            DeskJobState.FAILED: N_("Nothing learned"),
        }
        sentences = {
            DeskJobState.WAITING: N_(
                "Hold it to the charger as if to charge. What the charger reads is the card of {name} from then on."
            ),
            DeskJobState.DONE: N_("However chargers of this make read it, it is the card of {name}."),
        }
        back = f"/cards/{card.id}" if card is not None else "/cards"
    tone, icon = {
        DeskJobState.DONE: ("done", "circle-check"),
        DeskJobState.FAILED: ("failed", "circle-alert"),
    }.get(job.state, ("waiting", "nfc"))
    ending = _(ENDINGS[job.advice]) if job.advice in ENDINGS else job.advice
    return Tap(
        id=job.id,
        kind=job.kind,
        state=job.state,
        tone=tone,
        icon=icon,
        title=_(titles.get(job.state, titles[DeskJobState.WAITING])).format(**values),
        sentence=ending if job.state is DeskJobState.FAILED else _(sentences.get(job.state, "")).format(**values),
        left_s=max(0, (job.created_at_ms + VALID_MS - now_ms + 999) // 1000)
        if job.state is DeskJobState.WAITING
        else 0,
        person=person,
        card=card,
        number=number,
        station=station,
        station_name=place,
        back=back,
        back_word=name if job.kind is DeskJobKind.ENROL else _("Card {number}").format(number=number),
    )


def _read_tap(db: Readable, job: int) -> tuple[Job, Person | None, Card | None, dict[int, Named]] | None:
    found = rows.find(db, job)
    if found is None or not found.desk.startswith(DESK):
        return None
    return (
        found,
        people.find(db, found.person_id) if found.person_id is not None else None,
        cards.find(db, found.card_id) if found.card_id is not None else None,
        stations.names(db),
    )


async def _enrol_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    person, found = await request.app[CONSOLE].store.read(_read_enrol, PersonId(number_of(request, "person")))
    page = EnrolPage(person, station_choices(found), form)
    return turned_back(request, person) or render(request, "card_desk/enrol.html", page, status=status)


def _read_enrol(db: Readable, person: PersonId) -> tuple[Person, list[Station]]:
    return people_units.need(db, person), stations.all_stations(db)


PAGE = Page(
    routes=[
        web.get("/people/{person}/enrol", show_enrol),
        web.post("/people/{person}/enrol", enrol),
        web.post("/cards/{card}/learn", learn),
        web.post("/cards/{card}/aliases/remove", unlearn),
        web.get("/cards/taps/{job}", show_tap),
        web.post("/cards/taps/{job}/cancel", cancel),
    ],
    live=[LiveView("tap-at", "/cards/taps/{job}", concerns, fragments, REFRESH_S)],
)
