"""Vouchers through the API: codes go out once, and whatever is repeated, money moves once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from appliance.domain.digits import NATIVE
from appliance.domain.roles import Role
from appliance.services.vouchers import codes
from tests.api.site import Client, Running


@pytest.fixture(name="person")
async def _person(api: Client) -> int:
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    return int((await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]}))["id"])


async def made(api: Client, **more: Any) -> list[str]:
    """A batch of three; its codes."""
    answer = await api.post("/vouchers", {"count": 3, "amount_minor": 5_000, **more})
    assert answer.status == 201
    return list(answer["codes"])


async def owed(api: Client) -> int:
    accounts = (await api.get("/ledger/accounts"))["items"]
    return int(next(one["balance_minor"] for one in accounts if one["name"] == "vouchers"))


async def test_a_voucher_is_made_sold_and_redeemed(api: Client, person: int) -> None:
    code, *_others = await made(api, expires_at="2099-01-01T00:00:00Z", note="Hotel")
    sold = await api.post(f"/vouchers/{code}/sell", {"method": "mobile"}, key="sale")
    assert (sold.status, sold["state"], sold["number"], sold["amount_minor"]) == (201, "sold", "1-1", 5_000)
    assert await owed(api) == 5_000
    redeemed = await api.post(f"/vouchers/{code}/redeem", {"person": person}, key="use")
    assert (redeemed.status, redeemed["balance_minor"], redeemed["receipt"]) == (201, 5_000, sold["receipt"] + 1)
    assert await owed(api) == 0
    receipts = (await api.get("/receipts"))["items"]
    assert [(one["kind"], one["method"], one["person_id"]) for one in receipts] == [
        ("recharge", "voucher", person), ("voucher", "mobile", None),
    ]  # fmt: skip
    assert (await api.get("/ledger/trial-balance"))["balanced"]


async def test_its_code_is_read_however_it_is_typed(api: Client, person: int) -> None:
    code, *_others = await made(api, given_away=True)
    typed = code.replace("-", "").lower().translate(NATIVE["beng"])
    answer = await api.post(f"/vouchers/{typed}/redeem", {"person": person}, key="use")
    assert answer.status == 201


async def test_the_same_key_gives_the_same_codes_and_nobody_else_has_them(api: Client, site: Running) -> None:
    body = {"count": 2, "amount_minor": 100}
    first = await api.post("/vouchers", body, key="one")
    again = await api.post("/vouchers", body, key="one")
    assert again.body == first.body
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await api.post("/vouchers", {**body, "count": 3}, key="one")).status == 422
    listed = (await api.get("/vouchers"))["items"]
    assert [one["number"] for one in listed] == ["1-2", "1-1"]
    dump = await site.store.read(lambda db: repr(db.execute("SELECT * FROM idempotency").fetchall()))
    for code in first["codes"]:
        assert code not in str(listed)
        assert code not in dump
        assert code.replace("-", "") not in dump


async def test_two_at_once_with_the_same_code_is_one_and_says_so(api: Client, person: int) -> None:
    code, *_others = await made(api, given_away=True)
    answers = await asyncio.gather(
        *(api.post(f"/vouchers/{code}/redeem", {"person": person}, key=f"till-{number}") for number in range(8))
    )
    assert sorted(one.status for one in answers) == [201] + [409] * 7
    assert {one["detail"] for one in answers if one.status == 409} == {
        "Voucher 1-1 was redeemed already: nothing was booked now."
    }
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 5_000


async def test_the_same_request_twice_is_one(api: Client, person: int) -> None:
    code, *_others = await made(api)
    for path, body in (("sell", {"method": "cash"}), ("redeem", {"person": person})):
        first = await api.post(f"/vouchers/{code}/{path}", body, key=path)
        again = await api.post(f"/vouchers/{code.lower()}/{path}", body, key=path)
        assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 5_000


async def test_one_that_was_not_sold_or_was_voided_is_worth_nothing(api: Client, person: int) -> None:
    unsold, void, sold = await made(api)
    assert (await api.pay(f"/vouchers/{unsold}/redeem", {"person": person})).status == 409
    assert (await api.post(f"/vouchers/{void}/void"))["state"] == "voided"
    assert (await api.post(f"/vouchers/{void}/void")).status == 409
    for path, body in (("sell", {}), ("redeem", {"person": person})):
        answer = await api.pay(f"/vouchers/{void}/{path}", body)
        assert (answer.status, answer["detail"]) == (409, "Voucher 1-2 is void: it is worth nothing.")
    await api.pay(f"/vouchers/{sold}/sell", {"method": "card"})
    assert (await api.post("/vouchers/1-3/void"))["state"] == "voided"
    assert await owed(api) == 0
    assert [one["amount_minor"] for one in (await api.get("/receipts"))["items"]] == [-5_000, 5_000]


async def test_several_are_sold_at_once_or_none(api: Client) -> None:
    first, *_others = await made(api)
    too_many = await api.post(f"/vouchers/{first}/sell", {"count": 4}, key="four")
    assert (too_many.status, await owed(api)) == (404, 0)
    sold = await api.post("/vouchers/1-2/sell", {"count": 2, "method": "card"}, key="two")
    assert (sold.status, sold["number"]) == (201, "1-2")
    assert [(one["number"], one["state"]) for one in sold["sold"]] == [("1-2", "sold"), ("1-3", "sold")]
    assert len({one["receipt"] for one in sold["sold"]}) == 2
    assert await owed(api) == 10_000
    assert (await api.post("/vouchers/1-2/sell", {"count": 2, "method": "card"}, key="two")).body == sold.body
    assert await owed(api) == 10_000


async def test_who_guesses_waits_and_a_right_code_does_not_make_it_forgotten(api: Client, person: int) -> None:
    code, *_others = await made(api, given_away=True)
    statuses = []
    for number in range(7):
        await api.post(f"/vouchers/{code}/void" if number == 3 else f"/vouchers/{codes.new_code()}/void")
        answer = await api.pay(f"/vouchers/{codes.new_code()}/redeem", {"person": person})
        statuses.append(answer.status)
    assert statuses[0] == 404
    assert statuses[-1] == 429
    assert (await api.pay(f"/vouchers/{code}/redeem", {"person": person})).status == 429


async def test_of_many_guesses_at_once_only_those_before_the_delay_are_looked_at(api: Client, person: int) -> None:
    answers = await asyncio.gather(
        *(api.pay(f"/vouchers/{codes.new_code()}/redeem", {"person": person}) for _ in range(40))
    )
    assert sum(one.status == 404 for one in answers) <= 6
    assert {one.status for one in answers} == {404, 429}


@pytest.mark.parametrize("text", ["K7QM", "not-a-code", "ZZZZZZZZZZZZ", "1-1"])
async def test_what_is_no_code_is_told_and_is_no_guess(api: Client, person: int, text: str) -> None:
    for _ in range(9):
        answer = await api.pay(f"/vouchers/{text}/redeem", {"person": person})
        assert (answer.status, answer["field"]) == (422, "code")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"count": 0, "amount_minor": 1}, "count"),
        ({"count": 1_001, "amount_minor": 1}, "count"),
        ({"count": 1.5, "amount_minor": 1}, "count"),
        ({"count": 1, "amount_minor": 0}, "amount_minor"),
        ({"count": 1, "amount_minor": -1}, "amount_minor"),
        ({"count": 1, "amount_minor": 10**30}, "amount_minor"),
        ({"count": 1, "amount_minor": 1, "expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"count": 1, "amount_minor": 1, "expires_at": "tomorrow"}, "expires_at"),
        ({"count": 1, "amount_minor": 1, "currency": "EUR"}, "currency"),
        ({"count": 1}, "amount_minor"),
    ],
)
async def test_a_batch_that_cannot_be_is_refused(api: Client, body: dict[str, Any], field: str) -> None:
    answer = await api.post("/vouchers", body)
    assert answer.status == 422
    assert field in (answer["field"], answer["detail"]) or field in answer["detail"]
    assert (await api.get("/vouchers"))["items"] == []


async def test_lists_come_in_pages_by_state_and_batch(api: Client) -> None:
    first, second = await made(api), await made(api, given_away=True)
    await api.pay(f"/vouchers/{first[1]}/sell", {})
    await api.post(f"/vouchers/{second[2]}/void")
    page = await api.get("/vouchers", limit=4)
    assert [one["number"] for one in page["items"]] == ["2-3", "2-2", "2-1", "1-3"]
    rest = await api.get("/vouchers", limit=4, after=page["next"])
    assert ([one["number"] for one in rest["items"]], rest["next"]) == (["1-2", "1-1"], None)
    for query, numbers in (
        ({"state": "sold"}, ["1-2"]), ({"state": "voided"}, ["2-3"]), ({"batch": 2}, ["2-3", "2-2", "2-1"]),
        ({"batch": 1, "state": "made"}, ["1-3", "1-1"]), ({"state": "expired"}, []),
    ):  # fmt: skip
        assert [one["number"] for one in (await api.get("/vouchers", **query))["items"]] == numbers
    assert (await api.get("/vouchers", state="lost")).status == 422


async def test_a_cashier_sells_and_redeems_and_a_manager_prints_and_voids(
    api: Client, site: Running, person: int
) -> None:
    cashier, manager = await site.client(Role.CASHIER), await site.client(Role.MANAGER)
    assert (await cashier.post("/vouchers", {"count": 1, "amount_minor": 1})).status == 403
    one, two, _three = await made(manager)
    assert (await cashier.pay(f"/vouchers/{one}/sell", {})).status == 201
    assert (await cashier.pay(f"/vouchers/{one}/redeem", {"person": person})).status == 201
    assert (await cashier.post(f"/vouchers/{two}/void")).status == 403
    assert (await manager.post(f"/vouchers/{two}/void")).status == 200
