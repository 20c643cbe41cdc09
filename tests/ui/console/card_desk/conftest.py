"""Fixtures of the desk's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.domain.roles import Role
from tests.support.one_desk import OneDesk
from tests.ui.console.card_desk.counter import Browser, Counter
from tests.ui.yard import DESK_KEY, Yard, open_yard


@pytest.fixture(name="counter")
async def _counter(tmp_path: Path) -> AsyncIterator[Counter]:
    made: list[OneDesk] = []
    yard: Yard

    def desks(store: Any, hub: Any) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: yard.now_ms))
        return made[0]

    async with open_yard(tmp_path, desks=desks) as yard, made[0].running() as desk:
        yield Counter(yard, desk)


@pytest.fixture(name="client")
async def _client(counter: Counter) -> Browser:
    """A cashier."""
    return await counter.yard.logged_in(Role.CASHIER)
