"""What a stop tells of cards: of its session's own and of its holder's others, and the same of all the rest."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from appliance.domain.by import By
from appliance.domain.identifiers import CardId, PersonId
from appliance.ocpp.connection.refused_cards import CARDS_MAX
from appliance.services.cards import cards
from appliance.services.people import people
from tests.ocpp.raw import CARD, Client, Payload, Server, stop_payload

FAMILY = "04FA0001"
POOR = "04B00B01"
BLOCKED = "04B10C01"
UNKNOWN = "04DEAD01"


@pytest.fixture(name="cards_of_all_kinds", autouse=True)
async def _cards(server: Server) -> None:
    by = By("operator:1", server.now_ms())
    ((rahima, group),) = await server.rows("SELECT id, group_id FROM person")
    await server.store.write(cards.add, FAMILY, PersonId(rahima), by)
    poor = await server.store.write(people.add, "Karim", group, by)
    await server.store.write(cards.add, POOR, poor, by)
    blocked = await server.store.write(cards.add, BLOCKED, poor, by)
    await server.store.write(cards.block, CardId(blocked), "lost", by)


@pytest.mark.parametrize("ref", [999_999, -1, 0, None, "running"])
async def test_a_stop_of_nothing_that_it_began_tells_the_same_of_every_card(
    client: Client, ref: int | str | None
) -> None:
    await client.boot()
    told: list[Payload] = []
    for card in (UNKNOWN, POOR, BLOCKED) if ref == "running" else (UNKNOWN, CARD, FAMILY, POOR, BLOCKED):
        number = (await client.start())["transactionId"] if ref == "running" else ref
        told.append(await client.call("StopTransaction", stop_payload(0, idTag=card) | {"transactionId": number}))

    assert told == [{}] * len(told)


async def test_its_own_card_and_the_holders_others_are_told_of(client: Client) -> None:
    await client.boot()
    for card, told in ((CARD, {"status": "Accepted"}), (FAMILY, {"status": "Accepted", "parentIdTag": "PERSON1"})):
        number = (await client.start())["transactionId"]
        for _again in range(2 if card == CARD else 1):
            answer = await client.call("StopTransaction", stop_payload(number, idTag=card))
            assert answer == {"idTagInfo": told}


async def test_where_cards_are_tried_out_stops_are_answered_as_slowly(client: Client) -> None:
    await client.boot()
    for number in range(CARDS_MAX):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})
    await client.send(orjson.dumps([2, "guess", "StopTransaction", stop_payload(999_999, idTag=CARD)]).decode())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.receive()
