"""Fixtures of the console's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.ui.frame import language
from tests.ui.yard import Yard, open_yard


@pytest.fixture(autouse=True)
def _english() -> None:
    """What one test speaks is not for the next to hear."""
    language.speak(language.DEFAULT)


@pytest.fixture(name="yard")
async def _yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """A console over a yard with stations in every state."""
    async with open_yard(tmp_path) as yard:
        yield yard


@pytest.fixture(name="bare")
async def _bare(tmp_path: Path) -> AsyncIterator[Yard]:
    """A console over a site that is just made: no operator, no station."""
    async with open_yard(tmp_path, filled=False) as yard:
        yield yard
