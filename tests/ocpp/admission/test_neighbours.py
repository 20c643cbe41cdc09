"""A charger's name is not a proof: who else says it, from the same network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from appliance.db.stations import newcomers, stations
from appliance.domain.by import By
from appliance.domain.errors import Conflict, NotFound
from appliance.domain.identifiers import StationId
from appliance.ocpp.admission.credentials import FAILURES_AT_HOME_MAX
from appliance.services.ports.stations import CommandAnswer
from appliance.services.stations import admission, credentials
from tests.ocpp.raw import SITE_KEY, Client, Server, basic, connected, handshake_status, hash_password

HOME, ELSEWHERE, THIRD = "127.0.0.1", "127.0.0.2", "127.0.0.3"
STATION = StationId(1)
BY = By("operator:1", 1)
PASSWORD = "0123456789abcdef0123456789abcdef01234567"


@contextlib.asynccontextmanager
async def listening(client: Client) -> AsyncIterator[None]:
    """The charger's own loop, which answers pings and boots when it is asked to."""

    async def listen() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                frame = await client.receive()
                if frame[0] == 2:
                    await client.send(orjson.dumps([3, frame[1], {"status": "Accepted"}]).decode())

    task = asyncio.create_task(listen())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, AssertionError, ConnectionError):
            await task


def device(address: str, mac: str) -> str:
    """A line of the kernel's table."""
    return f"{address}        0x1         0x2         {mac}     *        eth0\n"


async def problems(server: Server) -> list[Any]:
    rows = await server.rows("SELECT details FROM problem WHERE kind = 'newcomer' AND cleared_at_ms IS NULL")
    return [orjson.loads(details) for (details,) in rows]


async def test_while_a_charger_answers_nobody_takes_its_place(client: Client, server: Server) -> None:
    await client.boot()
    started = await client.start()
    async with listening(client):
        assert (await handshake_status(server, address=ELSEWHERE))[0] == 403

    assert not client.socket.closed
    assert "currentTime" in await client.call("Heartbeat", {})
    assert await server.rows("SELECT id FROM session WHERE state = 'running'") == [(started["transactionId"],)]
    (problem,) = await problems(server)
    assert problem["address"] == ELSEWHERE


async def test_who_comes_from_elsewhere_waits_for_staff_and_then_is_the_charger(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    for _turn in range(2):
        assert (await handshake_status(server, address=ELSEWHERE))[0] == 403
    waiting = await server.store.read(newcomers.of_station, STATION)
    assert [one.peer for one in waiting] == [f"ip {ELSEWHERE}"]

    async with connected(server) as old:
        await old.boot()
        await server.store.write(admission.admit, STATION, f"ip {ELSEWHERE}", BY)
        assert await old.closed() == 1008
    async with connected(server, address=ELSEWHERE) as client:
        assert (await client.boot())["status"] == "Accepted"
    assert (await handshake_status(server, address=HOME))[0] == 403
    assert [one["address"] for one in await problems(server)] == [HOME]


async def test_only_a_device_that_waits_can_be_let_in(server: Server) -> None:
    await server.register("CS-1")
    with pytest.raises(NotFound):
        await server.store.write(admission.admit, STATION, f"ip {ELSEWHERE}", BY)


async def test_the_same_mac_is_the_same_charger_at_another_address(server: Server) -> None:
    mac, other = "02:1a:2b:3c:4d:5e", "02:1a:2b:3c:4d:5f"
    server.neighbours = device(HOME, mac) + device(ELSEWHERE, mac) + device(THIRD, other)
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    async with connected(server, address=ELSEWHERE) as client:
        assert (await client.boot())["status"] == "Accepted"

    assert (await handshake_status(server, address=THIRD))[0] == 403
    assert [one["mac"] for one in await problems(server)] == [other]


async def test_another_mac_at_the_chargers_address_waits(server: Server) -> None:
    server.neighbours = device(HOME, "02:1a:2b:3c:4d:5e")
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    server.neighbours = device(HOME, "02:1a:2b:3c:4d:5f")
    assert (await handshake_status(server))[0] == 403


async def test_a_charger_whose_device_is_known_later_is_bound_to_it_then(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    server.neighbours = device(HOME, "02:1a:2b:3c:4d:5e")
    async with connected(server) as client:
        await client.boot()
    assert await server.rows("SELECT bound_to FROM station") == [("mac 02:1a:2b:3c:4d:5e",)]


async def test_behind_one_address_for_all_the_one_that_answers_stays(client: Client, server: Server) -> None:
    """A proxy, a router, or simulated chargers: the address tells nobody apart."""
    await client.boot()
    await server.register("CS-2")
    async with connected(server, "/ocpp/CS-2"), listening(client):
        assert (await handshake_status(server))[0] == 403
    assert "currentTime" in await client.call("Heartbeat", {})


async def test_behind_one_address_for_all_one_that_is_silent_is_replaced(client: Client, server: Server) -> None:
    await client.boot()
    await server.register("CS-2")
    async with connected(server, "/ocpp/CS-2"), connected(server) as again:
        assert (await again.boot())["status"] == "Accepted"


async def test_a_charger_comes_anew_from_its_own_address_at_once(client: Client, server: Server) -> None:
    await client.boot()
    async with connected(server) as again, listening(again):
        assert await client.closed() == 1008


async def test_many_devices_that_say_one_name_push_out_only_each_other(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    for number in range(2, admission.NEWCOMERS_MAX + 5):
        await handshake_status(server, address=f"127.0.0.{number}")
    waiting = await server.store.read(newcomers.of_station, STATION)
    assert len(waiting) == admission.NEWCOMERS_MAX
    async with connected(server) as client:
        assert (await client.boot())["status"] == "Accepted"


async def test_saying_anothers_name_is_slowed_down(server: Server) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    statuses = [(await handshake_status(server, address=ELSEWHERE))[0] for _turn in range(12)]
    assert statuses[0] == 403
    assert statuses[-1] == 429


async def test_what_is_approved_is_the_device_that_was_looked_at(server: Server) -> None:
    async with connected(server):
        pass
    async with connected(server, address=ELSEWHERE):
        pass
    with pytest.raises(Conflict):
        await server.store.write(admission.approve, STATION, "", BY, peer=f"ip {HOME}")
    await server.store.write(admission.approve, STATION, "", BY, peer=f"ip {ELSEWHERE}")
    assert (await handshake_status(server, address=HOME))[0] == 403


async def test_a_charger_with_a_password_may_come_from_anywhere(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    for address in (HOME, ELSEWHERE):
        async with connected(server, headers=basic("CS-1", PASSWORD), address=address) as client:
            assert (await client.boot())["status"] == "Accepted"


async def test_guessing_a_password_is_slowed_from_the_chargers_own_address_too(server: Server) -> None:
    await server.register("CS-1", 1, PASSWORD)
    async with connected(server, headers=basic("CS-1", PASSWORD)) as client:
        await client.boot()
    wrong = basic("CS-1", "not the password")
    statuses = [(await handshake_status(server, headers=wrong))[0] for _turn in range(FAILURES_AT_HOME_MAX + 1)]
    assert statuses == [401] * FAILURES_AT_HOME_MAX + [429]


# --- a password that is sent ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [PASSWORD.encode(), bytes.fromhex(PASSWORD)], ids=["as text", "as bytes"])
async def test_a_password_that_was_sent_holds_once_it_was_used(server: Server, shown: bytes) -> None:
    await server.register("CS-1")
    async with connected(server) as client:
        await client.boot()
    hashed = hash_password(SITE_KEY, PASSWORD.encode())
    await server.store.write(credentials.offer_password, STATION, hashed, BY)

    async with connected(server) as client:  # It has not restarted yet.
        assert (await client.boot())["status"] == "Accepted"
    async with connected(server, headers=basic("CS-1", shown)) as client:
        assert (await client.boot())["status"] == "Accepted"
        for _turn in range(5):
            assert "currentTime" in await client.call("Heartbeat", {})
    assert (await handshake_status(server))[0] == 401
    async with connected(server, headers=basic("CS-1", shown)) as client:
        assert (await client.boot())["status"] == "Accepted"
    assert await server.rows("SELECT security_profile, next_password_hash FROM station") == [(1, None)]


async def test_the_password_before_holds_until_the_new_one_was_used(server: Server) -> None:
    await server.register("CS-1", 1, "the one before")
    hashed = hash_password(SITE_KEY, PASSWORD.encode())
    await server.store.write(credentials.offer_password, STATION, hashed, BY)
    for password, status in (("the one before", 101), (PASSWORD, 101), ("the one before", 401), (PASSWORD, 101)):
        assert (await handshake_status(server, headers=basic("CS-1", password)))[0] == status


async def test_the_command_is_the_key_of_the_security_extensions(client: Client, server: Server) -> None:
    await client.boot()
    sent = asyncio.create_task(server.listener.commands.set_password(STATION, PASSWORD))
    frame = await client.receive()
    assert frame[2:] == ["ChangeConfiguration", {"key": "AuthorizationKey", "value": PASSWORD}]
    await client.send(orjson.dumps([3, frame[1], {"status": "Accepted"}]).decode())
    assert await sent == CommandAnswer(True, "Accepted")
    for message in await server.log_of(1):
        assert PASSWORD not in f"{message.request}{message.answer}"


async def asked_for_a_sign_of_life(server: Server) -> None:
    """The connection that stands is being pinged, because another device says its name."""
    async with asyncio.timeout(20):
        while True:
            standing = server.listener.registry.of(STATION)
            if standing is not None and standing.pings_missed:
                return
            await asyncio.sleep(0)


async def test_a_device_that_comes_while_another_is_approved_does_not_take_its_place(server: Server) -> None:
    async with connected(server):  # Nobody reads, so no ping is answered.
        rival = asyncio.create_task(handshake_status(server, address=ELSEWHERE))
        await asked_for_a_sign_of_life(server)
        await server.store.write(admission.approve, STATION, "", BY, peer=f"ip {HOME}")

        assert (await rival)[0] == 403
    assert await server.rows("SELECT state, bound_to FROM station") == [("approved", f"ip {HOME}")]
    assert [one.peer for one in await server.store.read(newcomers.of_station, STATION)] == [f"ip {ELSEWHERE}"]


async def test_a_device_that_comes_while_its_charger_gets_a_password_needs_it(server: Server) -> None:
    await server.register("CS-1")
    await server.register("CS-2")
    # Two from one address, as behind a router: who is there is asked first.
    async with connected(server), connected(server, "/ocpp/CS-2"):
        again = asyncio.create_task(handshake_status(server))
        await asked_for_a_sign_of_life(server)
        await server.store.write(credentials.secure, STATION, 1, hash_password(SITE_KEY, PASSWORD.encode()), BY)

        assert (await again)[0] == 401


async def test_what_was_read_before_a_device_was_bound_is_not_believed_after_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charger that has just knocked is read again, and that may take longer than its handshake, and come before newer reads."""
    read, connected_by_now, over = server.store.read, asyncio.Event(), asyncio.Event()

    async def slow(query: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(query, *args, **kwargs)
        if query is stations.find_known:
            await (over if found.bound_to else connected_by_now).wait()
        return found

    monkeypatch.setattr(server.store, "read", slow)
    async with connected(server, "/ocpp/NEW") as client:
        connected_by_now.set()
        for _time in range(3):
            assert (await client.boot())["status"] == "Pending"
        over.set()
        assert (await client.boot())["status"] == "Pending"


async def test_one_device_knocks_from_all_its_addresses_as_one(server: Server) -> None:
    server.neighbours = "".join(device(f"127.0.0.{number}", "02:00:00:00:00:99") for number in range(10, 70))
    async with contextlib.AsyncExitStack() as stack:
        for number in range(admission.KNOCKING_OF_ADDRESS_MAX):
            await stack.enter_async_context(connected(server, f"/ocpp/X-{number}", address=f"127.0.0.{10 + number}"))
        assert (await handshake_status(server, "/ocpp/X-99", address="127.0.0.69"))[0] == 404
        async with connected(server, "/ocpp/NEW", address=ELSEWHERE) as charger:
            assert (await charger.boot())["status"] == "Pending"
