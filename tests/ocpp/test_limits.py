"""A session that reaches a limit of its card is stopped at the charger, by readings and by the clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from appliance.domain.by import By
from appliance.domain.cards.limits import Limits
from appliance.domain.clock import system_clock
from appliance.domain.identifiers import CardId, StationId
from appliance.services.cards import aliases, unknown
from appliance.services.cards import limits as card_limits
from appliance.services.people import limits as person_limits
from appliance.services.people import pools
from appliance.services.people.pools import About, Own
from appliance.services.stations.commands import RemoteControl
from tests.ocpp.raw import CARD, Server
from tests.support.station import Station

LONG_CARD = "04C1D2E3F4A580"
SHORT = "04C1D2E3"


@pytest.fixture
async def station(server: Server) -> AsyncIterator[Station]:
    """A station with a car, at a site that stops what it wants stopped."""
    async with AsyncExitStack() as stack:
        control = RemoteControl(server.store, server.listener.commands, server.hub, server.clock)
        stack.push_async_callback(control.close)
        await server.register("CS-1")
        station = await stack.enter_async_context(Station.connected(f"{server.url}/ocpp", "CS-1"))
        await station.boot()
        await station.plug_in()
        yield station


async def limit(server: Server, limits: Limits) -> None:
    await server.store.write(card_limits.change, CardId(1), limits, By("operator:1", system_clock()))


async def test_a_session_is_stopped_when_its_card_may_have_no_more(server: Server, station: Station) -> None:
    await limit(server, Limits(session_energy_wh=2_000))
    assert await station.present_card(CARD) == "Accepted"
    await station.charge(1_000)
    await station.charge(950)

    assert await station.expect_call("RemoteStopTransaction") == {"transactionId": 1}
    await station.stop_transaction(reason="Remote")

    ((energy_wh, why, state),) = await server.rows("SELECT energy_wh, stop_wanted, state FROM session")
    assert (energy_wh, why, state) == (1_950, "limit", "ended")


async def test_a_session_is_stopped_when_the_pool_that_pays_may_have_no_more(server: Server, station: Station) -> None:
    by = By("operator:1", system_clock())
    ((person, group),) = await server.rows("SELECT person.id, group_id FROM person")
    pool = await server.store.write(pools.add, About("Acme", group), by)
    await server.store.write(pools.join, pool, person, Own.MOVED, "joins", by)
    await server.store.write(person_limits.change, pool, Limits(month_energy_wh=2_000), by)
    assert await station.present_card(CARD) == "Accepted"
    await station.charge(1_000)
    await station.charge(950)

    assert await station.expect_call("RemoteStopTransaction") == {"transactionId": 1}
    await station.stop_transaction(reason="Remote")

    ((why, limited_by, paid),) = await server.rows("SELECT stop_wanted, limited_by, pool_id FROM session")
    assert (why, limited_by, paid) == ("limit", "pool:month_energy_wh", pool)


async def test_a_session_is_stopped_by_the_clock(server: Server, station: Station) -> None:
    assert await station.present_card(CARD) == "Accepted"
    await station.charge(1_000)
    await limit(server, Limits(session_energy_wh=900))

    await server.store.write(card_limits.watch, system_clock())

    assert await station.expect_call("RemoteStopTransaction") == {"transactionId": 1}


@pytest.mark.parametrize("what", ["place", "time"])
async def test_what_16_has_no_word_for_is_called_blocked(server: Server, station: Station, what: str) -> None:
    await server.register("CS-2")
    in_three_days = (datetime.now(ZoneInfo("Asia/Dhaka")).weekday() + 3) % 7
    await limit(server, Limits(stations=frozenset({2})) if what == "place" else Limits(weekdays=1 << in_three_days))

    assert await station.present_card(CARD) == "Blocked"


async def test_a_card_is_made_somebodys_and_learned_under_another_name_at_the_charger(
    server: Server, station: Station
) -> None:
    assert await station.present_card(LONG_CARD) == "Invalid"
    ((person,),) = await server.rows("SELECT person_id FROM card")
    await server.store.write(unknown.begin_enrol, StationId(1), person, By("operator:1", system_clock()))
    assert await station.present_card(LONG_CARD) == "Accepted"
    await station.stop_transaction()

    ((card,),) = await server.rows("SELECT id FROM card WHERE uid = ?", LONG_CARD)
    assert await station.present_card(SHORT) == "Invalid"
    await server.store.write(aliases.begin_learn, StationId(1), card, By("operator:1", system_clock()))
    assert await station.present_card(SHORT) == "Accepted"
    await station.charge(1_000)
    await station.present_card(SHORT)

    rows = await server.rows("SELECT id_token, card_id, state, energy_wh FROM session ORDER BY id")
    assert rows == [(LONG_CARD, card, "ended", 0), (LONG_CARD, card, "ended", 1_000)]
    assert await server.store.read(unknown.page) == []
