"""A card may not charge, and its station lets it charge all the same: it is stopped, told to the staff, and nobody's energy is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.by import By
from appliance.services.cards import cards
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Station

CARD = "04AABBCC"


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


async def refused_for(site: ClockedSite, why: str) -> str:
    """A card that is told so."""
    if why == "Invalid":
        return "NOBODYS"
    past_ms = site.at_ms - 60_000
    await site.person(CARD, 100_000, expires_at_ms=past_ms if why == "Expired" else None)
    if why == "Blocked":
        card = (await site.server.rows("SELECT id FROM card WHERE uid = ?", CARD))[0][0]
        await site.store.write(cards.block, card, "lost", By(BY, site.at_ms))
    return CARD


async def asked_to_stop(station: Station) -> int:
    return int((await station.expect_call("RemoteStopTransaction"))["transactionId"])


@pytest.mark.parametrize(
    ("why", "state", "fee_minor"),
    [("Invalid", "review", 0), ("Blocked", "review", 0), ("Expired", "ended", 6000), ("ConcurrentTx", "ended", 6000)],
)
async def test_a_refused_session_that_takes_energy_is_stopped_told_and_billed_to_whom_it_can_be(
    site: ClockedSite, why: str, state: str, fee_minor: int
) -> None:
    card = await refused_for(site, why)
    async with site.station(connectors=2) as station:
        if why == "ConcurrentTx":
            await station.start_transaction(card, connector=2)
        begun = await station.start_transaction(card)
        assert begun.status == why
        assert await site.kinds() <= {"card_twice"}
        station.connectors[1].register_wh += 100
        await station.meter_values()

        assert await asked_to_stop(station) == begun.id
        assert await asked_to_stop(station) == begun.id, "it is repeated"
        (problem,) = await site.problems("refused_charging")
        assert (problem.details["session"], problem.details["status"]) == (begun.id, why)

        station.connectors[1].register_wh += 4900
        site.at_ms += 1_200_000
        await station.stop_transaction()
    session = await site.session(begun.id)
    assert (session["state"], session["energy_wh"], session["fee_minor"]) == (state, 5000, fee_minor)
    reviews = [one.details["why"] for one in await site.problems("review")]
    assert reviews == (["nobody"] if state == "review" else [])


async def test_each_refused_session_of_a_charger_is_named_and_counted_once(site: ClockedSite) -> None:
    begun = []
    async with site.station(connectors=3) as station:
        for number in (1, 2, 3):
            begun.append((await station.start_transaction(f"NOBODYS{number}", connector=number)).id)
            station.connectors[number].register_wh += 500
            site.at_ms += 120_000
            await station.meter_values(connector=number)
        for number in (1, 2, 3):
            site.at_ms += 120_000
            await station.stop_transaction(connector=number)

        (problem,) = await site.problems("refused_charging")
    assert (problem.details["session"], problem.times) == (begun, 3)


async def test_cards_that_are_tried_out_are_not_told_apart_by_the_stops_that_follow(site: ClockedSite) -> None:
    """Over new connections, where nobody waits for the answers."""
    async with site.station(connectors=4) as station:
        begun = {
            number: (await station.start_transaction(f"NOBODYS{number}", connector=number)).id for number in (1, 2, 3)
        }
        for number in begun:
            station.connectors[number].register_wh += 100
            await station.meter_values(connector=number)

        asked = await asked_to_stop(station)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await another_asked_to_stop(station, asked)


async def another_asked_to_stop(station: Station, asked: int) -> None:
    """Come back when another one is; that one is asked for again and again tells no more."""
    while await asked_to_stop(station) == asked:
        pass


async def test_who_is_out_of_money_is_stopped_at_once_however_many_were_refused(site: ClockedSite) -> None:
    await site.person(CARD, 300)
    async with site.station(connectors=3) as station:
        refused = [(await station.start_transaction(f"NOBODYS{number}", connector=number)).id for number in (1, 2)]
        paying = await station.start_transaction(CARD, connector=3)
        for number in (1, 2, 3):
            station.connectors[number].register_wh += 300
            await station.meter_values(connector=number)

        async with asyncio.timeout(3):
            asked = {await asked_to_stop(station) for _ in range(6)}
        assert paying.id in asked
        assert len(asked & set(refused)) == 1


async def test_a_station_that_obeys_is_left_alone(site: ClockedSite) -> None:
    async with site.station() as station:
        begun = await station.start_transaction("NOBODYS")
        await station.meter_values()
        await station.stop_transaction(reason="DeAuthorized")

        assert await site.kinds() == set()
        assert (await site.session(begun.id))["state"] == "ended"


async def test_a_refused_session_without_any_reading_is_seen_by_what_its_connector_says(site: ClockedSite) -> None:
    async with site.station() as station:
        begun = await station.start_transaction("NOBODYS")
        await site.wait(15)
        assert await site.kinds() == set(), "it may be stopping by itself"
        await site.wait(30)

        assert await asked_to_stop(station) == begun.id
        assert "refused_charging" in await site.kinds()


async def test_energy_that_only_the_stop_tells_is_told_too(site: ClockedSite) -> None:
    async with site.station() as station:
        await station.start_transaction("NOBODYS")
        station.connectors[1].register_wh += 2000
        site.at_ms += 1_200_000
        await station.stop_transaction()

    assert {"refused_charging", "review"} <= await site.kinds()


async def test_the_problem_goes_when_the_station_obeys_next_time(site: ClockedSite) -> None:
    async with site.station() as station:
        for energy_wh in (500, 0):
            await station.start_transaction("NOBODYS")
            station.connectors[1].register_wh += energy_wh
            site.at_ms += 600_000
            await station.stop_transaction(reason="DeAuthorized")
            assert ("refused_charging" in await site.kinds()) == bool(energy_wh)


async def test_what_was_charged_offline_was_not_refused_at_the_time(site: ClockedSite) -> None:
    """A queue is replayed: the station is not blamed for what it could not know."""
    await refused_for(site, "Expired")
    async with site.station() as station:
        await station.go_offline()
        await station.start_transaction(CARD)
        await station.charge(5000)
        await station.stop_transaction()
        site.at_ms += 7_200_000
        await station.come_back()

        (session,) = await site.server.rows("SELECT state, fee_minor, stop_wanted FROM session")
        assert session == ("ended", 6000, "")
        assert await site.kinds() == set()


async def test_a_queue_whose_transaction_still_runs_is_stopped_by_the_clock(site: ClockedSite) -> None:
    await refused_for(site, "Expired")
    async with site.station() as station:
        await station.go_offline()
        begun = await station.start_transaction(CARD)
        await station.charge(2000)
        site.at_ms += 7_200_000
        await station.come_back()
        await site.wait(45)

        assert await asked_to_stop(station) == begun.id


async def test_it_is_known_after_a_restart_too(site: ClockedSite) -> None:
    async with site.station() as station:
        begun = await station.start_transaction("NOBODYS")
        await site.forget()
        station.connectors[1].register_wh += 300
        await station.meter_values()

        assert await asked_to_stop(station) == begun.id
