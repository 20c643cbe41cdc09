"""The report by day and station: working time, energy, fees, sessions; for a day or a span, as a page and as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from appliance.db import report_lines, reports
from appliance.db.engine.protocols import Readable
from appliance.db.report_lines import By
from appliance.db.reports import StationDay, StationMonth, StationSums, Total
from appliance.db.stations import stations
from appliance.db.stations.stations import Station
from appliance.domain.order import natural
from appliance.services.reports import capacity_of
from appliance.ui.console.report_lines import share, tabs_of
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.listing import Sort, query
from appliance.ui.forms.spans import around, asked_days, days_address, presets_of
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.writing import charts, exports
from appliance.ui.writing.charts import Bars, Series
from appliance.ui.writing.days import Span, month_of, span_written, what_is_wrong, written
from appliance.ui.writing.exports import Column, Kind, Table
from appliance.ui.writing.formats import Formats

MEASURES = {
    "energy": N_("Energy"),
    "fees": N_("Fees"),
    "working": N_("Working time"),
    "sessions": N_("Sessions"),
}
DAY_CHARS = len("2026-11-23")
DAYS_SHOWN_MAX = 62
"""A longer span is shown by months, and each of them opens its days: nobody reads more lines, and a bar would be a hair."""
ROWS_SHOWN_MAX = 1000
"""More days of chargers are not on the page: a phone would load megabytes that nobody reads."""
EXPORT_ROWS_AT_ONCE = 2000
FIGURES: dict[str, Callable[[Total], int]] = {
    "working": lambda total: total.working_s,
    "energy": lambda total: total.energy_wh,
    "fees": lambda total: total.fees_minor,
    "sessions": lambda total: total.sessions,
}
COLUMNS = {"first": "first", **{name: f"-{name}" for name in FIGURES}}
"""Of both tables, the one by charger and the one by time: `first` is by name, and by time."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for."""

    span: Span
    preset: str
    station: str
    measure: str

    @property
    def by_month(self) -> bool:
        """Whether it is shown by months."""
        return self.span.days > DAYS_SHOWN_MAX


Rows = list[StationDay] | list[StationMonth]


@dataclass(frozen=True, slots=True)
class Found:
    """What one snapshot says: by days or by months."""

    rows: Rows
    stations: list[Station]
    station: Station | None
    failed: dict[int, int]
    """Starts that came to nothing, by station."""
    capacity_s: dict[int, int]
    """How long its places could have been taken, of each station that there is."""


@dataclass(frozen=True, slots=True)
class StationLine:
    """A station's sums over the whole span, and where more of it is shown."""

    name: str
    address: str
    total: Total
    failed: int
    used: str
    """Working time as a share of the time that its connectors were there; – where they were not."""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """One day or month: its stations, its sums, and where it is shown by itself."""

    word: str
    address: str
    rows: Sequence[StationSums]
    total: Total


L = TypeVar("L", StationLine, TimeLine)


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The report as a page."""

    asked: Asked
    left_out: str
    """Why it does not show all that was asked for; "" where it does."""
    title: str
    presets: list[tuple[str, str, bool]]
    tabs: list[tuple[str, str, bool]]
    earlier: str
    later: str
    stations: list[Station]
    station: Station | None
    total: Total
    failed: int
    """Starts that came to nothing."""
    sorts: tuple[Sort, Sort]
    """Of the table by charger and of that by time: the same order, and where each leads."""
    by_station: list[StationLine]
    by_time: list[TimeLine]
    days: list[TimeLine]
    """The same in order of time."""
    rows: int
    each_day: bool
    """Whether each day of each charger is shown."""
    bars: Bars | None
    levels: list[str]
    unit: str
    measures: list[tuple[str, str, bool]]
    csv: str
    xlsx: str


async def show(request: web.Request) -> web.Response:
    """`GET /reports?preset=` or `?from=&to=`, with `station=` and `show=`; without anything, this month."""
    console, fmt, asked = request.app[CONSOLE], formats_of(request), _asked(request)
    found = await console.store.read(_found, asked, console.site.zone, console.clock())
    bars = _bars(found.rows, asked, fmt)
    level_words = charts.level_words(bars.chart.levels, _step(asked.measure, fmt), fmt) if bars else []
    by_time = _by_time(request, found.rows, asked.span, fmt)
    sorts = Sort.of(request, COLUMNS, "first", "by-charger"), Sort.of(request, COLUMNS, "first", "by-time")
    days = asked_days(request)
    earlier, later = around(request, days)
    page = ReportPage(
        asked=asked,
        left_out=what_is_wrong(request.query.get("from", ""), request.query.get("to", "")),
        title=span_written(asked.span, fmt),
        presets=presets_of(request, days),
        tabs=tabs_of(request, By.STATIONS),
        earlier=earlier,
        later=later,
        stations=found.stations,
        station=found.station,
        total=_total(found.rows),
        failed=sum(found.failed.values()),
        sorts=sorts,
        by_station=_sorted(_by_station(request, found, asked, fmt), sorts[0]),
        by_time=_sorted(by_time, sorts[1]),
        days=by_time,
        rows=len(found.rows),
        each_day=not asked.by_month and len(found.rows) <= ROWS_SHOWN_MAX,
        bars=bars,
        levels=level_words,
        unit={"energy": _("kWh"), "fees": currency_of(request).code, "working": _("hours"), "sessions": ""}[
            asked.measure
        ],
        measures=[(_(word), query(request, show=name), asked.measure == name) for name, word in MEASURES.items()],
        csv=_file(request, asked, "csv"),
        xlsx=_file(request, asked, "xlsx"),
    )
    return render(request, "reports/report.html", page)


async def export(request: web.Request) -> web.StreamResponse:
    """`GET /reports.csv` and `.xlsx`: a row for each day and station."""
    console, fmt, asked = request.app[CONSOLE], formats_of(request), _asked(request)
    station, at_once = await console.store.read(_for_export, asked)
    currency, summed = currency_of(request).code, Total(0, 0, 0, 0)

    async def rows() -> AsyncIterator[Sequence[exports.Row]]:
        """Some days at a time, and what they come to."""
        nonlocal summed
        days = asked.span.every()
        for begin in range(0, len(days), at_once):
            some = days[begin : begin + at_once]
            found = await console.store.read(reports.station_days, some[0], some[-1], station)
            summed = _total([summed, *found])
            yield [
                (row.day, row.name, row.identity, row.working_s, row.energy_wh, row.fees_minor, row.sessions)
                for row in found
            ]

    table = Table(
        name=f"report-{asked.span.first}-{asked.span.last}",
        title=_("Report"),
        columns=(
            Column(_("Day"), Kind.DAY),
            Column(_("Charger")),
            Column(_("Identity")),
            Column(_("Working time"), Kind.DURATION),
            Column(_("Energy (kWh)"), Kind.ENERGY),
            Column(_("Fee ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Ended sessions, by the day they began"), Kind.COUNT),
        ),
        rows=rows(),
        totals=lambda: (
            None, _("Total"), None, summed.working_s, summed.energy_wh, summed.fees_minor, summed.sessions,
        ),
    )  # fmt: skip
    return await exports.send(request, table, request.match_info["ending"], fmt)


def _asked(request: web.Request) -> Asked:
    asked, given = asked_days(request), request.query
    measure = given.get("show", "")
    return Asked(asked.span, asked.preset, given.get("station", "")[:255], measure if measure in MEASURES else "energy")


def _found(db: Readable, asked: Asked, zone: ZoneInfo, now_ms: int) -> Found:
    station = stations.by_identity(db, asked.station) if asked.station else None
    number = int(station.id) if station is not None else None
    read = reports.station_months if asked.by_month else reports.station_days
    first, last = asked.span.first, asked.span.last
    failed = {int(one): times for (one,), times in report_lines.failed(db, By.STATIONS, first, last, zone).items()}
    capacity, every = capacity_of(db, zone, now_ms), stations.all_stations(db)
    return Found(
        read(db, first, last, number), every, station,
        {one: times for one, times in failed.items() if number in (None, one)},
        {one: capacity(one, (first, last), True) for one in stations.names(db)},
    )  # fmt: skip


def _for_export(db: Readable, asked: Asked) -> tuple[int | None, int]:
    """Which station, and how many days make no more rows than are held at once."""
    station = stations.by_identity(db, asked.station) if asked.station else None
    if station is not None:
        return int(station.id), EXPORT_ROWS_AT_ONCE
    return None, max(1, EXPORT_ROWS_AT_ONCE // max(1, len(stations.names(db))))


def _total(rows: Sequence[StationSums | Total]) -> Total:
    return Total(
        sum(row.working_s for row in rows),
        sum(row.energy_wh for row in rows),
        sum(row.fees_minor for row in rows),
        sum(row.sessions for row in rows),
    )


def _by_station(request: web.Request, found: Found, asked: Asked, fmt: Formats) -> list[StationLine]:
    """What each station did. Its sessions are a link away, and those of a long time first its months."""
    of_station: dict[int, list[StationSums]] = {}
    for row in found.rows:
        of_station.setdefault(row.station_id, []).append(row)
    lines = []
    for number, each in of_station.items():
        span = {"station": each[0].identity, "from": asked.span.first, "to": asked.span.last}
        more = (
            query(request, **span, preset="", sort="")
            if asked.by_month and not asked.station
            else f"/sessions?{urlencode(span)}"
        )
        total, there_s = _total(each), found.capacity_s.get(number, 0)
        lines.append(
            StationLine(each[0].name, more, total, found.failed.get(number, 0), share(total.working_s, there_s, fmt))
        )
    lines += [
        StationLine(
            one.name,
            f"/stations/{quote(one.identity, safe='')}",
            Total(0, 0, 0, 0),
            found.failed[one.id],
            share(0, 1, fmt),
        )
        for one in found.stations
        if one.id in found.failed and one.id not in of_station
    ]
    return sorted(lines, key=lambda line: natural(line.name))


def _sorted(lines: list[L], sort: Sort) -> list[L]:
    """As it is asked for; lines with the same figure stay in the order they have."""
    if sort.column not in FIGURES:
        return lines[::-1] if sort.falls else lines
    figure = FIGURES[sort.column]
    return sorted(lines, key=lambda line: figure(line.total), reverse=sort.falls)


def _by_time(request: web.Request, rows: Rows, span: Span, fmt: Formats) -> list[TimeLine]:
    """A line for each day or month."""
    lines = []
    for time, grouped in groupby(rows, key=time_of):
        part = list(grouped)
        if len(time) == DAY_CHARS:
            one, word = Span(time, time), written(time, fmt, "EEE d MMM")
        else:
            month = month_of(date.fromisoformat(f"{time}-01"))
            one = Span(max(month.first, span.first), min(month.last, span.last))
            word = written(month.first, fmt, "MMMM yyyy")
        lines.append(TimeLine(word, days_address(request, first=one.first, last=one.last), part, _total(part)))
    return lines


def time_of(row: StationDay | StationMonth) -> str:
    """The day or month that it is about."""
    return row.day if isinstance(row, StationDay) else row.month


def _bars(rows: Rows, asked: Asked, fmt: Formats) -> Bars | None:
    """A bar for each day of the span, or for each month of a long one; one part for each station."""
    places = asked.span.every()
    if asked.by_month:
        places = sorted({day[:7] for day in places})
    index = {place: number for number, place in enumerate(places)}
    values: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for row in rows:
        names[row.station_id] = row.name
        of_station = values.setdefault(row.station_id, [0] * len(places))
        of_station[index[time_of(row)]] += _measured(row, asked.measure)
    whole = [f"{place}-01" if asked.by_month else place for place in places]
    labels = [written(day, fmt, "MMM yy" if asked.by_month else "d") for day in whole]
    if len(places) == 1:
        labels = [written(whole[0], fmt)]
    long_form = "MMMM yyyy" if asked.by_month else "d MMM"
    captions = [
        [f"{names[station]}, {written(day, fmt, long_form)}: {_exact(value, asked.measure, fmt)}" for day, value in zip(whole, numbers, strict=True)]
        for station, numbers in values.items()
    ]  # fmt: skip
    series = [Series(names[station], tuple(numbers)) for station, numbers in values.items()]
    step = _step(asked.measure, fmt)
    title = _("{measure} by day and charger").format(measure=_(MEASURES[asked.measure]))
    return charts.stacked_bars(labels, series, title, _("Others"), captions=captions, step=step)


def _measured(row: StationSums, measure: str) -> int:
    return {
        "energy": row.energy_wh,
        "fees": row.fees_minor,
        "working": row.working_s,
        "sessions": row.sessions,
    }[measure]


def _step(measure: str, fmt: Formats) -> int:
    """One of the unit that stands beside the upright axis."""
    return {"energy": 1000, "fees": int(10**fmt.exponent), "working": 3600, "sessions": 1}[measure]


def _exact(value: int, measure: str, fmt: Formats) -> str:
    match measure:
        case "energy":
            return _("{energy} kWh").format(energy=fmt.energy(value))
        case "fees":
            return fmt.money(value)
        case "working":
            return fmt.duration(value)
        case _:
            return fmt.number(value)


def _file(request: web.Request, asked: Asked, ending: str) -> str:
    """The file of just these days, whatever day it is when somebody opens the link."""
    parameters = query(
        request, **{"preset": "", "show": "", "sort": "", "from": asked.span.first, "to": asked.span.last}
    )
    return f"/reports.{ending}?{parameters.partition('?')[2]}"


PAGE = Page(routes=[web.get("/reports", show), web.get("/reports.{ending}", export)])
