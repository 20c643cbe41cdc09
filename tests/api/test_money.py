"""Money through the API: moved once, whatever is repeated, and described as it was."""

import asyncio

import pytest

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.clock import system_clock
from appliance.services import settings
from appliance.services.approvals import approvals
from appliance.services.operators import operators
from tests.api.site import Client, Running


@pytest.fixture(name="person")
async def _person(api: Client) -> int:
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = await api.post("/people", {"name": "Rahima Khatun", "phone": "+880 1712 345678", "group_id": group["id"]})
    assert (group.status, person.status) == (201, 201)
    assert (person["balance_minor"], person["available_minor"], person["currency"]) == (0, 0, "BDT")
    return int(person["id"])


async def test_a_top_up_is_in_the_balance(api: Client, person: int) -> None:
    answer = await api.pay(f"/people/{person}/topups", {"amount_minor": 50_000, "method": "cash"})
    assert answer.status == 201
    assert answer.body == {
        "person_id": person,
        "amount_minor": 50_000,
        "balance_minor": 50_000,
        "available_minor": 50_000,
        "currency": "BDT",
        "receipt": 1,
    }
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 50_000


async def test_the_same_key_and_body_gets_the_stored_answer_and_moves_nothing(api: Client, person: int) -> None:
    path, body = f"/people/{person}/topups", {"amount_minor": 700, "method": "bank"}
    first = await api.post(path, body, key="one")
    await api.post(path, {"amount_minor": 1}, key="two")
    again = await api.post(path, dict(reversed(body.items())), key="one")
    assert (again.status, again.body) == (first.status, first.body)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 701


async def test_the_same_key_asked_many_times_at_once_pays_once(api: Client, person: int) -> None:
    body = {"amount_minor": 300}
    answers = await asyncio.gather(*(api.post(f"/people/{person}/topups", body, key="many") for _ in range(8)))
    assert {answer.status for answer in answers} == {201}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 300


async def test_the_same_key_with_another_body_or_path_is_refused(api: Client, person: int) -> None:
    await api.post(f"/people/{person}/topups", {"amount_minor": 900}, key="one")
    other_body = await api.post(f"/people/{person}/topups", {"amount_minor": 901}, key="one")
    other_path = await api.post(f"/people/{person}/refunds", {"amount_minor": 900}, key="one")
    assert (other_body.status, other_path.status) == (422, 422)
    assert other_body["type"] == "urn:forecourt:problem:key-reused"
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 900


@pytest.mark.parametrize("kind", ["topups", "refunds", "corrections"])
async def test_moving_money_needs_a_key(api: Client, person: int, kind: str) -> None:
    body: dict[str, object] = {"amount_minor": 900} | ({"reason": "a slip"} if kind == "corrections" else {})
    answer = await api.post(f"/people/{person}/{kind}", body)
    assert answer.status == 400
    assert answer["advice"]


async def test_two_programs_do_not_share_their_keys(site: Running, api: Client, person: int) -> None:
    other = await site.client("cashier")
    for client in (api, other):
        assert (await client.post(f"/people/{person}/topups", {"amount_minor": 5}, key="same")).status == 201
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 10


async def test_a_refusal_is_not_stored_under_its_key(api: Client, person: int) -> None:
    refused = await api.post(f"/people/{person}/refunds", {"amount_minor": 50}, key="later")
    assert (refused.status, refused["type"]) == (409, "urn:forecourt:problem:too-little-money")
    await api.pay(f"/people/{person}/topups", {"amount_minor": 80})
    paid = await api.post(f"/people/{person}/refunds", {"amount_minor": 50}, key="later")
    assert (paid.status, paid["balance_minor"]) == (201, 30)


async def test_what_moved_is_in_the_statement_and_the_books_balance(api: Client, person: int) -> None:
    await api.pay(f"/people/{person}/topups", {"amount_minor": 1000, "method": "mobile", "note": "bKash"})
    await api.pay(f"/people/{person}/refunds", {"amount_minor": 250})
    corrected = await api.pay(f"/people/{person}/corrections", {"amount_minor": -50, "reason": "typed wrong"})
    assert corrected["balance_minor"] == 700
    statement = await api.get(f"/people/{person}/ledger")
    assert [(row["code"], row["amount_minor"]) for row in statement["items"]] == [
        ("correction", -50),
        ("refund", -250),
        ("topup", 1000),
    ]
    balance = await api.get("/ledger/trial-balance")
    assert (balance["balanced"], balance["wrong"]) == (True, [])
    assert sum(account["balance_minor"] for account in balance["accounts"]) == 0
    accounts = {row["name"]: row["balance_minor"] for row in (await api.get("/ledger/accounts"))["items"]}
    assert (accounts["wallets"], accounts["mobile"], accounts["cash"]) == (700, -1000, 250)
    journal = await api.get("/ledger/transfers", limit=2)
    assert [row["code"] for row in journal["items"]] == ["correction", "refund"]
    rest = await api.get("/ledger/transfers", limit=2, after=journal["next"])
    assert ([row["code"] for row in rest["items"]], rest["next"]) == (["topup"], None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "amount_minor"),
        ({"amount_minor": "5"}, "amount_minor"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"amount_minor": -5}, "amount_minor"),
        ({"amount_minor": 5.5}, "amount_minor"),
        ({"amount_minor": True}, "amount_minor"),
        ({"amount_minor": 2**70}, "amount_minor"),
        ({"amount_minor": 5, "method": "barter"}, "method"),
        ({"amount_minor": 5, "currency": "USD"}, "currency"),
        ({"amount_minor": 5, "amount": 5}, "amount"),
        ({"amount_minor": 5, "note": "a\x00b"}, "note"),
        ({"amount_minor": 5, "note": "x" * 2000}, "note"),
    ],
)
async def test_what_cannot_be_read_is_refused_by_the_name_of_its_field(
    api: Client, person: int, body: object, field: str
) -> None:
    answer = await api.pay(f"/people/{person}/topups", body)
    assert (answer.status, answer["field"]) == (422, field)
    assert (await api.get("/ledger/transfers"))["items"] == []


async def test_nobody_is_not_found(api: Client) -> None:
    for number in ("999", "0", "-1", "x", str(2**63), str(2**200)):
        assert (await api.pay(f"/people/{number}/topups", {"amount_minor": 5})).status == 404


async def test_a_large_amount_is_asked_for_by_a_program_and_booked_once_a_person_agrees(
    site: Running, api: Client
) -> None:
    await site.store.write(settings.change, "second_person_minor", "5000")
    group = await api.post("/groups", {"name": "Guests of today", "policy": "prepaid"})
    person = (await api.post("/people", {"name": "Rahima", "group_id": group["id"]}))["id"]
    cashier, manager = await site.client("cashier"), await site.client("manager")
    for _turn in range(2):
        refused = await cashier.post(f"/people/{person}/topups", {"amount_minor": 5001}, key="the-same")
        assert refused.status == 409
        assert "approval 1" in str(refused.body)
    (waiting,) = (await cashier.get("/approvals"))["items"]
    assert (waiting["state"], waiting["kind"], waiting["amount_minor"]) == ("pending", "topup", 5001)
    assert (await cashier.post("/approvals/1/approve")).status == 403
    refused = await manager.post("/approvals/1/approve")
    assert (refused.status, "A program cannot agree" in refused["detail"]) == (403, True)
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 0
    await site.store.write(_agree, 1)
    assert (await manager.post("/approvals/1/approve")).status == 409
    assert (await cashier.post(f"/people/{person}/topups", {"amount_minor": 5001}, key="the-same")).status == 409
    assert (await api.get(f"/people/{person}"))["balance_minor"] == 5001


def _agree(db: Database, number: int) -> None:
    """A manager does, at the console."""
    by = By("console", system_clock())
    manager = operators.add(
        db, login="nasrin", name="Nasrin", role="manager", password_hash="x", language="", by=by
    )  # fmt: skip
    approvals.approve(db, number, By(f"operator:{manager}", by.at_ms))


async def test_a_cashiers_program_puts_nobody_into_a_free_group(site: Running, api: Client) -> None:
    free = await api.post("/groups", {"name": "Family", "policy": "free"})
    group = await api.post("/groups", {"name": "Guests of today", "policy": "prepaid"})
    cashier = await site.client("cashier")
    person = (await cashier.post("/people", {"name": "Rahima", "group_id": group["id"]}))["id"]
    assert (await cashier.call("PATCH", f"/people/{person}", body={"group_id": free["id"]})).status == 403
    assert (await cashier.post("/people", {"name": "Mallory", "group_id": free["id"]})).status == 403
    assert (await api.call("PATCH", f"/people/{person}", body={"group_id": free["id"]})).status == 200


async def test_a_cashiers_program_lets_nobody_more_charge_free(site: Running, api: Client) -> None:
    free = await api.post("/groups", {"name": "Family", "policy": "free"})
    person = (await api.post("/people", {"name": "Rahima", "group_id": free["id"]}))["id"]
    cashier, strangers = await site.client("cashier"), {"uid": "04112233", "person_id": person}
    refused = await cashier.post("/cards", strangers)
    assert (refused.status, "A manager does this" in refused["detail"]) == (403, True)
    card = await api.post("/cards", strangers)
    assert card.status == 201
    assert (await cashier.post(f"/cards/{card['id']}/replace", {"uid": "04556677"})).status == 201
    await api.post(f"/people/{person}/close")
    assert (await cashier.post(f"/people/{person}/reopen")).status == 403
    assert (await api.post(f"/people/{person}/reopen")).status == 200
