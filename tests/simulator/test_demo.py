"""Simulated cars that come and go at the demo site."""

from __future__ import annotations

import asyncio
from collections import Counter

from appliance.simulator.demo import DemoDriver, DemoStation, Rhythm
from tests.simulator.central_system import CentralSystem

QUICK = Rhythm(empty_s=(0.0, 0.1), card_s=(0.0, 0.0), charge_s=(0.2, 0.6), linger_s=(0.0, 0.1))
STATIONS = (DemoStation("CS-1"), DemoStation("CS-2", power_w=22_000, connectors=2), DemoStation("CS-3", meter_wh=5000))


async def test_cars_come_and_go_with_one_card_at_one_place_at_a_time(system: CentralSystem) -> None:
    cards = ["04AABBCC", "04DDEEFF"]
    system.answers["Authorize"] = lambda asked: {
        "idTagInfo": {"status": "Accepted" if asked["idTag"] in cards else "Invalid"}
    }
    driver = DemoDriver(system.url, STATIONS, cards, rhythm=QUICK, seed=3)
    task = asyncio.create_task(driver.run())
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
    driver = DemoDriver(system.url, STATIONS[:1], ["04AABBCC"], rhythm=QUICK, seed=3)
    task = asyncio.create_task(driver.run())
    try:
        await system.expect("StopTransaction")
        await system.drop()
        await system.expect("StopTransaction", len(system.found("StopTransaction")) + 2)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert len(system.found("BootNotification")) == 1
