"""Reports, for programs."""

from __future__ import annotations

from datetime import date

from appliance.db import reports
from appliance.db.engine.protocols import Readable
from appliance.db.reports import StationDay, Total
from appliance.domain.errors import Invalid
from appliance.domain.identifiers import IDENTITY_CHARS_MAX
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
    currency=CURRENCY,
)


TOTAL = thing(working_s=whole(), energy_wh=WATT_HOURS, fees_minor=money(), sessions=whole())


async def station_days(call: Call) -> Answer:
    """`GET /reports/stations`. Without `limit` the whole report, because a report that ends in the middle is none."""
    first, last = day_of("from", call.query["from"]), day_of("to", call.query["to"])
    if not 0 <= (date.fromisoformat(last) - date.fromisoformat(first)).days < DAYS_MAX:
        raise Invalid("to", "A report is about 1 to {most} days.", most=DAYS_MAX)
    station = (await station_named(call, call.query["station"])).id if "station" in call.query else None
    rows, total = await call.console.store.read(_report, first, last, station)
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
        },
        currency=call.currency,
    )
    # The same list under the name that every list has, and under the one that a report has.
    return Answer({**page.body, "rows": page.body["items"]})


def _report(db: Readable, first: str, last: str, station: int | None) -> tuple[list[StationDay], Total]:
    return reports.station_days(db, first, last, station), reports.total(db, first, last, station)


def _station_day(call: Call, row: StationDay) -> Body:
    return {
        "day": row.day,
        "station": row.identity,
        "station_name": row.name,
        "working_s": row.working_s,
        "energy_wh": row.energy_wh,
        "fees_minor": row.fees_minor,
        "sessions": row.sessions,
        "currency": call.currency,
    }


OPERATIONS = (
    Operation(
        "GET", "/reports/stations", "Each station's days: working time, energy, fees", station_days, STATION_DAY,
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
