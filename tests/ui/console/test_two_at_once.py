"""Two people, or two tabs, at the same form: each that changes what stands."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import tariffs as tariff_rows
from appliance.domain.by import By
from appliance.domain.roles import Role
from appliance.services import tariffs
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
FORM = re.compile(r'<form(?=[^>]*method="post")[^>]*action="(?P<action>[^"]+)"[^>]*>(?P<inside>.*?)</form>', re.DOTALL)
INPUT = re.compile(r"<input(?P<of>[^>]*)>")
SELECTED = re.compile(r'<select[^>]*name="([^"]+)".*?<option value="([^"]*)" selected', re.DOTALL)
AREA = re.compile(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', re.DOTALL)

PLACES = [
    ("/people/1/edit", "/people/1/edit", "phone", "+880 1819 1", "note", "pays on Fridays", "+880 1819 2"),
    ("/groups/1", "/groups/1", "name", "Regulars", "tariff_id", "1", "Neighbours"),
    ("/cards/1", "/cards/1", "label", "blue", "transactions_max", "3", "green"),
    ("/cards/1/limits", "/cards/1/limits", "day_energy_wh", "30", "session_energy_wh", "20", "40"),
    ("/operators/1", "/operators/1", "name", "Kamal H.", "role", "viewer", "Kamal Hossain"),
    ("/tariffs/1", "/tariffs/1", "energy_minor_per_kwh", "19", "tax_percent", "6", "21"),
    ("/settings", "/settings", "sample_days", "300", "message_log_days", "30", "200"),
    ("/settings", "/settings/site", "site_name", "Yard A", "language", "bn", "Yard B"),
]  # fmt: skip
"""Page, where its form leads, a field with what one person makes of it, another field with what the other does, and what the
other would make of the first."""


def attribute(text: str, name: str) -> str | None:
    found = re.search(rf'\b{name}="([^"]*)"', text)
    return unescape(found[1]) if found else None


async def opened(client: TestClient[Any, Any], page: str, action: str) -> dict[str, str]:
    """The fields of a form, as a browser has them."""
    async with client.get(page) as answer:
        assert answer.status == 200
        return fields_of(await answer.text(), action)


def fields_of(html: str, action: str) -> dict[str, str]:
    inside = next(form["inside"] for form in FORM.finditer(html) if form["action"] == action)
    fields = {name: unescape(value) for name, value in SELECTED.findall(inside)}
    fields |= {name: unescape(value) for name, value in AREA.findall(inside)}
    for one in INPUT.finditer(inside):
        name, kind = attribute(one["of"], "name"), attribute(one["of"], "type")
        if name and (kind not in ("checkbox", "radio") or " checked" in one["of"]):
            fields[name] = attribute(one["of"], "value") or ""
    return fields


async def send(client: TestClient[Any, Any], path: str, fields: dict[str, str]) -> tuple[int, str]:
    async with client.post(path, data=fields, headers=OURS, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def prepared(served: ConsoleFixture) -> TestClient[Any, Any]:
    """The owner, and somebody who can be changed."""
    await served.logged_in(Role.CASHIER)
    client = await served.logged_in(Role.OWNER)
    await send(client, "/account/language", {"language": "en"})
    return client


@pytest.mark.parametrize(("page", "action", "field", "value", "other", "others_value", "rival"), PLACES)
async def test_what_one_has_not_touched_stays_as_the_other_left_it(
    served: ConsoleFixture, page: str, action: str, field: str, value: str, other: str, others_value: str, rival: str
) -> None:
    client = await prepared(served)
    mine, theirs = await opened(client, page, action), await opened(client, page, action)

    assert (await send(client, action, theirs | {other: others_value}))[0] == 303
    assert (await send(client, action, mine | {field: value}))[0] == 303
    # A tariff that was changed is a new one.
    newest = await served.store.read(tariffs.newest_version, 1)
    stands = await opened(client, *(place.replace("/tariffs/1", f"/tariffs/{newest}") for place in (page, action)))
    assert (stands[field].rstrip("0").rstrip("."), stands[other].rstrip("0").rstrip(".")) == (
        value.rstrip("0").rstrip("."),
        others_value.rstrip("0").rstrip("."),
    )


@pytest.mark.parametrize(("page", "action", "field", "value", "other", "others_value", "rival"), PLACES)
async def test_what_both_have_changed_is_said_and_kept_and_holds_when_it_is_saved_again(
    served: ConsoleFixture, page: str, action: str, field: str, value: str, other: str, others_value: str, rival: str
) -> None:
    client = await prepared(served)
    mine, theirs = await opened(client, page, action), await opened(client, page, action)

    assert (await send(client, action, theirs | {field: rival, other: others_value}))[0] == 303
    status, html = await send(client, action, mine | {field: value})
    assert status == 409
    assert "Somebody else has changed this in the meantime." in html
    assert "In the meantime it has become “" in html
    newest = await served.store.read(tariffs.newest_version, 1)
    action = action.replace("/tariffs/1", f"/tariffs/{newest}")
    again = fields_of(html, action)
    assert again[field] == value
    assert again[other].startswith(others_value)

    assert (await send(client, action, again))[0] == 303
    newest = await served.store.read(tariffs.newest_version, 1)
    place = page.replace("/tariffs/1", f"/tariffs/{newest}")
    stands = await opened(client, place, place if page == action or "tariffs" in page else action)
    assert stands[field].startswith(value)
    assert stands[other].startswith(others_value)


async def test_a_price_that_is_typed_for_a_tariff_that_went_out_of_use_is_kept(served: ConsoleFixture) -> None:
    client = await prepared(served)
    night = await served.store.write(_another)
    mine = await opened(client, f"/tariffs/{night}", f"/tariffs/{night}")
    await served.store.write(tariffs.archive, night, By("console", NOW_MS + 60_000))

    status, html = await send(client, f"/tariffs/{night}", mine | {"energy_minor_per_kwh": "7.25"})
    assert status == 409
    assert "out of use" in html
    again = fields_of(html, "/tariffs/new")
    assert again["energy_minor_per_kwh"] == "7.25"
    assert (await send(client, "/tariffs/new", again))[0] == 303
    assert 725_000 in [row.tariff.energy_milli_per_kwh for row in await served.store.read(tariff_rows.current)]


def _another(db: Any) -> int:
    first = tariff_rows.show(db, 1)
    assert first is not None
    return tariffs.add(db, first.tariff, By("console", NOW_MS))
