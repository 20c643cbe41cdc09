"""A start was asked for, and the station begins it under a name of its own: a constant, nothing, or the id token changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.domain.by import By
from appliance.domain.identifiers import PersonId, SessionId
from appliance.domain.units import rfc3339
from appliance.services.cards import cards
from tests.support.clocked_site import BY, ClockedSite, clocked_site
from tests.support.station import Station

CARD = "04AABBCC"
OTHERS_CARD = "04DDEEFF"


@pytest.fixture(name="site")
async def _site(tmp_path: Path) -> AsyncIterator[ClockedSite]:
    async with clocked_site(tmp_path / "forecourt.db") as site:
        yield site


async def ask(site: ClockedSite, station: Station, evse: int, person: int) -> SessionId:
    """A start that staff asked for, accepted by the station."""
    asked = await site.control.start(await site.number_of(station.identity), evse, BY, person=PersonId(person))
    await station.expect_call("RemoteStartTransaction")
    assert (await asked.answer).accepted
    return asked.session


@pytest.mark.parametrize("token", ["VENDOR-CONST-01", "", "ccbbaa04", "04aabbcc", "04:AA:BB:CC", "REM0000000000000"])
async def test_a_start_on_the_connector_is_the_one_that_was_asked_for(site: ClockedSite, token: str) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(connectors=2) as station:
        asked = await ask(site, station, 2, rahima)
        begun = await station.start_transaction(token, connector=2)
        assert (begun.id, begun.status) == (asked, "Accepted")
        station.connectors[2].register_wh += 2000
        site.at_ms += 1_200_000
        await station.stop_transaction(connector=2)

        session = await site.session(asked)
        assert (session["state"], session["energy_wh"], session["fee_minor"]) == ("ended", 2000, 2400)
        assert await site.kinds() == set()


async def test_the_same_start_again_is_answered_the_same(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        asked = await ask(site, station, 1, rahima)
        await station.start_transaction("VENDOR-CONST-01")
        await station.status("Charging")
        payload = {
            "connectorId": 1,
            "idTag": "VENDOR-CONST-01",
            "meterStart": 1000,
            "timestamp": await began(site, asked),
        }
        for _ in range(2):
            answer = await station.call("StartTransaction", payload)
            assert answer == {"transactionId": asked, "idTagInfo": {"status": "Accepted"}}
    assert await site.server.rows("SELECT id, state FROM session") == [(asked, "running")]


async def began(site: ClockedSite, session: int) -> str:
    """When, as its station says."""
    return rfc3339((await site.session(session))["started_at_ms"])


async def test_two_requests_at_two_connectors_are_told_apart_by_them(site: ClockedSite) -> None:
    rahima, jamal = await site.person(CARD, 50_000), await site.person(OTHERS_CARD, 50_000)
    async with site.station(connectors=2) as station:
        first, second = await ask(site, station, 1, rahima), await ask(site, station, 2, jamal)

        assert (await station.start_transaction("CONST", connector=2)).id == second
        assert (await station.start_transaction("CONST", connector=1)).id == first


async def test_a_request_that_leaves_the_choice_comes_after_one_for_the_connector(site: ClockedSite) -> None:
    rahima, jamal = await site.person(CARD, 50_000), await site.person(OTHERS_CARD, 50_000)
    async with site.station(connectors=2) as station:
        anywhere, here = await ask(site, station, 0, rahima), await ask(site, station, 2, jamal)

        assert (await station.start_transaction("CONST", connector=2)).id == here
        assert (await station.start_transaction("CONST", connector=1)).id == anywhere


async def test_somebody_elses_known_card_is_their_own_start(site: ClockedSite) -> None:
    rahima, jamal = await site.person(CARD, 50_000), await site.person(OTHERS_CARD, 50_000)
    async with site.station() as station:
        asked = await ask(site, station, 1, rahima)
        begun = await station.start_transaction(OTHERS_CARD)

        assert begun.id != asked
        session = await site.session(begun.id)
        assert (session["person_id"], session["state"]) == (jamal, "running")
        assert (await site.session(asked))["state"] == "requested"


async def test_another_card_of_the_same_person_is_theirs_unless_it_is_blocked(site: ClockedSite) -> None:
    rahima = PersonId(await site.person(CARD, 50_000))
    by = By(BY, site.at_ms)
    spare = await site.store.write(cards.add, OTHERS_CARD, rahima, by)
    async with site.station(connectors=2) as station:
        asked = await ask(site, station, 1, rahima)
        assert (await station.start_transaction(OTHERS_CARD)).id == asked
        await station.stop_transaction()

        await site.store.write(cards.block, spare, "lost", by)
        asked = await ask(site, station, 2, rahima)
        begun = await station.start_transaction(OTHERS_CARD, connector=2)
        assert (begun.id != asked, begun.status) == (True, "Blocked")


async def test_a_start_at_another_connector_is_not_the_one(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(connectors=2) as station:
        asked = await ask(site, station, 1, rahima)
        begun = await station.start_transaction("CONST", connector=2)

        assert (begun.id != asked, begun.status) == (True, "Invalid")


async def test_what_began_before_it_was_asked_for_is_not_the_one(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        asked = await ask(site, station, 1, rahima)
        begun = await station.start_transaction("NOBODYS", timestamp=rfc3339(site.at_ms - 600_000))

        assert (begun.id != asked, begun.status) == (True, "Invalid")


async def test_after_the_time_out_it_is_nobodys(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station() as station:
        asked = await ask(site, station, 1, rahima)
        await site.wait(120)
        begun = await station.start_transaction("CONST")

        assert (await site.session(asked))["state"] == "failed"
        assert begun.status == "Invalid"
        assert await site.balance(rahima) == (50_000, 0)


@pytest.mark.parametrize("behind_s", [90, 150, 600, 10_800, 86_400 * 3, 86_400 * 400, -150, -10_800])
@pytest.mark.parametrize("connected_min", [0, 20])
async def test_it_is_the_one_however_wrong_its_clock_is(site: ClockedSite, behind_s: int, connected_min: int) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(behind_s=behind_s) as station:
        site.at_ms += connected_min * 60_000
        asked = await ask(site, station, 1, rahima)
        site.at_ms += 3_000
        begun = await station.start_transaction("VENDOR-CONST-01")

        assert (begun.id, begun.status) == (asked, "Accepted")


async def test_one_that_waited_in_a_queue_is_not_the_one_by_a_wrong_clock_either(site: ClockedSite) -> None:
    rahima = await site.person(CARD, 50_000)
    async with site.station(behind_s=3_600) as station:
        site.at_ms += 600_000
        await station.go_offline()
        site.at_ms += 1_200_000
        await station.start_transaction("NOBODYS")
        site.at_ms += 1_200_000
        await station.connect()
        await station.status("Available")
        asked = await ask(site, station, 1, rahima)
        await station.replay()

        assert (await site.session(asked))["state"] == "requested"
