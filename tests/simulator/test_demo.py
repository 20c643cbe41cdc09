"""Simulated cars that come and go at the demo site."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from appliance.demo.traffic import DemoStation, DemoTraffic, Rhythm
from tests.simulator.central_system import CentralSystem

QUICK = Rhythm(empty_s=(0.0, 0.1), card_s=(0.0, 0.0), charge_s=(0.2, 0.6), linger_s=(0.0, 0.1))
PATIENCE_S = 20.0
STATIONS = (DemoStation("CS-1"), DemoStation("CS-2", power_w=22_000, connectors=2), DemoStation("CS-3", meter_wh=5000))


async def test_cars_come_and_go_with_one_card_at_one_place_at_a_time(system: CentralSystem) -> None:
    cards = ["04AABBCC", "04DDEEFF"]
    system.answers["Authorize"] = lambda asked: {
        "idTagInfo": {"status": "Accepted" if asked["idTag"] in cards else "Invalid"}
    }
    traffic = DemoTraffic(system.url, STATIONS, cards, rhythm=QUICK, seed=3)
    task = asyncio.create_task(traffic.run())
    try:
        await system.expect("StopTransaction", 6)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    open_: Counter[str] = Counter()
    began: dict[int, str] = {}
    for each in system.received:
        if each.action == "StartTransaction":
            card = each.payload["idTag"]
            began[len(began) + 1] = card
            open_[card] += 1
            assert open_[card] == 1
        elif each.action == "StopTransaction":
            open_[began[each.payload["transactionId"]]] -= 1
    assert {each["chargePointSerialNumber"] for each in system.found("BootNotification")} == {"CS-1", "CS-2", "CS-3"}


async def test_visits_go_on_after_the_server_was_away(system: CentralSystem) -> None:
    traffic = DemoTraffic(system.url, STATIONS[:1], ["04AABBCC"], rhythm=QUICK, seed=3)
    task = asyncio.create_task(traffic.run())
    try:
        await system.expect("StopTransaction")
        await system.drop()
        await system.expect("StopTransaction", len(system.found("StopTransaction")) + 2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert len(system.found("BootNotification")) == 1


DRIVERS_CARD = "04C0FFEE"


@pytest.fixture(name="traffic")
async def _traffic(system: CentralSystem) -> AsyncIterator[DemoTraffic]:
    """Stations that are registered; no car comes by itself."""
    stations = (DemoStation("CS-1", connectors=2, kept_free=2),)
    traffic = DemoTraffic(system.url, stations, [], rhythm=QUICK, seed=3)
    task = asyncio.create_task(traffic.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await traffic.charge_points[0].registered.wait()
        yield traffic
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def state(traffic: DemoTraffic, evse: int = 1) -> tuple[str, str]:
    """What a driver sees of a place: its state and its display."""
    place = traffic.connectors()[evse - 1]
    return place.state, place.said


async def test_a_driver_charges_with_a_card_and_stops_with_the_same(
    system: CentralSystem, traffic: DemoTraffic
) -> None:
    assert state(traffic) == ("free", "")
    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "Accepted"
    assert state(traffic) == ("yours", "Accepted")
    assert state(traffic, 2) == ("free", "")
    assert system.found("StartTransaction")[0]["idTag"] == DRIVERS_CARD

    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "Stopped"
    assert state(traffic) == ("free", "Stopped")
    assert system.found("StopTransaction")[0]["idTag"] == DRIVERS_CARD


async def test_another_card_does_not_end_what_a_driver_began(system: CentralSystem, traffic: DemoTraffic) -> None:
    await traffic.hold(DRIVERS_CARD, "CS-1", 1)

    assert await traffic.hold("04AABBCC", "CS-1", 1) == "Occupied"
    assert state(traffic) == ("yours", "Occupied")
    assert system.found("StopTransaction") == []


async def test_a_card_that_is_refused_leaves_the_place_free(system: CentralSystem, traffic: DemoTraffic) -> None:
    system.answers["Authorize"] = lambda _: {"idTagInfo": {"status": "Blocked"}}

    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "Blocked"
    assert state(traffic) == ("free", "Blocked")
    assert system.found("StartTransaction") == []


async def test_a_card_that_is_refused_as_it_begins_is_told_so(system: CentralSystem, traffic: DemoTraffic) -> None:
    system.answers["StartTransaction"] = lambda _: {"transactionId": 9, "idTagInfo": {"status": "ConcurrentTx"}}

    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "ConcurrentTx"
    assert state(traffic) == ("free", "ConcurrentTx")


async def test_a_place_with_another_car_waiting_is_not_the_drivers(system: CentralSystem, traffic: DemoTraffic) -> None:
    traffic.charge_points[0].charger.plug_in(1)

    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "Occupied"
    assert system.found("Authorize") == []


async def test_without_a_connection_nothing_is_begun(system: CentralSystem, traffic: DemoTraffic) -> None:
    traffic.charge_points[0].registered.clear()

    assert await traffic.hold(DRIVERS_CARD, "CS-1", 1) == "offline"
    assert state(traffic) == ("offline", "offline")


async def test_there_is_nothing_to_hold_a_card_to_where_no_place_is(traffic: DemoTraffic) -> None:
    with pytest.raises(KeyError):
        await traffic.hold(DRIVERS_CARD, "CS-1", 3)


async def test_a_car_comes_to_a_place_kept_for_drivers_when_it_is_started_from_afar_and_goes_at_the_end(
    system: CentralSystem, traffic: DemoTraffic
) -> None:
    answer = await system.call("RemoteStartTransaction", {"idTag": DRIVERS_CARD, "connectorId": 2})
    assert answer == {"status": "Accepted"}
    charge_point = traffic.charge_points[0]
    async with asyncio.timeout(PATIENCE_S):
        await charge_point.until(lambda: charge_point.charger.transaction(1) is not None)
    await system.call("RemoteStopTransaction", {"transactionId": 1})
    await system.expect("StopTransaction")

    async with asyncio.timeout(PATIENCE_S):
        await charge_point.until(lambda: state(traffic, 2)[0] == "free")


async def test_a_charge_that_the_server_ends_is_over_on_the_display_and_the_car_goes(
    system: CentralSystem, traffic: DemoTraffic
) -> None:
    await traffic.hold(DRIVERS_CARD, "CS-1", 1)
    await system.call("RemoteStopTransaction", {"transactionId": 1})
    await system.expect("StopTransaction")

    async with asyncio.timeout(PATIENCE_S):
        await traffic.charge_points[0].until(lambda: state(traffic) == ("free", "Stopped"))
