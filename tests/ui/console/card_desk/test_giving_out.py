"""Cards are given out: one by one, before or after they are laid down, or a stack of them; each once."""

from __future__ import annotations

from appliance.db.card_desk import jobs
from appliance.db.people import people_search
from appliance.services import settings
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import (
    BLANK,
    HERE,
    OTHER,
    RAHIMA,
    Browser,
    Counter,
    asked_key,
    get,
    keys_in,
    send,
    watch,
)
from tests.ui.frame.test_live import next_event


async def test_a_card_is_given_to_somebody_new_with_a_first_top_up(counter: Counter, client: Browser) -> None:
    card = await counter.give_out(client, Chip(BLANK), phone="01911 111222", preset="500.00")
    html = await get(client)

    assert card.person == "Anwara Begum"
    assert card.content == "written"
    assert await counter.balance(card.person_id) == 500_00
    assert f"Anwara Begum has card {card.number:04}." in html
    assert "৳500.00 in cash taken." in html
    assert "Receipt 4" in html


async def test_the_form_may_be_sent_before_the_card_is_laid_down(counter: Counter, client: Browser) -> None:
    _, html = await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    assert "Lay the new card for Anwara Begum on the reader." in html

    counter.desk.lay(Chip(BLANK))
    await counter.until("done")

    assert (await counter.card(BLANK)).person == "Anwara Begum"


async def test_the_same_form_twice_is_one_card_and_one_person(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    key = keys_in(await get(client))["desk-issue"]
    for _ in range(2):
        await send(client, "issue", key, name="Anwara Begum", preset="500.00", method="cash")
    await counter.until("done")

    assert len(await counter.served.store.read(people_search.people, text="Anwara")) == 1
    assert len(await counter.served.store.read(jobs.latest_at, "counter", 10)) == 1


async def test_a_form_with_a_mistake_comes_back_filled_and_books_nothing(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    status, html = await send(client, "issue", name="Anwara Begum", phone="0191", preset="other", amount_minor="much")

    assert status == 422
    assert 'value="Anwara Begum"' in html
    assert 'data-live="desk-jobs:counter"' in html
    assert await counter.served.store.read(jobs.latest_at, "counter", 1) == []


async def test_another_card_goes_to_somebody_who_is_known(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    html = await get(client, f"{HERE}?person=1")
    assert 'name="person" value="1"' in html

    await send(client, "issue", person="1", preset="", method="cash")
    await counter.until("done")

    assert (await counter.card(BLANK)).person_id == RAHIMA


async def test_a_foreign_card_is_used_all_the_same_only_if_somebody_says_so(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK, foreign=True))
    _, html = await send(client, "issue", name="Anwara Begum", preset="", method="cash")
    assert "Something else is written on this card" in html

    await send(client, "issue", name="Anwara Begum", preset="", method="cash", overwrite="1")
    await counter.until("done")

    assert (await counter.card(BLANK)).content == "written"


async def test_the_desk_asks_before_somebody_is_entered_again(counter: Counter, client: Browser) -> None:
    counter.desk.lay(Chip(BLANK))
    status, html = await send(client, "issue", name="rahima khatun", preset="", method="cash")
    assert status == 409
    assert '<a href="/people/1">Rahima Khatun' in html
    assert await counter.served.store.read(jobs.latest_at, "counter", 1) == []

    await send(client, "issue", name="rahima khatun", preset="", method="cash", another="1")
    await counter.until("done")

    assert (await counter.card(BLANK)).person_id != RAHIMA


async def test_the_deposit_is_said_and_taken(counter: Counter, client: Browser) -> None:
    await counter.served.store.write(settings.change, "card_deposit_minor", "5000")
    counter.desk.lay(Chip(BLANK))
    assert "A deposit of ৳50.00" in await get(client)

    card = await counter.give_out(client, Chip(BLANK), preset="200.00")

    assert card.deposit_minor == 50_00
    assert "৳250.00 in cash taken." in await get(client)


async def test_a_stack_is_made_card_by_card_and_its_sheet_has_their_numbers(counter: Counter, client: Browser) -> None:
    html = await get(client, f"{HERE}/batch")
    _, html = await send(client, "batch", asked_key(html), count="2", group_id="1", label="Guest")
    assert "Lay the next card on the reader: 1 of 2." in html
    stream = await watch(client, "batch:1")
    await next_event(stream)

    counter.desk.lay(Chip(BLANK))
    await counter.until("waiting")
    while "1 <small>" not in (await next_event(stream))[1].get("batch-now", ""):
        pass
    counter.desk.lay(Chip(OTHER))
    await counter.until("done")

    html = await get(client, f"{HERE}/batch/1")
    for uid in (BLANK, OTHER):
        card = await counter.card(uid)
        assert f"Guest {card.number:04}" in html
        assert f"…{uid[-8:]}<" in html
        assert uid not in html


async def test_a_stack_of_a_wrong_size_is_refused(client: Browser) -> None:
    for count in ("0", "1001", "many"):
        key = asked_key(await get(client, f"{HERE}/batch"))
        status, html = await send(client, "batch", key, count=count, group_id="1")
        assert status == 422
        assert f'value="{count}"' in html
