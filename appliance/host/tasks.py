"""Tasks that run beside the server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from appliance.services.tasks import Tasks


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """A task beside the server, ended with it. If it fails, that is logged, and the server goes on."""
    tasks = Tasks()
    tasks.start(work, name)
    try:
        yield
    finally:
        await tasks.cancel()
