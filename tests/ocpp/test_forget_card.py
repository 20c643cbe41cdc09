"""Cards that died, forgotten by real stations: the cache cleared, the local list corrected, now or when they are back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import CardId, StationId
from appliance.ocpp.settings import StationSettings
from appliance.ocpp.v16.outgoing import ENTRIES_AT_ONCE
from appliance.services.announce import Announcement, CardRevoked
from appliance.services.cards import cards, revocation
from appliance.services.cards.revocation import Revocation
from appliance.services.ports.stations import CommandAnswer, CommandFailed
from appliance.simulator.charger import Authorization
from appliance.simulator.station import Station as SimulatedBox
from appliance.simulator.v16.charge_point import ChargePoint, Options
from tests.ocpp.raw import CARD, TIMEOUT_S, Server
from tests.support.station_line import RawStation

STATION = StationId(1)
TOKENS = ("04A1B2C3D4E580", "04A1B2C3")
BACKWARDS = "C3B2A104"
HOUR_MS = 3_600_000
YES = CommandAnswer(accepted=True, status="Accepted")


@asynccontextmanager
async def line(server: Server, identity: str = "CS-1") -> AsyncIterator[RawStation]:
    """A registered station, connected and booted."""
    await server.register(identity)
    async with RawStation.connected(f"{server.url}/ocpp", identity) as station:
        await station.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        yield station


@pytest.fixture
async def station(server: Server) -> AsyncIterator[RawStation]:
    async with line(server) as station:
        yield station


def list_of(version: int, *tokens: str) -> dict[str, Any]:
    """A SendLocalList.req that removes cards."""
    entries = [{"idTag": token} for token in tokens]
    return {"listVersion": version, "updateType": "Differential", "localAuthorizationList": entries}


async def asked(station: RawStation) -> list[tuple[str, Any]]:
    """What the server has asked so far, of cache and list."""
    found = []
    for action in ("ClearCache", "GetLocalListVersion", "SendLocalList"):
        calls = station._calls[action]  # looked at, for what must not have come
        while not calls.empty():
            found.append((action, calls.get_nowait().payload))
    return found


# --- the command -----------------------------------------------------------------------------------------------------------


async def test_a_station_without_a_list_clears_its_cache(server: Server, station: RawStation) -> None:
    assert await server.listener.commands.forget_card(STATION, TOKENS) == YES
    assert [action for action, _ in await asked(station)] == ["ClearCache", "GetLocalListVersion"]


async def test_a_local_list_loses_the_cards(server: Server, station: RawStation) -> None:
    station.answers["GetLocalListVersion"] = {"listVersion": 7}

    assert await server.listener.commands.forget_card(STATION, (*TOKENS, "LONGER-THAN-TWENTY-SIGNS")) == YES
    assert (await asked(station))[-1] == ("SendLocalList", list_of(8, *TOKENS))


async def test_a_long_list_of_cards_goes_in_parts(server: Server, station: RawStation) -> None:
    versions = iter([7])
    station.answers["GetLocalListVersion"] = lambda _: {"listVersion": next(versions)}
    tokens = tuple(f"04{number:06X}" for number in range(ENTRIES_AT_ONCE + 3))

    assert await server.listener.commands.forget_card(STATION, tokens) == YES
    sent = [payload for action, payload in await asked(station) if action == "SendLocalList"]
    assert sent == [list_of(8, *tokens[:ENTRIES_AT_ONCE]), list_of(9, *tokens[ENTRIES_AT_ONCE:])]


async def test_a_list_that_somebody_else_changed_is_asked_for_again(server: Server, station: RawStation) -> None:
    versions, words = iter([7, 11]), iter(["VersionMismatch", "Accepted"])
    station.answers["GetLocalListVersion"] = lambda _: {"listVersion": next(versions)}
    station.answers["SendLocalList"] = lambda _: {"status": next(words)}

    assert await server.listener.commands.forget_card(STATION, TOKENS) == YES
    assert (await asked(station))[-1] == ("SendLocalList", list_of(12, *TOKENS))


@pytest.mark.parametrize("version", [-1, 0, "x", None])
async def test_a_station_that_has_no_list_is_sent_none(server: Server, station: RawStation, version: object) -> None:
    station.answers["GetLocalListVersion"] = {"listVersion": version}

    assert await server.listener.commands.forget_card(STATION, TOKENS) == YES
    assert "SendLocalList" not in dict(await asked(station))


async def test_a_station_that_knows_neither_is_no_failure(server: Server, station: RawStation) -> None:
    for action in ("ClearCache", "GetLocalListVersion"):
        del station.answers[action]

    assert await server.listener.commands.forget_card(STATION, TOKENS) == CommandAnswer(False, "NotSupported")


async def test_a_list_that_cannot_be_changed_is_told(server: Server, station: RawStation) -> None:
    station.answers["GetLocalListVersion"] = {"listVersion": 7}
    station.answers["SendLocalList"] = {"status": "Failed"}
    assert await server.listener.commands.forget_card(STATION, TOKENS) == CommandAnswer(False, "Failed")

    del station.answers["SendLocalList"]
    assert await server.listener.commands.forget_card(STATION, TOKENS) == CommandAnswer(False, "NotSupported")


async def test_a_station_that_is_away_cannot_be_told(server: Server) -> None:
    await server.register("CS-1")
    with pytest.raises(CommandFailed) as failure:
        await server.listener.commands.forget_card(STATION, TOKENS)
    assert failure.value.kind == "offline"


# --- the service that gives it ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def watching(server: Server) -> AsyncIterator[Revocation]:
    """The service, as the server begins and ends it."""
    dead = Revocation(server.store, server.listener.commands, server.hub, server.clock)
    await dead.open()
    try:
        yield dead
    finally:
        await dead.close()


def block(db: Database) -> None:
    cards.block(db, CardId(1), "lost", By("operator:1", system_clock()))


def last_seen(db: Database, station: StationId, at_ms: int) -> None:
    db.execute("UPDATE station SET seen_at_ms = ? WHERE id = ?", (at_ms, station))


async def test_a_blocked_card_is_forgotten_everywhere_at_once(server: Server) -> None:
    async with watching(server) as dead, line(server, "CS-1") as one, line(server, "CS-2") as two:
        await dead.settled()
        two.answers["GetLocalListVersion"] = {"listVersion": 3}
        await server.store.write(block)

        assert await one.expect_call("ClearCache") == {}
        assert await two.expect_call("SendLocalList") == list_of(4, CARD, BACKWARDS)


async def test_a_station_that_was_away_forgets_when_it_is_back(server: Server) -> None:
    async with watching(server) as dead, line(server) as station:
        await dead.settled()
        assert await asked(station) == []
        await station.go_offline()
        await server.until(lambda: not server.listener.commands.is_online(STATION))
        await server.store.write(block)
        await dead.settled()
        station.answers["GetLocalListVersion"] = {"listVersion": 3}

        await station.connect()

        assert await station.expect_call("SendLocalList") == list_of(4, CARD, BACKWARDS)


async def test_a_station_that_was_away_while_the_server_was_forgets_too(server: Server) -> None:
    async with line(server) as station:
        await station.go_offline()
        await server.until(lambda: not server.listener.commands.is_online(STATION))
        await server.store.write(block)
        await server.restart()
        station.url = f"{server.url}/ocpp"
        async with watching(server):
            await station.connect()

            assert await station.expect_call("ClearCache") == {}


async def test_a_station_that_has_missed_nothing_is_left_alone(server: Server) -> None:
    async with watching(server) as dead, line(server) as station:
        await station.go_offline()
        await server.until(lambda: not server.listener.commands.is_online(STATION))
        await station.connect()
        await server.until(lambda: server.listener.commands.is_online(STATION))
        await dead.settled()

        assert await asked(station) == []


async def test_of_stations_that_come_back_together_each_forgets_what_it_has_missed(server: Server) -> None:
    async with line(server, "CS-1") as one, line(server, "CS-2") as two:
        for station in (one, two):
            await station.go_offline()
        await server.until(lambda: not server.listener.commands.online())
        await server.store.write(block)
        await server.store.write(last_seen, StationId(2), system_clock() + HOUR_MS)
        await server.restart()
        async with watching(server) as dead:
            for station in (one, two):
                station.url = f"{server.url}/ocpp"
            await asyncio.gather(one.connect(), two.connect())

            assert await one.expect_call("ClearCache") == {}
            await dead.settled()
            assert await asked(two) == []


class TestAStationThatFails:
    @pytest.fixture
    def settings(self) -> StationSettings:
        return StationSettings(call_timeout_s=0.2)

    async def test_a_station_that_does_not_answer_is_asked_again_at_its_next_sign_of_life(self, server: Server) -> None:
        async with watching(server) as dead, line(server, "CS-1") as deaf, line(server, "CS-2") as well:
            await dead.settled()
            deaf.answer_late("ClearCache")
            await server.store.write(block)
            assert await deaf.expect_call("ClearCache") == {}
            assert await well.expect_call("ClearCache") == {}
            await dead.settled()

            await deaf.release("ClearCache")
            status = {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
            await deaf.call("StatusNotification", status)

            assert await deaf.expect_call("ClearCache") == {}


async def test_a_card_whose_time_has_run_out_is_announced_once(server: Server) -> None:
    now_ms = system_clock()
    heard: list[Announcement] = []
    server.hub.listen(heard.extend)

    def expire(db: Database) -> None:
        db.execute("UPDATE card SET expires_at_ms = ?", (now_ms + 500,))
        for later_ms in (0, 499, 500, 15_000):
            revocation.announce_expired(db, now_ms + later_ms)

    await server.store.write(expire)
    await server.until(lambda: bool(heard))

    assert [one for one in heard if isinstance(one, CardRevoked)] == [CardRevoked(1, (CARD,))]


async def test_a_simulated_charger_lets_a_dead_card_no_longer_charge_offline(server: Server) -> None:
    await server.register("CS-1")
    box = SimulatedBox.of(system_clock, power_w=7400, serial="CS-1")
    point = ChargePoint(box, Options(f"{server.url}/ocpp", "CS-1", sample_interval_s=60, tick_s=0.02))
    point.tokens.listed[CARD.casefold()] = Authorization(accepted=True, status="Accepted")
    point.tokens.list_version = 5
    async with watching(server) as dead:
        task = asyncio.create_task(point.run())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await point.registered.wait()
                assert (await point.authorize(CARD)).accepted
                assert point.tokens.cached
                await dead.settled()

                await server.store.write(block)
                await point.until(lambda: point.tokens.list_version == 6)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert (point.tokens.listed, point.tokens.cached) == ({}, {})
