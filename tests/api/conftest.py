"""A running site, and a client with an owner's token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.site import Client, Running, open_site


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[Running]:
    async with open_site(tmp_path) as running:
        yield running


@pytest.fixture(name="api")
async def _api(site: Running) -> Client:
    return await site.client()
