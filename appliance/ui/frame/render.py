"""From a page's context to its HTML: the templates, and the frame that every page stands in.

Templates see the fields of the page's dataclass, `frame`, and the few names of `names_for`. A name that is not there is an
error, not an empty place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import web
from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from appliance.db.operators import Facts
from appliance.domain.words import has_each
from appliance.services.foreign_json import read_json
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Console, Principal, somebody
from appliance.ui.frame.desks import find_desk, remembered_desk
from appliance.ui.frame.files import address_of
from appliance.ui.frame.language import N_
from appliance.ui.frame.roles import SEES_PHONES, may
from appliance.ui.wording.words import role_name
from appliance.ui.writing.formats import Formats, formats
from appliance.ui.writing.icons import icon

TEMPLATES = Path(__file__).parents[1] / "templates"
SOURCES = {
    str(path.relative_to(TEMPLATES)): path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.rglob("*.html"))
}
"""Read when the program starts: no page waits for the disk, and an update cannot change half of a running console."""
FACTS = web.RequestKey("facts", Facts)
NOTE_CHARS_MAX = 800

SECTIONS = (
    ("/", "layout-grid", N_("Board")),
    ("/desk", "nfc", N_("Card desk")),
    ("/till", "hand-coins", N_("Till")),
    ("/stations", "plug-zap", N_("Chargers")),
    ("/sessions", "history", N_("Sessions")),
    ("/people", "users", N_("People")),
    ("/pools", "wallet-cards", N_("Pools")),
    ("/cards", "credit-card", N_("Cards")),
    ("/vouchers", "ticket", N_("Vouchers")),
    ("/receipts", "receipt-text", N_("Receipts")),
    ("/approvals", "user-check", N_("Approvals")),
    ("/groups", "boxes", N_("Groups")),
    ("/tariffs", "tag", N_("Tariffs")),
    ("/reports", "chart-column", N_("Reports")),
    ("/problems", "triangle-alert", N_("Problems")),
    ("/settings", "settings", N_("Settings")),
    ("/operators", "user-cog", N_("Staff")),
    ("/audit", "scroll-text", N_("Audit list")),
)
"""The navigation: path of one segment, icon by its name in Lucide, word. Each is shown to those who may open it."""
APPROVALS = "/approvals"
"""Shown only where amounts need a second person, or one still waits."""
ON_THE_PHONE = ("/", "/till", "/desk", "/people", "/sessions", "/problems", "/stations")
"""What stands in the bar at the bottom, as far as the role may: the first four; the rest is behind More."""

BESIDE_THE_READER = frozenset({"/desk", "/till", "/demo", "/receipts"})
"""Sections where whoever reads them sees the card anyway, or prints."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the navigation."""

    path: str
    icon: str
    word: str
    current: bool


@dataclass(frozen=True, slots=True)
class Note:
    """What the page before this one has done."""

    kind: str
    """`done`, `waiting` or `failed`."""
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a page."""

    site_name: str
    demo: bool
    language: str
    direction: str
    who: Principal | None
    sections: list[Link]
    bar: list[Link]
    problems: int
    note: Note | None
    path: str
    tap: str
    """The desk whose cards are told at the edge of the page; "" for none."""


def render(
    request: web.Request, template: str, page: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """The page as an answer. `page` is a dataclass; its fields are the template's names."""
    frame = _frame(request)
    names = names_for(request.app[CONSOLE], frame.who.role if frame.who else None)
    names |= {field.name: getattr(page, field.name) for field in fields(page)}  # type: ignore[arg-type]
    html = environment().get_template(template).render(names, frame=frame)
    response = web.Response(text=html, content_type="text/html", status=status, headers=headers)
    if len(html) > 2000:
        response.enable_compression()
    if frame.note is not None:
        response.del_cookie(note_cookie(request), path="/", secure=request.secure, httponly=True, samesite="Strict")
    return response


def render_part(console: Console, role: str | None, template: str, **values: object) -> str:
    """A partial template, for the live page that shows it."""
    return environment().get_template(template).render(names_for(console, role) | values)


def names_for(console: Console, role: str | None) -> dict[str, Any]:
    """What every template may use: `fmt`, `may`, `now_ms`, whether telephone numbers are shown, the versions of OCPP, the certificates."""
    site = console.site
    return {
        "fmt": formats(site.currency, site.exponent, site.zone),
        "may": lambda method, path: may(role, method, path),
        "sees_phones": role in SEES_PHONES,
        "now_ms": console.clock(),
        "currency": site.currency,
        "versions": console.stations.versions,
        "certificates": console.certificates,
    }


def done(request: web.Request, location: str, text: str, kind: str = "done") -> web.Response:
    """After a form: go on to `location`, which says `text` once."""
    response = web.Response(status=303, headers={"Location": location})
    response.set_cookie(
        note_cookie(request), quote(json.dumps([kind, text[:NOTE_CHARS_MAX]])), path="/", max_age=60, httponly=True,
        secure=request.secure, samesite="Strict",
    )  # fmt: skip
    return response


def formats_of(request: web.Request) -> Formats:
    """The reader's formats, for views that write sentences themselves."""
    site = request.app[CONSOLE].site
    return formats(site.currency, site.exponent, site.zone)


def note_cookie(request: web.Request) -> str:
    """The name of the cookie that carries a note to the next page."""
    return "__Host-note" if request.secure else "note"


@cache
def environment() -> Environment:
    """The templates. Sentences are looked up in the language that the request speaks."""
    found = Environment(
        loader=DictLoader(SOURCES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    found.install_gettext_callables(language._, language.ngettext, newstyle=True)  # type: ignore[attr-defined]
    found.policies["ext.i18n.trimmed"] = True
    found.globals["_"] = _sentence
    found.globals["icon"] = icon
    found.globals["role_name"] = role_name
    found.globals["static"] = address_of
    found.globals["languages"] = language.LANGUAGES
    found.tests["found_by"] = has_each
    found.filters["path"] = lambda text: quote(str(text), safe="")
    found.filters["unit"] = _unit
    return found


def _frame(request: web.Request) -> Frame:
    console = request.app[CONSOLE]
    who = somebody(request)
    facts: Facts | None = request.get(FACTS)
    path = request.path
    section = "/" + path.removeprefix("/").partition("/")[0]
    role = who.role if who else None
    asks_a_second = console.settings().second_person_minor or (facts is not None and facts.approval_waits)
    links = [
        Link(target, picture, language._(word), target == section)
        for target, picture, word in SECTIONS
        if who is not None and may(role, "GET", target) and (target != APPROVALS or asks_a_second)
    ]
    bar = [link for wanted in ON_THE_PHONE for link in links if link.path == wanted][:4]
    spoken = language.spoken()
    return Frame(
        site_name=facts.site_name if facts else console.site.name,
        demo=console.site.demo,
        language=spoken,
        direction=language.direction(spoken),
        who=who,
        sections=links,
        bar=bar,
        problems=facts.problems if facts else 0,
        note=_note(request),
        path=path,
        tap=_tap(request, role) if section not in BESIDE_THE_READER else "",
    )


def _tap(request: web.Request, role: str | None) -> str:
    """The desk this browser works at, if there is one and this role may open it."""
    desk = remembered_desk(request)
    return desk if desk and may(role, "GET", "/desk/{desk}") and find_desk(request.app[CONSOLE], desk) else ""


def _note(request: web.Request) -> Note | None:
    written = request.cookies.get(note_cookie(request), "")
    try:
        kind, text = read_json(unquote(written)) if written else ("", "")
    except (ValueError, TypeError):
        return None
    return Note(kind, str(text)) if kind in ("done", "waiting", "failed") else None


def _sentence(sentence: str, **values: object) -> str:
    """A sentence in the reader's language, its `{names}` filled in; what is filled in is escaped."""
    text = language._(sentence)
    return Markup(text).format(**values) if values else text  # noqa: S704 - a sentence of ours.


def _unit(number: str, unit: str) -> Markup:
    """A number with its unit set smaller."""
    return Markup("{} <small>{}</small>").format(number, unit)


# Everything that the first page would read from the disk is read now.
for _language in language.LANGUAGES:
    language.catalog(_language)
    language.direction(_language)
