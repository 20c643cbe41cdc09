"""The card desk: who is it that lies on the reader, and what can be done? One page for each desk, true within a second.

What it shows is put together in `view`, `find` and `progress`; what its forms do is in `jobs` and `card_actions`, the stack of cards
in `batch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from appliance.db.engine.protocols import Readable
from appliance.domain.cards.tag import ReaderStatus, Seen
from appliance.domain.identifiers import CardId, PersonId
from appliance.services.announce import (
    Announcement,
    DeskChanged,
    DeskNews,
    PersonChanged,
    ProblemsChanged,
    SessionChanged,
)
from appliance.services.card_desk.taps import Described, describe
from appliance.services.cards.cards import has_come_back
from appliance.services.ports.readers import DeskView
from appliance.ui.console.card_desk.find import Found, find
from appliance.ui.console.card_desk.progress import Progress, Step, read_progress, step_of
from appliance.ui.console.card_desk.view import (
    Chosen,
    Panel,
    PanelMode,
    Subject,
    need_number,
    panel_of,
    read_subject,
    so_far,
)
from appliance.ui.console.wallets.wallets import new_key
from appliance.ui.forms.forms import Form, read_number
from appliance.ui.forms.way_back import typed_before
from appliance.ui.frame.context import CONSOLE, Console, Fragments, LiveView, Page
from appliance.ui.frame.desks import all_desks, find_desk, need_desk, remember_desk, usual_desk
from appliance.ui.frame.render import render, render_part
from appliance.ui.wording.card_desk import Words, card_number, reader_words
from appliance.ui.writing.formats import formats

TYPED = ("preset", "amount_minor", "method", "name", "phone", "group_id", "label", "expires")
"""What somebody types in the forms of the desk."""
REFRESH_S = 10.0
"""What is over leaves the page by itself."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The jobs in words."""

    current: Step | None
    torn: list[Step]
    latest: list[Step]


@dataclass(frozen=True, slots=True)
class DeskPage:
    """The whole page."""

    desk: DeskView
    desks: list[DeskView]
    view: str
    """The live view: `desk` all of it, `desk-jobs` without what was looked up."""
    reader: Words
    progress: Steps
    panel: Panel
    found: Found | None
    scan_first: bool
    keys: tuple[str, str]
    print_job: int | None
    """The job after which the receipt is to be printed."""
    has_demo_reader: bool


async def open_usual(request: web.Request) -> web.Response:
    """`GET /desk?card=&person=`: the desk this browser works at."""
    query = request.rel_url.raw_query_string
    asked = f"?{query}" if query else ""
    return web.Response(status=303, headers={"Location": path_of(usual_desk(request).id) + asked})


async def show(request: web.Request) -> web.Response:
    """`GET /desk/{desk}?q=&card=&person=&uid=&print=`: the card on the reader, or what was looked up."""
    desk = need_desk(request.app[CONSOLE], request.match_info["desk"])
    text, uid = request.query.get("q", "").strip(), request.query.get("uid", "").strip()
    found = None
    if text or uid:
        found = await request.app[CONSOLE].store.read(find, text or uid)
        target = only_hit(found)
        if target and target != f"uid={quote(uid)}":
            return web.Response(status=303, headers={"Location": f"{path_of(desk.id)}?{target}"})
    typed = typed_before(request, TYPED)
    response = await page(
        request, desk, chosen=chosen_of(request), found=found if text else None, form=typed if typed.values else None
    )
    return remember_desk(request, response, desk.id)


async def page(
    request: web.Request,
    desk: DeskView,
    *,
    chosen: Chosen | None = None,
    found: Found | None = None,
    form: Form | None = None,
    key: str = "",
    status: int = 200,
) -> web.Response:
    """The page; with `form`, one that was refused and comes back filled."""
    console = request.app[CONSOLE]
    now_ms = console.clock()
    subject, progress = await console.store.read(read, desk, chosen, console.desk_key.site_key, now_ms)
    used = await so_far(console, subject, now_ms)
    panel = panel_of(console, subject, now_ms, used, chosen=chosen, form=form)
    shown = DeskPage(
        desk=desk,
        desks=all_desks(console),
        view="desk" if panel.part == "desk" else "desk-jobs",
        reader=reader_words(desk.reader),
        progress=steps_of(console, progress),
        panel=panel,
        found=found,
        scan_first=desk.reader.status is not ReaderStatus.READY and panel.mode is PanelMode.LAY,
        keys=(key or new_key(), key or new_key()),
        print_job=read_number(request.query.get("print", "")),
        has_demo_reader=console.demo_reader is not None,
    )
    return render(request, "card_desk/desk.html", shown, status=status)


def read(db: Readable, desk: DeskView, chosen: Chosen | None, site_key: bytes, now_ms: int) -> tuple[Subject, Progress]:
    """All of one moment."""
    return read_subject(db, desk.seen, chosen, site_key), read_progress(db, desk.id, now_ms)


def steps_of(console: Console, progress: Progress) -> Steps:
    """The jobs in words."""
    fmt = formats(console.site.currency, console.site.exponent, console.site.zone)
    return Steps(
        step_of(progress.current, fmt) if progress.current is not None else None,
        [step_of(one, fmt) for one in progress.torn],
        [step_of(one, fmt) for one in progress.latest],
    )


def chosen_of(request: web.Request) -> Chosen | None:
    """What the address bar asks for; None for what lies on the reader."""
    card, person, uid = (request.query.get(name, "") for name in ("card", "person", "uid"))
    if card:
        return Chosen(card=CardId(need_number(card)))
    if person:
        return Chosen(person=PersonId(need_number(person)))
    return Chosen(uid=uid[:64]) if uid else None


def only_hit(found: Found) -> str:
    """What to show when there is one thing to find; "" otherwise."""
    if found.card is not None:
        # One that came back lies in the drawer: it is given out by its number, like a new one.
        return f"uid={found.card.uid}" if has_come_back(found.card) else f"card={found.card.id}"
    if found.uid:
        return f"uid={quote(found.uid)}"
    return f"person={found.people[0].id}" if len(found.people) == 1 else ""


def path_of(desk: str) -> str:
    """Where the page of a desk is."""
    return f"/desk/{quote(desk, safe='')}"


# --- live ------------------------------------------------------------------------------------------------------------------


async def fragments(console: Console, role: str, parameter: str, changes: Sequence[Announcement] | None) -> Fragments:
    """Everything on the page of a desk that shows its reader."""
    return await _fragments(console, role, parameter, changes, whole=True)


async def job_fragments(
    console: Console, role: str, parameter: str, changes: Sequence[Announcement] | None
) -> Fragments:
    """What is true beside something that was looked up."""
    return await _fragments(console, role, parameter, changes, whole=False)


async def _fragments(
    console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None, *, whole: bool
) -> Fragments:
    desk = find_desk(console, parameter)
    if desk is None:
        return {}
    now_ms = console.clock()
    subject, progress = await console.store.read(read, desk, None, console.desk_key.site_key, now_ms)
    values = {
        "desk": desk,
        "reader": reader_words(desk.reader),
        "progress": steps_of(console, progress),
        "panel": panel_of(console, subject, now_ms, await so_far(console, subject, now_ms) if whole else None),
    }
    names = ("reader", "reader-word", "job", "torn", "latest", *(("who", "act", "records") if whole else ()))
    return {
        f"desk-{name}": render_part(console, role, f"card_desk/_{name.replace('-', '_')}.html", **values)
        for name in names
    }


def concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether the page of a desk looks different after this: torn jobs of all desks are on it, and anybody's balance."""
    if isinstance(announcement, DeskChanged):
        return announcement.desk == parameter or announcement.what in (DeskNews.PROGRESS, DeskNews.DONE)
    if isinstance(announcement, SessionChanged):
        # Readings of all cars would keep every desk busy; what they cost is seen when the page looks again.
        return announcement.what != "measured"
    return isinstance(announcement, (PersonChanged, ProblemsChanged))


async def tap_fragments(
    console: Console, role: str, parameter: str, _changes: Sequence[Announcement] | None
) -> Fragments:
    """Who lies on the reader, as a line at the edge of every other page."""
    desk = find_desk(console, parameter)
    seen = desk.seen if desk is not None else None
    described, balance_minor = None, 0
    if seen is not None:
        described, balance_minor = await console.store.read(_tapped, seen, console.desk_key.site_key)
    card = described.card if described is not None else None
    values = {
        "desk_id": parameter,
        "described": described,
        "card": card,
        "number": card_number(card.number) if card is not None else "",
        "balance_minor": balance_minor,
    }
    return {"tap": render_part(console, role, "card_desk/_tap.html", **values)}


def _tapped(db: Readable, seen: Seen, site_key: bytes) -> tuple[Described, int]:
    subject = read_subject(db, seen, None, site_key)
    return describe(db, seen, site_key), subject.buys.account.balance_minor if subject.buys is not None else 0


def tap_concerns(announcement: Announcement, parameter: str) -> bool:
    """Whether another card lies there."""
    return (
        isinstance(announcement, DeskChanged)
        and announcement.desk == parameter
        and announcement.what is not DeskNews.PROGRESS
    )


PAGE = Page(
    routes=[web.get("/desk", open_usual), web.get("/desk/{desk}", show)],
    live=[
        LiveView("desk", "/desk/{desk}", concerns, fragments, REFRESH_S),
        LiveView("desk-jobs", "/desk/{desk}", concerns, job_fragments, REFRESH_S),
        LiveView("tap", "/desk/{desk}", tap_concerns, tap_fragments),
    ],
)
