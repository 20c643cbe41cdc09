"""Letting chargers in through the API: with a password that they set themselves, and another device in the place of one."""

from __future__ import annotations

import asyncio

from appliance.domain.clock import system_clock
from appliance.domain.peer import Peer
from appliance.services.stations import admission
from appliance.simulator.station import Station
from appliance.simulator.v16.charge_point import ChargePoint, Options
from tests.api.site import Client, Running


async def test_a_charger_that_is_approved_sets_the_password_that_it_is_sent(site: Running, api: Client) -> None:
    charger = ChargePoint(Station.of(system_clock), Options(site.stations_url, "CS-07", tick_s=0.05, reboot_s=0.1))
    running = asyncio.create_task(charger.run())
    try:
        async with asyncio.timeout(20):
            while not (await api.get("/stations"))["items"]:  # noqa: ASYNC110 - a program polls.
                await asyncio.sleep(0.05)
            assert (await api.post("/stations/CS-07/approve", {"set_password": True})).status == 200
            while not (found := await api.get("/stations/CS-07"))["security_profile"] or not found["online"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert (found["has_password"], found["password_pending"]) == (True, False)
        assert len(charger.configuration.text("AuthorizationKey")) == 40
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_charger_that_is_offline_is_sent_none(api: Client) -> None:
    await api.post("/stations", {"id": "CS-07"})
    assert (await api.post("/stations/CS-07/password")).status == 409
    assert not (await api.get("/stations/CS-07"))["password_pending"]


async def test_another_device_is_let_in_by_one_call(site: Running, api: Client) -> None:
    await api.post("/stations", {"id": "CS-07"})
    station = (await site.store.read(lambda db: db.execute("SELECT id FROM station").fetchone()))[0]
    await site.store.write(admission.bind, station, Peer("192.168.1.9"), 0)
    await site.store.write(admission.newcomer, station, Peer("192.168.1.10"), 1_000, waits=True)

    (waiting,) = (await api.get("/stations/CS-07/newcomers"))["items"]
    assert (waiting["peer"], waiting["address"]) == ("ip 192.168.1.10", "192.168.1.10")
    assert (await api.post("/stations/CS-07/admit", {"peer": "ip 192.168.1.11"})).status == 404
    assert (await api.post("/stations/CS-07/admit", {"peer": waiting["peer"]}))["bound_to"] == waiting["peer"]
    assert (await api.get("/stations/CS-07/newcomers"))["items"] == []
    assert (await (await site.client("cashier")).get("/stations/CS-07/newcomers")).status == 403
