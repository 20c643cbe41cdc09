"""Vouchers in the console: printed once, sold and redeemed at the till, voided by managers."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import ledger
from appliance.db import vouchers as rows
from appliance.domain.by import By
from appliance.domain.identifiers import PersonId, VoucherId
from appliance.domain.ledger import VOUCHERS
from appliance.domain.roles import Role
from appliance.domain.voucher import VoucherState
from appliance.services import settings
from appliance.services.vouchers import batches, codes, vouchers
from appliance.services.vouchers.codes import Asked
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

Browser = TestClient[Any, Any]
RAHIMA = PersonId(1)
CODE = re.compile(r'<p class="paper-code"><code>([0-9A-Z-]+)</code>')
LINK_TO_SHIFT = re.compile(r'href="(/till/open\?then=[^"]+)"')
KEY = re.compile(r'name="key" value="([^"]+)"')
FORM = {"count": "3", "amount_minor": "50", "expires": "2026-12-31", "kind": "sale", "note": "Hotel"}


async def get(client: Browser, path: str, status: int = 200) -> str:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return html.unescape(await answer.text())


async def post(client: Browser, path: str, status: int = 200, /, **form: str) -> str:
    """A form, redirects followed."""
    async with client.post(path, data=form, headers={"Sec-Fetch-Site": "same-origin"}) as answer:
        assert answer.status == status, await answer.text()
        return html.unescape(await answer.text())


async def key_of(client: Browser, path: str) -> str:
    found = KEY.search(await get(client, path))
    assert found is not None
    return found[1]


async def printed(client: Browser, **form: str) -> list[str]:
    """A batch by the form; its codes."""
    return CODE.findall(await post(client, "/vouchers/new", key=await key_of(client, "/vouchers/new"), **FORM | form))


async def state(served: ConsoleFixture, number: int) -> VoucherState:
    found = await served.store.read(rows.find, VoucherId(number))
    assert found is not None
    return found.state


@pytest.fixture(name="manager")
async def _manager(served: ConsoleFixture) -> Browser:
    return await served.logged_in(Role.MANAGER)


@pytest.fixture(name="cashier")
async def _cashier(served: ConsoleFixture) -> Browser:
    return await served.logged_in(Role.CASHIER)


async def test_the_sheet_has_every_code_in_both_languages_and_says_that_it_is_shown_once(manager: Browser) -> None:
    page = await post(manager, "/vouchers/new", key=await key_of(manager, "/vouchers/new"), **FORM)
    found = CODE.findall(page)
    assert len(set(found)) == 3
    for words in (
        "These codes are shown this once", "Dhanmondi yard", "Voucher for charging", "৳50.00",
        "Good once, until the end of 31 Dec 2026.", "৫০.০০", ">1-3<", 'class="qr"',
    ):  # fmt: skip
        assert words in page
    assert page.count('lang="bn"') > 3


async def test_the_form_sent_again_is_the_same_sheet_also_on_other_paper_and_then_no_more(
    served: ConsoleFixture, manager: Browser
) -> None:
    key = await key_of(manager, "/vouchers/new")
    first = CODE.findall(await post(manager, "/vouchers/new", key=key, **FORM))
    small = await post(manager, "/vouchers/new", key=key, paper="80", **FORM)
    assert CODE.findall(small) == first
    assert 'class="papers is-80"' in small
    served.now_ms += batches.SHEET_KEPT_MS
    late = await post(manager, "/vouchers/new", key=key, **FORM)
    assert CODE.findall(late) == []
    assert "They cannot be shown again" in late
    assert len(await served.store.read(rows.batches)) == 1


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"count": ""}, "Enter a whole number."),
        ({"count": "0"}, "Between 1 and 1,000."),
        ({"count": "2.5"}, "Enter a whole number."),
        ({"count": "-3"}, "Between 1 and 1,000."),
        ({"amount_minor": ""}, "amount"),
        ({"amount_minor": "-5"}, "amount"),
        ({"amount_minor": "1.234"}, "amount"),
        ({"amount_minor": "9" * 30}, "amount"),
        ({"expires": "2026-11-21"}, "This day is over already."),
        ({"expires": "soon"}, "This is no day."),
        ({"kind": "stolen"}, "Choose whether they are for sale or given away."),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    served: ConsoleFixture, manager: Browser, form: dict[str, str], says: str
) -> None:
    key = await key_of(manager, "/vouchers/new")
    page = await post(manager, "/vouchers/new", 422, key=key, **FORM | form)
    assert says in page
    assert 'value="Hotel"' in page
    assert await served.store.read(rows.batches) == []


async def test_figures_may_be_typed_in_bengali(manager: Browser, served: ConsoleFixture) -> None:
    await printed(manager, count="২", amount_minor="২০০")
    (batch,) = await served.store.read(rows.batches)
    assert (batch.count, batch.amount_minor) == (2, 20_000)


async def test_a_cashier_sells_by_the_number_and_redeems_by_the_code(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    code, *_others = await printed(manager)
    key = await key_of(cashier, "/vouchers/sell")
    for _ in range(2):  # A double click is one.
        page = await post(cashier, "/vouchers/sell", key=key, code="1-1", method="cash")
        assert "Voucher 1-1 was sold for ৳50.00, in cash." in page
        assert "Print receipt" in page
    key = await key_of(cashier, f"/people/{RAHIMA}/voucher")
    before = (await served.store.read(ledger.balance, VOUCHERS)).balance_minor
    assert before == 5_000
    page = await post(cashier, f"/people/{RAHIMA}/voucher", key=key, code=code.lower().replace("-", " "))
    assert "A voucher of ৳50.00 was redeemed for Rahima Khatun." in page
    assert "Voucher 1-1" in page  # In their records.
    page = await post(cashier, f"/people/{RAHIMA}/voucher", key=key, code=code)
    assert "was redeemed for Rahima Khatun before; nothing was booked now" in page
    page = await post(
        cashier, f"/people/{RAHIMA}/voucher", 409, key=await key_of(cashier, f"/people/{RAHIMA}/voucher"), code=code
    )
    assert "Voucher 1-1 was redeemed already: nothing was booked now." in page
    assert f'value="{code}"' in page


async def test_a_slip_a_guess_and_a_number_are_told_apart(manager: Browser, cashier: Browser) -> None:
    code, *_others = await printed(manager)
    slip = ("2" if code[0] != "2" else "3") + code[1:]
    path = f"/people/{RAHIMA}/voucher"
    for typed, status, says in (
        (slip, 422, "One of its characters is not right"),
        (code[:-1], 422, "A code has 12 letters and digits."),
        ("1-1", 422, "proves nothing"),
        (codes.new_code(), 404, "There is no such voucher."),
    ):
        assert says in await post(cashier, path, status, key=await key_of(cashier, path), code=typed)
    for _ in range(5):
        await cashier.post("/vouchers/find", data={"code": codes.new_code()}, headers={"Sec-Fetch-Site": "same-origin"})
    assert "That was wrong several times." in await post(cashier, "/vouchers/find", 429, code=code)


async def test_one_is_found_by_its_number_and_its_page_says_what_became_of_it(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    code, *_others = await printed(manager)
    assert "Nobody has bought it yet" in await post(cashier, "/vouchers/find", code=" #1-2 ")
    assert "Nobody has bought it yet" in await post(cashier, "/vouchers/find", code=code)
    assert "There is no such voucher" in await post(cashier, "/vouchers/find", 404, code="1-9")
    await post(
        cashier, "/vouchers/sell", key=await key_of(cashier, "/vouchers/sell?number=1-2"), code="1-2", method="card"
    )
    page = await get(cashier, "/vouchers/2")
    for words in ("It was paid for, and can be redeemed.", "Nasrin cashier", "Nasrin manager", "Receipt "):
        assert words in page
    assert "Void and pay back" not in page
    assert "Void and pay back" in await get(manager, "/vouchers/2")
    page = await post(manager, "/vouchers/2/void", key=await key_of(manager, "/vouchers/2/void"), method="card")
    assert "Voucher 1-2 is void, and ৳50.00 went back by bank card: credit note" in page
    assert await state(served, 2) is VoucherState.VOIDED
    assert "is void" in await post(
        manager, "/vouchers/2/void", 409, key=await key_of(manager, "/vouchers/2/void"), method="card"
    )


async def test_what_is_left_of_a_batch_is_voided(served: ConsoleFixture, manager: Browser) -> None:
    await printed(manager)
    await post(manager, "/vouchers/sell", key=await key_of(manager, "/vouchers/sell"), code="1-2", method="cash")
    assert "2 vouchers that nobody has bought are worth nothing" in await get(manager, "/vouchers/batches/1/void")
    assert "2 vouchers are void." in await post(manager, "/vouchers/batches/1/void")
    assert [await state(served, number) for number in (1, 2, 3)] == ["voided", "sold", "voided"]
    assert "No voucher of this batch is left" in await post(manager, "/vouchers/batches/1/void", 409)


async def test_an_owner_writes_off_what_has_expired(served: ConsoleFixture, manager: Browser) -> None:
    await printed(manager)
    await post(manager, "/vouchers/sell", key=await key_of(manager, "/vouchers/sell"), code="1-1", method="cash")
    served.now_ms += 40 * 86_400_000
    await served.store.write(batches.expire, served.now_ms)
    owner = await served.logged_in(Role.OWNER)
    manager = await served.logged_in(Role.MANAGER)
    assert "Write off" not in await get(manager, "/vouchers/1")
    assert "Write off…" in await get(owner, "/vouchers/1")
    assert "Write off ৳50.00" in await get(owner, "/vouchers/1/write-off")
    assert "৳50.00 of voucher 1-1 is the site's now." in await post(owner, "/vouchers/1/write-off")
    assert (await served.store.read(ledger.balance, VOUCHERS)).balance_minor == 0


async def test_one_that_is_held_is_let_go_by_a_manager(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    await printed(manager)
    await served.store.write(
        lambda db: vouchers.hold(db, [one for one in rows.papers(db) if one.number == 1], By("console", NOW_MS))
    )
    assert "is held: the books were restored" in await post(
        cashier, "/vouchers/sell", 409, key=await key_of(cashier, "/vouchers/sell"), code="1-1", method="cash"
    )
    assert "Let it go on" not in await get(cashier, "/vouchers/1")
    assert "It is no longer held." in await post(manager, "/vouchers/1/release")
    assert await state(served, 1) is VoucherState.MADE


async def test_the_till_sells_one_and_its_reports_name_it(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    await printed(manager)
    await post(cashier, "/till/open", key=await key_of(cashier, "/till/open"), n10000="2")
    assert 'href="/vouchers/sell?then=/till" data-key="F4"' in await get(cashier, "/till")
    await post(cashier, "/vouchers/sell", key=await key_of(cashier, "/vouchers/sell"), code="1-1", method="cash")
    till = await get(cashier, "/till")
    assert ("৳250.00" in till, "<td>Voucher 1-1" in till) == (True, True)
    assert "/people/None" not in till
    assert "1 × Voucher sold, Cash" in await get(cashier, "/till/shifts/1")


async def test_what_was_taken_today_has_a_voucher_once_when_it_is_sold(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    code, *_others = await printed(manager)
    await post(cashier, "/vouchers/sell", key=await key_of(cashier, "/vouchers/sell"), code="1-1", method="cash")
    redeeming = f"/people/{RAHIMA}/voucher"
    await post(cashier, redeeming, key=await key_of(cashier, redeeming), code=code)
    row = re.search(r'<th scope="row">Nasrin cashier</th>(.*?)</tr>', await get(manager, "/till/shifts"), re.DOTALL)
    assert row is not None
    assert re.findall(r"৳[\d,.]+", row[1]) == ["৳50.00", "৳50.00"]


async def test_without_a_shift_cash_for_one_leads_to_it_and_back_without_the_code(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    code, *_others = await printed(manager)
    await served.store.write(settings.change, "cash_needs_shift", "1")
    key = await key_of(cashier, "/vouchers/sell")
    page = await post(cashier, "/vouchers/sell", 409, key=key, code=code, method="cash")
    assert "you have none open" in page
    link = LINK_TO_SHIFT.search(page)
    assert link is not None
    assert (code in link[1], code.replace("-", "") in link[1]) == (False, False)
    opening = await get(cashier, link[1])
    then = re.search(r'name="then" value="([^"]+)"', opening)
    assert then is not None
    form = await post(cashier, "/till/open", key=await key_of(cashier, link[1]), n500="1", then=then[1])
    assert 'value="1-1"' in form
    await post(cashier, "/vouchers/sell", key=KEY.findall(form)[-1], code="1-1", method="cash")
    assert await state(served, 1) is VoucherState.SOLD


async def test_without_a_shift_one_that_was_sold_is_not_asked_for_it(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    await printed(manager)
    await post(cashier, "/vouchers/sell", key=await key_of(cashier, "/vouchers/sell"), code="1-1", method="cash")
    await served.store.write(settings.change, "cash_needs_shift", "1")
    page = await post(
        cashier, "/vouchers/sell", 409, key=await key_of(cashier, "/vouchers/sell"), code="1-1", method="cash"
    )
    assert ("was sold already" in page, "/till/open" in page) == (True, False)


async def test_to_pay_one_back_in_cash_leads_to_a_shift_too(served: ConsoleFixture, manager: Browser) -> None:
    await printed(manager)
    await post(manager, "/vouchers/sell", key=await key_of(manager, "/vouchers/sell"), code="1-1", method="card")
    await served.store.write(settings.change, "cash_needs_shift", "1")
    key = await key_of(manager, "/vouchers/1/void")
    page = await post(manager, "/vouchers/1/void", 409, key=key, method="cash")
    link = LINK_TO_SHIFT.search(page)
    assert link is not None
    assert link[1] == "/till/open?then=%2Fvouchers%2F1%2Fvoid%3Fmethod%3Dcash"
    await post(manager, "/till/open", key=await key_of(manager, link[1]), n500="1")
    page = await post(manager, "/vouchers/1/void", 409, key=key, method="cash")
    assert "There is not so much in the drawer." in page
    assert await state(served, 1) is VoucherState.SOLD
    await post(manager, "/vouchers/1/void", key=key, method="card")
    assert await state(served, 1) is VoucherState.VOIDED


async def test_the_list_is_paged_and_narrowed_down(served: ConsoleFixture, manager: Browser) -> None:
    await printed(manager, count="70")
    await served.store.write(lambda db: vouchers.sell(db, Asked(number=(1, 5)), "cash", By("console", NOW_MS)))
    page = await get(manager, "/vouchers")
    assert (">1-70<" in page, ">1-21<" in page, ">1-20<" in page) == (True, True, False)
    assert "৳50.00 was paid for vouchers that nobody has used yet." in page
    older = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert older is not None
    assert ">1-20<" in await get(manager, older[1])
    sold = await get(manager, "/vouchers?state=sold&batch=1")
    assert re.findall(r">(1-\d+)<", sold) == ["1-5"]
    assert "None is in this state." in await get(manager, "/vouchers?state=held")
    assert "70" in await get(manager, "/vouchers/batches")


async def test_a_receipt_of_a_voucher_names_it_and_nobody(manager: Browser) -> None:
    await printed(manager)
    page = await post(manager, "/vouchers/sell", key=await key_of(manager, "/vouchers/sell"), code="1-1", method="cash")
    receipt = re.search(r"/receipts/(\d+)", page)
    assert receipt is not None
    slip = await get(manager, f"/receipts/{receipt[1]}")
    assert "1-1" in slip
    assert "Keep this receipt with the voucher." in slip
    assert "To the person" not in slip
    assert "Balance after it" not in slip
    assert "Voucher 1-1" in await get(manager, "/receipts")


async def test_whose_wallet_is_searched_first(cashier: Browser) -> None:
    assert f"/people/{RAHIMA}/voucher" in await get(cashier, "/vouchers/redeem?q=rahima")
    assert "Nobody found" in await get(cashier, "/vouchers/redeem?q=nobody+of+that+name")


async def test_who_may_not_print_is_not_offered_it(cashier: Browser) -> None:
    assert "/vouchers/new" not in await get(cashier, "/vouchers")
    assert "/vouchers/new" not in await get(cashier, "/vouchers/batches")


async def test_who_sells_one_from_the_till_stands_there_again(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    await printed(manager)
    till = await get(cashier, "/till")
    link = re.search(r'href="(/vouchers/sell[^"]*)"', till)
    assert link is not None
    shown = await get(cashier, link[1])
    key, then = KEY.search(shown), re.search(r'name="then" value="([^"]+)"', shown)
    assert key is not None
    assert then is not None

    refused = await post(cashier, "/vouchers/sell", 404, key=key[1], code="1-9", method="cash", then=then[1])
    assert f'name="then" value="{then[1]}"' in refused
    page = await post(cashier, "/vouchers/sell", key=key[1], code="1-1", method="cash", then=then[1])
    assert "Voucher 1-1 was sold for" in page
    assert 'id="find"' in page
    another = await key_of(cashier, link[1])
    page = await post(cashier, "/vouchers/sell", key=another, code="1-2", method="cash", then=then[1], print="1")
    assert "Voucher 1-2 was sold for" in page
    assert 'href="/till"' in page
    outside = await key_of(cashier, "/vouchers/sell?then=//evil.example")
    page = await post(cashier, "/vouchers/sell", key=outside, code="1-3", method="cash", then="//evil.example")
    assert "Sell a voucher" in page


async def test_many_are_sold_at_once_after_a_look_and_each_has_its_receipt(
    served: ConsoleFixture, manager: Browser, cashier: Browser
) -> None:
    await printed(manager, count="5")
    form = {"key": await key_of(cashier, "/vouchers/sell"), "code": "1-2", "count": "3", "method": "cash"}
    page = await post(cashier, "/vouchers/sell", **form)
    assert "3 vouchers, 1-2 to 1-4, for ৳150.00, in cash." in page
    assert await state(served, 2) is VoucherState.MADE

    for _ in range(2):  # A double click is one.
        page = await post(cashier, "/vouchers/sell", **form, confirmed="1")
        assert "Vouchers 1-2 to 1-4 were sold for ৳150.00, in cash: receipts" in page
    assert [await state(served, number) for number in range(1, 6)] == [
        VoucherState.MADE, VoucherState.SOLD, VoucherState.SOLD, VoucherState.SOLD, VoucherState.MADE,
    ]  # fmt: skip
    sold = await served.store.read(rows.find, VoucherId(3))
    assert sold is not None
    receipts = await served.store.read(
        lambda db: db.execute("SELECT count(*) FROM receipt WHERE kind = 'voucher'").fetchone()
    )
    assert receipts == (3,)
    assert (await served.store.read(ledger.balance, VOUCHERS)).balance_minor == 15_000


async def test_all_of_them_are_sold_or_none(served: ConsoleFixture, manager: Browser, cashier: Browser) -> None:
    await printed(manager, count="4")
    await post(cashier, "/vouchers/sell", key="k" * 24, code="1-3", method="cash")
    for number, (count, status, said) in enumerate(
        (
            ("3", 409, "Voucher 1-3 was sold already."),
            ("9", 404, "There is no such voucher."),
            ("0", 422, "Between 1 and 200."),
            ("201", 422, "Between 1 and 200."),
            ("x", 422, "Enter a whole number."),
        )
    ):
        form = {"key": f"key-{number}-" + "k" * 20, "code": "1-1", "count": count, "method": "cash", "confirmed": "1"}
        page = await post(cashier, "/vouchers/sell", status, **form)
        assert said in page
        assert f'value="{count}"' in page
    page = await post(cashier, "/vouchers/sell", 404, key="m" * 24, code="1-4", count="2", method="cash")
    assert "There is no such voucher." in page
    assert [await state(served, number) for number in (1, 2, 4)] == [VoucherState.MADE] * 3
