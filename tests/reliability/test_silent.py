"""Five thousand connections on each listener on which nothing is said, beside a charger and staff who are served all the same.

All come from the address of the charger and the staff. Whoever is cut off comes again at once, until the time is over.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from appliance.host.listeners import DESCRIPTORS_MAX
from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, fill
from tests.support.process import ROOT, ServerProcess, make_site, run
from tests.support.wire import HOST
from tests.test_garbage import ports

SILENT = 5_000
AS_INSTALLED = ("prlimit", f"--nofile={DESCRIPTORS_MAX}:{DESCRIPTORS_MAX}")
"""Fewer than the crowd could fill."""
LASTS_S = 25.0
"""Longer than two silences that the listeners allow."""
STAFF_EVERY_S = 0.1
ASKS_S = 10.0
CHARGERS = 3
FINISH_S = 60.0


@asynccontextmanager
async def crowds(server: ServerProcess) -> AsyncIterator[list[tuple[int, int]]]:
    """One at each listener for as long as the block lasts; then how often somebody came, and how many were ended."""
    found: list[tuple[int, int]] = []
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.support.crowd", str(port), str(SILENT),
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for port in ports(server).values()
    ]  # fmt: skip
    try:
        yield found
    finally:
        for crowd in started:
            said, _ = await crowd.communicate(b"")
            came, ended = map(int, said.split())
            found.append((came, ended))


def descriptors(process: int) -> int:
    """How many it has open."""
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


async def staff(server: ServerProcess, token: str, until_s: float) -> tuple[list[int], int]:
    """What they are answered, each time on a new connection, as somebody who has just arrived; and the most that was open at the server."""
    console, answered, opened = server.urls["console"].rstrip("/"), [], 0
    timeout = aiohttp.ClientTimeout(total=ASKS_S)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(force_close=True, ssl=False)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
        while monotonic() < until_s:
            for path in ("/api/v1/stations", "/setup"):
                async with session.get(f"{console}{path}") as answer:
                    await answer.read()
                    answered.append(answer.status)
            opened = max(opened, await asyncio.to_thread(descriptors, server.running.pid))
            await asyncio.sleep(STAFF_EVERY_S)
    return answered, opened


@pytest.mark.timeout(240)
async def test_silent_connections_stop_neither_a_charger_nor_staff(tmp_path: Path) -> None:
    data_dir = tmp_path / "site"
    make_site(data_dir, lambda books: fill(books, CHARGERS))
    made = await asyncio.to_thread(run, "token", "create", "--data-dir", data_dir, "--role", "owner", "--name", "staff")
    options = ("--stations-tls", f"{HOST}:0", "--console-tls", f"{HOST}:0")
    server = ServerProcess(data_dir, prefix=AS_INSTALLED, options=options)
    await server.start()
    try:
        async with crowds(server) as crowded, Fleet(server.urls["stations"], CHARGERS) as fleet:
            answered, opened = await staff(server, made.stdout.strip(), monotonic() + LASTS_S)
            during = fleet.messages
            await fleet.finish(FINISH_S)
        assert await server.stop() == 0
    finally:
        await server.clean_up()
    print(f"{opened} open; staff {len(answered)} answers, chargers {during} messages; {crowded}")  # noqa: T201
    assert set(answered) == {200}
    assert len(answered) > LASTS_S / ASKS_S
    assert during > CHARGERS
    assert opened < 0.92 * DESCRIPTORS_MAX
    assert all(came >= SILENT and ended > 0 for came, ended in crowded)
    assert [line for line in server.log().splitlines() if " ERROR " in line or "Traceback" in line] == []
    assert differences(data_dir, fleet) == []
