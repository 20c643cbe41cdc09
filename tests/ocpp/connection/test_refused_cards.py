"""When cards are tried out, and what is slowed down then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from appliance.ocpp.connection.refused_cards import CARDS_MAX, WINDOW_MS, RefusedCards
from appliance.services.announce import Announcement, SessionChanged
from tests.ocpp.raw import CARD, Client, Server, start_payload


def test_many_different_cards_are_too_many_and_the_same_one_never_is() -> None:
    watch = RefusedCards()
    assert not any(watch.note("04AA", at) for at in range(10 * CARDS_MAX))
    told = [watch.note(f"04{number:06X}", 1000 + number) for number in range(2 * CARDS_MAX)]

    assert told.count(True) == 1
    assert watch.slow_until_ms > 1000 + WINDOW_MS


def test_as_many_over_a_day_are_not() -> None:
    watch = RefusedCards()
    assert not any(watch.note(f"04{number:06X}", number * WINDOW_MS) for number in range(10 * CARDS_MAX))
    assert watch.slow_until_ms == 0


async def test_cards_that_are_tried_out_are_answered_slowly_and_the_staff_are_told(
    client: Client, server: Server
) -> None:
    await client.boot()
    for number in range(CARDS_MAX):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})
    rows = await server.rows("SELECT subject, details FROM problem WHERE kind = 'cards_tried'")
    assert [(subject, orjson.loads(details)["cards"]) for subject, details in rows] == [("station:1", CARDS_MAX)]

    await client.send(orjson.dumps([2, "guess", "Authorize", {"idTag": "04BADBAD"}]).decode())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.receive()


def torn_start(card: str) -> str:
    """It breaks off within its time."""
    return orjson.dumps([2, f"t{card}", "StartTransaction", start_payload(card)]).decode()[:-5]


def start_as_text(card: str) -> str:
    return orjson.dumps([2, f"t{card}", "StartTransaction", orjson.dumps(start_payload(card)).decode()]).decode()


def start_as_list(card: str) -> str:
    return orjson.dumps([2, f"t{card}", "StartTransaction", [start_payload(card)]]).decode()


def start_with_odd_register(card: str) -> str:
    return orjson.dumps([2, f"t{card}", "StartTransaction", start_payload(card) | {"meterStart": [1]}]).decode()


@pytest.mark.parametrize("odd", [torn_start, start_as_text, start_as_list, start_with_odd_register])
async def test_odd_starts_try_out_cards_as_all_others(client: Client, odd: Callable[[str], str]) -> None:
    await client.boot()
    for number in range(CARDS_MAX):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})

    await client.send(odd(CARD))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.receive()


async def test_a_start_is_recorded_at_once_however_slowly_it_is_answered(client: Client, server: Server) -> None:
    await client.boot()
    for number in range(CARDS_MAX):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})
    heard: list[Announcement] = []
    server.hub.listen(heard.extend)
    await client.send(orjson.dumps([2, "start", "StartTransaction", start_payload()]).decode())
    async with asyncio.timeout(3):
        await server.until(lambda: any(isinstance(one, SessionChanged) and one.what == "started" for one in heard))
    assert (await client.receive())[2]["idTagInfo"]["status"] == "Accepted"


async def test_what_says_nothing_of_cards_is_not_slowed(client: Client) -> None:
    await client.boot()
    for number in range(CARDS_MAX):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})
    async with asyncio.timeout(3):
        for _turn in range(20):
            await client.call("Heartbeat", {})
