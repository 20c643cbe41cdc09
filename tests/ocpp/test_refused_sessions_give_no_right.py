"""A session whose start was refused says nothing for its card, as long as it stays open."""

from __future__ import annotations

import pytest

from appliance.domain.by import By
from appliance.services.cards import cards
from appliance.services.people import people
from tests.ocpp.raw import CARD, Client, Server, stop_payload

POOR = "04B00B01"


@pytest.mark.parametrize(("card", "status"), [("04DEAD01", "Invalid"), (POOR, "Blocked"), ("", "Invalid")])
async def test_a_card_is_refused_as_before_once_a_start_of_it_was(
    client: Client, server: Server, card: str, status: str
) -> None:
    by = By("operator:1", server.now_ms())
    ((group,),) = await server.rows("SELECT group_id FROM person")
    await server.store.write(cards.add, POOR, await server.store.write(people.add, "Karim", group, by), by)
    await client.boot()

    async def shown() -> str:
        return str((await client.call("Authorize", {"idTag": card}))["idTagInfo"]["status"])

    assert await shown() == status
    assert (await client.start(card))["idTagInfo"]["status"] == status
    assert await shown() == status
    assert (await client.start(card, connector=2))["idTagInfo"]["status"] == status


async def test_a_refused_second_session_does_not_outlive_the_first_in_what_the_card_may(client: Client) -> None:
    await client.boot()
    first = await client.start(CARD)
    assert (await client.start(CARD, connector=2))["idTagInfo"]["status"] == "ConcurrentTx"
    assert await client.call("Authorize", {"idTag": CARD}) == {"idTagInfo": {"status": "Accepted"}}
    await client.call("StopTransaction", stop_payload(first["transactionId"]))
    assert (await client.start(CARD))["idTagInfo"]["status"] == "Accepted"
