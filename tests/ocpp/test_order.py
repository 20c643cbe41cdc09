"""Which status holds: the order of receipt decides on one connection, whatever the clock of the station says."""

from __future__ import annotations

from functools import partial

import pytest

from appliance.domain.units import rfc3339
from appliance.services import settings
from tests.ocpp.raw import Client, Server, connected

NOON_MS = 1_796_040_000_000
MINUTE_MS, HOUR_MS = 60_000, 3_600_000


async def tell(client: Client, status: str, at_ms: int | None = None, *, connector: int = 1) -> None:
    error = "GroundFailure" if status == "Faulted" else "NoError"
    stamp = {} if at_ms is None else {"timestamp": rfc3339(at_ms)}
    payload = {"connectorId": connector, "status": status, "errorCode": error, **stamp}
    await client.call("StatusNotification", payload)


async def shown(server: Server) -> list[tuple[str, int]]:
    rows = await server.rows("SELECT status, changed_at_ms FROM connector WHERE evse = 1")
    return [(status, (at_ms - NOON_MS) // 1000) for status, at_ms in rows]


@pytest.mark.parametrize("back_ms", [1, 700, 60_000, HOUR_MS, 23 * HOUR_MS, 400 * 24 * HOUR_MS])
async def test_a_clock_that_was_set_back_hides_no_fault(client: Client, server: Server, back_ms: int) -> None:
    server.now_ms = lambda: NOON_MS
    await tell(client, "Available", NOON_MS)
    server.now_ms = lambda: NOON_MS + 2000
    await tell(client, "Faulted", NOON_MS - back_ms)

    assert await shown(server) == [("Faulted", 2)]
    assert await server.rows("SELECT kind FROM problem WHERE kind = 'faulted'") == [("faulted",)]
    await tell(client, "Available", NOON_MS - back_ms + 1000)
    assert await shown(server) == [("Available", 2)]


async def test_of_two_in_one_whole_second_the_later_holds(client: Client, server: Server) -> None:
    server.now_ms = lambda: NOON_MS + 700
    await tell(client, "Available")
    await tell(client, "Faulted", NOON_MS)

    assert (await shown(server))[0][0] == "Faulted"


async def test_a_stamp_still_tells_when(client: Client, server: Server) -> None:
    server.now_ms = lambda: NOON_MS + HOUR_MS
    await tell(client, "Available", NOON_MS)
    await tell(client, "Charging", NOON_MS + 60_000)

    assert await shown(server) == [("Occupied", 60)]


async def come_back(server: Server, at_ms: int) -> None:
    """A station tells that it is free, is away until then, and comes back."""
    server.now_ms = lambda: NOON_MS
    await server.register("CS-1")
    async with connected(server) as client:
        await tell(client, "Available", NOON_MS)
    await server.until(lambda: len(server.listener.registry) == 0)
    server.now_ms = lambda: at_ms


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_waited_in_a_queue_does_not_hide_what_is_now(server: Server, restarts: bool) -> None:
    await come_back(server, NOON_MS + HOUR_MS)
    if restarts:
        await server.restart()
    async with connected(server) as client:
        await tell(client, "Available", NOON_MS + HOUR_MS)
        await tell(client, "Charging", NOON_MS + 10 * MINUTE_MS)
        await tell(client, "Faulted", NOON_MS + 20 * MINUTE_MS)

        assert await shown(server) == [("Available", 3600)]
        assert await server.rows("SELECT kind FROM problem WHERE kind = 'faulted'") == []


async def test_a_queue_in_its_order_ends_with_its_last(server: Server) -> None:
    await come_back(server, NOON_MS + HOUR_MS)
    async with connected(server) as client:
        for minutes, status in ((10, "Charging"), (20, "Finishing"), (30, "Faulted")):
            await tell(client, status, NOON_MS + minutes * MINUTE_MS)

        assert await shown(server) == [("Faulted", 30 * 60)]


async def test_long_after_it_came_back_no_queue_is_left(server: Server) -> None:
    await come_back(server, NOON_MS + HOUR_MS)
    async with connected(server) as client:
        await tell(client, "Available", NOON_MS + HOUR_MS)
        server.now_ms = lambda: NOON_MS + HOUR_MS + 10 * MINUTE_MS
        await tell(client, "Faulted", NOON_MS + 10 * MINUTE_MS)

        assert await shown(server) == [("Faulted", 3600 + 600)]


async def test_a_clock_that_was_set_back_begins_no_idle_time_of_hours(client: Client, server: Server) -> None:
    server.now_ms = lambda: NOON_MS
    await client.start(at_ms=NOON_MS)
    await tell(client, "Charging", NOON_MS)
    server.now_ms = lambda: NOON_MS + 60_000
    await tell(client, "SuspendedEV", NOON_MS - HOUR_MS)

    assert await server.rows("SELECT begin_at_ms FROM idle_span") == [(NOON_MS + 60_000,)]


async def test_a_fault_of_the_station_as_a_whole_too(client: Client, server: Server) -> None:
    server.now_ms = lambda: NOON_MS
    await tell(client, "Available", NOON_MS, connector=0)
    await tell(client, "Faulted", NOON_MS - HOUR_MS, connector=0)

    assert await server.rows("SELECT status FROM station") == [("Faulted",)]


async def test_a_station_that_tells_its_local_time_is_known_by_its_skew(client: Client, server: Server) -> None:
    """Without a zone a time is UTC: that it is the local one shows in the clock."""
    await server.store.write(settings.change, "clock_skew_s", "60")
    for minute in range(2):  # A second look agrees.
        server.now_ms = partial(int, NOON_MS + minute * MINUTE_MS)
        for _ in range(5):
            await client.call("StatusNotification", {"connectorId": 1, "status": "Available", "errorCode": "NoError",
                                                     "timestamp": rfc3339(server.now_ms() + 6 * HOUR_MS)[:19]})  # fmt: skip
        await server.listener.registry.ping_all()

    assert await server.rows("SELECT kind FROM problem WHERE kind = 'clock_skew'") == [("clock_skew",)]
