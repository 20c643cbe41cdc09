"""The page of old cards: a list is brought, one is taken over by its number, and nobody is shown the key."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient

from appliance.db import old_cards
from appliance.domain.roles import Role
from appliance.services import settings
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
KEY = "k" * 24
UID = "04E1E2E3E4E580"


@pytest.fixture(autouse=True)
async def _allowed(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "old_card_max_minor", "100000")


async def send(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, data={"key": KEY, **fields}, headers=OURS)
    return answer.status, unescape(await answer.text())


async def bring(client: TestClient[Any, Any], text: str) -> tuple[int, str]:
    data = FormData()
    data.add_field("file", text.encode(), filename="old.csv", content_type="text/csv")
    answer = await client.post("/cards/old/list", data=data, headers=OURS)
    return answer.status, unescape(await answer.text())


async def test_a_list_is_brought_and_a_card_is_taken_over_once(served: ConsoleFixture) -> None:
    manager, cashier = await served.logged_in(Role.MANAGER), await served.logged_in(Role.CASHIER)
    status, html = await bring(manager, f"uid;amount;name\n{UID};120,50;Salma\n6A010203;৫০;\n")
    assert (status, "2 old cards wait on the list now." in html) == (200, True)

    form = {"name": "Salma Begum", "group_id": "1", "uid": UID}
    assert (await send(cashier, "/cards/old", **form))[0] == 200
    assert (await send(cashier, "/cards/old", **form))[0] == 200
    status, html = await send(cashier, "/cards/old", **{**form, "key": "m" * 24, "name": "Somebody"})
    assert (status, "taken over already" in html, 'value="Somebody"' in html) == (409, True, True)

    row = await served.store.read(old_cards.find, UID)
    assert row is not None
    assert (row.amount_minor, row.state) == (12_050, "booked")
    (count,) = await served.store.read(
        lambda db: db.execute("SELECT count(*) FROM transfer WHERE key LIKE 'oldcard|%'").fetchone()
    )
    assert count == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "uid;amount\n",
        f"{UID};much\n",
        f"{UID}\n",
        f"{UID};-5\n",
        f"{UID};5\n{UID};6\n",
        "x;5\n",
        f"{UID};99999999\n",
    ],
)
async def test_a_list_with_a_slip_is_refused_with_a_sentence(served: ConsoleFixture, text: str) -> None:
    status, html = await bring(await served.logged_in(Role.MANAGER), text)
    assert status in (409, 422)
    assert 'class="wrong"' in html or "is-failed" in html or 'role="alert"' in html
    assert await served.store.read(old_cards.sums) == {}


async def test_a_cashier_brings_no_list_no_key_and_types_no_amount(served: ConsoleFixture) -> None:
    cashier = await served.logged_in(Role.CASHIER)
    assert (await bring(cashier, f"{UID};5\n"))[0] == 403
    assert (await send(cashier, "/cards/old/key", key_hex="A0A1A2A3A4A5"))[0] == 403
    assert (await send(cashier, "/cards/old", name="X", group_id="1", uid=UID, old_minor="5"))[0] == 403
    assert 'name="old_minor"' not in await (await cashier.get("/cards/old")).text()


async def test_the_key_is_kept_and_never_shown(served: ConsoleFixture) -> None:
    owner = await served.logged_in()
    status, html = await send(owner, "/cards/old/key", key_hex="A0 A1 A2 A3 A4 A5")
    assert (status, "A key is kept, sealed." in html) == (200, True)
    status, html = await send(owner, "/cards/old/key", key_hex="A0A1ZZ")
    assert (status, "A0A1ZZ" in html) == (422, False)
    pages = html + await (await owner.get("/cards/old")).text() + await (await owner.get("/audit")).text()
    assert "A0A1A2" not in pages.replace(" ", "")


async def test_without_a_cap_nothing_is_taken_over(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "old_card_max_minor", "0")
    status, html = await send(await served.logged_in(), "/cards/old", name="X", group_id="1", uid=UID, old_minor="5")
    assert (status, "No old cards are taken over here." in html) == (422, True)


async def test_a_card_that_somebody_has_here_already_brings_its_money_to_them(served: ConsoleFixture) -> None:
    owner = await served.logged_in()
    status, html = await send(owner, "/cards/old", uid="04A1B2C3", old_minor="5")
    assert (status, "The balance of this old card is in the wallet now." in html) == (200, True)
    person = await served.store.read(
        lambda db: db.execute("SELECT person_id FROM receipt WHERE method = 'old_card'").fetchone()
    )
    assert person == (1,)
