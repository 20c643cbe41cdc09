"""The guard over the event loop, which stands over all tests (tests/support/event_loop.py), does its work."""

from __future__ import annotations

import asyncio
from typing import Any

from blockbuster import BlockingError

from appliance.db.engine.migrate import migrations


async def test_what_blocks_the_loop_raises_and_in_a_thread_it_may() -> None:
    loop = asyncio.get_running_loop()
    raised: list[Any] = []
    loop.set_exception_handler(lambda _loop, context: raised.append(context["exception"]))

    loop.call_soon(migrations)  # It lists a folder.
    await asyncio.sleep(0)
    assert [type(error) for error in raised] == [BlockingError]

    assert await asyncio.to_thread(migrations)
