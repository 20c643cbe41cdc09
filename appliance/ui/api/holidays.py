"""The holidays of the site, by which lines of tariffs go."""

from __future__ import annotations

import asyncio

from appliance.db import holidays as rows
from appliance.db.holidays import Holiday
from appliance.services import holidays as units
from appliance.ui.api.checks import Parameter
from appliance.ui.api.operations import Answer, Call, Operation
from appliance.ui.api.shapes import day, form, record, several, text, thing, whole, words

HOLIDAYS = record("Holidays", days=several(thing(day=words("`2026-12-16`"), name=words())))
HOLIDAY = form("Holiday", ("day",), day=day(), name=text(units.NAME_CHARS_MAX))
NEW_HOLIDAYS = form(
    "NewHolidays", ("days",), days=several(HOLIDAY.schema) | {"maxItems": units.DAYS_MAX, "description": "All of them."}
)


async def show_holidays(call: Call) -> Answer:
    """`GET /holidays`."""
    return as_answer(await call.console.store.read(rows.current))


async def put_holidays(call: Call) -> Answer:
    """`PUT /holidays`: the whole list, for sessions that begin from now on."""
    days = [
        units.checked(one["day"], one.get("name", "").strip(), number)
        for number, one in enumerate(call.body["days"], 1)
    ]
    await call.console.store.write(units.change, days, call.by)
    return as_answer(await call.console.store.read(rows.current))


async def show_offered(call: Call) -> Answer:
    """`GET /holidays/offered`: nothing is stored."""
    query = call.query
    found = await asyncio.to_thread(units.offered, query["country"], query.get("subdivision", ""), query["year"])
    return as_answer(found)


def as_answer(days: list[Holiday]) -> Answer:
    """As JSON."""
    return Answer({"days": [{"day": one.day, "name": one.name} for one in days]})


OPERATIONS = (
    Operation("GET", "/holidays", "The holidays of the site", show_holidays, HOLIDAYS),
    Operation("PUT", "/holidays", "Set all holidays of the site", put_holidays, HOLIDAYS, takes=NEW_HOLIDAYS),
    Operation(
        "GET", "/holidays/offered", "The public holidays of a country in a year, which needs no internet", show_offered, HOLIDAYS,
        query=(
            Parameter("country", text(2, "ISO 3166: BD, DE.", least=2), required=True),
            Parameter("subdivision", text(10, "ISO 3166-2, without the country.")),
            Parameter("year", whole(least=units.YEARS[0], most=units.YEARS[-1]), required=True),
        ),
    ),
)  # fmt: skip
