"""What a session costs by a tariff, and tariffs as OCPI writes them, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.site import Client

DAY = {
    "name": "Day", "energy_minor_per_kwh": 1850, "time_minor_per_minute": 10, "idle_minor_per_minute": 200, "idle_grace_s": 600,
    "flat_minor": 500, "tax_percent": 15,
}  # fmt: skip
SESSION = {
    "started_at": "2026-11-30T10:00:00Z",
    "periods": [
        {"until": "2026-11-30T10:30:00Z", "energy_wh": 5_000, "charging": True, "power_w": 10_000},
        {"until": "2026-11-30T10:50:00Z", "energy_wh": 2_200},
        {"until": "2026-11-30T11:30:00Z", "charging": False},
        {"until": "2026-11-30T11:40:00Z", "charging": None},
    ],
    "ended_at": "2026-11-30T12:00:00Z",
}


async def test_session_is_priced_as_it_would_be_billed(api: Client) -> None:
    made = await api.post("/tariffs", DAY)
    bill = await api.post(f"/tariffs/{made['id']}/price", SESSION)
    assert bill.status == 200
    assert bill["lines"] == [
        {"line": 1, "dimension": "energy", "quantity": 7200, "unit": "Wh", "price_minor": 1850, "per": "kwh", "amount_minor": 13_320},
        {"line": 2, "dimension": "duration", "quantity": 7200, "unit": "s", "price_minor": 10, "per": "minute", "amount_minor": 1_200},
        {"line": 3, "dimension": "idle_time", "quantity": 1800, "unit": "s", "price_minor": 200, "per": "minute", "amount_minor": 6_000},
        {"line": 4, "dimension": "flat", "quantity": 1, "unit": "times", "price_minor": 500, "per": "once", "amount_minor": 500},
    ]  # fmt: skip
    assert bill["taxes"] == [{"code": "tax", "percent": 15, "tax_minor": 3_153}]
    assert (bill["net_minor"], bill["tax_minor"], bill["total_minor"], bill["currency"]) == (
        21_020,
        3_153,
        24_173,
        "BDT",
    )


async def test_session_without_energy_costs_nothing(api: Client) -> None:
    made = await api.post("/tariffs", DAY)
    idle = {"started_at": "2026-11-30T10:00:00Z", "periods": [{"until": "2026-11-30T12:00:00Z", "charging": False}]}
    bill = await api.post(f"/tariffs/{made['id']}/price", idle)
    assert (bill["lines"], bill["taxes"], bill["total_minor"]) == ([], [], 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"started_at": "yesterday"}, "started_at"),
        ({"periods": [{"until": "2026-11-30T09:59:59Z"}]}, "periods.0.until"),
        ({"periods": [{"until": "2026-11-30T10:10:00Z"}, {"until": "2026-11-30T10:09:00Z"}]}, "periods.1.until"),
        ({"ended_at": "2026-11-30T11:39:59Z"}, "ended_at"),
        ({"periods": [{"until": "2026-11-30T10:10:00Z", "energy_wh": -1}]}, "periods.0.energy_wh"),
        ({"periods": [{"until": "2026-11-30T10:10:00Z", "energy_wh": 1.5}]}, "periods.0.energy_wh"),
        ({"periods": [{"until": "2026-11-30T10:10:00Z", "energy": 1}]}, "energy"),
        ({"periods": "none"}, "periods"),
    ],
)
async def test_session_that_cannot_be_is_refused(api: Client, change: dict[str, Any], field: str) -> None:
    made = await api.post("/tariffs", DAY)
    answer = await api.post(f"/tariffs/{made['id']}/price", SESSION | change)
    assert (answer.status, answer["field"]) == (422, field)


async def test_no_tariff_prices_nothing(api: Client) -> None:
    assert (await api.post("/tariffs/999/price", SESSION)).status == 404
    assert (await api.get("/tariffs/999/ocpi")).status == 404


async def test_tariff_is_written_for_ocpi_and_read_from_it(api: Client) -> None:
    made = await api.post(
        "/tariffs", {"name": "By the kWh", "energy_minor_per_kwh": 1850.125, "flat_minor": 500, "tax_percent": 7.5}
    )
    written = await api.get(f"/tariffs/{made['id']}/ocpi?country_code=BD&party_id=ABC")
    assert written.body == {
        "country_code": "BD", "party_id": "ABC", "id": str(made["id"]), "currency": "BDT",
        "tariff_alt_text": [{"language": "en", "text": "By the kWh"}],
        "elements": [
            {"price_components": [{"type": "ENERGY", "price": 18.50125, "vat": 7.5, "step_size": 1}]},
            {"price_components": [{"type": "FLAT", "price": 5, "vat": 7.5, "step_size": 1}]},
        ],
        "last_updated": made["created_at"],
    }  # fmt: skip
    again = await api.post("/tariffs/ocpi", written.body)
    assert again.status == 201
    same = (
        "name",
        "energy_minor_per_kwh",
        "flat_minor",
        "time_minor_per_minute",
        "idle_minor_per_minute",
        "tax_percent",
    )
    assert [again[name] for name in same] == [made[name] for name in same]
    assert again["left_out"] == ["country_code", "party_id", "last_updated"]


async def test_parking_by_the_hour_is_idle_time_by_the_minute(api: Client) -> None:
    parking = {"price_components": [{"type": "PARKING_TIME", "price": 6.00, "step_size": 1}]}
    made = await api.post("/tariffs/ocpi", {"id": "P", "currency": "BDT", "elements": [parking]})
    assert (made["name"], made["idle_minor_per_minute"]) == ("P", 10)
    assert (await api.get(f"/tariffs/{made['id']}/ocpi"))["elements"] == [parking]


def element(kind: str = "ENERGY", price: float = 1, **more: Any) -> dict[str, Any]:
    restrictions = more.pop("restrictions", None)
    found: dict[str, Any] = {"price_components": [{"type": kind, "price": price, "step_size": 1, **more}]}
    return found | ({"restrictions": restrictions} if restrictions else {})


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"elements": [element("ENERGY", 1, step_size=500)]}, "elements.0.price_components.0.step_size", "can change a total"),
        ({"min_price": {"excl_vat": 1}, "elements": [element(vat=5)]}, "min_price.excl_vat", "has a limit before tax"),
        ({"elements": [element("FLAT"), element(), element(restrictions={"max_kwh": 5})]}, "elements.2.price_components.0", "Line 3 never applies"),
        ({"currency": "EUR"}, "currency", "The currency of this site is BDT."),

        ({"tariff_alt_text": [{"language": "en", "text": "x" * 101}]}, "name", ""),
        ({"elements": {}}, "elements", "must be a list"),
    ],
)  # fmt: skip
async def test_what_a_tariff_of_ocpi_says_beyond_lines_is_refused_by_name(
    api: Client, change: dict[str, Any], field: str, said: str
) -> None:
    answer = await api.post("/tariffs/ocpi", {"id": "12", "currency": "BDT", "elements": [element()], **change})
    assert (answer.status, answer["field"]) == (422, field)
    assert said in answer["detail"]
    assert (await api.get("/tariffs"))["items"] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"time_minor_per_minute": 1}, "OCPI 2.2.1 cannot say line 2: it knows time while charging and while parked"),
        ({"idle_minor_per_minute": 1, "idle_grace_s": 60}, "OCPI 2.2.1 cannot say line 2: it does not know how long"),
    ],
)
async def test_line_that_ocpi_cannot_say_is_named(api: Client, fields: dict[str, Any], said: str) -> None:
    made = await api.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 10, **fields})
    answer = await api.get(f"/tariffs/{made['id']}/ocpi")
    assert (answer.status, answer["field"]) == (422, "lines.1")
    assert said in answer["detail"]


async def test_free_tariff_is_a_flat_fee_of_nothing(api: Client) -> None:
    made = await api.post("/tariffs", {"name": "Free"})
    written = await api.get(f"/tariffs/{made['id']}/ocpi")
    assert written["elements"] == [{"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}]
    assert (await api.post("/tariffs/ocpi", written.body)).status == 201


BANDS = {
    "name": "Bands",
    "taxes": [{"code": "vat", "percent": 5}],
    "minimum_minor": 500,
    "lines": [
        {"dimension": "energy", "price_minor_per_kwh": 1214, "taxes": ["vat"], "conditions": {"from_time": "17:00", "to_time": "23:00"}},
        {"dimension": "energy", "price_minor_per_kwh": 865.5, "taxes": ["vat"]},
        {"dimension": "idle_time", "price_minor_per_minute": 2, "conditions": {"from_idle_minutes": 10}},
    ],
}  # fmt: skip


async def test_tariff_with_lines_is_made_shown_priced_and_replaced(api: Client) -> None:
    made = await api.post("/tariffs", BANDS)
    assert made.status == 201
    assert (await api.get(f"/tariffs/{made['id']}")).body == made.body
    assert made["lines"] == [{"taxes": [], "conditions": {}} | line for line in BANDS["lines"]]  # type: ignore[attr-defined]
    assert (made["taxes"], made["minimum_minor"], made["maximum_minor"], made["energy_minor_per_kwh"]) == (
        BANDS["taxes"],
        500,
        None,
        0,
    )
    # In Dhaka it is half past four: half of the energy before five, and ten of the twenty idle minutes free.
    bill = await api.post(
        f"/tariffs/{made['id']}/price",
        {
            "started_at": "2026-11-30T10:30:00Z",
            "periods": [
                {"until": "2026-11-30T11:30:00Z", "energy_wh": 10_001},
                {"until": "2026-11-30T11:50:00Z", "charging": False},
            ],
        },
    )
    assert bill["lines"] == [
        {"line": 1, "dimension": "energy", "quantity": 5000.5, "unit": "Wh", "price_minor": 1214, "per": "kwh", "amount_minor": 6_071},
        {"line": 2, "dimension": "energy", "quantity": 5000.5, "unit": "Wh", "price_minor": 865.5, "per": "kwh", "amount_minor": 4_328},
        {"line": 3, "dimension": "idle_time", "quantity": 600, "unit": "s", "price_minor": 2, "per": "minute", "amount_minor": 20},
    ]  # fmt: skip
    assert bill["taxes"] == [{"code": "vat", "percent": 5, "tax_minor": 520}]
    assert (bill["net_minor"], bill["tax_minor"], bill["total_minor"]) == (10_419, 520, 10_939)
    flat = await api.post(f"/tariffs/{made['id']}/replace", {"name": "Flat", "energy_minor_per_kwh": 10})
    assert (flat["default"], flat["lines"]) == (
        True,
        [{"dimension": "energy", "price_minor_per_kwh": 10, "taxes": [], "conditions": {}}],
    )
    again = await api.post(f"/tariffs/{flat['id']}/replace", BANDS)
    assert (again.status, again["lines"]) == (201, made["lines"])


async def test_minimum_is_a_line_of_its_own(api: Client) -> None:
    made = await api.post("/tariffs", BANDS)
    little = {"started_at": "2026-11-30T10:00:00Z", "periods": [{"until": "2026-11-30T10:01:00Z", "energy_wh": 100}]}
    bill = await api.post(f"/tariffs/{made['id']}/price", little)
    assert bill["lines"][1] == {
        "line": None, "dimension": "minimum", "quantity": 1, "unit": "times", "price_minor": None, "per": None, "amount_minor": 391,
    }  # fmt: skip
    assert (bill["net_minor"], bill["tax_minor"], bill["total_minor"]) == (478, 22, 500)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"lines": BANDS["lines"][:1]}, "lines", "No line prices energy at these hours: 00:00–17:00, 23:00–24:00."),  # type: ignore[index]
        ({"energy_minor_per_kwh": 5}, "energy_minor_per_kwh", "A tariff has lines or energy_minor_per_kwh, and not both."),
        ({"lines": []}, "lines", "between 1 and 50 lines"),
        ({"lines": [{"dimension": "energy", "price_minor_per_kwh": 1, "conditions": {"methods": ["barter"]}}], "gaps_are_free": True}, "lines.0.conditions.methods", "a way of paying that there is not"),
        ({"lines": [{"dimension": "energy", "price": 1}]}, "price", "There is no field price here."),
    ],
)  # fmt: skip
async def test_lines_that_cannot_be_are_refused(api: Client, change: dict[str, Any], field: str, said: str) -> None:
    answer = await api.post("/tariffs", BANDS | change)
    assert (answer.status, answer["field"]) == (422, field)
    assert said in answer["detail"]


async def test_fields_of_lines_need_lines(api: Client) -> None:
    answer = await api.post("/tariffs", {"name": "Day", "tax_included": True})
    assert (answer.status, answer["field"]) == (422, "lines")


async def test_conditions_come_from_ocpi_and_go_back(api: Client) -> None:
    night = element(price=8.66, vat=5, restrictions={"start_time": "23:00", "end_time": "05:00"})
    day = element(price=12.14, vat=5)
    made = await api.post(
        "/tariffs/ocpi",
        {"id": "N", "currency": "BDT", "elements": [night, day], "max_price": {"excl_vat": 500, "incl_vat": 500}},
    )
    assert made.status == 201
    assert made["maximum_minor"] == 50_000
    written = await api.get(f"/tariffs/{made['id']}/ocpi")
    assert (written["elements"], written["max_price"]) == ([night, day], {"excl_vat": 500, "incl_vat": 500})


async def test_tariff_says_from_when_it_holds_and_whose_place_it_takes(api: Client) -> None:
    made = await api.post("/tariffs", BANDS)
    assert (made["valid_from"], made["follows_id"], made["default"]) == (None, None, True)
    later = await api.post(f"/tariffs/{made['id']}/replace", BANDS | {"valid_from": "2090-01-01T00:00:00Z"})
    assert (later["valid_from"], later["follows_id"], later["default"]) == (
        "2090-01-01T00:00:00.000Z",
        made["id"],
        False,
    )
    assert (await api.post(f"/tariffs/{later['id']}/default")).status == 409
    assert (await api.post("/groups", {"name": "Ours", "policy": "prepaid", "tariff_id": later["id"]})).status == 422
    answer = await api.post("/tariffs", BANDS | {"valid_from": "tomorrow"})
    assert (answer.status, answer["field"]) == (422, "valid_from")
