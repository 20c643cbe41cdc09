"""When the disk is nearly full: nobody new is let in, and what begins or ends all the same is recorded."""

from __future__ import annotations

import pytest

from appliance.db import disk as rows
from appliance.db.engine.unit import Database
from appliance.domain.authorization import AuthorizationStatus
from appliance.domain.errors import Refusal
from appliance.domain.events import MeterRead
from appliance.domain.identifiers import StationId
from appliance.domain.meter import Reading
from appliance.services import disk
from appliance.services.announce import SettingsChanged
from appliance.services.sessions import metering, start_requests, starting
from tests.support.books import Books

CARD, OTHER = "04A1B2C3", "04D4E5F6"


def fill_up(books: Books, short: bool = True) -> None:
    disk.tell(books.db, books.now_ms, short=short, free_mb=3, released=False)


def authorize(books: Books, station: StationId, card: str) -> AuthorizationStatus:
    return starting.authorize(books.db, station, card, books.now_ms).status


@pytest.fixture
def station(books: Books) -> int:
    books.tariff()
    books.card(CARD, books.person(paid_in=50_000))
    books.card(OTHER, books.person("Jamal", paid_in=50_000))
    return books.station()


def test_nobody_new_is_let_in_and_whoever_charges_can_stop(books: Books, station: StationId) -> None:
    books.start(station, 1, CARD)
    fill_up(books)

    assert authorize(books, station, OTHER) is AuthorizationStatus.NOT_AT_THIS_TIME
    assert authorize(books, station, "04FFFFFF") is AuthorizationStatus.NOT_AT_THIS_TIME
    assert authorize(books, station, CARD) is AuthorizationStatus.ACCEPTED
    assert books.db.execute("SELECT count(*) FROM unknown_tag").fetchone() == (0,)

    fill_up(books, short=False)
    assert authorize(books, station, OTHER) is AuthorizationStatus.ACCEPTED


def test_no_start_is_asked_for(books: Books, station: StationId) -> None:
    fill_up(books)
    with pytest.raises(Refusal, match="nearly full"):
        start_requests.request_start(books.db, station, 1, books.by, card=CARD)
    fill_up(books, short=False)

    assert start_requests.request_start(books.db, station, 1, books.by, card=CARD).held_minor > 0


def test_a_start_that_comes_all_the_same_is_recorded_measured_and_billed(books: Books, station: StationId) -> None:
    fill_up(books)
    started = books.start(station, 1, CARD, meter_wh=0)
    books.wait(600)
    reading = Reading(books.now_ms, energy_wh=500, others='[{"value":"1"}]')
    metering.meter_read(books.db, station, MeterRead(started.ref, 1, (reading,), books.now_ms))
    books.wait(600)
    books.stop(station, started.ref, 1_000)

    assert (books.session(started.ref)["state"], books.session(started.ref)["fee_minor"]) == ("ended", 2_000)
    assert books.db.execute("SELECT energy_wh, others FROM sample").fetchall() == [(500, None)]


def test_it_is_told_once_and_remembered_over_a_restart(books: Books) -> None:
    fill_up(books)
    fill_up(books)
    books.db.forget()

    assert rows.is_short(books.db)
    assert books.db.announcements.count(SettingsChanged()) == 1


def test_the_readings_of_one_session_have_a_bound(books: Books, station: StationId) -> None:
    started = books.start(station, 1, CARD, meter_wh=0)
    others = "x" * 16_000
    for number in range(600):
        reading = Reading(books.now_ms + number, energy_wh=number, others=others)
        metering.meter_read(books.db, station, MeterRead(started.ref, 1, (reading,), books.now_ms))
    books.db.flush()
    kept, chars = books.db.execute("SELECT count(*), sum(length(others)) FROM sample").fetchone()

    assert (kept, chars < 5 << 20) == (600, True)
    books.db.forget()
    again = Reading(books.now_ms + 700, energy_wh=700, others=others)
    metering.meter_read(books.db, station, MeterRead(started.ref, 1, (again,), books.now_ms))
    assert _chars(books.db) == chars


def _chars(db: Database) -> int:
    db.flush()
    return int(db.execute("SELECT sum(length(others)) FROM sample").fetchone()[0])
