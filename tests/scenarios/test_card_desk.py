"""The card desk of a whole site, in a process of its own, with a reader whose chip is simulated: what cashier and drivers do, told
through the API, and what is left of it when the server is killed at each step.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from appliance.domain.tag import Kind
from appliance.simulator.nfc import catalogue
from appliance.simulator.nfc.cards import Card
from appliance.simulator.nfc.reader import SimulatedReader
from tests.scenarios.conftest import PATIENCE_S, Json, Site
from tests.support.process import ReadyServer, run

DESK = "reader"
TOP_UP = 50_000


class Office(Site):
    """A site with a card desk."""

    def __init__(self, server: ReadyServer, token: str, stack: AsyncExitStack, simulated: SimulatedReader) -> None:
        super().__init__(server, token, stack)
        self.simulated = simulated

    async def begin(self, what: str, **fields: object) -> int:
        """Something asked of the desk; the number of the job."""
        return int((await self.post(f"/desks/{DESK}/{what}", fields, status=202))["job"])

    async def until_state(self, job: int, *states: str) -> Json:
        """The job, once it has come to this."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found: Json = await self.get(f"/desks/{DESK}/jobs/{job}")
                if found["state"] in states:
                    return found
                await asyncio.sleep(0.05)

    async def until_lying(self, card: Card | None) -> Json | None:
        """What the desk says of the card, once it has read it; with None, once it is gone."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = (await self.get(f"/desks/{DESK}"))["card"]
                if (found and found["uid"]) == (card and uid_of(card)):
                    assert found is None or isinstance(found, dict)
                    return found
                await asyncio.sleep(0.05)

    async def issued(self, card: Card, name: str = "Rahima Khatun") -> Json:
        """A card for somebody new, with a first top-up; the job."""
        job = await self.begin("issue", name=name, topup_minor=TOP_UP, method="cash")
        self.simulated.lay(card)
        return await self.until_state(job, "done")

    async def receipts(self) -> list[int]:
        """The amounts of all receipts, the oldest first."""
        items = (await self.get("/receipts"))["items"]
        return [one["amount_minor"] for one in sorted(items, key=lambda one: one["number"])]

    async def restart(self) -> None:
        """As after a power cut."""
        await self.server.kill()
        await self.server.start()


def uid_of(card: Card) -> str:
    return card.uid.hex().upper()


def ntag213() -> Card:
    return catalogue.make(Kind.NTAG213)


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SimulatedReader]:
    """The chip outlives the server."""
    with SimulatedReader(link=tmp_path / DESK) as reader:
        yield reader


@pytest.fixture
async def office(tmp_path: Path, simulated: SimulatedReader) -> AsyncIterator[Office]:
    """From nothing: `init`, `token create`, `serve --reader`, and a group of people who pay first."""
    data_dir = tmp_path / "site"
    made = await asyncio.to_thread(run, "init", "--data-dir", data_dir, "--currency", "BDT", "--timezone", "Asia/Dhaka")
    assert made.returncode == 0, made.stderr
    words = ("token", "create", "--data-dir", data_dir, "--role", "owner", "--name", "story")
    token = (await asyncio.to_thread(run, *words)).stdout.strip()
    server = ReadyServer(data_dir)
    server.options = ["--reader", str(simulated.path)]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.clean_up)
        await server.start()
        found = Office(server, token, stack, simulated)
        await found.open()
        await found.post("/groups", {"name": "Customers", "policy": "prepaid"})
        yield found
        assert await found.sound()
        assert "Traceback" not in server.log()


async def test_a_card_is_issued_recharged_swiped_lost_replaced_and_given_back(office: Office) -> None:
    await office.price(2_000)
    station = await office.station("GATE-1", behind_s=3 * 3600)
    card, second = ntag213(), ntag213()

    issued = await office.issued(card)
    person = issued["person_id"]
    recharge = await office.begin("recharge", amount_minor=10_000, method="cash")
    await office.until_state(recharge, "done")
    assert (await office.wallet(person))[0] == 60_000

    await station.plug_in()
    assert await station.present_card(uid_of(card)) == "Accepted"
    await station.charge(7_200)
    await station.present_card(uid_of(card))
    await station.unplug()
    assert (await office.wallet(person))[0] == 45_600

    office.simulated.take()
    replacing = await office.begin("replace", old_card_id=issued["card_id"])
    office.simulated.lay(second)
    await office.until_state(replacing, "done")
    assert await station.present_card(uid_of(card)) in ("Blocked", "Invalid")
    assert (await office.wallet(person))[0] == 45_600
    await station.plug_in()
    assert await station.present_card(uid_of(second)) == "Accepted"
    await station.charge(3_600)
    await station.present_card(uid_of(second))
    await station.unplug()
    assert (await office.wallet(person))[0] == 38_400

    returning = await office.begin("decommission", refund=True, rest=True, method="cash")
    await office.until_state(returning, "done")
    assert (await office.wallet(person))[0] == 0
    assert await station.present_card(uid_of(second)) in ("Blocked", "Invalid")
    assert await office.receipts() == [TOP_UP, 10_000, -38_400]
    assert not second.locked


async def test_the_card_on_the_reader_is_shown_with_its_holder(office: Office) -> None:
    card = ntag213()
    issued = await office.issued(card)
    await office.restart()
    shown = await office.until_lying(card)
    assert shown is not None
    assert (shown["ours"], shown["person_id"], shown["number"]) == (True, issued["person_id"], 1)
    office.simulated.take()
    assert await office.until_lying(None) is None


async def test_a_server_killed_at_any_write_finishes_the_card_once_when_it_is_back(office: Office) -> None:
    writes, was_killed = 0, True
    while was_killed:
        card, before = ntag213(), await office.receipts()
        office.simulated.lay(card)
        await office.until_lying(card)
        office.simulated.tear_after_writes(writes)
        job = await office.begin("issue", name=f"Driver {writes}", topup_minor=TOP_UP, method="cash")
        was_killed = await mishap_before_done(office, job)
        await office.restart()
        office.simulated.lay(card)
        done = await office.until_state(job, "done")
        assert (await office.receipts())[len(before) :] == [TOP_UP]
        assert await office.wallet(done["person_id"]) == (TOP_UP, TOP_UP)
        shown = await office.until_lying(card)
        assert shown is not None
        assert (shown["origin"], shown["content"], shown["locked"]) == ("ours", "written", True)
        writes += 1
    assert writes > 5


async def test_what_waited_for_a_card_when_the_server_was_killed_is_given_up_and_nothing_was_booked(
    office: Office,
) -> None:
    job = await office.begin("issue", name="Rahima Khatun", topup_minor=TOP_UP, method="cash")
    await office.restart()
    found = await office.until_state(job, "failed")
    assert found["advice_code"] == "restarted"
    office.simulated.lay(ntag213())
    read = await office.begin("read")
    await office.until_state(read, "done")
    assert await office.receipts() == []
    assert (await office.get("/people"))["items"] == []


async def mishap_before_done(office: Office, job: int) -> bool:
    """Whether the card was pulled away; it is not when the job was done before that."""
    async with asyncio.timeout(PATIENCE_S):
        while not office.simulated.mishap.is_set():
            if (await office.get(f"/desks/{DESK}/jobs/{job}"))["state"] == "done":
                return False
            await asyncio.sleep(0.01)
    return True
