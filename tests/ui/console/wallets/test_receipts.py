"""Receipts: the list, and the page that prints one in the customer's language on whatever paper there is."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from appliance.db.wallets import receipts as rows
from appliance.domain.by import By
from appliance.domain.identifiers import CardId, PersonId
from appliance.domain.roles import Role
from appliance.services.people import people
from appliance.services.wallets import wallets
from tests.ui.console_fixture import NOW_MS, ConsoleFixture

RAHIMA, KARIM = PersonId(1), PersonId(2)
Browser = TestClient[Any, Any]


@pytest.fixture(name="client")
async def _client(served: ConsoleFixture) -> Browser:
    return await served.logged_in(Role.CASHIER)


async def get(client: Browser, path: str) -> str:
    """A page, redirects followed."""
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def recharge(served: ConsoleFixture, person: PersonId, amount_minor: int, card: int | None = None) -> int:
    """A top-up; the number of its receipt."""
    booked = await served.store.write(
        lambda db: wallets.top_up(
            db, person, amount_minor, "cash", f"receipt-{person}-{amount_minor}", By("operator:1", NOW_MS),
            card=CardId(card) if card is not None else None,
        )
    )  # fmt: skip
    assert booked.receipt is not None
    return booked.receipt


def slip_of(html: str) -> str:
    """The part that is printed, without tags."""
    found = re.search(r'<article class="slip.*?</article>', html, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


async def test_a_receipt_says_who_what_when_and_what_is_left(served: ConsoleFixture, client: Browser) -> None:
    number = await recharge(served, RAHIMA, 250_00, card=1)
    slip = slip_of(await get(client, f"/receipts/{number}"))

    for words in (
        "Dhanmondi yard", f"Receipt {number}", "22 Nov 2026, 16:50", "৳250.00", "Rahima Khatun", "0001", "Cash",
        "Balance after it", "Nasrin cashier",
    ):  # fmt: skip
        assert words in slip


async def test_a_receipt_stays_as_it_was_when_names_change(served: ConsoleFixture, client: Browser) -> None:
    number = await recharge(served, RAHIMA, 250_00)
    await served.store.write(
        lambda db: people.change(
            db, RAHIMA, By("operator:1", NOW_MS), name="Rahima Begum", phone="", note="", language="",
            group=people.need(db, RAHIMA).group_id,
        )
    )  # fmt: skip

    assert "Rahima Khatun" in slip_of(await get(client, f"/receipts/{number}"))


async def test_a_receipt_speaks_with_the_customer_and_the_page_with_the_staff(
    served: ConsoleFixture, client: Browser
) -> None:
    number = await recharge(served, RAHIMA, 250_00)
    html = await get(client, f"/receipts/{number}?language=bn")

    assert '<html lang="en"' in html
    assert '<article class="slip is-80" lang="bn">' in html
    assert "২৫০.০০৳" in slip_of(html)
    assert "২৫০" not in html.replace(re.search(r"<article.*?</article>", html, re.DOTALL)[0], "")  # type: ignore[index]


async def test_who_has_a_language_of_their_own_gets_the_receipt_in_it(served: ConsoleFixture, client: Browser) -> None:
    await served.store.write(
        lambda db: people.change(
            db, RAHIMA, By("operator:1", NOW_MS), name="Rahima Khatun", phone="", note="", language="bn",
            group=people.need(db, RAHIMA).group_id,
        )
    )  # fmt: skip
    number = await recharge(served, RAHIMA, 250_00)

    assert 'lang="bn">' in await get(client, f"/receipts/{number}")


@pytest.mark.parametrize(("paper", "shown"), [("58", "58"), ("80", "80"), ("a4", "a4"), ("letter", "80")])
async def test_the_paper_is_chosen_and_remembered(
    served: ConsoleFixture, client: Browser, paper: str, shown: str
) -> None:
    number = await recharge(served, RAHIMA, 250_00)
    assert f'class="slip is-{shown}"' in await get(client, f"/receipts/{number}?paper={paper}")

    assert f'class="slip is-{shown}"' in await get(client, f"/receipts/{number}")


async def test_a_receipt_leads_back_to_pages_of_ours_only(served: ConsoleFixture, client: Browser) -> None:
    number = await recharge(served, RAHIMA, 250_00)

    assert 'data-then="/desk/counter"' in await get(client, f"/receipts/{number}?print=1&back=/desk/counter")
    for stranger in ("https://elsewhere.example", "//elsewhere.example", "javascript:alert(1)"):
        html = await get(client, f"/receipts/{number}?print=1&back={stranger}")
        assert "data-then" not in html
        assert '<a class="back" href="/receipts">' in html


async def test_the_list_is_of_everybody_or_of_one_person(served: ConsoleFixture, client: Browser) -> None:
    await recharge(served, RAHIMA, 250_00)
    await recharge(served, KARIM, 300_00)

    everybody = await get(client, "/receipts")
    assert "৳250.00" in everybody
    assert "৳300.00" in everybody
    karim = await get(client, "/receipts?person=2")
    assert "৳250.00" not in karim
    assert "৳300.00" in karim


@pytest.mark.parametrize("text", ["2", "#2", "২"])
async def test_a_receipt_is_found_by_its_number(client: Browser, text: str) -> None:
    async with client.get("/receipts", params={"number": text}) as answer:
        assert str(answer.url).endswith("/receipts/2")


async def test_a_number_that_no_receipt_has_is_said(client: Browser) -> None:
    assert "There is no such receipt" in await get(client, "/receipts?number=4711")


async def test_older_receipts_are_a_page_further(served: ConsoleFixture, client: Browser) -> None:
    def many(db: Any) -> None:
        for number in range(60):
            wallets.top_up(db, RAHIMA, 100, "cash", f"many-{number}", By("operator:1", NOW_MS))

    await served.store.write(many)
    newest = (await served.store.read(rows.page, limit=1))[0].number
    first = await get(client, "/receipts")
    link = re.search(r'href="(/receipts\?after=\d+)" rel="next"', first)
    assert link is not None
    second = await get(client, link[1])

    shown = [int(one) for html in (first, second) for one in re.findall(r"/receipts/(\d+)\?back", html)]
    assert shown == list(range(newest, 0, -1))


async def test_a_person_leads_to_their_receipts(client: Browser) -> None:
    assert "/receipts?person=1" in await get(client, "/people/1")


async def test_a_receipt_is_in_the_language_of_whom_was_chosen_last(served: ConsoleFixture, client: Browser) -> None:
    await served.store.write(
        lambda db: people.change(
            db, RAHIMA, By("operator:1", NOW_MS), name="Rahima Khatun", phone="", note="", language="bn",
            group=people.need(db, RAHIMA).group_id,
        )
    )  # fmt: skip
    number = await recharge(served, RAHIMA, 250_00)

    for asked, language in (("", "bn"), ("?language=mine", "en"), ("", "en"), ("?language=holders", "bn"), ("", "bn")):
        assert f'<article class="slip is-80" lang="{language}">' in await get(client, f"/receipts/{number}{asked}")
