"""What a phone shows after scanning a sticker, and how the staff come by what is printed on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from appliance.ui.driver.app import create_drivers
from tests.ui.console_fixture import ConsoleFixture

STICKER = re.compile(r"http://192\.168\.1\.10:8081(/c/[a-z2-7]{8})")


@pytest.fixture(name="phone")
async def _phone(served: ConsoleFixture) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_drivers(served.console))) as client:
        yield client


async def stickers(served: ConsoleFixture, identity: str) -> list[str]:
    """The paths that the page of a station shows for its stickers."""
    client = await served.logged_in()
    async with client.get(f"/stations/{identity}") as answer:
        assert answer.status == 200
        return STICKER.findall(await answer.text())


async def text(phone: TestClient[Any, Any], path: str, language: str = "en", status: int = 200) -> str:
    async with phone.get(path, params={"lang": language}) as answer:
        assert answer.status == status
        return await answer.text()


async def test_the_sticker_of_each_connector_leads_to_its_own_page(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    first, second = await stickers(served, "CS-01")

    assert first != second
    assert "<h1>Gate 1 · 1</h1>" in await text(phone, first)
    assert "<h1>Gate 1 · 2</h1>" in await text(phone, second)
    assert "Somebody is charging here." in await text(phone, first)
    assert "hold your card to the charger" in await text(phone, second)
    assert "৳18.50 <small>per kWh</small>" in await text(phone, second)
    assert "৳2.00 a minute when the car is full, after 30 min" in await text(phone, second)
    assert "plus 5 % tax" in await text(phone, second)


@pytest.mark.parametrize(("identity", "word"), [("CS-04", "Fault"), ("CS-06", "Reserved"), ("CS-07", "Not connected")])
async def test_nobody_is_told_to_plug_in_where_nothing_can_be_had(
    served: ConsoleFixture, phone: TestClient[Any, Any], identity: str, word: str
) -> None:
    (path,) = await stickers(served, identity)
    html = await text(phone, path)

    assert word in html
    assert "take another charger" in html
    assert "Plug in" not in html


async def test_the_page_speaks_bengali(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    (path,) = await stickers(served, "CS-02")
    html = await text(phone, path, "bn")

    assert '<html lang="bn"' in html
    assert "১৮.৫০" in html


async def test_a_code_that_nobody_printed_asks_which_charger(phone: TestClient[Any, Any]) -> None:
    assert "Which charger?" in await text(phone, "/c/aaaaaaaa", status=404)


async def test_a_charger_is_given_its_encrypted_address_too(served: ConsoleFixture) -> None:
    client = await served.logged_in()
    async with client.get("/stations/new") as answer:
        html = await answer.text()
    assert "ws://192.168.1.10:9000/ocpp/" in html
    assert "wss://192.168.1.10:9443/ocpp/" in html

    form = {"how": "password", "password": "a good password", "tls": "1"}
    async with client.post("/stations/CS-07/security", data=form, headers={"Sec-Fetch-Site": "same-origin"}) as answer:
        assert "wss://192.168.1.10:9443/ocpp/CS-07" in await answer.text()
    async with client.get("/stations/CS-07") as answer:
        assert "wss://192.168.1.10:9443/ocpp/CS-07" in await answer.text()
