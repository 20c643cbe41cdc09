"""A disk that somebody fills: messages are the first to go without, money and sessions the last, and a restart serves."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.domain.room import SESSION_BYTES, SESSIONS_A_DAY, room
from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, FleetStation, card, fill
from tests.support.books import Books
from tests.support.process import ServerProcess, make_site
from tests.support.small_disk import SmallDisk, small_disk

DISK_BYTES = 24 << 20
STATIONS = 6
FLOOD = 600
"""Messages of 60 kB: more than the disk holds."""
DAY = STATIONS * SESSIONS_A_DAY
LOOKED_S = 30.0
LEFT_BYTES = 64 << 10


@contextmanager
def a_disk(folder: Path) -> Iterator[SmallDisk]:
    """One of 24 MB; who may not mount one is told so."""
    with small_disk(folder, DISK_BYTES) as disk:
        if not disk.mounted:
            pytest.skip("this user may not mount a tmpfs, and how much is free on another disk nobody can say")
        yield disk


def fill_up(disk: SmallDisk, left_bytes: int) -> None:
    """Somebody else's file takes all that is free but this."""
    found = os.statvfs(disk.folder)
    with (disk.folder / "ballast").open("ab") as file:
        file.write(bytes(max(0, found.f_frsize * found.f_bavail - left_bytes)))


def ask(data_dir: Path, sql: str) -> Any:
    db = sqlite3.connect(f"{(data_dir / 'forecourt.db').as_uri()}?mode=ro", uri=True)
    try:
        return db.execute(sql).fetchone()[0]
    finally:
        db.close()


def is_short(data_dir: Path) -> bool:
    return bool(ask(data_dir, "SELECT count(*) FROM problem WHERE kind = 'disk_full' AND cleared_at_ms IS NULL"))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LOOKED_S):
        while not condition():  # noqa: ASYNC110  # another process's files
            await asyncio.sleep(0.2)


async def authorized(station: FleetStation) -> str:
    answer = await station.tell("Authorize", {"idTag": card(station.number)})
    return str(answer["idTagInfo"]["status"])


def seed(books: Books) -> None:
    fill(books, STATIONS)


@pytest.mark.timeout(300)
async def test_a_flood_fills_no_disk_and_on_a_full_one_a_day_of_sessions_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_disk(tmp_path / "disk") as disk:
        data_dir = disk.folder / "site"
        make_site(data_dir, seed)
        needs = room(DISK_BYTES, STATIONS)
        server = ServerProcess(data_dir)
        server.log_file = tmp_path / "server.log"
        fleet = Fleet("", STATIONS)
        try:
            await server.start()
            fleet.url = server.urls["stations"]
            fleet.session = aiohttp.ClientSession()
            loud, *others = fleet.stations
            await until((data_dir / "reserve").exists)

            # One charger sends more than the disk holds: it is not even short afterwards.
            for _ in range(FLOOD):
                await loud.tell("DataTransfer", {"vendorId": "x", "data": "y" * 60_000})
            assert not is_short(data_dir)
            assert await authorized(others[0]) == "Accepted"

            # Somebody else fills the disk: nobody new, no messages; what begins all the same is recorded.
            fill_up(disk, needs.margin_bytes // 2)
            await until(lambda: is_short(data_dir))
            logged = ask(data_dir, "SELECT max(id) FROM message_log")
            assert await authorized(others[0]) == "Blocked"
            await others[0].charge()
            assert ask(data_dir, "SELECT max(id) FROM message_log") == logged

            # To the last byte: the reserve is let go, and holds a day.
            fill_up(disk, 0)
            await until(lambda: not (data_dir / "reserve").exists())
            fill_up(disk, needs.reserve_bytes)
            before = free_bytes(disk)
            for number in range(DAY):
                await fleet.stations[number % STATIONS].charge()
            used = before - free_bytes(disk)
            assert used < DAY * SESSION_BYTES

            # Killed, and the disk is full: it serves, and says so.
            await server.kill()
            fill_up(disk, needs.start_bytes + LEFT_BYTES)
            await server.start()
            assert is_short(data_dir)
            await others[0].charge()
            assert await authorized(others[0]) == "Blocked"

            # Somebody makes room, and all is as before by itself.
            (disk.folder / "ballast").unlink()
            await until(lambda: not is_short(data_dir) and (data_dir / "reserve").exists())
            assert await authorized(others[0]) == "Accepted"
            await others[0].charge()
            for station in fleet.stations:
                await station.hang_up()
            assert await server.stop() == 0
            assert differences(data_dir, fleet) == []
        finally:
            await fleet.session.close()
            await server.clean_up()
    with capsys.disabled():
        print(f"\nfull disk: {DAY} sessions took {used / DAY / 1024:.1f} KiB each of {SESSION_BYTES >> 10}")  # noqa: T201


@pytest.mark.timeout(120)
async def test_a_server_that_finds_a_full_disk_lets_the_reserve_go_and_serves(tmp_path: Path) -> None:
    with a_disk(tmp_path / "disk") as disk:
        data_dir = disk.folder / "site"
        make_site(data_dir, seed)
        server = ServerProcess(data_dir)
        server.log_file = tmp_path / "server.log"
        try:
            await server.start()
            await until((data_dir / "reserve").exists)
            assert await server.stop() == 0
            fill_up(disk, 0)
            await server.start()

            assert is_short(data_dir)
            async with Fleet(server.urls["stations"], STATIONS) as fleet:
                async with asyncio.timeout(LOOKED_S):
                    await fleet.booted.wait()
                await fleet.finish(LOOKED_S)
            assert await server.stop() == 0
            assert differences(data_dir, fleet) == []
        finally:
            await server.clean_up()


def free_bytes(disk: SmallDisk) -> int:
    found = os.statvfs(disk.folder)
    return found.f_frsize * found.f_bavail
