"""The demo's page with the simulated reader: it moves the cards that the simulated chip feels."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.services.operators import Role
from appliance.simulator.nfc.toy import Toy
from tests.ui.yard import Yard, open_yard

OURS = {"Sec-Fetch-Site": "same-origin"}
PATH = "/demo/reader"


@pytest.fixture(name="toy")
async def _toy(tmp_path: Path) -> AsyncIterator[Toy]:
    with Toy(tmp_path) as toy:
        yield toy


@pytest.fixture(name="client")
async def _client(toy: Toy, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    async with open_yard(tmp_path, toy_reader=toy) as yard:
        yield await yard.logged_in(Role.CASHIER)


async def move(client: TestClient[Any, Any], what: str, **form: str) -> int:
    """Press a button of the page; the status of what comes of it."""
    async with client.post(f"{PATH}/{what}", data=form, headers=OURS) as answer:
        return answer.status


async def test_cards_are_laid_and_taken(client: TestClient[Any, Any], toy: Toy) -> None:
    card = toy.cards()[0]
    assert await move(client, "lay", card=str(card.id)) == 200
    assert [one.id for one in toy.cards() if one.on_reader] == [card.id]
    async with client.get(PATH) as answer:
        html = await answer.text()
    assert "Take it off" in html
    assert f"lay-{card.id}" not in html

    assert await move(client, "take") == 200
    assert not any(one.on_reader for one in toy.cards())


async def test_a_new_card_of_every_kind_on_the_page_comes_out_of_the_box(
    client: TestClient[Any, Any], toy: Toy
) -> None:
    async with client.get(PATH) as answer:
        kinds = re.findall(r'name="kind" value="([^"]+)"', await answer.text())
    for kind in kinds:
        before = len(toy.cards())
        assert await move(client, "new", kind=kind) == 200
        assert len(toy.cards()) == before + 1
        assert toy.cards()[-1].on_reader

    assert len(kinds) > 3


@pytest.mark.parametrize(
    ("what", "form"), [("lay", {"card": "999"}), ("new", {"kind": "gold"}), ("burn", {}), ("tear", {"card": "999"})]
)
async def test_what_is_not_in_the_drawer_is_not_there(
    client: TestClient[Any, Any], what: str, form: dict[str, str]
) -> None:
    assert await move(client, what, **form) == 404


async def test_the_lead_can_be_pulled_and_put_back(client: TestClient[Any, Any], toy: Toy) -> None:
    there = toy.path.resolve()
    assert await move(client, "unplug") == 200
    assert not there.exists()

    assert await move(client, "plug") == 200
    assert toy.path.exists()


async def test_a_real_site_has_no_such_page(yard: Yard) -> None:
    client = await yard.logged_in(Role.OWNER)
    async with client.get(PATH) as answer:
        assert answer.status == 404
