"""What is kept for a while only: the old goes, what is needed stays, and nobody waits for a search through everything."""

from __future__ import annotations

from appliance.db import housekeeping
from appliance.db.stations import message_log
from tests.support.books import NOON_MS, Books

CARD = "04A1B2C3"
DAY_MS = 86_400_000


def test_old_messages_go_and_new_ones_stay(books: Books) -> None:
    station = books.station()
    for day in range(10):
        message_log.record(books.db, (station, NOON_MS + day * DAY_MS, "in", "Heartbeat", "{}", "{}", None))
    books.db.flush()

    assert housekeeping.forget_messages(books.db, NOON_MS + 4 * DAY_MS) == 4
    assert housekeeping.forget_messages(books.db, NOON_MS + 4 * DAY_MS) == 0
    assert books.db.execute("SELECT count(*), min(at_ms) FROM message_log").fetchone() == (6, NOON_MS + 4 * DAY_MS)


def test_only_the_oldest_messages_are_looked_at(books: Books) -> None:
    """A search through the whole log would hold up every charger for as long as the disk takes."""
    station = books.station()
    for _ in range(20_000):
        message_log.record(books.db, (station, NOON_MS, "in", "Heartbeat", "{}", "{}", None))
    books.db.flush()
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    books.db.set_progress_handler(step, 100)
    housekeeping.forget_messages(books.db, NOON_MS)

    assert steps * 100 < 20 * housekeeping.ROWS_AT_ONCE


def test_readings_of_a_session_that_runs_are_kept_however_old(books: Books) -> None:
    books.tariff()
    station, rahima, jamal = books.station(), books.person(paid_in=50_000), books.person("Jamal", paid_in=50_000)
    books.card(CARD, rahima)
    books.card("04D4E5F6", jamal)
    running = books.start(station, 1, CARD, meter_wh=0).ref
    books.read(station, running, 1_000)
    over = books.start(station, 2, "04D4E5F6", meter_wh=0).ref
    books.read(station, over, 1_000)
    books.wait(60)
    books.stop(station, over, 2_000)
    books.db.flush()
    books.wait(10 * 86_400)

    housekeeping.forget_samples(books.db, books.now_ms)

    assert books.db.execute("SELECT DISTINCT session_id FROM sample").fetchall() == [(running,)]
