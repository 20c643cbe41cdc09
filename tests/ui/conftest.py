"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.ui.frame import language
from tests.ui.console_fixture import ConsoleFixture, open_console


@pytest.fixture(autouse=True)
def _english() -> None:
    """What one test speaks is not for the next to hear."""
    language.speak(language.DEFAULT)


@pytest.fixture(name="served")
async def _yard(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    """A console over a yard with stations in every state."""
    async with open_console(tmp_path) as served:
        yield served


@pytest.fixture(name="bare")
async def _bare(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    """A console over a site that is just made: no operator, no station."""
    async with open_console(tmp_path, filled=False) as served:
        yield served
