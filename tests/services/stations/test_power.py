"""How much a connector can give: who is believed, and what follows from it."""

from __future__ import annotations

import pytest

from appliance.db import audit
from appliance.domain.errors import Invalid, NotFound
from appliance.domain.events import MeterRead
from appliance.domain.meter import Reading
from appliance.services import settings
from appliance.services.sessions import metering
from appliance.services.stations import power
from tests.support.books import Books

CARD = "04A1B2C3"


def test_staff_are_believed_first_then_the_station_then_what_holds_for_all(books: Books) -> None:
    station = books.station()
    assert power.greatest_w(books.db, station, 1) == 400_000
    settings.change(books.db, "power_max_kw", "100")
    assert power.greatest_w(books.db, station, 1) == 100_000
    power.learn(books.db, station, 50_000, books.now_ms)
    assert [power.greatest_w(books.db, station, evse) for evse in (1, 2)] == [55_000, 55_000]
    power.say(books.db, station, 1, 7_400, books.by)

    assert [power.greatest_w(books.db, station, evse) for evse in (1, 2)] == [7_400, 55_000]
    power.say(books.db, station, 1, 0, books.by)
    assert power.greatest_w(books.db, station, 1) == 55_000
    books.db.flush()
    actions = [(row.action, row.details) for row in audit.page(books.db, limit=10) if row.action == "station.power"]
    assert len(actions) == 2


def test_what_is_offered_for_the_moment_only_raises_it(books: Books) -> None:
    station = books.station()
    for offered_w, changes, known_w in [
        (4_000, True, 22_000),
        (7_000, False, 22_000),
        (100_000, True, 110_000),
        (9_999_999, False, 110_000),
    ]:
        assert power.offered(books.db, station, 1, offered_w, books.now_ms) is changes
        assert power.greatest_w(books.db, station, 1) == known_w
    assert power.greatest_w(books.db, station, 2) == 400_000


def test_what_no_charger_gives_is_refused(books: Books) -> None:
    station = books.station()
    for power_w in (7, 999, 4_000_001):
        with pytest.raises(Invalid):
            power.say(books.db, station, 1, power_w, books.by)
    with pytest.raises(NotFound):
        power.say(books.db, station, 3, 22_000, books.by)


def test_a_session_that_runs_is_read_by_the_new_power(books: Books) -> None:
    """10 kWh in ten minutes are too much for 22 kW, whether staff say so or the station offers no more."""
    books.tariff()
    station = books.station()
    books.card(CARD, books.person(paid_in=90_000), transactions_max=3)
    by_staff, by_offer, by_nobody = (books.start(station, evse, CARD, meter_wh=0).ref for evse in (1, 2, 3))
    books.wait(600)
    power.say(books.db, station, 1, 22_000, books.by)
    offer = Reading(books.now_ms, energy_wh=100, offered_w=11_000)
    metering.meter_read(books.db, station, MeterRead(by_offer, 2, (offer,), books.now_ms))
    for session in (by_staff, by_offer, by_nobody):
        books.stop(station, session, 10_000)

    assert [books.session(one)["state"] for one in (by_staff, by_offer, by_nobody)] == ["review", "review", "ended"]
