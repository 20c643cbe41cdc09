"""A start is asked for at a connector where a session is still open whose stop was lost: what its connector said since decides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.errors import Conflict
from appliance.domain.identifiers import PersonId, SessionId
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Station

CARD, OTHER = "04AABBCC", "04DDEEFF"


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


async def ask(site: ClockedSite, station: Station, person: int, evse: int = 1) -> SessionId:
    asked = await site.control.start(await site.number_of(station.identity), evse, BY, person=PersonId(person))
    await asked.answer
    return asked.session


async def forgotten(site: ClockedSite, station: Station) -> int:
    """A session of 3 kWh of which the station never told the end."""
    begun = await station.start_transaction(CARD)
    for _ in range(3):
        site.at_ms += 600_000
        station.connectors[1].register_wh += 1000
        await station.meter_values()
    station.connectors[1].transaction = None
    return begun.id


@pytest.mark.parametrize("by_its_holder", [True, False])
@pytest.mark.parametrize("after_a_restart", [True, False])
async def test_one_whose_connector_is_free_since_is_billed_as_known_and_the_start_goes_on(
    site: ClockedSite, by_its_holder: bool, after_a_restart: bool
) -> None:
    rahima, jamal = await site.person(CARD, 50_000), await site.person(OTHER, 50_000)
    async with site.station() as station:
        old = await forgotten(site, station)
        site.at_ms += 60_000
        await station.status("Available")
        if after_a_restart:
            await site.forget()
        asked = await ask(site, station, rahima if by_its_holder else jamal)

        assert (await site.session(asked))["state"] == "requested"
        session = await site.session(old)
        assert (session["state"], session["estimated"], session["note"]) == ("ended", 1, "left")
        assert (session["energy_wh"], session["fee_minor"]) == (3000, 3600)


async def test_its_stop_may_come_after_all_and_sets_the_bill_right(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        old = await forgotten(site, station)
        site.at_ms += 60_000
        await station.status("Available")
        await ask(site, station, rahima)
        stop = {"transactionId": old, "meterStop": station.connectors[1].register_wh + 200}
        await station.call("StopTransaction", stop | {"timestamp": station.timestamp()})

        session = await site.session(old)
        assert (session["estimated"], session["energy_wh"], session["fee_minor"]) == (0, 3200, 3840)


async def test_one_whose_connector_says_nothing_or_charges_again_stays(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        old = await forgotten(site, station)
        with pytest.raises(Conflict):
            await ask(site, station, rahima)
        await station.status("Available")
        await station.status("Charging")
        with pytest.raises(Conflict):
            await ask(site, station, rahima)

        assert (await site.session(old))["state"] == "running"


async def test_a_reading_after_that_shows_that_it_goes_on(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        begun = await station.start_transaction(CARD)
        await station.status("Available")
        await station.meter_values()
        with pytest.raises(Conflict):
            await ask(site, station, rahima)

        assert (await site.session(begun.id))["state"] == "running"


async def test_a_start_that_leaves_the_choice_finds_its_card_free_too(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(connectors=2) as station:
        old = await forgotten(site, station)
        site.at_ms += 60_000
        await station.status("Available")
        asked = await ask(site, station, rahima, evse=0)

        assert (await site.session(asked))["id_token"] == CARD
        assert (await site.session(old))["state"] == "ended"


async def test_what_a_start_that_is_refused_would_have_ended_goes_on(site: ClockedSite) -> None:
    """Nothing is half done."""
    await site.person(CARD, 50_000)
    poor = await site.person(OTHER, 0)
    async with site.station() as station:
        old = await forgotten(site, station)
        site.at_ms += 60_000
        await station.status("Available")
        with pytest.raises(Exception, match="money"):
            await ask(site, station, poor)

        assert (await site.session(old))["state"] == "running"
