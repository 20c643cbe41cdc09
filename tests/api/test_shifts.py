"""Shifts through the API: a program's own drawer, counted and closed once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from appliance.services import settings
from tests.api.site import Client, Running

FLOAT = {"float": [{"value_minor": 10_000, "count": 2}, {"value_minor": 500, "count": 4}]}


@pytest.fixture(name="person")
async def _person(api: Client) -> int:
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    return int((await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]}))["id"])


@pytest.fixture(name="cashier")
async def _cashier(site: Running) -> Client:
    return await site.client("cashier")


async def opened(client: Client) -> int:
    answer = await client.pay("/shifts", FLOAT)
    assert answer.status == 201
    return int(answer["id"])


async def test_a_shift_from_its_float_to_its_z_report(cashier: Client, person: int) -> None:
    shift = await opened(cashier)
    await cashier.pay(f"/people/{person}/topups", {"amount_minor": 50_000, "method": "cash"})
    await cashier.pay(f"/people/{person}/topups", {"amount_minor": 30_000, "method": "card"})
    await cashier.pay(f"/shifts/{shift}/movements", {"way": "in", "amount_minor": 10_000})
    bought = {"way": "out", "amount_minor": 2_000, "counterpart": "expenses", "reason": "a lamp"}
    await cashier.pay(f"/shifts/{shift}/movements", bought)
    now = await cashier.get(f"/shifts/{shift}")
    assert (now["state"], now["float_minor"], now["expected_minor"], now["z_number"]) == ("open", 22_000, 80_000, None)
    assert now["float"] == FLOAT["float"]
    assert {(one["method"], one["code"]): one["in_minor"] - one["out_minor"] for one in now["moved"]} == {
        ("cash", "topup"): 50_000, ("cash", "pay_in"): 10_000, ("cash", "pay_out"): -2_000, ("card", "topup"): 30_000,
    }  # fmt: skip

    closed = await cashier.pay(
        f"/shifts/{shift}/close", {"counted": [{"value_minor": 10_000, "count": 7}], "reason": "?"}
    )

    assert (closed.status, closed["state"], closed["z_number"]) == (200, "closed", 1)
    assert (closed["counted_minor"], closed["expected_minor"], closed["difference_minor"]) == (70_000, 80_000, -10_000)
    assert (await cashier.get(f"/shifts/{shift}")).body == closed.body


async def test_it_is_closed_once_whatever_is_repeated(cashier: Client) -> None:
    shift = await opened(cashier)
    body = {"counted": FLOAT["float"]}
    answers = await asyncio.gather(*(cashier.post(f"/shifts/{shift}/close", body, key=f"k{n % 2}") for n in range(6)))
    assert sorted({answer.status for answer in answers}) == [200, 409]
    refused = next(answer for answer in answers if answer.status == 409)
    assert refused["type"] == "urn:forecourt:problem:already-closed"
    assert "Z report 1" in refused["detail"]
    assert (await cashier.get("/shifts"))["items"][0]["difference_minor"] == 0


async def test_a_second_shift_is_refused_and_the_same_request_is_not(cashier: Client) -> None:
    first = await cashier.post("/shifts", FLOAT, key="same")
    again = await cashier.post("/shifts", FLOAT, key="same")
    other = await cashier.post("/shifts", FLOAT, key="other")
    assert (again.body, again.headers["Idempotency-Replayed"]) == (first.body, "true")
    assert (other.status, other["type"]) == (409, "urn:forecourt:problem:already-open")


@pytest.mark.parametrize(
    "float_",
    [
        [{"value_minor": -100, "count": 1}],
        [{"value_minor": 100, "count": -1}],
        [{"value_minor": 100, "count": 1.5}],
        [{"value_minor": 333, "count": 1}],
        [{"value_minor": 100, "count": 10**9}],
        [{"value_minor": 2**70, "count": 1}],
        [{"value_minor": 100, "count": 1}, {"value_minor": 100, "count": 1}],
        [{"value_minor": 100}],
        [{"value": 100, "count": 1}],
        [[100, 1]],
        {"100": 1},
        "100",
        None,
        [{"value_minor": 100, "count": "২"}],
    ],
)
async def test_a_float_that_cannot_be_is_refused_with_a_sentence(cashier: Client, float_: Any) -> None:
    answer = await cashier.pay("/shifts", {"float": float_})
    assert answer.status == 422
    assert answer["detail"]
    assert (await cashier.get("/shifts"))["items"] == []


async def test_an_amount_does_where_nobody_counts_by_note(cashier: Client) -> None:
    assert (await cashier.pay("/shifts", {"float": [], "float_minor": 5})).status == 422
    answer = await cashier.pay("/shifts", {"float_minor": 12_345})
    assert (answer["float_minor"], answer["float"]) == (12_345, [])
    shift = answer["id"]
    assert (await cashier.pay(f"/shifts/{shift}/close", {})).status == 422
    assert (await cashier.pay(f"/shifts/{shift}/close", {"counted_minor": 12_345}))["difference_minor"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {"way": "up", "amount_minor": 5},
        {"way": "in", "amount_minor": 0},
        {"way": "in", "amount_minor": -5},
        {"way": "in", "amount_minor": 2.5},
        {"way": "in", "amount_minor": 10**30},
        {"way": "out", "amount_minor": 5, "counterpart": "expenses"},
        {"way": "in", "amount_minor": 5, "currency": "EUR"},
    ],
)
async def test_a_movement_that_cannot_be_is_refused(cashier: Client, body: dict[str, Any]) -> None:
    shift = await opened(cashier)
    assert (await cashier.pay(f"/shifts/{shift}/movements", body)).status == 422
    assert (await cashier.get(f"/shifts/{shift}"))["expected_minor"] == 22_000


async def test_others_see_nothing_of_it_and_managers_all(site: Running, cashier: Client) -> None:
    shift = await opened(cashier)
    other, manager, guard = await site.client("cashier"), await site.client("manager"), await site.client("guard")
    assert (await other.get(f"/shifts/{shift}")).status == 403
    assert (await other.get("/shifts"))["items"] == []
    assert (await other.pay(f"/shifts/{shift}/close", {"counted": []})).status == 403
    assert (await guard.pay("/shifts", FLOAT)).status == 403
    assert [one["id"] for one in (await manager.get("/shifts"))["items"]] == [shift]
    assert (await manager.get("/shifts/99")).status == 404
    assert (await manager.pay(f"/shifts/{shift}/close", {"counted": []}))["difference_minor"] == -22_000


async def test_what_is_hidden_from_cashiers_is_null(site: Running, cashier: Client, person: int) -> None:
    await site.store.write(settings.change, "hide_drawer", "1")
    shift = await opened(cashier)
    await cashier.pay(f"/people/{person}/topups", {"amount_minor": 50_000, "method": "cash"})
    closed = await cashier.pay(f"/shifts/{shift}/close", {"counted": []})
    assert (closed["expected_minor"], closed["difference_minor"], closed["moved"]) == (None, None, [])
    manager = await site.client("manager")
    assert (await manager.get(f"/shifts/{shift}"))["difference_minor"] == -72_000


async def test_where_cash_needs_a_shift_it_is_refused_without_one(site: Running, cashier: Client, person: int) -> None:
    await site.store.write(settings.change, "cash_needs_shift", "1")
    refused = await cashier.post(f"/people/{person}/topups", {"amount_minor": 5}, key="later")
    assert (refused.status, refused["type"]) == (409, "urn:forecourt:problem:needs-shift")
    await opened(cashier)
    assert (await cashier.post(f"/people/{person}/topups", {"amount_minor": 5}, key="later")).status == 201


async def test_a_cashiers_refund_is_bounded_by_a_setting(site: Running, cashier: Client, person: int) -> None:
    await cashier.pay(f"/people/{person}/topups", {"amount_minor": 50_000})
    asked = await cashier.pay(f"/people/{person}/refunds", {"amount_minor": 100})
    assert asked.status == 409
    await site.store.write(settings.change, "refund_cashier_minor", "100")
    assert (await cashier.pay(f"/people/{person}/refunds", {"amount_minor": 100})).status == 201
    assert (await cashier.pay(f"/people/{person}/refunds", {"amount_minor": 1})).status == 409
