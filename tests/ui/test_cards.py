"""Cards: found, added, blocked, replaced; the money stays with the person."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import history, people
from appliance.db.people import Card
from appliance.domain.identifiers import PersonId
from appliance.services.operators import Role
from tests.ui.yard import NOW_MS, Yard

OURS = {"Sec-Fetch-Site": "same-origin"}
Browser = TestClient[Any, Any]


async def post(client: Browser, path: str, **fields: str) -> tuple[int, str]:
    """Status and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, await answer.text()


async def card(yard: Yard, uid: str) -> Card:
    """A card that is there."""
    found = await yard.store.read(people.card_by_uid, uid)
    assert found is not None
    return found


async def test_a_card_is_added_in_any_way_of_writing_its_number(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    status, html = await post(
        client, "/cards/new", person="1", uid="04 f1 b2 c3", label="0042", transactions_max="2", expires="2026-12-31"
    )

    assert status == 200
    assert "Rahima Khatun has a new card" in html
    added = await card(yard, "04F1B2C3")
    assert (added.label, added.transactions_max) == ("0042", 2)
    # The card charges on its last day until midnight in Dhaka.
    assert added.expires_at_ms == 1_798_740_000_000


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"uid": ""}, "uid"),
        ({"uid": "04F1B2C3", "expires": "soon"}, "expires"),
        ({"uid": "04F1B2C3", "transactions_max": "0"}, "transactions_max"),
        ({"uid": "04F1B2C3", "transactions_max": "many"}, "transactions_max"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(yard: Yard, fields: dict[str, str], field: str) -> None:
    client = await yard.logged_in(Role.CASHIER)
    status, html = await post(client, "/cards/new", person="1", **fields)

    assert status == 422
    assert f'id="{field}-wrong"' in html


async def test_blocking_asks_first_and_stops_what_the_card_charges(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    karims = await card(yard, "04B1B2C3")
    async with client.get(f"/cards/{karims.id}/block") as answer:
        assert "Block this card?" in await answer.text()

    await post(client, f"/cards/{karims.id}/block", reason="lost")

    blocked = await card(yard, "04B1B2C3")
    assert (blocked.blocked_at_ms, blocked.blocked_why) == (NOW_MS, "lost")
    running = await yard.store.read(history.page, history.Filter(person=PersonId(2), state="running"))
    assert [session.stop_wanted for session in running] == ["blocked"]


async def test_a_blocked_card_charges_again_when_unblocked(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    number = (await card(yard, "04A1B2C3")).id
    await post(client, f"/cards/{number}/block", reason="")
    status, _ = await post(client, f"/cards/{number}/unblock")

    assert status == 200
    assert (await card(yard, "04A1B2C3")).blocked_at_ms is None


async def test_a_replaced_card_stays_blocked_and_leads_to_the_new_one(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    old = await card(yard, "04A1B2C3")
    balance = (await yard.store.read(people.page, text="Rahima"))[0].balance_minor
    await post(client, f"/cards/{old.id}/replace", uid="04:F1:B2:C3")

    new = await card(yard, "04F1B2C3")
    async with client.get(f"/cards/{old.id}") as answer:
        html = await answer.text()
    assert f'href="/cards/{new.id}"' in html
    status, _ = await post(client, f"/cards/{old.id}/unblock")
    assert status == 409
    assert (await yard.store.read(people.page, text="Rahima"))[0].balance_minor == balance


async def test_a_number_that_is_taken_replaces_nothing(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    old = await card(yard, "04A1B2C3")
    status, html = await post(client, f"/cards/{old.id}/replace", uid="04B1B2C3")

    assert status == 409
    assert "belongs to Karim Ahmed already" in html
    assert (await card(yard, "04A1B2C3")).blocked_at_ms is None


async def test_the_list_finds_cards_and_shows_only_blocked_ones_when_asked(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    number = (await card(yard, "04C1B2C3")).id
    await post(client, f"/cards/{number}/block", reason="reported lost")

    async with client.get("/cards", params={"blocked": "1"}) as answer:
        html = await answer.text()
    assert "04C1B2C3" in html
    assert "04A1B2C3" not in html
    async with client.get("/cards", params={"q": "04:a1"}) as answer:
        html = await answer.text()
    assert "no such card" not in html.lower()
    async with client.get("/cards", params={"q": "nobody at all"}) as answer:
        assert "No such card" in await answer.text()


async def test_a_change_keeps_what_the_form_says(yard: Yard) -> None:
    client = await yard.logged_in(Role.CASHIER)
    number = (await card(yard, "04A1B2C3")).id
    await post(client, f"/cards/{number}", label="Blue 7", transactions_max="৩", expires="")

    changed = await card(yard, "04A1B2C3")
    assert (changed.label, changed.transactions_max, changed.expires_at_ms) == ("Blue 7", 3, None)
