"""Reports by connector, person, group, tariff, staff and way of paying, and the receipts by day: a page with its chart, and files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from appliance.db import operators, takings
from appliance.db.engine.protocols import Readable
from appliance.db.report_lines import By, Charged
from appliance.db.takings import Taken
from appliance.services import reports
from appliance.services.reports import METHODS, Line
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.listing import query
from appliance.ui.forms.spans import AskedDays, around, asked_days, presets_of
from appliance.ui.frame.context import CONSOLE, Page, principal
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.frame.roles import may
from appliance.ui.wording.sessions import method_word
from appliance.ui.wording.words import with_impersonal
from appliance.ui.writing import charts, exports
from appliance.ui.writing.charts import Bars, Series
from appliance.ui.writing.days import span_written, what_is_wrong, written
from appliance.ui.writing.exports import Column, Kind, Row, Table
from appliance.ui.writing.formats import Formats

RECEIPTS, MONTH = "receipts", "month"
TABS = {
    By.STATIONS: N_("Chargers"),
    By.CONNECTORS: N_("Connectors"),
    By.PEOPLE: N_("People"),
    By.GROUPS: N_("Groups"),
    By.TARIFFS: N_("Tariffs"),
    By.OPERATORS: N_("Staff"),
    METHODS: N_("Ways of paying"),
    RECEIPTS: N_("Receipts by day"),
    MONTH: N_("Closing sheet"),
}
ONE = {
    By.CONNECTORS: N_("Connector"), By.PEOPLE: N_("Person"), By.GROUPS: N_("Group"), By.TARIFFS: N_("Tariff"),
    By.OPERATORS: N_("Who"), METHODS: N_("Way of paying"),
}  # fmt: skip
NOBODY = {
    By.PEOPLE: N_("Nobody here is known by the card"),
    By.GROUPS: N_("Nobody here is known by the card"),
    By.TARIFFS: N_("Nothing to pay"),
    By.OPERATORS: N_("With a card at the charger"),
}
PAGES_OF: dict[str, str] = {
    By.PEOPLE: "/people/{person}",
    By.GROUPS: "/groups/{group}",
    By.TARIFFS: "/tariffs/{tariff}",
}
ROWS_SHOWN_MAX = 500
"""The files have all: nobody reads more."""
BARS_MAX = 12
LABEL_CHARS_MAX = 12
"""Of a name beneath its bar; the table has all of it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its head, what its values are, and where they come from."""

    head: str
    kind: Kind
    of: Callable[[Line], int | None]

    def value(self, line: Line) -> int:
        """0 where it says nothing."""
        return self.of(line) or 0


CHARGED = (
    Figure(N_("Working time"), Kind.DURATION, lambda line: line.charged.working_s if line.charged else None),
    Figure(N_("Energy (kWh)"), Kind.ENERGY, lambda line: line.charged.energy_wh if line.charged else None),
    Figure(N_("Fees"), Kind.MONEY, lambda line: line.charged.fees_minor if line.charged else None),
    Figure(N_("Sessions"), Kind.COUNT, lambda line: line.charged.sessions if line.charged else None),
    Figure(N_("Failed starts"), Kind.COUNT, lambda line: line.charged.failed if line.charged else None),
)
PLACES = (
    Figure(N_("Charging"), Kind.DURATION, lambda line: line.charged.charging_s if line.charged else None),
    Figure(N_("Occupied"), Kind.DURATION, lambda line: line.charged.occupied_s if line.charged else None),
)
TAKEN = (
    Figure(N_("Taken"), Kind.MONEY, lambda line: line.taken.taken_minor if line.taken else None),
    Figure(N_("Given back"), Kind.MONEY, lambda line: line.taken.given_back_minor if line.taken else None),
    Figure(N_("Receipts"), Kind.COUNT, lambda line: line.taken.receipts if line.taken else None),
)
FEES = CHARGED[2]
SESSIONS_BY = {
    By.CONNECTORS: ("station", "evse"), By.PEOPLE: ("person",), By.GROUPS: ("group",), By.TARIFFS: ("tariff",),
    By.OPERATORS: ("by",),
}  # fmt: skip
"""What the list of sessions is asked for, by what a report is about."""
FIGURES = {
    By.CONNECTORS: CHARGED, By.PEOPLE: CHARGED, By.GROUPS: CHARGED, By.TARIFFS: CHARGED,
    By.OPERATORS: (*TAKEN, *CHARGED), METHODS: TAKEN, RECEIPTS: TAKEN,
}  # fmt: skip
ON_PHONES = {
    about: (TAKEN[0], TAKEN[1]) if TAKEN[0] in figures else (CHARGED[1], CHARGED[2])
    for about, figures in FIGURES.items()
}
"""The columns for which a phone has room."""
DRAWN = {By.OPERATORS: TAKEN[0], METHODS: TAKEN[0], RECEIPTS: TAKEN[0]}
"""What the chart shows; of all others the energy."""


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of the page, its figures written; beneath the name what a phone has no column for."""

    name: str
    href: str
    cells: list[str]
    under: str
    sessions: str
    """The list of what its fees are the sum of; "" for none."""


@dataclass(frozen=True, slots=True)
class LinesPage:
    """A report as a page."""

    asked: AskedDays
    left_out: str
    title: str
    about: str
    tabs: list[tuple[str, str, bool]]
    presets: list[tuple[str, str, bool]]
    earlier: str
    later: str
    one: str
    heads: list[str]
    narrow: list[bool]
    """Which columns a phone has."""
    lines: list[TableLine]
    total: TableLine
    count: int
    fees_at: int
    """Which cell has the fees; -1: none."""
    bars: Bars | None
    levels: list[str]
    unit: str
    shares: bool
    csv: str
    xlsx: str


async def show(request: web.Request) -> web.Response:
    """`GET /reports/connectors?preset=` or `?from=&to=`."""
    about = _about(request)
    fmt, asked, found = formats_of(request), asked_days(request), await _lines(request, about)
    figures = FIGURES[about]
    shares = about == By.CONNECTORS
    total = sum_of(found)
    earlier, later = around(request, asked)
    heads = [_(figure.head) for figure in figures] + ([_("Time charging"), _("Time occupied")] if shares else [])
    narrow = [figure in ON_PHONES[about] for figure in figures] + [False] * (len(heads) - len(figures))

    def line_of(name: str, href: str, line: Line, sessions: str = "") -> TableLine:
        cells = _cells(line, figures, fmt, shares=shares)
        told = [f"{head}: {cell}" for head, cell, shown in zip(heads, cells, narrow, strict=True) if not shown]
        return TableLine(name, href, cells, " · ".join(told), sessions)

    page = LinesPage(
        asked=asked,
        left_out=what_is_wrong(request.query.get("from", ""), request.query.get("to", "")),
        title=span_written(asked.span, fmt),
        about=_(TABS[about]),
        tabs=tabs_of(request, about),
        presets=presets_of(request, asked),
        earlier=earlier,
        later=later,
        one=_(ONE[about]) if about in ONE else _("Day, who and how"),
        heads=heads,
        narrow=narrow,
        lines=[
            line_of(_called(line, fmt), _href(request, about, line), line, _sessions_of(about, line, asked))
            for line in found[:ROWS_SHOWN_MAX]
        ],
        total=line_of(_("In all"), "", total),
        count=len(found),
        fees_at=figures.index(FEES) if FEES in figures else -1,
        **_drawn(request, about, found, fmt),
        shares=shares,
        csv=_file(request, about, asked, "csv"),
        xlsx=_file(request, about, asked, "xlsx"),
    )
    return render(request, "reports/lines.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /reports/connectors.csv` and `.xlsx`."""
    about = _about(request)
    fmt, asked, found = formats_of(request), asked_days(request), await _lines(request, about)
    figures, total = FIGURES[about] + (PLACES if about == By.CONNECTORS else ()), sum_of(found)
    has_days, has_places = about == RECEIPTS, about == By.CONNECTORS

    def row(line: Line) -> Row:
        places = (line.capacity_s,) if has_places else ()
        return (
            *((line.day,) if has_days else ()),
            line.name,
            line.key,
            *(figure.of(line) for figure in figures),
            *places,
        )

    async def rows() -> AsyncIterator[Sequence[Row]]:
        yield [row(line) for line in found]

    money = currency_of(request).code
    heads = [f"{_(figure.head)} ({money})" if figure.kind is Kind.MONEY else _(figure.head) for figure in figures]
    table = Table(
        name=f"{about}-{asked.span.first}-{asked.span.last}",
        title=_(TABS[about]),
        columns=(
            *((Column(_("Day"), Kind.DAY),) if has_days else ()),
            Column(_(ONE[about]) if about in ONE else _("Who")),
            Column(_("Key") if not has_days else _("Way of paying")),
            *(Column(head, figure.kind) for head, figure in zip(heads, figures, strict=True)),
            *((Column(_("Time it was there"), Kind.DURATION),) if has_places else ()),
        ),
        rows=rows(),
        totals=lambda: (
            *((None,) if has_days else ()),
            _("Total"),
            None,
            *(figure.of(total) for figure in figures),
            *((total.capacity_s,) if has_places else ()),
        ),
    )
    return await exports.send(request, table, request.match_info["ending"], fmt)


def sum_of(lines: Sequence[Line]) -> Line:
    """All lines in one."""
    charged = [line.charged for line in lines if line.charged is not None]
    taken = Taken()
    for line in lines:
        taken = taken.with_all_of(line.taken) if line.taken is not None else taken
    return Line(
        "", "", "",
        Charged(*(sum(getattr(one, name) for one in charged) for name in Charged.__slots__)),
        taken,
        sum(line.capacity_s or 0 for line in lines),
    )  # fmt: skip


def tabs_of(request: web.Request, about: str) -> list[tuple[str, str, bool]]:
    """The reports that whoever reads may open, for the same days."""
    role = principal(request).role
    days = {name: request.query.get(name, "") for name in ("preset", "from", "to")}
    found = []
    for name, word in TABS.items():
        path = "/reports" if name == By.STATIONS else f"/reports/{name}"
        if may(role, "GET", path):
            kept = (
                ""
                if name == MONTH
                else "&".join(f"{key}={value}" for key, value in days.items() if value and _is_plain(value))
            )
            found.append((_(word), f"{path}?{kept}" if kept else path, name == about))
    return found


def _is_plain(value: str) -> bool:
    return value.replace("-", "").isalnum() and value.isascii()


async def _lines(request: web.Request, about: str) -> list[Line]:
    console, asked = request.app[CONSOLE], asked_days(request)
    first, last, zone = asked.span.first, asked.span.last, console.site.zone
    if about == RECEIPTS:
        by_day, names = await console.store.read(_by_day, first, last, zone)
        staff = with_impersonal(names)
        return [
            Line(day, method_word(method), staff.get(actor, actor), None, taken, None)
            for (day, actor, method), taken in by_day.items()
        ]
    found = await console.store.read(reports.report, about, first, last, zone, console.clock())
    named = [_worded(about, line) for line in found]
    if about in (By.PEOPLE, By.GROUPS, By.TARIFFS):
        named.sort(key=lambda line: -(line.charged.fees_minor if line.charged else 0))
    return named


def _by_day(db: Readable, first: str, last: str, zone: Any) -> tuple[dict[takings.Key, Taken], dict[str, str]]:
    return takings.takings(db, first, last, zone), operators.names(db)


def _worded(about: str, line: Line) -> Line:
    """With a word where nobody and nothing has a name."""
    name = line.name or _(NOBODY.get(By(about), "–")) if about != METHODS else method_word(line.key)
    if about == By.OPERATORS and line.key and name == line.key:
        name = with_impersonal({}).get(line.key, line.key)
    return Line(line.day, line.key, name, line.charged, line.taken, line.capacity_s)


def _called(line: Line, fmt: Formats) -> str:
    """The name; of receipts the day, who and how."""
    return " · ".join((written(line.day, fmt, "EEE d MMM"), line.name, line.key)) if line.day else line.name


def _href(request: web.Request, about: str, line: Line) -> str:
    """Where more of it is told; "" for nowhere that whoever reads may go."""
    route = PAGES_OF.get(about, "")
    if not route or not line.key or not may(principal(request).role, "GET", route):
        return ""
    return route.partition("{")[0] + line.key


def _sessions_of(about: str, line: Line, asked: AskedDays) -> str:
    """The sessions of these days that its fees come from: those that began earlier stand under their own day."""
    if about not in SESSIONS_BY or not line.key or line.charged is None or not line.charged.sessions:
        return ""
    values = dict(
        zip(SESSIONS_BY[By(about)], line.key.rsplit("/", 1) if about == By.CONNECTORS else [line.key], strict=True)
    )
    return f"/sessions?{urlencode({**values, 'from': asked.span.first, 'to': asked.span.last})}"


def _cells(line: Line, figures: Sequence[Figure], fmt: Formats, *, shares: bool) -> list[str]:
    written_cells = [_written(figure.of(line), figure.kind, fmt) for figure in figures]
    if shares and line.charged is not None:
        whole = line.capacity_s or 0
        written_cells += [share(one, whole, fmt) for one in (line.charged.charging_s, line.charged.occupied_s)]
    return written_cells


def share(part_s: int, whole_s: int, fmt: Formats) -> str:
    """In hundredths, with one digit behind the point; – where there is no whole."""
    return f"{fmt.number(part_s * 1000 // whole_s, 1)} %" if whole_s else "–"


def _written(value: int | None, kind: Kind, fmt: Formats) -> str:
    if value is None:
        return "–"
    match kind:
        case Kind.MONEY:
            return fmt.money(value)
        case Kind.ENERGY:
            return fmt.energy(value)
        case Kind.DURATION:
            return _("{hours} h {minutes} min").format(
                hours=fmt.number(value // 3600), minutes=fmt.number(value // 60 % 60)
            )
        case _:
            return fmt.number(value)


def _drawn(request: web.Request, about: str, lines: Sequence[Line], fmt: Formats) -> dict[str, Any]:
    """A bar for each of the largest; of receipts for each day."""
    figure = DRAWN.get(about, CHARGED[1])
    values: dict[str, int] = {}
    for line in lines:
        name = written(line.day, fmt, "d MMM") if about == RECEIPTS else line.name
        values[name] = values.get(name, 0) + figure.value(line)
    order = list(values) if about == RECEIPTS else sorted(values, key=lambda name: -values[name])[:BARS_MAX]
    step = 1000 if figure.kind is Kind.ENERGY else int(10**fmt.exponent)
    labels = [name if len(name) <= LABEL_CHARS_MAX else f"{name[:LABEL_CHARS_MAX]}…" for name in order]
    captions = [[f"{name}: {_written(values[name], figure.kind, fmt)}" for name in order]]
    series = [Series(_(figure.head), tuple(values[name] for name in order))]
    bars = (
        charts.stacked_bars(labels, series, f"{_(TABS[about])}: {_(figure.head)}", "", captions=captions, step=step)
        if order
        else None
    )
    return {
        "bars": bars,
        "levels": charts.level_words(bars.chart.levels, step, fmt) if bars else [],
        "unit": _("kWh") if figure.kind is Kind.ENERGY else currency_of(request).code,
    }


def _about(request: web.Request) -> str:
    """The last piece of the path, which is one of the table's."""
    return request.path.rpartition("/")[2].partition(".")[0]


def _file(request: web.Request, about: str, asked: AskedDays, ending: str) -> str:
    parameters = query(request, **{"preset": "", "from": asked.span.first, "to": asked.span.last})
    return f"/reports/{about}.{ending}?{parameters.partition('?')[2]}"


PAGE = Page(
    routes=[
        route
        for about in FIGURES
        for route in (web.get(f"/reports/{about}.{{ending}}", export), web.get(f"/reports/{about}", show))
    ]
)
