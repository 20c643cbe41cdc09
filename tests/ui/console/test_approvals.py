"""A large amount on the pages: it waits for a second person, whom the pages tell."""

from __future__ import annotations

from typing import Any

from aiohttp.test_utils import TestClient

from appliance.domain.roles import Role
from appliance.services import settings
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}


async def send(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    answer = await client.post(path, data=fields, headers=OURS)
    return answer.status, await answer.text()


async def page(client: TestClient[Any, Any], path: str) -> str:
    return await (await client.get(path)).text()


async def balance(served: ConsoleFixture) -> int:
    def of_rahima(db: Any) -> int:
        sql = (
            "SELECT credit_posted - debit_posted FROM account JOIN person ON account.id = wallet_id WHERE person.id = 1"
        )
        return int(db.execute(sql).fetchone()[0])

    return await served.store.read(of_rahima)


async def test_a_large_top_up_waits_until_a_manager_agrees(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "second_person_minor", "100000")
    cashier, manager = await served.logged_in(Role.CASHIER), await served.logged_in(Role.MANAGER)
    before = await balance(served)
    form = {"amount_minor": "5000", "preset": "other", "method": "cash", "note": "", "key": "k" * 24}
    status, html = await send(cashier, "/people/1/topup", **form)

    assert (status, await balance(served)) == (200, before)
    assert "Nothing was booked yet" in html
    assert "waits for a second person" in html
    assert "waits for a second person" in await page(manager, "/problems")
    assert 'action="/approvals/1/approve"' not in await page(cashier, "/approvals")
    assert 'action="/approvals/1/approve"' in await page(manager, "/approvals")
    assert (await send(cashier, "/approvals/1/approve"))[0] == 403

    assert (await send(manager, "/approvals/1/approve"))[0] == 200
    assert await balance(served) == before + 500_000
    assert (await send(manager, "/approvals/1/approve"))[0] == 409
    assert await balance(served) == before + 500_000
    assert "waits for a second person" not in await page(cashier, "/people/1")
    assert "Agreed to" in await page(manager, "/audit")


async def test_a_refund_and_a_correction_wait_too_and_can_be_taken_back(served: ConsoleFixture) -> None:
    await served.store.write(settings.change, "second_person_minor", "100")
    manager = await served.logged_in(Role.MANAGER)
    before = await balance(served)
    refund = {"amount_minor": "5", "method": "cash", "note": "", "key": "r" * 24, "confirmed": "1"}
    correction = {"amount_minor": "5", "direction": "out", "reason": "slip", "key": "c" * 24, "confirmed": "1"}
    await send(manager, "/people/1/refund", **refund)
    await send(manager, "/people/1/correction", **correction)
    html = await page(manager, "/approvals")
    assert html.count("Take back") == 2
    assert "slip" in html

    assert (await send(manager, "/approvals/1/approve"))[0] == 403
    await send(manager, "/approvals/1/refuse")
    other = await served.logged_in(Role.OWNER)
    await send(other, "/approvals/2/approve")
    assert await balance(served) == before - 500


async def test_a_cashier_is_offered_no_group_that_pays_otherwise(served: ConsoleFixture) -> None:
    cashier, manager = await served.logged_in(Role.CASHIER), await served.logged_in(Role.MANAGER)
    for path in ("/people/new", "/people/1/edit"):
        assert "Staff ·" not in await page(cashier, path)
        assert "For other groups ask a manager." in await page(cashier, path)
        assert "Staff ·" in await page(manager, path)
    fields = {"name": "Rahima Khatun", "phone": "", "note": "", "language": "", "group_id": "2"}
    assert (await send(cashier, "/people/1/edit", **fields))[0] == 403
