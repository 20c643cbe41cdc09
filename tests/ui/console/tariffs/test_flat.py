"""Tariffs: typed as people type prices, shown with an example, changed by a new version."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import tariffs as rows
from appliance.db.sessions import session_list
from appliance.db.sessions.session_list import Filter
from appliance.domain.identifiers import StationId
from appliance.domain.money import Currency
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services import place_tariffs
from appliance.ui.console.tariffs.flat_form import form_of, read_tariff
from tests.ui.console_fixture import ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
TAKA = Currency("BDT", 2)


async def post(client: TestClient[Any, Any], path: str, **fields: str) -> tuple[int, str]:
    """Status and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, await answer.text()


async def test_the_list_says_prices_tax_and_what_an_ordinary_charge_costs(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/tariffs") as answer:
        html = await answer.text()

    assert "৳18.50" in html
    assert "plus 5 % tax" in html
    assert "10 kWh in 2 h cost ৳194.25, tax included." in html


async def test_prices_are_read_in_both_digits_and_kept_to_a_thousandth(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(
        client, "/tariffs/new", name="Night", energy_minor_per_kwh="১২.৫০৫", flat_minor="20", tax_percent="7.5", idle_grace_min="15",
        idle_minor_per_minute="", time_minor_per_minute="",
    )  # fmt: skip

    assert status == 200
    assert "৳12.505" in html
    night = next(row.tariff for row in await served.store.read(rows.current) if row.tariff.name == "Night")
    assert (night.energy_milli_per_kwh, night.flat_milli, night.tax_basis_points) == (1_250_500, 2_000_000, 750)
    assert night.idle_grace_s == 900


async def test_a_preview_says_what_it_comes_to_and_saves_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/tariffs/new", name="Night", energy_minor_per_kwh="10", do="preview")

    assert status == 200
    assert "28.00 kWh × ৳10.00" in html
    assert "৳280.00" in html
    assert 'value="10"' in html
    assert len(await served.store.read(rows.current)) == 1


async def test_new_prices_are_a_new_version_that_takes_the_place_of_the_old_one(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await post(client, "/tariffs/1", name="Day", energy_minor_per_kwh="19", tax_percent="5")

    current = await served.store.read(rows.current)
    assert [(row.tariff.energy_milli_per_kwh, row.is_default) for row in current] == [(1_900_000, True)]
    old = await served.store.read(rows.show, 1)
    assert old is not None
    assert old.tariff.energy_milli_per_kwh == 1_850_000
    async with client.get("/tariffs/1") as answer:
        assert "out of use since" in await answer.text()


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("energy_minor_per_kwh", "much"),
        ("energy_minor_per_kwh", "99999999999"),
        ("tax_percent", "101"),
        ("idle_grace_min", "2000"),
        ("idle_grace_min", "x"),
        ("name", ""),
    ],
)
async def test_a_price_that_cannot_be_meant_is_told_beside_its_field(
    served: ConsoleFixture, field: str, typed: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/tariffs/new", **{"name": "Night", field: typed})

    assert status == 422
    assert f'id="{field}-wrong"' in html


async def test_the_default_moves_and_only_others_go_out_of_use(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await post(client, "/tariffs/new", name="Night", energy_minor_per_kwh="12")

    status, html = await post(client, "/tariffs/1/archive")
    assert status == 409
    assert "This is the default tariff." in html
    async with client.get("/tariffs/2/default") as answer:
        assert "pay by Night instead of Day" in await answer.text()
    await post(client, "/tariffs/2/default")
    status, _ = await post(client, "/tariffs/1/archive")
    assert status == 200
    assert [row.tariff.name for row in await served.store.read(rows.current)] == ["Night"]


@pytest.mark.parametrize(
    "tariff",
    [
        Tariff(0, "All", 1_850_000, 5_000, 200_000, 1800, 2_000_000, 500),
        Tariff(0, "Nothing"),
        Tariff(0, "Odd", energy_milli_per_kwh=1, tax_basis_points=9_999),
    ],
)
def test_a_form_made_from_a_tariff_is_read_back_as_the_same_tariff(tariff: Tariff) -> None:
    assert read_tariff(form_of(tariff, TAKA), TAKA) == tariff


async def test_its_page_says_where_it_holds_for_how_many_and_what_runs_by_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.OWNER)
    await served.store.write(place_tariffs.put, StationId(1), 0, 1, served.by)
    sessions = await served.store.read(session_list.page, Filter(state="running"))
    running = sum(one.tariff_id == 1 for one in sessions)
    page = await (await client.get("/tariffs/1")).text()
    part = page.partition('id="holds-h"')[2].partition("</section>")[0]

    assert 'href="/stations/' in part
    assert 'href="/groups/' in part
    assert re.search(r"<small>\d+ (person|people)</small>", part)
    assert running
    assert f"{running} session" in part
