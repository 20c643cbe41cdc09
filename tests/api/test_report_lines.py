"""Reports through the API: each has the same sums, and pages of it are parts of the whole."""

from __future__ import annotations

import pytest

from appliance.ui.writing.days import today_of
from tests.api.site import Client, Running

DAYS = {"from": "2026-01-01", "to": "2026-12-31"}
ABOUT = ("connectors", "people", "groups", "tariffs", "operators", "methods")


@pytest.fixture(name="today")
async def _today(api: Client, site: Running) -> dict[str, str]:
    """What was taken at the desk today, and its day."""
    group = await api.post("/groups", {"name": "Customers", "policy": "prepaid"})
    person = (await api.post("/people", {"name": "Rahima Khatun", "group_id": group["id"]}))["id"]
    await api.pay(f"/people/{person}/topups", {"amount_minor": 500, "method": "cash"})
    await api.pay(f"/people/{person}/topups", {"amount_minor": 300, "method": "mobile"})
    await api.pay(f"/people/{person}/refunds", {"amount_minor": 100, "method": "cash"})
    day = today_of(site.console.clock(), site.console.site.zone)
    return {"from": day, "to": day}


@pytest.mark.parametrize("about", ABOUT)
async def test_every_report_is_there(api: Client, about: str) -> None:
    answer = await api.get(f"/reports/{about}", **DAYS)
    assert (answer.status, answer["items"], answer["next"]) == (200, [], None)
    assert (await api.get(f"/reports/{about}", **{"from": "2026-02-30", "to": "2026-03-01"})).status == 422
    assert (await api.get(f"/reports/{about}", **{"from": "2024-01-01", "to": "2026-03-01"})).status == 422


async def test_what_was_taken_by_method_and_by_whom(api: Client, today: dict[str, str]) -> None:
    methods = await api.get("/reports/methods", **today)
    assert {one["key"]: (one["taken_minor"], one["given_back_minor"], one["receipts"]) for one in methods["items"]} == {
        "cash": (500, 100, 2), "mobile": (300, 0, 1),
    }  # fmt: skip
    assert all(one["energy_wh"] is None for one in methods["items"])
    (staff,) = (await api.get("/reports/operators", **today, per="day"))["items"]
    assert (staff["taken_minor"], staff["given_back_minor"], staff["sessions"]) == (800, 100, 0)
    assert staff["day"] is not None


async def test_a_page_is_a_part_of_the_whole(api: Client, today: dict[str, str]) -> None:
    whole = (await api.get("/reports/methods", **today))["items"]
    first = await api.get("/reports/methods", **today, limit=1)
    second = await api.get("/reports/methods", **today, limit=1, after=first["next"])
    assert [*first["items"], *second["items"]] == whole
    assert second["next"] is None


async def test_a_cashier_is_not_told_what_others_took(site: Running) -> None:
    cashier = await site.client("cashier")
    assert (await cashier.get("/reports/methods", **DAYS)).status == 403
    assert (await cashier.get("/reports/people", **DAYS)).status == 200
