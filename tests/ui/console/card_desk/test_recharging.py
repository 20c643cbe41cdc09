"""A recharge is booked once; what was torn away is finished, and what was a slip is taken back."""

from __future__ import annotations

from appliance.domain.cards.tag import Trouble
from appliance.services.wallets import wallets
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import BLANK, HERE, OTHER, OURS, Browser, Counter, get, keys_in, send, watch
from tests.ui.frame.test_live import next_event


async def test_a_recharge_is_booked_once_and_has_a_receipt(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    counter.desk.lay(Chip("04A1B2C3"))
    key = keys_in(await get(client))["desk-recharge"]
    for _ in range(2):
        await send(client, "recharge", key, card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")

    assert await counter.balance() == before + 200_00
    assert f"Receipt {job.receipt}" in await get(client)


async def test_a_card_that_was_swapped_meanwhile_gets_nothing(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04B1B2C3"))
    before = await counter.balance(2)

    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    await counter.until("other_card")

    _, fragments = await next_event(await watch(client, "desk:counter"))
    assert "another card than the one that was meant" in fragments["desk-job"]
    assert await counter.balance(2) == before
    assert (await counter.job()).state == "waiting"


async def test_recharge_and_print_says_which_job_is_to_be_printed(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip("04A1B2C3"))
    _, html = await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash", print="1")
    job = await counter.until("done")

    assert f'data-print="{job.id}"' in html
    assert f'data-receipt="{job.receipt}"' in await get(client)


async def test_what_is_given_up_is_quiet_and_books_nothing(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.job()

    await send(client, f"jobs/{job.id}/cancel")
    counter.desk.lay(Chip("04A1B2C3"))

    assert (await counter.job()).state == "failed"
    assert await counter.balance() == before


async def test_a_torn_card_stands_on_the_page_until_it_is_finished(counter: Counter, client: Browser) -> None:
    chip = Chip(BLANK)
    counter.desk.trouble = Trouble.TORN
    counter.desk.lay(chip)
    await send(client, "issue", name="Anwara Begum", preset="500.00", method="cash")
    await counter.until("torn")
    html = await get(client)
    assert "was not finished" in html
    assert "it is finished by itself, and nothing is booked twice" in html

    counter.served.now_ms += 120_000
    assert "Booked, but the card is not finished" in await get(client)
    counter.desk.lay(chip)
    await counter.until("done")

    assert "Booked, but the card is not finished" not in await get(client)
    assert await counter.balance((await counter.card(BLANK)).person_id) == 500_00


async def test_a_torn_card_is_used_by_its_number(counter: Counter, client: Browser) -> None:
    counter.desk.trouble = Trouble.REFUSED
    counter.desk.lay(Chip(BLANK))
    await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    job = await counter.until("torn")

    await send(client, f"jobs/{job.id}/accept")

    assert (await counter.job()).state == "done"
    assert (await counter.card(BLANK)).content == "none"


async def test_another_card_takes_the_place_of_a_torn_one(counter: Counter, client: Browser) -> None:
    counter.desk.trouble = Trouble.REFUSED
    counter.desk.lay(Chip(BLANK))
    await send(client, "issue", name="Anwara Begum", preset="500.00", method="cash")
    job = await counter.until("torn")

    await send(client, f"jobs/{job.id}/another")
    counter.desk.lay(Chip(OTHER))
    await counter.until("done")

    old, new = await counter.card(BLANK), await counter.card(OTHER)
    assert old.replaced_by == new.id
    assert await counter.balance(new.person_id) == 500_00


async def test_a_slip_is_taken_back_within_the_minute_and_not_after_it(counter: Counter, client: Browser) -> None:
    before = await counter.balance()
    counter.desk.lay(Chip("04A1B2C3"))
    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")
    assert f"jobs/{job.id}/undo" in await get(client)

    _, html = await send(client, f"jobs/{job.id}/undo")
    assert "credit note" in html
    assert await counter.balance() == before

    await send(client, "recharge", card="1", at="reader", preset="200.00", method="cash")
    job = await counter.until("done")
    counter.served.now_ms += 61_000
    assert f"jobs/{job.id}/undo" not in await get(client)
    status, _ = await send(client, f"jobs/{job.id}/undo")
    assert status == 409


async def test_what_could_not_be_taken_back_is_not_offered(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK), preset="200.00")
    job = await counter.job()
    assert f'action="{HERE}/jobs/{job.id}/undo"' in await get(client)

    async with client.post(f"/cards/{card.id}/block", data={"reason": "lost"}, headers=OURS):
        pass
    assert f'action="{HERE}/jobs/{job.id}/undo"' in await get(client)
    await counter.served.store.write(wallets.top_up, card.person_id, 100, "cash", "more", counter.served.by)

    assert f'action="{HERE}/jobs/{job.id}/undo"' not in await get(client)
