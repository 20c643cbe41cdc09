"""The desk by typed numbers, where no reader is or the card is not there."""

from __future__ import annotations

import pytest

from appliance.db.card_desk import jobs
from appliance.db.cards import cards
from appliance.db.people import people_search
from appliance.db.wallets import receipts
from appliance.domain.roles import Role
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import (
    BLANK,
    HERE,
    OURS,
    RAHIMA,
    Browser,
    Counter,
    asked_key,
    get,
    keys_in,
    send,
)
from tests.ui.console_fixture import ConsoleFixture


@pytest.mark.parametrize("text", ["04:a1:b2:c3", "C3B2A104", "0077705923", "1", "rahima", "01712345678"])
async def test_the_scan_box_finds_a_card_in_whatever_shape_it_is_told(client: Browser, text: str) -> None:
    async with client.get(HERE, params={"q": text}) as answer:
        assert str(answer.url).endswith("?card=1")
        assert "Rahima Khatun" in await answer.text()


async def test_the_scan_box_lists_people_of_whom_there_are_several(client: Browser) -> None:
    async with client.get(HERE, params={"q": "a"}) as answer:
        html = await answer.text()

    assert f"{HERE}?person=1" in html
    assert f"{HERE}?person=2" in html


async def test_an_unknown_number_is_given_out_by_its_number_only(counter: Counter, client: Browser) -> None:
    async with client.get(HERE, params={"q": "04:e1:b2:c3:d4:e5:80"}) as answer:
        assert str(answer.url).endswith(f"?uid={BLANK}")
        assert f'name="uid" value="{BLANK}"' in await answer.text()

    await send(client, "issue", uid=BLANK, name="Anwara Begum", preset="500.00", method="cash")

    card = await counter.card(BLANK)
    assert (await counter.job()).state == "done"
    assert card.content == "none"
    assert await counter.balance(card.person_id) == 500_00


async def test_a_number_that_belongs_to_somebody_is_given_to_nobody_else(counter: Counter, client: Browser) -> None:
    status, html = await send(client, "issue", uid="04A1B2C3", name="Anwara Begum", preset="500.00", method="cash")

    assert status == 409
    assert "belongs to somebody already" in html
    assert (await counter.served.store.read(people_search.people, text="Anwara")) == []
    assert await counter.served.store.read(jobs.latest_at, "counter", 1) == []


async def test_a_telephones_number_is_refused(client: Browser) -> None:
    async with client.get(HERE, params={"uid": "08A1B2C3"}) as answer:
        assert answer.status == 422
        assert "changes at every tap" in await answer.text()


async def test_a_card_is_recharged_by_its_number_once(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    key = keys_in(await get(client, f"{HERE}?card=1"))["desk-recharge"]
    form = {"card": "1", "at": "number", "preset": "200.00", "method": "mobile"}
    pages = [await send(client, "recharge", key, **form) for _ in range(2)]

    assert all("is booked. Receipt 4." in html for _status, html in pages)
    assert await counter.balance() == before + 200_00
    assert (await counter.served.store.read(receipts.page))[0].card_id == 1


async def test_a_card_that_is_not_there_comes_back_and_waits_to_be_emptied(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK))
    counter.desk.take()
    html = await get(client, f"{HERE}/cards/{card.id}/return")
    await send(client, f"cards/{card.id}/return", asked_key(html), by_number="1")

    after = await counter.card(BLANK)
    assert after.blocked_at_ms is not None
    assert after.content == "wiping"
    assert "Leave it as it is" in await get(client)


async def test_a_site_without_any_reader_serves_cards_by_their_numbers(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, "/desk")
    assert "Without a reader" in html
    assert "autofocus" in html
    assert "New card…" not in html

    async with client.get("/desk/desk/cards/1/replace") as answer:
        html = await answer.text()
    form = {"key": asked_key(html), "uid": "04 e1 b2 c3 d4 e5 80"}
    async with client.post("/desk/desk/cards/1/replace", data=form, headers=OURS) as answer:
        assert answer.status == 200

    new = await served.store.read(cards.by_uid, BLANK)
    assert new is not None
    assert new.person_id == RAHIMA
