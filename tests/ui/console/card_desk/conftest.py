"""Fixtures of the desk's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.roles import Role
from tests.support.one_desk import OneDesk
from tests.ui.console.card_desk.counter import Browser, Counter
from tests.ui.console_fixture import DESK_KEY, ConsoleFixture, open_console


@pytest.fixture(name="counter")
async def _counter(tmp_path: Path) -> AsyncIterator[Counter]:
    made: list[OneDesk] = []
    served: ConsoleFixture

    def desks(store: Any, hub: Any) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: served.now_ms))
        return made[0]

    async with open_console(tmp_path, desks=desks) as served, made[0].running() as desk:
        yield Counter(served, desk)


@pytest.fixture(name="client")
async def _client(counter: Counter) -> Browser:
    """A cashier."""
    return await counter.served.logged_in(Role.CASHIER)
