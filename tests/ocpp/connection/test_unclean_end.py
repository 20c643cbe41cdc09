"""What is known of stations after a server that was killed, or lost its power, and wrote down nothing at its end."""

from __future__ import annotations

import shutil
from pathlib import Path

from appliance.services.stations import admission
from tests.ocpp.raw import Client, Server

HOUR_MS = 3_600_000


def as_killed(server: Server, into: Path) -> Path:
    """What is on the disk while it runs."""
    into.mkdir()
    for file in server.path.parent.glob(f"{server.path.name}*"):
        shutil.copy(file, into / file.name)
    return into / server.path.name


async def test_who_told_something_before_it_was_there_until_then(
    server: Server, client: Client, tmp_path: Path
) -> None:
    begun_ms = server.clock()
    at_ms = begun_ms
    server.now_ms = lambda: at_ms
    await client.boot()
    at_ms += 3 * HOUR_MS
    await client.call("Heartbeat", {})
    await server.rows("SELECT 1")

    after = Server(as_killed(server, tmp_path / "killed"), server.settings)
    after.now_ms = lambda: at_ms + HOUR_MS
    await after.start()
    ((seen_at_ms,),) = await after.rows("SELECT seen_at_ms FROM station")
    (known,) = await after.store.read(admission.known)
    station = after.listener.registry.learn(known)
    await after.stop()

    assert seen_at_ms == at_ms
    assert station.dating.alive_until_ms == at_ms


async def test_an_end_that_was_written_down_stays_as_it_was(server: Server, client: Client) -> None:
    at_ms = server.clock() + HOUR_MS
    server.now_ms = lambda: at_ms
    await client.boot()
    at_ms += HOUR_MS
    await client.socket.close()
    await server.until(lambda: True)
    await server.restart()

    assert await server.rows("SELECT seen_at_ms FROM station") == [(at_ms,)]
