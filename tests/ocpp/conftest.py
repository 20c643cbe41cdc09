"""A server for stations on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.ocpp.settings import StationSettings
from tests.ocpp.raw import Client, Server, connected


@pytest.fixture
def settings() -> StationSettings:
    return StationSettings()


@pytest.fixture
async def server(tmp_path: Path, settings: StationSettings) -> AsyncIterator[Server]:
    server = Server(tmp_path / "forecourt.db", settings)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    """A registered station, CS-1, connected."""
    await server.register("CS-1")
    async with connected(server) as client:
        yield client
