"""The card desk of a whole site, in a process of its own, with a reader whose chip is simulated: what cashier and drivers do, told
through the API. What is left of it when the server is killed in the middle of a write is in test_card_desk_killed.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.domain.cards.tag import Kind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.support.desk_site import DESK, TOP_UP, DeskSiteFixture, open_desk_site, uid_of


def ntag213() -> Card:
    return catalogue.make(Kind.NTAG213)


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedReader]:
    """The chip outlives the server."""
    with SimulatedReader(link=tmp_path / DESK) as reader:
        yield reader


@pytest.fixture
async def site(tmp_path: Path, simulated: SimulatedReader) -> AsyncIterator[DeskSiteFixture]:
    """A site with a card desk."""
    async with open_desk_site(tmp_path, simulated) as found:
        yield found


async def test_a_card_is_issued_recharged_swiped_lost_replaced_and_given_back(site: DeskSiteFixture) -> None:
    await site.price(2_000)
    station = await site.station("GATE-1", behind_s=3 * 3600)
    card, second = ntag213(), ntag213()

    issued = await site.issued(card)
    person = issued["person_id"]
    recharge = await site.begin("recharge", amount_minor=10_000, method="cash")
    await site.until_state(recharge, "done")
    assert (await site.wallet(person))[0] == 60_000

    await station.plug_in()
    assert await station.present_card(uid_of(card)) == "Accepted"
    await station.charge(7_200)
    await station.present_card(uid_of(card))
    await station.unplug()
    assert (await site.wallet(person))[0] == 45_600

    site.simulated.take()
    replacing = await site.begin("replace", old_card_id=issued["card_id"])
    site.simulated.lay(second)
    await site.until_state(replacing, "done")
    assert await station.present_card(uid_of(card)) in ("Blocked", "Invalid")
    assert (await site.wallet(person))[0] == 45_600
    await station.plug_in()
    assert await station.present_card(uid_of(second)) == "Accepted"
    await station.charge(3_600)
    await station.present_card(uid_of(second))
    await station.unplug()
    assert (await site.wallet(person))[0] == 38_400

    returning = await site.begin("decommission", refund=True, rest=True, method="cash")
    await site.until_state(returning, "done")
    assert (await site.wallet(person))[0] == 0
    assert await station.present_card(uid_of(second)) in ("Blocked", "Invalid")
    assert await site.receipts() == [TOP_UP, 10_000, -38_400]
    assert not second.locked


async def test_the_card_on_the_reader_is_shown_with_its_holder(site: DeskSiteFixture) -> None:
    card = ntag213()
    issued = await site.issued(card)
    await site.restart()
    shown = await site.until_lying(card)
    assert shown is not None
    assert (shown["ours"], shown["person_id"], shown["number"]) == (True, issued["person_id"], 1)
    site.simulated.take()
    assert await site.until_lying(None) is None


async def test_what_waited_for_a_card_when_the_server_was_killed_is_given_up_and_nothing_was_booked(
    site: DeskSiteFixture,
) -> None:
    job = await site.begin("issue", name="Rahima Khatun", topup_minor=TOP_UP, method="cash")
    await site.restart()
    found = await site.until_state(job, "failed")
    assert found["advice_code"] == "restarted"
    site.simulated.lay(ntag213())
    read = await site.begin("read")
    await site.until_state(read, "done")
    assert await site.receipts() == []
    assert (await site.get("/people"))["items"] == []
