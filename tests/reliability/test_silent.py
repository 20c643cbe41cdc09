"""Five thousand connections on each listener on which nothing is said, beside a charger and staff who are served all the same.

All come from the address of the charger and the staff. Whoever is cut off comes again at once, until the time is over.
"""

from __future__ import annotations

import asyncio
import errno
import resource
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import aiohttp
import pytest

from tests.reliability.evidence import differences
from tests.reliability.fleet import Fleet, fill
from tests.support.process import ServerProcess, make_site, run
from tests.support.wire import HOST
from tests.test_garbage import ports

SILENT = 5_000
LISTENERS = 5
OWN_DESCRIPTORS = 1_000
LASTS_S = 25.0
"""Longer than two silences that the listeners allow."""
STAFF_EVERY_S = 0.1
AT_FIRST = 100
AGAIN = 5
LOOK_S = 0.05
ASKS_S = 10.0
CHARGERS = 3
FINISH_S = 60.0


@contextmanager
def many_descriptors() -> Iterator[int]:
    """As many as this process may have, for as long as the block lasts; the number of silent connections a listener gets of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = SILENT * LISTENERS + OWN_DESCRIPTORS
    with suppress(ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
    granted, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if granted < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        granted = hard
    try:
        yield min(SILENT, (granted - OWN_DESCRIPTORS) // LISTENERS)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Crowd(threading.Thread):
    """Connections on which nothing is said, to one listener: so many, and another for each that ends, until it is told to stop."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(name=f"crowd at {port}")
        self.enough = threading.Event()
        self.most = 0
        """How many there were at once."""
        self.ended = 0
        self._port = port
        self._number = number
        self._there: set[socket.socket] = set()

    def run(self) -> None:
        """Come, stay, come again."""
        with selectors.DefaultSelector() as ends:
            while not self.enough.is_set():
                for _ in range(min(self._at_once(), self._number - len(self._there))):
                    if (one := self._come()) is not None:
                        self._there.add(one)
                        ends.register(one, selectors.EVENT_READ, one)
                self.most = max(self.most, len(self._there))
                for key, _ in ends.select(timeout=LOOK_S):
                    one = key.data
                    ends.unregister(one)
                    self._there.discard(one)
                    one.close()
                    self.ended += 1
        for one in self._there:
            one.close()

    def _at_once(self) -> int:
        """All in the beginning, then a few at each look: what is tried is silence, not how fast this machine can connect."""
        return AT_FIRST if self.most < self._number else AGAIN

    def _come(self) -> socket.socket | None:
        one = socket.socket()
        one.setblocking(False)
        if one.connect_ex((HOST, self._port)) in (0, errno.EINPROGRESS):
            return one
        one.close()
        return None


async def staff(console: str, token: str, until_s: float) -> list[int]:
    """What they are answered, each time on a new connection, as somebody who has just arrived."""
    answered = []
    timeout = aiohttp.ClientTimeout(total=ASKS_S)
    headers = {"Authorization": f"Bearer {token}"}
    connector = aiohttp.TCPConnector(force_close=True, ssl=False)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:
        while monotonic() < until_s:
            for path in ("/api/v1/stations", "/setup"):
                async with session.get(f"{console}{path}") as answer:
                    await answer.read()
                    answered.append(answer.status)
            await asyncio.sleep(STAFF_EVERY_S)
    return answered


@pytest.mark.timeout(240)
async def test_silent_connections_stop_neither_a_charger_nor_staff(tmp_path: Path) -> None:
    data_dir = tmp_path / "site"
    make_site(data_dir, lambda books: fill(books, CHARGERS))
    made = await asyncio.to_thread(run, "token", "create", "--data-dir", data_dir, "--role", "owner", "--name", "staff")
    with many_descriptors() as number:
        server = ServerProcess(data_dir, options=("--stations-tls", f"{HOST}:0", "--console-tls", f"{HOST}:0"))
        await server.start()
        crowds = [Crowd(port, number) for port in ports(server).values()]
        try:
            for crowd in crowds:
                crowd.start()
            async with Fleet(server.urls["stations"], CHARGERS) as fleet:
                console = server.urls["console"].rstrip("/")
                answered = await staff(console, made.stdout.strip(), monotonic() + LASTS_S)
                during = fleet.messages
                await fleet.finish(FINISH_S)
        finally:
            for crowd in crowds:
                crowd.enough.set()
            for crowd in crowds:
                await asyncio.to_thread(crowd.join)
        try:
            assert await server.stop() == 0
        finally:
            await server.clean_up()
    crowded = [(crowd.most, crowd.ended) for crowd in crowds]
    print(f"{number} silent each; staff {len(answered)} answers, chargers {during} messages; {crowded}")  # noqa: T201
    assert set(answered) == {200}
    assert len(answered) > LASTS_S / ASKS_S
    assert during > CHARGERS
    assert all(crowd.ended > 0 for crowd in crowds)
    assert [line for line in server.log().splitlines() if " ERROR " in line or "Traceback" in line] == []
    assert differences(data_dir, fleet) == []
