"""Pools over the API: one wallet, several people, from the first call to the last."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.site import Client, Running


async def made(api: Client, *names: str) -> tuple[int, list[int]]:
    """A pool and people who are not in it yet."""
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    pool = await api.post("/pools", {"name": "Acme Motors", "contact": "Mrs Rahman", "tax_number": "BIN 000123"})
    assert (pool.status, pool["group_id"], pool["people"]) == (201, group["id"], 0)
    people = [(await api.post("/people", {"name": name, "group_id": group["id"]}))["id"] for name in names]
    return int(pool["id"]), people


async def test_people_join_charge_from_one_wallet_and_leave(api: Client) -> None:
    pool, (rahima, karim) = await made(api, "Rahima", "Karim")
    for person in (rahima, karim):
        await api.pay(f"/people/{person}/topups", {"amount_minor": 700})

    kept = await api.post(f"/pools/{pool}/people", {"person_id": rahima})
    moved = await api.post(f"/pools/{pool}/people", {"person_id": karim, "own_money": "moved"}, key="once")
    again = await api.post(f"/pools/{pool}/people", {"person_id": karim, "own_money": "moved"}, key="once")

    assert (kept.status, kept["own_balance_minor"], kept["moved_minor"]) == (201, 700, 0)
    assert (moved["own_balance_minor"], moved["moved_minor"]) == (0, 700)
    assert again.headers["Idempotency-Replayed"] == "true"
    paid = await api.pay(f"/people/{rahima}/topups", {"amount_minor": 1_000})
    assert (paid["person_id"], paid["balance_minor"]) == (pool, 1_700)
    shown = await api.get(f"/people/{rahima}")
    assert (shown["pool_id"], shown["balance_minor"], shown["own_balance_minor"]) == (pool, 1_700, 700)
    assert [one["person_id"] for one in (await api.get(f"/pools/{pool}/people"))["items"]] == [rahima, karim]
    assert (await api.get(f"/pools/{pool}"))["people"] == 2

    left = await api.call("DELETE", f"/pools/{pool}/people/{rahima}")
    assert (left.status, left["people"]) == (200, 1)
    assert (await api.get(f"/people/{rahima}"))["balance_minor"] == 700


async def test_a_pools_statement_is_asked_for_by_the_pool(api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    await api.pay(f"/pools/{pool}/topups", {"amount_minor": 1_000})
    found = await api.get("/statements", pool=pool)

    assert (found.status, found["person_id"], found["balance_after_minor"]) == (200, pool, 1_000)
    assert (await api.get("/statements", person=pool)).body == found.body
    assert (await api.get("/statements", pool=rahima)).status == 404
    for asked in ({}, {"pool": pool, "person": rahima}):
        refused = await api.get("/statements", **asked)
        assert (refused.status, refused["field"]) == (422, "person")


async def test_a_pools_wallet_is_topped_up_paid_out_corrected_and_looked_at(api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    await api.pay(f"/pools/{pool}/topups", {"amount_minor": 1_000})
    await api.pay(f"/pools/{pool}/refunds", {"amount_minor": 300})
    await api.pay(f"/pools/{pool}/corrections", {"amount_minor": -50, "reason": "a slip"})

    assert (await api.get(f"/pools/{pool}"))["balance_minor"] == 650
    assert [one["code"] for one in (await api.get(f"/pools/{pool}/ledger"))["items"]] == [
        "correction",
        "refund",
        "topup",
    ]
    assert (await api.pay(f"/pools/{rahima}/topups", {"amount_minor": 1})).status == 404
    refused = await api.pay(f"/people/{rahima}/refunds", {"amount_minor": 1})
    assert refused.status == 409


async def test_limits_are_kept_as_they_were_set(api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    wanted = {"day_energy_wh": 40_000, "month_minor": 500_000}
    for path in (f"/pools/{pool}/limits", f"/people/{rahima}/limits"):
        answer = await api.call("PUT", path, body=wanted)
        assert (answer["day_energy_wh"], answer["month_minor"], answer["day_minor"]) == (40_000, 500_000, None)
        assert answer["used"]["month_minor"] == 0
        assert (await api.get(path)).body == answer.body
        assert (await api.call("PUT", path, body={"day_minor": 0})).status == 422
    assert (await api.get(f"/pools/{rahima}/limits")).status == 404


async def test_a_pool_is_changed_and_closed(api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    changed = await api.call("PATCH", f"/pools/{pool}", body={"name": "Acme", "phone": "01911 223344"})
    assert (changed["name"], changed["contact"], changed["tax_number"]) == ("Acme", "Mrs Rahman", "BIN 000123")
    await api.post(f"/pools/{pool}/people", {"person_id": rahima})
    await api.pay(f"/pools/{pool}/topups", {"amount_minor": 5})
    assert (await api.call("DELETE", f"/pools/{pool}")).status == 409

    await api.pay(f"/pools/{pool}/refunds", {"amount_minor": 5})
    closed = await api.call("DELETE", f"/pools/{pool}")

    assert (closed.status, closed["people"]) == (200, 0)
    assert closed["closed_at"] is not None
    assert (await api.get("/pools"))["items"] == []
    assert [one["id"] for one in (await api.get("/pools", closed="true"))["items"]] == [pool]
    assert (await api.get(f"/people/{rahima}"))["pool_id"] is None


async def test_two_who_join_at_once_move_their_money_once(api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    await api.pay(f"/people/{rahima}/topups", {"amount_minor": 700})
    body = {"person_id": rahima, "own_money": "moved"}

    answers = await asyncio.gather(*(api.post(f"/pools/{pool}/people", body) for _ in range(6)))

    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert (await api.get(f"/pools/{pool}"))["balance_minor"] == 700


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "name"),
        ({"name": ""}, 422, "name"),
        ({"name": "A", "group_id": 99}, 404, None),
        ({"name": "A", "phone": "no number"}, 422, "phone"),
        ({"name": "A", "limit": 5}, 422, "limit"),
    ],
)
async def test_bad_input_gets_a_sentence(api: Client, body: dict[str, Any], status: int, field: str | None) -> None:
    await made(api)
    answer = await api.post("/pools", body)
    assert (answer.status, answer.body.get("field")) == (status, field)
    assert answer["detail"]


async def test_without_a_group_that_pays_beforehand_a_pool_needs_one(api: Client) -> None:
    answer = await api.post("/pools", {"name": "Acme"})
    assert (answer.status, answer["field"]) == (422, "group_id")


async def test_thresholds_of_a_group_are_kept_as_they_were_set(api: Client) -> None:
    body = {"name": "Lent", "policy": "prepaid", "minimum_minor": 500, "emergency_minor": 2_000, "low_minor": 1_000}
    group = await api.post("/groups", body)
    assert {name: group[name] for name in body} == body
    changed = await api.call("PATCH", f"/groups/{group['id']}", body={"emergency_minor": 0})
    assert (changed["emergency_minor"], changed["minimum_minor"]) == (0, 500)
    answer = await api.call("PATCH", f"/groups/{group['id']}", body={"policy": "postpaid", "emergency_minor": 5})
    assert (answer.status, answer["field"]) == (422, "emergency_minor")


async def test_cashiers_work_with_pools_and_managers_set_their_limits(site: Running, api: Client) -> None:
    pool, (rahima,) = await made(api, "Rahima")
    cashier = await site.client("cashier")
    assert (await cashier.post(f"/pools/{pool}/people", {"person_id": rahima})).status == 201
    assert (await cashier.call("PUT", f"/pools/{pool}/limits", body={"day_minor": 5})).status == 403
    assert (await cashier.call("DELETE", f"/pools/{pool}")).status == 403
    assert (await (await site.client("guard")).get("/pools")).status == 403
