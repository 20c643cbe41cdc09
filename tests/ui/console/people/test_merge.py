"""Somebody who was entered twice becomes one: found, told, done once."""

from __future__ import annotations

import re
from typing import Any

from aiohttp.test_utils import TestClient

from appliance.db.people import people
from appliance.db.people.people import Person
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.roles import Role
from appliance.services.cards import cards
from appliance.services.people import people as people_units
from appliance.services.wallets import wallets
from tests.ui.console_fixture import BY, NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
RAHIMA = PersonId(1)
Browser = TestClient[Any, Any]


async def get(client: Browser, path: str) -> str:
    """A page that is there."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def twin(served: ConsoleFixture) -> PersonId:
    """Rahima once more, with a card and some money."""
    person = await served.store.write(people_units.add, "Rahima  khatun", GroupId(1), BY)
    await served.store.write(cards.add, "04F1B2C3", person, BY)
    await served.store.write(wallets.top_up, person, 300_00, "cash", "twin", BY)
    return person


async def person(served: ConsoleFixture, number: PersonId) -> Person:
    found = await served.store.read(people.find, number)
    assert found is not None
    return found


async def test_who_has_the_same_name_is_offered(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    double = await twin(served)

    assert f"/people/{double}/merge" in await get(client, f"/people/{double}")
    assert f"/people/{double}/merge?into={RAHIMA}" in await get(client, f"/people/{double}/merge")
    assert f"/people/{double}/merge?into=2" in await get(client, f"/people/{double}/merge?q=karim")


async def test_cards_and_money_go_to_the_other_one_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    double = await twin(served)
    before = await person(served, RAHIMA)
    html = await get(client, f"/people/{double}/merge?into={RAHIMA}")
    assert "1 card that charges goes to Rahima Khatun." in html
    assert "৳300.00 goes from wallet to wallet." in html
    key = re.search(r'name="key" value="([^"]+)"', html)
    assert key is not None

    form = {"key": key[1], "into": str(RAHIMA)}
    for _time in range(2):
        async with client.post(f"/people/{double}/merge", data=form, headers=OURS) as answer:
            assert answer.url.path == f"/people/{RAHIMA}"
            assert "From wallet to wallet" in await answer.text()
    after = await person(served, RAHIMA)
    assert (after.balance_minor, after.cards) == (before.balance_minor + 300_00, before.cards + 1)
    assert (await person(served, double)).closed_at_ms == NOW_MS


async def test_who_charges_right_now_is_not_merged(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    html = await get(client, "/people/2/merge?into=1")
    key = re.search(r'name="key" value="([^"]+)"', html)
    assert key is not None
    async with client.post("/people/2/merge", data={"key": key[1], "into": "1"}, headers=OURS) as answer:
        assert answer.status == 409
        assert "Karim Ahmed has a session running." in await answer.text()


async def test_cashiers_are_not_offered_to_merge(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    assert "/merge" not in await get(client, "/people/1")
