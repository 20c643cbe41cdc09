"""The editor as pages: nothing that was typed is lost, contradictions are sentences with ways out, versions wait for their day."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import tariffs as rows
from appliance.db.engine.protocols import Readable
from appliance.db.tariffs import TariffRow
from appliance.domain.by import By
from appliance.domain.money import Currency
from appliance.domain.pricing.lines import Terms
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services import tariffs
from appliance.ui.console.tariffs import line_form
from tests.support.price_lines import line, terms
from tests.ui.console.test_two_at_once import fields_of, send
from tests.ui.console_fixture import NOW_MS, PASSWORD, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
TAKA = Currency("BDT", 2)
HOUR_MS = 3_600_000
BANDS = terms(
    line("energy", 1214, "VAT", from_time="17:00", to_time="23:00"),
    line("energy", 866, "VAT"),
    line("idle_time", 200, from_idle_minutes=30),
    taxes={"VAT": 5},
    minimum_minor=500,
)


async def editor_of(served: ConsoleFixture) -> TestClient[Any, Any]:
    """The owner's browser, in English."""
    client = await served.logged_in(Role.OWNER)
    await send(client, "/account/language", {"language": "en"})
    return client


async def with_lines(served: ConsoleFixture, tariff: Terms = BANDS) -> int:
    """A tariff with lines that no group has."""
    return await served.store.write(tariffs.add, Tariff(0, "Bands", terms=tariff), By("console", NOW_MS))


async def page_of(client: TestClient[Any, Any], path: str) -> str:
    async with client.get(path) as answer:
        assert answer.status == 200, path
        return await answer.text()


async def fields_at(client: TestClient[Any, Any], path: str, action: str = "") -> dict[str, str]:
    """The fields of the form there, as a browser would send them."""
    return chosen(await page_of(client, path), action or path)


def chosen(html: str, action: str) -> dict[str, str]:
    """With what is chosen in lists; without the buttons."""
    fields = fields_of(html, action)
    inside = html[html.index(f'action="{action}"') :]
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', inside, re.DOTALL):
        selected = re.search(r'value="([^"]*)" selected', options) or re.search(r'value="([^"]*)"', options)
        assert selected is not None
        fields[name] = unescape(selected[1])
    return fields


async def current(served: ConsoleFixture) -> dict[str, TariffRow]:
    return {row.tariff.name: row for row in await served.store.read(rows.current)}


async def all_rows(served: ConsoleFixture) -> int:
    def count(db: Readable) -> int:
        return int(db.execute("SELECT count(*) FROM tariff").fetchone()[0])

    return await served.store.read(count)


# --- making one ---------------------------------------------------------------------------------------------------------------


async def test_a_preset_asks_only_for_prices_and_hours_and_becomes_lines(served: ConsoleFixture) -> None:
    client = await editor_of(served)
    fields = await fields_at(client, "/tariffs/new?pattern=bands", "/tariffs/new")
    assert (fields["peak_price"], fields["peak_from"]) == ("12.14", "17:00")

    status, _ = await send(client, "/tariffs/new", fields | {"name": "Customers", "tax_percent": "৫"})
    assert status == 303
    made = (await current(served))["Customers"].tariff
    assert made.terms == terms(
        line("energy", 1214, "VAT", from_time="17:00", to_time="23:00"),
        line("energy", 768, "VAT", from_time="05:00", to_time="09:00"),
        line("energy", 866, "VAT"),
        taxes={"VAT": 5},
    )


@pytest.mark.parametrize(
    ("field", "typed"), [("peak_price", "-1"), ("low_to", "29:00"), ("tax_percent", "500"), ("name", "")]
)
async def test_a_preset_is_refused_at_its_own_field(served: ConsoleFixture, field: str, typed: str) -> None:
    client = await editor_of(served)
    fields = await fields_at(client, "/tariffs/new?pattern=bands", "/tariffs/new")

    status, html = await send(client, "/tariffs/new", fields | {"name": "Customers", field: typed})
    assert status == 422
    assert f'id="{field}-wrong"' in html
    assert chosen(html, "/tariffs/new")[field] == typed


async def test_another_pattern_keeps_the_name_and_line_by_line_keeps_all(served: ConsoleFixture) -> None:
    client = await editor_of(served)
    fields = await fields_at(client, "/tariffs/new")
    _status, html = await send(client, "/tariffs/new", fields | {"name": "Home", "do": "pattern:night"})
    fields = chosen(html, "/tariffs/new")
    assert (fields["name"], fields["pattern"], fields["night_from"]) == ("Home", "night", "22:00")

    typed = fields | {"day_price": "10", "night_price": "৭", "tax_percent": "15", "do": "lines"}
    _status, html = await send(client, "/tariffs/new", typed)
    fields = chosen(html, "/tariffs/new")
    assert (fields["pattern"], fields["l0-price"], fields["l1-price"], fields["t0-percent"]) == (
        "lines",
        "৭",
        "10",
        "15",
    )
    assert "22:00–06:00 every day: <b>৳7.00 a kWh</b>" in html
    assert (await send(client, "/tariffs/new", fields))[0] == 303
    made = (await current(served))["Home"].tariff.terms
    assert made is not None
    assert made.lines[1] == line("energy", 1000, "VAT")


async def test_the_form_of_a_new_tariff_makes_one_however_often_it_is_sent(served: ConsoleFixture) -> None:
    client = await editor_of(served)
    fields = await fields_at(client, "/tariffs/new?pattern=night", "/tariffs/new")
    typed = fields | {"name": "Home", "day_price": "10", "night_price": "7"}

    assert [(await send(client, "/tariffs/new", typed))[0] for _ in range(3)] == [303] * 3
    assert await all_rows(served) == 2
    status, html = await send(client, "/tariffs/new", typed | {"day_price": "11"})
    assert status == 422, "gone back to, and changed: said once, and then another tariff"
    assert chosen(html, "/tariffs/new")["day_price"] == "11"
    assert (await send(client, "/tariffs/new", chosen(html, "/tariffs/new")))[0] == 303
    assert await all_rows(served) == 3


# --- changing one -------------------------------------------------------------------------------------------------------------


async def test_lines_are_shown_as_sentences_and_saved_as_they_are_changed(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    html = await page_of(client, path)
    assert "17:00–23:00 every day: <b>৳12.14 a kWh</b>" in html
    assert "At all other times: <b>৳8.66 a kWh</b>" in html
    assert "30 min after charging has ended: <b>৳2.00 a minute</b>" in html

    fields = chosen(html, path)
    without = {name: value for name, value in fields.items() if name not in ("l0-d5", "l0-d6")}
    assert (await send(client, path, without | {"l0-price": "13"}))[0] == 303
    changed = (await current(served))["Bands"].tariff.terms
    assert changed is not None
    assert changed.lines[0] == line("energy", 1300, "VAT", from_time="17:00", to_time="23:00", weekdays=[1, 2, 3, 4, 7])
    assert changed.lines[1:] == BANDS.lines[1:]
    assert "on weekdays" in await page_of(client, "/tariffs")


async def test_saving_what_was_not_changed_and_saving_twice_makes_no_version(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path)

    assert (await send(client, path, fields))[0] == 303
    assert await all_rows(served) == 2
    typed = fields | {"l0-price": "13"}
    assert [(await send(client, path, typed))[0] for _ in range(2)] == [303] * 2
    assert await all_rows(served) == 3
    newest = await served.store.read(tariffs.newest_version, number)
    fields = await fields_at(client, f"/tariffs/{newest}")
    later = fields | {"l0-price": "14", "from_day": "2026-12-01"}
    assert [(await send(client, f"/tariffs/{newest}", later))[0] for _ in range(2)] == [303] * 2
    assert await all_rows(served) == 4


async def test_buttons_change_the_form_and_nothing_else(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path) | {"l1-price": "much"}
    for action, seen in [
        ("up:1", "much"),
        ("line:flat:once", "This line is not finished."),
        ("remove:0", "much"),
        ("preview", "much"),
    ]:
        status, html = await send(client, path, fields | {"do": action})
        assert status == 200
        assert seen in html
    assert await all_rows(served) == 2


async def test_one_price_is_opened_line_by_line_and_keeps_its_meaning(served: ConsoleFixture) -> None:
    client = await editor_of(served)
    html = await page_of(client, "/tariffs/1?as=lines")
    assert "<b>৳18.50 a kWh</b>" in html
    fields = chosen(html, "/tariffs/1")
    assert (await send(client, "/tariffs/1", fields))[0] == 303
    assert (await current(served))["Day"].tariff.terms is None, "looked at, and left as it was"

    assert (await send(client, "/tariffs/1", fields | {"minimum": "20"}))[0] == 303
    changed = (await current(served))["Day"].tariff.terms
    assert changed is not None
    assert (changed.minimum_minor, changed.lines[0]) == (2000, line("energy", 1850, "tax"))


# --- what contradicts itself --------------------------------------------------------------------------------------------------


async def test_hours_without_a_price_are_named_with_two_ways_out_and_nothing_is_lost(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path) | {"l1-from": "09:00", "l1-to": "17:00", "name": "Gap"}

    status, html = await send(client, path, fields)
    assert status == 422
    assert "No line prices energy at these hours: 00:00–09:00, 23:00–24:00." in html
    assert "no price" in html
    assert chosen(html, path)["name"] == "Gap"
    _status, given = await send(client, path, chosen(html, path) | {"do": "rest"})
    assert "l3-price" in chosen(given, path)
    _status, free = await send(client, path, chosen(html, path) | {"do": "free"})
    assert "No line prices energy" not in free
    assert (await send(client, path, chosen(free, path)))[0] == 303
    changed = (await current(served))["Gap"].tariff.terms
    assert changed is not None
    assert changed.gaps_are_free


async def test_a_line_that_never_applies_is_named_and_can_be_moved_or_removed(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path)
    _status, html = await send(client, path, fields | {"do": "line:energy:kwh"})
    fields = chosen(html, path) | {"l3-price": "5", "l3-from": "01:00", "l3-to": "02:00"}

    status, html = await send(client, path, fields)
    assert status == 422
    assert html.count("Line 4 never applies: the lines before it price all that it would.") == 2
    assert 'value="first:3"' in html
    _status, moved = await send(client, path, fields | {"do": "first:3"})
    assert "never applies" not in moved
    assert (await send(client, path, chosen(moved, path)))[0] == 303
    changed = (await current(served))["Bands"].tariff.terms
    assert changed is not None
    assert changed.lines[0] == line("energy", 500, "VAT", from_time="01:00", to_time="02:00")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"l0-to": "17:00"}, "l0-to"),
        ({"l1-from_kwh": "20", "l1-to_kwh": "10"}, "l1-to_kwh"),
        ({"l1-from_date": "2026-12-02", "l1-to_date": "2026-12-01"}, "l1-to_date"),
        ({"l2-price": "-1"}, "l2-price"),
        ({"t0-code": ""}, "t0-code"),
        ({"maximum": "1"}, "maximum"),
        ({"from_day": "2026-11-21"}, "from_day"),
        ({"from_day": "2026-12-01", "from_clock": "25:00"}, "from_clock"),
        ({"name": " "}, "name"),
    ],
)
async def test_a_contradiction_is_told_at_its_field_and_what_was_typed_stays(
    served: ConsoleFixture, typed: dict[str, str], field: str
) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"

    status, html = await send(client, path, await fields_at(client, path) | typed)
    assert status == 422
    assert f'id="{field}-wrong"' in html
    assert {name: chosen(html, path)[name] for name in typed} == typed
    assert await all_rows(served) == 2


# --- two people, and a log-in that ended --------------------------------------------------------------------------------------


async def test_what_two_people_change_apart_holds_and_what_both_change_is_said(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    mine, theirs, third = [await fields_at(client, path) for _ in range(3)]
    assert (await send(client, path, theirs | {"minimum": "7"}))[0] == 303
    assert (await send(client, path, mine | {"l0-price": "13"}))[0] == 303
    both = (await current(served))["Bands"].tariff.terms
    assert both is not None
    assert (both.minimum_minor, both.lines[0].price_milli) == (700, 1_300_000)

    status, html = await send(client, path, third | {"l0-price": "14", "minimum": "8"})
    assert status == 409
    assert "Somebody else has changed this in the meantime." in html
    assert "In the meantime it has become “7.00”." in html
    assert "17:00–23:00 every day: ৳13.00 a kWh; At all other times" in html
    newest = await served.store.read(tariffs.newest_version, number)
    again = chosen(html, f"/tariffs/{newest}")
    assert (again["l0-price"], again["minimum"]) == ("14", "8")
    assert (await send(client, f"/tariffs/{newest}", again))[0] == 303
    last = (await current(served))["Bands"].tariff.terms
    assert last is not None
    assert (last.minimum_minor, last.lines[0].price_milli) == (800, 1_400_000)


async def test_what_only_the_other_has_changed_is_in_the_form_that_says_a_conflict(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    mine, theirs = [await fields_at(client, path) for _ in range(2)]
    assert (await send(client, path, theirs | {"l0-price": "13", "name": "Theirs"}))[0] == 303

    status, html = await send(client, path, mine | {"name": "Mine"})
    assert status == 409
    again = chosen(html, f"/tariffs/{await served.store.read(tariffs.newest_version, number)}")
    assert (again["name"], again["l0-price"]) == ("Mine", "13.00")


async def test_lines_that_were_typed_when_the_log_in_had_ended_are_there_after_the_next(served: ConsoleFixture) -> None:
    await served.operator(Role.OWNER, "nasrin")
    client, number = served.anybody(), await with_lines(served)
    path = f"/tariffs/{number}"
    log_in = {"login": "nasrin", "password": PASSWORD}
    async with client.post("/login", data=log_in, headers=OURS) as answer:
        assert answer.status == 200
    _status, html = await send(client, path, await fields_at(client, path) | {"do": "line:flat:once"})
    typed = chosen(html, path) | {"l3-price": "25", "l0-price": "15"}
    client.session.cookie_jar.clear(lambda cookie: cookie.key == "sid")
    async with client.post(path, data=typed, headers={**OURS, "Referer": f"http://box{path}"}) as answer:
        assert "it is kept: log in within 15 minutes" in await answer.text()

    async with client.post("/login", data={**log_in, "next": path}, headers=OURS) as answer:
        html = await answer.text()
    assert 'data-kept-note="back"' in html
    fields = chosen(html, path)
    assert (fields["l3-price"], fields["l3-what"], fields["l0-price"]) == ("25", "flat:once", "15")
    assert (await send(client, path, fields))[0] == 303


async def test_lines_are_kept_for_a_tariff_that_went_out_of_use(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path) | {"l0-price": "15"}
    await served.store.write(tariffs.archive, number, By("console", NOW_MS + 1000))

    status, html = await send(client, path, fields)
    assert status == 409
    again = chosen(html, "/tariffs/new")
    assert again["l0-price"] == "15"
    assert (await send(client, "/tariffs/new", again))[0] == 303
    made = (await current(served))["Bands"].tariff.terms
    assert made is not None
    assert made.lines[0].price_milli == 1_500_000


# --- versions -----------------------------------------------------------------------------------------------------------------


async def test_a_version_waits_for_its_day_can_be_changed_until_then_and_then_holds(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)
    path = f"/tariffs/{number}"
    fields = await fields_at(client, path) | {"l0-price": "13", "from_day": "2026-12-01", "from_clock": "০৬:০০"}
    assert (await send(client, path, fields))[0] == 303
    html = await page_of(client, "/tariffs")
    assert "New prices from 1 Dec 2026, 06:00" in html
    assert html.count('<li class="plate">') == 2

    (waiting,) = [row for row in await served.store.read(rows.current) if row.follows_id == number]
    page = f"/tariffs/{waiting.tariff.id}"
    html = await page_of(client, page)
    assert "This version holds from 1 Dec 2026, 06:00 on." in html
    assert (await send(client, page, chosen(html, page) | {"l0-price": "14"}))[0] == 303
    (again,) = [row for row in await served.store.read(rows.current) if row.follows_id == number]
    assert again.valid_from_ms == waiting.valid_from_ms
    assert again.tariff.terms is not None
    assert again.tariff.terms.lines[0].price_milli == 1_400_000

    assert again.valid_from_ms is not None
    await served.store.write(tariffs.take_effect, again.valid_from_ms)
    assert (await current(served))["Bands"].tariff.id == again.tariff.id
    html = await page_of(client, f"/tariffs/{again.tariff.id}")
    assert "Its versions" in html
    assert f'href="{path}"' in html
    assert "out of use since" in await page_of(client, path)


# --- files --------------------------------------------------------------------------------------------------------------------


async def upload(client: TestClient[Any, Any], content: bytes) -> tuple[int, str]:
    boundary = "----a-form"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="t.json"\r\n\r\n'.encode()
    headers = {**OURS, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = head + content + f"\r\n--{boundary}--\r\n".encode()
    async with client.post("/tariffs/import", data=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_a_file_goes_out_and_comes_back_as_the_same_lines(served: ConsoleFixture) -> None:
    client = await editor_of(served)
    plain = terms(*BANDS.lines[:2], line("idle_time", 200, unit="hour"), taxes={"VAT": 5}, minimum_minor=500)
    number = await with_lines(served, plain)
    async with client.get(f"/tariffs/{number}/ocpi.json") as answer:
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        content = await answer.read()

    status, html = await upload(client, content)
    assert status == 200
    assert "Nothing is stored yet." in html
    assert await all_rows(served) == 2
    assert (await send(client, "/tariffs/new", chosen(html, "/tariffs/new") | {"name": "Again"}))[0] == 303
    found = (await current(served))["Again"].tariff.terms
    assert found is not None
    assert [(one.dimension, one.price_milli, one.unit, one.conditions) for one in found.lines] == [
        (one.dimension, one.price_milli, one.unit, one.conditions) for one in plain.lines
    ]


async def test_a_line_that_ocpi_cannot_say_is_named_on_the_page(served: ConsoleFixture) -> None:
    client, number = await editor_of(served), await with_lines(served)

    html = await page_of(client, f"/tariffs/{number}/ocpi.json")
    assert "OCPI 2.2.1 cannot say line 3: it does not know how long a car has been idle." in html
    assert "What is charged" in html


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda body: body["elements"][0]["price_components"][0].update(step_size=900),
            "elements.0.price_components.0",
        ),
        (lambda body: body.update(currency="EUR"), "Its currency is EUR, and that of this site is BDT."),
        (lambda body: body.pop("elements"), "The field elements is missing."),
    ],
)
async def test_a_file_that_cannot_be_meant_is_refused_with_its_place(
    served: ConsoleFixture, change: Any, sentence: str
) -> None:
    client = await editor_of(served)
    body: dict[str, Any] = {
        "id": "1", "currency": "BDT", "elements": [{"price_components": [{"type": "TIME", "price": 60, "step_size": 1}]}]
    }  # fmt: skip
    change(body)

    status, html = await upload(client, json.dumps(body).encode())
    assert status == 422
    assert sentence in unescape(html)


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b'{"a":1e999}', b"x" * 70_000])
async def test_a_file_that_is_none_is_a_sentence(served: ConsoleFixture, content: bytes) -> None:
    client = await editor_of(served)

    status, html = await upload(client, content)
    assert status in (400, 409, 422)
    assert 'id="file-wrong"' in html


def test_the_form_of_a_full_tariff_fits_into_what_is_read() -> None:
    full = line(
        "energy", 1, "a", "b", from_time="01:00", to_time="02:00", from_date="2026-01-01", to_date="2026-02-01", from_wh=1, to_wh=2,
        from_minutes=1, to_minutes=2, from_idle_minutes=1, from_w=1, to_w=2, methods=["prepaid"], groups=range(1, 11),
    )  # fmt: skip
    form = line_form.form_of("Full", terms(*[full] * 50, taxes={"a": 1, "b": 2}), TAKA)

    assert len(form.values) <= 2500


async def test_the_form_of_a_new_tariff_that_comes_again_with_other_prices_says_so_to_people(
    served: ConsoleFixture,
) -> None:
    client = await editor_of(served)
    fields = await fields_at(client, "/tariffs/new") | {"name": "Once", "energy_minor_per_kwh": "12"}
    await send(client, "/tariffs/new", fields)

    status, html = await send(client, "/tariffs/new", fields | {"energy_minor_per_kwh": "13"})

    assert status == 422
    assert "This form was sent before with other figures" in html
    assert "Idempotency-Key" not in html
    assert (await current(served))["Once"].tariff.energy_milli_per_kwh == 1_200_000
