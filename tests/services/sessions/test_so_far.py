"""A running session by lines is priced reading by reading, and to the same amount as if all of it were priced anew."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from appliance.domain.events import MeterRead, StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.meter import Reading
from appliance.domain.pricing.lines import Terms
from appliance.domain.session import bill_for, usage_until
from appliance.services.sessions import courses, metering
from appliance.services.stations import status as status_units
from tests.services.sessions.test_lines import BANDS, random_tariff, with_lines
from tests.support.books import Books, open_books
from tests.support.price_lines import line, terms
from tests.support.statuses import status_changed

UID = "04A1B2C3"
BY_STATE = terms(
    line("energy", 1_000),
    line("charging_time", 100),
    line("idle_time", 10_000),
    line("duration", 1),
    gaps_are_free=True,
)
"""Ten taka a kilowatt-hour; a taka a minute while energy flows, a hundred while the car is full, a paisa whatever happens."""


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return open_books(tmp_path / "forecourt.db")


def begin(books: Books, tariff: Terms) -> tuple[StationId, int]:
    with_lines(books, tariff)
    station = books.station()
    books.card(UID, books.person(paid_in=10_000_000))
    return station, books.start(station, 1, UID).ref


def agrees(books: Books, ref: int) -> None:
    """What is shown, and what is reckoned now and in a while, is what the whole of it costs."""
    running = books.running(ref)
    assert running is not None
    for until_ms in (running.measured_at_ms, books.now_ms, books.now_ms + 90_000):
        usage = usage_until(running, until_ms)
        whole = bill_for(courses.with_course(books.db, running, usage, until_ms), running.tariff)
        assert courses.bill_until(books.db, running, until_ms) == whole, until_ms
    measured = usage_until(running, running.measured_at_ms)
    whole = bill_for(courses.with_course(books.db, running, measured, running.measured_at_ms), running.tariff)
    if running.progress is not None and running.so_far_minor is not None:
        assert running.so_far_minor == whole.total_minor


STATES = ("Charging", "Charging", "SuspendedEV", "SuspendedEVSE", "SuspendedEVSE")


def happens(books: Books, chance: Random, station: StationId, ref: int, meter_wh: int) -> int:
    """A reading, several of them, a late one, one that stands still or goes back, or a status, told late or in time."""
    what = chance.random()
    books.wait(chance.choice([0, 1, 60, 60, 900, 7_200]))
    if what < 0.3:
        at_ms = books.now_ms - chance.choice([0, 0, 0, 30_000, 3_000_000])
        changed = status_changed(1, chance.choice(STATES), at_ms, books.now_ms)
        assert isinstance(changed, StatusChanged)
        status_units.status_changed(books.db, station, changed)
        return meter_wh
    readings = []
    for back_s in sorted((chance.choice([0, 0, 1, 20, 600]) for _ in range(chance.choice([1, 1, 1, 3]))), reverse=True):
        shown_wh = chance.choice([meter_wh, meter_wh, meter_wh + 7, meter_wh + 250, meter_wh + 2_000, meter_wh - 30])
        meter_wh = max(meter_wh, shown_wh)
        readings.append(Reading(books.now_ms - back_s * 1000, shown_wh, chance.choice([None, 7_000])))
    metering.meter_read(books.db, station, MeterRead(ref, 1, readings, books.now_ms))
    return meter_wh


@pytest.mark.parametrize("seed", range(60))
def test_what_is_added_reading_by_reading_is_what_the_whole_costs(books: Books, seed: int) -> None:
    chance = Random(seed)
    station, ref = begin(books, chance.choice([BANDS, BY_STATE, random_tariff(chance)]))
    meter_wh = 1_000
    for _ in range(25):
        meter_wh = happens(books, chance, station, ref, meter_wh)
        if books.running(ref) is None or books.session(ref)["stop_wanted"]:
            break
        agrees(books, ref)
        if chance.random() < 0.05:
            books.db.flush()
            books.db.forget()
            agrees(books, ref)


def test_each_reading_goes_on_from_the_one_before(books: Books) -> None:
    station, ref = begin(books, BANDS)
    books.wait(60)
    books.read(station, ref, 1_100)
    running = books.running(ref)
    assert running is not None
    so_far = running.so_far
    assert so_far is not None
    for minute in range(1, 30):
        books.wait(60)
        if minute == 10:
            books.status(station, 1, "SuspendedEVSE")
        books.read(station, ref, 1_100 + minute * 100)
    assert running.so_far is so_far
    agrees(books, ref)


def test_pause_of_the_charger_costs_its_duration_alone(books: Books) -> None:
    station, ref = begin(books, BY_STATE)
    books.status(station, 1, "Charging")
    books.wait(600)
    books.read(station, ref, 2_000)
    books.status(station, 1, "SuspendedEVSE")
    books.wait(1_200)
    books.status(station, 1, "Charging")
    books.wait(600)
    books.stop(station, ref, 3_000)
    # 2 kWh, 20 of 40 minutes charging, no idle minute, 40 minutes of duration.
    assert books.session(ref)["fee_minor"] == 2_000 + 2_000 + 0 + 40
    assert books.db.execute("SELECT count(*) FROM pause_span").fetchone() == (1,)


def test_pause_that_is_still_there_at_the_end_ends_with_the_session_and_outlives_a_restart(books: Books) -> None:
    station, ref = begin(books, BY_STATE)
    books.wait(600)
    books.read(station, ref, 2_000)
    books.status(station, 1, "SuspendedEVSE")
    books.db.flush()
    books.db.forget()
    books.wait(600)
    books.stop(station, ref, 2_000)
    assert books.session(ref)["fee_minor"] == 1_000 + 1_000 + 20
    assert books.db.execute("SELECT end_at_ms FROM pause_span").fetchone() == (books.now_ms,)


def test_flat_prices_ask_for_no_pauses(books: Books) -> None:
    books.tariff(time=1_000_000)
    station = books.station()
    books.card(UID, books.person(paid_in=10_000_000))
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.status(station, 1, "SuspendedEVSE")
    books.wait(600)
    books.stop(station, ref, 2_000)
    assert books.session(ref)["fee_minor"] == 2_000 + 20 * 1_000
    assert books.db.execute("SELECT count(*) FROM pause_span").fetchone() == (0,)
