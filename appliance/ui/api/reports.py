"""Reports, for programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from appliance.db import report_lines, reports
from appliance.db.engine.protocols import Readable
from appliance.db.report_lines import By
from appliance.db.reports import StationDay, Total
from appliance.db.stations import stations
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import IDENTITY_CHARS_MAX
from appliance.domain.order import natural
from appliance.services.reports import capacity_of
from appliance.ui.api.checks import Parameter, day_of
from appliance.ui.api.operations import LIMIT_MAX, PAGING, Answer, Body, Call, Operation, listed
from appliance.ui.api.shapes import (
    CURRENCY,
    WATT_HOURS,
    day,
    money,
    record,
    several,
    text,
    thing,
    whole,
    words,
)
from appliance.ui.api.stations.stations import station_named

DAYS_MAX = 366


STATION_DAY = record(
    "StationDay",
    day=day(),
    station=words("What the station calls itself."),
    station_name=words(),
    working_s=whole("How long it charged cars on this day, in sessions that have ended."),
    energy_wh=WATT_HOURS,
    fees_minor=money("Net and tax."),
    sessions=whole("How many that began on this day have ended."),
    failed_starts=whole("Starts that were asked for, and came to nothing."),
    capacity_s=whole("How long its connectors could have been taken on this day, as far as it has passed."),
    currency=CURRENCY,
)


TOTAL = thing(working_s=whole(), energy_wh=WATT_HOURS, fees_minor=money(), sessions=whole(), failed_starts=whole())


async def station_days(call: Call) -> Answer:
    """`GET /reports/stations`. Without `limit` the whole report, because a report that ends in the middle is none."""
    first, last = day_of("from", call.query["from"]), day_of("to", call.query["to"])
    if not 0 <= (date.fromisoformat(last) - date.fromisoformat(first)).days < DAYS_MAX:
        raise Invalid("to", "A report is about 1 to {most} days.", most=DAYS_MAX)
    station = (await station_named(call, call.query["station"])).id if "station" in call.query else None
    rows, total = await call.console.store.read(_report, first, last, station, call.console.site.zone, call.now_ms)
    begin = int(call.query.get("after", 0))
    limit = call.query.get("limit") or max(1, len(rows))
    numbered = list(enumerate(rows[begin : begin + limit + 1], begin + 1))
    page = listed(
        numbered,
        limit,
        lambda row: _station_day(call, row[1]),
        lambda row: row[0],
        total={
            "working_s": total.working_s,
            "energy_wh": total.energy_wh,
            "fees_minor": total.fees_minor,
            "sessions": total.sessions,
            "failed_starts": sum(row.failed for row in rows),
        },
        currency=call.currency,
    )
    # The same list under the name that every list has, and under the one that a report has.
    return Answer({**page.body, "rows": page.body["items"]})


@dataclass(frozen=True, slots=True)
class Row:
    """A day of a station, also one on which nothing but starts that failed happened."""

    day: StationDay
    failed: int
    capacity_s: int


def _report(
    db: Readable, first: str, last: str, station: int | None, zone: ZoneInfo, now_ms: int
) -> tuple[list[Row], Total]:
    days = {(one.day, one.station_id): one for one in reports.station_days(db, first, last, station)}
    failed = {
        (day, int(number)): times
        for (day, number), times in report_lines.failed(db, By.STATIONS, first, last, zone, per_day=True).items()
        if station in (None, int(number))
    }
    known, capacity = stations.names(db), capacity_of(db, zone, now_ms)
    for begun, number in failed.keys() - days.keys():
        days[begun, number] = StationDay(number, known[number].identity, known[number].name, 0, 0, 0, 0, begun)
    rows = [
        Row(one, failed.get(key, 0), capacity(one.station_id, (one.day, one.day), True)) for key, one in days.items()
    ]
    rows.sort(key=lambda row: (row.day.day, natural(row.day.name), row.day.station_id))
    return rows, reports.total(db, first, last, station)


def _station_day(call: Call, row: Row) -> Body:
    day = row.day
    return {
        "day": day.day,
        "station": day.identity,
        "station_name": day.name,
        "working_s": day.working_s,
        "energy_wh": day.energy_wh,
        "fees_minor": day.fees_minor,
        "sessions": day.sessions,
        "failed_starts": row.failed,
        "capacity_s": row.capacity_s,
        "currency": call.currency,
    }


OPERATIONS = (
    Operation(
        "GET", "/reports/stations", "Each station's days: working time, energy, fees, failed starts", station_days, STATION_DAY,
        query=(
            Parameter("from", day("The first day."), required=True),
            Parameter("to", day(f"The last day, at most {DAYS_MAX} days in all."), required=True),
            Parameter("station", text(IDENTITY_CHARS_MAX, "What the station calls itself.", least=1)),
            Parameter("limit", whole("How many rows at most; all if left out.", least=1, most=LIMIT_MAX)),
            PAGING[1],
        ),
        listed=True,
        beside={"total": TOTAL, "currency": CURRENCY, "rows": several(STATION_DAY.reference)},
    ),
)  # fmt: skip
