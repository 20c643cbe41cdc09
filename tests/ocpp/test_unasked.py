"""A charger charges, and nobody has asked it to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.by import By
from appliance.domain.identifiers import SessionId
from appliance.services.sessions import closing
from tests.support.clocked_site import ClockedSite, clocked_site


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
