"""`kill -9` at any moment, under the load of a hundred stations: nothing that was acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import random
import statistics
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, fill
from tests.support.process import ReadyServer, ServerProcess, make_site

BOOT_AGAIN_S_MAX = 2.0
FINISH_S = 60.0


@dataclass(slots=True)
class Record:
    """What was seen."""

    kills: int = 0
    messages: int = 0
    boot_again_s: list[float] = field(default_factory=list)
    """From the kill to the first station that is accepted again, of the restarts from nothing."""

    def __str__(self) -> str:
        ordered = sorted(self.boot_again_s)
        return (
            f"{self.kills} kills, {self.messages:,} messages acknowledged; a station accepted again after "
            f"{statistics.median(ordered):.2f} s (median), {ordered[int(len(ordered) * 0.95)]:.2f} s (p95), {ordered[-1]:.2f} s at most"
        )


async def kill_again_and_again(data_dir: Path, kills: int, pause_s: tuple[float, float], from_nothing: int) -> Record:
    """Kill and restart the server while the fleet charges, at times before it has loaded its pages; compare with the file at the end.

    Only the last `from_nothing` restarts load Python and the program anew, and only they are timed.
    """
    make_site(data_dir, fill)
    server: ServerProcess = ReadyServer(data_dir)
    record, chance, loop = Record(), random.Random(20261123), asyncio.get_running_loop()
    try:
        await server.start()
        async with Fleet(server.urls["stations"]) as fleet:
            for left in range(kills, 0, -1):
                await asyncio.sleep(chance.uniform(*pause_s))
                began_s = loop.time()
                await server.kill()
                record.kills += 1
                fleet.booted.clear()
                if left == from_nothing:
                    server = await replaced(server)
                # Chargers are served before the pages are, and the next kill waits for these no more than they do.
                await (server.launch() if left <= from_nothing else server.start())
                async with asyncio.timeout(FINISH_S):
                    await fleet.booted.wait()
                if left <= from_nothing:
                    record.boot_again_s.append(loop.time() - began_s)
            await fleet.finish(FINISH_S)
            record.messages = fleet.messages
        assert await server.stop() == 0
        assert differences(data_dir, fleet) == []
    finally:
        await server.clean_up()
    assert "Traceback" not in server.log()
    return record


async def replaced(server: ServerProcess) -> ServerProcess:
    """The same, started from nothing each time."""
    await server.clean_up()
    plain = ServerProcess(server.data_dir)
    plain.urls = server.urls
    return plain


@pytest.mark.timeout(300)
async def test_fifty_kills_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = await kill_again_and_again(tmp_path / "site", 50, (0.1, 0.3), from_nothing=5)

    with capsys.disabled():
        print(f"\n{record}")  # noqa: T201  # a measurement that is worth seeing
    assert record.messages > 1_000


@pytest.mark.soak
async def test_a_thousand_kills_lose_nothing_and_stations_are_back_within_two_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = await kill_again_and_again(tmp_path / "site", 1_000, (0.1, 0.5), from_nothing=1_000)

    with capsys.disabled():
        print(f"\n{record}")  # noqa: T201
    assert max(record.boot_again_s) <= BOOT_AGAIN_S_MAX
