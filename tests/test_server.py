"""What the composition keeps up to date by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.db.engine.store import Store
from appliance.host.live_settings import LiveSettings
from appliance.server import following
from appliance.services import settings
from appliance.services.announce import Hub
from tests.support.schema import prepare

TIMEOUT_S = 20.0


@pytest.fixture(name="hub")
def _hub() -> Hub:
    return Hub()


@pytest.fixture(name="store")
async def _store(tmp_path: Path, hub: Hub) -> AsyncIterator[Store]:
    path = tmp_path / "forecourt.db"
    prepare(path)
    store = Store(path, announce=hub.announce)
    await store.open()
    yield store
    await store.close()


async def test_of_two_changes_the_later_one_stays_in_force(
    store: Store, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when what was read of the first comes last."""
    read, first, released = store.read, asyncio.Event(), asyncio.Event()

    async def slowly_at_first(*arguments: Any) -> Any:
        found, slow = await read(*arguments), not first.is_set()
        first.set()
        if slow:
            await released.wait()
        return found

    live = LiveSettings(await read(settings.load))
    monkeypatch.setattr(store, "read", slowly_at_first)
    async with asyncio.timeout(TIMEOUT_S), following(hub, store, live):
        await store.write(settings.change, "heartbeat_interval_s", "60")
        await first.wait()
        await store.write(settings.change, "heartbeat_interval_s", "120")
        for _ in range(10):
            await read(settings.load)
        released.set()

    assert live.heartbeat_interval_s == 120
