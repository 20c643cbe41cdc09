"""While money is stopped every call that moves money says so, and moves none: whatever has an Idempotency-Key is here."""

from __future__ import annotations

from typing import Any

import pytest

from appliance.db.engine.unit import Database
from appliance.domain.by import By
from appliance.domain.reconciling import Difference, DifferenceKind
from appliance.services.reconciling import stop
from appliance.ui.api.app import OPERATIONS
from tests.api.site import Client, Running

PAYMENT = {"amount_minor": 100, "method": "card"}
CALLS: dict[str, Any] = {
    "POST /people/{id}/topups": ("/people/{person}/topups", PAYMENT),
    "POST /people/{id}/refunds": ("/people/{person}/refunds", PAYMENT),
    "POST /people/{id}/corrections": ("/people/{person}/corrections", {"amount_minor": 100, "reason": "why"}),
    "POST /pools/{id}/topups": ("/pools/{pool}/topups", PAYMENT),
    "POST /pools/{id}/refunds": ("/pools/{pool}/refunds", PAYMENT),
    "POST /pools/{id}/corrections": ("/pools/{pool}/corrections", {"amount_minor": 100, "reason": "why"}),
    "POST /pools/{id}/people": ("/pools/{pool}/people", {"person_id": 1, "own_money": "moved"}),
    "POST /vouchers/{code}/sell": ("/vouchers/{unsold}/sell", {"method": "cash"}),
    "POST /vouchers/{code}/redeem": ("/vouchers/{sold}/redeem", {"person": 1}),
    "POST /vouchers/{code}/void": ("/vouchers/{sold}/void", {}),
    "POST /shifts": ("/shifts", {"float": [{"value_minor": 10_000, "count": 1}]}),
    "POST /shifts/{id}/movements": ("/shifts/{shift}/movements", {"way": "in", "amount_minor": 10}),
    "POST /desks/{id}/issue": ("/desks/counter/issue", {"person_id": 1, "topup_minor": 100}),
    "POST /desks/{id}/recharge": ("/desks/counter/recharge", {"amount_minor": 100}),
    "POST /desks/{id}/decommission": ("/desks/counter/decommission", {"rest": True}),
}
"""Each is refused with 409 and a name that programs know."""
NOTHING_BOOKED = {
    "POST /vouchers": "printing them moves no money",
    "POST /shifts/{id}/close": "a drawer is counted, for that is what one wants to know then",
    "POST /sessions/{id}/close": "a session is ended and billed as ever",
    "POST /sessions/{id}/acknowledge": "a session is ended and billed as ever",
    "POST /sessions/{id}/bill": "a session is ended and billed as ever",
    "POST /pools": "a pool begins with nothing",
    "POST /desks/{id}/take-over": "in services/reconciling/test_every_way_to_money.py: it takes a card on a reader",
    "POST /desks/{id}/read": "a card is looked at",
    "POST /desks/{id}/replace": "a card takes the place of another",
    "POST /desks/{id}/rewrite": "a card is written anew",
    "POST /desks/{id}/batch": "cards without money",
    "POST /desks/{id}/jobs/{job}/undo": "in services/reconciling/test_every_way_to_money.py: it takes a card on a reader",
    "POST /stations/{id}/start": "who pays is refused: services/reconciling/test_reconciling.py",
}


def test_every_call_with_a_key_is_here() -> None:
    with_key = {f"{one.method} {one.path}" for one in OPERATIONS if one.key}
    assert with_key == CALLS.keys() | NOTHING_BOOKED.keys()


@pytest.fixture(name="names")
async def _names(api: Client, site: Running) -> dict[str, object]:
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = int((await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]}))["id"])
    await api.pay(f"/people/{person}/topups", {"amount_minor": 10_000, "method": "cash"})
    codes = (await api.post("/vouchers", {"count": 2, "amount_minor": 5_000}))["codes"]
    await api.pay(f"/vouchers/{codes[0]}/sell", {"method": "cash"})
    cashier = await site.client("cashier")
    shift = (await cashier.pay("/shifts", {"float": [{"value_minor": 10_000, "count": 1}]}))["id"]
    pool = (await api.post("/pools", {"name": "Green Taxi", "group_id": group["id"]}, key="pool"))["id"]
    await api.pay(f"/pools/{pool}/topups", {"amount_minor": 10_000, "method": "cash"})
    await site.store.write(stop.report, [Difference(DifferenceKind.BALANCE, 100, 10_700, 10_000)], 1)
    return {"pool": pool, "person": person, "sold": codes[0], "unsold": codes[1], "shift": shift}


@pytest.mark.parametrize("call", CALLS)
async def test_it_is_refused_with_a_sentence(api: Client, site: Running, names: dict[str, object], call: str) -> None:
    path, body = CALLS[call]
    before = await site.store.read(lambda db: db.execute("SELECT max(seq) FROM transfer").fetchone())

    answer = await api.pay(path.format(**names), body)

    assert (answer.status, answer["type"]) == (409, "urn:forecourt:problem:money-stopped")
    assert answer["detail"] == "Money is stopped: the books do not agree with themselves. Nothing was booked."
    assert await site.store.read(lambda db: db.execute("SELECT max(seq) FROM transfer").fetchone()) == before


async def test_a_program_reads_what_differs_and_lets_nothing_go_on(api: Client, names: dict[str, object]) -> None:
    found = await api.get("/reconciliation")
    assert (found["stopped"], found["since"]) == (True, "1970-01-01T00:00:00.001Z")
    assert found["differences"] == [
        {
            "kind": "balance", "number": 100, "told_minor": 10_700, "moved_minor": 10_000,
            "sentence": "Rahima Khatun has ৳107.00 by the account, and ৳100.00 by its transfers: ৳7.00 too much.",
        }
    ]  # fmt: skip


async def test_where_all_agrees_money_moves(api: Client) -> None:
    found = await api.get("/reconciliation")
    assert (found["stopped"], found["since"], found["differences"]) == (False, None, [])


async def test_the_same_request_is_booked_once_money_moves_again(
    api: Client, site: Running, names: dict[str, object]
) -> None:
    path = f"/people/{names['person']}/topups"
    assert (await api.post(path, PAYMENT, key="mine")).status == 409
    await site.store.write(_lifted)
    assert [(await api.post(path, PAYMENT, key="mine")).status for _ in range(2)] == [201, 201]
    assert (await api.get(f"/people/{names['person']}"))["balance_minor"] == 10_100


def _lifted(db: Database) -> None:
    stop.lift(db, "seen", By("console", 2))
