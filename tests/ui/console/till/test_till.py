"""The till in a browser that speaks no script: its forms, once each, and what they say."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import ledger
from appliance.db.till import shifts as rows
from appliance.db.till.shifts import Shift
from appliance.domain.cash import Cash
from appliance.domain.identifiers import ShiftId
from appliance.domain.roles import Role
from appliance.domain.site import Site
from appliance.services import settings as stored
from appliance.services.settings import Settings
from appliance.services.till import shifts as service
from tests.ui.console_fixture import ConsoleFixture, open_console

Browser = TestClient[Any, Any]
OURS = {"Sec-Fetch-Site": "same-origin"}
TO_WALLET = {"preset": "500.00", "method": "cash", "then": "/till"}


async def get(client: Browser, path: str) -> str:
    """A page that is there."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def post(client: Browser, path: str, **fields: str) -> tuple[int, str, str]:
    """Status, path and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, answer.url.path_qs, await answer.text()


def hidden(html: str, name: str = "key") -> str:
    """A hidden field of the form on a page."""
    found = re.findall(rf'name="{name}" value="([^"]*)"', html)
    assert found, html
    return str(found[-1])


async def opened(client: Browser, **pieces: str) -> str:
    """A shift with so many of each note; the page after it."""
    key = hidden(await get(client, "/till/open"))
    _status, path, html = await post(client, "/till/open", key=key, **(pieces or {"n10000": "2"}))
    assert path == "/till"
    return html


async def shift_of(served: ConsoleFixture, number: int = 1) -> Shift:
    found = await served.store.read(rows.find, number)
    assert found is not None
    return found


async def counted(client: Browser, shift: int, **pieces: str) -> str:
    """The page that says what the count comes to."""
    status, _path, html = await post(client, f"/till/shifts/{shift}/count", **pieces)
    assert status == 200
    return html


async def test_somebody_is_found_by_card_by_telephone_and_by_name(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    for text in ("04A1B2C3", "712 345678", "Rahima"):
        async with client.get("/till", params={"q": text}) as answer:
            assert answer.url.path_qs.startswith("/till?card="), text
            assert "Rahima Khatun" in await answer.text()
    assert "Karim Ahmed" in await get(client, "/till?q=a")
    assert "Nobody here is called that" in await get(client, "/till?q=nobody+at+all")
    async with client.get("/till?q=Rahima&do=refund") as answer:
        assert answer.url.path == "/people/1/refund"


async def test_a_top_up_comes_back_to_the_till_and_is_in_the_drawer(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    assert "৳200.00" in await opened(client)
    page = await get(client, "/till?person=1")
    status, path, html = await post(client, "/people/1/topup", key=hidden(page), **TO_WALLET)

    assert (status, path) == (200, "/till")
    assert "৳500.00 in cash for Rahima Khatun" in html
    assert "৳700.00" in html
    assert "/receipts/4?back=/till" in html


async def test_with_paper_the_receipt_is_printed_and_leads_back(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = hidden(await get(client, "/till?person=1"))
    _status, path, html = await post(client, "/people/1/topup", key=key, print="1", **TO_WALLET)
    assert path == "/receipts/4?print=1&back=/till"
    assert "data-print-now" in html
    _status, path, html = await post(client, "/people/1/topup", key=key, print="1", **TO_WALLET)
    assert path == "/till"
    assert "nothing was booked now" in html


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", "999999999999999999999", "১২b"])
async def test_a_count_that_is_none_comes_back_filled_with_a_sentence(served: ConsoleFixture, typed: str) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = hidden(await get(client, "/till/open"))
    status, _path, html = await post(client, "/till/open", key=key, n10000=typed, n500="7")

    assert status == 422
    assert "is not how many there can be" in html
    assert 'value="7"' in html
    assert await served.store.read(rows.page) == []


async def test_digits_of_another_script_count(served: ConsoleFixture) -> None:
    await opened(await served.logged_in(Role.CASHIER), n10000="২", n500="৩")

    assert (await shift_of(served)).float == Cash(21_500, ((10_000, 2), (500, 3)))


async def test_an_empty_form_says_nothing_and_a_zero_says_nothing_is_there(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = hidden(await get(client, "/till/open"))
    assert (await post(client, "/till/open", key=key))[0] == 422
    assert (await post(client, "/till/open", key=key, n500="0"))[1] == "/till"


async def test_opened_twice_it_is_one_shift(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    keys = [hidden(await get(client, "/till/open")) for _ in range(2)]
    done = await asyncio.gather(*(post(client, "/till/open", key=key, n500="1") for key in (*keys, keys[0])))

    assert {path for _status, path, _html in done} == {"/till"}
    assert len(await served.store.read(rows.every_open)) == 1


async def test_cash_goes_in_and_out_with_a_word_about_it(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await opened(client)
    page = await get(client, "/till/shifts/1/pay?way=out")
    form = {"key": hidden(page), "way": "out", "amount_minor": "১৫", "counterpart": "expenses"}
    status, _path, html = await post(client, "/till/shifts/1/pay", **form)
    assert (status, "Say what it is for." in html, 'value="১৫"' in html) == (422, True, True)
    for words in ("৳15.00 was taken out of the drawer.", "nothing was booked now"):
        _status, path, html = await post(client, "/till/shifts/1/pay", **form, reason="a lamp")
        assert path == "/till"
        assert words in html
    assert "৳185.00" in html
    form = {"key": hidden(page) + "x", "way": "out", "amount_minor": "500", "counterpart": "safe"}
    assert "There is not so much in the drawer" in (await post(client, "/till/shifts/1/pay", **form))[2]


async def test_what_must_be_there_is_not_on_the_page_where_it_is_counted(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await opened(client)
    key = hidden(await get(client, "/till?person=1"))
    await post(client, "/people/1/topup", key=key, preset="", amount_minor="123.45", method="cash")

    assert "323.45" in await get(client, "/till")
    assert "323.45" not in await get(client, "/till/shifts/1/count")


async def test_a_difference_is_shown_counted_again_and_closed_with_a_reason(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await opened(client)
    html = await counted(client, 1, n10000="1")
    assert "৳100.00 is missing" in html
    again = await counted(client, 1, n10000="1", again="1")
    assert 'id="n10000" name="n10000"' in again
    html = await counted(client, 1, n10000="1", n500="1")
    form = {"key": hidden(html), "seen_seq": hidden(html, "seen_seq"), "n10000": "1", "n500": "1", "different": "1"}
    status, _path, html = await post(client, "/till/shifts/1/close", **form)
    assert (status, "Say what you know about the difference" in html) == (422, True)
    _status, path, html = await post(client, "/till/shifts/1/close", **form, reason="a note fell")

    assert path == "/till/shifts/1"
    assert "Z report 1" in html
    assert "−৳95.00" in html
    assert "a note fell" in html


async def test_closed_from_two_tabs_and_again_by_the_back_button_it_is_closed_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await opened(client)
    tabs = [await counted(client, 1, n10000="2") for _ in range(2)]
    forms = [{"key": hidden(tab), "seen_seq": hidden(tab, "seen_seq"), "n10000": "2"} for tab in tabs]
    assert forms[0]["key"] != forms[1]["key"]
    done = await asyncio.gather(*(post(client, "/till/shifts/1/close", **form) for form in (*forms, forms[0])))
    back = await post(client, "/till/shifts/1/close", **(forms[1] | {"n10000": "3"}))

    assert {path for _status, path, _html in (*done, back)} == {"/till/shifts/1"}
    assert "closed before" in back[2]
    assert (await shift_of(served)).counted == Cash(20_000, ((10_000, 2),))
    codes = [row[7] for row in await served.store.read(ledger.transfers, limit=100)]
    assert codes.count("to_safe") == 1
    for path in ("/till/shifts/1/count", "/till/shifts/1/pay?way=in"):
        async with client.get(path) as answer:
            assert (answer.url.path, "closed before" in await answer.text()) == ("/till/shifts/1", True)


async def test_what_was_booked_after_the_count_asks_for_another(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await opened(client)
    html = await counted(client, 1, n10000="2")
    key = hidden(await get(client, "/till?person=1"))
    await post(client, "/people/1/topup", key=key, **TO_WALLET)
    form = {"key": hidden(html), "seen_seq": hidden(html, "seen_seq"), "n10000": "2"}
    status, _path, html = await post(client, "/till/shifts/1/close", **form)

    assert (status, "Money moved in this drawer since it was counted." in html) == (409, True)
    assert 'name="n10000" inputmode="numeric" autocomplete="off" maxlength="5" value="2"' in html
    assert (await shift_of(served)).is_open


async def test_a_drawer_is_handed_to_the_next_one(served: ConsoleFixture) -> None:
    client, other = await served.logged_in(Role.CASHIER), await served.logged_in(Role.CASHIER)
    await opened(client)
    html = await counted(client, 1, n10000="2")
    found = re.search(r'<option value="(operator:\d+)">with the drawer to Nasrin cashier', html)
    assert found is not None
    form = {"key": hidden(html), "seen_seq": hidden(html, "seen_seq"), "n10000": "2", "hand_to": found[1]}
    _status, _path, html = await post(client, "/till/shifts/1/close", **form)

    assert "Handed over to Nasrin cashier" in html
    assert "৳200.00" in await get(other, "/till")
    assert (await shift_of(served, 2)).taken_over == ShiftId(1)


async def test_a_cashier_sees_nothing_of_others_and_a_manager_all(served: ConsoleFixture) -> None:
    client, other = await served.logged_in(Role.CASHIER), await served.logged_in(Role.CASHIER)
    await opened(client)
    async with other.get("/till/shifts/1") as answer:
        assert answer.status == 403
    assert "No shift yet" in await get(other, "/till/shifts")
    manager = await served.logged_in(Role.MANAGER)
    assert "৳200.00" in await get(manager, "/till/shifts")
    assert "X report" in await get(manager, "/till/shifts/1")


async def test_a_setting_hides_the_drawer_from_cashiers_altogether(served: ConsoleFixture) -> None:
    await served.store.write(stored.change, "hide_drawer", "1")
    client = await served.logged_in(Role.CASHIER)
    await opened(client, n10000="2", n500="1")
    key = hidden(await get(client, "/till?person=1"))
    await post(client, "/people/1/topup", key=key, preset="", amount_minor="123.45", method="cash")
    pages = [await get(client, path) for path in ("/till/shifts/1", "/till/shifts", "/till/shifts/1/count")]
    html = await counted(client, 1, n10000="2")
    assert "You have counted ৳200.00" in html
    form = {"key": hidden(html), "seen_seq": hidden(html, "seen_seq"), "n10000": "2"}
    _status, path, closed = await post(client, "/till/shifts/1/close", **form)

    assert path == "/till/shifts/1"
    for page in (*pages, html, closed):
        assert "328.45" not in page
        assert "128.45" not in page
    assert "−৳128.45" in await get(await served.logged_in(Role.MANAGER), "/till/shifts/1")


async def test_without_a_shift_the_form_leads_to_one_and_comes_back_filled(served: ConsoleFixture) -> None:
    await served.store.write(stored.change, "cash_needs_shift", "1")
    client = await served.logged_in(Role.CASHIER)
    note = "ঈদের আগে জমা " * 14
    form = {"preset": "other", "amount_minor": "৭৭", "method": "cash", "note": note, "then": "/till"}
    key = hidden(await get(client, "/people/1/topup"))
    status, _path, html = await post(client, "/people/1/topup", key=key, **form)
    assert (status, "you have none open" in html) == (409, True)
    link = re.search(r'href="(/till/open\?then=[^"]+)"', html)
    assert link is not None
    page = await get(client, link[1].replace("&amp;", "&"))
    then = hidden(page, "then").replace("&amp;", "&")
    _status, path, html = await post(client, "/till/open", key=hidden(page), n500="1", then=then)

    assert path.startswith("/people/1/topup?")
    assert 'value="৭৭"' in html
    assert note.strip() in html
    fields = {**form, "key": hidden(html), "then": hidden(html, "then")}
    assert (await post(client, "/people/1/topup", **fields))[1] == "/till"
    assert (await served.store.read(service.figures, await shift_of(served))).expected_minor == 500 + 7_700


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/people/new", {"name": "Anwara Begum", "group_id": "1", "preset": "200.00", "method": "cash"}),
        ("/desk/desk/recharge", {"card": "1", "at": "number", "preset": "200.00", "method": "cash"}),
        (
            "/desk/desk/issue",
            {"uid": "04E1B2C3", "name": "Anwara Begum", "group_id": "1", "preset": "200.00", "method": "cash"},
        ),
    ],
)
async def test_so_do_all_forms_that_take_money(served: ConsoleFixture, path: str, form: dict[str, str]) -> None:
    await served.store.write(stored.change, "cash_needs_shift", "1")
    client = await served.logged_in(Role.CASHIER)
    status, _path, html = await post(client, path, key="the key of this form", **form)
    assert (status, "you have none open" in html) == (409, True)
    link = re.search(r'href="(/till/open\?then=[^"]+)"', html)
    assert link is not None
    page = await get(client, link[1].replace("&amp;", "&"))
    then = hidden(page, "then").replace("&amp;", "&")
    _status, _path, html = await post(client, "/till/open", key=hidden(page), n500="1", then=then)

    assert 'name="preset" value="200.00" checked' in html
    assert form.get("name", "Rahima Khatun") in html


async def test_the_way_back_leads_nowhere_else(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    for path in ("/till/open", "/people/1/topup", "/people/1/refund", "/people/new"):
        for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
            async with client.get(path, params={"then": elsewhere}) as answer:
                assert elsewhere not in await answer.text()


async def test_where_notes_are_not_known_the_amount_is_typed(tmp_path: Any) -> None:
    async with open_console(tmp_path, site=Site("Yard", "JPY", 0, "Asia/Tokyo", "en"), settings=Settings()) as served:
        client = await served.logged_in(Role.CASHIER)
        page = await get(client, "/till/open")
        assert 'name="amount_minor"' in page
        assert (await post(client, "/till/open", key=hidden(page), amount_minor="-5"))[0] == 422
        assert (await post(client, "/till/open", key=hidden(page), amount_minor="5000"))[1] == "/till"
        html = (await post(client, "/till/shifts/1/count", amount_minor="5000"))[2]
        form = {"key": hidden(html), "seen_seq": hidden(html, "seen_seq"), "amount_minor": "5000"}
        assert (await post(client, "/till/shifts/1/close", **form))[1] == "/till/shifts/1"
        assert (await shift_of(served)).counted == Cash(5_000)


async def test_a_manager_sees_what_everybody_took_today_in_each_way(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    for amount, method in (("500.00", "cash"), ("1000.00", "mobile")):
        key = hidden(await get(client, "/till?person=1"))
        await post(client, "/people/1/topup", key=key, preset=amount, method=method)
    html = await get(await served.logged_in(Role.MANAGER), "/till/shifts")

    row = re.search(r'<th scope="row">Nasrin cashier</th>(.*?)</tr>', html, re.DOTALL)
    assert row is not None
    assert re.findall(r"৳[\d,.]+", row[1]) == ["৳500.00", "৳1,000.00", "৳1,500.00"]


@pytest.mark.parametrize(("zone", "currency", "told"), [("Europe/Berlin", "EUR", True), ("Asia/Dhaka", "BDT", False)])
async def test_where_the_law_may_want_a_device_in_the_till_it_is_said_that_there_is_none(
    tmp_path: Any, zone: str, currency: str, told: bool
) -> None:
    async with open_console(tmp_path, site=Site("Yard", currency, 2, zone, "en"), settings=Settings()) as served:
        page = await get(await served.logged_in(Role.CASHIER), "/till/open")

    assert ("This till has none" in page) is told
