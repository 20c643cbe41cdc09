"""Reports about chargers, connectors, people, groups, tariffs, staff and ways of paying, for programs: one shape for all."""

from __future__ import annotations

from datetime import date

from appliance.db.report_lines import By
from appliance.domain.errors import Invalid
from appliance.services import reports
from appliance.services.reports import Line
from appliance.ui.api.checks import Parameter, day_of
from appliance.ui.api.operations import LIMIT_MAX, PAGING, Answer, Body, Call, Function, Operation, listed
from appliance.ui.api.shapes import CURRENCY, choice, day, money, or_null, record, whole, words

DAYS_MAX = 366
CHARGED = ("working_s", "charging_s", "occupied_s", "energy_wh", "fees_minor", "sessions")
TAKEN = ("taken_minor", "given_back_minor", "receipts")

REPORT_LINE = record(
    "ReportLine",
    day=or_null(day("null: all days together.")),
    key=words("What it is known by: `CS-07/2`, a number, `operator:3`, `cash`. Empty: nobody's, or no tariff."),
    name=words(),
    working_s=or_null(whole("How long transactions took on these days, in sessions that have ended.")),
    charging_s=or_null(whole("Of that: the car was not full.")),
    occupied_s=or_null(whole("The same, and how long cars stood there after it.")),
    capacity_s=or_null(
        whole("How long its places could have been taken, as far as the days have passed. null: it has none.")
    ),
    energy_wh=or_null(whole("Watt-hours.")),
    fees_minor=or_null(money("Net and tax.")),
    sessions=or_null(whole("How many that began on these days have ended.")),
    failed_starts=or_null(whole("Starts that were asked for, and came to nothing.")),
    taken_minor=or_null(money("By receipts.")),
    given_back_minor=or_null(money("By receipts.")),
    receipts=or_null(whole()),
    currency=CURRENCY,
)

SUMMARIES = {
    By.CONNECTORS: "Each connector: working time, energy, fees, how much of the time it was taken",
    By.PEOPLE: "Each person: sessions, energy, fees",
    By.GROUPS: "Each group: sessions, energy, fees",
    By.TARIFFS: "Each tariff: sessions, energy, fees",
    By.OPERATORS: "Each of the staff: what they took, and the sessions that they began",
    reports.METHODS: "Each way of paying: what was taken and given back",
}


async def lines(call: Call, about: str) -> Answer:
    """`GET /reports/connectors?from=&to=&per=day`. Without `limit` the whole report, because a report that ends in the middle is none."""
    first, last = day_of("from", call.query["from"]), day_of("to", call.query["to"])
    if not 0 <= (date.fromisoformat(last) - date.fromisoformat(first)).days < DAYS_MAX:
        raise Invalid("to", "A report is about 1 to {most} days.", most=DAYS_MAX)
    found = await call.console.store.read(
        reports.report, about, first, last, call.console.site.zone, call.now_ms, per_day=call.query.get("per") == "day"
    )
    begin = call.after
    limit = int(call.query.get("limit") or max(1, len(found)))
    numbered = list(enumerate(found[begin : begin + limit + 1], begin + 1))
    return listed(numbered, limit, lambda row: _as_json(call, row[1]), lambda row: row[0], currency=call.currency)


def _as_json(call: Call, line: Line) -> Body:
    charged = {name: getattr(line.charged, name) if line.charged is not None else None for name in CHARGED}
    taken = {name: getattr(line.taken, name) if line.taken is not None else None for name in TAKEN}
    return {
        "day": line.day or None,
        "key": line.key,
        "name": line.name,
        **charged,
        "capacity_s": line.capacity_s,
        "failed_starts": line.charged.failed if line.charged is not None else None,
        **taken,
        "currency": call.currency,
    }


def _report_on(about: str) -> Function:
    """The function of one of them; by its name the document calls the operation."""

    async def answer(call: Call) -> Answer:
        return await lines(call, about)

    answer.__name__ = f"report_on_{about}"
    return answer


OPERATIONS = tuple(
    Operation(
        "GET", f"/reports/{about}", summary, _report_on(about), REPORT_LINE,
        query=(
            Parameter("from", day("The first day."), required=True),
            Parameter("to", day(f"The last day, at most {DAYS_MAX} days in all."), required=True),
            Parameter("per", choice("span", "day", description="day: a line for each day, too.")),
            Parameter("limit", whole("How many rows at most; all if left out.", least=1, most=LIMIT_MAX)),
            PAGING[1],
        ),
        listed=True,
        beside={"currency": CURRENCY},
    )
    for about, summary in SUMMARIES.items()
)  # fmt: skip
