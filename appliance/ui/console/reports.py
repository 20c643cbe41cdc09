"""The report by day and station: working time, energy, fees, sessions; for a day or a span, as a page and as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from aiohttp import web

from appliance.db import reports
from appliance.db.engine.protocols import Readable
from appliance.db.reports import StationDay, Total
from appliance.db.stations import stations
from appliance.db.stations.stations import Station
from appliance.ui.console.wallets.wallets import currency_of
from appliance.ui.forms.listing import query
from appliance.ui.frame.context import CONSOLE, Page
from appliance.ui.frame.language import N_, _
from appliance.ui.frame.render import formats_of, render
from appliance.ui.writing import charts, exports
from appliance.ui.writing.charts import Bars, Series
from appliance.ui.writing.days import PRESETS, Span, ordered, read_day, span_of_preset, span_written, today_of, written
from appliance.ui.writing.exports import Column, Kind, Table
from appliance.ui.writing.formats import Formats

MEASURES = {
    "energy": N_("Energy"),
    "fees": N_("Fees"),
    "working": N_("Working time"),
    "sessions": N_("Sessions"),
}
CHART_DAYS_MAX = 62
"""Beyond that a bar would be a hair; then a bar is a month."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address bar asks for."""

    span: Span
    preset: str
    station: str
    measure: str


@dataclass(frozen=True, slots=True)
class Found:
    """What one snapshot says."""

    days: list[StationDay]
    stations: list[Station]
    station: Station | None


@dataclass(frozen=True, slots=True)
class StationLine:
    """A station's sums over the whole span."""

    identity: str
    name: str
    total: Total


@dataclass(frozen=True, slots=True)
class DayLine:
    """One day: its stations and its sums."""

    day: str
    word: str
    rows: list[StationDay]
    total: Total


@dataclass(frozen=True, slots=True)
class ReportPage:
    """The report as a page."""

    asked: Asked
    title: str
    presets: list[tuple[str, str, bool]]
    earlier: str
    later: str
    stations: list[Station]
    station: Station | None
    total: Total
    by_station: list[StationLine]
    by_day: list[DayLine]
    rows: int
    bars: Bars | None
    levels: list[str]
    unit: str
    measures: list[tuple[str, str, bool]]
    csv: str
    xlsx: str


async def show(request: web.Request) -> web.Response:
    """`GET /reports?preset=` or `?from=&to=`, with `station=` and `show=`; without anything, this month."""
    console, fmt, asked = request.app[CONSOLE], formats_of(request), _asked(request)
    today = today_of(console.clock(), console.site.zone)
    found = await console.store.read(_found, asked)
    by_day = _by_day(found.days, fmt)
    bars = _bars(found.days, asked, fmt)
    level_words = charts.level_words(bars.chart.levels, _step(asked.measure, fmt), fmt) if bars else []
    earlier, later = asked.span.moved(-1), asked.span.moved(1)
    page = ReportPage(
        asked=asked,
        title=span_written(asked.span, fmt),
        presets=[(_(word), _address(request, preset=name), asked.preset == name) for name, word in PRESETS.items()],
        earlier=_address(request, first=earlier.first, last=earlier.last),
        later=_address(request, first=later.first, last=later.last) if later.first <= today else "",
        stations=found.stations,
        station=found.station,
        total=_total(found.days),
        by_station=_by_station(found.days),
        by_day=by_day,
        rows=len(found.days),
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
    found = await console.store.read(_found, asked)
    currency = currency_of(request).code
    total = _total(found.days)
    table = Table(
        name=f"report-{asked.span.first}-{asked.span.last}",
        title=_("Report"),
        columns=(
            Column(_("Day"), Kind.DAY),
            Column(_("Station")),
            Column(_("Identity")),
            Column(_("Working time"), Kind.DURATION),
            Column(_("Energy (kWh)"), Kind.ENERGY),
            Column(_("Fee ({currency})").format(currency=currency), Kind.MONEY),
            Column(_("Ended sessions, by the day they began"), Kind.COUNT),
        ),
        rows=_rows(found.days),
        totals=(None, _("Total"), None, total.working_s, total.energy_wh, total.fees_minor, total.sessions),
    )
    return await exports.send(request, table, request.match_info["ending"], fmt)


def _asked(request: web.Request) -> Asked:
    console, given = request.app[CONSOLE], request.query
    today = today_of(console.clock(), console.site.zone)
    first, last = read_day(given.get("from", "")), read_day(given.get("to", ""))
    if first or last:
        span = ordered(first or last or today, last or first or today)
        presets = [name for name in PRESETS if span_of_preset(name, today) == span]
        preset = presets[0] if presets else ""
    else:
        preset = given.get("preset", "") if given.get("preset", "") in PRESETS else "month"
        span = span_of_preset(preset, today) or Span(today, today)
    measure = given.get("show", "")
    return Asked(span, preset, given.get("station", "")[:255], measure if measure in MEASURES else "energy")


def _found(db: Readable, asked: Asked) -> Found:
    station = stations.by_identity(db, asked.station) if asked.station else None
    number = int(station.id) if station is not None else None
    return Found(
        reports.station_days(db, asked.span.first, asked.span.last, number), stations.all_stations(db), station
    )


def _total(days: Sequence[StationDay]) -> Total:
    return Total(
        sum(row.working_s for row in days),
        sum(row.energy_wh for row in days),
        sum(row.fees_minor for row in days),
        sum(row.sessions for row in days),
    )


def _by_station(days: Sequence[StationDay]) -> list[StationLine]:
    rows: dict[int, list[StationDay]] = {}
    for row in days:
        rows.setdefault(row.station_id, []).append(row)
    lines = [StationLine(of[0].identity, of[0].name, _total(of)) for of in rows.values()]
    return sorted(lines, key=lambda line: line.name.casefold())


def _by_day(days: Sequence[StationDay], fmt: Formats) -> list[DayLine]:
    grouped = [(day, list(rows)) for day, rows in groupby(days, key=lambda row: row.day)]
    return [DayLine(day, written(day, fmt, "EEE d MMM"), rows, _total(rows)) for day, rows in grouped]


def _bars(days: Sequence[StationDay], asked: Asked, fmt: Formats) -> Bars | None:
    """A bar for each day of the span, or for each month of a long one; one part for each station."""
    by_month = asked.span.days > CHART_DAYS_MAX
    places = asked.span.every()
    if by_month:
        places = sorted({day[:7] for day in places})
    index = {place: number for number, place in enumerate(places)}
    values: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for row in days:
        names[row.station_id] = row.name
        of_station = values.setdefault(row.station_id, [0] * len(places))
        of_station[index[row.day[:7] if by_month else row.day]] += _measured(row, asked.measure)
    whole = [f"{place}-01" if by_month else place for place in places]
    labels = [written(day, fmt, "MMM yy" if by_month else "d") for day in whole]
    if len(places) == 1:
        labels = [written(whole[0], fmt)]
    long_form = "MMMM yyyy" if by_month else "d MMM"
    captions = [
        [f"{names[station]}, {written(day, fmt, long_form)}: {_exact(value, asked.measure, fmt)}" for day, value in zip(whole, numbers, strict=True)]
        for station, numbers in values.items()
    ]  # fmt: skip
    series = [Series(names[station], tuple(numbers)) for station, numbers in values.items()]
    step = _step(asked.measure, fmt)
    title = _("{measure} by day and station").format(measure=_(MEASURES[asked.measure]))
    return charts.stacked_bars(labels, series, title, _("Others"), captions=captions, step=step)


def _measured(row: StationDay, measure: str) -> int:
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


def _address(request: web.Request, *, preset: str = "", first: str = "", last: str = "") -> str:
    """The same report for other days."""
    return query(request, **{"preset": preset, "from": first, "to": last})


def _file(request: web.Request, asked: Asked, ending: str) -> str:
    """The file of just these days, whatever day it is when somebody opens the link."""
    parameters = query(request, **{"preset": "", "show": "", "from": asked.span.first, "to": asked.span.last})
    return f"/reports.{ending}?{parameters.partition('?')[2]}"


async def _rows(days: Sequence[StationDay]) -> AsyncIterator[Sequence[exports.Row]]:
    yield [
        (row.day, row.name, row.identity, row.working_s, row.energy_wh, row.fees_minor, row.sessions) for row in days
    ]


PAGE = Page(routes=[web.get("/reports", show), web.get("/reports.{ending}", export)])
