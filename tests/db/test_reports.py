"""The sums by day and month are those of their sessions, whatever happens to a bill."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from pathlib import Path

import pytest

from appliance.db import reports
from appliance.db.engine.migrate import apply, migrations
from appliance.db.reports import StationSums, Total
from tests.support.books import Books

CARD = "04A1B2C3"
DAY_S = 86_400
SPANS = (
    ("2025-11-23", "2026-03-02"), ("2025-12-31", "2026-01-01"), ("2026-01-05", "2026-01-20"), ("2020-01-01", "2030-12-31"),
    ("2026-02-01", "2026-02-28"), ("2025-11-25", "2026-02-10"),
)  # fmt: skip


def a_winter(books: Books) -> None:
    """A session on each third day of four months, many of them over midnight, at two stations."""
    books.tariff()
    rahima = books.person(paid_in=10_000_000)
    books.card(CARD, rahima)
    stations = [books.station(f"CS-{number}") for number in (1, 2)]
    for number in range(40):
        station = stations[number % 2]
        session = books.start(station, 1, CARD, meter_wh=0).ref
        books.wait(3_600 * (number % 20))
        books.stop(station, session, 1_000 + number)
        books.wait(3 * DAY_S - 3_600 * (number % 20))
    books.db.flush()


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("station", [None, 2])
def test_months_are_the_sums_of_their_days(books: Books, span: tuple[str, str], station: int | None) -> None:
    a_winter(books)
    days, months = reports.station_days(books.db, *span, station), reports.station_months(books.db, *span, station)

    expected: dict[tuple[str, int], list[StationSums]] = defaultdict(list)
    for day in days:
        expected[day.day[:7], day.station_id].append(day)
    assert {(one.month, one.station_id): total_of([one]) for one in months} == {
        key: total_of(rows) for key, rows in expected.items()
    }
    assert [one.month for one in months] == sorted(one.month for one in months)
    assert reports.total(books.db, *span, station) == total_of(days)


def total_of(rows: list[StationSums] | list[reports.StationDay] | list[reports.StationMonth]) -> Total:
    """Their sums."""
    return Total(
        sum(row.working_s for row in rows),
        sum(row.energy_wh for row in rows),
        sum(row.fees_minor for row in rows),
        sum(row.sessions for row in rows),
    )


def test_a_bill_that_is_corrected_takes_its_days_out_of_the_sums(books: Books) -> None:
    books.tariff()
    station, rahima = books.station(), books.person(paid_in=100_000)
    books.card(CARD, rahima)
    forgotten = books.start(station, 1, CARD, meter_wh=0).ref
    books.wait(30 * 3_600)
    books.read(station, forgotten, 4_000)
    books.start(station, 1, CARD, meter_wh=5_000)  # The station has lost the stop of the first: it is estimated.
    books.wait(60)
    books.stop(station, forgotten, 4_800)

    assert books.wrong() == []
    row = books.session(forgotten)
    assert (row["estimated"], row["energy_wh"]) == (0, 4_800)
    assert reports.total(books.db, "2025-11-01", "2025-12-31") == Total(row["duration_s"], 4_800, row["fee_minor"], 1)


@pytest.mark.parametrize(
    ("change", "day"),
    [
        ("UPDATE station_day SET fee_minor = fee_minor + 1 WHERE day = '2025-11-23'", "2025-11-23"),
        ("DELETE FROM station_day WHERE day = '2025-11-23'", "2025-11-23"),
        ("UPDATE station_month SET sessions = sessions - 1 WHERE month = '2025-12' AND station_id = 1", "2025-12"),
        ("INSERT INTO station_month VALUES ('2031-01', 1, 0, 1, 0, 0)", "2031-01"),
        ("UPDATE holder_sum SET energy_wh = energy_wh - 1 WHERE person_id = 1", "person 1 on card 1"),
        ("DELETE FROM holder_sum WHERE card_id = 1", "person 1 on card 1"),
        ("INSERT INTO holder_sum VALUES (1, 0, 0, 0, 0, 1)", "person 1 on card 0"),
    ],
)
def test_a_sum_that_is_not_that_of_its_rows_is_found(books: Books, change: str, day: str) -> None:
    a_winter(books)
    assert reports.unequal_sums(books.db) == []

    books.db.execute(change)

    assert day in reports.unequal_sums(books.db)[0]


def test_sums_of_what_was_there_before_are_made_by_the_migration(books: Books, tmp_path: Path) -> None:
    a_winter(books)
    with sqlite3.connect(tmp_path / "old.db", isolation_level=None) as old:
        scripts = dict(migrations())
        for number in range(1, 4):
            if number in scripts:
                apply(old, number, scripts[number])
        old.execute("PRAGMA foreign_keys = OFF")
        old.executemany(
            "INSERT INTO session_day VALUES (?, ?, ?, ?, ?, ?, ?)",
            books.db.execute("SELECT * FROM session_day").fetchall(),
        )
        apply(old, 4, scripts[4])
        sums = [
            old.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ("station_day", "station_month")
        ]
    old.close()

    assert reports.unequal_sums(books.db) == []
    assert sums == [
        books.db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in ("station_day", "station_month")
    ]
