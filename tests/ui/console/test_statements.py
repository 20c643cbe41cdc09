"""The pages of statements and bills: a person's month, on paper and as a file, all of a month, and on the holder's phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient, TestServer

from appliance.db.cards import cards
from appliance.db.engine.protocols import Readable
from appliance.db.engine.unit import Database
from appliance.domain.bill import Party
from appliance.domain.by import By
from appliance.domain.events import TransactionEnded, TransactionStarted
from appliance.domain.identifiers import PersonId, StationId
from appliance.domain.statement import month_bounds
from appliance.services import settings
from appliance.services.cards import cards as card_units
from appliance.services.cards import pin as card_pin
from appliance.services.people import groups, people
from appliance.services.sessions import starting, stopping
from appliance.services.settings import Settings
from appliance.services.statements import issuing
from appliance.services.wallets import buyers, wallets
from appliance.ui.driver.app import create_drivers
from tests.ui.console_fixture import ACTOR, NOW_MS, ConsoleFixture, open_console

UID = "04AA00010203"
MONTH = "2026-11"
END_MS = month_bounds(MONTH, ZoneInfo("Asia/Dhaka"))[1] + issuing.AFTER_MS
HOUR_MS = 3_600_000


def company(db: Database) -> PersonId:
    """Somebody who pays later, with two sessions and a payment in November."""
    by = By(ACTOR, NOW_MS)
    settings.change(db, "seller_name", "Purbachal EV hub Ltd")
    group = groups.add(db, "Companies", "postpaid", by, limit_minor=5_000_000)
    person = people.add(db, "Green <Taxi>", group, by, language="bn")
    card_units.add(db, UID, person, by)
    buyers.change(db, person, Party("Green Taxi & Sons", "Banani, Dhaka", "004567891-0202"), by)
    for number in (1, 2):
        began_ms, meter_wh = NOW_MS + number * HOUR_MS, 10_000 * number
        start = TransactionStarted(1, UID, meter_wh, began_ms, began_ms)
        started = starting.transaction_started(db, StationId(7), start)
        stop = TransactionEnded(
            started.ref, None, meter_wh + 5_000, began_ms + HOUR_MS, "Local", (), began_ms + HOUR_MS
        )
        stopping.transaction_ended(db, StationId(7), stop)
    wallets.top_up(db, person, 5_000, "bank", "november", By(ACTOR, NOW_MS + 4 * HOUR_MS))
    return person


def issue(db: Database) -> None:
    issuing.finish(db, "2026-10")
    issuing.issue(db, MONTH, issuing.wallets_of(db, MONTH), END_MS)
    issuing.finish(db, MONTH)


@pytest.fixture(name="person")
async def _person(served: ConsoleFixture) -> PersonId:
    """The company, whose November is over and issued."""
    person = await served.store.write(company)
    await served.store.write(issue)
    served.now_ms = END_MS
    return person


async def get(client: TestClient[Any, Any], path: str, status: int = 200) -> str:
    async with client.get(path) as answer:
        assert answer.status == status, await answer.text()
        return (await answer.read()).decode()


async def test_a_month_is_a_sum_and_each_row_opens_down_to_its_lines(served: ConsoleFixture, person: PersonId) -> None:
    html = await get(await served.logged_in(), f"/people/{person}/statements/{MONTH}")
    for piece in (
        "Statement 4",
        "−৳194.24",
        "+৳50.00",
        "−৳144.24",
        "to be paid",
        "5.000 kWh",
        "৳18.50 a kWh",
        "Tax 5 %",
    ):
        assert piece in html, piece
    assert html.count('<details class="why">') == 2
    assert "Green &lt;Taxi&gt;" in html


async def test_the_newest_month_runs_and_is_not_numbered(served: ConsoleFixture, person: PersonId) -> None:
    client = await served.logged_in()
    async with client.get(f"/people/{person}/statements", allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/people/{person}/statements/2026-12"
    html = await get(client, f"/people/{person}/statements/2026-12")
    assert "December 2026 is not over" in html
    assert "−৳144.24" in html


@pytest.mark.parametrize("month", ["2027-01", "2026-13", "november", "2026-11-01", "0000-00"])
async def test_a_month_that_is_none_is_refused_in_a_sentence(
    served: ConsoleFixture, person: PersonId, month: str
) -> None:
    html = await get(await served.logged_in(), f"/people/{person}/statements/{month}", 422)
    assert "has not begun" in html or "such as 2026-11" in html


async def test_on_paper_it_speaks_the_holders_language_and_names_both_sides(
    served: ConsoleFixture, person: PersonId
) -> None:
    client = await served.logged_in()
    html = await get(client, f"/people/{person}/statements/{MONTH}/print?language=holders")
    for piece in (
        "বিবরণী, নভেম্বর ২০২৬",
        "Purbachal EV hub Ltd",
        "Green Taxi &amp; Sons",
        "004567891-0202",
        'lang="bn"',
    ):
        assert piece in html, piece
    assert "Statement, November 2026" in await get(client, f"/people/{person}/statements/{MONTH}/print?language=en")


async def test_as_a_file_it_begins_with_the_balance_before_and_ends_with_the_one_after(
    served: ConsoleFixture, person: PersonId
) -> None:
    text = await get(await served.logged_in(), f"/people/{person}/statements/{MONTH}.csv")
    assert text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}When,What")
    lines = text.splitlines()
    assert (lines[1][:15], lines[1][-6:]) == (",Balance before", ",0.00,")
    assert lines[-1][:14] == ",Balance after"
    assert ",-144.24," in lines[-1]
    assert len(lines) == 6


async def test_all_of_a_month_are_listed_with_what_is_still_to_be_paid(
    served: ConsoleFixture, person: PersonId
) -> None:
    client = await served.logged_in()
    html = await get(client, f"/statements?month={MONTH}")
    assert html.index("Green Taxi &amp; Sons") < html.index("Rahima Khatun")
    assert "৳144.24" in html
    group = (await served.store.read(people.need, person)).group_id
    assert "Rahima Khatun" not in await get(client, f"/statements?month={MONTH}&group={group}")
    served.now_ms = END_MS + 15 * 24 * HOUR_MS
    client = await served.logged_in()
    assert "overdue" in await get(client, f"/statements?month={MONTH}")
    assert "This month is not over" in await get(client, "/statements?month=2026-12")
    for month, said in (("2027-05", "This month has not begun."), ("May", "Write the month as year-month")):
        for path in ("/statements", "/statements.csv"):
            answer = await client.get(path, params={"month": month})
            assert (answer.status, said in await answer.text()) == (422, True)
    assert "Green Taxi & Sons" in await get(client, f"/statements.csv?month={MONTH}")


async def test_a_bill_is_printed_in_as_many_copies_as_the_law_asks(served: ConsoleFixture, person: PersonId) -> None:
    client = await served.logged_in()
    html = await get(client, "/bills/2?language=en")
    for piece in ("Bill 2", "Green Taxi &amp; Sons", "10.000 kWh", "15.000 kWh", "5.000 kWh", "Tax 5 %", "৳97.12"):
        assert piece in html, piece
    await get(client, "/bills/99", 404)
    assert "/bills/2" in await get(client, f"/bills?person={person}")


async def test_the_holder_reads_a_month_on_the_phone_and_it_names_nobody(
    served: ConsoleFixture, person: PersonId
) -> None:
    token = await served.store.read(token_of)
    async with TestClient(TestServer(create_drivers(served.console))) as phone:
        html = await get(phone, f"/card/{token}?lang=en")
        assert f"/card/{token}/statements/{MONTH}" in html
        html = await get(phone, f"/card/{token}/statements/{MONTH}?lang=en")
        assert "−৳144.24" in html
        assert not any(name in html for name in ("Green", "Banani", "004567891"))
        await get(phone, f"/card/{token}/statements/2027-01", 404)
        await get(phone, f"/card/{token}/statements/..%2f", 404)


async def test_behind_a_pin_the_month_is_shown_to_who_knows_it_alone(served: ConsoleFixture, person: PersonId) -> None:
    card = await served.store.read(card_of)
    await served.store.write(card_pin.set_pin, card.id, card_pin.hash_pin("2580"), served.by)
    path = f"/card/{card.token}/statements/{MONTH}?lang=en"
    async with TestClient(TestServer(create_drivers(served.console))) as phone:
        html = await get(phone, path)
        assert "PIN of the card" in html
        assert "144.24" not in html
        async with phone.post(path, data={"pin": "1111"}) as answer:
            assert "144.24" not in await answer.text()
        async with phone.post(path, data={"pin": "2580"}) as answer:
            text = await answer.text()
        assert "144.24" in text
        assert "Green Taxi &amp; Sons" in text


def card_of(db: Readable) -> cards.Card:
    found = cards.by_uid(db, UID)
    assert found is not None
    return found


def token_of(db: Readable) -> str:
    return card_of(db).token


async def test_above_an_amount_a_bill_has_a_place_for_the_buyer_and_is_printed_twice(tmp_path: Path) -> None:
    async with open_console(tmp_path, settings=Settings(buyer_from_minor=9_000, bill_copies=2)) as served:
        await served.store.write(company)
        client = await served.logged_in()
        html = await get(client, "/bills/1?language=en")  # Of Rahima, of whom nobody has entered more than a name.
        assert "Copy 1 of 2" in html
        assert html.count("Copy 2 of 2") == 1
        assert html.count('<span class="to-fill">') == 4
        assert "to-fill" not in await get(client, "/bills/2?language=en")
