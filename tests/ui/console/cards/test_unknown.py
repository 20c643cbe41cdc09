"""Cards that nobody knows, on their page; and cards that are tapped at a charger instead of a desk."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db.cards import aliases, cards
from appliance.domain.identifiers import CardId, PersonId, StationId
from appliance.domain.roles import Role
from appliance.services.card_desk import charger_jobs
from appliance.services.cards import cards as card_units
from appliance.services.sessions import starting
from tests.ui.console_fixture import BY, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
STRANGE = "04FFEEDDCCBB80"
LONG = "04112233445580"
RAMP, GATE = StationId(2), StationId(1)
Browser = TestClient[Any, Any]


@pytest.fixture(name="client")
async def _client(served: ConsoleFixture) -> Browser:
    return await served.logged_in(Role.CASHIER)


async def get(client: Browser, path: str, **query: str) -> str:
    """A page that is there."""
    async with client.get(path, params=query) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def post(client: Browser, path: str, **fields: str) -> tuple[int, str, str]:
    """Status, path and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, answer.url.path, await answer.text()


async def show(served: ConsoleFixture, token: str, station: StationId = RAMP) -> str:
    """An Authorize; what the charger is told."""
    return (await served.store.write(starting.authorize, station, token, served.now_ms)).status.value


async def test_an_unknown_card_is_listed_until_it_is_dismissed(served: ConsoleFixture, client: Browser) -> None:
    assert "No unknown cards" in await get(client, "/cards/unknown")
    await show(served, STRANGE)
    await show(served, STRANGE)
    html = await get(client, "/cards/unknown")
    assert STRANGE in html
    assert "Ramp A" in html
    assert "2 times" in html
    assert STRANGE not in await get(client, "/cards/unknown", station=str(GATE))

    await post(client, "/cards/unknown/dismiss", token=STRANGE, station=str(RAMP))
    assert STRANGE not in await get(client, "/cards/unknown")


async def test_an_unknown_card_is_made_somebodys_by_finding_the_person(served: ConsoleFixture, client: Browser) -> None:
    await show(served, STRANGE)
    html = await get(client, "/cards/unknown/new", token=STRANGE, station=str(RAMP), q="rahima")
    assert re.search(r'name="person" value="1"', html)

    _status, path, html = await post(client, "/cards/unknown/new", token=STRANGE, station=str(RAMP), person="1")
    made = await served.store.read(cards.by_uid, STRANGE)
    assert made is not None
    assert made.person_id == 1
    assert path == f"/cards/{made.id}"
    assert "Rahima Khatun has card 0005" in html
    assert await show(served, STRANGE) == "Accepted"
    assert STRANGE not in await get(client, "/cards/unknown")


async def test_a_card_that_was_given_out_meanwhile_is_refused_with_the_reason(
    served: ConsoleFixture, client: Browser
) -> None:
    await show(served, STRANGE)
    await served.store.write(card_units.add, STRANGE, PersonId(2), BY)
    status, _path, html = await post(client, "/cards/unknown/new", token=STRANGE, station=str(RAMP), person="1")

    assert status == 409
    assert "belongs to Karim Ahmed already" in html


async def test_a_number_like_that_of_a_card_is_suggested_and_learned_after_a_question(
    served: ConsoleFixture, client: Browser
) -> None:
    card = await served.store.write(card_units.add, LONG, PersonId(1), BY)
    assert await show(served, LONG[:8]) == "Invalid"
    html = await get(client, "/cards/unknown")
    assert "Looks like card 0005 of Rahima Khatun, cut short." in html

    asked = {"token": LONG[:8], "station": str(RAMP), "card": str(card)}
    question = await get(client, "/cards/unknown/same", **asked)
    assert "charges on the account of Rahima Khatun" in question
    assert "Nothing in the number" not in question
    assert await served.store.read(aliases.find, LONG[:8]) is None

    await post(client, "/cards/unknown/same", **asked)
    (alias,) = await served.store.read(aliases.listed, card)
    assert (alias.token, alias.likeness, alias.vendor, alias.model) == (LONG[:8], "truncated", "Wallbe", "Eco 2")
    assert await show(served, LONG[:8]) == "Accepted"


async def test_a_number_that_is_like_nothing_is_learned_with_a_warning(served: ConsoleFixture, client: Browser) -> None:
    await show(served, "VID:77")
    asked = {"token": "VID:77", "station": str(RAMP), "card": "1"}
    found = await get(client, "/cards/unknown/new", token="VID:77", station=str(RAMP), q="0001")
    assert "Card 0001" in found
    assert "Nothing in the number" in await get(client, "/cards/unknown/same", **asked)

    await post(client, "/cards/unknown/same", **asked)
    assert await served.store.read(aliases.find, "VID:77") == 1


async def test_a_telephone_cannot_be_made_a_card_but_can_be_dismissed(served: ConsoleFixture, client: Browser) -> None:
    await show(served, "08AABBCC")
    html = await get(client, "/cards/unknown")
    assert "another number at each tap" in html
    assert "/cards/unknown/new" not in html

    assert (await post(client, "/cards/unknown/new", token="08AABBCC", station=str(RAMP), person="1"))[0] == 422
    await post(client, "/cards/unknown/dismiss", token="08AABBCC", station=str(RAMP))
    assert "08AABBCC" not in await get(client, "/cards/unknown")


@pytest.mark.parametrize("path", ["new?token=04A1&station=x", "new?station=1", "same?token=04A1&station=1&card=x"])
async def test_nonsense_in_the_address_bar_is_no_page(client: Browser, path: str) -> None:
    async with client.get(f"/cards/unknown/{path}") as answer:
        assert answer.status == 404


async def test_a_new_card_is_tapped_at_a_charger(served: ConsoleFixture, client: Browser) -> None:
    assert "Ramp A" in await get(client, "/people/1/enrol")
    _status, path, html = await post(client, "/people/1/enrol", station=str(RAMP), label="blue")
    assert "Tap the new card at Ramp A now" in html
    assert "120 seconds left" in html

    assert await show(served, STRANGE) == "Accepted"
    html = await get(client, path)
    assert "Rahima Khatun has card 0005" in html
    made = await served.store.read(cards.by_uid, STRANGE)
    assert made is not None
    assert made.label == "blue"


async def test_what_is_tapped_appears_on_the_page_by_itself(served: ConsoleFixture, client: Browser) -> None:
    _status, path, _html = await post(client, "/people/1/enrol", station=str(RAMP))
    job = path.rsplit("/", 1)[1]
    async with client.get("/live", params={"view": f"tap-at:{job}"}) as stream, asyncio.timeout(20):
        seen = b""
        while b"Tap the new card" not in seen:
            seen += await stream.content.readany()
        await show(served, STRANGE)
        while b"has card 0005" not in seen:
            seen += await stream.content.readany()


async def test_unknown_cards_appear_in_the_list_by_themselves(served: ConsoleFixture, client: Browser) -> None:
    async with client.get("/live", params={"view": "unknown-cards"}) as stream, asyncio.timeout(20):
        seen = b""
        while b"No unknown cards" not in seen:
            seen += await stream.content.readany()
        await show(served, STRANGE)
        while STRANGE.encode() not in seen:
            seen += await stream.content.readany()


async def test_nobody_came_to_the_charger(served: ConsoleFixture, client: Browser) -> None:
    _status, path, _html = await post(client, "/people/1/enrol", station=str(RAMP))
    served.now_ms += charger_jobs.VALID_MS
    await served.store.write(charger_jobs.expire, served.now_ms)

    html = await get(client, path)
    assert "Nobody showed a card within two minutes." in html
    assert "/people/1/enrol" in html


async def test_waiting_at_a_charger_is_given_up(served: ConsoleFixture, client: Browser) -> None:
    _status, path, _html = await post(client, "/people/1/enrol", station=str(RAMP))
    _status, back, _html = await post(client, f"{path}/cancel")

    assert back == "/people/1"
    assert await show(served, STRANGE) == "Invalid"
    assert "It was given up." in await get(client, path)


async def test_what_a_charger_calls_a_card_is_learned_there(served: ConsoleFixture, client: Browser) -> None:
    card = await served.store.write(card_units.add, LONG, PersonId(1), BY)
    _status, path, html = await post(client, f"/cards/{card}/learn", station=str(RAMP))
    assert "Tap card 0005 at Ramp A now" in html

    assert await show(served, LONG[-8:]) == "Accepted"
    assert "Ramp A knows card 0005 now" in await get(client, path)
    html = await get(client, f"/cards/{card}")
    assert LONG[-8:] in html
    assert "cut short" in html


async def test_another_card_teaches_nothing(served: ConsoleFixture, client: Browser) -> None:
    _status, path, _html = await post(client, "/cards/1/learn", station=str(RAMP))
    assert await show(served, STRANGE) == "Invalid"

    html = await get(client, path)
    assert "nothing was learned" in html
    assert f"/cards/unknown?station={RAMP}" in html
    assert await served.store.read(aliases.of_card, CardId(1)) == []


async def test_a_job_of_a_desk_is_not_one_of_a_charger(client: Browser) -> None:
    async with client.get("/cards/taps/77") as answer:
        assert answer.status == 404
