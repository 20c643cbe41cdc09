"""What the desk's page does not show, and what the books say after a day."""

from __future__ import annotations

import pytest

from appliance.db import ledger
from appliance.services.card_desk import jobs as service
from tests.support.one_desk import Chip
from tests.ui.console.card_desk.counter import BLANK, HERE, Browser, Counter, get, send
from tests.ui.console_fixture import BY


@pytest.mark.parametrize(
    "path",
    ["/desk/nowhere", f"{HERE}?card=999", f"{HERE}?person=x", f"{HERE}/batch/999", "/receipts/999", "/demo/reader"],
)
async def test_what_is_not_there_is_said(client: Browser, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 404


async def test_a_job_of_another_desk_is_none_of_this_one(counter: Counter, client: Browser) -> None:
    job = await counter.served.store.write(service.begin_read, "office", BY)
    status, _ = await send(client, f"jobs/{job}/cancel")

    assert status == 404


async def test_names_are_shown_as_text(counter: Counter, client: Browser) -> None:
    await counter.give_out(client, Chip(BLANK), name="<script>x</script>", label="<b>")
    html = await get(client)

    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


async def test_the_books_balance_after_a_day_at_the_desk(counter: Counter, client: Browser) -> None:
    await counter.give_out(client, Chip(BLANK), preset="500.00")
    await send(client, f"jobs/{(await counter.job()).id}/undo")
    counter.desk.lay(Chip("04A1B2C3"))
    await send(client, "recharge", card="1", at="reader", preset="other", amount_minor="১২৩.৪৫", method="bank")
    await counter.until("done")

    accounts = await counter.served.store.read(ledger.accounts)
    assert sum(account.balance_minor for account in accounts) == 0
