"""A disk that fails or is full: the process ends at once, starts again clean, and nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from appliance.db.engine.store import EXIT_COMMIT_FAILED, EXIT_WRITER_DIED
from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, fill
from tests.support.process import ServerProcess, make_site
from tests.support.small_disk import FULL_BYTES, small_disk

STATIONS = 10
FINISH_S = 60.0
ENDS = {EXIT_COMMIT_FAILED, EXIT_WRITER_DIED}


def injecting(call: str, error: str, when: str) -> list[str]:
    """A command line under which one system call, counted from the start, fails."""
    return [
        "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}",
    ]  # fmt: skip


async def charge_until_it_ends(server: ServerProcess, fleet: Fleet) -> int:
    """The exit code of a server whose disk fails under it."""
    try:
        return await server.ended()
    finally:
        assert not any(task.done() for task in fleet.tasks)


async def said_without_room(server: ServerProcess) -> str:
    """The page of a server that waits for room on its disk; "" of one that serves."""
    stdout = server.running.stdout
    assert stdout is not None
    async with asyncio.timeout(FINISH_S):
        name, _, url = (await stdout.readline()).decode().strip().partition(" ")
        if name != "disk-full":
            return ""
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 503
            return await answer.text()


def end_children(process: int) -> None:
    """What a tracer has left running."""
    with Path(f"/proc/{process}/task/{process}/children").open() as children:
        for child in children.read().split():
            os.kill(int(child), signal.SIGKILL)


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("call", "error", "when"),
    [
        ("fdatasync", "EIO", "25"),
        ("fdatasync", "EIO", "60+"),
        ("pwrite64", "ENOSPC", "400+"),
        ("pwrite64", "EIO", "700"),
    ],
)
async def test_a_disk_that_fails_ends_the_process_and_loses_nothing(
    tmp_path: Path, call: str, error: str, when: str
) -> None:
    data_dir = tmp_path / "site"
    make_site(data_dir, lambda books: fill(books, STATIONS))
    failing = ServerProcess(data_dir, prefix=injecting(call, error, when))
    sound = ServerProcess(data_dir)
    try:
        await failing.start()
        sound.urls = failing.urls
        async with Fleet(failing.urls["stations"], STATIONS) as fleet:
            assert await charge_until_it_ends(failing, fleet) in ENDS
            await sound.start()
            async with asyncio.timeout(FINISH_S):
                await fleet.booted.wait()
            await fleet.finish(FINISH_S)
        assert await sound.stop() == 0
        assert differences(data_dir, fleet) == []
    finally:
        if failing.process is not None and failing.process.returncode is None:
            end_children(failing.process.pid)
        await failing.clean_up()
        await sound.clean_up()
    assert "a commit failed" in failing.log() or "the writer died" in failing.log()


@pytest.mark.timeout(200)
async def test_a_full_disk_ends_the_process_and_once_there_is_room_everything_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        data_dir = disk.folder / "site"
        make_site(data_dir, lambda books: fill(books, STATIONS))
        cramped, sound = ServerProcess(data_dir, prefix=disk.prefix), ServerProcess(data_dir)
        cramped.log_file = sound.log_file = tmp_path / "server.log"
        try:
            await cramped.start()
            async with Fleet(cramped.urls["stations"], STATIONS) as fleet:
                assert await charge_until_it_ends(cramped, fleet) in ENDS
                before = fleet.messages
                if disk.mounted:
                    # It serves out of its reserve, until that is used up; then it cannot open its books, says so, and goes on as
                    # soon as somebody has made room.
                    await cramped.launch()
                    while not (page := await said_without_room(cramped)):
                        assert await cramped.ended() in ENDS
                        await cramped.launch()
                    assert "is full" in page
                    disk.enlarge()
                    await cramped.serves(cramped.running)
                    ending = cramped
                else:
                    sound.urls = cramped.urls
                    await sound.start()
                    ending = sound
                await fleet.finish(FINISH_S)
            assert await ending.stop() == 0
            assert differences(data_dir, fleet) == []
        finally:
            await cramped.clean_up()
            await sound.clean_up()
    with capsys.disabled():
        how = "a tmpfs" if disk.mounted else "a bound on the size of files, for this user may not mount"
        print(f"\nfull disk: {how} of {FULL_BYTES >> 20} MiB, {before:,} messages acknowledged before")  # noqa: T201
