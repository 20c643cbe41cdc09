"""People, groups, cards, tariffs and stations: made, shown, changed and listed."""

from __future__ import annotations

import pytest

from tests.api.site import Answer, Client, Running


async def group(api: Client, name: str = "Customers", policy: str = "prepaid") -> int:
    return int((await api.post("/groups", {"name": name, "policy": policy}))["id"])


async def person(api: Client, group_id: int, name: str = "Rahima Khatun") -> int:
    return int((await api.post("/people", {"name": name, "group_id": group_id}))["id"])


@pytest.mark.parametrize(("path", "more"), [("/groups", {"policy": "prepaid"}), ("/tariffs", {})])
async def test_a_name_is_as_long_as_its_column(api: Client, path: str, more: dict[str, str]) -> None:
    assert (await api.post(path, {"name": "x" * 100, **more})).status == 201
    assert (await api.post(path, {"name": "x" * 101, **more})).status == 422


async def test_a_group_is_changed_only_in_what_is_named(api: Client) -> None:
    number = await group(api, "Staff", "postpaid")
    await api.call("PATCH", f"/groups/{number}", body={"limit_minor": 5000})
    changed = await api.call("PATCH", f"/groups/{number}", body={"name": "Neighbours"})
    assert (changed["name"], changed["policy"], changed["limit_minor"]) == ("Neighbours", "postpaid", 5000)
    assert (await api.get("/groups"))["items"] == [changed.body]
    assert (await api.get(f"/groups/{number}")).body == changed.body


async def test_a_post_paid_person_can_owe_up_to_the_limit(api: Client) -> None:
    made = await api.post("/groups", {"name": "Staff", "policy": "postpaid", "limit_minor": 5000})
    found = await api.get(f"/people/{await person(api, made['id'])}")
    assert (found["balance_minor"], found["available_minor"]) == (0, 5000)
    free = await api.get(f"/people/{await person(api, await group(api, 'Owners', 'free'))}")
    assert free["available_minor"] is None


async def test_a_person_is_changed_closed_and_taken_in_again(api: Client) -> None:
    number = await person(api, await group(api))
    changed = await api.call("PATCH", f"/people/{number}", body={"phone": "01712-345678", "language": "bn"})
    assert (changed["name"], changed["phone"], changed["language"]) == ("Rahima Khatun", "01712-345678", "bn")
    await api.pay(f"/people/{number}/topups", {"amount_minor": 5})
    assert (await api.post(f"/people/{number}/close")).status == 409
    await api.pay(f"/people/{number}/refunds", {"amount_minor": 5})
    assert (await api.post(f"/people/{number}/close"))["closed_at"] is not None
    assert (await api.get("/people"))["items"] == []
    assert [row["id"] for row in (await api.get("/people", closed="true"))["items"]] == [number]
    assert (await api.post(f"/people/{number}/reopen"))["closed_at"] is None


async def test_a_list_comes_in_pages_until_the_last(api: Client) -> None:
    customers = await group(api)
    numbers = [await person(api, customers, f"Driver {number}") for number in range(5)]
    pages = [await api.get("/people", limit=2)]
    while (following := pages[-1]["next"]) is not None:
        pages.append(await api.get("/people", limit=2, after=following))
    assert [[row["id"] for row in page["items"]] for page in pages] == [numbers[:2], numbers[2:4], numbers[4:]]
    assert (await api.get("/people", limit=5))["next"] is None
    assert [row["id"] for row in (await api.get("/people", text="driver 3"))["items"]] == [numbers[3]]


async def test_a_card_is_kept_in_its_normal_form(api: Client) -> None:
    holder = await person(api, await group(api))
    body = {"uid": "04:a1:b2:c3", "person_id": holder, "label": "17", "expires_at": "2030-01-01T00:00:00+06:00"}
    made = await api.post("/cards", body)
    assert (made.status, made["uid"], made["expires_at"]) == (201, "04A1B2C3", "2029-12-31T18:00:00.000Z")
    assert (await api.post("/cards", {"uid": "04A1B2C3", "person_id": holder})).status == 409
    assert (await api.get("/cards", uid="04 a1 b2 c3"))["items"] == [made.body]
    assert (await api.get("/cards", person=holder))["items"] == [made.body]
    assert (await api.get("/cards", text="17"))["items"] == [made.body]
    assert (await api.get(f"/people/{holder}"))["cards"] == 1
    changed = await api.call("PATCH", f"/cards/{made['id']}", body={"expires_at": None})
    assert (changed["expires_at"], changed["label"]) == (None, "17")


async def test_a_card_is_blocked_unblocked_and_replaced(api: Client) -> None:
    card = await api.post("/cards", {"uid": "04A1B2C3", "person_id": await person(api, await group(api))})
    path = f"/cards/{card['id']}"
    blocked = await api.post(f"{path}/block", {"reason": "lost"})
    assert (blocked.status, blocked["blocked"], blocked["blocked_why"]) == (200, True, "lost")
    assert (await api.post(f"{path}/unblock"))["blocked"] is False
    new = await api.post(f"{path}/replace", {"uid": "04D1E2F3"})
    assert (new.status, new["uid"], new["person_id"]) == (201, "04D1E2F3", card["person_id"])
    old = await api.get(path)
    assert (old["blocked"], old["replaced_by"]) == (True, new["id"])
    assert (await api.post(f"{path}/unblock")).status == 409


async def test_a_call_whose_fields_are_all_optional_needs_no_body(api: Client) -> None:
    card = await api.post("/cards", {"uid": "04A1B2C3", "person_id": await person(api, await group(api))})
    assert (await api.call("POST", f"/cards/{card['id']}/block")).status == 200


async def test_prices_are_exact_to_a_thousandth_of_a_minor_unit(api: Client) -> None:
    body = {
        "name": "Day",
        "energy_minor_per_kwh": 1850.125,
        "time_minor_per_minute": 0.1,
        "idle_minor_per_minute": 200,
        "flat_minor": 5,
        "tax_percent": 7.25,
    }
    made = await api.post("/tariffs", body)
    assert made.status == 201
    assert {name: made[name] for name in body} == body
    assert made["default"] is True
    assert (await api.get(f"/tariffs/{made['id']}")).body == made.body


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("energy_minor_per_kwh", 0.0001),
        ("energy_minor_per_kwh", -1),
        ("energy_minor_per_kwh", 1e300),
        ("energy_minor_per_kwh", 1e-300),
        ("flat_minor", "5"),
        ("flat_minor", None),
        ("tax_percent", 7.255),
        ("tax_percent", 101),
    ],
)
async def test_a_price_that_cannot_be_kept_is_refused(api: Client, name: str, value: object) -> None:
    answer = await api.post("/tariffs", {"name": "Day", name: value})
    assert (answer.status, answer["field"]) == (422, name)


async def test_a_tariff_is_replaced_made_the_default_and_archived(api: Client) -> None:
    day = await api.post("/tariffs", {"name": "Day", "energy_minor_per_kwh": 10})
    night = await api.post("/tariffs", {"name": "Night", "energy_minor_per_kwh": 5})
    assert (await api.post(f"/tariffs/{night['id']}/default"))["default"] is True
    cheaper = await api.post(f"/tariffs/{night['id']}/replace", {"name": "Night", "energy_minor_per_kwh": 4})
    assert (cheaper.status, cheaper["default"]) == (201, True)
    assert (await api.get(f"/tariffs/{night['id']}"))["archived_at"] is not None
    assert (await api.call("DELETE", f"/tariffs/{cheaper['id']}")).status == 409
    assert (await api.call("DELETE", f"/tariffs/{day['id']}"))["archived_at"] is not None
    assert [row["id"] for row in (await api.get("/tariffs"))["items"]] == [cheaper["id"]]


async def test_a_station_is_registered_and_its_password_is_nowhere(site: Running, api: Client) -> None:
    body = {"id": "CS-01", "name": "Gate", "security_profile": 1, "password": "correct horse"}
    made = await api.post("/stations", body)
    assert made.status == 201
    assert (made["id"], made["name"], made["state"], made["online"]) == ("CS-01", "Gate", "approved", False)
    assert (made["security_profile"], made["has_password"], made["connectors"]) == (1, True, [])
    assert (await api.post("/stations", body)).status == 409
    kept = await site.store.read(lambda db: db.execute("SELECT password_hash FROM station").fetchone())
    assert len(kept[0]) == 32
    assert b"horse" not in kept[0]


async def test_stations_are_listed_changed_and_retired(api: Client) -> None:
    for number in range(3):
        await api.post("/stations", {"id": f"CS-{number}"})
    first = await api.get("/stations", limit=2)
    rest = await api.get("/stations", limit=2, after=first["next"])
    assert [row["id"] for row in first["items"] + rest["items"]] == ["CS-0", "CS-1", "CS-2"]
    changed = await api.call("PATCH", "/stations/CS-1", body={"name": "Ramp", "password": "long enough"})
    assert (changed["name"], changed["security_profile"], changed["has_password"]) == ("Ramp", 1, True)
    kept = await api.call("PATCH", "/stations/CS-1", body={"name": "Ramp B"})
    assert (kept["security_profile"], kept["has_password"]) == (1, True)
    assert (await api.post("/stations/CS-2/retire"))["state"] == "retired"
    assert [row["id"] for row in (await api.get("/stations", state="approved"))["items"]] == ["CS-0", "CS-1"]


@pytest.mark.parametrize(
    ("before", "change", "after"),
    [
        (2, {"name": "Ramp"}, (200, 2, True)),
        (2, {"password": "another one"}, (200, 2, True)),
        (1, {"password": "another one"}, (200, 1, True)),
        (0, {"password": "another one"}, (200, 1, True)),
        (1, {"security_profile": 2}, (200, 2, True)),
        (2, {"security_profile": 1}, (200, 1, True)),
        (2, {"security_profile": 0}, (422, 2, True)),
        (2, {"password": None}, (422, 2, True)),
        (2, {"security_profile": 0, "password": None}, (200, 0, False)),
        (2, {"security_profile": 0, "password": "another one"}, (200, 0, True)),
        (0, {"security_profile": 2}, (422, 0, False)),
        (0, {"security_profile": 2, "password": "another one"}, (200, 2, True)),
        (0, {"security_profile": 0}, (200, 0, False)),
    ],
)
async def test_what_is_left_out_of_a_change_stays_and_nothing_is_dropped_silently(
    api: Client, before: int, change: dict[str, object], after: tuple[int, int, bool]
) -> None:
    body = {"security_profile": before, "password": "correct horse"} if before else {}
    await api.post("/stations", {"id": "CS-1", **body})
    answer = await api.call("PATCH", "/stations/CS-1", body=change)

    now = await api.get("/stations/CS-1")
    assert (answer.status, now["security_profile"], now["has_password"]) == after


async def test_a_station_that_comes_back_from_retirement_keeps_how_it_proves_who_it_is(api: Client) -> None:
    await api.post("/stations", {"id": "CS-1", "security_profile": 2, "password": "correct horse"})
    await api.post("/stations/CS-1/retire")
    again = await api.post("/stations", {"id": "CS-1"})

    assert (again["state"], again["security_profile"], again["has_password"]) == ("approved", 2, True)


async def test_a_certificate_of_its_own_is_refused_with_a_sentence(api: Client) -> None:
    body = {"security_profile": 3, "password": "correct horse"}
    await api.post("/stations", {"id": "CS-01"})
    for refused in (
        await api.post("/stations", {"id": "CS-02", **body}),
        await api.call("PATCH", "/stations/CS-01", body=body),
    ):
        assert refused.status == 422
        assert "certificate" in refused["detail"]
    assert (await api.post("/stations", {"id": "CS-03", "security_profile": 4})).status == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "a:b"}, "id"),
        ({"id": " a"}, "id"),
        ({"id": "x" * 60}, "id"),
        ({"name": "Gate"}, "id"),
        ({"id": "CS-1", "security_profile": 1}, "password"),
        ({"id": "CS-1", "security_profile": 3}, "security_profile"),
        ({"id": "CS-1", "password": "short"}, "password"),
    ],
)
async def test_a_station_that_cannot_be_is_refused(api: Client, body: object, field: str) -> None:
    answer = await api.post("/stations", body)
    assert (answer.status, answer["field"]) == (422, field)


@pytest.mark.parametrize("path", ["/people/9", "/cards/9", "/groups/9", "/tariffs/9", "/stations/9", "/sessions/9"])
async def test_what_is_not_there_is_404_as_a_problem(api: Client, path: str) -> None:
    answer: Answer = await api.get(path)
    assert (answer.status, answer["type"]) == (404, "urn:forecourt:problem:not-found")
