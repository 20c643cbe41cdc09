"""The report of a large site over a long time: a page that a phone can load, in whatever order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from appliance.db.engine.unit import Database
from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.services.stations import admission
from tests.ui.console_fixture import BY, ConsoleFixture

PAGE_BYTES_MAX = 500_000
"""Before it is compressed."""
STATIONS = 200
FIRST, LAST = date(2024, 12, 1), date(2026, 11, 30)


def two_years(db: Database) -> None:
    """Two hundred chargers, each of which charges somebody every day; the sums alone, from which reports are read."""
    stations = [admission.register(db, f"BIG-{number:03}", f"Zone {number}", 0, None, BY) for number in range(STATIONS)]
    days = [FIRST + timedelta(days) for days in range((LAST - FIRST).days + 1)]
    for table, time, when in (
        ("station_day", "day", [str(day) for day in days]),
        ("station_month", "month", sorted({str(day)[:7] for day in days})),
    ):
        db.execute(
            f"""INSERT INTO {table} ({time}, station_id, working_s, energy_wh, fee_minor, sessions)
            SELECT moment.value, station.value, 40000 + station.value, 90000 + station.value * 7, 200000 + station.value * 11, 7
            FROM json_each(?) AS moment, json_each(?) AS station WHERE TRUE ON CONFLICT DO NOTHING""",
            (_json(when), _json([int(StationId(one)) for one in stations])),
        )


def _json(values: list[str] | list[int]) -> str:
    return str(values).replace("'", '"')


@pytest.mark.parametrize(
    "span", [f"from={FIRST}&to={LAST}", "from=2026-10-01&to=2026-11-30", "preset=month", "preset=today"]
)
async def test_a_report_of_a_large_site_is_a_page_and_no_book(served: ConsoleFixture, span: str) -> None:
    client = await served.logged_in(Role.OWNER)
    await served.store.write(two_years)
    sizes = {}
    for more in ("", "&sort=-fees", "&sort=energy", "&sort=-first"):
        async with client.get(f"/reports?{span}{more}") as answer:
            html = await answer.text()
        sizes[more] = len(html.encode())
        assert html.count(">Zone ") >= STATIONS
    print(sizes)  # noqa: T201 - how much room there is.

    assert max(sizes.values()) < PAGE_BYTES_MAX
