"""Connectors that tell only whether they are occupied, while transactions tell whether energy flows, and EVSEs with two of them."""

from __future__ import annotations

from appliance.db import board, problems
from appliance.db.stations import stations as rows
from appliance.domain.events import ChargingStateChanged, StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.services.stations import qr_codes
from appliance.services.stations import status as status_units
from tests.support.books import Books

UID = "04A1B2C3"
CCS, CHADEMO = 1, 2
FREE, OCCUPIED, FAULTED = ConnectorStatus.AVAILABLE, ConnectorStatus.OCCUPIED, ConnectorStatus.FAULTED


def told(books: Books, station: StationId, status: ConnectorStatus, *, connector: int = CCS) -> None:
    """A status without a finer word, now."""
    event = StatusChanged(1, connector, status, "", "", books.now_ms, books.now_ms)
    status_units.status_changed(books.db, station, event)


def flows(books: Books, station: StationId, state: ChargingState) -> None:
    """The charging state of the transaction at EVSE 1, now."""
    event = ChargingStateChanged(1, state, books.now_ms, books.now_ms)
    status_units.charging_state_changed(books.db, station, event)


def connector(books: Books, station: StationId, number: int = CCS) -> tuple[str, str]:
    """What is kept of it."""
    books.db.flush()
    found = next(one for one in rows.connectors(books.db, station) if one.connector == number)
    return found.status, found.charging_state


def test_a_charging_state_stays_while_the_cable_is_in_and_goes_with_it(books: Books) -> None:
    station = books.station(evses=0)
    told(books, station, OCCUPIED)
    flows(books, station, ChargingState.SUSPENDED_EV)
    told(books, station, OCCUPIED)

    assert connector(books, station) == ("Occupied", "SuspendedEV")

    told(books, station, FREE)
    told(books, station, OCCUPIED)

    assert connector(books, station) == ("Occupied", "")


def test_a_car_that_is_full_is_idle_until_it_charges_again(books: Books) -> None:
    books.tariff(idle=60_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station(evses=0)
    told(books, station, OCCUPIED)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.read(station, ref, 3_000)
    flows(books, station, ChargingState.SUSPENDED_EV)
    books.wait(300)
    told(books, station, OCCUPIED)  # A connector that says so again says nothing of the car.
    books.wait(300)
    flows(books, station, ChargingState.CHARGING)
    books.wait(600)
    flows(books, station, ChargingState.SUSPENDED_EVSE)
    books.wait(600)
    books.stop(station, ref, 4_000)

    assert books.session(ref)["idle_s"] == 600


def test_a_car_that_waits_for_its_driver_is_not_idle_but_one_that_is_done_is(books: Books) -> None:
    books.tariff(idle=60_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station(evses=0)
    told(books, station, OCCUPIED)
    ref = books.start(station, 1, UID).ref
    flows(books, station, ChargingState.EV_CONNECTED)
    books.wait(600)
    books.read(station, ref, 3_000)
    flows(books, station, ChargingState.EV_CONNECTED)
    books.wait(120)
    books.stop(station, ref, 3_000)

    assert books.session(ref)["idle_s"] == 120


def test_a_parked_car_pays_until_the_cable_is_out(books: Books) -> None:
    books.tariff(idle=60_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station(evses=0)
    told(books, station, OCCUPIED)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.stop(station, ref, 2_000)
    before_minor = books.session(ref)["fee_minor"]
    assert board.parked(books.db, station).keys() == {(station, 1)}
    books.wait(600)
    told(books, station, FREE)

    assert books.session(ref)["idle_s"] == 600
    assert books.session(ref)["fee_minor"] > before_minor
    assert not board.parked(books.db, station)


def test_the_next_car_is_not_taken_for_the_one_that_left(books: Books) -> None:
    station = books.station(evses=0)
    told(books, station, OCCUPIED)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.stop(station, ref, 2_000)
    told(books, station, FREE)
    books.wait(600)
    told(books, station, OCCUPIED)
    books.db.flush()

    assert not board.parked(books.db, station)


def test_a_free_connector_beside_the_one_in_use_ends_no_parking(books: Books) -> None:
    books.tariff(idle=60_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station(evses=0)
    for number in (CCS, CHADEMO):
        told(books, station, FREE, connector=number)
    told(books, station, OCCUPIED, connector=CHADEMO)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.stop(station, ref, 2_000)
    told(books, station, FREE, connector=CCS)

    assert books.session(ref)["parked_since_ms"] is not None

    told(books, station, FREE, connector=CHADEMO)

    assert books.session(ref)["parked_since_ms"] is None


def test_a_free_connector_beside_the_one_in_use_ends_no_idle_time(books: Books) -> None:
    books.tariff(idle=60_000)
    books.card(UID, books.person(paid_in=100_000))
    station = books.station(evses=0)
    told(books, station, OCCUPIED, connector=CHADEMO)
    ref = books.start(station, 1, UID).ref
    books.wait(600)
    books.read(station, ref, 3_000)
    flows(books, station, ChargingState.SUSPENDED_EV)
    books.wait(300)
    told(books, station, FREE, connector=CCS)
    books.wait(300)
    books.stop(station, ref, 3_000)

    assert books.session(ref)["idle_s"] == 600


def test_each_connector_of_an_evse_has_a_fault_of_its_own(books: Books) -> None:
    station = books.station(evses=0)
    told(books, station, FAULTED, connector=CHADEMO)
    told(books, station, FREE, connector=CCS)
    books.db.flush()

    assert [one.subject for one in problems.open_problems(books.db)] == [f"station:{station}:1:2"]


def test_a_sticker_leads_to_the_evse_whichever_of_its_connectors_is_used(books: Books) -> None:
    station = books.station(evses=0)
    told(books, station, FREE, connector=CCS)
    books.db.flush()
    (code,) = qr_codes.codes(books.db, station).values()
    told(books, station, OCCUPIED, connector=CHADEMO)
    books.db.flush()
    place = qr_codes.find(books.db, code)

    assert qr_codes.codes(books.db, station) == {1: code}
    assert place is not None
    assert (place.evse, place.evses, place.status) == (1, 1, "Occupied")
    assert status_units.connector_in_use(books.db, station, 1) == CHADEMO
