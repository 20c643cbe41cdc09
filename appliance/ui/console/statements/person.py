"""A person's statement: a month as a sum and row by row, on the screen, on A4 (whose print view is the PDF), and as CSV."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import web
from markupsafe import Markup

from appliance.db.cards import cards
from appliance.db.people.people import Person
from appliance.db.statements.charged import Charged
from appliance.domain import statement as rules
from appliance.domain.cards import tag
from appliance.domain.identifiers import PersonId
from appliance.domain.statement import Entry
from appliance.services.statements.statements import Shown, Statement, read
from appliance.ui.console.wallets import receipts
from appliance.ui.forms.forms import number_of
from appliance.ui.frame import language
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import _
from appliance.ui.frame.render import formats_of, render, render_part
from appliance.ui.wording.card_desk import card_number
from appliance.ui.wording.statements import Written, month_word, title_of, written
from appliance.ui.writing import exports
from appliance.ui.writing.exports import Column, Kind, Table

MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Month:
    """A button of a month."""

    month: str
    word: str
    current: bool


@dataclass(frozen=True, slots=True)
class StatementPage:
    """The month on the screen."""

    person: Person
    shown: Written
    months: list[Month]
    here: str
    links: list[tuple[str, str]]
    """For the holder, to this statement, behind the doors of the card's page: the card's number, and the address."""


@dataclass(frozen=True, slots=True)
class PaperPage:
    """The month on A4."""

    person: Person
    title: str
    tongues: list[tuple[str, str, str]]
    tongue: str
    sheet: Markup
    here: str


async def show_newest(request: web.Request) -> web.Response:
    """`GET /people/{person}/statements`: the month that runs."""
    console, person = request.app[CONSOLE], number_of(request, "person")
    month = rules.month_of(console.clock(), console.site.zone)
    return web.Response(status=303, headers={"Location": f"/people/{person}/statements/{month}"})


async def show(request: web.Request) -> web.Response:
    """`GET /people/{person}/statements/{month}`."""
    found, console, fmt = await _load(request), request.app[CONSOLE], formats_of(request)
    asked, now = found.statement.month, rules.month_of(console.clock(), console.site.zone)
    last = max(asked, min(now, rules.moved(asked, MONTHS_SHOWN // 2)))
    shown = [rules.moved(last, -number) for number in range(MONTHS_SHOWN)]
    since = rules.month_of(found.person.created_at_ms, console.site.zone)
    months = [Month(one, month_word(one, fmt), one == asked) for one in shown if one >= min(since, asked)]
    here = f"/people/{found.person.id}/statements"
    base = console.desk_key.link_base
    held = await console.store.read(cards.of_person, found.person.id) if base else []
    # The link of a chip that signs each tap opens after a tap only.
    links = [
        (card_number(one.number), f"{base}{one.token}/statements/{asked}")
        for one in held
        if one.blocked_at_ms is None and one.token and one.kind != tag.Kind.NTAG424
    ]
    page = StatementPage(found.person, written(found.statement, found.sessions, fmt), months, here, links)
    return render(request, "statements/person.html", page)


async def show_paper(request: web.Request) -> web.Response:
    """`GET /people/{person}/statements/{month}/print?language=`."""
    found = await _load(request)
    holders = receipts.holders_language(request, found.statement.names.language)
    tongue = receipts.tongue_of(request, holders)
    page = PaperPage(
        found.person,
        title_of(found.statement.month, formats_of(request)),
        receipts.tongues_of(request, holders),
        receipts.whose_language(tongue, holders),
        sheet(request, found.statement, found.sessions, tongue),
        f"/people/{found.person.id}/statements/{found.statement.month}",
    )
    return receipts.remember_language(request, render(request, "statements/paper.html", page))


def sheet(request: web.Request, statement: Statement, sessions: dict[int, Charged], tongue: str) -> Markup:
    """The statement on A4. The page around it speaks with the staff, this with the holder."""
    spoken = language.spoken()
    language.speak(tongue)
    try:
        shown = written(statement, sessions, formats_of(request))
        html = render_part(
            request.app[CONSOLE], None, "statements/_sheet.html", shown=shown, tongue=tongue, named=True,
            explained_at="/sessions/{}/explanation", direction=language.direction(tongue),
        )  # fmt: skip
    finally:
        language.speak(spoken)
    return Markup(html)  # noqa: S704  # a template of ours, where all values are escaped


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /people/{person}/statements/{month}.csv` and `.xlsx`."""
    found, fmt = await _load(request), formats_of(request)
    statement = found.statement
    return await exports.send(request, table_of(statement, found.sessions, request), request.match_info["ending"], fmt)


def table_of(statement: Statement, sessions: dict[int, Charged], request: web.Request) -> Table:
    """A statement as a file: the balance before, each row, the balance after."""
    fmt, currency = formats_of(request), request.app[CONSOLE].site.currency
    shown = written(statement, sessions, fmt)

    async def rows() -> AsyncIterator[Sequence[exports.Row]]:
        yield [(None, _("Balance before"), None, None, None, None, None, None, statement.before_minor, None)]
        yield [_cells(row.entry, row.what, row.more, row.charged) for row in shown.rows]

    return Table(
        name=f"statement-{statement.month}-{statement.person or statement.wallet}",
        title=shown.title,
        columns=(
            Column(_("When"), Kind.MOMENT),
            Column(_("What")),
            Column(_("More")),
            Column(_("Session"), Kind.COUNT),
            Column(_("Bill"), Kind.COUNT),
            Column(_("Energy (kWh)"), Kind.ENERGY),
            Column(_("Tax ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Amount ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Balance ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Row of the ledger"), Kind.COUNT),
        ),
        rows=rows(),
        totals=lambda: (
            None, _("Balance after"), None, None, None, shown.energy_wh, shown.tax_minor, statement.sums.total,
            statement.after_minor, None,
        ),
    )  # fmt: skip


def _cells(entry: Entry, what: str, more: str, of: Charged | None) -> exports.Row:
    return (
        entry.at_ms, what, more, entry.session, of.bill if of else None, of.energy_wh if of else None, of.tax_minor if of else None,
        entry.amount_minor, entry.balance_minor, entry.seq,
    )  # fmt: skip


async def _load(request: web.Request) -> Shown:
    console = request.app[CONSOLE]
    person, month = PersonId(number_of(request, "person")), request.match_info["month"]
    return await console.store.read(read, person, month, console.clock())


PAGE = Page(
    routes=[
        web.get("/people/{person}/statements", show_newest),
        web.get("/people/{person}/statements/{month}.{ending}", export),
        web.get("/people/{person}/statements/{month}", show),
        web.get("/people/{person}/statements/{month}/print", show_paper),
    ]
)
