"""What a phone shows after scanning a sticker, and how the staff come by what is printed on it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from appliance.domain.events import StatusChanged
from appliance.domain.identifiers import StationId
from appliance.domain.roles import Role
from appliance.domain.station import ChargingState, ConnectorStatus
from appliance.services.stations import qr_codes
from appliance.services.stations import status as status_units
from appliance.ui.driver.app import create_drivers
from tests.ui.console_fixture import HOUR_MS, NOW_MS, ConsoleFixture, status

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


async def test_prices_are_what_is_paid_with_the_tax(served: ConsoleFixture, phone: TestClient[Any, Any]) -> None:
    (path,) = await stickers(served, "CS-02")
    html = await text(phone, path)

    assert "৳19.425 <small>a kWh</small>" in html
    assert "30 min after charging has ended: ৳2.10 a minute" in html
    assert "5 % tax included" in html
    assert "plus" not in html


@pytest.mark.parametrize(
    ("word", "state", "said"),
    [
        ("Available", "Free", "Plug in, then hold your card"),
        ("Preparing", "Plugged in", "Hold your card to the charger"),
        ("Charging", "Charging", "Somebody is charging here."),
        ("SuspendedEVSE", "Paused", "Somebody is charging here."),
        ("SuspendedEV", "Car paused", "Somebody is charging here."),
        ("Finishing", "Please unplug", "Once it is out, the charger is free."),
        ("Unavailable", "Out of service", "take another charger"),
        ("Humming", "No word yet", "take another charger"),
    ],
)
async def test_what_to_do_follows_from_the_state_alone(
    served: ConsoleFixture, phone: TestClient[Any, Any], word: str, state: str, said: str
) -> None:
    """At a connector where no session of ours runs."""
    await served.store.write(status, StationId(2), 1, word, 0)
    (path,) = await stickers(served, "CS-02")
    html = await text(phone, path)

    assert state in html
    assert said in html
    assert ("Plug in" in html) is (word == "Available")


async def test_a_car_that_is_done_is_not_told_to_plug_in_where_finer_words_are_unknown(
    served: ConsoleFixture, phone: TestClient[Any, Any]
) -> None:
    """As stations of OCPP 2.x tell it: occupied, and no transaction any more."""
    occupied, none = ConnectorStatus.OCCUPIED, ChargingState.NONE
    done = StatusChanged(1, 1, occupied, "NoError", "", NOW_MS - 3 * HOUR_MS, NOW_MS, none, "")
    await served.store.write(status_units.status_changed, StationId(5), done)
    (path,) = await stickers(served, "CS-05")
    html = await text(phone, path)

    assert "Please unplug" in html
    assert "Hold your card" not in html


@pytest.mark.parametrize(
    "writing",
    ["{code}", "{capitals}", " {first} {last} ", "{first}-{last}", "http://192.168.1.10:8081/c/{code}", "{native}"],
)
async def test_a_code_is_found_however_it_is_typed(
    served: ConsoleFixture, phone: TestClient[Any, Any], writing: str
) -> None:
    (path,) = await stickers(served, "CS-02")
    code = path.removeprefix("/c/")
    native = code.translate({ord("2"): "২", ord("3"): "৩", ord("4"): "৪", ord("5"): "৫", ord("6"): "৬", ord("7"): "৭"})
    text_typed = writing.format(code=code, capitals=code.upper(), first=code[:4], last=code[4:], native=native)

    async with phone.get("/c", params={"code": text_typed, "lang": "bn"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, f"{path}?lang=bn")


def test_digits_that_stand_in_no_code_are_the_letters_they_look_like() -> None:
    assert qr_codes.typed("01 8A") == "olba"


@pytest.mark.parametrize(
    "path", ["/c/aaaaaaaa", "/c/short", "/c?code=wrong-one", "/c?code=ক্ষ", "/c/ß", "/c?code=%ff", "/c/%22%3E%3Cb%3E"]
)
async def test_a_code_that_nobody_printed_is_named_and_can_be_put_right(phone: TestClient[Any, Any], path: str) -> None:
    html = await text(phone, path, status=404)

    assert "No charger here has the code" in html
    assert 'name="code"' in html
    assert "<b>" not in html


async def test_without_a_code_the_field_for_it_is_there(phone: TestClient[Any, Any]) -> None:
    for path in ("/", "/c"):
        html = await text(phone, path)
        assert "Code of the charger" in html
        assert "No charger here" not in html


async def test_the_sheet_has_a_sticker_of_every_connector(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.GUARD)
    async with client.get("/stickers") as answer:
        everywhere = await answer.text()
    async with client.get("/stickers", params={"station": "CS-01"}) as answer:
        of_one = await answer.text()
    async with client.get("/stickers", params={"station": "NOBODY"}) as answer:
        assert answer.status == 404

    first, second = await stickers(served, "CS-01")
    assert everywhere.count('class="sticker"') == 10
    assert of_one.count('class="sticker"') == 2
    for path in (first, second):
        code = path.removeprefix("/c/").upper()
        assert f'<code class="sticker-code">{code[:4]} {code[4:]}</code>' in of_one
        assert f"QR code of http://192.168.1.10:8081{path}" in of_one


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
    assert "১৯.৪২৫" in html


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
