"""A central system and a simulated station that has been accepted by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import pytest

from appliance.domain.clock import system_clock
from appliance.simulator.station import Station
from appliance.simulator.v16.charge_point import ChargePoint, Options
from tests.simulator.central_system import CentralSystem, listening

WAIT_S = 20.0


class Clock:
    """Real time that a test can push forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return system_clock() + self.ahead_ms


class Running(Protocol):
    """Makes a station that runs until the block ends."""

    def __call__(self, url: str, **options: Any) -> AbstractAsyncContextManager[ChargePoint]: ...


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="system")
async def _system() -> AsyncIterator[CentralSystem]:
    async with listening() as system:
        yield system


@pytest.fixture(name="running")
def _running(clock: Clock) -> Running:
    @asynccontextmanager
    async def running(url: str, **options: Any) -> AsyncIterator[ChargePoint]:
        station = Station.of(clock, connectors=2, power_w=7200, serial="CS-1")
        settings = {"tick_s": 0.01, "reboot_s": 0.0, "seed": 1, "sample_interval_s": 60} | options
        point = ChargePoint(station, Options(url, "CS-1", **settings))
        task = asyncio.create_task(point.run())
        try:
            yield point
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return running


@pytest.fixture(name="point")
async def _point(system: CentralSystem, running: Running) -> AsyncIterator[ChargePoint]:
    async with running(system.url) as point:
        async with asyncio.timeout(WAIT_S):
            await point.registered.wait()
        await system.until(lambda: len(system.found("StatusNotification")) == 3)
        yield point
