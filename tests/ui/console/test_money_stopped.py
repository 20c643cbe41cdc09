"""Money that is stopped, as people see it: what differs, whose it is, and who lets it move again."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.domain.roles import Role
from appliance.services.reconciling import stop
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
STOPPED = "Money is stopped: the books do not agree with themselves. Nothing was booked."
KEY = "k" * 24


@pytest.fixture(autouse=True)
async def _stopped(served: ConsoleFixture) -> None:
    found = [
        Difference(DifferenceKind.BALANCE, 100, 50_700, 50_000), Difference(DifferenceKind.HOLDS, 1, 0, 1_000),
        Difference(DifferenceKind.CHAIN, 17, 0, 0),
    ]  # fmt: skip
    await served.store.write(stop.report, found, NOW_MS)


async def send(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, data={"key": KEY, **fields}, headers=OURS)
    return answer.status, unescape(await answer.text())


async def page(client: TestClient[Any, Any], path: str) -> str:
    return unescape(await (await client.get(path)).text())


async def transfers(served: ConsoleFixture) -> int:
    return await served.store.read(lambda db: int(db.execute("SELECT count(*) FROM transfer").fetchone()[0]))


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/people/1/topup", {"preset": "other", "amount_minor": "777", "method": "cash"}),
        ("/people/1/refund", {"amount_minor": "77", "method": "cash", "confirmed": "1"}),
        ("/people/1/correction", {"amount_minor": "77", "direction": "in", "reason": "why", "confirmed": "1"}),
        (
            "/people/new",
            {"name": "Salma Begum", "group_id": "1", "preset": "other", "amount_minor": "77", "method": "cash"},
        ),
        ("/till/open", {"n10000": "3"}),
        ("/stations/CS-02/1/start", {"person": "1"}),
    ],
)
async def test_every_form_says_so_and_books_nothing(served: ConsoleFixture, path: str, fields: dict[str, str]) -> None:
    client, before = await served.logged_in(), await transfers(served)

    status, html = await send(client, path, **fields)

    assert (status, STOPPED in html) == (409, True)
    assert await transfers(served) == before
    if "77" in fields.get("amount_minor", ""):
        assert f'value="{fields["amount_minor"]}"' in html


async def test_the_page_says_whose_it_is_and_by_how_much(served: ConsoleFixture) -> None:
    html = await page(await served.logged_in(Role.CASHIER), "/problems/money")

    for sentence in (
        "Rahima Khatun has ৳507.00 by the account, and ৳500.00 by its transfers: ৳7.00 too much.",
        "Session 1 holds ৳0.00, and ৳10.00 is held in its name: ৳10.00 too little.",
        "Row 17 of the ledger is not as it was written.",
        "Only an owner lets money move again.",
    ):
        assert sentence in html
    assert 'action="/problems/money/lift"' not in html


async def test_problems_and_the_till_shout_and_nobody_puts_it_aside(served: ConsoleFixture) -> None:
    cashier = await served.logged_in(Role.CASHIER)
    problems = await page(cashier, "/problems")
    assert "Money is stopped. Rahima Khatun has" in problems
    assert "And 2 figures more do not agree." in problems
    assert 'value="money_stopped:"' not in problems
    assert "Nothing can be booked." in await page(cashier, "/till")
    (number,) = await served.store.read(
        lambda db: db.execute("SELECT id FROM problem WHERE kind = 'money_stopped'").fetchone()
    )
    assert (await send(cashier, f"/problems/{number}/acknowledge"))[0] == 409


async def test_an_owner_lifts_it_with_a_reason(served: ConsoleFixture) -> None:
    owner = await served.logged_in()
    status, html = await send(owner, "/problems/money/lift", reason=" ")
    assert (status, 'aria-invalid="true"' in html) == (422, True)

    status, _html = await send(owner, "/problems/money/lift", reason="Counted: all is there")
    assert status == 200
    assert "All that was compared agrees" in await page(owner, "/problems/money")
    assert "Let money move again: Counted: all is there" in await page(owner, "/audit")
    status, html = await send(owner, "/people/1/topup", preset="other", amount_minor="777", method="cash")
    assert STOPPED not in html


@pytest.mark.parametrize("role", [Role.MANAGER, Role.CASHIER, Role.INSTALLER])
async def test_nobody_else_does(served: ConsoleFixture, role: Role) -> None:
    assert (await send(await served.logged_in(role), "/problems/money/lift", reason="please"))[0] == 403
