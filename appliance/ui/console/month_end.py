"""The closing sheet of a month: to be printed and kept, with the ends of both chains, so that nobody changes the month later unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from aiohttp import web

from appliance.services import month_end as service
from appliance.services.month_end import MonthSheet
from appliance.ui.console.report_lines import tabs_of
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.listing import query
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.wording.sessions import method_word
from appliance.ui.writing import exports
from appliance.ui.writing.days import Span, month_of, read_day, span_written, today_of
from appliance.ui.writing.exports import Column, Kind, Row, Table

ACCOUNTS = {
    "wallets": N_("All wallets: what is owed to people"), "revenue": N_("Charging, tax not included"), "tax": N_("Tax"),
    "overrun": N_("Charged beyond what wallets could give"), "adjustments": N_("Corrections and gifts"), "cash": N_("The safe"),
    "card": N_("Bank cards"), "mobile": N_("Mobile money"), "bank": N_("Bank transfers"), "deposits": N_("Deposits for cards"),
    "vouchers": N_("Vouchers that nobody has used"), "over and short": N_("Over and short"), "expenses": N_("What was bought"),
}  # fmt: skip
"""Accounts by their names in the ledger; a drawer is called as it is."""


@dataclass(frozen=True, slots=True)
class MonthPage:
    """The sheet, and the months beside it."""

    month: str
    title: str
    tabs: list[tuple[str, str, bool]]
    earlier: str
    later: str
    sheet: MonthSheet
    taken: list[tuple[str, int, int, int]]
    """Way of paying, taken, given back, receipts."""
    accounts: list[tuple[str, int, int, int, int]]
    """Name, before, in, out, after."""
    anchor: str
    xlsx: str


async def show(request: web.Request) -> web.Response:
    """`GET /reports/month?month=2026-11`; without it the last one that is over."""
    span, fmt = _month(request), formats_of(request)
    console = request.app[CONSOLE]
    sheet = await console.store.read(service.sheet, span.first, span.last, console.site.zone, console.clock())
    today = today_of(console.clock(), console.site.zone)
    earlier, later = span.moved(-1).first[:7], span.moved(1).first[:7]
    page = MonthPage(
        month=span.first[:7],
        title=span_written(span, fmt),
        tabs=tabs_of(request, "month"),
        earlier=query(request, month=earlier),
        later=query(request, month=later) if later <= today[:7] else "",
        sheet=sheet,
        taken=[
            (method_word(method), one.taken_minor, one.given_back_minor, one.receipts)
            for method, one in sheet.taken.items()
        ],
        accounts=list(_accounts(sheet)),
        anchor=sheet.anchor.line() if sheet.anchor is not None else "",
        xlsx=f"/reports/month.xlsx?month={span.first[:7]}",
    )
    return render(request, "reports/month.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /reports/month.xlsx` and `.csv`: the same in lines."""
    span, fmt = _month(request), formats_of(request)
    console = request.app[CONSOLE]
    sheet = await console.store.read(service.sheet, span.first, span.last, console.site.zone, console.clock())

    async def rows() -> AsyncIterator[Sequence[Row]]:
        yield list(_rows(sheet))

    money = currency_of(request).code
    table = Table(
        name=f"month-{span.first[:7]}",
        title=_("Closing sheet {month}").format(month=span.first[:7]),
        columns=(
            Column(_("Part")),
            Column(_("What")),
            Column(_("How many"), Kind.COUNT),
            Column(_("Before ({currency})").format(currency=money), Kind.MONEY),
            Column(_("In ({currency})").format(currency=money), Kind.MONEY),
            Column(_("Out ({currency})").format(currency=money), Kind.MONEY),
            Column(_("After ({currency})").format(currency=money), Kind.MONEY),
            Column(_("As it is written")),
        ),
        rows=rows(),
    )
    return await exports.send(request, table, request.match_info["ending"], fmt)


def _rows(sheet: MonthSheet) -> Iterator[Row]:
    """Part, what, how many, before, in, out, after, text."""
    if not sheet.is_over:
        yield (_("This month is not over: its figures will change."), *(None,) * 7)
    charged = sheet.charged
    yield _("Charging"), _("Sessions that ended"), charged.sessions, None, charged.fees_minor, None, None, None
    yield _("Charging"), _("Energy (Wh)"), charged.energy_wh, None, None, None, None, None
    for method, one in sheet.taken.items():
        yield _("Receipts"), method_word(method), one.receipts, None, one.taken_minor, one.given_back_minor, None, None
    for word, papers in ((_("Receipts"), sheet.receipts), (_("Z reports"), sheet.z_reports)):
        yield _("Numbers"), word, papers.count, None, None, None, None, f"{papers.first}–{papers.last}"
    for name, before, came, went, after in _accounts(sheet):
        yield _("Accounts"), name, None, before, came, went, after, None
    for word, end in ((_("Ledger"), sheet.ledger_end), (_("Audit list"), sheet.audit_end)):
        yield _("Anchors"), word, end.seq, None, None, None, None, end.hash.hex()
    if sheet.anchor is not None:
        yield _("Anchors"), _("Under the key of the site"), None, None, None, None, None, sheet.anchor.line()


def _accounts(sheet: MonthSheet) -> Iterator[tuple[str, int, int, int, int]]:
    for one in sheet.accounts:
        if one.before_minor or one.in_minor or one.out_minor:
            name = _(ACCOUNTS[one.name]) if one.name in ACCOUNTS else one.name
            yield name, one.before_minor, one.in_minor, one.out_minor, one.after_minor


def _month(request: web.Request) -> Span:
    """The one that is asked for; the last one that is over for nonsense."""
    console = request.app[CONSOLE]
    asked = read_day(f"{request.query.get('month', '')}-1")
    today = date.fromisoformat(today_of(console.clock(), console.site.zone))
    return month_of(date.fromisoformat(asked) if asked else today.replace(day=1) - timedelta(days=1))


PAGE = Page(routes=[web.get("/reports/month", show), web.get("/reports/month.{ending}", export)])
