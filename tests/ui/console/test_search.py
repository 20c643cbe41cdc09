"""People are looked for in many places, and found by the same in all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestServer

from appliance.db.engine.store import Store
from appliance.db.people import people, people_search
from appliance.domain.id_token import IdToken
from appliance.domain.identifiers import CardId, GroupId, PersonId
from appliance.domain.roles import Role
from appliance.services.announce import Hub
from appliance.services.cards import aliases, cards
from appliance.services.operators import tokens
from appliance.services.people import people as people_units
from appliance.services.sessions import start_requests
from appliance.services.wallets import wallets
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from tests.support.one_desk import OneDesk
from tests.ui.console_fixture import BY, DESK_KEY, NOW_MS, ConsoleFixture, open_console

EMILE, RAHIMA, KARIM = "Émile Roy", "Rahima Khatun", "Karim Ahmed"
SEEKER = "Somebody Else"
START = "/stations/CS-02/1/start?q={}"
PLACES = (
    "/people?q={}", "/search?q={}", START, "/desk/counter?q={}", "/people/6/merge?q={}",
    "/cards/unknown/new?token=XYZ&station=1&q={}", "/sessions?person={}", "/api/v1/people?text={}",
)  # fmt: skip
FOUND = [
    ("১৭১২", {RAHIMA}),
    ("۱۷۱۲", {RAHIMA}),
    ("01712-345678", {RAHIMA}),
    ("01712 345 678", {RAHIMA}),
    ("00880 1712 345678", {RAHIMA}),
    ("+880 1911 223344", {EMILE}),
    ("+8801911223344", {EMILE}),
    ("8801911223344", {EMILE}),
    ("01911", {EMILE}),
    ("345678", {RAHIMA}),
    ("KARIM", {KARIM}),
    ("ÉMILE", {EMILE}),
    ("émile", {EMILE}),
    ("0% off", {EMILE}),
    ("f_p", {EMILE}),
    ("f%p", set()),
    ("r_h", set()),
    ("0005", {EMILE}),
    ("#5", {EMILE}),
    ("vid:77", {EMILE}),
    ("04:e1:b2:c3", {EMILE}),
    ("c3 d4 e5", {EMILE}),
]


@pytest.fixture(name="served")
async def _yard(tmp_path: Path) -> AsyncIterator[ConsoleFixture]:
    """With a desk, and with somebody about whom everything is known."""
    made: list[OneDesk] = []
    served: ConsoleFixture

    def desks(store: Store, hub: Hub) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: served.now_ms))
        return made[0]

    async with open_console(tmp_path, desks=desks) as served, made[0].running():
        emile = await served.store.write(
            lambda db: people_units.add(db, EMILE, GroupId(1), BY, phone="০১৯১১-২২৩৩৪৪", note="50% off_peak")
        )
        assert emile == 5
        card = await served.store.write(cards.add, "04E1B2C3D4E580", emile, BY)
        await served.store.write(aliases.add, "VID:77", card, BY)
        seeker = await served.store.write(people_units.add, SEEKER, GroupId(1), BY)
        assert seeker == PersonId(6)
        yield served


async def found_at(served: ConsoleFixture, place: str, text: str, role: Role = Role.OWNER) -> set[str]:
    """Who of the three is on the page."""
    client = await served.logged_in(role)
    address = place.format(urlencode({"": text})[1:])
    if place.startswith("/api"):
        async with TestServer(create_console(served.console, more=API)) as server:
            token = await served.store.write(tokens.create_token, text, role, by=BY)
            headers = {"Authorization": f"Bearer {token}"}
            async with client.session.get(
                server.make_url("/").join(server.make_url(address)), headers=headers
            ) as answer:
                items = (await answer.json())["items"]
        return {item.get("name", item.get("person")) for item in items} & {EMILE, RAHIMA, KARIM}
    async with client.get(address) as answer:
        assert answer.status == 200
        html = await answer.text()
    return {name for name in (EMILE, RAHIMA, KARIM) if name in html}


@pytest.mark.parametrize("place", PLACES)
async def test_people_are_found_by_the_same_everywhere(served: ConsoleFixture, place: str) -> None:
    found = [(text, await found_at(served, place, text)) for text, _names in FOUND]

    assert found == FOUND


@pytest.mark.parametrize("place", ["/cards?q={}", "/api/v1/cards?text={}"])
async def test_cards_are_found_by_the_same_everywhere(served: ConsoleFixture, place: str) -> None:
    wanted = [(text, {EMILE}) for text in ("0005", "৫", "#5", "vid:77", "04:e1:b2", "émile")]
    wanted += [("%", set()), ("r_h", set()), ("khatun", {RAHIMA}), ("0001", {RAHIMA})]

    assert [(text, await found_at(served, place, text)) for text, _names in wanted] == wanted


async def test_who_may_see_no_telephone_numbers_finds_people_by_their_names_only(served: ConsoleFixture) -> None:
    hidden = ("১৭১২", "345678", "01712345678", "0005", "vid:77", "04E1B2C3D4E580", "0% off", "%", "_")

    assert [text for text in hidden if await found_at(served, START, text, Role.GUARD)] == []
    assert await found_at(served, START, "ÉMILE", Role.GUARD) == {EMILE}


SHAPES = (
    "0005", "#5", " ০০০৫ ", "04:e1:b2:c3:d4:e5:80", "80e5d4c3b2e104", "vid:77", str(int("04E1B2C3D4E580", 16)),
    "http://192.168.1.10:8081/card/{}", "http://192.168.1.10:8081/card/{}?p=00&m=00",
)  # fmt: skip
"""How a card may be meant: printed number, UID and its bytes backwards, a charger's name for it, decimal, its link."""


async def shapes(served: ConsoleFixture) -> list[str]:
    card = (await served.store.read(people_search.cards, text=EMILE))[0]
    return [shape.format(card.token) for shape in SHAPES]


@pytest.mark.parametrize(("place", "target"), [("/search", "/people/5"), ("/desk/counter", "/desk/counter?card=5")])
async def test_a_card_is_meant_by_the_same_everywhere(served: ConsoleFixture, place: str, target: str) -> None:
    client = await served.logged_in(Role.CASHIER)
    opened = {}
    for text in await shapes(served):
        async with client.get(place, params={"q": text}, allow_redirects=False) as answer:
            opened[text] = answer.headers.get("Location", "")

    assert opened == dict.fromkeys(opened, target)


async def test_a_start_is_for_the_card_that_is_meant(served: ConsoleFixture) -> None:
    await served.store.write(wallets.top_up, PersonId(5), 500_00, "cash", "first", BY)
    client = await served.logged_in(Role.GUARD)
    for text in await shapes(served):
        served.stations.asked.clear()
        async with client.post(
            "/stations/CS-02/1/start",
            data={"card": text},
            headers={"Sec-Fetch-Site": "same-origin"},
            allow_redirects=False,
        ) as answer:
            assert answer.status == 303, text
        assert served.stations.asked == [("remote_start", 2, 1, IdToken("04E1B2C3D4E580"))], text
        for session in await served.store.read(people.running_of, PersonId(5)):
            await served.store.write(start_requests.cancel, session, "cancelled", NOW_MS)


async def test_what_is_the_name_of_one_card_is_not_the_number_of_another(served: ConsoleFixture) -> None:
    await served.store.write(aliases.add, "5", CardId(1), BY)

    meant = await served.store.read(people_search.card_meant, "5")
    assert meant is not None
    assert meant.id == 1


async def test_a_program_finds_a_card_by_all_that_chargers_call_it_and_by_nothing_else(served: ConsoleFixture) -> None:
    for text in ("04:e1:b2:c3:d4:e5:80", "80e5d4c3b2e104", "vid:77"):
        assert await found_at(served, "/api/v1/cards?uid={}", text) == {EMILE}
    for text in ("0005", str(int("04E1B2C3D4E580", 16))):
        assert await found_at(served, "/api/v1/cards?uid={}", text) == set()


async def test_a_card_that_is_not_all_that_is_found_is_shown_beside_the_rest(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/search", params={"q": "1"}, allow_redirects=False) as answer:
        html = await answer.text()

    assert 'href="/cards/1"' in html  # The card numbered 0001,
    assert 'href="/sessions/1"' in html  # and the first session.
