"""What the desk asks about before it is done: to replace, to take back, to block, to write anew."""

from __future__ import annotations

import re

import pytest

from appliance.db.wallets import receipts
from appliance.domain.desk_request import Replace
from appliance.domain.identifiers import CardId
from appliance.domain.roles import Role
from appliance.services import settings
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import BLANK, HERE, OTHER, OURS, Browser, Counter, asked_key, get, send


async def test_a_lost_card_is_replaced_and_the_money_stays(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    html = await get(client, f"{HERE}/cards/1/replace")
    assert "charges nowhere any more, for good" in html
    await send(client, "cards/1/replace", asked_key(html))
    counter.desk.lay(Chip(BLANK))
    await counter.until("done")

    new = await counter.card(BLANK)
    assert (await counter.card("04A1B2C3")).replaced_by == new.id
    assert await counter.balance() == before


@pytest.mark.parametrize("place", ["/cards/1", "/people/1"])
async def test_a_lost_card_is_replaced_from_its_page_and_its_holders_as_at_the_desk(
    counter: Counter, client: Browser, place: str
) -> None:
    assert f'href="{HERE}/cards/1/replace" data-dialog' in await get(client, place)
    html = await get(client, f"{HERE}/cards/1/replace")
    assert html.index("Lay the new card on the reader") < html.index('name="uid"')

    form = {"key": asked_key(html)}
    async with client.post(f"{HERE}/cards/1/replace", data=form, headers=OURS) as answer:
        assert (answer.status, answer.url.path) == (200, HERE)
        assert "Lay the new card for Rahima Khatun on the reader." in await answer.text()

    job = await counter.job()
    assert (job.state, job.request) == ("waiting", Replace(CardId(1), overwrite=False))


async def test_beside_the_reader_the_number_of_the_new_card_can_be_typed(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/cards/1/replace")
    keys = re.findall(r'name="key" value="([^"]+)"', html)
    assert len(set(keys)) == 2
    status, html = await send(client, "cards/1/replace", keys[1], uid="nothing")
    assert status == 422
    assert 'id="uid-wrong"' in html
    assert '<details class="more" open>' in html

    await send(client, "cards/1/replace", keys[0])
    await send(client, "cards/1/replace", keys[1], uid=OTHER)

    assert (await counter.card("04A1B2C3")).replaced_by == (await counter.card(OTHER)).id


async def test_with_several_readers_the_question_lets_choose_one(counter: Counter, client: Browser) -> None:
    assert 'href="/desk/gate/' not in await get(client, f"{HERE}/cards/1/replace")
    counter.desk.joined.append("gate")

    html = await get(client, f"{HERE}/cards/1/replace")

    assert 'href="/desk/gate/cards/1/replace" data-dialog' in html
    assert "/desk/gate/" not in await get(client, f"{HERE}/cards/1/block")


async def test_a_foreign_card_takes_the_place_of_a_lost_one_only_if_somebody_says_so(
    counter: Counter, client: Browser
) -> None:
    counter.desk.lay(Chip(BLANK, foreign=True))
    html = await get(client, f"{HERE}/cards/1/replace")
    assert 'name="overwrite"' in html
    await send(client, "cards/1/replace", asked_key(html))
    assert (await counter.until("foreign")).state == "waiting"

    await send(client, "cards/1/replace", overwrite="1")
    await counter.until("done")

    assert (await counter.card("04A1B2C3")).replaced_by == (await counter.card(BLANK)).id


async def test_a_card_comes_back_with_deposit_and_rest(counter: Counter, client: Browser) -> None:
    await counter.served.store.write(settings.change, "card_deposit_minor", "5000")
    chip = Chip(BLANK)
    card = await counter.give_out(client, chip, preset="200.00")
    manager = await counter.served.logged_in(Role.MANAGER)
    html = await get(manager, f"{HERE}/cards/{card.id}/return")
    assert "Give back the deposit, ৳50.00" in html
    assert "Pay out the rest of the wallet, ৳200.00" in html

    await send(manager, f"cards/{card.id}/return", asked_key(html), refund="1", rest="1", method="cash")
    job = await counter.until("done")

    receipt = await counter.served.store.read(receipts.find, job.receipt or 0)
    assert receipt is not None
    assert receipt.amount_minor == -250_00
    assert (await counter.card(BLANK)).content == "wiped"
    assert chip.content.record == b""


async def test_the_cashier_gives_back_the_deposit_and_the_rest_stays_for_a_manager(
    counter: Counter, client: Browser
) -> None:
    await counter.served.store.write(settings.change, "card_deposit_minor", "5000")
    card = await counter.give_out(client, Chip(BLANK), preset="200.00")
    html = await get(client, f"{HERE}/cards/{card.id}/return")
    assert 'name="rest"' not in html
    assert "৳200.00 stay in the wallet. A manager can pay them out" in html
    status, _ = await send(client, f"cards/{card.id}/return", asked_key(html), rest="1", method="cash")
    assert status == 403

    await send(client, f"cards/{card.id}/return", asked_key(html), refund="1", method="cash")
    job = await counter.until("done")

    receipt = await counter.served.store.read(receipts.find, job.receipt or 0)
    assert receipt is not None
    assert (receipt.amount_minor, receipt.deposit_minor) == (-50_00, -50_00)
    assert receipt.balance_minor == 200_00


async def test_blocking_and_unblocking_stay_at_the_desk(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/cards/1/block")
    _, html = await send(client, "cards/1/block", asked_key(html), reason="lost")
    assert "it charges nowhere" in html
    assert "Unblock…" in html

    await send(client, "cards/1/unblock", asked_key(await get(client, f"{HERE}/cards/1/unblock")))

    assert (await counter.card("04A1B2C3")).blocked_at_ms is None


async def test_a_card_is_written_anew_with_another_link(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK))
    html = await get(client, f"{HERE}/cards/{card.id}/rewrite")
    await send(client, f"cards/{card.id}/rewrite", asked_key(html))
    await counter.until("done")

    after = await counter.card(BLANK)
    assert after.token != card.token
    assert after.issue == card.issue + 1


async def test_nothing_else_can_be_done_to_a_card(counter: Counter, client: Browser) -> None:
    for method in ("GET", "POST"):
        async with client.request(method, f"{HERE}/cards/1/burn", headers=OURS) as answer:
            assert answer.status == 404
