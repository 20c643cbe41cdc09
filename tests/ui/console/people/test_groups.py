"""Groups: who pays how."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import TestClient

from appliance.db.people import groups
from appliance.domain.roles import Role
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}


async def post(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    """Status and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, await answer.text()


async def test_each_group_says_in_a_sentence_how_its_people_pay(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/groups") as answer:
        html = await answer.text()

    assert "Top up, swipe, deducted" in html
    assert "it is measured, and costs nothing" in html
    assert "/groups/new" not in html


async def test_a_group_on_account_has_a_limit(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(
        client, "/groups/new", name="Shops", policy="postpaid", limit_minor="5,000", tariff_id="1"
    )

    assert status == 200
    assert "limit ৳5,000.00" in html
    found = await served.store.read(groups.named, "Shops")
    assert found is not None
    assert (found.policy, found.limit_minor, found.tariff_id) == ("postpaid", 5000_00, 1)


async def test_a_limit_means_nothing_where_people_pay_beforehand(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await post(client, "/groups/new", name="Guests", policy="prepaid", limit_minor="5,000", tariff_id="")

    found = await served.store.read(groups.named, "Guests")
    assert found is not None
    assert found.limit_minor is None


async def test_a_form_with_a_mistake_comes_back_filled(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/groups/new", name="Shops", policy="postpaid", limit_minor="many", tariff_id="")
    assert status == 422
    assert 'value="Shops"' in html
    assert 'id="limit_minor-wrong"' in html

    status, html = await post(client, "/groups/new", name="Customers", policy="prepaid", tariff_id="")
    assert status == 409
    assert "There is a group Customers already." in html


async def test_a_group_changes_name_and_policy(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, _ = await post(client, "/groups/2", name="Family", policy="free", tariff_id="")

    assert status == 200
    assert await served.store.read(groups.named, "Family") is not None
