"""People are looked for in many places, and found by the same in all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestServer

from appliance.db.engine.store import Store
from appliance.domain.identifiers import GroupId, PersonId
from appliance.services.announce import Hub
from appliance.services.cards import aliases
from appliance.services.operators import operators
from appliance.services.operators.operators import Role
from appliance.services.people import people
from appliance.ui.api.app import PAGES as API
from appliance.ui.console.app import create_console
from tests.support.one_desk import OneDesk
from tests.ui.yard import ACTOR, DESK_KEY, NOW_MS, Yard, open_yard

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


@pytest.fixture(name="yard")
async def _yard(tmp_path: Path) -> AsyncIterator[Yard]:
    """With a desk, and with somebody about whom everything is known."""
    made: list[OneDesk] = []
    yard: Yard

    def desks(store: Store, hub: Hub) -> OneDesk:
        made.append(OneDesk(store, hub, DESK_KEY, lambda: yard.now_ms))
        return made[0]

    async with open_yard(tmp_path, desks=desks) as yard, made[0].running():
        emile = await yard.store.write(
            lambda db: people.add_person(
                db, EMILE, GroupId(1), ACTOR, NOW_MS, phone="০১৯১১-২২৩৩৪৪", note="50% off_peak"
            )
        )
        assert emile == 5
        card = await yard.store.write(people.add_card, "04E1B2C3D4E580", emile, ACTOR, NOW_MS)
        await yard.store.write(aliases.add, "VID:77", card, ACTOR, NOW_MS)
        seeker = await yard.store.write(people.add_person, SEEKER, GroupId(1), ACTOR, NOW_MS)
        assert seeker == PersonId(6)
        yield yard


async def found_at(yard: Yard, place: str, text: str, role: Role = Role.OWNER) -> set[str]:
    """Who of the three is on the page."""
    client = await yard.logged_in(role)
    address = place.format(urlencode({"": text})[1:])
    if place.startswith("/api"):
        async with TestServer(create_console(yard.console, more=API)) as server:
            token = await yard.store.write(operators.create_token, text, role, actor=ACTOR, now_ms=NOW_MS)
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
async def test_people_are_found_by_the_same_everywhere(yard: Yard, place: str) -> None:
    found = [(text, await found_at(yard, place, text)) for text, _names in FOUND]

    assert found == FOUND


@pytest.mark.parametrize("place", ["/cards?q={}", "/api/v1/cards?text={}"])
async def test_cards_are_found_by_the_same_everywhere(yard: Yard, place: str) -> None:
    wanted = [(text, {EMILE}) for text in ("0005", "৫", "#5", "vid:77", "04:e1:b2", "émile")]
    wanted += [("%", set()), ("r_h", set()), ("khatun", {RAHIMA}), ("0001", {RAHIMA})]

    assert [(text, await found_at(yard, place, text)) for text, _names in wanted] == wanted


async def test_who_may_see_no_telephone_numbers_finds_people_by_their_names_only(yard: Yard) -> None:
    hidden = ("১৭১২", "345678", "01712345678", "0005", "vid:77", "04E1B2C3D4E580", "0% off", "%", "_")

    assert [text for text in hidden if await found_at(yard, START, text, Role.GUARD)] == []
    assert await found_at(yard, START, "ÉMILE", Role.GUARD) == {EMILE}
