"""The demo's page with the simulated reader: it moves the cards that the simulated chip feels."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.demo.reader import CardDrawer
from appliance.domain.roles import Role
from appliance.services.ports.demo import DemoConnector
from tests.ui.console_fixture import ConsoleFixture, open_console

OURS = {"Sec-Fetch-Site": "same-origin"}
PATH = "/demo/reader"


@pytest.fixture(name="drawer")
async def _drawer(tmp_path: Path) -> AsyncIterator[CardDrawer]:
    with CardDrawer(tmp_path) as drawer:
        yield drawer


@dataclass
class Row:
    """Chargers that only note who was there; the real ones are tried in tests/simulator/test_demo.py."""

    held: list[tuple[str, str, int]] = field(default_factory=list)
    said: str = ""

    def connectors(self) -> list[DemoConnector]:
        """One that the yard knows, with the last answer, and one that it does not."""
        uid = self.held[-1][0] if self.held else ""
        return [
            DemoConnector("CS-01", 1, "yours" if self.held else "free", 1250 if self.held else 0, self.said, uid),
            DemoConnector("ELSEWHERE", 1, "offline", 0, "", ""),
        ]

    async def hold(self, uid: str, station: str, evse: int) -> str:
        """Accepted, where there is such a place."""
        if (station, evse) != ("CS-01", 1):
            raise KeyError(station, evse)
        self.held.append((uid, station, evse))
        self.said = "Accepted"
        return self.said


@pytest.fixture(name="row")
def _row() -> Row:
    return Row()


@pytest.fixture(name="client")
async def _client(drawer: CardDrawer, row: Row, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    async with open_console(tmp_path, demo_reader=drawer, demo_chargers=row) as served:
        yield await served.logged_in(Role.CASHIER)


async def move(client: TestClient[Any, Any], what: str, **form: str) -> int:
    """Press a button of the page; the status of what comes of it."""
    async with client.post(f"{PATH}/{what}", data=form, headers=OURS) as answer:
        return answer.status


async def test_cards_are_laid_and_taken(client: TestClient[Any, Any], drawer: CardDrawer) -> None:
    card = drawer.cards()[0]
    assert await move(client, "lay", card=str(card.id)) == 200
    assert [one.id for one in drawer.cards() if one.on_reader] == [card.id]
    async with client.get(PATH) as answer:
        html = await answer.text()
    assert "Take it off" in html
    assert f"lay-{card.id}" not in html

    assert await move(client, "take") == 200
    assert not any(one.on_reader for one in drawer.cards())


async def test_a_new_card_of_every_kind_on_the_page_comes_out_of_the_box(
    client: TestClient[Any, Any], drawer: CardDrawer
) -> None:
    async with client.get(PATH) as answer:
        kinds = re.findall(r'name="kind" value="([^"]+)"', await answer.text())
    for kind in kinds:
        before = len(drawer.cards())
        assert await move(client, "new", kind=kind) == 200
        assert len(drawer.cards()) == before + 1
        assert drawer.cards()[-1].on_reader

    assert len(kinds) > 3


@pytest.mark.parametrize(
    ("what", "form"), [("lay", {"card": "999"}), ("new", {"kind": "gold"}), ("burn", {}), ("tear", {"card": "999"})]
)
async def test_what_is_not_in_the_drawer_is_not_there(
    client: TestClient[Any, Any], what: str, form: dict[str, str]
) -> None:
    assert await move(client, what, **form) == 404


async def test_the_lead_can_be_pulled_and_put_back(client: TestClient[Any, Any], drawer: CardDrawer) -> None:
    there = drawer.path.resolve()
    assert await move(client, "unplug") == 200
    assert not there.exists()

    assert await move(client, "plug") == 200
    assert drawer.path.exists()


async def test_a_real_site_has_no_such_page(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    async with client.get(PATH) as answer:
        assert answer.status == 404


async def test_a_card_of_the_drawer_is_held_to_a_charger_and_its_display_tells_what_it_said(
    client: TestClient[Any, Any], drawer: CardDrawer, row: Row
) -> None:
    card = drawer.cards()[1]
    async with client.get(PATH) as answer:
        assert "Please hold your card here." in await answer.text()

    assert await move(client, "hold", card=str(card.id), place="CS-01/1") == 200

    assert row.held == [(card.uid, "CS-01", 1)]
    async with client.get(PATH) as answer:
        html = await answer.text()
    assert "Card accepted. The car charges." in html
    assert "Gate 1 · 1" in html
    assert "1.25 kWh" in html
    assert f'<option value="{card.id}" selected>' in html, "the same card would end it"


@pytest.mark.parametrize(
    ("card", "place"), [("999", "CS-01/1"), ("1", "CS-01/2"), ("1", "ELSEWHERE/x"), ("1", ""), ("1", "CS-01/\u00b2")]
)
async def test_neither_an_unknown_card_nor_an_unknown_charger_is_there(
    client: TestClient[Any, Any], row: Row, card: str, place: str
) -> None:
    assert await move(client, "hold", card=card, place=place) == 404
    assert row.held == []


async def test_without_chargers_there_is_nothing_to_hold_a_card_to(drawer: CardDrawer, tmp_path: Path) -> None:
    async with open_console(tmp_path, demo_reader=drawer) as served:
        client = await served.logged_in(Role.CASHIER)
        assert await move(client, "hold", card="1", place="CS-01/1") == 404
        async with client.get(PATH) as answer:
            assert "demo-charger" not in await answer.text()
