"""A charger charges, and nobody has asked it to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.by import By
from appliance.domain.identifiers import SessionId
from appliance.services.problems import acknowledge
from appliance.services.sessions import closing
from tests.support.clocked_site import ClockedSite, clocked_site
from tests.support.station import Station


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


async def test_charging_without_a_session_for_minutes_is_a_problem_until_it_ends(site: ClockedSite) -> None:
    async with site.station(connectors=2) as station:
        await station.status("Charging", connector=2)
        await site.wait(180)
        assert await site.kinds() == set()
        await site.wait(15)
        (problem,) = await site.problems("no_session")
        assert problem.details["evse"] == 2

        await station.status("Finishing", connector=2)
        await site.wait(15)
        assert await site.kinds() == set()


async def test_a_start_that_comes_after_all_ends_it(site: ClockedSite) -> None:
    async with site.station() as station:
        await station.status("Charging")
        await site.wait(240)
        assert "no_session" in await site.kinds()
        await station.start_transaction("NOBODYS")
        await site.wait(15)

        assert "no_session" not in await site.kinds()


async def test_a_session_that_was_ended_here_while_its_charger_goes_on_is_one(site: ClockedSite) -> None:
    await site.person("04AABBCC", 50_000)
    async with site.station() as station:
        begun = await station.start_transaction("04AABBCC")
        await site.store.write(closing.close_by_hand, SessionId(begun.id), By("operator:1", site.at_ms))
        await site.wait(240)

        assert "no_session" in await site.kinds()


async def test_who_is_offline_may_know_of_a_session_that_we_do_not(site: ClockedSite) -> None:
    async with site.station() as station:
        await station.status("Charging")
        await station.go_offline()
        await site.until(lambda: offline(site))
        await site.wait(600)
        assert "no_session" not in await site.kinds()
        await station.connect()
        await site.wait(150)
        assert "no_session" not in await site.kinds(), "its queue may be long"


async def offline(site: ClockedSite) -> bool:
    return not site.server.listener.commands.online()


# --- energy that nobody pays for ---------------------------------------------------------------------------------------------


async def charged(site: ClockedSite, station: Station, start_wh: int, stop_wh: int) -> int:
    """A session of half an hour; its number."""
    station.connectors[1].register_wh = start_wh
    begun = await station.start_transaction("04AABBCC")
    await site.wait(1800)
    station.connectors[1].register_wh = stop_wh
    await station.stop_transaction()
    return begun.id


async def told(station: Station, register_wh: int, number: int | None = None) -> None:
    """A reading of the first connector, of a transaction or of none."""
    sampled = [{"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
    meter_value = [{"timestamp": station.timestamp(), "sampledValue": sampled}]
    named = {} if number is None else {"transactionId": number}
    await station.call("MeterValues", {"connectorId": 1, "meterValue": meter_value, **named})


async def unbilled(site: ClockedSite) -> list[tuple[int | None, int, int]]:
    """What is told: after which session, at which connector, how much."""
    found = await site.problems("unbilled")
    return [(one.details.get("session"), one.details["evse"], one.details["energy_wh"]) for one in found]


@pytest.mark.parametrize("named", [False, True])
async def test_a_register_that_moves_on_after_the_stop_is_a_problem(site: ClockedSite, named: bool) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station(connectors=2) as station:
        number = await charged(site, station, 0, 5_000)
        for register_wh in (5_020, 5_600, 7_000):
            await site.wait(300)
            await told(station, register_wh, number if named else None)

        assert await unbilled(site) == [(number, 1, 2_000)]
        assert (await site.session(number))["energy_wh"] == 5_000


async def test_what_is_dismissed_comes_again_when_more_flows(site: ClockedSite) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station() as station:
        number = await charged(site, station, 120_000, 125_000)
        await site.wait(300)
        await told(station, 126_000)
        (problem,) = await site.problems("unbilled")
        await site.store.write(acknowledge, problem.id, By("operator:1", site.at_ms))
        for register_wh in (126_000, 126_000, 126_050):
            await site.wait(300)
            await told(station, register_wh)
        assert await unbilled(site) == []

        await site.forget()
        await told(station, 126_000)
        assert await unbilled(site) == []
        await site.wait(300)
        await told(station, 127_500)
        assert await unbilled(site) == [(number, 1, 2_500)]


async def test_so_is_a_start_far_above_the_stop_before(site: ClockedSite) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station() as station:
        number = await charged(site, station, 120_000, 125_000)
        await site.wait(3600)
        await charged(site, station, 128_000, 129_000)
        await site.wait(3600)
        await charged(site, station, 129_040, 130_000)

        assert await unbilled(site) == [(number, 1, 3_000)]


async def test_what_the_stop_of_a_lost_session_says_after_all_is_billed_and_no_problem(site: ClockedSite) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station() as station:
        station.connectors[1].register_wh = 120_000
        lost = (await station.start_transaction("04AABBCC")).id
        await site.wait(900)
        await told(station, 121_000, lost)
        await site.wait(900)
        station.connectors[1].transaction = None
        station.connectors[1].register_wh = 124_000
        await station.start_transaction("04AABBCC")
        assert await unbilled(site) == [(lost, 1, 3_000)]

        stop = {"transactionId": lost, "meterStop": 124_000, "timestamp": station.timestamp()}
        await station.call("StopTransaction", stop)
        assert await unbilled(site) == []
        assert (await site.session(lost))["energy_wh"] == 4_000


@pytest.mark.parametrize(
    ("start_wh", "stop_wh", "waits_s", "readings_wh"),
    [
        (120_000, 125_000, 300, (125_000, 125_040, 125_090)),
        (120_000, 125_000, 300, (124_900, 125_000)),
        (120_000, 125_000, 300, (4_294_967_295, 125_000, 0, 125_000)),
        (120_000, 125_000, 172_800, (126_000, 126_000)),
        (0, 5_000, 300, (4_076_000, 4_076_000)),
        (0, 5_000, 36_000, (4_076_000, 4_076_020)),
    ],
    ids=["it runs down", "lower", "garbage", "it takes some itself", "another count", "another count, later"],
)  # fmt: skip
async def test_what_says_nothing_of_energy_is_no_problem(
    site: ClockedSite, start_wh: int, stop_wh: int, waits_s: int, readings_wh: tuple[int, ...]
) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station() as station:
        await charged(site, station, start_wh, stop_wh)
        for register_wh in readings_wh:
            site.at_ms += waits_s * 1000
            await told(station, register_wh)

        assert await unbilled(site) == []


async def test_another_count_that_moves_on_is_a_problem(site: ClockedSite) -> None:
    await site.person("04AABBCC", 500_000)
    async with site.station() as station:
        number = await charged(site, station, 0, 5_000)
        for step in range(4):
            await site.wait(300)
            await told(station, 4_076_000 + step * 600)

        assert await unbilled(site) == [(number, 1, 1_800)]


async def test_energy_at_a_connector_that_never_had_a_session_is_a_problem_too(site: ClockedSite) -> None:
    async with site.station() as station:
        for step in range(3):
            await site.wait(300)
            await told(station, 120_000 + step * 600)

        assert await unbilled(site) == [(None, 1, 1_200)]
