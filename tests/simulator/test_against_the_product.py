"""The simulated station against the product's own stations' side: both halves of the conversation, each made by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from aiohttp import web

from appliance.db import site as sites
from appliance.db.engine.store import Store
from appliance.demo import site
from appliance.domain.clock import system_clock
from appliance.host.data_directory import DataDirectory
from appliance.host.live_settings import LiveSettings
from appliance.ocpp.admission.endpoint import open_stations
from appliance.services import settings
from appliance.services.announce import Hub
from appliance.simulator.station import Battery, Station
from appliance.simulator.v16.charge_point import ChargePoint, Options

WAIT_S = 30


async def test_charge_of_a_simulated_station_is_kept_without_a_violation(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path / "site")
    await asyncio.to_thread(site.prepare, data, system_clock)
    card = site.PEOPLE[0][3]
    hub = Hub()
    store = Store(data.database, announce=hub.announce)
    await store.open()
    try:
        live = LiveSettings(await store.read(settings.load))
        secret = await store.read(sites.secret)
        async with open_stations(store, hub, live, secret, system_clock) as face:
            runner = web.AppRunner(face.application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"ws://127.0.0.1:{runner.addresses[0][1]}/ocpp/"
            await charge(url, site.STATIONS[0].identity, card)
            await runner.cleanup()
    finally:
        await store.close()

    db = sqlite3.connect(data.database)
    columns = "state, energy_wh, meter_stop_wh - meter_start_wh"
    state, energy_wh, by_meter_wh = db.execute(f"SELECT {columns} FROM session ORDER BY id DESC LIMIT 1").fetchone()
    violations = db.execute("SELECT action, violation FROM message_log WHERE violation IS NOT NULL").fetchall()
    db.close()
    assert state == "ended"
    assert energy_wh == by_meter_wh >= 100
    assert violations == []


async def charge(url: str, identity: str, card: str) -> None:
    """A hundred watt-hours and more, quickly."""
    station = Station.of(system_clock, power_w=7400, speed=500, meter_wh=5_000_000, serial=identity)
    point = ChargePoint(station, Options(url, identity, sample_interval_s=1, tick_s=0.02))
    task = asyncio.create_task(point.run())
    try:
        async with asyncio.timeout(WAIT_S):
            await point.registered.wait()
            point.charger.plug_in(1, Battery.charged(20))
            assert (await point.charger.present_card(card, 1)).accepted
            await point.until(lambda: station.evses[0].register_wh >= 5_000_100)
            await point.charger.present_card(card, 1)
            point.charger.unplug(1)
            await point.outbox.emptied()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
