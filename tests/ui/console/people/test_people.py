"""People at the desk: taken in, searched for, topped up, paid out, corrected; money moves once."""

from __future__ import annotations

import asyncio
import re
from html import unescape
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db import approvals, ledger
from appliance.db.cards import cards as card_rows
from appliance.db.people import people, people_search
from appliance.domain.identifiers import AccountId, CardId, GroupId, PersonId
from appliance.domain.money import Currency
from appliance.domain.roles import Role
from appliance.domain.tariff import Tariff
from appliance.services.cards import cards
from appliance.services.people import groups
from appliance.services.people import people as people_units
from appliance.ui.console.wallets.wallets import presets
from tests.ui.console_fixture import BY, ConsoleFixture

OURS = {"Sec-Fetch-Site": "same-origin"}
RAHIMA = PersonId(1)
KARIM = PersonId(2)
JAMAL = PersonId(4)
TAKA = Currency("BDT", 2)
Browser = TestClient[Any, Any]


async def get(client: Browser, path: str) -> str:
    """A page that is there."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def post(client: Browser, path: str, **fields: str) -> tuple[int, str]:
    """Status and text of the page that a form ends on."""
    async with client.post(path, data=fields, headers=OURS) as answer:
        return answer.status, await answer.text()


def key_in(html: str) -> str:
    """The one-time key of the form on a page."""
    found = re.search(r'name="key" value="([^"]+)"', html)
    assert found is not None
    return found[1]


async def balance(served: ConsoleFixture, person: PersonId) -> int:
    """What is in the wallet."""
    found = await served.store.read(people.find, person)
    assert found is not None
    return found.balance_minor


async def test_top_up_is_booked_and_the_page_says_the_new_balance(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await balance(served, RAHIMA)
    key = key_in(await get(client, "/people/1"))

    status, html = await post(client, "/people/1/topup", key=key, preset="500.00", amount_minor="", method="cash")

    assert status == 200
    assert await balance(served, RAHIMA) == before + 500_00
    assert "৳500.00 in cash for Rahima Khatun" in html


async def test_the_same_form_twice_moves_money_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await balance(served, RAHIMA)
    key = key_in(await get(client, "/people/1"))

    answers = await asyncio.gather(
        *(post(client, "/people/1/topup", key=key, preset="200.00", method="cash") for _ in range(3))
    )

    assert [status for status, _ in answers] == [200, 200, 200]
    assert await balance(served, RAHIMA) == before + 200_00


async def test_a_form_sent_again_later_says_that_it_was_booked_before_and_what_the_balance_is_now(
    served: ConsoleFixture,
) -> None:
    client = await served.logged_in(Role.MANAGER)
    key = key_in(await get(client, "/people/1"))
    old = {"key": key, "preset": "200.00", "method": "cash"}
    _, html = await post(client, "/people/1/topup", **old)
    assert "৳200.00 in cash for Rahima Khatun. The balance is" in html
    await post(client, "/people/1/topup", key=key_in(await get(client, "/people/1")), preset="500.00", method="cash")
    now = f"The balance is ৳{await balance(served, RAHIMA) / 100:,.2f} now."

    _, html = await post(client, "/people/1/topup", **old)

    assert f"৳200.00 in cash for Rahima Khatun had been booked before; nothing was booked now. {now}" in html


async def test_the_same_form_with_another_amount_moves_nothing_and_says_so(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = key_in(await get(client, "/people/1"))
    await post(client, "/people/1/topup", key=key, preset="200.00", method="cash")
    before = await balance(served, RAHIMA)

    status, html = await post(client, "/people/1/topup", key=key, preset="500.00", method="cash")

    assert status == 422
    assert "was sent before with other figures" in html
    assert key_in(html) != key
    assert await balance(served, RAHIMA) == before


async def test_amounts_are_read_in_bengali_digits(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await balance(served, RAHIMA)
    key = key_in(await get(client, "/people/1"))

    await post(client, "/people/1/topup", key=key, preset="other", amount_minor="২৫০.৫০", method="mobile")

    assert await balance(served, RAHIMA) == before + 250_50


@pytest.mark.parametrize("typed", ["", "abc", "-5", "0", "12.345", "10000000.01"])
async def test_an_amount_that_cannot_be_meant_comes_back_with_the_reason_beside_it(
    served: ConsoleFixture, typed: str
) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await balance(served, RAHIMA)
    key = key_in(await get(client, "/people/1"))

    status, html = await post(client, "/people/1/topup", key=key, preset="other", amount_minor=typed, method="cash")

    assert status == 422
    assert 'id="amount_minor-wrong"' in html
    assert key_in(html) == key
    assert await balance(served, RAHIMA) == before


async def test_a_form_without_a_key_moves_nothing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    before = await balance(served, RAHIMA)

    status, html = await post(client, "/people/1/topup", preset="200.00", method="cash")

    assert status == 409
    assert "not complete" in html
    assert await balance(served, RAHIMA) == before


async def test_a_chosen_and_a_typed_amount_together_are_refused(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = key_in(await get(client, "/people/1"))

    status, _ = await post(client, "/people/1/topup", key=key, preset="200.00", amount_minor="300", method="cash")

    assert status == 422


async def test_refund_says_first_what_it_will_do_and_then_does_it_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    before = await balance(served, RAHIMA)
    form = {"key": key_in(await get(client, "/people/1/refund")), "amount_minor": "100", "method": "cash"}

    status, html = await post(client, "/people/1/refund", **form)
    assert status == 200
    assert "৳100.00 goes out in cash to Rahima Khatun" in html
    assert await balance(served, RAHIMA) == before

    for words in (
        "was paid out to Rahima Khatun.",
        "had been paid out to Rahima Khatun before; nothing was booked now.",
    ):
        _, html = await post(client, "/people/1/refund", **form, confirmed="1")
        assert f"৳100.00 {words} The balance is" in html
    assert await balance(served, RAHIMA) == before - 100_00


async def test_refund_of_more_than_is_free_is_refused_before_anything_is_confirmed(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    found = await served.store.read(people.find, KARIM)
    assert found is not None
    assert found.held_minor > 0
    too_much = str((found.balance_minor - found.held_minor) // 100 + 1)
    key = key_in(await get(client, "/people/2/refund"))

    for confirmed in ("", "1"):
        status, html = await post(
            client, "/people/2/refund", key=key, amount_minor=too_much, method="cash", confirmed=confirmed
        )

        assert status == 409
        assert re.search(r'id="amount_minor-wrong">.*The wallet of Karim Ahmed has less than that', html)


async def test_correction_needs_direction_and_reason(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    key = key_in(await get(client, "/people/1/correction"))

    status, _ = await post(client, "/people/1/correction", key=key, amount_minor="10", reason="meter was wrong")
    assert status == 422
    status, html = await post(client, "/people/1/correction", key=key, amount_minor="10", direction="out", reason="")
    assert status == 422
    assert "needs a reason" in html


@pytest.mark.parametrize("direction", ["in", "out"])
async def test_correction_that_cannot_be_booked_is_refused_before_anything_is_confirmed(
    served: ConsoleFixture, direction: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    # Into a wallet the limit is that of the keyboard's slips, out of it what the wallet has.
    amount, refused = {"in": ("1000001", 422), "out": ("999999", 409)}[direction]
    fields = {"key": key_in(await get(client, "/people/1/correction")), "direction": direction, "reason": "meter"}

    for confirmed in ("", "1"):
        status, html = await post(client, "/people/1/correction", **fields, amount_minor=amount, confirmed=confirmed)

        assert status == refused
        assert 'id="amount_minor-wrong"' in html
        assert "balance becomes" not in html
        assert f'value="{amount}"' in html
        assert re.search(rf'value="{direction}"[^>]* checked', html)
        assert ">meter</textarea>" in html


async def test_correction_of_a_wallet_without_a_limit_may_go_below_zero(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    fields = {"key": key_in(await get(client, "/people/4/correction")), "direction": "out", "reason": "meter"}

    status, html = await post(client, "/people/4/correction", **fields, amount_minor="50")

    assert status == 200
    assert "The balance becomes −৳50.00." in html


async def test_correction_goes_in_either_direction_and_stands_in_the_records(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    before = await balance(served, RAHIMA)
    key = key_in(await get(client, "/people/1/correction?session=7"))
    fields = {"key": key, "amount_minor": "10", "direction": "out", "reason": "Session 7: meter was wrong"}

    await post(client, "/people/1/correction", **fields)
    _, html = await post(client, "/people/1/correction", **fields, confirmed="1")

    assert await balance(served, RAHIMA) == before - 10_00
    assert "Session 7: meter was wrong" in html

    _, html = await post(client, "/people/1/correction", **fields, confirmed="1")
    assert "This correction for Rahima Khatun had been booked before; nothing was booked now." in html
    assert await balance(served, RAHIMA) == before - 10_00


async def test_cashiers_are_offered_no_correction_and_a_refund_asks_a_manager(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, "/people/1")
    assert "/people/1/correction" not in html
    assert "/people/1/refund" in html
    before = (await served.store.read(people.find, PersonId(1))).balance_minor  # type: ignore[union-attr]

    key = key_in(await get(client, "/people/1/refund"))
    form = {"key": key, "amount_minor": "1.00", "method": "cash", "confirmed": "1"}
    _status, answer = await post(client, "/people/1/refund", **form)

    assert "needs a second person" in answer
    assert (await served.store.read(people.find, PersonId(1))).balance_minor == before  # type: ignore[union-attr]
    assert [one.amount_minor for one in await served.store.read(approvals.pending)] == [100]


async def test_person_card_and_first_top_up_are_taken_in_together_and_once(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    page = await get(client, "/people/new?uid=04:E1:B2:C3")
    assert "04:E1:B2:C3" in page
    form = {
        "key": key_in(page), "name": "Anwara Begum", "phone": "01911 111222", "group_id": "1", "uid": "04:e1:b2:c3",
        "label": "0900", "preset": "200.00", "method": "cash",
    }  # fmt: skip

    first = await post(client, "/people/new", **form)
    again = await post(client, "/people/new", **form)

    assert first[0] == again[0] == 200
    found = await served.store.read(people_search.people, text="Anwara")
    assert [(one.name, one.balance_minor, one.cards) for one in found] == [("Anwara Begum", 200_00, 1)]


@pytest.mark.parametrize(
    ("group", "uid", "preset", "said"),
    [
        (1, "04E1B2C3", "200.00", "Anwara Begum may charge now."),
        (1, "04E1B2C3", "", "Before Anwara Begum can charge, money must be paid in."),
        (1, "", "200.00", "Before Anwara Begum can charge, a card is needed."),
        (1, "", "", "Before Anwara Begum can charge, a card is needed and money must be paid in."),
        (2, "04E1B2C3", "", "Anwara Begum may charge now."),
        (2, "", "", "Before Anwara Begum can charge, a card is needed."),
    ],
)
async def test_who_was_entered_may_charge_only_with_a_card_and_with_money_where_it_costs(
    served: ConsoleFixture, group: int, uid: str, preset: str, said: str
) -> None:
    client = await served.logged_in(Role.MANAGER)
    key = key_in(await get(client, "/people/new"))

    _, html = await post(
        client, "/people/new", key=key, name="Anwara Begum", group_id=str(group), uid=uid, preset=preset, method="cash"
    )

    assert said in html
    assert html.count("Anwara Begum may charge now.") == (said == "Anwara Begum may charge now.")


async def test_a_card_that_is_unblocked_charges_only_with_money(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    key = key_in(await get(client, "/people/new"))
    await post(client, "/people/new", key=key, name="Short Guest", group_id="1", uid="04E1B2C3")
    guest = (await served.store.read(people_search.people, text="Short Guest"))[0].id
    card = (await served.store.read(card_rows.of_person, guest))[0].id

    _, html = await post(client, f"/cards/{card}/block", reason="lost")
    _, html = await post(client, f"/cards/{card}/unblock")
    assert "The card is unblocked. Before Short Guest can charge, money must be paid in." in html

    await post(client, f"/people/{guest}/leave")
    _, html = await post(client, f"/people/{guest}/return")
    assert "The account is open again. Before Short Guest can charge, money must be paid in." in html


async def test_a_card_that_is_taken_leaves_no_person_behind(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    key = key_in(await get(client, "/people/new"))

    status, html = await post(client, "/people/new", key=key, name="Anwara Begum", group_id="1", uid="04A1B2C3")

    assert status == 409
    assert "belongs to Rahima Khatun already" in html
    assert 'value="Anwara Begum"' in html
    assert (await served.store.read(people_search.people, text="Anwara")) == []


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rahima", {"Rahima Khatun"}),
        ("345678", {"Rahima Khatun"}),
        ("১৭১২ ৩৪৫", {"Rahima Khatun"}),
        ("04:b1:b2:c3", {"Karim Ahmed"}),
        ("%", set()),
        ("0003", {"Green Taxi, car 7"}),
    ],
)
async def test_people_are_found_by_name_telephone_and_card(served: ConsoleFixture, text: str, names: set[str]) -> None:
    client = await served.logged_in(Role.CASHIER)
    async with client.get("/people", params={"q": text}) as answer:
        html = await answer.text()

    assert {
        name for name in ("Rahima Khatun", "Karim Ahmed", "Green Taxi, car 7", "Jamal Uddin") if name in html
    } == names


async def test_the_foot_of_the_list_sums_the_balances(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, "/people")
    wallets = [account for account in await served.store.read(ledger.accounts) if account.kind == "wallet"]

    amount = f"{wallets[0].balance_minor / 100:,.2f}"
    assert f"৳{amount}</td></tr></tfoot>" in html


async def test_more_than_a_page_of_those_looked_for_is_not_counted(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    for number in range(101):
        await served.store.write(people_units.add, f"Guest {number:03}", GroupId(1), BY)

    first = await get(client, "/people?q=Guest")
    assert ("Guest 099" in first, "Guest 100" in first, "<tfoot>" in first) == (True, False, False)
    after = re.search(r'href="(/people\?q=Guest&amp;after=\d+)" rel="next"', first)
    assert after is not None
    last = await get(client, unescape(after[1]))
    assert ("Guest 099" in last, "Guest 100" in last, 'rel="next"' in last) == (False, True, False)
    before = re.search(r'href="(/people\?q=Guest&amp;before=\d+)" rel="prev"', last)
    assert before is not None
    assert re.findall(r"Guest \d+", await get(client, unescape(before[1]))) == re.findall(r"Guest \d+", first)
    assert "<td>11 people</td>" in await get(client, "/people?q=Guest 05")


async def test_records_join_sessions_and_movements_with_what_left_the_wallet(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    html = await get(client, "/people/1")

    assert "Hall 2" in html
    assert "−৳191.73" in html
    assert "+৳500.00" in html


async def test_who_has_money_in_the_wallet_cannot_leave(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    status, html = await post(client, "/people/1/leave")

    assert status == 409
    assert "is not zero" in html


async def test_who_left_can_come_back(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    key = key_in(await get(client, "/people/new"))
    await post(client, "/people/new", key=key, name="Short Guest", group_id="1")
    guest = (await served.store.read(people_search.people, text="Short Guest"))[0].id

    _, html = await post(client, f"/people/{guest}/leave")
    assert "The account was closed on" in html
    _, html = await post(client, f"/people/{guest}/return")
    assert "The account was closed on" not in html


async def test_an_edit_comes_back_filled_when_the_name_is_missing(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    status, html = await post(client, "/people/1/edit", name=" ", phone="0199", group_id="1", language="bn")

    assert status == 422
    assert 'value="0199"' in html
    assert 'id="name-wrong"' in html


async def test_names_are_shown_as_text_and_not_as_html(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await post(client, "/people/4/edit", name="<script>x</script>", phone="", group_id="2", note="<b>&", language="")

    html = await get(client, f"/people/{JAMAL}")
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


@pytest.mark.parametrize("path", ["/people/999", "/people/abc", "/people/99999999999999999999", "/people/-1"])
async def test_nobody_is_behind_a_wrong_number(served: ConsoleFixture, path: str) -> None:
    client = await served.logged_in(Role.OWNER)
    async with client.get(path) as answer:
        assert answer.status == 404


def test_presets_are_what_ordinary_charges_cost_as_round_figures() -> None:
    day = Tariff(1, "Day", energy_milli_per_kwh=1_850_000, tax_basis_points=500)
    euro = Tariff(1, "Day", energy_milli_per_kwh=45_000)

    assert presets(day, TAKA) == [200_00, 500_00, 1000_00, 2000_00]
    assert presets(euro, Currency("EUR", 2)) == [5_00, 10_00, 20_00, 50_00]
    assert presets(None, Currency("JPY", 0)) == [10, 20, 50, 100]


async def test_a_wallet_that_may_be_overdrawn_says_what_is_owed(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.MANAGER)
    await post(client, "/groups/new", name="Shops", policy="postpaid", limit_minor="5,000", tariff_id="")
    key = key_in(await get(client, "/people/new"))
    await post(client, "/people/new", key=key, name="Shop 14", group_id="3")
    shop = (await served.store.read(people_search.people, text="Shop 14"))[0]
    key = key_in(await get(client, f"/people/{shop.id}/correction"))
    fields = {"key": key, "amount_minor": "1000", "direction": "out", "reason": "from the old book", "confirmed": "1"}

    _, html = await post(client, f"/people/{shop.id}/correction", **fields)

    assert "this is owed" in html
    assert "may be owed" in html
    assert (await served.store.read(ledger.balance, AccountId(shop.wallet))).available_minor == 4000_00


async def test_a_card_that_came_back_is_not_offered_to_be_unblocked(served: ConsoleFixture) -> None:
    client = await served.logged_in(Role.CASHIER)
    await served.store.write(cards.block, CardId(1), "returned", served.by)
    html = await get(client, "/people/1")

    assert "came back" in html
    assert "/cards/1/unblock" not in html
    assert "/cards/1/replace" not in html
    assert "/cards/1/unblock" not in await get(client, "/cards/1")


async def test_a_cashier_is_told_that_a_manager_gives_cards_to_who_does_not_pay_ahead(served: ConsoleFixture) -> None:
    cashier, manager = await served.logged_in(Role.CASHIER), await served.logged_in(Role.MANAGER)
    group = await served.store.write(groups.add, "Neighbours", "free", BY)
    person = await served.store.write(people_units.add, "Shirin", group, BY)

    assert "A manager gives them another card." in await get(cashier, f"/people/{person}")
    assert f"/cards/new?person={person}" in await get(manager, f"/people/{person}")
    status, html = await post(cashier, "/cards/new", person=str(person), uid="04:11:22:33", transactions_max="1")
    assert (status, "A manager does this" in html, "04:11:22:33" in html) == (403, True, True)

    await served.store.write(people_units.close, person, BY)
    assert "A manager opens it again." in await get(cashier, f"/people/{person}")
    assert (await post(cashier, f"/people/{person}/return"))[0] == 403
    assert (await post(manager, f"/people/{person}/return"))[0] == 200
