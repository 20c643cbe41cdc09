"""When cards are tried out, and what is slowed down then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import orjson
import pytest

from appliance.db.engine.unit import Database
from appliance.db.people import groups
from appliance.domain.by import By
from appliance.ocpp.connection.refused_cards import CARDS_MAX, HOMES_MAX, WINDOW_MS, RefusedCards, RefusedThere
from appliance.services.announce import Announcement, SessionChanged
from appliance.services.cards import cards
from appliance.services.people import people
from tests.ocpp.raw import CARD, Client, Server, basic, connected, start_payload


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


def test_where_many_stations_have_one_address_as_many_more_cards_are_too_many() -> None:
    there = RefusedThere()
    told = [there.note("10.0.0.1", f"04{number:06X}", number, stations=3) for number in range(3 * CARDS_MAX)]

    assert told == [False] * (3 * CARDS_MAX - 1) + [True]
    assert there.slow_until_ms("10.0.0.1") > 0
    assert there.slow_until_ms("10.0.0.2") == 0


def test_one_network_of_ipv6_is_one_address_and_the_oldest_are_forgotten() -> None:
    there = RefusedThere()
    for number in range(CARDS_MAX):
        there.note(f"fd00::{number:x}", f"04{number:06X}", number, stations=1)
    assert there.slow_until_ms("fd00::ffff") > 0

    for number in range(HOMES_MAX):
        there.note(f"10.0.{number // 250}.{number % 250}", "04AA", number, stations=1)
    assert there.slow_until_ms("fd00::ffff") == 0


async def try_out(client: Client, cards: int = CARDS_MAX) -> None:
    for number in range(cards):
        await client.call("Authorize", {"idTag": f"04BAD{number:03X}"})


async def is_slow(client: Client) -> bool:
    """Whether it is told after a while whether a card may charge."""
    await client.send(orjson.dumps([2, "guess", "Authorize", {"idTag": CARD}]).decode())
    try:
        async with asyncio.timeout(1):
            await client.receive()
    except TimeoutError:
        return True
    return False


async def test_a_new_connection_is_no_new_station(client: Client, server: Server) -> None:
    await client.boot()
    await try_out(client, CARDS_MAX - 1)
    async with connected(server) as again:
        await again.call("Authorize", {"idTag": "04BADFFF"})
        assert await is_slow(again)
    async with connected(server) as again:
        assert await is_slow(again)


async def test_another_name_at_the_same_address_is_no_way_around(client: Client, server: Server) -> None:
    await client.boot()
    await try_out(client)
    await client.socket.close()
    for name in ("CS-2", "CS-3"):
        await server.register(name)
        async with connected(server, f"/ocpp/{name}") as other:
            assert await is_slow(other)


async def test_who_proves_itself_or_comes_from_elsewhere_is_not_slowed_for_it(client: Client, server: Server) -> None:
    await client.boot()
    await server.register("CS-2", 1, "correct horse battery")
    await server.register("CS-3")
    await try_out(client)
    async with connected(server, "/ocpp/CS-2", headers=basic("CS-2", "correct horse battery")) as proven:
        assert not await is_slow(proven)
    async with connected(server, "/ocpp/CS-3", address="127.0.0.2") as elsewhere:
        assert not await is_slow(elsewhere)


async def test_cards_that_are_known_and_may_not_charge_are_tried_out_as_well(client: Client, server: Server) -> None:
    await client.boot()
    await server.store.write(give_empty_cards)
    for number in range(CARDS_MAX):
        answer = await client.call("Authorize", {"idTag": f"04E0{number:04X}"})
        assert answer["idTagInfo"]["status"] == "Blocked"

    assert await is_slow(client)


def give_empty_cards(db: Database) -> None:
    """Of people who have no money."""
    group = groups.all_by_name(db)[0].id
    for number in range(CARDS_MAX):
        by = By("operator:1", 1)
        cards.add(db, f"04E0{number:04X}", people.add(db, f"Empty {number}", group, by), by)


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


def start_in_other_letters(card: str) -> str:
    return orjson.dumps([["2", f"t{card}", "startTransaction", start_payload(card)]]).decode()


def asks_in_other_letters(card: str) -> str:
    return orjson.dumps([2, f"t{card}", "AUTHORIZE.req", {"id_tag": card}]).decode()


@pytest.mark.parametrize(
    "odd",
    [
        torn_start,
        start_as_text,
        start_as_list,
        start_with_odd_register,
        start_in_other_letters,
        asks_in_other_letters,
    ],
)
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
