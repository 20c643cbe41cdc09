"""Somebody who is entered twice, was merged, or has left: pages say so before anything is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db.people import people
from appliance.domain.identifiers import GroupId, PersonId
from appliance.domain.roles import Role
from appliance.services.people import merge
from appliance.services.people import people as people_units
from tests.ui.console_fixture import BY, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
Browser = TestClient[Any, Any]
ASKS = "Somebody with this name or telephone is here already."


async def get(client: Browser, path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def enter(client: Browser, **fields: str) -> tuple[int, str]:
    """Fill in the form for a new person, and send it twice, as a double click does."""
    found = re.search(r'name="key" value="([^"]+)"', await get(client, "/people/new"))
    assert found is not None
    answers = []
    for _click in range(2):
        async with client.post("/people/new", data={"group_id": "1", "key": found[1]} | fields, headers=OURS) as answer:
            answers.append((answer.status, await answer.text()))
    assert answers[0][0] == answers[1][0]
    return answers[0]


async def count(served: ConsoleFixture) -> int:
    return await served.store.read(people.count)


@pytest.mark.parametrize(
    ("name", "phone"),
    [
        ("rahima  KHATUN", ""),
        ("Khatun Rahima", ""),
        ("R. K.", "+880 1712 345678"),
        ("R. K.", "01712-345678"),
        ("R. K.", "০১৭১২ ৩৪৫৬৭৮"),
    ],
)
async def test_who_may_be_here_already_is_shown_before_they_are_entered_again(
    served: ConsoleFixture, name: str, phone: str
) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await count(served)

    status, html = await enter(client, name=name, phone=phone, note="pays in cash")
    assert (status, await count(served)) == (409, before)
    assert ASKS in html
    assert '<a href="/people/1">Rahima Khatun · +880 1712 345678 · Customers</a>' in html
    assert ">pays in cash</textarea>" in html

    status, html = await enter(client, name=name, phone=phone, another="1")
    assert (status, await count(served)) == (200, before + 1), "it was said that it is another one, and sent twice"
    assert "Entered." in html


@pytest.mark.parametrize(
    ("name", "phone"), [("Rahima", "01712 345679"), ("Rahima Khatun Begum", "345678"), ("Rahima Khatuna", "")]
)
async def test_others_are_entered_without_a_question(served: ConsoleFixture, name: str, phone: str) -> None:
    client = await served.logged_in(Role.CASHIER)

    status, html = await enter(client, name=name, phone=phone)
    assert (status, ASKS in html) == (200, False)


@pytest.mark.parametrize("phone", ["abc", "0171x2345678", "12", "a@b.c", "see note", "-"])
async def test_a_telephone_has_digits(served: ConsoleFixture, phone: str) -> None:
    client = await served.logged_in(Role.CASHIER)

    status, html = await enter(client, name="Nobody", phone=phone)
    assert status == 422
    assert "This is no telephone number." in html
    assert f'value="{phone}"' in html
    async with client.post(
        "/people/1/edit", data={"name": "R", "group_id": "1", "phone": phone}, headers=OURS
    ) as answer:
        assert answer.status == 422


async def test_an_old_telephone_that_is_none_holds_up_no_other_change(served: ConsoleFixture) -> None:
    await served.store.write(lambda db: db.execute("UPDATE person SET phone = 'at the gate' WHERE id = 1"))
    client = await served.logged_in(Role.CASHIER)
    form = {"name": "Rahima K.", "group_id": "1", "phone": "at the gate"}

    async with client.post("/people/1/edit", data=form, headers=OURS) as answer:
        assert answer.status == 200
        assert "Rahima K." in await answer.text()


async def test_who_was_merged_is_not_taken_for_somebody_who_has_left(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    twin = await served.store.write(people_units.add, "Rahima K.", GroupId(1), BY)
    await served.store.write(merge.merge, twin, PersonId(1), "form-1", BY)

    html = await get(client, f"/people/{twin}")
    assert "Merged into Rahima Khatun on" in html
    assert '<a href="/people/1">Go to Rahima Khatun</a>' in html
    assert "The account was closed" not in html
    assert "merged into Rahima Khatun" in await get(client, "/people?gone=1")
    assert "Rahima K. was merged into Rahima Khatun. Go on with Rahima Khatun." in await get(
        client, f"/people/{twin}/topup"
    )
    status, html = await enter(client, name="Rahima K.")
    assert (status, ASKS in html) == (200, False)

    async with client.post(f"/people/{twin}/return", headers=OURS) as answer:
        assert "merged into" not in (await answer.text()).replace("Merged into", "merged into")


@pytest.mark.parametrize("form", ["/people/{}/topup", "/cards/new?person={}", "/people/{}/enrol", "/people/{}/merge"])
async def test_no_form_opens_for_somebody_who_has_left(served: ConsoleFixture, form: str) -> None:
    client = await served.logged_in(Role.MANAGER)
    gone = await served.store.write(people_units.add, "Abdul Malek", GroupId(1), BY)
    await served.store.write(people_units.close, gone, BY)

    async with client.get(form.format(gone)) as answer:
        assert answer.url.path == f"/people/{gone}"
        assert "The account of Abdul Malek is closed. Open it again first." in await answer.text()
