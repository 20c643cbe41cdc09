"""Lists of people and cards as files: a CSV file is read, told row by row, and then done; all cards as CSV and XLSX.

Between the dry run and the button the list waits in memory, for whoever brought it, and only for a while.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from appliance.db.cards.cards import Card
from appliance.db.engine.protocols import Readable
from appliance.db.people import people_search
from appliance.db.people.people import Person
from appliance.domain.calendar import day_of
from appliance.domain.errors import Invalid, NotFound, Refusal
from appliance.services.people import importing, spreadsheets
from appliance.services.people.importing import ROWS_AT_ONCE, Outcome, Planned, Result
from appliance.services.people.people import need
from appliance.services.people.spreadsheets import FILE_BYTES_MAX, ROWS_MAX, Row
from appliance.ui.forms.bodies import in_time
from appliance.ui.forms.forms import Form
from appliance.ui.frame.context import CONSOLE, Page, asked_by, principal
from appliance.ui.frame.language import N_, _, ngettext
from appliance.ui.frame.render import done, formats_of, render
from appliance.ui.wording.audit import imported
from appliance.ui.wording.card_desk import CONTENTS
from appliance.ui.wording.cards import STATES, reason_of, state_of
from appliance.ui.writing import exports
from appliance.ui.writing.days import written
from appliance.ui.writing.exports import Column, Kind, Table
from appliance.ui.writing.formats import Formats, sentences

LISTS_MAX = 8
READ_BYTES_MAX = 64_000_000
KEPT_MS = 30 * 60_000
ROWS_SHOWN = 500
"""Of those that do something; of those that are wrong, all."""
EXPORT_ROWS_AT_ONCE = 500

OUTCOMES = {
    Outcome.NEW_PERSON: ("user-plus", N_("new person")),
    Outcome.NEW_CARD: ("credit-card", N_("new card")),
    Outcome.CHANGE: ("pencil", N_("change")),
    Outcome.SAME: ("equal", N_("as it is")),
    Outcome.WRONG: ("circle-alert", N_("left out")),
}


@dataclass(slots=True)
class Waiting:
    """A list between its dry run and its button."""

    actor: str
    name: str
    """Of the file."""
    rows: list[Row]
    """Those that can be done."""
    brought_at_ms: int
    done: str = ""
    """What came of it, once it was done."""
    doing: asyncio.Lock = field(default_factory=asyncio.Lock)


LISTS: web.AppKey[dict[str, Waiting]] = web.AppKey("lists", dict)


@dataclass(frozen=True, slots=True)
class AskPage:
    """Which file."""

    form: Form
    rows_max: int
    megabytes_max: int


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file and what it will do."""

    row: Row
    icon: str
    word: str
    outcome: str
    uid: str
    group: str
    until: str
    trouble: str


@dataclass(frozen=True, slots=True)
class DryRunPage:
    """What the whole list will do."""

    name: str
    key: str
    figures: list[tuple[str, str]]
    wrong: list[Line]
    lines: list[Line]
    left: int
    """Rows that are not shown."""
    doing: int
    """Rows that do something."""


async def show(request: web.Request) -> web.Response:
    """`GET /cards/import`."""
    return _ask_page(request, Form())


async def dry_run(request: web.Request) -> web.Response:
    """`POST /cards/import`: says what each row will do; nothing is changed."""
    console, actor = request.app[CONSOLE], principal(request).actor
    try:
        name, data = await read_file(request)
        rows = await asyncio.to_thread(spreadsheets.read, data, heads())
    except Refusal as refusal:
        return _ask_page(request, Form().refused(refusal), refusal.status)
    planned = await console.store.read(importing.plan, rows, console.site.zone)
    now_ms, key = console.clock(), secrets.token_urlsafe(18)
    good = [one.row for one in planned if one.outcome is not Outcome.WRONG]
    keep(request.app[LISTS], key, Waiting(actor, name, good, now_ms), now_ms)
    return render(request, "people/dry_run.html", _dry_run(request, name, key, planned))


async def run(request: web.Request) -> web.Response:
    """`POST /cards/import/{key}`: do it. The same button twice does it once."""
    console, actor = request.app[CONSOLE], principal(request).actor
    waiting = request.app[LISTS].get(request.match_info["key"])
    if waiting is None or waiting.actor != actor:
        raise NotFound(
            N_("This list is not here any more."), N_("Choose the file again: what is done already stays as it is.")
        )
    async with waiting.doing:
        if not waiting.done:
            result = Result()
            for begin in range(0, len(waiting.rows), ROWS_AT_ONCE):
                part = waiting.rows[begin : begin + ROWS_AT_ONCE]
                result += await console.store.write(importing.apply, part, console.site.zone, asked_by(request))
            if result.people or result.cards or result.changed:
                await console.store.write(importing.record, result, asked_by(request))
            waiting.done = result_sentence(result, formats_of(request))
    return done(request, "/cards", waiting.done)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /cards.csv` and `.xlsx`, with the filters of the list: a file that can be read back."""
    fmt, names = formats_of(request), heads()
    by_column = {column: name for name, column in names.items()}
    table = Table(
        name="cards",
        title=_("Cards"),
        columns=(
            Column(_("Number")),
            *(Column(by_column[column]) for column in spreadsheets.COLUMNS[:5]),
            Column(by_column["valid_until"], Kind.DAY),
            Column(_("State")),
            Column(_("Why")),
            Column(_("Chip")),
            Column(_("On the chip")),
            Column(_("Since"), Kind.MOMENT),
        ),
        rows=_exported(request),
    )
    return await exports.send(request, table, request.match_info["ending"], fmt)


def heads() -> dict[str, str]:
    """What the columns of a list are called in the reader's language."""
    return {
        _("Name"): "name",
        _("Telephone"): "phone",
        _("Group"): "group",
        _("UID"): "uid",
        _("Label"): "label",
        _("Valid until"): "valid_until",
    }


async def read_file(
    request: web.Request, advice: str = N_("Choose a CSV file, then press the button.")
) -> tuple[str, bytes]:
    """Name and content of the file of a form.

    Raises:
        Refusal: There is none, or it does not come to its end.
    """
    missing = Refusal(N_("No file was chosen."), advice)
    if request.content_type != "multipart/form-data":
        raise missing
    try:
        async with in_time(request):
            name, data = await _first_file(request)
    except (ValueError, HttpProcessingError):
        # What no browser sends.
        raise missing from None
    if not data:
        raise missing
    return name, data


async def _first_file(request: web.Request) -> tuple[str, bytes]:
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name != "file":
            continue
        data = bytearray()
        # What is more than allowed is not kept, but it is read for a while: browsers show no answer before its end.
        read = 0
        while read <= READ_BYTES_MAX and (chunk := await part.read_chunk(1 << 16)):
            read += len(chunk)
            if len(data) <= FILE_BYTES_MAX:
                data += chunk
        return (part.filename or "")[:100], bytes(data)
    return "", b""


def keep(lists: dict[str, Waiting], key: str, waiting: Waiting, now_ms: int) -> None:
    """Remember a list, and forget old ones."""
    for other in [one for one, kept in lists.items() if now_ms - kept.brought_at_ms > KEPT_MS]:
        del lists[other]
    while len(lists) >= LISTS_MAX:
        del lists[next(iter(lists))]
    lists[key] = waiting


def result_sentence(result: Result, fmt: Formats) -> str:
    """What came of it."""
    if not (result.people or result.cards or result.changed):
        return _("Everything was as in the list already: nothing was changed.")
    words = imported({"people": result.people, "cards": result.cards, "changed": result.changed}, fmt)
    told = [words[name] for name in words if getattr(result, name)]
    if result.wrong:
        left_out = ngettext("{count} row left out", "{count} rows left out", result.wrong)
        told.append(left_out.format(count=fmt.number(result.wrong)))
    return _("Imported: {what}.").format(what=", ".join(told))


def _ask_page(request: web.Request, form: Form, status: int = 200) -> web.Response:
    page = AskPage(form, ROWS_MAX, FILE_BYTES_MAX // 1_000_000)
    return render(request, "people/import.html", page, status=status)


def _dry_run(request: web.Request, name: str, key: str, planned: Sequence[Planned]) -> DryRunPage:
    fmt = formats_of(request)
    counts = Counter(one.outcome for one in planned)
    new_cards = sum(1 for one in planned if one.uid and one.outcome in (Outcome.NEW_PERSON, Outcome.NEW_CARD))
    figures = [
        (fmt.number(counts[Outcome.NEW_PERSON]), _("new people")),
        (fmt.number(new_cards), _("new cards")),
        (fmt.number(counts[Outcome.CHANGE]), _("changes")),
        (fmt.number(counts[Outcome.SAME]), _("as they are")),
        (fmt.number(counts[Outcome.WRONG]), _("left out")),
    ]
    doing = [one for one in planned if one.outcome not in (Outcome.WRONG, Outcome.SAME)]

    columns = {column: head for head, column in heads().items()}

    def line(one: Planned) -> Line:
        icon, word = OUTCOMES[one.outcome]
        until = written(one.valid_until, fmt) if one.valid_until else ""
        trouble = " ".join(filter(None, sentences(one.trouble))) if one.trouble is not None else ""
        if isinstance(one.trouble, Invalid) and one.trouble.field in columns:
            trouble = f"{columns[one.trouble.field]}: {trouble}"
        return Line(one.row, icon, _(word), one.outcome, one.uid, one.group, until, trouble)

    return DryRunPage(
        name=name,
        key=key,
        figures=figures,
        wrong=[line(one) for one in planned if one.outcome is Outcome.WRONG],
        lines=[line(one) for one in doing[:ROWS_SHOWN]],
        left=max(0, len(doing) - ROWS_SHOWN),
        doing=len(doing),
    )


async def _exported(request: web.Request) -> AsyncIterator[Sequence[exports.Row]]:
    console, last = request.app[CONSOLE], 0
    text, state = request.query.get("q", "")[:100], request.query.get("state", "")
    state = state if state in STATES else ""
    now_ms, zone = console.clock(), console.site.zone
    while True:
        found = await console.store.read(_read_export, text, state, now_ms, last)
        if not found:
            return
        lines = []
        for card, holder in found:
            shown = state_of(card, now_ms)
            lines.append(
                (
                    f"{card.number:04}",
                    holder.name,
                    holder.phone,
                    holder.group,
                    card.uid,
                    card.label,
                    None if card.expires_at_ms is None else day_of(card.expires_at_ms - 1, zone),
                    shown.word,
                    reason_of(card),
                    card.kind,
                    _(CONTENTS[card.content]),
                    card.created_at_ms,
                )
            )
        yield lines
        last = found[-1][0].number


def _read_export(db: Readable, text: str, state: str, now_ms: int, last: int) -> list[tuple[Card, Person]]:
    cards = people_search.cards_numbered_after(
        db, last, text=text, state=state, now_ms=now_ms, limit=EXPORT_ROWS_AT_ONCE
    )
    return [(card, need(db, card.person_id)) for card in cards]


def _install(app: web.Application) -> None:
    app[LISTS] = {}


PAGE = Page(
    routes=[
        web.get("/cards.{ending}", export),
        web.get("/cards/import", show),
        web.post("/cards/import", dry_run),
        web.post("/cards/import/{key}", run),
    ],
    install=_install,
)
