"""One connection for each station, the newest; pings; the end of the program; clocks."""

from __future__ import annotations

import gc
import weakref
from contextlib import AsyncExitStack
from socket import SHUT_RDWR
from typing import Any

import aiohttp
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import StationId
from appliance.domain.units import rfc3339
from appliance.ocpp.connection.registry import MISSES_MAX, SWAPS_MAX
from appliance.ocpp.reading.skew import CHANGE_MS_MIN, OBSERVATIONS, SkewWatch
from appliance.ocpp.settings import StationSettings
from appliance.services.ports.stations import CommandFailed
from appliance.services.stations import admission, credentials, status
from appliance.services.stations.credentials import hash_password
from tests.ocpp.raw import SITE_KEY, Client, Server, basic, connected

STATION = StationId(1)
ACTOR = "operator:1"
PASSWORD = "0123456789abcdef"
MINUTE_MS = 60_000
DAY_MS = 86_400_000


async def test_the_newest_connection_wins_and_the_older_is_closed(client: Client, server: Server) -> None:
    await client.boot()
    async with connected(server) as newer:
        assert await client.closed() == 1008
        assert "currentTime" in await newer.call("Heartbeat", {})
        # The older one's end did not take the newer one's place away.
        assert server.listener.commands.is_online(STATION)
        assert server.listener.commands.online() == {STATION}


async def test_a_station_is_online_until_it_goes(client: Client, server: Server) -> None:
    await client.boot()
    assert server.listener.commands.online() == {STATION}
    await client.socket.close()
    await server.until(lambda: not server.listener.commands.is_online(STATION))

    assert server.listener.commands.online() == frozenset()
    ((seen_at_ms, version, address),) = await server.rows(
        "SELECT seen_at_ms, ocpp_version, remote_address FROM station"
    )
    assert seen_at_ms > 0
    assert (version, address) == ("1.6", "127.0.0.1")


@pytest.mark.parametrize("end", ["it says that it closes", "its power is cut"])
async def test_a_closed_connection_is_freed_without_a_search_for_garbage(
    client: Client, server: Server, end: str
) -> None:
    await client.boot()
    found = server.listener.registry.of(STATION)
    assert found is not None
    connection, socket = weakref.ref(found), weakref.ref(found._socket)
    del found
    gc.disable()
    try:
        if end == "its power is cut":
            client.socket.get_extra_info("socket").shutdown(SHUT_RDWR)
        else:
            await client.socket.close()
        await server.until(lambda: len(server.listener.registry) == 0)
        # Whatever still runs to its end needs a turn or two, but nobody's help.
        await server.until(lambda: connection() is None and socket() is None)
    finally:
        gc.enable()


async def test_a_station_that_knocks_is_not_online(server: Server) -> None:
    async with connected(server, "/ocpp/NEW") as client:
        await client.boot()

        assert not server.listener.commands.is_online(STATION)
        assert server.listener.commands.online() == frozenset()
        with pytest.raises(CommandFailed) as failure:
            await server.listener.commands.remote_start(STATION, 1, IdToken("04A1B2C3"))
        assert failure.value.kind == "offline"


async def test_quirks_are_known_again_after_a_restart_without_a_boot(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.call("BootNotification", {"chargePointVendor": "Growatt", "chargePointModel": "THOR"})
    await server.restart()
    async with connected(server) as client:
        await client.start(at_ms=system_clock() - 21_600_000)

    ((started_at_ms,),) = await server.rows("SELECT started_at_ms FROM session")
    assert abs(started_at_ms - system_clock()) < 60_000


async def test_reconnecting_without_a_boot_goes_on(client: Client, server: Server) -> None:
    started = await client.start()
    await client.socket.close()
    async with connected(server) as again:
        values = [{"timestamp": rfc3339(system_clock()), "sampledValue": [{"value": "1200"}]}]
        meter = {"connectorId": 1, "transactionId": started["transactionId"], "meterValue": values}
        assert await again.call("MeterValues", meter) == {}

    assert await server.rows("SELECT energy_wh FROM sample") == [(1200,)]


@pytest.mark.parametrize(("addresses", "problems"), [(("127.0.0.1", "127.0.0.2"), 1), (("127.0.0.1",), 0)])
async def test_two_boxes_under_one_name_are_a_problem(
    server: Server, addresses: tuple[str, ...], problems: int
) -> None:
    await server.register("CS-1", 1, PASSWORD)
    before: Client | None = None
    stack = []
    for number in range(SWAPS_MAX + 1):
        connector = aiohttp.TCPConnector(local_addr=(addresses[number % len(addresses)], 0))
        session = aiohttp.ClientSession(connector=connector)
        socket = await session.ws_connect(
            server.url + "/ocpp/CS-1", protocols=("ocpp1.6",), headers=basic("CS-1", PASSWORD)
        )
        client = Client(socket)
        await client.boot()
        if before is not None:
            assert await before.closed() == 1008
        before = client
        stack.append(session)
    rows = await server.rows("SELECT subject FROM problem WHERE kind = 'duplicate_identity'")
    for session in stack:
        await session.close()

    assert rows == [("station:1",)] * problems


async def test_two_boxes_of_one_name_behind_one_address_are_told_by_their_serials(server: Server) -> None:
    await server.register("CS-1")
    for serial in ("A-1", "A-1", "B-2", "A-1"):
        async with connected(server) as client:
            await client.call("BootNotification", box(serial))

    ((subject, details),) = await server.rows("SELECT subject, details FROM problem WHERE kind = 'duplicate_identity'")
    assert subject == "station:1"
    assert [one["serial"] for one in orjson.loads(details)["devices"]] == ["A-1", "B-2"]


async def test_a_box_that_another_has_replaced_is_no_second_one(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.call("BootNotification", box("A-1"))
    await server.restart()
    for _time in range(3):
        async with connected(server) as client:
            await client.call("BootNotification", box("B-2"))

    assert await server.rows("SELECT id FROM problem WHERE kind = 'duplicate_identity'") == []


async def test_boxes_that_push_each_other_out_without_a_boot_are_asked_who_they_are(server: Server) -> None:
    await server.register("CS-1")
    async with AsyncExitStack() as stack:
        for number in range(3 * (SWAPS_MAX + 1)):
            client = await stack.enter_async_context(connected(server))
            await client.call("Heartbeat", {})
            if number % (SWAPS_MAX + 1) == SWAPS_MAX:
                await server.listener.registry.ping_all()
                assert (await client.receive())[3] == {"requestedMessage": "BootNotification"}
                await client.call("BootNotification", box(f"A-{number % 2}"))

    ((details,),) = await server.rows("SELECT details FROM problem WHERE kind = 'duplicate_identity'")
    assert [one["serial"] for one in orjson.loads(details)["devices"]] == ["A-0", "A-1"]


def box(serial: str) -> dict[str, str]:
    return {"chargePointVendor": "Vendor", "chargePointModel": "Model", "chargePointSerialNumber": serial}


@pytest.mark.parametrize("change", ["retire", "password", "tls"])
async def test_who_may_not_go_on_as_before_is_disconnected_whoever_has_changed_it(server: Server, change: str) -> None:
    if change == "tls":
        await server.register("CS-1", 1, PASSWORD)
    else:
        await server.register("CS-1")
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        await client.boot()
        if change == "retire":
            await server.store.write(admission.retire, STATION, By(ACTOR, server.now_ms()))
        else:
            profile = 2 if change == "tls" else 1
            hashed = hash_password(SITE_KEY, PASSWORD.encode())
            await server.store.write(credentials.secure, STATION, profile, hashed, By(ACTOR, server.now_ms()))

        assert await client.closed() == 1008
    await server.until(lambda: not server.listener.commands.is_online(STATION))


async def test_who_has_shown_already_what_is_asked_for_stays(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        await client.boot()
        await server.store.write(admission.rename, STATION, "Gate", By(ACTOR, server.now_ms()))
        await server.store.write(credentials.secure, STATION, 0, None, By(ACTOR, server.now_ms()))
        await server.store.write(admission.approve, STATION, "Gate", By(ACTOR, server.now_ms()))

        for _turn in range(5):
            assert "currentTime" in await client.call("Heartbeat", {})


async def test_who_knocked_without_a_password_is_not_let_in_where_one_is_asked_for(server: Server) -> None:
    async with connected(server) as client:
        assert (await client.boot())["status"] == "Pending"
        await server.register("CS-1", 1, PASSWORD)

        assert await client.closed() == 1008


async def test_the_end_of_the_program_closes_with_1001(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
        await server.listener.registry.close()

        assert await client.closed() == 1001


async def test_a_station_that_answers_pings_stays(client: Client, server: Server) -> None:
    await client.boot()
    for _ in range(3 * MISSES_MAX):
        await server.listener.registry.ping_all()
        # The client's library answers the ping before it reads on; the heartbeat's answer shows that the pong was read.
        assert "currentTime" in await client.call("Heartbeat", {})

    assert server.listener.commands.is_online(STATION)
    connection = server.listener.registry.of(STATION)
    assert connection is not None
    assert connection.ponged


async def test_a_station_that_once_answered_and_is_silent_now_is_closed(client: Client, server: Server) -> None:
    await client.boot()
    connection = server.listener.registry.of(STATION)
    assert connection is not None
    connection.ponged = True
    for _ in range(MISSES_MAX + 1):
        await server.listener.registry.ping_all()

    assert await client.closed() == 1001


async def test_a_station_that_never_answers_pings_has_until_its_heartbeats_fail(
    server: Server, settings: StationSettings
) -> None:
    settings.heartbeat_interval_s = 120
    await server.register("CS-1")
    async with connected(server, autoping=False) as client:
        await client.boot()
        for _ in range(MISSES_MAX + 2 * 2):
            await server.listener.registry.ping_all()
        assert server.listener.commands.is_online(STATION)
        await server.listener.registry.ping_all()
        await server.until(lambda: not server.listener.commands.is_online(STATION))


async def test_a_wrong_clock_is_reported_once_it_is_certain_and_goes_by_itself(client: Client, server: Server) -> None:
    started = await client.start(at_ms=server.now_ms() - 7_200_000)
    await look_at_clocks(client, server, started, behind_ms=7_200_000)
    assert await clocks(server) == []
    await look_at_clocks(client, server, started, behind_ms=7_200_000)
    assert await clocks(server) == [("station:1", None)]
    ((skew_ms,),) = await server.rows("SELECT clock_skew_ms FROM station")
    assert abs(skew_ms + 7_200_000) < 60_000

    await look_at_clocks(client, server, started, behind_ms=0)
    ((_, over_ms),) = await clocks(server)
    assert over_ms is not None


async def test_readings_that_waited_while_the_server_was_away_do_not_make_a_clock_wrong(
    client: Client, server: Server
) -> None:
    now_ms = server.now_ms()
    started = await client.start(at_ms=now_ms - 41 * MINUTE_MS)
    for minute in range(40, 0, -1):
        await send_reading(client, started, now_ms - minute * MINUTE_MS)
        if minute % 10 == 0:
            # It sends on for some minutes, for its line is slow.
            server.now_ms = lambda minute=minute: now_ms + (4 - minute // 10) * MINUTE_MS  # type: ignore[misc]
            await server.listener.registry.ping_all()
    await server.listener.registry.ping_all()

    assert await clocks(server) == []


async def test_a_clock_that_was_set_while_the_server_was_away_is_right_again(server: Server) -> None:
    station = await server.register("CS-1")
    await server.store.write(status.clock_skew, station, -7_200_000, server.now_ms())
    await server.restart()
    async with connected(server) as client:
        await client.boot()
        stamp = rfc3339(server.now_ms())
        state = {"connectorId": 1, "status": "Available", "errorCode": "NoError", "timestamp": stamp}
        await client.call("StatusNotification", state)
        await server.listener.registry.ping_all()

    ((_, over_ms),) = await clocks(server)
    assert over_ms is not None


async def look_at_clocks(client: Client, server: Server, started: Any, *, behind_ms: int) -> None:
    """A minute later, after a few readings by the station's clock."""
    later_ms = server.now_ms() + MINUTE_MS
    server.now_ms = lambda: later_ms
    for number in range(OBSERVATIONS):
        await send_reading(client, started, later_ms - behind_ms + number)
    await server.listener.registry.ping_all()


async def send_reading(client: Client, started: Any, at_ms: int) -> None:
    values = [{"timestamp": rfc3339(at_ms), "sampledValue": [{"value": "1200"}]}]
    meter = {"connectorId": 1, "transactionId": started["transactionId"], "meterValue": values}
    await client.call("MeterValues", meter)


async def clocks(server: Server) -> list[Any]:
    return await server.rows("SELECT subject, cleared_at_ms FROM problem WHERE kind = 'clock_skew'")


@given(
    skew_ms=st.integers(-86_400_000, 86_400_000).filter(lambda skew_ms: abs(skew_ms) >= 2 * CHANGE_MS_MIN),
    late_ms=st.lists(st.integers(0, 3_000), min_size=6, max_size=6),
)
def test_a_wrong_clock_is_known_after_two_looks(skew_ms: int, late_ms: list[int]) -> None:
    watch, found = SkewWatch(), None
    for number, late in enumerate(late_ms):
        at_ms = DAY_MS + number * MINUTE_MS
        watch.observe(rfc3339(at_ms + skew_ms - late), at_ms)
        found = watch.changed() or found
        assert number or found is None
    assert found is not None
    assert abs(found - skew_ms) <= 4_000


@given(
    waited_ms=st.integers(60_000, 86_400_000),
    every_ms=st.integers(10_000, 900_000),
    pause_ms=st.integers(0, 5_000),
)
def test_a_queue_that_catches_up_is_no_wrong_clock(waited_ms: int, every_ms: int, pause_ms: int) -> None:
    watch, now_ms, looked_ms = SkewWatch(), 2 * DAY_MS, 2 * DAY_MS
    stamp_ms = now_ms - waited_ms
    while stamp_ms < now_ms:
        if watch.wanted > 0:
            watch.observe(rfc3339(stamp_ms), now_ms)
        stamp_ms, now_ms = stamp_ms + every_ms, now_ms + pause_ms
        if now_ms - looked_ms >= MINUTE_MS:
            looked_ms = now_ms
            assert watch.changed() is None
    watch.observe(rfc3339(now_ms), now_ms)
    assert watch.changed() is None


def test_what_was_long_ago_and_is_told_again_and_again_is_no_wrong_clock() -> None:
    watch = SkewWatch()
    for minute in range(60):
        watch.observe(rfc3339(DAY_MS), 2 * DAY_MS + minute * MINUTE_MS)
        assert watch.changed() is None


def test_a_clock_that_was_set_right_is_reported_at_once() -> None:
    watch = SkewWatch()
    for minute, skew_ms, told in ((0, 60_000, None), (1, 60_000, 60_000), (2, 0, 0), (3, 0, None)):
        at_ms = DAY_MS + minute * MINUTE_MS
        watch.observe(rfc3339(at_ms + skew_ms), at_ms)
        assert watch.changed() == told
        assert watch.changed() is None
