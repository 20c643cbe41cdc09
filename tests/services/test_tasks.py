"""Tasks that nobody waits for."""

from __future__ import annotations

import asyncio
import gc
import logging

import pytest

from appliance.services.tasks import Tasks


async def test_a_task_is_kept_until_it_ends() -> None:
    tasks, ended = Tasks(), asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(0)
        gc.collect()
        ended.set()

    tasks.start(work(), "work")
    assert len(tasks) == 1
    await tasks.settled()

    assert ended.is_set()
    assert len(tasks) == 0


async def test_settled_waits_for_what_was_begun_meanwhile() -> None:
    tasks, order = Tasks(), []

    async def first() -> None:
        await asyncio.sleep(0)
        tasks.start(second(), "second")
        order.append("first")

    async def second() -> None:
        await asyncio.sleep(0)
        order.append("second")

    tasks.start(first(), "first")
    await tasks.settled()

    assert order == ["first", "second"]


async def test_a_failure_is_logged_under_the_name_of_the_task(caplog: pytest.LogCaptureFixture) -> None:
    tasks = Tasks()

    async def work() -> None:
        raise KeyError("x")

    with caplog.at_level(logging.ERROR):
        tasks.start(work(), "what failed")
        await tasks.settled()

    assert [record.task for record in caplog.records] == ["what failed"]  # type: ignore[attr-defined]


async def test_cancel_ends_what_runs_and_waits_for_its_end(caplog: pytest.LogCaptureFixture) -> None:
    tasks, tidied = Tasks(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            tasks.start(asyncio.Event().wait(), "begun while it was ended")
            await asyncio.sleep(0)
            tidied.set()

    task = tasks.start(work(), "work")
    await asyncio.sleep(0)
    await tasks.cancel()

    assert task.cancelled()
    assert tidied.is_set()
    assert caplog.records == []
